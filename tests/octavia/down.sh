#!/bin/bash
# Stop everything up.sh started, by recorded pid, and remove its namespaces.
# Logs and recordings stay in $BOX_RUN until the next up.sh.
# Names, addresses and paths of the box have no blanks.
# shellcheck disable=SC2086,SC2046,SC2034
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
T0=$(date +%s.%N)
for p in housekeeping health worker api netapi; do reap $p TERM 15 & done; wait
for f in "$BOX_RUN"/pids/amp* "$BOX_RUN"/pids/member*; do [ -e "$f" ] && reap "$(basename "$f")" & done; wait
for p in rabbit mariadb; do reap $p TERM 60 & done; wait
reap epmd
for ns in $(ip netns list | awk -v own="^$BOX_NS-" '$1 ~ own {print $1}'); do ip netns del "$ns"; done
rm -f "$BOX_RUN/up"
left=$(ls "$BOX_RUN/pids" 2>/dev/null)
log "down in $(echo "$(date +%s.%N) - $T0" | bc) s${left:+; still recorded: $left}"
