# shellcheck shell=bash
# What the traffic tests say over and over: load balancers as JSON, members by name, expectations.

source "$(dirname "${BASH_SOURCE[0]}")/../../../scripts/lib/lab.sh"
need_root
need_bpffs
export PYTHONPATH=$TOP/tests/support # what Python of several tests shares

# What the tests name on standard output; a failure ends the test, and lab_end cleans up.
pass() { printf 'ok   %s\n' "$*"; }
fail() {
  printf 'FAIL %s\n' "$*"
  exit 1
}

# expect WHAT JSON JQ-FILTER: the filter must be true of the JSON.
expect() {
  if jq -e "$3" <<<"$2" >/dev/null; then pass "$1"; else fail "$1: $3 does not hold for: $2"; fi
}

# members_json FAMILY PORT WEIGHT...: m1 with the first weight, m2 with the second, ...
members_json() {
  local family=$1 port=$2 i=0 weight list=()
  for weight in "${@:3}"; do
    i=$((i + 1))
    list+=("{\"name\": \"m$i\", \"address\": \"$(lab_member_address "m$i" "$family")\",
      \"protocol_port\": $port, \"weight\": $weight}")
  done
  local IFS=,
  echo "[${list[*]}]"
}

# listener_json PROTOCOL PORT ALGORITHM MEMBERS-JSON [MORE-FIELDS]
listener_json() {
  echo "{\"name\": \"l-$1-$2\", \"protocol\": \"$1\", \"protocol_port\": $2, ${5:-}
    \"default_pool\": {\"name\": \"p-$1-$2\", \"protocol\": \"$1\", \"lb_algorithm\": \"$3\",
    \"members\": $4}}"
}

# create_lb NAME VIP LISTENER-JSON...: waits until it is ACTIVE; sets LB_ID.
create_lb() {
  local name=$1 vip=$2 IFS=,
  lab_change POST /v2.0/lbaas/loadbalancers "{\"loadbalancer\": {\"name\": \"$name\",
    \"vip_address\": \"$vip\", \"vip_subnet_id\": \"0c5d1f6e-6a0b-4c3f-9a53-6f0f5e2f3a01\",
    \"listeners\": [${*:3}]}}" >"$LAB_DIR/created.json"
  LB_ID=$(jq -r .loadbalancer.id "$LAB_DIR/created.json")
  [[ $LB_ID == ????????-* ]] || fail "no id in the answer: $(cat "$LAB_DIR/created.json")"
}

# id_of COLLECTION NAME: "pools", "listeners" or "pools/ID/members"
id_of() {
  lab_api GET "/v2.0/lbaas/$1" |
    jq -er --arg name "$2" 'to_entries[] | select(.value | type == "array") | .value[] |
      select(.name? == $name) | .id' || fail "nothing called $2 in $1"
}

# change_member POOL-ID NAME FIELDS-JSON
change_member() {
  lab_change PUT "/v2.0/lbaas/pools/$1/members/$(id_of "pools/$1/members" "$2")" \
    "{\"member\": $3}" >/dev/null
}

# expect_hook HOOK: both interfaces of the amphora are on it.
expect_hook() {
  expect "both interfaces are on $1" "$(lab_api GET /v1/status)" \
    ".interfaces | length == 2 and all(.mode == \"${1/xdp/native}\")"
}

# repeated_syns: how many the client had to send again
repeated_syns() { lab_in client nstat -asz TcpExtTCPSynRetrans | awk '/SynRetrans/ { print $2 }'; }

# target FAMILY PORT
target() { if [[ $1 == ipv4 ]]; then echo "$LAB_VIP4:$2"; else echo "[$LAB_VIP6]:$2"; fi; }
vip() { if [[ $1 == ipv4 ]]; then echo "$LAB_VIP4"; else echo "$LAB_VIP6"; fi; }

# counted VERDICT: packets, by the agent's own count
counted() {
  lab_verdicts | jq -e --arg name "$1" '.verdicts[] | select(.verdict == $name) | .packets' ||
    fail "no verdict called $1"
}
