#!/bin/bash
# 10,000 connections spread according to weights: spread.sh two-armed|one-armed
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 (weight 1)      or all four on one switch
#                 VIP                      |-- m2 (weight 2)
#                                          `-- m3 (weight 5)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

kind=$1
connections=10000

lab_begin spread
lab_topology "$kind" 3
lab_members
lab_agent_start

# Weighted round robin is exact, but for one unfinished turn of the ring on each CPU.
check_shares() { # WHAT REPORT
  expect "$1: no connection failed" "$2" ".failed == 0 and .connections == $connections"
  expect "$1: shares are 1:2:5" "$2" ".members | (.m1.answered - $connections / 8 | fabs) < 50
    and (.m2.answered - $connections / 4 | fabs) < 50
    and (.m3.answered - $connections * 5 / 8 | fabs) < 50"
}

for family in ipv4 ipv6; do
  members=$(members_json $family $LAB_MEMBER_PORT 1 2 5)
  even=$(members_json $family $LAB_MEMBER_PORT 1 1 1)
  create_lb "spread-$family" "$(vip $family)" \
    "$(listener_json TCP 80 ROUND_ROBIN "$members")" \
    "$(listener_json UDP 53 ROUND_ROBIN "$members")" \
    "$(listener_json TCP 81 SOURCE_IP "$even")" \
    "$(listener_json TCP 82 SOURCE_IP_PORT "$even")" \
    "$(listener_json TCP 83 LEAST_CONNECTIONS "$even")"
  check_shares "TCP $family $kind" "$(lab_client requests --target "$(target $family 80)" \
    --connections $connections --concurrency 64 || true)"
  check_shares "UDP $family $kind" "$(lab_client requests --udp --target "$(target $family 53)" \
    --connections $connections --concurrency 64 || true)"

  report=$(lab_client requests --target "$(target $family 81)" --connections 300 --concurrency 8 || true)
  expect "SOURCE_IP $family: one client, one member" "$report" '.failed == 0 and (.members | length) == 1'
  report=$(lab_client requests --target "$(target $family 82)" --connections 3000 --concurrency 8 || true)
  expect "SOURCE_IP_PORT $family: ports spread evenly" "$report" \
    '.failed == 0 and ([.members[].answered] | length == 3 and min > 850 and max < 1150)'
  lab_client hold --target "$(target $family 83)" --connections 60 --seconds 1 --pause-ms 100 \
    >"$LAB_DIR/held.json" || true
  expect "LEAST_CONNECTIONS $family: held connections are even" "$(cat "$LAB_DIR/held.json")" \
    '.failed == 0 and ([.members[].answered] | length == 3 and min >= 18 and max <= 22)'
done

[[ $(counted established) -gt $connections ]] || fail "the packets did not go through XDP"
pass "established packets went through XDP: $(counted established)"
[[ $(counted internal) -eq 0 ]] || fail "the program counted internal errors: $(counted internal)"
