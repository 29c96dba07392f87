#!/bin/bash
# Two agents share a VIP. Whatever dies, the other node takes it over, and never do both have it.
#
#   client .100 --.                   .-- eth1 .2 :amphora-a   priority 120
#                  [switch br0] ------|-- eth1 .3 :amphora-b   priority 100
#   m1 .11, m2 .12 --'                `   VIP 198.51.100.10, adverts each 100 ms
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../traffic/traffic.sh"
here=$(dirname "${BASH_SOURCE[0]}")

lab_begin pair
LAB_KIND=one-armed LAB_MEMBER_NET4=198.51.100 LAB_MEMBER_NET6=2001:db8:100: LAB_MEMBERS=()
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
lab_members

declare -A agent=() own=([a]=198.51.100.2 [b]=198.51.100.3) priority=([a]=120 [b]=100)
other() { if [[ $1 == a ]]; then echo b; else echo a; fi; }
# Each node has folders, pins and a socket of its own.
node() { LAB_DIR_OF=$LAB_DIR/$1 LAB_SOCKET=$LAB_DIR/$1/control.sock LAB_AGENT_PID=${agent[$1]:-}; }
start() { # NODE
  mkdir -p "$LAB_DIR/$1/state"
  node "$1"
  cat >"$LAB_DIR_OF/agent.json" <<JSON
{"namespace": "$LAB-amphora-$1", "state_dir": "$LAB_DIR_OF/state", "control_socket": "$LAB_SOCKET",
 "pin_root": "$LAB_PINS/$1", "flow_table": {"ipv4_flows": 4096, "ipv6_flows": 1024},
 "interfaces": [{"name": "eth1", "addresses": ["${own[$1]}/24"]}],
 "pair": {"interface": "eth1", "source": "${own[$1]}", "peer": "${own[$(other "$1")]}",
          "priority": ${priority[$1]}, "advert_ms": 100}}
JSON
  "$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR_OF/agent.json" >>"$LAB_DIR/$1.log" 2>&1 &
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
  python3 "$here/intervals.py" "$1" "$LAB_VIP4" "$LAB_DIR/a.events" "$LAB_DIR/b.events" "${@:2}"
}
# What the client's packets reach: XDP forwards on either node, so that nobody would notice otherwise.
reaches() { # NODE
  [[ $(lab_ip client neigh show "$LAB_VIP4" dev eth0 | grep -o 'lladdr [0-9a-f:]*') == \
    "lladdr $(lab_in "amphora-$1" cat /sys/class/net/eth1/address)" ]]
}
# longest_gap COMMAND...: runs it while the client connects all the time; what the client waited, ms.
longest_gap() {
  lab_spawn_in client "$LAB_DIR/gap" python3 "$here/gap.py" "$LAB_VIP4" 80
  local pid=$LAB_PID
  lab_until 10 "the client to be answered" grep -q answered "$LAB_DIR/gap"
  "$@"
  sleep 1
  kill -TERM "$pid"
  wait "$pid" || fail "the client: $(cat "$LAB_DIR/gap")"
  GAP=$(tail -n 1 "$LAB_DIR/gap")
}

lab_agent_answers() {
  kill -0 "$LAB_AGENT_PID" 2>/dev/null || die "an agent ended: $(tail -n 5 "$LAB_DIR"/?.log)"
  curl -s -f -m 2 -o "$LAB_DIR/curl.out" --unix-socket "$LAB_SOCKET" http://localhost/healthz
}

for name in a b; do
  lab_spawn "$LAB_DIR/$name.events" ip -ts -n "$LAB-amphora-$name" monitor address
done
for name in a b; do start $name; done
[[ $(vrrp a) == null ]] || fail "without a load balancer there is a role: $(vrrp a)"
for name in a b; do
  node $name
  create_lb pair "$LAB_VIP4" \
    "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")"
done
lab_until 20 "a or b to be MASTER" eval 'is a MASTER || is b MASTER'
# Who came first stays master: a better node takes nothing from it.
if is a MASTER; then first=a second=b; else first=b second=a; fi
lab_until 20 "the other one to be BACKUP" is $second BACKUP
expect "status of the master" "$(vrrp $first)" ".role == \"MASTER\" and .interface == \"eth1\" and
  .vips == [{\"address\": \"$LAB_VIP4\", \"here\": true}] and .keepalived.running and .unfit_because == []"
expect "status of the backup" "$(vrrp $second)" '.vips[0].here == false and .keepalived.running'
lab_until 10 "the VIP to serve" lab_in client curl -s -m 1 -o "$LAB_DIR/curl.out" "http://$LAB_VIP4/"

# taken_by NODE: it has the VIP, and the network knows.
taken_by() {
  lab_until 10 "$1 to have the VIP" has_vip "$1"
  lab_until 10 "the client's packets to reach $1" reaches "$1"
}
reaches $first || fail "the client's packets do not reach the master"
kill_keepalived() { keepaliveds "$1" | xargs kill -9; taken_by "$2"; }
longest_gap kill_keepalived $first $second
((GAP < 1000)) || fail "keepalived killed: the client waited $GAP ms"
pass "keepalived killed: taken over $(events after $second) ms after the VIP was gone, the client waited $GAP ms"
lab_until 10 "keepalived to run again" eval "[[ \$(vrrp $first | jq .keepalived.restarts) == 1 ]]"
sleep 1
is $first BACKUP || fail "$first is $(vrrp $first)"
if ! has_vip $second || has_vip $first; then fail "the VIP came back to $first"; fi
pass "it was started again, and is BACKUP"

cut() { lab_ip switch link set "amphora-$1-eth1" "$2"; }
lose() { cut "$1" down; taken_by "$2"; }
longest_gap lose $second $first
((GAP < 1000)) || fail "the master's link cut: the client waited $GAP ms"
pass "the master's link cut: the client waited $GAP ms"
lab_until 5 "the lost node to be FAULT" is $second FAULT
cut $second up
lab_until 10 "the lost node to be BACKUP" is $second BACKUP
has_vip $first || fail "the VIP went back"

kill_agent() { kill -9 "${agent[$1]}"; taken_by "$2"; }
longest_gap kill_agent $first $second
((GAP < 1000)) || fail "the master's agent killed: the client waited $GAP ms"
pass "the master's agent killed: XDP went on until the other node took over, the client waited $GAP ms"
if has_vip $first; then fail "a node without an agent has the VIP"; fi
start $first
lab_until 10 "the node to be BACKUP" is $first BACKUP
pass "its next agent adopts keepalived, and it is BACKUP"

# A restart is no reason: somebody has vouched for the next two seconds.
kill -9 "${agent[$second]}"
begun=$(date +%s%N)
start $second
took=$((($(date +%s%N) - begun) / 1000000))
sleep 3
if ((took < 1500)); then
  is $second MASTER || fail "an agent that was killed and started again within $took ms lost the VIP"
  pass "an agent that was killed and started again within $took ms keeps the VIP"
else
  pass "(a restart took $took ms on this machine: longer than a word holds)"
fi
[[ $(events overlap) == 0 ]] || fail "both had the VIP for $(events overlap) ms"
pass "never both: $(events counts)"
