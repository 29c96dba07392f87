#!/bin/bash
# `amphora-xdp doctor` on a machine that is well, and on the same one broken in many ways; where it names a
# remedy, that is followed, and must help. LAB_BUILD is the build directory.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1
#                      `- doctor looks, from outside of the namespace
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../traffic/traffic.sh"

doctor() { "$LAB_BUILD/agent/cli/amphora-xdp" doctor --config "$LAB_DIR/agent.json" "$@"; }
# examined STATUS [COMMAND...]: what it says, as JSON, is in $said; it must end with that status.
examined() {
  local want=$1 status=0
  shift
  [[ $# -gt 0 ]] || set -- doctor
  said=$("$@" --json) || status=$?
  [[ $status == "$want" ]] || fail "$*: status $status, not $want: $said"
}
# line CHECK OF GRADE WORDS: there is one like it.
line() {
  jq -e --arg check "$1" --arg of "$2" --arg grade "$3" --arg words "$4" \
    '[.checks[] | select(.check == $check and .of == $of and .grade == $grade and
      (.what + "; " + .remedy | contains($words)))] | length == 1' <<<"$said" >/dev/null ||
    fail "nothing like '$3 $1 $2: $4' in: $(jq -c '.checks[]' <<<"$said")"
  pass "$3 $1 $2: $4"
}
remedy() { jq -er --arg check "$1" --arg of "$2" '.checks[] | select(.check == $check and .of == $of) | .remedy' <<<"$said"; }

lab_begin doctor
lab_topology two-armed 1
lab_members
lab_agent_start
create_lb well "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1)")"
PINNED=$(echo "$LAB_PINS"/v*) # of whatever ABI
lab_client requests --target "$LAB_VIP4:80" --connections 200 --concurrency 4 >"$LAB_DIR/report"

examined 0
expect "a machine that is well is healthy" "$said" '.healthy and ([.checks[].grade] | index("fail") == null)'
line agent "" ok answers
line xdp eth1 ok native
line xdp eth2 ok native
line flow-table "" ok consistent
line pins "" ok "$(basename "$PINNED")"
line sysctls "" ok "must be"
line program HAProxy ok "version 2."
line disk "$LAB_DIR/state" ok "are free"
# Also from within the namespace, where not every sysctl of the machine is to be seen.
for space in amphora client; do
  examined 0 nsenter --net="/run/netns/$LAB-$space" "$LAB_BUILD/agent/cli/amphora-xdp" doctor --config "$LAB_DIR/agent.json"
  line jit "" ok compiled
done
doctor >"$LAB_DIR/text" || fail "as text it is not healthy: $(cat "$LAB_DIR/text")"
[[ $(jq '.checks | length' <<<"$said") == $(($(wc -l <"$LAB_DIR/text") - 1)) ]] || fail "not a line a check: $(cat "$LAB_DIR/text")"
pass "as text it is a line for each check, and one more"
status=0
doctor --configuration /none >"$LAB_DIR/usage" 2>&1 || status=$?
[[ $status == 2 ]] || fail "an unknown option: status $status"
pass "an unknown option is refused: 2"

# An agent that is gone, and what it would repair at once.
lab_agent_stop TERM
lab_in amphora sysctl -q -w net.ipv4.ip_forward=0
examined 1
line agent "" fail "nobody answers"
line xdp eth1 ok native
line sysctls net/ipv4/ip_forward fail "sysctl -w net/ipv4/ip_forward=1"
bash -c "$(remedy sysctls net/ipv4/ip_forward)" >"$LAB_DIR/remedy"
examined 1
line sysctls "" ok "must be"

# A table that no program would leave so.
key=$(printf '%02x ' 1 0 0 0)
value=$(printf 'ff %.0s' {1..64})
# shellcheck disable=SC2086  # words
bpftool map update pinned "$PINNED/lb_flows" key hex $key value hex $value
examined 1
line flow-table "" fail "the state is unknown"
value=$(printf '00 %.0s' {1..64})
# shellcheck disable=SC2086  # words
bpftool map update pinned "$PINNED/lb_flows" key hex $key value hex $value

# Certificates that clients will refuse.
mkdir -p "$LAB_DIR/state/certificates"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old \
  -keyout "$LAB_DIR/key" -out "$LAB_DIR/request" 2>"$LAB_DIR/openssl"
: >"$LAB_DIR/index"
cat >"$LAB_DIR/authority" <<END
[ca]
default_ca = own
[own]
database = $LAB_DIR/index
new_certs_dir = $LAB_DIR
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
END
openssl ca -batch -notext -selfsign -config "$LAB_DIR/authority" -keyfile "$LAB_DIR/key" -in "$LAB_DIR/request" \
  -startdate 20200101000000Z -enddate 20200201000000Z -out "$LAB_DIR/certificate" 2>>"$LAB_DIR/openssl" ||
  fail "openssl: $(cat "$LAB_DIR/openssl")"
