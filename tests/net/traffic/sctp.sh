#!/bin/bash
# SCTP between real ends (lab_sctp): associations of both families, whoever ends them and however; a
# member that refuses, one that is silent, one that its monitor finds dead.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 (3868)
#                 VIPs, SCTP 2905          `-- m2 (3868)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

readonly PORT=2905 MEMBER_PORT=3868
readonly LAB_SCTP=$LAB_BUILD/tests/net/lab/lab_sctp

member_serves() { # NAME PORT
  lab_spawn_in "$1" "$LAB_DIR/$1.log" "$LAB_SCTP" serve --name "$1" --port "$2" \
    --address "$(lab_member_address "$1" ipv4)" --address "$(lab_member_address "$1" ipv6)"
  lab_until 5 "$1 to serve" grep -q ready "$LAB_DIR/$1.log"
}
member_dies() { ip netns pids "$LAB-$1" | xargs kill -9; }
talk() { # FAMILY ARGUMENTS
  lab_in client "$LAB_SCTP" talk --target "$(vip "$1")" --port $PORT "${@:2}" || true
}
flows() { # STATE NUMBER: so many are in this state, and none in another
  lab_api GET "/v1/flows?protocol=SCTP" |
    jq -es --arg state "$1" "length == $2 and all(.[]; .state == \$state)" >"$LAB_DIR/flows.out"
}
down_because() { # REASON: m2, at both its addresses
  lab_api GET /v1/status | jq -e --arg why "$1" \
    '[.checks[] | select(.state == "down") | .reason] == [$why, $why]' >"$LAB_DIR/status.out"
}
member_is() { # POOL NAME STATUS
  [[ $(lab_api GET "/v2.0/lbaas/pools/$1/members" |
    jq -r --arg name "$2" '.members[] | select(.name == $name) | .operating_status') == "$3" ]]
}

lab_begin sctp
lab_topology two-armed 2
member_serves m1 $MEMBER_PORT
member_serves m2 $MEMBER_PORT
lab_agent_start

declare -A pools lbs
for family in ipv4 ipv6; do
  create_lb "sctp-$family" "$(vip $family)" \
    "$(listener_json SCTP $PORT ROUND_ROBIN "$(members_json $family $MEMBER_PORT 1 1)")"
  lbs[$family]=$LB_ID
  pools[$family]=$(lab_api GET "/v2.0/lbaas/pools?loadbalancer_id=$LB_ID" | jq -r '.pools[0].id')
  listener=$(lab_api GET "/v2.0/lbaas/listeners?load_balancer_id=$LB_ID" | jq -r '.listeners[0].id')

  for size in 1 50 1200 20000; do
    expect "$family: messages of $size bytes" \
      "$(talk $family --associations 4 --messages 5 --bytes $size)" \
      '.failed == 0 and .requests == 20 and .members.m1.answered == 2 and .members.m2.answered == 2'
  done
  expect "$family: from the listener's own port, which is another one towards the member" \
    "$(talk $family --source-port $PORT --messages 3 --bytes 333)" '.failed == 0 and .requests == 3'
  for end in shutdown abort member-shutdown member-abort; do
    how=${end#member-}
    [[ $end != member-abort ]] || how=aborted
    expect "$family: $end" "$(talk $family --associations 4 --end $end)" \
      ".failed == 0 and .ends == {\"$how\": 4}"
  done
  lab_until 15 "what has ended to be gone" flows none 0
  pass "$family: no flow is left of what has ended"
  expect "$family: statistics" "$(lab_api GET "/v2.0/lbaas/listeners/$listener/stats")" \
    '.stats.total_connections == 33 and .stats.active_connections == 0 and .stats.bytes_in > 400000'
done

talk ipv6 --messages 10 --pause-ms 300 >"$LAB_DIR/talk.json" &
talking=$!
lab_pids+=("$talking")
lab_until 5 "a flow that is open" flows open 1
pass "a flow is shown while its association lasts"
lab_agent_stop KILL
lab_agent_start
wait "$talking"
expect "an association lives on while the agent is killed and started" "$(cat "$LAB_DIR/talk.json")" \
  '.failed == 0 and .requests == 10'

aborts() { cat "$LAB_DIR"/m[12].log | grep -c "^m[12]: " || true; } # that members have heard of
told() { (($(aborts) == $1)); }
before=$(aborts)
# Who falls silent is told that he has been given up, and so is the other end.
for family in ipv4 ipv6; do
  lab_change POST /v2.0/lbaas/listeners "{\"listener\": {\"loadbalancer_id\": \"${lbs[$family]}\",
    \"name\": \"idle\", \"protocol\": \"SCTP\", \"protocol_port\": 2906, \"timeout_client_data\": 1500,
    \"timeout_member_data\": 1500, \"default_pool_id\": \"${pools[$family]}\"}}" >/dev/null
  lab_in client "$LAB_SCTP" talk --target "$(vip $family)" --port 2906 --end none >"$LAB_DIR/idle-$family.json" || true
  expect "$family: an idle association is aborted" "$(cat "$LAB_DIR/idle-$family.json")" \
    '.failed == 0 and .ends == {"aborted": 1}'
done
lab_until 5 "the members to hear of both" told $((before + 2))
pass "their members are told, too"

member_dies m2
expect "a member that is silent gives way to the other one" "$(talk ipv4 --associations 4)" \
  '.failed == 0 and .members.m1.answered == 4'
member_serves m2 $((MEMBER_PORT + 1))
expect "a member that answers ABORT gives way to the other one" "$(talk ipv6 --associations 4)" \
  '.failed == 0 and .members.m1.answered == 4'
[[ $(counted member_refused) -gt 0 ]] || fail "no refusal was counted"

for family in ipv4 ipv6; do
  pool=${pools[$family]}
  lab_change POST /v2.0/lbaas/healthmonitors "{\"healthmonitor\": {\"pool_id\": \"$pool\",
    \"type\": \"SCTP\", \"delay\": 1, \"timeout\": 1, \"max_retries\": 1, \"max_retries_down\": 1}}" >/dev/null
  lab_until 5 "m1 to be ONLINE" member_is "$pool" m1 ONLINE
  lab_until 5 "m2, which aborts, to be ERROR" member_is "$pool" m2 ERROR
done
down_because ABORT || fail "m2 is not down because of its ABORT: $(lab_api GET /v1/status)"
member_dies m2
lab_until 5 "checks to say that m2 has no SCTP" down_because "protocol unreachable"
member_serves m2 $MEMBER_PORT
for family in ipv4 ipv6; do
  lab_until 5 "m2 to be ONLINE" member_is "${pools[$family]}" m2 ONLINE
  expect "$family: a member that is back has its share" "$(talk $family --associations 4)" \
    '.failed == 0 and .members.m1.answered == 2 and .members.m2.answered == 2'
done

[[ $(counted internal) -eq 0 ]] || fail "the program counted internal errors: $(counted internal)"
