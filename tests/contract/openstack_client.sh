#!/bin/bash
# The real client, python3-octaviaclient, against the real agent, over TCP: every command of every
# resource; then what its tables show while a member dies and comes back; then TLS and a token.
# openstack_client.sh [all|l4]
#
#   openstack (here, 127.0.0.1) --- agent's API
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2 (killed, then started again)
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/api.sh"

what=${1:-all}
token=a-token-only-for-this-test
port=$(api_port)

lab_begin openstack
lab_topology two-armed 2
lab_members

# A certificate of the API's own, and one for listeners.
certificate() { # NAME SUBJECT-ALTERNATIVE-NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
    -addext "subjectAltName=$2" -keyout "$LAB_DIR/$1.key" -out "$LAB_DIR/$1.crt" 2>"$LAB_DIR/openssl.log"
  cat "$LAB_DIR/$1.crt" "$LAB_DIR/$1.key" >"$LAB_DIR/$1.pem"
}
certificate api IP:127.0.0.1
certificate web DNS:www.example.com

export LAB_AGENT_FIELDS="\"api_bind\": \"127.0.0.1:$port\","
lab_agent_start
status=$(curl -s -o "$LAB_DIR/put.out" -w '%{http_code}' -T "$LAB_DIR/web.pem" \
  "http://127.0.0.1:$port/v1/certificates/web.pem")
[[ $status == 201 ]] || fail "PUT of a certificate: $status $(cat "$LAB_DIR/put.out")"
pass "a certificate is taken"

# The distribution's own Python: that is where the packages of the client are.
/usr/bin/python3 "$here/openstack_client.py" "http://127.0.0.1:$port" "$what"

# ---- what the tables show while a member dies ----------------------------

os() { openstack --os-auth-type none --os-endpoint "http://127.0.0.1:$port" loadbalancer "$@"; }
becomes() { [[ $(os "${@:2}" -f value -c operating_status) == "$1" ]]; }
show_tables() {
  printf '== %s\n' "$1"
  os show evidence
  os pool show app
  os member list app
}
requests() { lab_client requests --target "$LAB_VIP4:80" --connections 200 --concurrency 8 || true; }

os create --name evidence --vip-address "$LAB_VIP4" --vip-subnet-id 198.51.100.0/24 --wait
os listener create --name front --protocol TCP --protocol-port 80 --wait evidence
os pool create --name app --protocol TCP --lb-algorithm ROUND_ROBIN --listener front --wait
for name in m1 m2; do
  os member create --name $name --address "$(lab_member_address $name ipv4)" \
    --protocol-port "$LAB_MEMBER_PORT" --wait app
done
os healthmonitor create --name check --type TCP --delay 1 --timeout 1 --max-retries 1 \
  --max-retries-down 1 --wait app
lab_until 20 "both members to be ONLINE" becomes ONLINE member show app m2
expect "both members answer" "$(requests)" '.failed == 0 and .members.m2.answered == 100'
show_tables "both members serve"
becomes ONLINE show evidence || fail "the load balancer is not ONLINE"

ip netns pids "$LAB-m2" | xargs kill -9
lab_until 20 "m2 to be ERROR" becomes ERROR member show app m2
show_tables "m2 is killed"
becomes ONLINE member show app m1 || fail "m1 is not ONLINE"
becomes DEGRADED pool show app || fail "the pool is not DEGRADED"
becomes DEGRADED show evidence || fail "the load balancer is not DEGRADED"
pass "a member killed: it is ERROR, pool and load balancer are DEGRADED"
expect "the other one answers all" "$(requests)" '.failed == 0 and .members.m1.answered == 200'

lab_spawn_in m2 "$LAB_DIR/m2.log" "$LAB_BUILD/tests/net/lab/lab_server" --name m2 --port "$LAB_MEMBER_PORT"
lab_until 20 "m2 to be ONLINE again" becomes ONLINE member show app m2
show_tables "m2 is back"
becomes ONLINE pool show app || fail "the pool is not ONLINE"
becomes ONLINE show evidence || fail "the load balancer is not ONLINE"
expect "both answer again" "$(requests)" '.failed == 0 and .members.m2.answered == 100'
os status show evidence
os stats show evidence
[[ $(os stats show evidence -f value -c total_connections) == 600 ]] || fail "not 600 connections"
pass "the member revived: all is ONLINE, and every connection is counted"
os delete --cascade --wait evidence

# ---- TLS and a token -----------------------------------------------------

lab_agent_stop TERM
(umask 077 && echo "$token" >"$LAB_DIR/token")
export LAB_AGENT_FIELDS="\"api_bind\": \"127.0.0.1:$port\", \"api_token_file\": \"$LAB_DIR/token\",
  \"api_tls\": {\"certificate\": \"$LAB_DIR/api.pem\"},"
lab_agent_start
listed=$(openstack --os-auth-type admin_token --os-endpoint "https://127.0.0.1:$port" \
  --os-token "$token" --os-cacert "$LAB_DIR/api.crt" loadbalancer list -f json)
[[ $listed == "[]" ]] || fail "with TLS and the token, the list is $listed"
pass "the client is answered with TLS and the token"
for header in "X-None: 1" "X-Auth-Token: wrong-but-long-enough"; do
  status=$(curl -s -o "$LAB_DIR/401.out" -w '%{http_code}' --cacert "$LAB_DIR/api.crt" \
    -H "$header" "https://127.0.0.1:$port/v2.0/lbaas/loadbalancers")
  [[ $status == 401 ]] || fail "$header: $status"
done
pass "nobody else is: 401"
! grep -q "$token\|PRIVATE KEY" "$LAB_DIR/agent.log" || fail "the log has a secret in it"
pass "the log has no secret in it"
