#!/bin/bash
# Short connections from clients that use every port there is, and members that close first: no SYN
# has to be repeated because of the port that was chosen, and the last ten seconds are as fast as
# the first. ports.sh ADDRESSES MEMBERS [SECONDS [nftables]]; nftables: the kernel's full NAT, to
# compare with, of which nothing is expected.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 ... each keeps TIME_WAIT for a minute
#     198.51.100.100 and more
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

addresses=$1
members=$2
seconds=${3:-15}
balancer=${4:-amphora-xdp}

lab_begin ports
lab_topology two-armed "$members"
lab_in client sysctl -q -w net.ipv4.tcp_tw_reuse=1
sources=(198.51.100.100)
for ((i = 1; i < addresses; i++)); do
  lab_address client eth0 "198.51.100.$((100 + i))/24"
  sources+=("198.51.100.$((100 + i))")
done
lab_members

balance() {
  local weights=() i
  lab_agent_start
  for ((i = 0; i < members; i++)); do weights+=(1); done
  create_lb ports "$LAB_VIP4" \
    "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT "${weights[@]}")")"
}
balance_by_nftables() {
  local turns=() i
  lab_amphora_addresses amphora
  lab_in amphora sysctl -q -w net.ipv4.ip_forward=1
  for ((i = 0; i < members; i++)); do
    turns+=("$i : $(lab_member_address "m$((i + 1))" ipv4) . $LAB_MEMBER_PORT,")
  done
  lab_in amphora nft -f - <<NFT
table ip lb {
  chain pre {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr $LAB_VIP4 tcp dport 80 dnat ip to numgen inc mod $members map { ${turns[*]} }
  }
  chain post {
    type nat hook postrouting priority srcnat; policy accept;
    ip daddr 203.0.113.0/24 masquerade
  }
}
NFT
}
if [[ $balancer == nftables ]]; then balance_by_nftables; else balance; fi

opened() { lab_in client nstat -asz TcpActiveOpens | awk '/ActiveOpens/ { print $2 }'; }
# opened_in SECONDS: so many connections
opened_in() {
  local before
  before=$(opened)
  sleep "$1"
  echo $(($(opened) - before))
}
lab_spawn_in client "$LAB_DIR/report.json" "$LAB_BUILD/tests/net/lab/lab_client" requests --target "$LAB_VIP4:80" \
  --connections 0 --concurrency 32 --member-closes --seconds "$seconds" --from "${sources[@]}"
client=$LAB_PID
if ((seconds >= 40)); then
  sleep 1
  first=$(opened_in 10)
  sleep $((seconds - 23))
  last=$(opened_in 10)
fi
wait "$client" || true
report=$(cat "$LAB_DIR/report.json")
connections=$(jq .connections <<<"$report")
repeated=$(repeated_syns)
[[ ! ${last-} ]] || printf '%s: %s connections in ten seconds at first, %s at last\n' "$balancer" "$first" "$last"
if [[ $balancer == nftables ]]; then
  printf '%s of %s SYNs were repeated\n' "$repeated" "$connections"
  exit
fi
expect "no connection failed" "$report" '.failed == 0 and .connections > 1000'
((repeated * 1000 <= connections)) || fail "$repeated of $connections SYNs were repeated"
pass "$repeated of $connections SYNs were repeated"
[[ ! ${last-} ]] || ((last * 100 >= first * 95)) || fail "it has become slower: from $first to $last"
