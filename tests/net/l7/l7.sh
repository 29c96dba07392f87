#!/bin/bash
# What HAProxy serves, through the whole agent, asked by real clients: l7.sh apart|policies|tls|pools
#
#   client ---- eth1 amphora eth2 --[switch]-- m1, m2: HTTP 8080, behind a PROXY header 8081, TLS 8443
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
source "$here/../../../scripts/lib/lab.sh"
source "$here/certificates.sh"
need_root
need_bpffs

lab_begin "l7-$1"
lab_topology two-armed 2
make_certificates "$LAB_DIR"
for name in m1 m2; do
  lab_spawn_in $name "$LAB_DIR/$name.log" python3 "$here/member.py" $name 8080
  lab_spawn_in $name "$LAB_DIR/$name.log" python3 "$here/member.py" $name 8081 --proxy
  lab_spawn_in $name "$LAB_DIR/$name.log" python3 "$here/member.py" $name 8443 --tls "$LAB_DIR/server.pem" --ca "$LAB_DIR/ca.pem"
  lab_until 10 "member $name to serve" lab_in $name curl -s -o "$LAB_DIR/curl.out" http://127.0.0.1:8080/
done
lab_agent_start
export LAB_VIP4 LAB_DIR LAB_SOCKET LAB_SPACE="$LAB-amphora" PYTHONDONTWRITEBYTECODE=1
LAB_CLIENT=198.51.100.100 LAB_M1=$(lab_member_address m1 ipv4) LAB_M2=$(lab_member_address m2 ipv4) \
  LAB_M1_6=$(lab_member_address m1 ipv6) lab_in client timeout 240 python3 "$here/$1.py" || {
  printf -- '-- HAProxy:\n' >&2
  cat "$LAB_DIR"/haproxy/*/haproxy.cfg >&2 || true
  die "$1 failed"
}
