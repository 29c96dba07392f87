# shellcheck shell=bash
# The lab: client, amphora and members in network namespaces of their own, on one machine.
#
# two-armed                                            one-armed
#   client                 amphora              m1..      client   amphora   m1..
#   eth0 ------------ eth1         eth2 --[switch]-- eth0   eth0      eth1   eth0
#   198.51.100.100/24 .2                .2    .11, .12..     |         |      |
#   2001:db8:100::100 ::2              ::2  ::11, ::12..     +----[switch]----+
#   198.51.100.0/24, 2001:db8:100::/64   203.0.113.0/24,      all in 198.51.100.0/24,
#                                        2001:db8:203::/64    2001:db8:100::/64
#
# shellcheck disable=SC2034  # what is set here is for those who source it
# The VIPs are 198.51.100.10 and 2001:db8:100::10. Use: lab_begin NAME; lab_topology two-armed 2;
# lab_members; lab_agent_start; ... lab_end (also from the trap that lab_begin sets).

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

LAB_BUILD=${LAB_BUILD:-$TOP/build/release}
LAB_VIP4=198.51.100.10
LAB_VIP6=2001:db8:100::10
LAB_MEMBER_PORT=8080
lab_pids=()
lab_loads=()
lab_spaces=()

# lab_begin NAME: nothing is made yet, but whatever will be is taken away at exit.
lab_begin() {
  LAB=$1-$$
  LAB_DIR=$(temporary_folder "$LAB")
  chmod 755 "$LAB_DIR" # HAProxy's workers are nobody's superuser
  LAB_SOCKET=$LAB_DIR/control.sock
  LAB_PINS=/sys/fs/bpf/$LAB
  trap lab_end EXIT
  trap 'exit 130' INT TERM
}

