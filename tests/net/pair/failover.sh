#!/bin/bash
# `amphora-xdp failover`: the VIP of a pair (nodes.sh) goes to the other node on purpose, back and forth, under load: no
# connection breaks, and none that is being made is refused. What would lose one is refused, with the reason.
#
# FAILOVER_CONNECTIONS, FAILOVER_ROUNDS: how many.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/nodes.sh"
connections=${FAILOVER_CONNECTIONS:-300} rounds=${FAILOVER_ROUNDS:-6}
ulimit -n 8192

nodes_begin failover
key=$LAB_DIR/pair.key
(umask 077 && head -c 32 /dev/urandom | base64 >"$key")

failover() { # NODE [OPTION]
  node "$1"
  "$LAB_BUILD/agent/cli/amphora-xdp" --socket "$LAB_SOCKET" failover "${@:2}" 2>&1
}
refuses() { # NODE WHY
  local said
  if said=$(failover "$1"); then fail "a failover was not refused: $said"; fi
  [[ $said == *"$2"* ]] || fail "it was refused for another reason than \"$2\": $said"
  pass "refused: ${said#amphora-xdp: }"
}
replication() { node "$1" && lab_api GET /v1/status | jq -c .replication; }
is_in_sync() { [[ $(replication "$1" | jq '.connected and .in_sync') == true ]]; }
# Of the active node: the other one has all, as far as it has said.
is_followed() { [[ $(replication "$1" | jq '.connected and .peer_role == "STANDBY" and .unknown_there == 0') == true ]]; }
misses_some() { [[ $(replication "$1" | jq '.unknown_there > 0') == true ]]; }
is_alone() { [[ $(replication "$1" | jq '.connected') == false ]]; }
again() { # NODE: its agent, with what the configuration says by now; it may lose the VIP where that takes long
  kill "${agent[$1]}"
  wait "${agent[$1]}" || true
  start "$1"
}
is_settled() { if is a MASTER; then is b BACKUP; else is a BACKUP && is b MASTER; fi; }
settle() { # who has the VIP now: active and standby
  lab_until 20 "one node to be MASTER, and the other one BACKUP" is_settled
  if is a MASTER; then active=a standby=b; else active=b standby=a; fi
}

nodes_start
nodes_balance
settle
refuses "$active" pair.key_file
NODE_PAIR=", \"key_file\": \"$key\""
again "$standby"
again "$active"
settle
lab_until 20 "$standby to be in sync" is_in_sync "$standby"
lab_until 10 "$active to know" is_followed "$active"
refuses "$standby" "ask the other node, ${own[$active]}"

lab_load held hold --target "$LAB_VIP4:80" --connections "$connections" --pause-ms 20 --ready-file "$LAB_DIR/held"
held=$LAB_PID
lab_until 30 "held connections" test -e "$LAB_DIR/held"
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 8 --pause-ms 5
short=$LAB_PID

move() { # FROM TO
  MOVED=$(failover "$1") || fail "the failover: $MOVED"
  has_vip "$2" || fail "$2 does not have the VIP: $MOVED"
  if has_vip "$1"; then fail "$1 has the VIP, too: $MOVED"; fi
  [[ $MOVED == "the VIPs are at ${own[$2]}, after "* ]] || fail "it says: $MOVED"
}
is_calm() { [[ $(vrrp "$1" | jq -c '[.role, .unfit_because]') == '["BACKUP",[]]' ]]; }
worst=0
for ((round = 1; round <= rounds; round++)); do
  longest_gap move "$active" "$standby"
  kill -0 "$held" || fail "round $round: the client ended: $(cat "$LAB_DIR/held.json")"
  pass "round $round: $MOVED; new connections waited $GAP ms"
  ((GAP <= worst)) || worst=$GAP
  lab_until 20 "$active to be fit again" is_calm "$active"
  lab_until 20 "$active to be in sync" is_in_sync "$active"
  read -r active standby <<<"$standby $active"
  lab_until 20 "$active to know" is_followed "$active"
done
kill -TERM "$short"
wait "$short" || true
expect "connections that were made meanwhile: none failed" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .requests > 100'
# Wanted are 100; this is less than who loses three SYNs in a row waits, for a machine that has other work.
((worst < 7000)) || fail "a new connection waited $worst ms"
pass "the longest wait of a new connection: $worst ms"

# Who has no place for the connections does not get them.
node "$standby"
lab_change DELETE "/v2.0/lbaas/loadbalancers/$(id_of loadbalancers pair)?cascade=true" >/dev/null
lab_until 30 "$active to know that $standby has no place for its connections" misses_some "$active"
refuses "$active" "no place for"
create_lb pair "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 "$LAB_MEMBER_PORT" 1 1)" "$NODE_LISTENER")"
lab_until 30 "$active to know that it has again" is_followed "$active"

# The better node takes the VIP by itself then.
NODE_PAIR+=', "preempt": true'
again "$standby"
is_back() { is_in_sync "$standby" || is "$standby" MASTER; }
lab_until 20 "$standby to be in sync" is_back
if ((priority[$standby] > priority[$active])); then
  lab_until 20 "$standby to be MASTER" is "$standby" MASTER
else
  lab_until 20 "$active to know" is_followed "$active"
  move "$active" "$standby"
fi
settle
lab_until 20 "$standby to be in sync" is_in_sync "$standby"
lab_until 20 "$active to know" is_followed "$active"
refuses "$active" pair.preempt

kill -9 "${agent[$standby]}"
lab_until 10 "$active to be alone" is_alone "$active"
refuses "$active" "is not connected"
has_vip "$active" || fail "what was refused has moved the VIP"

kill -TERM "$held"
wait "$held" || true
expect "no connection broke" "$(cat "$LAB_DIR/held.json")" \
  ".failed == 0 and .connections == $connections and .requests > 10 * $connections"
