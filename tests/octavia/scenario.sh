#!/bin/bash
# The scenario: the real `openstack` client against the real Octavia that drives the amphora under
# test, with traffic from a client's namespace.
#   scenario.sh [core|udp|failover|dualstack|all]   (default: all)
#   scenario.sh vrrp      BOX_TOPOLOGY=ACTIVE_STANDBY at up.sh as well
#   scenario.sh killed    core and udp, while the agents are killed (SIGKILL) every few seconds;
#                         BOX_HB_TIMEOUT=60 at up.sh as well
#   scenario.sh rotation  BOX_CERT_INTERVAL=20 BOX_CERT_BUFFER=5184000 at up.sh as well
# Every step's outcome goes to $BOX_RUN/results.jsonl; exit status 1 if a step fails.
# Names, addresses and paths of the box have no blanks.
# shellcheck disable=SC2086,SC2046,SC2034
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
[ -e "$BOX_RUN/up" ] || die "not up"
PART=${1:-all}
case $PART in
	all) PARTS="core udp failover core-end dualstack" ;;
	core) PARTS="core core-end" ;;
	killed) PARTS="core udp core-end" ;;
	*) PARTS=$PART ;;
esac
# An agent that is killed again and again is up half of the time.
PATIENCE=1; [ $PART = killed ] && PATIENCE=4
: >"$BOX_RUN/results.jsonl"
BAD=0 N=0 T0=$(date +%s.%N)
has_part() { case " $PARTS " in *" $1 "*) ;; *) false ;; esac; }
os() { "$BOX_LAB/os" "$@"; }
cli() { nsenter --net=/run/netns/$CLI_NS -- "$@"; }
show() { os loadbalancer "$@" -f value; }