cat "$LAB_DIR/certificate" "$LAB_DIR/key" >"$LAB_DIR/state/certificates/old.pem"
echo nothing >"$LAB_DIR/state/certificates/none.pem"
examined 1
line certificate "$LAB_DIR/state/certificates/old.pem" fail expired
line certificate "$LAB_DIR/state/certificates/none.pem" fail ""
rm "$LAB_DIR/state/certificates"/*.pem

# Where no bpf file system is mounted.
export -f doctor
export LAB_BUILD LAB_DIR
# shellcheck disable=SC2016  # the inner shell expands it
examined 1 unshare --mount bash -c 'umount /sys/fs/bpf && doctor "$@"' doctor
line bpffs "" fail "mount -t bpf"
line pins "" fail "see bpffs"

# Who is not root is told what he cannot see.
cp "$LAB_BUILD/agent/cli/amphora-xdp" "$LAB_DIR/cli"
chmod 755 "$LAB_DIR/cli"
chmod 644 "$LAB_DIR/agent.json"
examined 1 setpriv --reuid 65534 --regid 65534 --clear-groups "$LAB_DIR/cli" doctor --config "$LAB_DIR/agent.json"
line kernel-features "" unseen "run it as root"
line xdp "" unseen "run it as root"
line kernel "" ok "Linux $(uname -r)"

# An interface that native XDP is refused on: the remedy makes it native.
# (A veth whose other end runs a program is never that large.)
lab_ip client link set dev eth0 xdpdrv off
lab_in client ethtool -K eth0 gro on >/dev/null
rm "$PINNED/links/eth1"
lab_ip client link set eth0 mtu 9000
lab_ip amphora link set eth1 mtu 9000
sed -i '0,/"mtu": 1500/s//"mtu": 9000/' "$LAB_DIR/agent.json"
lab_restart() {
  "$LAB_BUILD/agent/amphora-xdp-agent" --config "$LAB_DIR/agent.json" >>"$LAB_DIR/agent.log" 2>&1 &
  LAB_AGENT_PID=$!
  lab_pids+=("$LAB_AGENT_PID")
  lab_until 10 "the agent to answer on $LAB_SOCKET" lab_agent_answers
}
lab_restart
examined 0
line xdp eth1 ok "tc ingress: native XDP refused"
lab_agent_stop
examined 1
line xdp eth1 ok "tc ingress"
index=$(lab_ip amphora -j link show eth1 | jq '.[0].ifindex')
if [[ -e "$PINNED/links/$index tcx" ]]; then
  bpftool link detach pinned "$PINNED/links/$index tcx" >/dev/null
else
  lab_in amphora tc qdisc del dev eth1 clsact
fi
examined 1
line xdp eth1 fail "no program"
sed -i 's/^{/{"hook": "xdp", /' "$LAB_DIR/agent.json"
lab_restart
examined 0
line xdp eth1 warn "native XDP refused"
line mtu eth1 warn "native XDP takes 3506 at most"
line mtu "" warn "eth1 has 9000 and eth2 1500"
lab_agent_stop TERM
sed -i 's/"mtu": 9000/"mtu": 1500/' "$LAB_DIR/agent.json"
lab_ip client link set eth0 mtu 1500
bash -c "$(remedy mtu eth1 | sed 's/, which .*//')" || fail "the remedy fails: $(remedy mtu eth1)"
lab_restart
examined 0
line xdp eth1 ok native
line mtu eth1 ok 1500

# As an amphora: a controller that nothing can reach, and one that something can.
cat >"$LAB_DIR/amphora-agent.conf" <<END
[haproxy_amphora]
base_path = $LAB_DIR/octavia
base_cert_dir = $LAB_DIR/octavia/certs
bind_host = ::
bind_port = 9443
[health_manager]
controller_ip_port_list = 192.0.2.5:5555, 127.0.0.1:5555
heartbeat_interval = 10
heartbeat_key = key
[amphora_agent]
agent_server_ca = $LAB_DIR/certificate
agent_server_cert = $LAB_DIR/none.pem
END
# shellcheck disable=SC2016  # the inner shell expands it
examined 1 unshare --net bash -c 'ip link set lo up; exec "$0" doctor --config-file "$1" "${@:2}"' \
  "$LAB_BUILD/agent/cli/amphora-xdp" "$LAB_DIR/amphora-agent.conf"
line configuration "" ok amphora-agent.conf
line controller 192.0.2.5:5555 fail "Network is unreachable"
line controller 127.0.0.1:5555 ok "there is a way"
line certificate "$LAB_DIR/none.pem" fail "No such file"
line certificate "$LAB_DIR/certificate" fail expired
