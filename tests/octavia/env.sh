# shellcheck shell=bash disable=SC2034,SC2086
# Settings and helpers of the box; sourced by every script here. All it writes at run time is under
# $BOX_RUN, but for network namespaces, whose names begin with $BOX_NS.
BOX_LAB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BOX_RUN=${BOX_RUN:-/var/tmp/amphora-xdp-octavia}
BOX_NS=${BOX_NS:-axo}
BOX_BUILD=${BOX_BUILD:-$BOX_LAB/../../build/release}
# What runs inside an amphora's machine: any executable; it is started as root, child of PID 1, with
# the worker's config drive (/etc/octavia/...) in place.
BOX_AMPHORA=${BOX_AMPHORA:-$BOX_LAB/launch-amphora}
BOX_TOPOLOGY=${BOX_TOPOLOGY:-SINGLE}
BOX_HB_KEY=${BOX_HB_KEY:-box-heartbeat-key}
BOX_HB_INTERVAL=${BOX_HB_INTERVAL:-3}
BOX_HB_TIMEOUT=${BOX_HB_TIMEOUT:-30}
# BOX_CERT_INTERVAL=20 BOX_CERT_BUFFER=5184000 (longer than the 30 days a certificate lives) makes
# housekeeping rotate the certificate of every amphora every 20 s.
BOX_CERT_INTERVAL=${BOX_CERT_INTERVAL:-3600}
BOX_CERT_BUFFER=${BOX_CERT_BUFFER:-1209600}
BOX_PROJECT=0b0c0000000040008000000000000001

CTL_NS=$BOX_NS-ctl; FAB_NS=$BOX_NS-fab; CLI_NS=$BOX_NS-cli
MEMBERS="1 2"
CTL_IP=198.18.9.10
VIP_NET=198.51.100; MEM_NET=203.0.113

export BOX_LAB BOX_RUN BOX_NS BOX_BUILD BOX_AMPHORA
export PYTHONPATH=$BOX_LAB/drivers
# Only the distribution's own python and tools; no proxy or CA-bundle settings
# of the surroundings may leak into the services.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy no_proxy NO_PROXY
unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR PYTHONHOME
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 HOME=$BOX_RUN/home

log() { printf '%s %s\n' "$(date +%H:%M:%S.%3N)" "$*"; }
die() { log "FAIL: $*" >&2; exit 1; }
# Run in the controller's network namespace only (same mount namespace, so that
# namespaces the worker's hook creates are seen by everybody).
ctl() { nsenter --net=/run/netns/$CTL_NS -- "$@"; }

# spawn NAME CMD...: start in its own session, record pid + start time.
spawn() {
	local name=$1; shift
	mkdir -p "$BOX_RUN/pids" "$BOX_RUN/log"
	setsid "$@" >>"$BOX_RUN/log/$name.out" 2>&1 </dev/null &
	local pid=$!
	echo "$pid $(awk '{print $22}' /proc/$pid/stat)" >"$BOX_RUN/pids/$name"
}
alive() { # NAME
	local pid start
	[ -f "$BOX_RUN/pids/$1" ] || return 1
	read -r pid start <"$BOX_RUN/pids/$1"
	[ "$(awk '{print $22}' /proc/$pid/stat 2>/dev/null)" = "$start" ]
}
# reap NAME [SIGNAL]: stop exactly the process this lab started, with its session.
reap() {
	local name=$1 sig=${2:-TERM} tenths=${3:-40} pid start i
	if alive "$name"; then
		read -r pid start <"$BOX_RUN/pids/$name"
		kill -"$sig" -- -"$pid" 2>/dev/null || kill -"$sig" "$pid" 2>/dev/null
		for i in $(seq $tenths); do alive "$name" || break; sleep 0.1; done
		alive "$name" && kill -KILL -- -"$pid" 2>/dev/null
	fi
	rm -f "$BOX_RUN/pids/$name"
}
wait_tcp() { # PORT SECONDS  (controller loopback)
	local i
	for i in $(seq $(( $2 * 10 ))); do
		ctl bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}
