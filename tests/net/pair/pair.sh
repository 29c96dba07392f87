#!/bin/bash
# Two agents share a VIP (nodes.sh). Whatever dies, the other node takes it over, and never do both have it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/nodes.sh"

nodes_begin pair
nodes_start
[[ $(vrrp a) == null ]] || fail "without a load balancer there is a role: $(vrrp a)"
# Who came first stays master: a better node takes nothing from it.
nodes_balance
expect "status of the master" "$(vrrp $first)" ".role == \"MASTER\" and .interface == \"eth1\" and
  .vips == [{\"address\": \"$LAB_VIP4\", \"here\": true}] and .keepalived.running and .unfit_because == []"
expect "status of the backup" "$(vrrp $second)" '.vips[0].here == false and .keepalived.running'
lab_until 10 "the VIP to serve" lab_in client curl -s -m 1 -o "$LAB_DIR/curl.out" "http://$LAB_VIP4/"

reaches "$first" || fail "the client's packets do not reach the master"
kill_keepalived() { keepaliveds "$1" | xargs kill -9; taken_by "$2"; }
longest_gap kill_keepalived "$first" "$second"
((GAP < 1000)) || fail "keepalived killed: the client waited $GAP ms"
pass "keepalived killed: taken over $(events after $second) ms after the VIP was gone, the client waited $GAP ms"
lab_until 10 "keepalived to run again" eval "[[ \$(vrrp $first | jq .keepalived.restarts) == 1 ]]"
sleep 1
is "$first" BACKUP || fail "$first is $(vrrp $first)"
if ! has_vip "$second" || has_vip $first; then fail "the VIP came back to $first"; fi
pass "it was started again, and is BACKUP"

lose() { cut "$1" down; taken_by "$2"; }
longest_gap lose "$second" "$first"
((GAP < 1000)) || fail "the master's link cut: the client waited $GAP ms"
pass "the master's link cut: the client waited $GAP ms"
lab_until 5 "the lost node to be FAULT" is "$second" FAULT
cut "$second" up
lab_until 10 "the lost node to be BACKUP" is "$second" BACKUP
has_vip "$first" || fail "the VIP went back"

kill_agent() { kill -9 "${agent[$1]}"; taken_by "$2"; }
longest_gap kill_agent "$first" "$second"
((GAP < 1000)) || fail "the master's agent killed: the client waited $GAP ms"
pass "the master's agent killed: XDP went on until the other node took over, the client waited $GAP ms"
if has_vip $first; then fail "a node without an agent has the VIP"; fi
start "$first"
lab_until 10 "the node to be BACKUP" is "$first" BACKUP
pass "its next agent adopts keepalived, and it is BACKUP"

# A restart is no reason: somebody has vouched for the next two seconds.
kill -9 "${agent[$second]}"
begun=$(date +%s%N)
start "$second"
took=$((($(date +%s%N) - begun) / 1000000))
sleep 3
if ((took < 1500)); then
  is "$second" MASTER || fail "an agent that was killed and started again within $took ms lost the VIP"
  pass "an agent that was killed and started again within $took ms keeps the VIP"
else
  pass "(a restart took $took ms on this machine: longer than a word holds)"
fi
[[ $(events overlap) == 0 ]] || fail "both had the VIP for $(events overlap) ms"
pass "never both: $(events counts)"
