#!/bin/bash
# SYNs from a network at full rate: with a limit of its new flows, connections go on, and others connect as ever.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
#   attacker ---- eth3 |
#     flood.py, as 192.0.2.0/24
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

here=$(dirname "${BASH_SOURCE[0]}")
rate=500 seconds=5
lab_begin flood
lab_topology two-armed 2
lab_namespace attacker
lab_link attacker eth0 amphora eth3
lab_address attacker eth0 198.18.0.1/24
lab_address amphora eth3 198.18.0.2/24
lab_in amphora ip route add 192.0.2.0/24 via 198.18.0.1
lab_members
LAB_AGENT_FIELDS="\"new_flows_per_second\": {\"per_network\": $rate},"
lab_agent_start
create_lb flood "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")"

client() { # NAME ARGUMENTS...: in the background, its pid in LAB_PID
  lab_spawn_in client "$LAB_DIR/$1.json" "$LAB_BUILD/tests/net/lab/lab_client" "${@:2}"
}
client held hold --target "$LAB_VIP4:80" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held"
pids=("$LAB_PID")
lab_until 10 "held connections" test -e "$LAB_DIR/held"
client short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 4 --pause-ms 20
pids+=("$LAB_PID")
sent=$(lab_in attacker python3 "$here/flood.py" eth0 "$(lab_in amphora cat /sys/class/net/eth3/address)" \
  192.0.2.0/24 "$LAB_VIP4" 80 $seconds)
half_open=$(lab_api GET "/v1/flows?state=half_open" | wc -l)
kill -TERM "${pids[@]}"
wait "${pids[@]}" || true

limited=$(counted rate_limited)
((limited > 20 * rate * seconds)) || fail "of $sent SYNs $limited met the limit: no flood"
begun=$(counted new_flow)
short=$(jq .connections "$LAB_DIR/short.json")
# a second's worth at once, then so many a second
((begun - short - 40 <= rate * (seconds + 2))) || fail "$begun flows began, $short of them wanted"
pass "$sent SYNs: $limited met the limit, $begun flows began, $short of them of the client; $half_open are half-open"
expect "held connections: zero errors" "$(cat "$LAB_DIR/held.json")" '.failed == 0 and .requests > 1000'
expect "who is not of that network connects" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .connections > 100'
repeated=$(lab_in client nstat -asz TcpExtTCPSynRetrans | awk '/SynRetrans/ { print $2 }')
((repeated * 100 <= short)) || fail "$repeated of $short SYNs were repeated"
pass "$repeated of $short SYNs were repeated"
