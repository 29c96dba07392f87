#!/bin/bash
# The same packets through the load balancer and through the kernel's full NAT (nftables: DNAT and masquerade, one
# member): what becomes of them may differ only for reasons that reasons.py has.
#
#   ends o0 ---- eth1 amphora        eth2 ---- o1 ends      (our agent)
#   ends k0 ---- eth1 amphora-kernel eth2 ---- k1 ends      (nftables)
#
# differential.sh [PACKETS [SEED]]
set -euo pipefail
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
source "$here/../traffic/traffic.sh"
packets=${1:-20000} seed=${2:-1}

lab_begin differ
LAB_KIND=two-armed LAB_MEMBER_NET4=203.0.113 LAB_MEMBER_NET6=2001:db8:203:
for space in ends amphora amphora-kernel; do lab_namespace "$space"; done
lab_link ends o0 amphora eth1
lab_link ends o1 amphora eth2
lab_link ends k0 amphora-kernel eth1
lab_link ends k1 amphora-kernel eth2
for link in o0:c0 k0:c0 o1:b0 k1:b0; do
  lab_ip ends link set "${link%:*}" address "02:00:00:00:00:${link#*:}" arp off
done
lab_in ends sysctl -qw net.ipv6.conf.all.disable_ipv6=1

lab_agent_start
# What both are told: who is where, and to answer errors without a limit of rate.
for space in amphora amphora-kernel; do
  lab_in $space sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 \
    net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=1000000
done

lab_amphora_addresses amphora-kernel
lab_in amphora-kernel nft -f - <<NFT
table inet lb {
  chain pre {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr $LAB_VIP4 tcp dport 80 dnat ip to 203.0.113.11:8080
    ip daddr $LAB_VIP4 udp dport 53 dnat ip to 203.0.113.11:8080
    ip daddr $LAB_VIP4 sctp dport 3868 dnat ip to 203.0.113.11:8080
    ip6 daddr $LAB_VIP6 tcp dport 80 dnat ip6 to [2001:db8:203::11]:8080
    ip6 daddr $LAB_VIP6 udp dport 53 dnat ip6 to [2001:db8:203::11]:8080
    ip6 daddr $LAB_VIP6 sctp dport 3868 dnat ip6 to [2001:db8:203::11]:8080
  }
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
    ip daddr 203.0.113.11 masquerade
    ip6 daddr 2001:db8:203::11 masquerade
  }
}
NFT
# As a load balancer's should be: it takes no connection up in the middle, and leaves windows to the ends.
lab_in amphora-kernel sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 net.netfilter.nf_conntrack_tcp_be_liberal=1

# Nothing is told to who has been idle for as long as this takes.
patient='"timeout_client_data": 3600000, "timeout_member_data": 3600000,'
listeners() { # FAMILY
  create_lb "$1" "$(vip "$1")" "$(listener_json TCP 80 ROUND_ROBIN "$(members_json "$1" 8080 1)" "$patient")" \
    "$(listener_json UDP 53 ROUND_ROBIN "$(members_json "$1" 8080 1)" "$patient")" \
    "$(listener_json SCTP 3868 ROUND_ROBIN "$(members_json "$1" 8080 1)" "$patient")"
}
listeners ipv4
listeners ipv6
for space in amphora amphora-kernel; do
  for at in "198.51.100.100 eth1 c0" "2001:db8:100::100 eth1 c0" "203.0.113.11 eth2 b0" "2001:db8:203::11 eth2 b0"; do
    read -r address link end <<<"$at"
    lab_ip $space neigh replace "$address" dev "$link" lladdr "02:00:00:00:00:$end" nud permanent
  done
done
macs=()
for space in amphora amphora-kernel; do
  for link in eth1 eth2; do macs+=("$(lab_in $space cat /sys/class/net/$link/address)"); done
done
# The agent hears of neighbours from the kernel: packets go to the member once both ways to it have its address.
ways_are_known() {
  bpftool -j map dump pinned "$(echo "$LAB_PINS"/v*/lb_nexthops)" |
    jq -e '[.[] | select(.value[:6] == ["0x02", "0x00", "0x00", "0x00", "0x00", "0xb0"])] | length == 2' >"$LAB_DIR/ways"
}
lab_until 10 "the ways to the member" ways_are_known
lab_in ends /usr/bin/python3 "$here/differential.py" "$seed" "$packets" "${macs[@]}"
pass "$packets packets by each way differ only for reasons that are known"
