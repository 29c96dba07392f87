#!/bin/bash
# The agent is killed with -9 and started again, over and over, while traffic flows: nobody notices.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1  lab_server, iperf3 -s
#     iperf3 stream, held connections,     |-- m2  lab_server
#     short connections
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

rounds=${1:-5}
lab_begin restart
lab_topology two-armed 2
lab_members
lab_spawn_in m1 "$LAB_DIR/iperf-server.log" iperf3 -s
lab_agent_start
create_lb restart "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json TCP 5201 ROUND_ROBIN "$(members_json ipv4 5201 1)")"

attached() { lab_in amphora bpftool -j net | jq -c '[.[0].xdp[] | .devname] | sort'; }
before=$(attached)

lab_load held hold --target "$LAB_VIP4:80" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held"
lab_load datagrams hold --udp --target "$LAB_VIP4:53" --connections 40 --pause-ms 20
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 8 --pause-ms 2
lab_until 10 "held connections" test -e "$LAB_DIR/held"
lab_spawn_in client "$LAB_DIR/iperf.json" iperf3 -c "$LAB_VIP4" -t $((rounds * 2 + 2)) -b 200M -J
stream=$LAB_PID

for ((i = 1; i <= rounds; i++)); do
  sleep 0.7
  lab_agent_stop KILL
  sleep 0.7
  lab_agent_start
done
pass "killed with -9 and started again: $rounds times"
[[ $(attached) == "$before" ]] || fail "XDP was on $before, is on $(attached)"
pass "XDP is where it was: $before"

lab_agent_stop TERM
sleep 0.5
lab_agent_start
pass "stopped and started again"

lab_load_end
wait "$stream" || fail "iperf3 failed: $(cat "$LAB_DIR/iperf.json")"
expect "held connections: zero errors" "$(cat "$LAB_DIR/held.json")" '.failed == 0 and .requests > 1000'
expect "held datagram flows: zero errors" "$(cat "$LAB_DIR/datagrams.json")" '.failed == 0 and .requests > 1000'
expect "short connections: zero errors" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .requests > 1000'
expect "the stream never paused" "$(jq -c '{error, least: [.intervals[].sum.bytes] | min,
  retransmits: .end.sum_sent.retransmits}' "$LAB_DIR/iperf.json")" '.error == null and .least > 5000000'
expect "resources are there after kill -9" "$(lab_api GET /v2.0/lbaas/listeners)" '.listeners | length == 3'
