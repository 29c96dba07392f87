#!/bin/bash
# Datagrams whose first fragment comes last, in both directions: the others wait for it. backwards.sh FAMILY HOOK
#
#   client ---- eth1 amphora eth2 --[switch]-- m1
#     backwards.py ask                          backwards.py serve
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

family=$1 hook=$2
tool=$(dirname "${BASH_SOURCE[0]}")/backwards.py
lab_begin backwards
lab_topology two-armed 1
mac_of() { lab_in amphora cat "/sys/class/net/$1/address"; }
lab_spawn_in m1 "$LAB_DIR/m1.log" python3 "$tool" serve eth0 "$(mac_of eth2)" 9090
LAB_AGENT_FIELDS="\"hook\": \"$hook\","
lab_agent_start
expect_hook "$hook"
create_lb backwards "$(vip "$family")" "$(listener_json UDP 90 ROUND_ROBIN "$(members_json "$family" 9090 1)")"

send() { lab_in client python3 "$tool" "$1" eth0 "$(mac_of eth1)" "$(vip "$family")" 90 "${@:2}"; }
answer=$(send ask 1000 2000 4096 8192 32768 60000)
expect "datagrams of all sizes, last fragment first" "$answer" '.answered == .asked'
expect "what came before its first one waited" "$(counted fragment_held)" '. >= 100'

before=$(counted fragment_lost)
send lose 20
all_lost() { (($(counted fragment_lost) - before >= 20)); }
lab_until 10 "fragments whose first one never comes to be given up" all_lost
pass "fragments whose first one never comes are dropped"

# ---- nobody holds the kernel's back ------------------------------------------

held=$(counted fragment_held)
size=6000
lab_in client ping -c 5 -i 0.2 -s $size -W 5 "$(vip "$family")" >"$LAB_DIR/ping" || fail "no answer: $(cat "$LAB_DIR/ping")"
expect "a large ping is the kernel's at once" "$(($(counted fragment_held) - held))" '. == 0'
