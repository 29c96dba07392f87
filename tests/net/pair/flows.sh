#!/bin/bash
# The active node of a pair (nodes.sh) dies under load, all at once: no connection breaks, again and again. Then its
# agent alone is killed while connections come and go, and both tables are compared flow by flow.
#
# flows.sh [far]: members in a network of their own, towards which the source goes with the VIP.
# FLOWS_CONNECTIONS, FLOWS_ROUNDS, FLOWS_KILLS: how many.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/nodes.sh"
connections=${FLOWS_CONNECTIONS:-1000} rounds=${FLOWS_ROUNDS:-4} kills=${FLOWS_KILLS:-3}
ulimit -n 8192

[[ ${1-} != far ]] || NODE_FAR=yes
nodes_begin flows
key=$LAB_DIR/pair.key
(umask 077 && head -c 32 /dev/urandom | base64 >"$key")
NODE_PAIR=", \"key_file\": \"$key\""
# Shorter than the test: connections that wait on the standby would be over. What ends while its node dies, so that
# nobody is told, is over after that.
NODE_LISTENER='"timeout_client_data": 10000, "timeout_member_data": 10000,'

replication() { node "$1" && lab_api GET /v1/status | jq -c .replication; }
is_in_sync() { [[ $(replication "$1" | jq '.connected and .in_sync') == true ]]; }
# What is open, but for where and how long: a line each.
open_flows() {
  node "$1"
  lab_api GET "/v1/flows?state=open" | jq -r '[.protocol, .client, .vip, .snat, .member] | join(" ")' | sort
}
same_flows() {
  open_flows a >"$LAB_DIR/a.flows"
  open_flows b >"$LAB_DIR/b.flows"
  cmp -s "$LAB_DIR/a.flows" "$LAB_DIR/b.flows"
}
has_flows() { (($(open_flows "$1" | wc -l) >= connections)); } # NODE

nodes_start
nodes_balance
lab_until 10 "the standby to be in sync" is_in_sync "$second"
expect "the active node's status" "$(replication "$first")" '.connected and .peer_role == "STANDBY" and .trouble == null'
expect "the standby's status" "$(replication "$second")" '.peer_role == "ACTIVE" and .synced_ms_ago < 11000 and .unknown == 0'

lab_load held hold --target "$LAB_VIP4:80" --connections "$connections" --pause-ms 50 --ready-file "$LAB_DIR/held"
held=$LAB_PID
lab_until 30 "held connections" test -e "$LAB_DIR/held"
lab_until 5 "the standby to have them" has_flows "$second"
lab_until 5 "both tables to be the same" same_flows
pass "$connections connections are on both nodes, the same"
expect "all can move" "$(replication "$first")" '.not_movable == 0'
if [[ $NODE_FAR ]]; then
  others=$(grep -v " $NODE_FLOATING:" "$LAB_DIR/a.flows" || true)
  [[ ! $others ]] || fail "not all are from $NODE_FLOATING: $others"
fi

# Everything of a machine at once; what its kernel had goes with it, but for the pinned maps.
die_at_once() { # NODE
  local processes
  processes=$(keepaliveds "$1")
  cut "$1" down
  # shellcheck disable=SC2086
  kill -9 "${agent[$1]}" $processes
  lab_ip "amphora-$1" addr flush dev eth1 to "$LAB_VIP4/32"
  [[ ! $NODE_FAR ]] || lab_ip "amphora-$1" addr flush dev eth2 to "$NODE_FLOATING/32"
  [[ ! $NODE_FAR ]] || lab_ip "amphora-$1" addr flush dev eth2 to "$NODE_FLOATING6/128"
}
come_back() { cut "$1" up && start "$1"; }
floats_at() { # NODE: what goes along, of both families, is there and not at the other one
  has() { lab_ip "amphora-$1" -br addr show dev eth2 to "$2" | grep -q .; }
  has "$1" $NODE_FLOATING && has "$1" $NODE_FLOATING6 && ! has "$(other "$1")" $NODE_FLOATING &&
    ! has "$(other "$1")" $NODE_FLOATING6
}
die_and_move() { die_at_once "$1" && taken_by "$2"; }

active=$first standby=$second
for ((round = 1; round <= rounds; round++)); do
  longest_gap die_and_move "$active" "$standby"
  kill -0 "$held" || fail "round $round: the client ended: $(cat "$LAB_DIR/held.json")"
  pass "round $round: $active died at once, new connections waited $GAP ms"
  come_back "$active"
  lab_until 20 "$active to be BACKUP" is "$active" BACKUP
  lab_until 20 "$active to be in sync" is_in_sync "$active"
  lab_until 15 "both tables to be the same" same_flows
  [[ ! $NODE_FAR ]] || lab_until 5 "what goes along to be at $standby" floats_at "$standby"
  read -r active standby <<<"$standby $active"
done
pass "after each both tables were the same again"

# Changes while the agent is away find nobody who tells them.
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 4 --pause-ms 5
short=$LAB_PID
for ((kill = 1; kill <= kills; kill++)); do
  kill -9 "${agent[$standby]}"
  sleep 0.5
  start "$standby"
  lab_until 20 "$standby to be in sync" is_in_sync "$standby"
done
kill -TERM "$short"
wait "$short" || true
lab_until 20 "both tables to be the same after kills" same_flows
pass "the standby's agent was killed $kills times while connections came and went: the same tables"

kill -TERM "$held"
wait "$held" || true
expect "no connection broke" "$(cat "$LAB_DIR/held.json")" \
  ".failed == 0 and .connections == $connections and .requests > 10 * $connections"
expect "nor did the short ones while agents were killed" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .requests > 100'
expect "nothing was lost on the way" "$(replication "$active")" '.changes_lost == 0 and .refused.no_room == 0 and .refused.taken == 0'
no_flows() { [[ -z $(open_flows "$1") ]]; }
for name in a b; do
  lab_until 30 "$(open_flows $name | wc -l) flows to leave $name" no_flows $name
done
pass "what ended is on neither node"
