#!/bin/bash
# Both ends of a connection are told when the agent ends it: idle for too long, its listener gone,
# its load balancer with its VIP gone. Who never was connected is told nothing.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 told.py serve
#     told.py watches what comes in at both ends
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

tool=$(dirname "${BASH_SOURCE[0]}")/told.py
lab_begin told
lab_topology two-armed 1
lab_spawn_in m1 "$LAB_DIR/m1.log" python3 "$tool" serve $LAB_MEMBER_PORT "$LAB_DIR/member"
lab_spawn_in client "$LAB_DIR/watch.log" python3 "$tool" watch eth0 "$LAB_DIR/at-client"
lab_spawn_in m1 "$LAB_DIR/watch-m1.log" python3 "$tool" watch eth0 "$LAB_DIR/at-member"
lab_agent_start

short='"timeout_client_data": 1500, "timeout_member_data": 1500, "timeout_member_connect": 700,'
declare -A lb
for family in ipv4 ipv6; do
  create_lb "$family" "$(vip $family)" \
    "$(listener_json TCP 80 ROUND_ROBIN "$(members_json $family $LAB_MEMBER_PORT 1)" "$short")" \
    "$(listener_json TCP 81 ROUND_ROBIN "$(members_json $family $LAB_MEMBER_PORT 1)")"
  lb[$family]=$LB_ID
done
lab_until 5 "the member to serve" lab_in m1 python3 -c "import socket; socket.create_connection(('::1', $LAB_MEMBER_PORT)).close()"

# begin NAME FAMILY PORT [HOW...]: a connection; its client's end will be in $LAB_DIR/NAME.
begin() {
  lab_spawn_in client "$LAB_DIR/$1" python3 "$tool" connect "$(vip "$2")" "$3" "$1" "${@:4}"
}
flows() { # STATE PORT COUNT: so many are in this state there
  [[ $(lab_api GET "/v1/flows?state=$1" | grep -c "\"vip\":\"[^\"]*:$2\"") == "$3" ]]
}
# both_reset NAME: by both ends' sockets.
both_reset() {
  ended() { [[ -s $LAB_DIR/$1 ]] && grep -q "^$1 " "$LAB_DIR/member"; }
  lab_until 15 "both ends of $1 to hear of its end" ended "$1"
  [[ $(cat "$LAB_DIR/$1") == reset ]] || fail "$1: the client's end: $(cat "$LAB_DIR/$1")"
  grep -qx "$1 reset" "$LAB_DIR/member" || fail "$1: the member's end: $(grep "^$1 " "$LAB_DIR/member")"
  pass "$1: both ends see a reset"
}

for family in ipv4 ipv6; do
  begin "idle-$family" $family 80
  begin "half-$family" $family 80 half
done
for what in idle half; do for family in ipv4 ipv6; do both_reset "$what-$family"; done; done

for family in ipv4 ipv6; do begin "removed-$family" $family 81; done
lab_until 5 "two connections" flows open 81 2
listener=$(lab_api GET /v2.0/lbaas/listeners | jq -r --arg lb "${lb[ipv4]}" \
  '.listeners[] | select(.protocol_port == 81 and .loadbalancers[0].id == $lb) | .id')
lab_change DELETE "/v2.0/lbaas/listeners/$listener" >/dev/null
both_reset removed-ipv4
lab_change DELETE "/v2.0/lbaas/loadbalancers/${lb[ipv6]}?cascade=true" >/dev/null
both_reset removed-ipv6

# A member that is removed keeps its connections; whose time is over is told as ever.
begin kept ipv4 80 again 1
lab_until 5 "a connection" flows open 80 1
pool=$(id_of pools p-TCP-80)
lab_change DELETE "/v2.0/lbaas/pools/$pool/members/$(id_of "pools/$pool/members" m1)" >/dev/null
both_reset kept

# Of an agent that was killed before it could.
lab_change POST "/v2.0/lbaas/pools/$pool/members" "{\"member\": {\"name\": \"m1\",
  \"address\": \"$(lab_member_address m1 ipv4)\", \"protocol_port\": $LAB_MEMBER_PORT}}" >/dev/null
begin killed ipv4 80
lab_until 5 "a connection" flows open 80 1
lab_agent_stop KILL
sleep 2
lab_agent_start
both_reset killed

for where in client member; do
  told=$(jq -s 'map(select(.acknowledges))' "$LAB_DIR/at-$where")
  expect "the $where gets one RST of each, with the number it waits for" "$told" \
    'length == 8 and all(.seq == .awaited and .ack == .sent)'
done

lab_in client python3 "$tool" syn 198.51.100.77 "$LAB_VIP4" 80
lab_until 5 "a half-open flow" flows half_open 80 1
lab_until 10 "its end" flows half_open 80 0
sleep 0.5
expect "of what never was a connection nobody is told" \
  "$(cat "$LAB_DIR"/at-* | jq -s 'map(select(.acknowledges))')" 'length == 16'
