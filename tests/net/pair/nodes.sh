# shellcheck shell=bash disable=SC2034
# Two nodes that share a VIP, a client and two members on one network.
#
#   client .100 --.                   .-- eth1 .2 :amphora-a   priority 120
#                  [switch br0] ------|-- eth1 .3 :amphora-b   priority 100
#   m1 .11, m2 .12 --'                `   VIP 198.51.100.10, adverts each 100 ms
#
# With NODE_FAR the members are in a network of their own, 203.0.113.0/24 on br1, where the nodes have eth2 and what
# goes with the VIP are 203.0.113.9 and 2001:db8:203::9.

source "$(dirname "${BASH_SOURCE[0]}")/../traffic/traffic.sh"
nodes_folder=$(dirname "${BASH_SOURCE[0]}")
NODE_PAIR=''     # more fields of "pair"
NODE_LISTENER='' # and of the listener, each with a comma behind it
NODE_FLOWS=4096
NODE_FAR=''
NODE_FLOATING=203.0.113.9 NODE_FLOATING6=2001:db8:203::9

# nodes_begin NAME
nodes_begin() {
  lab_begin "$1"
  LAB_KIND=one-armed LAB_MEMBER_NET4=198.51.100 LAB_MEMBER_NET6=2001:db8:100: LAB_MEMBERS=()
  [[ ! $NODE_FAR ]] || LAB_MEMBER_NET4=203.0.113 LAB_MEMBER_NET6=2001:db8:203:
  lab_namespace client
  lab_namespace amphora-a
  lab_namespace amphora-b
  lab_switch
  lab_plug client eth0
  lab_plug amphora-a eth1
  lab_plug amphora-b eth1
  lab_address client eth0 198.51.100.100/24
  lab_member m1 11
  lab_member m2 12
  [[ ! $NODE_FAR ]] || nodes_far
  lab_members
}
nodes_far() {
  local link
  lab_ip switch link add br1 type bridge forward_delay 0 mcast_snooping 0
  lab_ip switch link set br1 up
  lab_plug amphora-a eth2
  lab_plug amphora-b eth2
  for link in amphora-a-eth2 amphora-b-eth2 m1-eth0 m2-eth0; do lab_ip switch link set "$link" master br1; done
}

declare -A agent=() own=([a]=198.51.100.2 [b]=198.51.100.3) priority=([a]=120 [b]=100)
other() { if [[ $1 == a ]]; then echo b; else echo a; fi; }
# Each node has folders, pins and a socket of its own.
node() { LAB_DIR_OF=$LAB_DIR/$1 LAB_SOCKET=$LAB_DIR/$1/control.sock LAB_AGENT_PID=${agent[$1]:-}; }
start() { # NODE
  local far='' along=''
  if [[ $NODE_FAR ]]; then
    far=", {\"name\": \"eth2\", \"addresses\": [\"${own[$1]/198.51.100/203.0.113}/24\",
      \"${own[$1]/198.51.100./2001:db8:203::}/64\"]}"
    along=", \"floating\": [\"$NODE_FLOATING\", \"$NODE_FLOATING6\"]"
  fi
  mkdir -p "$LAB_DIR/$1/state"
  node "$1"
  cat >"$LAB_DIR_OF/agent.json" <<JSON
{"namespace": "$LAB-amphora-$1", "state_dir": "$LAB_DIR_OF/state", "control_socket": "$LAB_SOCKET",
 "pin_root": "$LAB_PINS/$1", "flow_table": {"ipv4_flows": $NODE_FLOWS, "ipv6_flows": 1024},
 "interfaces": [{"name": "eth1", "addresses": ["${own[$1]}/24"]}$far],
 "pair": {"interface": "eth1", "source": "${own[$1]}", "peer": "${own[$(other "$1")]}",
          "priority": ${priority[$1]}, "advert_ms": 100$along$NODE_PAIR}}
JSON
  "$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR_OF/agent.json" >>"$LAB_DIR_OF/agent.log" 2>&1 &
  LAB_AGENT_PID=$! agent[$1]=$!
  lab_pids+=("$!")
  lab_until 20 "agent $1 to answer" lab_agent_answers
}
vrrp() { node "$1" && lab_api GET /v1/status | jq -c .vrrp; }
has_vip() { lab_ip "amphora-$1" -br addr show dev eth1 to "$LAB_VIP4/32" | grep -q .; }
is() { [[ $(vrrp "$1" | jq -r .role) == "$2" ]]; } # NODE ROLE
# Both the parent and the child of a node's keepalived.
keepaliveds() { cat "$LAB_DIR/$1/vrrp/keepalived.pid" "$LAB_DIR/$1/vrrp/vrrp.pid"; }
events() { # WHAT [NODE]: a word about the VIP's intervals
  python3 "$nodes_folder/intervals.py" "$1" "$LAB_VIP4" "$LAB_DIR/a.events" "$LAB_DIR/b.events" "${@:2}"
}
# What the client's packets reach: XDP forwards on either node, so that nobody would notice otherwise.
reaches() { # NODE
  [[ $(lab_ip client neigh show "$LAB_VIP4" dev eth0 | grep -o 'lladdr [0-9a-f:]*') == \
    "lladdr $(lab_in "amphora-$1" cat /sys/class/net/eth1/address)" ]]
}
# longest_gap COMMAND...: runs it while the client connects all the time; what the client waited, ms.
longest_gap() {
  lab_spawn_in client "$LAB_DIR/gap" python3 "$nodes_folder/gap.py" "$LAB_VIP4" 80
  local pid=$LAB_PID
  lab_until 10 "the client to be answered" grep -q answered "$LAB_DIR/gap"
  "$@"
  sleep 1
  kill -TERM "$pid"
  wait "$pid" || fail "the client: $(cat "$LAB_DIR/gap")"
  GAP=$(tail -n 1 "$LAB_DIR/gap")
}

lab_agent_answers() {
  kill -0 "$LAB_AGENT_PID" 2>/dev/null || die "an agent ended: $(tail -n 5 "$LAB_DIR"/*/agent.log)"
  lab_is_up
}

# Both agents, their load balancers, and what becomes of the VIP; first and second say who is master.
nodes_start() {
  local name
  for name in a b; do
    lab_spawn "$LAB_DIR/$name.events" ip -ts -n "$LAB-amphora-$name" monitor address
  done
  for name in a b; do start $name; done
}
nodes_balance() {
  local name
  for name in a b; do
    node $name
    create_lb pair "$LAB_VIP4" \
      "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 "$LAB_MEMBER_PORT" 1 1)" "$NODE_LISTENER")"
  done
  lab_until 20 "a or b to be MASTER" eval 'is a MASTER || is b MASTER'
  if is a MASTER; then first=a second=b; else first=b second=a; fi
  lab_until 20 "the other one to be BACKUP" is "$second" BACKUP
}

# taken_by NODE: it has the VIP, and the network knows.
taken_by() {
  lab_until 10 "$1 to have the VIP" has_vip "$1"
  lab_until 10 "the client's packets to reach $1" reaches "$1"
}
cut() { # NODE down|up: all its links
  lab_ip switch link set "amphora-$1-eth1" "$2"
  [[ ! $NODE_FAR ]] || lab_ip switch link set "amphora-$1-eth2" "$2"
}
