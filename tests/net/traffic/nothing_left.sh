#!/bin/bash
# What is deleted is gone from every map; after --teardown nothing at all is left.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1
#                 two VIPs                 `-- m2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

LAB_FLOWS=4096 # few, so that whole tables can be dumped
lab_begin nothing
lab_topology two-armed 2
lab_members

# What a namespace looks like to others: addresses, routes, rules, XDP. The kernel's own link-local ones
# come when they like.
portrait() {
  {
    lab_ip amphora -o addr | sed 's/valid_lft.*//'
    lab_ip amphora rule
    lab_ip amphora -6 rule
    lab_ip amphora route show table all
    lab_ip amphora -6 route show table all
    lab_ip amphora -o link show type veth | grep -o ' xdp[a-z/]*' || true
  } | grep -vE 'fe80:|ff00:'
}
portrait >"$LAB_DIR/before"
lab_agent_start

maps=$(find "$LAB_PINS" -mindepth 1 -maxdepth 1 -name 'v*') # one for each ABI
# Entries with any byte set, of maps in which an unused entry is all zero.
used() { dump "$1" | jq '[.[] | select(.value | any(. != "0x00"))] | length'; }
# Lines of a flow table that are not free: the state is the first byte of a line.
lines() { dump "$1" | jq '[.[] | select(.value[0] != "0x00")] | length'; }
# Places of lb_clients that are taken: the first eight bytes of sixteen say who has one.
clients() { dump lb_clients | jq '[.[].value | _nwise(16) | select(.[:8] | any(. != "0x00"))] | length'; }
count() { dump "$1" | jq length; }
dump() { bpftool -j map dump pinned "$maps/$1"; }
all_used() {
  local map
  for map in lb_backends lb_service_use lb_backend_use; do echo "$map $(used "$map")"; done
  for map in lb_flows lb_flows6; do echo "$map $(lines "$map")"; done
  for map in lb_services lb_cidrs; do echo "$map $(count "$map")"; done
  echo "lb_clients $(clients)"
}

[[ -d $maps ]] || fail "no pins in $maps: $(find "$LAB_PINS" | head)"
all_used >"$LAB_DIR/empty"
pass "before anything: $(tr '\n' ' ' <"$LAB_DIR/empty")"

for family in ipv4 ipv6; do
  cidr=$([[ $family == ipv4 ]] && echo 198.51.100.0/24 || echo 2001:db8:100::/64)
  create_lb "gone-$family" "$(vip $family)" \
    "$(listener_json TCP 80 ROUND_ROBIN "$(members_json $family $LAB_MEMBER_PORT 1 2)" \
      "\"allowed_cidrs\": [\"$cidr\"],")" \
    "$(listener_json UDP 53 SOURCE_IP_PORT "$(members_json $family $LAB_MEMBER_PORT 1 2),
      \"session_persistence\": {\"type\": \"SOURCE_IP\"}")"
  report=$(lab_client requests --connections 50 --concurrency 5 --target "$(target $family 80)" || true)
  expect "TCP $family answers" "$report" '.failed == 0'
  report=$(lab_client requests --udp --connections 50 --target "$(target $family 53)" || true)
  expect "UDP $family answers" "$report" '.failed == 0'
  # They stay while the maps are looked at, however long that takes.
  lab_load "held-$family" hold --target "$(target $family 80)" --connections 2 --pause-ms 100 \
    --ready-file "$LAB_DIR/held-$family"
  lab_until 10 "2 held connections of $family" test -e "$LAB_DIR/held-$family"
done
all_used >"$LAB_DIR/full"
pass "in use: $(tr '\n' ' ' <"$LAB_DIR/full")"
for map in lb_services lb_cidrs lb_clients lb_backends lb_flows lb_flows6; do
  [[ $(grep "^$map " "$LAB_DIR/full") != $(grep "^$map " "$LAB_DIR/empty") ]] ||
    fail "$map did not change: the test looks at the wrong thing"
done

lab_load_end
for name in $(lab_api GET /v2.0/lbaas/listeners | jq -r '.listeners[].id'); do
  lab_change DELETE "/v2.0/lbaas/listeners/$name" >/dev/null
done
for name in $(lab_api GET /v2.0/lbaas/loadbalancers | jq -r '.loadbalancers[].id'); do
  lab_api DELETE "/v2.0/lbaas/loadbalancers/$name?cascade=true" >/dev/null
done
nothing_left() {
  all_used >"$LAB_DIR/after"
  diff -q "$LAB_DIR/empty" "$LAB_DIR/after" >/dev/null
}
for ((i = 0; i < 100; i++)); do ! nothing_left || break; sleep 0.2; done
nothing_left || fail "after deleting everything: $(tr '\n' ' ' <"$LAB_DIR/after")"
pass "after deleting the listeners every map is as before"

lab_agent_stop TERM
lab_agent --teardown >"$LAB_DIR/teardown.log" 2>&1 || fail "--teardown: $(cat "$LAB_DIR/teardown.log")"
[[ ! -e $LAB_PINS ]] || [[ -z $(find "$LAB_PINS" -type f) ]] || fail "pinned still: $(find "$LAB_PINS")"
portrait >"$LAB_DIR/torn"
diff "$LAB_DIR/before" "$LAB_DIR/torn" || fail "the namespace is not what it was before the agent"
pass "--teardown leaves nothing: no pin, no program, no address, no route, no rule"
lab_agent --teardown >"$LAB_DIR/teardown.log" 2>&1 || fail "a second --teardown: $(cat "$LAB_DIR/teardown.log")"
pass "--teardown of nothing is no error"
