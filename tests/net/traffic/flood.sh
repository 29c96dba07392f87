#!/bin/bash
# SYNs from a network at full rate: with a limit of its new flows, connections go on, and others connect as ever.
# flood.sh FAMILY
#
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
#   attacker ---- eth3 |
#     flood.py, as 192.0.2.0/24 or 2001:db8:a::/64
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1
rate=500 seconds=5
lab_begin flood
lab_topology two-armed 2
lab_namespace attacker
lab_link attacker eth0 amphora eth3
if [[ $family == ipv4 ]]; then
  network=192.0.2.0/24 gateway=198.18.0.1 own=198.18.0.2 length=24
else
  network=2001:db8:a::/64 gateway=2001:db8:18::1 own=2001:db8:18::2 length=64
fi
lab_address attacker eth0 $gateway/$length
lab_address amphora eth3 $own/$length
lab_ip amphora route add $network via $gateway
lab_members
LAB_AGENT_FIELDS="\"new_flows_per_second\": {\"per_network\": $rate},"
lab_agent_start
create_lb flood "$(vip "$family")" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json "$family" $LAB_MEMBER_PORT 1 1)")"

lab_load held hold --target "$(target "$family" 80)" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held"
lab_until 10 "held connections" test -e "$LAB_DIR/held"
lab_load short requests --target "$(target "$family" 80)" --connections 0 --concurrency 4 --pause-ms 20
sent=$(lab_in attacker python3 "$(dirname "${BASH_SOURCE[0]}")/flood.py" eth0 \
  "$(lab_in amphora cat /sys/class/net/eth3/address)" $network "$(vip "$family")" 80 $seconds)
half_open=$(lab_api GET "/v1/flows?state=half_open" | wc -l)
lab_load_end

limited=$(counted rate_limited)
((limited > 20 * rate * seconds)) || fail "of $sent SYNs $limited met the limit: no flood"
begun=$(counted new_flow)
short=$(jq .connections "$LAB_DIR/short.json")
# a second's worth at once, then so many a second
((begun - short - 40 <= rate * (seconds + 2))) || fail "$begun flows began, $short of them wanted"
pass "$sent SYNs: $limited met the limit, $begun flows began, $short of them of the client; $half_open are half-open"
expect "held connections: zero errors" "$(cat "$LAB_DIR/held.json")" '.failed == 0 and .requests > 1000'
expect "who is not of that network connects" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .connections > 100'
repeated=$(repeated_syns)
((repeated * 100 <= short)) || fail "$repeated of $short SYNs were repeated"
pass "$repeated of $short SYNs were repeated"
