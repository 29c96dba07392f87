#!/bin/bash
# Clients that want a whole cloud around the agent's API: Ansible's collection openstack.cloud, and gophercloud's own
# acceptance tests of load balancers. cloud.py is the rest of that cloud.
#
#   clients, cloud.py (here, 127.0.0.1) --- agent's API
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source "$here/api.sh"
api_lab cloud
lab_spawn "$LAB_DIR/cloud.log" /usr/bin/python3 "$here/cloud.py" "$LAB_DIR/cloud.port" "$api"
lab_until 20 "the rest of the cloud" test -s "$LAB_DIR/cloud.port"
keystone="http://127.0.0.1:$(cat "$LAB_DIR/cloud.port")/v3"

# ---- Ansible ---------------------------------------------------------------

# Debian's collection and Debian's SDK are of two releases, and the collection says that it knows the SDK's no more.
mkdir "$LAB_DIR/python"
cat >"$LAB_DIR/python/sitecustomize.py" <<'PYTHON'
import openstack.version
openstack.version.__version__ = "0.98.999"
PYTHON
cat >"$LAB_DIR/clouds.yaml" <<YAML
clouds:
  lab:
    auth: {auth_url: "$keystone", username: admin, password: "-", project_name: a-project,
           user_domain_id: default, project_domain_id: default}
    region_name: lab
YAML

play() { # NAME: how many tasks changed something
  local log=$LAB_DIR/ansible.log
  HOME=$LAB_DIR PYTHONPATH=$LAB_DIR/python OS_CLIENT_CONFIG_FILE=$LAB_DIR/clouds.yaml \
    ANSIBLE_NOCOLOR=1 timeout 120 ansible-playbook -i localhost, -c local -e ansible_python_interpreter=/usr/bin/python3 \
    -e "member=$(lab_member_address m1 ipv4) port=$LAB_MEMBER_PORT" "$here/ansible/$1.yaml" >"$log" 2>&1 ||
    fail "ansible-playbook $1.yaml: $(cat "$log")"
  sed -n 's/^localhost .* changed=\([0-9]*\) .*/\1/p' "$log"
}
changes() { # WHAT NAME NUMBER
  local changed
  changed=$(play "$2")
  [[ $changed == "$3" ]] || fail "$1: $changed tasks changed something: $(cat "$LAB_DIR/ansible.log")"
  pass "$1: $3 tasks changed something"
}

changes "Ansible makes two load balancers" present 6
answer=$(lab_in client curl -s -m 5 http://198.51.100.200/ http://198.51.100.201:8080/) || fail "no answer: $answer"
pass "both are served"
changes "Ansible again" present 0
changes "Ansible takes them away" absent 6
expect "nothing is left" "$(lab_api GET /v2.0/lbaas/loadbalancers)" '.loadbalancers == []'

# ---- gophercloud -----------------------------------------------------------

library=/usr/share/gocode
suite=$LAB_DIR/go/src/loadbalancer
mkdir -p "$LAB_DIR/go/src"
cp -r "$library/src/github.com/gophercloud/gophercloud/acceptance/openstack/loadbalancer/v2" "$suite"
# It gives headers and policies to a TCP listener: Octavia 11 refuses the ones, the agent the others.
sed -i 's/ProtocolTCP/ProtocolHTTP/' "$suite"/*.go
(cd "$suite" && HOME=$LAB_DIR GO111MODULE=off GOPATH=$LAB_DIR/go:$library GOCACHE=$LAB_DIR/go/cache \
  go test -tags acceptance -c -o "$LAB_DIR/gophercloud" .)
# What its suites for other services want is asked for before any test runs.
export OS_AUTH_URL=$keystone OS_USERNAME=admin OS_PASSWORD=- OS_PROJECT_NAME=a-project OS_DOMAIN_NAME=Default \
  OS_REGION_NAME=lab OS_FLAVOR_ID=- OS_FLAVOR_ID_RESIZE=-2 OS_IMAGE_ID=- OS_NETWORK_NAME=- OS_POOL_NAME=- \
  OS_EXTGW_ID=- OS_SHARE_NETWORK_ID=- OS_DB_DATASTORE_TYPE=- OS_DB_DATASTORE_VERSION=-
"$LAB_DIR/gophercloud" -test.v -test.timeout 180s >"$LAB_DIR/gophercloud.log" 2>&1 ||
  fail "gophercloud: $(grep -E -B 3 "RUN|^--- |Failure|Unable|nable to" "$LAB_DIR/gophercloud.log")"
ran=$(grep -c '^--- PASS' "$LAB_DIR/gophercloud.log")
if grep '^--- SKIP' "$LAB_DIR/gophercloud.log"; then fail "gophercloud skipped a test"; fi
[[ $ran -ge 10 ]] || fail "gophercloud: only $ran tests"
pass "gophercloud's acceptance tests of load balancers: $ran of $ran"
