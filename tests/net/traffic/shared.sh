#!/bin/bash
# Members that a listener of XDP and one of HAProxy share, under a health monitor: no connection of the one has a port that the
# other has, and nobody waits for an answer that went elsewhere. shared.sh FAMILY
#
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
#     80: XDP, short connections from every port
#     8080: HAProxy, which connects from the amphora's own ports
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1
lab_begin shared
lab_topology two-armed 2
lab_members
lab_agent_start
create_lb shared "$(vip "$family")" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json "$family" $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json HTTP 8080 ROUND_ROBIN "$(members_json "$family" $LAB_MEMBER_PORT 1 1)" |
    jq -c '.default_pool.protocol = "HTTP"')"
lab_change POST /v2.0/lbaas/healthmonitors "{\"healthmonitor\": {\"pool_id\": \"$(id_of pools p-TCP-80)\", \"type\": \"TCP\",
  \"delay\": 1, \"timeout\": 1, \"max_retries\": 1, \"max_retries_down\": 1}}" >/dev/null

lab_load short requests --target "$(target "$family" 80)" --connections 0 --concurrency 8 --pause-ms 2
for i in 1 2 3 4; do
  # shellcheck disable=SC2016  # the inner shell expands it
  lab_spawn_in client "$LAB_DIR/layer7-$i" bash -c 'trap "exit 0" TERM; while true; do
    curl -s -m 10 -o /dev/null -w "%{http_code} %{time_total}\n" "http://$0/"; done' "$(target "$family" 8080)"
  lab_loads+=("$LAB_PID")
done
sleep 8
lab_load_end
expect "short connections over XDP: none failed" "$(cat "$LAB_DIR/short.json")" '.failed == 0 and .connections > 1000'
expect "requests over HAProxy: none failed or waited" "$(cat "$LAB_DIR"/layer7-* | jq -Rcn '[inputs | split(" ")] |
  {requests: length, failed: map(select(.[0] != "200")) | length, waited: map(select((.[1] | tonumber) > 0.9)) | length}')" \
  '.requests > 100 and .failed == 0 and .waited == 0'
expect "no member was taken for down" "$(grep -c ' is down' "$LAB_DIR/agent.log" || true)" '. == 0'
