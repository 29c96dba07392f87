#!/bin/bash
# Connections go on while their interfaces move between XDP and tc ingress, and where the two sides are on different ones; and who
# leaves checksums to the interface is found out. hooks.sh FAMILY
#
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1
lab_begin hooks
lab_topology two-armed 2
lab_members
for name in m1 m2; do lab_spawn_in "$name" "$LAB_DIR/$name-iperf.log" iperf3 -s -p 5201; done

# hooks ETH1 ETH2: the agent comes again with these
hooks() {
  [[ -z ${LAB_AGENT_PID:-} ]] || lab_agent_stop "${stop:-TERM}"
  eth1=$1 eth2=$2
  lab_agent_start
}
plain_config=$(declare -f lab_agent_config)
eval "lab_plain_config ${plain_config#lab_agent_config}"
lab_agent_config() {
  lab_plain_config | jq --arg one "$eth1" --arg two "$eth2" '.interfaces[0].hook = $one | .interfaces[1].hook = $two'
}
modes() { lab_api GET /v1/status | jq -c '[.interfaces[] | .mode]'; }

hooks xdp xdp
create_lb hooks "$(vip "$family")" "$(listener_json TCP 80 ROUND_ROBIN "$(members_json "$family" $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json "$family" $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json TCP 5201 ROUND_ROBIN "$(members_json "$family" 5201 1 0)")"
expect "XDP at first" "$(modes)" '. == ["native", "native"]'

# For as long as everything below takes: connections that stay, datagrams, and connections that come and go.
lab_load held hold --target "$(target "$family" 80)" --connections 20 --pause-ms 5 --ready-file "$LAB_DIR/held"
lab_load datagrams hold --udp --target "$(target "$family" 53)" --connections 20 --pause-ms 20
lab_load short requests --target "$(target "$family" 80)" --connections 0 --concurrency 4 --pause-ms 2
lab_until 10 "held connections" test -e "$LAB_DIR/held"
while read -r one two modes; do
  before=$(counted established)
  hooks "$one" "$two"
  expect "$one and $two are $modes" "$(modes)" ". == $modes"
  sleep 1
  expect "packets go on" "$(($(counted established) - before))" '. > 100'
done <<'MOVES'
tc xdp ["tc","native"]
xdp tc ["native","tc"]
tc tc ["tc","tc"]
generic tc ["generic","tc"]
tc generic ["tc","generic"]
tc tc ["tc","tc"]
xdp xdp ["native","native"]
generic xdp ["generic","native"]
tc xdp ["tc","native"]
xdp xdp ["native","native"]
MOVES
lab_load_end
for what in held datagrams short; do
  expect "nothing was lost: $what" "$(cat "$LAB_DIR/$what.json")" '.failed == 0 and .requests > 1000'
done

# ---- who leaves checksums to the interface --------------------------------

hooks auto auto
expect "automatic: XDP while packets have checksums" "$(modes)" '. == ["native", "native"]'
lab_in client ethtool -K eth0 tx on >/dev/null # what the members send passes a switch that computes checksums
asked() { # for connections, until it is found out
  lab_in client timeout 1 bash -c "exec 3<>/dev/tcp/$(vip "$family")/5201" 2>/dev/null || true
  [[ $(modes) == '["tc","native"]' ]]
}
lab_until 40 "eth1 to be on tc" asked
expect "then tc, which says why" "$(lab_api GET /v1/status)" '.interfaces[0].reason | contains("without checksums")'
bytes=$(lab_in client iperf3 -J -p 5201 -n 50M -c "$(vip "$family")" | jq .end.sum_received.bytes)
expect "and connections come up" "$bytes" '. > 20000000'
expect "nothing is wrong any more" "$(lab_api GET /v1/status)" '[.reconcile.problems[].what] | any(contains("checksums")) | not'
