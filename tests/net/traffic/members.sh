#!/bin/bash
# Members come, go, drain, are disabled and weighed anew under load; nobody else notices.
# members.sh two-armed|one-armed
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 never touched
#     60 held connections, each verified   |-- m2 weighed anew, then disabled
#     8 at a time of short ones            |-- m3 drained, then removed
#                                          `-- m4 comes later
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

kind=$1
lab_begin members
lab_topology "$kind" 4
lab_members
lab_agent_start
create_lb members "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1 1)")"
pool=$(id_of pools p-TCP-80)

lab_load held hold --target "$LAB_VIP4:80" --connections 60 --pause-ms 10 --ready-file "$LAB_DIR/held"
lab_until 10 "60 held connections" test -e "$LAB_DIR/held"
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 8 --pause-ms 2

# Who answers new connections now?
ask() { lab_client requests --target "$LAB_VIP4:80" --connections 600 --concurrency 8 || true; }

lab_change POST "/v2.0/lbaas/pools/$pool/members" "{\"member\": {\"name\": \"m4\",
  \"address\": \"$(lab_member_address m4 ipv4)\", \"protocol_port\": $LAB_MEMBER_PORT}}" >/dev/null
expect "an added member gets its share" "$(ask)" '.failed == 0 and .members.m4.answered > 100'

change_member "$pool" m2 '{"weight": 9}'
expect "a member weighed anew gets its share" "$(ask)" '.failed == 0 and .members.m2.answered > 400'

change_member "$pool" m3 '{"weight": 0}'
expect "a draining member gets no new connection" "$(ask)" '.failed == 0 and (.members | has("m3") | not)'

change_member "$pool" m2 '{"admin_state_up": false}'
expect "a disabled member gets no new connection" "$(ask)" '.failed == 0 and (.members | has("m2") | not)'

change_member "$pool" m2 '{"admin_state_up": true, "weight": 1}'
expect "an enabled member is back" "$(ask)" '.failed == 0 and .members.m2.answered > 100'

lab_change DELETE "/v2.0/lbaas/pools/$pool/members/$(id_of "pools/$pool/members" m3)" >/dev/null
expect "a removed member gets no new connection" "$(ask)" \
  '.failed == 0 and (.members | has("m3") | not) and (.members | length) == 3'

for _ in 1 2 3 4 5; do
  change_member "$pool" m4 '{"weight": 7}'
  change_member "$pool" m4 '{"weight": 1}'
done

lab_load_end
report=$(cat "$LAB_DIR/held.json")
expect "held connections were spread and went on" "$report" \
  '.connections == 60 and .requests > 6000 and (.members | length) == 3'
expect "no held connection of an untouched member failed" "$report" '.members.m1.failed == 0'
expect "no held connection of a draining or disabled member failed" "$report" \
  '.members.m2.failed == 0 and .failed == .members.m3.failed'
expect "no short connection failed" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .requests > 1000'
