#!/bin/bash
# What the agent makes of virtio_net, in a machine that has two of them:
#
#   host ---- v0  ctrl_guest_offloads=off: the host's offloads cannot be switched off, no native XDP
#   host ---- v1  as QEMU gives it: native XDP switches them off
#
#   sudo scripts/test-kernel --nic ctrl_guest_offloads=off --nic '' -- tests/net/machines/virtio.sh
#
# It needs no ctest: there is such a machine only where somebody starts it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source tests/net/traffic/traffic.sh

modprobe virtio_net
for _ in {1..100}; do
  nics=(/sys/class/net/*/device)
  [[ ${#nics[@]} -lt 2 ]] || break
  sleep 0.1
done
fixed="" free=""
for nic in /sys/class/net/*/device; do
  name=$(basename "$(dirname "$nic")")
  if ethtool -k "$name" | grep -q 'rx-gro-hw: on .fixed'; then fixed=$name; else free=$name; fi
done
[[ -n $fixed && -n $free ]] || fail "no two virtio_net as wanted: fixed '$fixed', free '$free'"

lab_begin virtio
LAB_MEMBER_NET4=198.51.100 # nobody is there
lab_namespace amphora
ip link set "$fixed" name v0
ip link set "$free" name v1
ip link set v1 netns "$LAB-amphora"

interfaces=(v1)
hook=auto
# In the place of the lab's.
lab_agent_config() {
  local name list=()
  for name in "${interfaces[@]}"; do
    list+=("{\"name\": \"$name\", \"addresses\": [\"198.51.100.$((2 + ${#list[@]}))/24\"]}")
  done
  local IFS=,
  echo "{\"namespace\": \"$LAB-amphora\", \"state_dir\": \"$LAB_DIR/state\", \"pin_root\": \"$LAB_PINS\",
    \"control_socket\": \"$LAB_SOCKET\", \"hook\": \"$hook\", \"interfaces\": [${list[*]}]}"
}
# Emulated, it takes longer than the lab waits.
start_agent() {
  mkdir -p "$LAB_DIR/state"
  lab_agent_config >"$LAB_DIR/agent.json"
  lab_spawn "$LAB_DIR/agent.log" "$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR/agent.json"
  LAB_AGENT_PID=$LAB_PID
  lab_until 120 "the agent to answer" lab_agent_answers
}
placement() {
  local id
  id=$(id_of listeners "$1") # before the status is asked for: both answers are in the same file
  lab_api GET /v1/status | jq -r --arg id "$id" '.placements[] | select(.listener == $id) | .placement'
}
is_placed() { [[ $(placement "$1") == "$2" ]]; }

start_agent
create_lb web "$LAB_VIP4" "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 8080 1)")" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json ipv4 53 1)")"
status=$(lab_api GET /v1/status)
expect "where the offloads can be switched off, XDP is native" "$status" \
  '.interfaces | map(select(.interface == "v1")) | .[0] | .mode == "native" and .obstacle == null'
is_placed l-TCP-80 xdp || fail "TCP is not XDP's on a good machine: $status"
expect "too few queues are said" "$status" '[.reconcile.problems[].what] | any(contains("no queue of its own"))'

ip link set v0 netns "$LAB-amphora"
interfaces=(v1 v0)
lab_agent_stop TERM
start_agent
status=$(lab_api GET /v1/status)
expect "where they cannot, it is tc, which bears them" "$status" \
  '.interfaces | map(select(.interface == "v0")) | .[0] | .mode == "tc" and .obstacle == null and (.reason | contains("offloads forbid it"))'
is_placed l-TCP-80 xdp || fail "TCP is not the program's: $status"
pass "and TCP stays the program's"

hook=xdp
lab_agent_stop TERM
start_agent
lab_until 30 "TCP to be HAProxy's" is_placed l-TCP-80 haproxy
status=$(lab_api GET /v1/status)
expect "XDP would be generic there, and says what is in the way" "$status" \
  '.interfaces | map(select(.interface == "v0")) | .[0] | .mode == "generic" and (.obstacle | contains("rx-gro-hw"))'
expect "TCP is HAProxy's, with the reason" "$status" \
  '[.placements[] | select(.placement == "haproxy")] | length == 1 and (.[0].reason | contains("ctrl_guest_offloads"))'
expect "UDP says that it has nobody else" "$status" \
  '[.reconcile.problems[].what] | any(startswith("HAProxy serves no datagrams"))'
lab_in amphora ss -Hltn "sport = 80" | grep -q "$LAB_VIP4:80" || fail "HAProxy does not listen at the VIP"
pass "HAProxy listens at the VIP"
grep -q 'TCP listeners are HAProxy' "$LAB_DIR/agent.log" || fail "the log does not say it"
pass "the log says it"

interfaces=(v1)
lab_agent_stop TERM
lab_ip amphora link set v0 netns 1
start_agent
lab_until 60 "TCP to be XDP's" is_placed l-TCP-80 xdp
pass "without that interface TCP is XDP's again"
