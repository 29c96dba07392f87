#!/bin/bash
# A real Octavia (API, worker, health manager, housekeeping of Debian's packages) on one machine
# drives amphorae that run our agent: octavia.sh PART, the parts of scenario.sh.
#
#   client --+            +-- member1, member2
#            |  br-vip    |  br-mem
#          amphora machines (own net, mount, pid namespaces)
#            |  br-mgmt
#          controller: Octavia, RabbitMQ, MariaDB
#
# Makes namespaces of its own names, takes everything away at the end; what was logged is printed of a
# run that failed. OCTAVIA_KEEP=1: everything stays, `BOX_RUN=... BOX_NS=... down.sh` ends it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../scripts/lib/common.sh"
part=${1:?a part of scenario.sh}
case $part in
  vrrp) export BOX_TOPOLOGY=ACTIVE_STANDBY ;;
  killed) export BOX_HB_TIMEOUT=60 ;;
  rotation) export BOX_CERT_INTERVAL=20 BOX_CERT_BUFFER=5184000 ;;
esac
export BOX_NS="axo$$"
BOX_RUN=$(temporary_folder octavia)
export BOX_RUN

finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM
  if [[ $status -ne 0 ]]; then
    tail -n 60 "$BOX_RUN"/amp*/*/console.log "$BOX_RUN"/log/*.out 2>/dev/null || true
    grep -hE 'ERROR|WARNING' "$BOX_RUN"/log/octavia-{worker,health-manager}.log 2>/dev/null | tail -n 60 || true
  fi
  if [[ ${OCTAVIA_KEEP:-} == 1 ]]; then
    echo "kept: BOX_NS=$BOX_NS BOX_RUN=$BOX_RUN"
  else
    "$here/down.sh" || true
    rm -rf "$BOX_RUN"
  fi
  exit "$status"
}
trap finish EXIT
attended "$here/up.sh"
attended "$here/scenario.sh" "$part"
