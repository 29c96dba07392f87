#!/bin/bash
# Interfaces on tc ingress, with every offload that a veth has: packets have no checksums, and come and leave as segments of up to
# 64 KiB. tc.sh FAMILY
#
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1
lab_begin tc
lab_end_of_link() { lab_ip "$1" link set "$2" up; } # as the kernel makes them
lab_topology two-armed 2
lab_members
for name in m1 m2; do
  lab_spawn_in "$name" "$LAB_DIR/$name-echo.log" python3 "${BASH_SOURCE[0]%/*}/path.py" serve 9090
  lab_spawn_in "$name" "$LAB_DIR/$name-iperf.log" iperf3 -s -p 5201
done
LAB_AGENT_FIELDS='"hook": "tc",'
lab_agent_start
modes() { lab_api GET /v1/status | jq -c '[.interfaces[] | {interface, mode, reason}]'; }
expect "both interfaces are on tc, as configured" "$(modes)" 'length == 2 and all(.mode == "tc" and .reason == "as configured")'
expect "and run no XDP program" "$(lab_ip amphora -j link)" 'all(.xdp == null)'

one() { members_json "$family" "$1" 1 0; } # all of it to m1
create_lb tc "$(vip "$family")" "$(listener_json TCP 80 ROUND_ROBIN "$(members_json "$family" $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json UDP 90 ROUND_ROBIN "$(members_json "$family" 9090 1 1)")" \
  "$(listener_json TCP 5201 ROUND_ROBIN "$(one 5201)")" "$(listener_json UDP 5201 ROUND_ROBIN "$(one 5201)")"
expect "listeners are served by the program" "$(lab_api GET /v1/status)" '.placements | length == 4 and all(.placement == "xdp")'

from() { lab_in client python3 "${BASH_SOURCE[0]%/*}/path.py" "$1" "$(vip "$family")" "${@:2}"; }
iperf() { lab_in client iperf3 -J -p 5201 -c "$(vip "$family")" "$@"; }
sent() { echo $(($(counted established) + $(counted new_flow))); }

# everything WHO: connections, bulk and datagrams, of all sizes
everything() {
  local before after bytes way
  expect "$1: requests" "$(lab_client requests --target "$(target "$family" 80)" --connections 200 --concurrency 4)" \
    '.failed == 0 and .connections >= 200'
  for way in "" -R; do
    before=$(sent)
    # shellcheck disable=SC2086  # none is no argument
    bytes=$(iperf -n 200M $way | jq .end.sum_received.bytes)
    after=$(sent)
    expect "$1: bulk TCP $way" "$bytes" '. >= 100000000'
    last_size=$((bytes / (after - before)))
  done
  expect "$1: datagrams of up to 64 KiB" "$(from echo 90 100 1400 4096 32768 65000)" '.answered == .asked'
  for way in "" -R; do
    # shellcheck disable=SC2086
    expect "$1: UDP $way" "$(iperf -u -l 1400 -b 10M -t 2 $way)" '.end.sum.packets > 1000 and .end.sum.lost_percent < 1'
  done
}

everything "offloads everywhere"
expect "what came as one leaves as one: bytes in a packet" "$last_size" '. > 5000'
# Now each checksum that the load balancer leaves to its interfaces is computed there, and looked at by the receiver.
for interface in eth1 eth2; do lab_in amphora ethtool -K $interface tx off >/dev/null; done
everything "none at the load balancer"
for name in client m1 m2; do lab_in "$name" ethtool -K eth0 tx off gro off >/dev/null; done
everything "none anywhere"
for interface in eth1 eth2; do lab_in amphora ethtool -K $interface tx on >/dev/null; done
for name in client m1 m2; do lab_in "$name" ethtool -K eth0 tx on >/dev/null; done

# ---- somebody takes the program off ------------------------------------------

index=$(lab_ip amphora -j link show eth1 | jq '.[0].ifindex')
if link=$(compgen -G "$LAB_PINS/v*/links/$index tcx"); then
  bpftool link detach pinned "$link" >/dev/null
else
  lab_in amphora tc qdisc del dev eth1 clsact
fi
is_seen() { grep -q "somebody took the program off eth1" "$LAB_DIR/agent.log"; }
lab_until 10 "the agent to see it" is_seen
expect "it is attached again" "$(lab_client requests --target "$(target "$family" 80)" --connections 20)" '.failed == 0'

# ---- the agent ends and comes again ------------------------------------------

# The links of TCX, where the kernel has it; else the filters of clsact.
links() {
  local pin
  for pin in "$LAB_PINS"/v*/links/*" tcx"; do
    [[ ! -e $pin ]] || bpftool -j link show pinned "$pin" | jq .id
  done
  for interface in eth1 eth2; do lab_in amphora tc -j filter show dev $interface ingress | jq -c '.[].options.prog.name // empty'; done
}
had=$(links)
[[ $(wc -w <<<"$had") -eq 2 ]] || fail "not two links or filters: $had"
lab_spawn_in client "$LAB_DIR/bulk.json" iperf3 -J -p 5201 -c "$(vip "$family")" -t 4 -b 200M
bulk=$LAB_PID
sleep 1
lab_agent_stop KILL
sleep 0.5
lab_agent_start
wait "$bulk" || fail "a connection ended with the agent: $(cat "$LAB_DIR/bulk.json")"
expect "a connection outlives kill -9, and its segments" "$(cat "$LAB_DIR/bulk.json")" \
  '.end.sum_received.bytes > 80000000 and .end.sum_sent.retransmits < 50'
[[ $(links) == "$had" ]] || fail "other links: $(links) were $had"
pass "the next agent has the same links"
expect "and says so" "$(modes)" 'length == 2 and all(.mode == "tc")'

lab_agent_stop
lab_agent --teardown >"$LAB_DIR/teardown.log" 2>&1 || fail "teardown: $(cat "$LAB_DIR/teardown.log")"
[[ -z $(links) ]] || fail "left: $(links)"
for id in $had; do
  [[ $id == \"* ]] || ! bpftool link show id "$id" >/dev/null 2>&1 || fail "link $id is left"
done
pass "nothing is left on the interfaces"
