#!/bin/bash
# The lab's "hypervisor": called by the compute/network drivers in the worker.
#   machine.sh boot SLOT COMPUTE_ID NAME MGMT_IP MGMT_MAC DRIVE_DIR
#   machine.sh halt SLOT COMPUTE_ID
#   machine.sh nic-add SLOT BRIDGE MAC IFNAME PORT_ID
#   machine.sh nic-del PORT_ID
# Names, addresses and paths of the box have no blanks.
# shellcheck disable=SC2086,SC2046,SC2034
set -eu
source "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

tap() { echo "port${1:0:8}"; }          # bridge-side end of a port's veth

nic_add() { # NETNS BRIDGE MAC IFNAME PORT_ID
	local t; t=$(tap "$5")
	ip -n $FAB_NS link add "$t" type veth peer name "$4" address "$3" netns "$1"
	ip -n $FAB_NS link set "$t" master "$2" up
	# Offloads stay as veth has them; checksum offload off so that frames an
	# XDP program or a raw reader sees carry real checksums.
	ip netns exec "$1" ethtool -K "$4" tx off >/dev/null 2>&1 || :
}

case $1 in
boot)
	slot=$2 id=$3 name=$4 ip=$5 mac=$6 drive=$7
	ns=$BOX_NS-amp$slot dir=$BOX_RUN/amp/$slot
	rm -rf "$dir"; mkdir -p "$dir"
	printf '%s\n' "$id" >"$dir/compute_id"
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	nic_add "$ns" br-mgmt "$mac" eth0 "$id"
	ip -n "$ns" addr add "$ip/24" dev eth0
	ip -n "$ns" link set eth0 up
	# Kernel namespaces = the machine; vm-init is its PID 1.
	nsenter --net="/run/netns/$ns" -- setsid unshare --mount --uts --ipc --pid --fork \
		--kill-child=SIGKILL --propagation private -- \
		/usr/bin/python3 "$BOX_LAB/machine/vm-init" "$dir" "$drive" "${name:0:60}" "$BOX_AMPHORA" \
		>"$dir/console.log" 2>&1 </dev/null &
	pid=$!
	echo "$pid $(awk '{print $22}' /proc/$pid/stat)" >"$BOX_RUN/pids/amp$slot"
	;;
halt)
	slot=$2 id=$3 ns=$BOX_NS-amp$slot dir=$BOX_RUN/amp/$slot
	[ "$(cat "$dir/compute_id" 2>/dev/null)" = "$id" ] || exit 0
	reap "amp$slot"
	mkdir -p "$BOX_RUN/amp-old"
	mv "$dir" "$BOX_RUN/amp-old/$id"
	ip netns del "$ns"
	# The veths' other ends go with the namespace; wait until the kernel agrees.
	for i in $(seq 50); do
		ip -n $FAB_NS link show "$(tap "$id")" >/dev/null 2>&1 || break; sleep 0.1
	done
	;;
nic-add)
	nic_add "$BOX_NS-amp$2" "$3" "$4" "$5" "$6"
	;;
nic-del)
	ip -n $FAB_NS link del "$(tap "$2")" 2>/dev/null || :
	;;
*) echo "usage?" >&2; exit 2 ;;
esac
