#!/bin/bash
# An upgrade to an agent of another ABI, while traffic flows: killed (-9) at each of its steps, and at random moments;
# each next start goes on, and nobody notices. upgrade.sh HOOK
#
#   client ---- eth1 amphora eth2 --[switch]-- m1  lab_server, iperf3 -s
#     iperf3 stream, held connections,     |-- m2  lab_server
#     short connections
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../traffic/traffic.sh"

hook=$1
steps=8 # of HandoverStep, but for the last one: after it only leftovers are removed
lab_begin "upgrade-$hook"
lab_topology two-armed 2
lab_members
lab_spawn_in m1 "$LAB_DIR/iperf-server.log" iperf3 -s
LAB_AGENT_FIELDS="\"hook\": \"$hook\","
lab_agent_start
expect_hook "$hook"
create_lb upgrade "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 "$LAB_MEMBER_PORT" 1 1)")" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json ipv4 "$LAB_MEMBER_PORT" 1 1)")" \
  "$(listener_json TCP 5201 ROUND_ROBIN "$(members_json ipv4 5201 1)")"
create_lb upgrade6 "$LAB_VIP6" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv6 "$LAB_MEMBER_PORT" 1 1)")"

next_agent() { # LOG ARGUMENTS...: in the background, its pid in LAB_PID
  lab_spawn_in amphora "$LAB_DIR/$1" "$LAB_BUILD/tests/net/upgrade/next_agent" "$LAB_PINS" "${@:2}"
}
lab_load held hold --target "$LAB_VIP4:80" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held"
lab_load held6 hold --target "[$LAB_VIP6]:80" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held6"
lab_load datagrams hold --udp --target "$LAB_VIP4:53" --connections 40 --pause-ms 20 --ready-file "$LAB_DIR/datagrams"
# While flows may not begin, and the agent is dead, a SYN comes again and again.
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 4 --pause-ms 5 --deadline-ms 30000
# All are there before anything is upgraded: a flow that would begin meanwhile is dropped, and no datagram comes again.
for name in held held6 datagrams; do lab_until 10 "$name" test -e "$LAB_DIR/$name"; done
lab_spawn_in client "$LAB_DIR/iperf.json" iperf3 -c "$LAB_VIP4" -t 20 -b 200M -J
stream=$LAB_PID
sleep 1
before=$(lab_verdicts | jq '[.verdicts[] | {(.verdict): .packets}] | add')
lab_agent_stop KILL

for ((step = 0; step < steps; step++)); do
  next_agent "killed-$step.log" "$step"
  wait "$LAB_PID" && fail "step $step of the handover was not reached: $(cat "$LAB_DIR/killed-$step.log")"
  [[ $(find "$LAB_PINS" -maxdepth 2 -name lb_xdp | wc -l) -ge 1 ]] || fail "no program is pinned after step $step"
  sleep 0.3
  [[ $step == 4 ]] || continue
  # Killed while no flow may begin: the next one lets them begin until it is so far itself.
  next_agent killed-again.log 1
  wait "$LAB_PID" && fail "not killed again: $(cat "$LAB_DIR/killed-again.log")"
  expect "flows begin again after a kill" "$(lab_client requests --target "$LAB_VIP4:80" --connections 20 \
    --deadline-ms 900 || true)" '.failed == 0'
done
pass "killed with -9 at each of its $steps steps"
for ((i = 0; i < 5; i++)); do
  next_agent "random-$i.log"
  sleep "0.0$((RANDOM % 10))"
  kill -KILL "$LAB_PID"
  wait "$LAB_PID" || true
done
pass "and at five random moments"
next_agent next.log
next=$LAB_PID
lab_until 20 "the next agent" grep -q '^{' "$LAB_DIR/next.log"
[[ $(find "$LAB_PINS" -mindepth 1 -maxdepth 1 -name 'v*' | wc -l) == 1 ]] || fail "more than one version is pinned"
pass "the older version is gone: $(find "$LAB_PINS" -mindepth 1 -maxdepth 1)"
expect "counts go on" "$(jq -n --argjson before "$before" --argjson now "$(grep '^{' "$LAB_DIR/next.log")" '{$before, $now}')" \
  '.now.new_flow >= .before.new_flow and .now.established >= .before.established and .now.flows >= 120'
sleep 3

lab_load_end
wait "$stream" || fail "iperf3 failed: $(cat "$LAB_DIR/iperf.json")"
kill -TERM "$next"
wait "$next" || fail "the next agent: $(cat "$LAB_DIR/next.log")"
for name in held held6 datagrams short; do
  expect "$name: zero errors" "$(cat "$LAB_DIR/$name.json")" '.failed == 0 and .requests > 300'
done
expect "the stream never paused" "$(jq -c '{error, least: [.intervals[].sum.bytes] | min,
  retransmits: .end.sum_sent.retransmits}' "$LAB_DIR/iperf.json")" '.error == null and .least > 5000000'

refused=$("$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR/agent.json" 2>&1) && fail "an older agent starts"
grep -q "Run an agent of version" <<<"$refused" || fail "not said what to do: $refused"
pass "an older agent says what to do"
