#!/bin/bash
# Other people's clients against the real agent, over TCP: OpenStack's SDK (python3-openstacksdk), and
# the calls of a cloud provider for Kubernetes, in its order. VIPs are allocated; one of them is
# still its load balancer's after the agent was killed.
#
#   clients (here, 127.0.0.1) --- agent's API
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/api.sh"
api_lab clients

/usr/bin/python3 "$here/openstack_sdk.py" "$api"
/usr/bin/python3 "$here/cloud_provider.py" "$api" "$(lab_member_address m1 ipv4)" "$(lab_member_address m2 ipv4)"

# ---- an allocated VIP and kill -9 ------------------------------------------

subnet=$(curl -s "$api/v2.0/subnets?name=198.51.100.0/24" | jq -r '.subnets[0].id')
allocate() {
  curl -s -H 'Content-Type: application/json' -d "{\"loadbalancer\": {\"vip_subnet_id\": \"$subnet\"}}" \
    "$api/v2.0/lbaas/loadbalancers" | jq -r '.loadbalancer.vip_address'
}
first=$(allocate)
lab_agent_stop KILL
lab_agent_start
second=$(allocate)
[[ $first == 198.51.100.200 && $second == 198.51.100.201 ]] || fail "allocated $first, then $second"
pass "an address that was given before kill -9 is not given again"
