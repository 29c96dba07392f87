#!/bin/bash
# Routes to clients change while their connections last: answers take the new way within a second.
#
#   192.0.2.7 on lo of client -- eth0 (198.51.100.100) --+
#                             `- mv0  (198.51.100.101) --+-- eth1 amphora eth2 --[switch]-- m1
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

lab_begin ways
lab_topology two-armed 1
lab_ip client link add mv0 link eth0 type macvlan mode bridge
lab_ip client link set mv0 up
lab_address client mv0 198.51.100.101/32
lab_ip client addr add 192.0.2.7/32 dev lo
lab_in client sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.rp_filter=0 \
  net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.mv0.rp_filter=0
lab_members
lab_agent_start
create_lb ways "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1)")"
lab_ip amphora route add 192.0.2.0/24 via 198.51.100.100

lab_spawn_in client "$LAB_DIR/held.json" "$LAB_BUILD/tests/net/lab/lab_client" hold \
  --target "$LAB_VIP4:80" --connections 20 --pause-ms 5 --from 192.0.2.7 --ready-file "$LAB_DIR/held"
held=$LAB_PID
lab_until 10 "held connections" test -e "$LAB_DIR/held"

received() { lab_in client cat "/sys/class/net/$1/statistics/rx_packets"; }
# arrives_by IF: 50 packets more came in there
arrives_by() { (($(received "$1") > start + 50)); }
[[ $(received mv0) -lt 50 ]] || fail "answers came by the second way at once"

start=$(received mv0)
lab_ip amphora route replace 192.0.2.0/24 via 198.51.100.101
changed=${EPOCHREALTIME/./}
lab_until 5 "answers by the second way" arrives_by mv0
took=$(((${EPOCHREALTIME/./} - changed) / 1000))
((took < 1000)) || fail "connections followed the route only after $took ms"
pass "connections that exist followed the route after $took ms"

kill -TERM "$held"
wait "$held" || true
expect "no connection failed" "$(cat "$LAB_DIR/held.json")" '.failed == 0 and .requests > 100'