# step NAME COMMAND...: run, time, record.
step() {
	local name=$1 t rc out dt verdict; shift
	N=$((N + 1))
	name=$(printf '%02d-%s' $N "$name")
	t=$(date +%s.%N)
	out=$("$@" 2>&1); rc=$?
	dt=$(printf '%.1f' "$(echo "$(date +%s.%N) - $t" | bc)")
	if [ $rc = 0 ]; then verdict=pass; else verdict=FAIL; BAD=$((BAD + 1)); fi
	printf '%-4s %-32s %6s s  %s\n' $verdict "$name" "$dt" "$(tail -1 <<<"$out" | cut -c1-110)"
	[ $rc = 0 ] || printf '%s\n' "$out" | tail -n 20 | sed 's/^/     | /'
	jq -cn --arg step "$name" --arg verdict $verdict --arg s "$dt" --arg out "$out" \
		'{step:$step,verdict:$verdict,seconds:($s|tonumber),output:$out}' >>"$BOX_RUN/results.jsonl"
}
until_ok() { # SECONDS COMMAND...: says what it said the last time
	local end=$((SECONDS + $1 * PATIENCE)) out; shift
	until out=$("$@"); do [ $SECONDS -ge $end ] && { echo "$out"; return 1; }; sleep 0.3; done
	echo "$out"
}
# Objects are made, changed, shown and deleted with the CLI; waiting asks the same
# API with curl, since each CLI start costs a second of CPU.
api() { ctl curl -s "http://127.0.0.1:9876/v2/lbaas/$1"; }
field() { # KIND NAME FIELD
	local kind=$1s; [ $1 = l7policy ] && kind=l7policies
	api "$kind?name=$2" | jq -r ".${kind}[0].$3 // \"absent\""
}
is() { local got; got=$(field "$1" "$2" "$3"); echo "$1 $2 $3=$got"; [ "$got" = "$4" ]; }
lb_is() { is loadbalancer "$@"; }
cli_is() { local got; got=$(show "$1" show "$2" -c "$3"); echo "$1 $2 $3=$got"; [ "$got" = "$4" ]; }
cli_lb_is() { local got; got=$(show show "$1" -c "$2"); echo "openstack loadbalancer show $1: $2=$got"; [ "$got" = "$3" ]; }
member_is() {
	local got; got=$(api "pools/$(field pool "$1" id)/members?name=$2" | jq -r '.members[0].operating_status')
	echo "member $2 $got"; [ "$got" = "$3" ]
}
settled() { # the load balancer left PENDING_*; true when ACTIVE and nothing under it is in ERROR
	local st; st=$(field loadbalancer "$1" provisioning_status)
	case $st in PENDING_*) return 1 ;; esac
	api "loadbalancers/$(field loadbalancer "$1" id)/status" | jq -r '[.. | objects | select(.provisioning_status != null) | .provisioning_status] | unique | join(",")' | tee "$BOX_RUN/settled"
}
active() { until_ok 90 settled "$1" && [ "$(cat "$BOX_RUN/settled")" = ACTIVE ]; }
create() { os loadbalancer "$@" -f value -c id && active "$LB"; }
change() { os loadbalancer "$@" && active "$LB"; }      # set / delete
# (`l7rule create --wait` of octaviaclient 3.1.0 asks for the rule without its
# policy and ends in a 404.)
rule() { os loadbalancer l7rule create "$@" -f value -c id && active "$LB"; }
get() { cli curl -s -m 5 "$@"; }
both() { # URL: eight requests reach both members
	local i seen=""
	for i in 1 2 3 4 5 6 7 8; do seen+=" $(get "$1" | awk '{print $1}')"; done
	echo "answers:$seen"
	case $seen in *member1*member2* | *member2*member1*) [ "$(wc -w <<<"$seen")" = 8 ] ;; *) false ;; esac
}
udp_members() { # VIP PORT [N]: datagrams from several source ports reach N (2) members
	local i n seen=""
	for i in 1 2 3 4 5 6 7 8; do seen+=" $(printf 'hello' | cli timeout 2 socat -t 0.5 - UDP4:$1:$2 | awk '{print $1}')"; done
	n=$(tr ' ' '\n' <<<"$seen" | grep member | sort -u | wc -l)
	echo "answers:$seen ($n members)"
	[ "$n" -ge "${3:-2}" ]
}
only() { local i x; for i in 1 2 3 4 5 6; do x=$(get "$1" | awk '{print $1}'); [ "$x" = "$2" ] || { echo "got '$x'"; return 1; }; done; echo "6 x $2"; }
status_of() { local got; got=$(cli curl -s -m 5 -o /dev/null -w '%{http_code} %{redirect_url}' "$1"); echo "$1 -> $got"; case $got in $2*) ;; *) false ;; esac; }
member_start() { spawn member$1 nsenter --net=/run/netns/$BOX_NS-m$1 -- /usr/bin/python3 "$BOX_LAB/tools/member.py" member$1 $MEM_NET.$((10 + $1)); }
# in_machine SLOT COMMAND...: inside an amphora's machine, as root, in its amphora-haproxy namespace.
in_machine() {
	local pid ours; pid=$(cut -d' ' -f1 "$BOX_RUN/pids/amp$1"); shift
	ours=$(readlink /proc/self/ns/pid)
	while [ -n "$pid" ] && [ "$(readlink "/proc/$pid/ns/pid")" = "$ours" ]; do pid=$(pgrep -P "$pid" | head -n 1); done
	nsenter -t "${pid:?no machine}" --mount --uts --ipc --net --pid --root --wd=/ -- "$@"
}
xdp() { in_machine "$(newest_slot)" "$BOX_BUILD/agent/cli/amphora-xdp" "$@"; }
newest_slot() { jq -r '[.servers[].slot] | max' "$BOX_RUN/state.json"; }
# carried_by_xdp PORT: packets of established flows were forwarded, and no HAProxy listens on PORT.
carried_by_xdp() {
	local n; n=$(xdp verdicts --json | jq '[.. | objects | select(.verdict? == "established") | .packets] | add // 0')
	echo "established verdicts: $n"
	[ "${n:-0}" -gt 0 ] || return 1
	! in_machine "$(newest_slot)" ip netns exec amphora-haproxy ss -Hltn "sport = :$1" | grep .
}
gone() { ! show "$@" -c id 2>/dev/null; }
# Every agent in an amphora's machine, killed: one that was up the last time, too, and of the others one in four, so that on a
# slow machine some come to their end. It is a child of what starts it; its own network namespace is the one of its load
# balancer.
declare -A up=() # by process
kill_agents() {
	local ns pid agent
	for ns in $(ip netns list 2>/dev/null | awk -v own="^$BOX_NS-amp" '$1 ~ own { print $1 }'); do
		for pid in $(ip netns pids $ns 2>/dev/null); do
			[ "$(cat /proc/$pid/comm 2>/dev/null)" = launch-amphora ] || continue
			agent=$(pgrep -P $pid amphora-xdp-age) || continue
			if [ -n "${up[$agent]:-}" ] || [ $((RANDOM % 4)) = 0 ]; then
				kill -KILL $agent && echo "$ns $agent" >>"$BOX_RUN/kills"
			elif [ -n "$(ip netns exec $ns ss -Hltn 'sport = :9443')" ]; then
				up[$agent]=yes
			fi
		done
	done
}
killed_often() { local n; n=$(wc -l <"$BOX_RUN/kills"); echo "$n kills"; [ "$n" -ge $1 ]; }
# How many amphorae the health manager has taken for dead.
failed_over() {
	local n; n=$(grep -c "Stale amphora's id is" "$BOX_RUN/log/octavia-health-manager.log")
	echo "$n failed over by the health manager"; [ "$n" = $1 ]
}
no_amphora() { [ -z "$(ip netns list 2>/dev/null | awk -v own="^$BOX_NS-amp" '$1 ~ own')" ]; }

