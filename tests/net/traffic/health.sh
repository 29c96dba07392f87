#!/bin/bash
# A member dies and comes back: checks find it, statuses roll up, traffic goes elsewhere meanwhile; also
# when the agent is killed meanwhile.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 never touched
#                 VIP, TCP monitor, 1 s    `-- m2 killed, then started again
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

lab_begin health
lab_topology two-armed 2
lab_members
lab_agent_start
create_lb health "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")"
pool=$(id_of pools p-TCP-80)
lab_change POST /v2.0/lbaas/healthmonitors "{\"healthmonitor\": {\"pool_id\": \"$pool\", \"name\": \"hm\",
  \"type\": \"TCP\", \"delay\": 1, \"timeout\": 1, \"max_retries\": 3, \"max_retries_down\": 1}}" >/dev/null

member_is() { # NAME STATUS
  [[ $(lab_api GET "/v2.0/lbaas/pools/$pool/members" |
    jq -r --arg name "$1" '.members[] | select(.name == $name) | .operating_status') == "$2" ]]
}
status_of() { lab_api GET "/v2.0/lbaas/$1" | jq -r '.[].operating_status'; }
ask() { lab_client requests --target "$LAB_VIP4:80" --connections 400 --concurrency 8 || true; }

lab_until 5 "both members to be ONLINE" member_is m1 ONLINE
lab_until 5 "both members to be ONLINE" member_is m2 ONLINE
expect "both answer" "$(ask)" '.failed == 0 and .members.m1.answered == 200'

ip netns pids "$LAB-m2" | xargs kill -9
lab_until 5 "m2 to be ERROR" member_is m2 ERROR
member_is m1 ONLINE || fail "m1 is not ONLINE"
[[ $(status_of "pools/$pool") == DEGRADED ]] || fail "the pool is $(status_of "pools/$pool")"
[[ $(status_of "loadbalancers/$LB_ID") == DEGRADED ]] || fail "the load balancer is not DEGRADED"
pass "m2 killed: it is ERROR, pool and load balancer are DEGRADED"
expect "and the reason is told" "$(lab_api GET /v1/status)" \
  '[.checks[] | select(.state == "down") | .reason] == ["connection refused"]'
expect "no new connection goes to it" "$(ask)" '.failed == 0 and .members.m1.answered == 400'

lab_agent_stop KILL
lab_spawn_in m2 "$LAB_DIR/m2.log" "$LAB_BUILD/tests/net/lab/lab_server" --name m2 --port $LAB_MEMBER_PORT
lab_agent_start
# Its first probe comes within a second, the third not within two.
member_is m2 ERROR || fail "an agent that was started does not know that m2 is down"
expect "an agent that was killed and started knows that it is down" "$(lab_api GET /v1/status)" \
  '[.checks[] | select(.state == "down")] | length == 1'
lab_until 5 "m2 to be ONLINE again" member_is m2 ONLINE
[[ $(status_of "loadbalancers/$LB_ID") == ONLINE ]] || fail "the load balancer is not ONLINE"
expect "m2 is back" "$(ask)" '.failed == 0 and .members.m2.answered == 200'
