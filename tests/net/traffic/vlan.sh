#!/bin/bash
# VLANs on one wire, with every offload that a veth has: each network has its VIPs and members, and those of one are reached from the
# other, and from a third one that is on a wire of its own. A kernel without 802.1Q has the untagged network alone, and
# frames of a VLAN that is nobody's. vlan.sh FAMILY
#
#   client  eth0, eth0.100           --[switch]-- eth1, eth1.100 amphora eth2 ---- eth0 m3
#   m1      eth0                     ----|                                   203.0.113.0/24, 2001:db8:203::/64
#   m2      eth0, eth0.100           ----|
#     untagged 198.51.100.0/24, 2001:db8:100::/64; VLAN 100 192.0.2.0/24, 2001:db8:a::/64; VLAN 200 is nobody's
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1
lab_begin vlan
modprobe -q 8021q || true
lab_namespace probe
lab_ip probe link add p0 type veth peer name p1
fronts=(untagged tagged) networks=(untagged tagged apart)
if ! lab_ip probe link add link p0 name p0.1 type vlan id 1 2>/dev/null; then
  echo "this kernel has no 802.1Q: no interface is a VLAN"
  fronts=(untagged) networks=(untagged apart)
  LAB_AGENT_FIELDS='"hook": "tc",'
fi
has_vlans() { [[ ${#fronts[@]} == 2 ]]; }

plain_end=$(declare -f lab_end_of_link)
eval "lab_plain_end ${plain_end#lab_end_of_link}"
lab_end_of_link() { lab_ip "$1" link set "$2" up; } # as the kernel makes them
lab_topology one-armed 2
lab_end_of_link() { lab_plain_end "$@"; } # XDP may send to m3
lab_namespace m3
lab_link m3 eth0 amphora eth2
lab_address m3 eth0 203.0.113.13/24
lab_address m3 eth0 2001:db8:203::13/64
LAB_MEMBERS+=(m3)
vlan() { # SPACE INTERFACE [HOST-NUMBER]
  lab_ip "$1" link add link "$2" name "$2.100" type vlan id 100
  lab_ip "$1" link set "$2.100" up
  [[ -n ${3:-} ]] || return 0
  lab_address "$1" "$2.100" "192.0.2.$3/24"
  lab_address "$1" "$2.100" "2001:db8:a::$3/64"
}
if has_vlans; then
  vlan client eth0 100
  vlan amphora eth1
  vlan m2 eth0 12
fi
lab_members
for name in m1 m2 m3; do
  lab_spawn_in "$name" "$LAB_DIR/$name-echo.log" python3 "${BASH_SOURCE[0]%/*}/path.py" serve 9090
done

plain_config=$(declare -f lab_agent_config)
eval "lab_plain_config ${plain_config#lab_agent_config}"
lab_agent_config() {
  local vlan='[]'
  ! has_vlans || vlan='[{"name": "eth1.100", "addresses": ["192.0.2.2/24", "2001:db8:a::2/64"]}]'
  lab_plain_config | jq --arg hook "$eth2" --argjson vlan "$vlan" '.interfaces += $vlan + [
    {"name": "eth2", "hook": $hook, "addresses": ["203.0.113.2/24", "2001:db8:203::2/64"]}]'
}
# start HOOK: the agent comes, or comes again, with this one on eth2
start() {
  [[ -z ${LAB_AGENT_PID:-} ]] || lab_agent_stop TERM
  eth2=$1
  lab_agent_start
}
interfaces() { lab_api GET /v1/status | jq -c '[.interfaces[] | {interface, mode, reason, obstacle}]'; }

start tc
if has_vlans; then
  expect "a VLAN is on tc, and says why" "$(interfaces)" \
    'any(.interface == "eth1.100" and .mode == "tc" and (.reason | contains("a VLAN has no native XDP")))'
  expect "and so is the veth that it is on" "$(interfaces)" \
    'any(.interface == "eth1" and .mode == "tc" and (.reason | contains("does not see them")))'
fi

declare -A vip member # by network; ports of listeners end with the number of the member's
declare -A number=([untagged]=0 [tagged]=1 [apart]=2)
if [[ $family == ipv4 ]]; then
  vip=([untagged]=$LAB_VIP4 [tagged]=192.0.2.10)
  member=([untagged]=198.51.100.11 [tagged]=192.0.2.12 [apart]=203.0.113.13)
else
  vip=([untagged]=$LAB_VIP6 [tagged]=2001:db8:a::10)
  member=([untagged]=2001:db8:100::11 [tagged]=2001:db8:a::12 [apart]=2001:db8:203::13)
fi
to() { # NETWORK PORT: that network's member, as a pool's only one
  echo "[{\"name\": \"$1\", \"address\": \"${member[$1]}\", \"protocol_port\": $2}]"
}
for network in "${fronts[@]}"; do
  listeners=()
  for where in "${networks[@]}"; do
    listeners+=("$(listener_json TCP "8${number[$where]}" ROUND_ROBIN "$(to "$where" "$LAB_MEMBER_PORT")")")
    listeners+=("$(listener_json TCP "9${number[$where]}" ROUND_ROBIN "$(to "$where" 9090)")")
    listeners+=("$(listener_json UDP "9${number[$where]}" ROUND_ROBIN "$(to "$where" 9090)")")
  done
  create_lb "$network" "${vip[$network]}" "${listeners[@]}"
done
expect "the program has all listeners" "$(lab_api GET /v1/status)" ".placements | length == $((${#fronts[@]} * ${#networks[@]} * 3)) and all(.placement == \"xdp\")"

at() { if [[ $1 == *:* ]]; then echo "[$1]:$2"; else echo "$1:$2"; fi; }
path() { lab_in client python3 "${BASH_SOURCE[0]%/*}/path.py" "$@"; }
requests() { lab_client requests --target "$(at "$1" "$2")" --connections 50 --concurrency 2; }

for network in "${fronts[@]}"; do
  address=${vip[$network]}
  for where in "${networks[@]}"; do
    i=${number[$where]} what="$network clients, $where members"
    before=$(counted established) kernel=$(counted nexthop_unresolved)
    expect "$what: requests" "$(requests "$address" "8$i")" '.failed == 0 and .connections >= 50'
    for way in get put; do
      expect "$what: $way" "$(path $way "$address" "9$i" 3000000)" '.bytes == 3000000'
    done
    expect "$what: datagrams" "$(path echo "$address" "9$i" 100 1400 4096 32768)" '.answered == .asked'
    expect "$what: by the program" "$(($(counted established) - before))" '. > 400'
    # which forwards what has no next hop yet, and no more
    expect "$what: not by the kernel" "$(($(counted nexthop_unresolved) - kernel))" '. < 40'
  done
done

# ---- a VLAN that has no interface here ---------------------------------------

before=$(counted vlan) begun=$(counted new_flow)
lab_in client python3 "${BASH_SOURCE[0]%/*}/tagged.py" eth0 "$(lab_in amphora cat /sys/class/net/eth1/address)" 200 \
  "${vip[untagged]}" 80
all_counted() { (($(counted vlan) - before >= 5)); }
lab_until 5 "frames of another VLAN to be the kernel's" all_counted
expect "frames of another VLAN are the kernel's, and begin no flow" "$(($(counted new_flow) - begun))" '. == 0'

# ---- native XDP beside it ------------------------------------------------------

has_vlans || exit 0
start xdp
expect "an interface that no VLAN is on may be native" "$(interfaces)" 'any(.interface == "eth2" and .mode == "native")'
before=$(counted nexthop_unresolved)
expect "tagged clients, members behind native XDP" "$(requests "${vip[tagged]}" 82)" '.failed == 0 and .connections >= 50'
expect "the kernel forwards what XDP has for a VLAN" "$(($(counted nexthop_unresolved) - before))" '. > 50'