LB=lb1
if [ $PART = killed ]; then
	: >"$BOX_RUN/kills"
	while sleep $((1 + RANDOM % 4)).$((RANDOM % 10)); do kill_agents; done &
	killer=$!
	trap 'kill $killer' EXIT
fi
if has_part core; then
step lb-create create create --name lb1 --vip-subnet-id vip-v4
VIP=$(field loadbalancer lb1 vip_address)
step lb-online until_ok 30 lb_is lb1 operating_status ONLINE
step listener-tcp-create create listener create --name l1 --protocol TCP --protocol-port 80 lb1
step pool-create create pool create --name p1 --lb-algorithm ROUND_ROBIN --listener l1 --protocol TCP
step member1-create create member create --name m1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 80 p1
step member2-create create member create --name m2 --subnet-id member-v4 --address $MEM_NET.12 --protocol-port 80 p1
step hm-tcp-create create healthmonitor create --name h1 --delay 2 --timeout 1 --max-retries 2 --max-retries-down 2 --type TCP p1
step members-online until_ok 30 is pool p1 operating_status ONLINE
step traffic-both both http://$VIP/
step traffic-carried-by-xdp until_ok 10 carried_by_xdp 80
step member2-dies reap member2
step lb-degraded until_ok 60 lb_is lb1 operating_status DEGRADED
step lb-degraded-shown-by-cli cli_lb_is lb1 operating_status DEGRADED
step member2-error until_ok 5 member_is p1 m2 ERROR
step traffic-member1-only only http://$VIP/ member1
member_start 2
step lb-online-again until_ok 60 lb_is lb1 operating_status ONLINE
step traffic-both-again until_ok 20 both http://$VIP/
step member-weight-0 change member set --weight 0 p1 m2
step traffic-weight-0 until_ok 10 only http://$VIP/ member1
step member-weight-1 change member set --weight 1 p1 m2
step pool-set-source-ip change pool set --lb-algorithm SOURCE_IP p1
step pool-set-persistence change pool set --lb-algorithm LEAST_CONNECTIONS --session-persistence type=SOURCE_IP p1
step listener-set change listener set --connection-limit 100 --timeout-client-data 30000 l1
step listener-http-create create listener create --name l2 --protocol HTTP --protocol-port 8080 --insert-headers X-Forwarded-For=true,X-Forwarded-Port=true lb1
step pool-http-create create pool create --name p2 --lb-algorithm ROUND_ROBIN --listener l2 --protocol HTTP --session-persistence type=HTTP_COOKIE
step members-http-create create member create --name n1 --address $MEM_NET.11 --protocol-port 80 p2
step hm-http-create create healthmonitor create --name h2 --delay 2 --timeout 1 --max-retries 2 --type HTTP --url-path /health --http-method GET --expected-codes 200 p2
step traffic-http-xff until_ok 20 bash -c "nsenter --net=/run/netns/$CLI_NS -- curl -s -m 5 http://$VIP:8080/a | grep 'xff=$VIP_NET.10'"
step l7policy-redirect-url create l7policy create --name r1 --action REDIRECT_TO_URL --redirect-url http://www.example.com/moved l2
step l7rule-path rule --type PATH --compare-type STARTS_WITH --value /old r1
step l7policy-reject create l7policy create --name r2 --action REJECT l2
step l7rule-header rule --type HEADER --compare-type EQUAL_TO --key X-Deny --value yes r2
step traffic-l7-redirect until_ok 10 status_of http://$VIP:8080/old/x '302 http://www.example.com/moved'
step traffic-l7-reject bash -c "nsenter --net=/run/netns/$CLI_NS -- curl -s -m 5 -o /dev/null -w '%{http_code}' -H 'X-Deny: yes' http://$VIP:8080/ | grep 403"
step traffic-l7-pass status_of http://$VIP:8080/new '200'
# TLS termination without Barbican: the local certificate manager reads files.
tls_ref=4d1c3f5e-7a2b-4c6d-8e9f-0a1b2c3d4e5f
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=www.example.com -keyout "$BOX_RUN/certs/tenant/$tls_ref.key" \
	-out "$BOX_RUN/certs/tenant/$tls_ref.crt" >/dev/null 2>&1
