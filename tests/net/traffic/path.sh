#!/bin/bash
# Paths whose middle is smaller than their ends, on either side, and what does not fit into one packet. path.sh FAMILY HOOK
#
#   far ---- client ---- eth1 amphora eth2 --[switch]-- m1
#     192.0.2.0/25, 2001:db8:1::/64                  +-- router ---- m2
#                                                          192.0.2.128/25, 2001:db8:2::/64
# All links take 1500 bytes, but `client` and `router` let no more than 1400 through to `far` and `m2`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1
hook=$2
small=1400
lab_begin path
lab_topology two-armed 1

# router_between ROUTER END NET4 NET6 HOST: END is HOST in the first network and ::2 in the second, behind ROUTER, which lets no
# more than 1400 bytes through to it.
router_between() {
  lab_namespace "$2"
  lab_link "$1" behind "$2" eth0
  lab_address "$1" behind "$3.$(($5 - 1))/25"
  lab_address "$1" behind "$4::1/64"
  lab_address "$2" eth0 "$3.$5/25"
  lab_address "$2" eth0 "$4::2/64"
  lab_in "$1" sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0
  lab_ip "$2" route add default via "$3.$(($5 - 1))"
  lab_ip "$2" route add default via "$4::1"
  lab_ip "$1" route replace "$3.$5/32" dev behind mtu lock $small
  lab_ip "$1" route replace "$4::2/128" dev behind mtu lock $small
}

lab_namespace router
lab_plug router eth0
lab_address router eth0 203.0.113.20/24
lab_address router eth0 2001:db8:203::20/64
router_between client far 192.0.2 2001:db8:1 2
router_between router m2 192.0.2 2001:db8:2 130
for name in m1 m2; do
  lab_spawn_in "$name" "$LAB_DIR/$name.log" python3 "${BASH_SOURCE[0]%.sh}.py" serve 8080
  lab_spawn_in "$name" "$LAB_DIR/$name-iperf.log" iperf3 -s -p 5201
done

LAB_CLIENT_ROUTES='{"destination": "192.0.2.0/25", "gateway": "198.51.100.100"},
  {"destination": "2001:db8:1::/64", "gateway": "2001:db8:100::100"}'
LAB_MEMBER_ROUTES='{"destination": "192.0.2.128/25", "gateway": "203.0.113.20"},
  {"destination": "2001:db8:2::/64", "gateway": "2001:db8:203::20"}'
LAB_AGENT_FIELDS="\"hook\": \"$hook\","
lab_agent_start
expect_hook "$hook"

# pool PROTOCOL PORT NAME: one listener, for the member of that name
pool() {
  local address
  case $3-$family in
    m2-ipv4) address=192.0.2.130 ;;
    m2-ipv6) address=2001:db8:2::2 ;;
    *) address=$(lab_member_address "$3" "$family") ;;
  esac
  local port=8080
  [[ $2 -ne 5201 ]] || port=5201
  listener_json "$1" "$2" ROUND_ROBIN "[{\"name\": \"$3\", \"address\": \"$address\", \"protocol_port\": $port}]"
}
create_lb path "$(vip "$family")" "$(pool TCP 80 m1)" "$(pool UDP 80 m1)" "$(pool TCP 81 m2)" "$(pool UDP 81 m2)" \
  "$(pool TCP 5201 m1)" "$(pool UDP 5201 m1)"

from() { lab_in "$1" python3 "${BASH_SOURCE[0]%.sh}.py" "$2" "$(vip "$family")" "${@:3}"; }
bytes=4000000

# ---- path MTU discovery ------------------------------------------------------

expect "a download through the small link of the client" "$(from far get 80 $bytes)" ".bytes == $bytes and .seconds < 5"
expect "an upload through the small link of the member" "$(from client put 81 $bytes)" \
  ".bytes == $bytes and .seconds < 5 and .path_mtu == $small"
expect "datagrams through the small link of the client" "$(from far echo 80 1000 1450)" '.answered == .asked'
expect "datagrams through the small link of the member" "$(from client echo 81 1000 1450)" \
  ".answered == .asked and .path_mtu == $small"
translated=$(counted icmp_translated)
expect "by errors that were translated" "$translated" '. >= 4'

# ---- fragments --------------------------------------------------------------

expect "datagrams of up to 64 KiB" "$(from client echo 80 2000 4096 8192 32768 65000)" '.answered == .asked'
expect "the same through both small links" "$(from far echo 81 2000 4096 8192 32768 65000)" '.answered == .asked'
for way in "" -R; do
  # shellcheck disable=SC2086  # none is no argument
  expect "iperf3 -u -l 8000 $way" "$(lab_in client iperf3 -J -u -l 8000 -b 10M -t 2 $way -p 5201 -c "$(vip "$family")")" \
    '.end.sum.packets > 200 and .end.sum.lost_percent < 1'
done
expect "no fragment was refused" "$(counted bad_fragment)" '. == 0'
lab_in client ping -q -c 3 -i 0.2 -s 6000 "$(vip "$family")" >"$LAB_DIR/ping" || fail "ping -s 6000: $(cat "$LAB_DIR/ping")"
pass "ping -s 6000 to the VIP"

# ---- what routers tell -------------------------------------------------------

# hops OUTPUT: each line's number and address, but for those that nobody answered
hops() { awk '$1 ~ /^[0-9]+$/ && $2 != "*" { print $1, $2 }' <<<"$1" | sort -u | tr '\n' ';'; }
number=-${family#ipv}
gateway=192.0.2.1
[[ $family == ipv4 ]] || gateway=2001:db8:1::1
for kind in "-T -p 80" "-U -p 80"; do
  # shellcheck disable=SC2086
  seen=$(lab_in far traceroute "$number" -n -q 1 -w 1 -m 6 $kind "$(vip "$family")")
  [[ $(hops "$seen") == "1 $gateway;2 $(vip "$family");3 $(vip "$family");" ]] || fail "traceroute $kind: $seen"
  pass "traceroute $kind ends at the VIP, and sees it on the way"
done
seen=$(lab_in far tracepath "$number" -n -m 6 "$(vip "$family")")
[[ $seen == *"Resume: pmtu"*" hops 2"* ]] || fail "tracepath: $seen"
pass "tracepath ends at the VIP"
expect "the load balancer has told senders" "$(counted told_expired)" '. >= 2'