lab_end() {
  local status=$? pid space log
  trap - EXIT
  for log in "$LAB_DIR"/agent.log "$LAB_DIR"/*/agent.log; do
    [[ $status -ne 0 && -s $log ]] || continue
    printf -- '-- last lines of %s (status %s):\n' "${log#"$LAB_DIR"/}" "$status" >&2
    tail -n 30 "$log" >&2
  done
  for pid in "${lab_pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  for pid in "${lab_pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  # HAProxy outlives its agent.
  for space in "${lab_spaces[@]}"; do
    ip netns pids "$space" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
    ip netns del "$space" 2>/dev/null || true
  done
  # Whatever an agent left pinned goes here; that it leaves nothing is the business of a test.
  [[ ! -d $LAB_PINS ]] || find "$LAB_PINS" -depth -delete 2>/dev/null || true
  rm -rf "$LAB_DIR"
  exit "$status"
}

# lab_in SPACE COMMAND...: runs it in the namespace SPACE (client, amphora, switch, m1, ...).
lab_in() { ip netns exec "$LAB-$1" "${@:2}"; }

lab_ip() { ip -n "$LAB-$1" "${@:2}"; }

# lab_spawn LOG COMMAND...: in the background, ended by lab_end; its pid is in LAB_PID.
lab_spawn() {
  "${@:2}" >"$1" 2>&1 &
  LAB_PID=$!
  lab_pids+=("$LAB_PID")
}

# lab_spawn_in SPACE LOG COMMAND...: nsenter rather than `ip netns exec`, so that LAB_PID is the
# command itself.
lab_spawn_in() { lab_spawn "$2" nsenter --net="/run/netns/$LAB-$1" "${@:3}"; }

lab_namespace() {
  local space=$LAB-$1
  ip netns add "$space"
  lab_spaces+=("$space")
  lab_in "$1" sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.default.accept_ra=0 net.ipv4.ip_local_port_range="1024 65535" \
    net.ipv4.tcp_tw_reuse=1 net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192
  lab_ip "$1" link set lo up
}

# lab_link SPACE IF SPACE IF: a veth. Endpoints compute their own checksums and segments: what XDP
# rewrites must be complete. A pass program on both ends lets XDP send to either.
lab_link() {
  ip link add "$2" netns "$LAB-$1" type veth peer name "$4" netns "$LAB-$3"
  lab_end_of_link "$1" "$2"
  lab_end_of_link "$3" "$4"
}

lab_end_of_link() {
  lab_in "$1" ethtool -K "$2" tx off gro off >/dev/null
  [[ $1 == amphora* ]] ||
    lab_ip "$1" link set dev "$2" xdpdrv obj "$LAB_BUILD/tests/net/lab/xdp_pass.bpf.o" sec xdp
  lab_ip "$1" link set "$2" up
}

# lab_plug SPACE IF: connects the space to the switch.
lab_plug() {
  lab_link "$1" "$2" switch "$1-$2"
  lab_ip switch link set "$1-$2" master br0
}

lab_switch() {
  lab_namespace switch
  lab_ip switch link add br0 type bridge forward_delay 0 mcast_snooping 0
  lab_ip switch link set br0 up
}

lab_address() { lab_ip "$1" addr add "$3" dev "$2" nodad 2>/dev/null || lab_ip "$1" addr add "$3" dev "$2"; }

# lab_topology two-armed|one-armed MEMBERS. The amphora's interfaces get no addresses: that is the
# agent's work (or lab_amphora_addresses').
lab_topology() {
  local kind=$1 count=$2 i
  LAB_KIND=$kind
  [[ $kind == one-armed ]] && LAB_MEMBER_NET4=198.51.100 || LAB_MEMBER_NET4=203.0.113
  [[ $kind == one-armed ]] && LAB_MEMBER_NET6=2001:db8:100: || LAB_MEMBER_NET6=2001:db8:203:
  lab_namespace client
  lab_namespace amphora
  lab_switch
  case $kind in
    one-armed)
      lab_plug client eth0
      lab_plug amphora eth1
      ;;
    two-armed)
      lab_link client eth0 amphora eth1
      lab_plug amphora eth2
      ;;
    *) die "no topology called $kind" ;;
  esac
  lab_address client eth0 198.51.100.100/24
  lab_address client eth0 2001:db8:100::100/64
  LAB_MEMBERS=()
  for ((i = 1; i <= count; i++)); do lab_member "m$i" $((10 + i)); done
}

# lab_member NAME HOST-NUMBER: one more member on the switch, not serving yet. Members have no route
# but their own network: an answer can only go where full NAT says it came from.
lab_member() {
  lab_namespace "$1"
  lab_plug "$1" eth0
  lab_address "$1" eth0 "$LAB_MEMBER_NET4.$2/24"
  lab_address "$1" eth0 "$LAB_MEMBER_NET6:$2/64"
  LAB_MEMBERS+=("$1")
}

lab_member_address() { # NAME ipv4|ipv6
  local number=$((10 + ${1#m}))
  if [[ $2 == ipv4 ]]; then echo "$LAB_MEMBER_NET4.$number"; else echo "$LAB_MEMBER_NET6:$number"; fi
}

# lab_members: every member serves (lab_server), and has been seen to.
lab_members() {
  local name
  for name in "${LAB_MEMBERS[@]}"; do
    lab_spawn_in "$name" "$LAB_DIR/$name.log" \
      "$LAB_BUILD/tests/net/lab/lab_server" --name "$name" --port $LAB_MEMBER_PORT
  done
  for name in "${LAB_MEMBERS[@]}"; do
    lab_until 5 "member $name to serve" lab_in "$name" \
      curl -s -o "$LAB_DIR/curl.out" "http://127.0.0.1:$LAB_MEMBER_PORT/"
  done
}

# lab_until SECONDS WHAT COMMAND...: waits until the command succeeds, or fails saying what did not
# come. LAB_PATIENCE times as long: 3, for a machine that has other work, and more for one that is emulated.
lab_until() {
  local seconds=$(($1 * ${LAB_PATIENCE:-3})) what=$2
  local end=$((SECONDS + seconds + 1))
  until "${@:3}"; do
    ((SECONDS < end)) || die "waited $seconds s in vain for $what"
    sleep 0.05
  done
}

# lab_amphora_addresses SPACE: for who balances there without our agent.
lab_amphora_addresses() {
  local space=$1
  lab_address "$space" eth1 198.51.100.2/24
  lab_address "$space" eth1 2001:db8:100::2/64
  lab_address "$space" eth1 $LAB_VIP4/32
  lab_address "$space" eth1 $LAB_VIP6/128
  [[ $LAB_KIND != one-armed ]] || return 0
  lab_address "$space" eth2 203.0.113.2/24
  lab_address "$space" eth2 2001:db8:203::2/64
}

# ---- the agent -----------------------------------------------------------

# LAB_AGENT_FIELDS: more fields, each with a comma after it. LAB_CLIENT_ROUTES, LAB_MEMBER_ROUTES: of
# its two interfaces, separated by commas.
lab_agent_config() {
  local second=""
  [[ $LAB_KIND == one-armed ]] || second=', {"name": "eth2", "mtu": 1500,
    "addresses": ["203.0.113.2/24", "2001:db8:203::2/64"], "routes": ['${LAB_MEMBER_ROUTES:-}']}'
  cat <<JSON
{"namespace": "$LAB-amphora", "state_dir": "$LAB_DIR/state", "control_socket": "$LAB_SOCKET",
 "pin_root": "$LAB_PINS", "log_level": "${LAB_LOG_LEVEL:-info}", ${LAB_AGENT_FIELDS:-}
 "flow_table": {"ipv4_flows": ${LAB_FLOWS:-262144}, "ipv6_flows": ${LAB_FLOWS:-65536}},
 "interfaces": [{"name": "eth1", "mtu": 1500,
    "addresses": ["198.51.100.2/24", "2001:db8:100::2/64"],
    "routes": [${LAB_CLIENT_ROUTES:-}]}$second]}
JSON
}

lab_agent() { "$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR/agent.json" "$@"; }

# lab_agent_start: starts it, and waits until it answers. May be called again after the agent died.
lab_agent_start() {
  mkdir -p "$LAB_DIR/state"
  lab_agent_config >"$LAB_DIR/agent.json"
  # Not through lab_agent: the pid must be the agent's, not a subshell's.
  "$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR/agent.json" >>"$LAB_DIR/agent.log" 2>&1 &
  LAB_AGENT_PID=$!
  lab_pids+=("$LAB_AGENT_PID")
  lab_until 10 "the agent to answer on $LAB_SOCKET" lab_agent_answers
}

lab_agent_answers() {
  kill -0 "$LAB_AGENT_PID" 2>/dev/null || die "the agent ended: $(tail -n 5 "$LAB_DIR/agent.log")"
  lab_is_up
}

# An agent answers, whoever started it.
lab_is_up() { curl -s -f -m $((2 * ${LAB_PATIENCE:-3})) -o "$LAB_DIR/curl.out" --unix-socket "$LAB_SOCKET" http://localhost/healthz; }

lab_agent_stop() { # SIGNAL
  kill "-${1:-TERM}" "$LAB_AGENT_PID"
  wait "$LAB_AGENT_PID" 2>/dev/null || true
}

# lab_api METHOD PATH [BODY]: the answer's body; fails, saying why, unless the status is 2xx.
lab_api() {
  local status body=()
  [[ $# -lt 3 ]] || body=(-H 'Content-Type: application/json' --data "$3")
  status=$(curl -s -m $((10 * ${LAB_PATIENCE:-3})) -o "$LAB_DIR/api.out" -w '%{http_code}' --unix-socket "$LAB_SOCKET" \
    -X "$1" "${body[@]}" "http://localhost$2") || status="no answer"
  [[ $status == 2?? ]] || die "$1 $2: $status $(cat "$LAB_DIR/api.out" 2>/dev/null)"
  cat "$LAB_DIR/api.out"
}

lab_settled() { # every load balancer is ACTIVE (or there is none)
  lab_api GET /v2.0/lbaas/loadbalancers 2>/dev/null |
    jq -e '[.loadbalancers[].provisioning_status] | all(. == "ACTIVE")' >/dev/null
}

# lab_change METHOD PATH [BODY]: as lab_api, once every load balancer is ACTIVE, and back when they
# are again.
lab_change() {
  lab_until 10 "load balancers to be ACTIVE before $1 $2" lab_settled
  lab_api "$@" >"$LAB_DIR/change.out"
  lab_until 10 "load balancers to be ACTIVE after $1 $2" lab_settled
  cat "$LAB_DIR/change.out"
}

lab_verdicts() { lab_api GET /v1/verdicts; }

# ---- the client ----------------------------------------------------------

# lab_client ARGUMENTS: lab_client in the client's namespace.
lab_client() { lab_in client "$LAB_BUILD/tests/net/lab/lab_client" "$@"; }

# lab_load NAME ARGUMENTS: the same in the background, until lab_load_end; its report will be in $LAB_DIR/NAME.json. LAB_PID is its
# pid. What else is to end with the load adds itself to lab_loads.
lab_load() {
  lab_spawn_in client "$LAB_DIR/$1.json" "$LAB_BUILD/tests/net/lab/lab_client" "${@:2}"
  lab_loads+=("$LAB_PID")
}

lab_load_end() {
  kill -TERM "${lab_loads[@]}"
  wait "${lab_loads[@]}" || true
  lab_loads=()
}
