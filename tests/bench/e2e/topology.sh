# shellcheck shell=bash
# What scripts/bench measures on: one such lab for each contestant, side by side, one busy at a time.
#
#   client eth0 ------- eth1 amphora eth2 ------- eth0 m1 (nginx, iperf3)
#   198.51.100.100/24   .2, VIP .10  .2 /25       203.0.113.11/25
#                               eth3 ------- eth0 m2 (nginx)
#                               .130 /25      203.0.113.140/25
#
# GRO is on at every end, so that every device has a NAPI context whose thread can be accounted and
# pinned, whoever balances. Senders compute their own checksums and segments, as on a wire.

bench_link() { # SPACE IF SPACE IF
  ip link add "$2" netns "$LAB-$1" type veth peer name "$4" netns "$LAB-$3"
  lab_in "$1" ethtool -K "$2" tx off tso off gso off gro on >/dev/null
  lab_in "$3" ethtool -K "$4" gro on >/dev/null
  lab_ip "$1" link set dev "$2" xdpdrv obj "$LAB_BUILD/tests/net/lab/xdp_pass.bpf.o" sec xdp
  lab_ip "$1" link set "$2" up
  lab_ip "$3" link set "$4" up
}

# bench_topology ours|haproxy|nftables|bare: LAB is that contestant's prefix. Our agent sets its own
# addresses.
bench_topology() {
  local space
  for space in client amphora m1 m2; do lab_namespace $space; done
  bench_link client eth0 amphora eth1
  bench_link m1 eth0 amphora eth2
  bench_link m2 eth0 amphora eth3
  lab_address client eth0 198.51.100.100/24
  lab_address m1 eth0 203.0.113.11/25
  lab_address m2 eth0 203.0.113.140/25
  # Bare forwarding translates nothing: client and members must know the way.
  lab_ip client route add 203.0.113.0/24 via 198.51.100.2
  lab_ip m1 route add default via 203.0.113.2
  lab_ip m2 route add default via 203.0.113.130
  [[ $1 != ours ]] || return 0
  lab_address amphora eth1 198.51.100.2/24
  lab_address amphora eth1 "$LAB_VIP4/32"
  lab_address amphora eth2 203.0.113.2/25
  lab_address amphora eth3 203.0.113.130/25
  # Nobody else shall get help from the kernel's forwarding.
  [[ $1 != nftables ]] || lab_in amphora sysctl -q -w net.ipv4.ip_forward=1
}