step listener-https-create create listener create --name l3 --protocol TERMINATED_HTTPS --protocol-port 443 --default-tls-container-ref $tls_ref --default-pool p2 lb1
step traffic-https until_ok 10 bash -c "nsenter --net=/run/netns/$CLI_NS -- curl -sk -m 5 https://$VIP/tls | grep member1"
step stats until_ok 20 bash -c "'$BOX_LAB/os' loadbalancer stats show lb1 -f value -c total_connections | awk '{print; exit !(\$1 > 0)}'"
AMP=$(os loadbalancer amphora list --loadbalancer "$(show show lb1 -c id)" -f value -c id)
step amphora-show os loadbalancer amphora show "$AMP" -f json
# Asynchronous, and no object shows when it is done: give it time to be on the wire.
step amphora-configure bash -c "'$BOX_LAB/os' loadbalancer amphora configure $AMP; sleep 4"
step listener-disable change listener set --disable l1
step traffic-disabled bash -c "! nsenter --net=/run/netns/$CLI_NS -- curl -s -m 3 http://$VIP/"
step listener-enable change listener set --enable l1
step traffic-enabled until_ok 10 get http://$VIP/
fi

if has_part udp; then
LB=lbu
step udp-lb-create create create --name lbu --vip-subnet-id vip-v4
VIPU=$(field loadbalancer lbu vip_address)
step udp-listener-create create listener create --name u1 --protocol UDP --protocol-port 5353 lbu
step udp-pool-create create pool create --name pu --lb-algorithm ROUND_ROBIN --listener u1 --protocol UDP
step udp-member1-create create member create --name u1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 53530 pu
step udp-member2-create create member create --name u2 --subnet-id member-v4 --address $MEM_NET.12 --protocol-port 53530 pu
step udp-hm-create create healthmonitor create --name hu --delay 3 --timeout 2 --max-retries 2 --max-retries-down 2 --type UDP-CONNECT pu
step udp-traffic until_ok 6 udp_members $VIPU 5353
step udp-pool-online until_ok 20 is pool pu operating_status ONLINE
step udp-carried-by-xdp until_ok 10 carried_by_xdp 5353
step udp-status os loadbalancer status show lbu
step udp-lb-delete os loadbalancer delete --cascade lbu
step udp-lb-gone until_ok 60 lb_is lbu provisioning_status absent
LB=lb1
fi

if has_part failover; then
if [ $PART = failover ]; then
	step lb-create create create --name lb1 --vip-subnet-id vip-v4
	step listener-tcp-create create listener create --name l1 --protocol TCP --protocol-port 80 lb1
	step pool-create create pool create --name p1 --lb-algorithm ROUND_ROBIN --listener l1 --protocol TCP
	step member1-create create member create --name m1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 80 p1
	step lb-online until_ok 30 lb_is lb1 operating_status ONLINE
fi
VIP=$(field loadbalancer lb1 vip_address)
# The CLI's failover: a second amphora is booted, takes the VIP, the first goes.
step lb-failover change failover lb1
step traffic-after-failover until_ok 20 get http://$VIP/
# The machine dies: no heartbeat, the health-manager fails it over by itself.
slot=$(jq -r '.servers[].slot' "$BOX_RUN/state.json" | head -1)
step amphora-dies reap amp$slot KILL
step failover-starts until_ok $((BOX_HB_TIMEOUT + 60)) lb_is lb1 provisioning_status PENDING_UPDATE
step failover-ends until_ok 90 lb_is lb1 provisioning_status ACTIVE
step traffic-after-death until_ok 20 get http://$VIP/
fi

if has_part core-end; then
step l7rule-delete change l7rule delete r1 "$(show l7rule list r1 -c id)"
step l7policy-delete change l7policy delete r1
step hm-delete change healthmonitor delete h2
step listener-https-delete change listener delete l3
step pool-http-delete change pool delete p2
step listener-http-delete change listener delete l2
step member-delete change member delete p1 m2
step traffic-one-member until_ok 10 only http://$VIP/ member1
step hm-tcp-delete change healthmonitor delete h1
step pool-delete change pool delete p1
step listener-delete change listener delete l1
step lb-delete os loadbalancer delete --wait lb1
step amphora-gone until_ok 60 no_amphora
fi
[ $PART = failover ] && step lb-delete os loadbalancer delete --cascade --wait lb1

