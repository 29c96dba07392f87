#!/bin/bash
# Short connections from clients that use every port there is, and members that close first: no SYN
# has to be repeated because of the port that was chosen. ports.sh ADDRESSES MEMBERS [SECONDS]
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 ... each keeps TIME_WAIT for a minute
#     198.51.100.100 and more
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

addresses=$1
members=$2
seconds=${3:-15}

lab_begin ports
lab_topology two-armed "$members"
lab_in client sysctl -q -w net.ipv4.tcp_tw_reuse=1
sources=(198.51.100.100)
for ((i = 1; i < addresses; i++)); do
  lab_address client eth0 "198.51.100.$((100 + i))/24"
  sources+=("198.51.100.$((100 + i))")
done
lab_members
lab_agent_start
weights=()
for ((i = 0; i < members; i++)); do weights+=(1); done
create_lb ports "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT "${weights[@]}")")"

report=$(lab_client requests --target "$LAB_VIP4:80" --connections 0 --concurrency 32 \
  --member-closes --seconds "$seconds" --from "${sources[@]}" || true)
expect "no connection failed" "$report" '.failed == 0 and .connections > 1000'
connections=$(jq .connections <<<"$report")
repeated=$(lab_in client nstat -asz TcpExtTCPSynRetrans | awk '/SynRetrans/ { print $2 }')
((repeated * 1000 <= connections)) || fail "$repeated of $connections SYNs were repeated"
pass "$repeated of $connections SYNs were repeated"
