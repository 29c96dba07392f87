#!/bin/bash
# The package on a machine with systemd: installed, upgraded under traffic, removed, purged. LAB_BUILD is the build
# directory.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1  lab_server
#    held connections,                     `-- m2  lab_server
#    short ones, datagrams at a fixed rate
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ ${1:-} != inside ]]; then
  source "$here/../../../scripts/lib/common.sh"
  folder=$(temporary_folder packages)
  trap 'rm -rf "$folder"' EXIT
  export LAB_BUILD=${LAB_BUILD:-$TOP/build/release}
  export BUILD=$LAB_BUILD
  VERSION=0.1.0 "$TOP/packaging/build-deb" "$folder/before"
  VERSION=0.1.1 "$TOP/packaging/build-deb" "$folder/after"
  lintian --fail-on error --suppress-tags bad-distribution-in-changes-file "$folder"/before/*.deb >"$folder/lintian" 2>&1 ||
    die "lintian: $(cat "$folder/lintian")"
  echo "ok   lintian finds no error"
  # The machine has a /tmp of its own.
  cp -r "$folder" "$LAB_BUILD/packages-$$"
  trap 'rm -rf "$folder" "$LAB_BUILD/packages-$$"' EXIT
  "$here/booted.sh" "$here/package.sh" inside "$LAB_BUILD/packages-$$"
  exit
fi

source "$here/../traffic/traffic.sh"
packages=$2
unit() { systemctl show -P "$1" amphora-agent.service; }
install_package() {
  dpkg -i "$packages/$1"/*.deb >"$LAB_DIR/dpkg.log" 2>&1 || fail "dpkg: $(cat "$LAB_DIR/dpkg.log")"
  lab_until 20 "the agent of the package to answer" lab_is_up
}
programs() { lab_in amphora bpftool -j net | jq -c '[.[0].xdp[] | .devname] | sort'; }

lab_begin package
lab_spawn "$LAB_DIR/agent.log" journalctl --no-pager --follow -u amphora-agent
lab_topology two-armed 2
lab_members
LAB_SOCKET=/run/amphora-xdp/control.sock
mkdir -p /etc/amphora-xdp
lab_agent_config | jq 'del(.state_dir, .control_socket, .pin_root)' >/etc/amphora-xdp/agent.json
install_package before
[[ $(unit ActiveState) == active ]] || fail "the unit is $(unit ActiveState)"
[[ $(programs) == '["eth1","eth2"]' ]] || fail "XDP is on $(programs)"
pass "installed: amphora-agent.service is active, XDP is on both interfaces"
rating=$(systemd-analyze security amphora-agent.service --no-pager | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
[[ $(bc <<<"$rating < 5") == 1 ]] || fail "systemd-analyze rates it $rating"
pass "systemd-analyze security rates it $rating"

# Logs go where an Octavia image has them, and are rotated. The machine's rsyslog and logrotate read the package's files.
in_log() { grep -q "$2" "/var/log/$1"; }
rsyslogd -N1 >"$LAB_DIR/rsyslogd" 2>&1 || fail "rsyslogd: $(cat "$LAB_DIR/rsyslogd")"
logrotate --debug /etc/logrotate.d/amphora-xdp >"$LAB_DIR/logrotate" 2>&1 || fail "logrotate: $(cat "$LAB_DIR/logrotate")"
! grep -i error "$LAB_DIR/rsyslogd" "$LAB_DIR/logrotate" || fail "see above"
systemctl start rsyslog
lab_until 10 "the socket that haproxy.cfg names" test -S /run/rsyslog/octavia/log
setpriv --reuid nobody --regid nogroup --clear-groups logger --socket /run/rsyslog/octavia/log -p local0.info -t 'haproxy[7]' "one of a tenant's"
lab_until 10 "HAProxy's line in its log" in_log haproxy.log "haproxy\[7\]: one of a tenant's"
systemctl restart amphora-agent
lab_until 20 "the agent to answer" lab_is_up
lab_until 10 "the agent's lines in its log" in_log amphora-agent.log amphora-xdp-agent
! in_log syslog 'amphora-xdp-agent\[' || fail "the agent's lines are in syslog, too: $(grep amphora-xdp-agent /var/log/syslog)"
logrotate --force /etc/logrotate.d/amphora-xdp
[[ -s /var/log/amphora-agent.log.1 ]] || fail "not rotated: $(ls -l /var/log)"
systemctl restart amphora-agent
lab_until 20 "the agent to answer" lab_is_up
lab_until 10 "the agent's lines in the next log" in_log amphora-agent.log amphora-xdp-agent
pass "logs: HAProxy's and the agent's are where Octavia's images have them, and rotated"
modules=$(grep -vE '^(#|$)' /usr/lib/modules-load.d/amphora-xdp.conf)
[[ $(xargs <<<"$modules") == "af_packet sch_ingress cls_bpf" && -e /proc/net/packet ]] || fail "not what the agent needs of the kernel: $modules"
for module in $modules; do
  # built in, or a module of this kernel; one that has neither cannot be asked
  [[ ! -d /lib/modules/$(uname -r) ]] || modprobe --quiet --dry-run "$module" || fail "this kernel has no $module"
done
pass "modules-load.d: what the agent needs of the kernel is there"

# The pages know every option that there is, and no other.
options_of() { "$@" --help | grep -oE '^ +(-[a-z],)?--[a-z-]+' | grep -oE -- '--[a-z-]+'; }
compare_page() { # PAGE SECTION OPTIONS
  zcat "/usr/share/man/man$2/$1.$2.gz" >"$LAB_DIR/page"
  diff <(sort -u <<<"$3") <(grep -oE '(Fl|,) -[a-z][a-z-]+' "$LAB_DIR/page" | sed 's/^[^-]*-/--/' | sort -u) ||
    fail "the page of $1 and its --help differ"
}
compare_page amphora-xdp-agent 8 "$(options_of amphora-xdp-agent; echo --help)"
compare_page amphora-xdp 1 "$(options_of amphora-xdp; for c in status show apply plan flows verdicts doctor; do options_of amphora-xdp $c; done; echo --help)"
pass "the manual pages know every option, and no other"

create_lb packaged "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json HTTP 8080 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)" | jq -c '.default_pool.protocol = "HTTP"')" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")"
lab_load held hold --target "$LAB_VIP4:80" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held"
lab_load datagrams hold --udp --target "$LAB_VIP4:53" --connections 40 --pause-ms 20
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 4 --pause-ms 2
# shellcheck disable=SC2016  # the inner shell expands it
lab_spawn_in client "$LAB_DIR/layer7" bash -c 'trap "exit 0" TERM; while true; do
  curl -s -m 5 -o /dev/null -w "%{http_code}\n" "http://$0/"; done' "$LAB_VIP4:8080"
lab_loads+=("$LAB_PID")
lab_until 10 "held connections" test -e "$LAB_DIR/held"
before=$(unit MainPID)
install_package after
[[ $(unit MainPID) != "$before" ]] || fail "the agent is still the one before"
[[ $(dpkg-query -W -f='${Version}' amphora-xdp) == 0.1.1 ]] || fail "not upgraded"
sleep 2
lab_load_end
for name in held datagrams short; do
  expect "upgraded under traffic: $name, none failed" "$(cat "$LAB_DIR/$name.json")" '.failed == 0 and .requests > 200'
done
expect "upgraded under traffic: layer 7, none failed" "$(sort "$LAB_DIR/layer7" | uniq -c | jq -Rcn '[inputs | split(" ") | map(select(. != ""))]')" \
  'length == 1 and .[0][1] == "200" and (.[0][0] | tonumber) > 50'
for pid in $(pgrep haproxy); do
  grep -q '^0::.*\.scope$' "/proc/$pid/cgroup" || fail "HAProxy is in the agent's unit: $(systemctl status --no-pager amphora-agent)"
done
journalctl --no-pager -u amphora-agent >"$LAB_DIR/journal"
! grep -E 'left-over process|remains running after unit stopped' "$LAB_DIR/journal" || fail "systemd calls processes left over"
pass "HAProxy is in a scope of its own, and not left over"
expect "resources are there after the upgrade" "$(lab_api GET /v2.0/lbaas/listeners)" '.listeners | length == 3'

dpkg --remove amphora-xdp >"$LAB_DIR/dpkg.log" 2>&1 || fail "dpkg: $(cat "$LAB_DIR/dpkg.log")"
[[ $(programs) == '[]' ]] || fail "removed, and XDP is on $(programs)"
[[ ! -e /sys/fs/bpf/amphora-xdp ]] || fail "removed, and there are pins: $(ls /sys/fs/bpf/amphora-xdp)"
[[ -z $(pgrep haproxy) ]] || fail "removed, and HAProxy runs"
[[ -s /etc/amphora-xdp/agent.json && -s /var/lib/amphora-xdp/state.json ]] || fail "removed, and the state is gone"
pass "removed: nothing in the kernel, configuration and state stay"
dpkg --purge amphora-xdp >"$LAB_DIR/dpkg.log" 2>&1 || fail "dpkg: $(cat "$LAB_DIR/dpkg.log")"
left=$(find /etc /usr /lib /var -xdev -name '*amphora-xdp*' 2>/dev/null || true)
[[ -z $left ]] || fail "purged, and there is $left"
[[ -z $(find /var/log -name 'amphora-agent*') ]] || fail "purged, and there are logs: $(ls /var/log)"
[[ ! -e /run/rsyslog/octavia/log ]] || fail "purged, and rsyslog has not read its files again"
pass "purged: nothing is left"

# On a machine that has no namespace yet. A name that the unit makes within its own mounts nobody else sees, and its next
# start finds another namespace, without the interfaces.
mkdir -p /etc/amphora-xdp
echo '{"interfaces": []}' >/etc/amphora-xdp/agent.json
install_package before
ip -n amphora-haproxy link add eth8 type veth peer name eth9 || fail "nobody sees the namespace: $(ls -l /run/netns)"
has_link() { amphora-xdp --json status | jq -e '.interfaces | any(.interface == "eth8")' >/dev/null; }
lab_until 10 "the interface to be seen" has_link
before=$(unit MainPID)
kill -KILL "$before"
is_another() { [[ $(unit MainPID) != 0 && $(unit MainPID) != "$before" ]] && lab_is_up; }
lab_until 20 "the next agent" is_another
has_link || fail "another namespace after a restart: $(amphora-xdp --json status)"
pass "the namespace is there for everybody to see, and the same after kill -9"