if has_part dualstack; then
LB=lb2
step lb-dualstack-create create create --name lb2 --vip-subnet-id vip-v4 --additional-vip subnet-id=vip-v6,ip-address=2001:db8:100::55
VIP=$(field loadbalancer lb2 vip_address)
step dual-listener create listener create --name d1 --protocol HTTP --protocol-port 80 lb2
step dual-pool create pool create --name dp --lb-algorithm ROUND_ROBIN --listener d1 --protocol HTTP
step dual-member create member create --name dm1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 80 dp
step traffic-v4 until_ok 10 get http://$VIP/v4
step traffic-v6 until_ok 10 get 'http://[2001:db8:100::55]/v6'
step lb-cascade-delete os loadbalancer delete --cascade --wait lb2
step dual-amphora-gone until_ok 60 no_amphora
fi
if [ $PART = vrrp ]; then
step lb-create create create --name lb1 --vip-subnet-id vip-v4
VIP=$(field loadbalancer lb1 vip_address)
step listener-create create listener create --name l1 --protocol HTTP --protocol-port 80 lb1
step pool-create create pool create --name p1 --lb-algorithm ROUND_ROBIN --listener l1 --protocol HTTP
step member1-create create member create --name m1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 80 p1
step member2-create create member create --name m2 --subnet-id member-v4 --address $MEM_NET.12 --protocol-port 80 p1
step traffic-both until_ok 20 both http://$VIP/
step two-amphorae os loadbalancer amphora list -f value -c role -c status -c lb_network_ip -c ha_ip
step udp-listener-create create listener create --name u1 --protocol UDP --protocol-port 5353 lb1
step udp-pool-create create pool create --name pu --lb-algorithm ROUND_ROBIN --listener u1 --protocol UDP
step udp-member1-create create member create --name u1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 53530 pu
step udp-member2-create create member create --name u2 --subnet-id member-v4 --address $MEM_NET.12 --protocol-port 53530 pu
step udp-traffic until_ok 10 udp_members $VIP 5353
# Which machine holds the VIP? The one whose MAC the client has for it.
mac=$(ip -n $CLI_NS -j neigh show "$VIP" | jq -r '.[0].lladdr')
slot=$(jq -r --arg m "$mac" '. as $s | .ports[] | select(.mac == $m) | $s.servers[.compute_id].slot' "$BOX_RUN/state.json")
step master-dies reap amp$slot KILL
step traffic-from-backup until_ok 20 get http://$VIP/
step failover-starts until_ok $((BOX_HB_TIMEOUT + 60)) lb_is lb1 provisioning_status PENDING_UPDATE
step failover-ends until_ok 120 lb_is lb1 provisioning_status ACTIVE
step traffic-after-failover until_ok 20 both http://$VIP/
step lb-delete os loadbalancer delete --cascade lb1
step amphora-gone until_ok 60 no_amphora
fi
if [ $PART = rotation ]; then
step lb-create create create --name lb1 --vip-subnet-id vip-v4
step listener-create create listener create --name l1 --protocol TCP --protocol-port 80 lb1
step pool-create create pool create --name p1 --lb-algorithm ROUND_ROBIN --listener l1 --protocol TCP
VIP=$(field loadbalancer lb1 vip_address)
serial() { echo | ctl openssl s_client -connect 198.18.9.$((20 + $(newest_slot))):9443 -cert "$BOX_RUN/certs/client.cert-and-key.pem" \
	-key "$BOX_RUN/certs/client.cert-and-key.pem" 2>/dev/null | openssl x509 -noout -serial; }
FIRST=$(serial)
rotated() { local now; now=$(serial); echo "$FIRST then $now"; [ -n "$now" ] && [ "$now" != "$FIRST" ]; }
step certificate-rotated until_ok 60 rotated
step member-create create member create --name m1 --subnet-id member-v4 --address $MEM_NET.11 --protocol-port 80 p1
step traffic until_ok 10 get http://$VIP/
step lb-delete os loadbalancer delete --cascade lb1
step amphora-gone until_ok 60 no_amphora
fi
if [ -n "${killer:-}" ]; then
step killed-often killed_often 20
step none-failed-over failed_over 0
fi
log "$N steps, $BAD failed, $(printf '%.0f' "$(echo "$(date +%s.%N) - $T0" | bc)") s"
[ $BAD = 0 ]
