#!/bin/bash
# models.sh SOURCES WORK [slow]: spin exhausts each model (*.pml) without an error, and finds every precaution that is
# left out of it (-DBUG=1..N, as its head says). `slow`: only what takes a minute each.
set -u
sources=$(realpath "$1")/tests/bpf/flow_table
work=$(realpath -m "$2")
failed=0

exhaust() { # MODEL DEFINITIONS...: what pan says, in FOLDER/log
  local model=$1 folder
  shift
  folder=$work/$(basename "$model" .pml)${*// /}
  rm -rf "$folder"
  mkdir -p "$folder"
  cd "$folder" || exit 1
  cp "$model" model.pml
  if ! spin "$@" -a model.pml >build.log 2>&1 || ! cc -O2 -w -DSAFETY -DCOLLAPSE -o pan pan.c >>build.log 2>&1; then
    echo "DOES NOT BUILD ($folder/build.log)"
    return
  fi
  timeout 300 ./pan -m1000000 >log 2>&1
  if grep -q 'errors: 0' log && ! grep -q 'max search depth too small' log; then
    echo "nothing found, $(awk '/states, stored/ { print $1 }' log) states"
  elif grep -q 'errors: 1' log; then
    echo "found: $(grep -m 1 -o 'assertion violated.*\|invalid end state.*' log)"
  else
    echo "NOT EXHAUSTED ($folder/log)"
  fi
}

check() { # WANTED MODEL DEFINITIONS...
  local wanted=$1 said
  shift
  said=$(exhaust "$@")
  echo "$(basename "$1") ${*:2}: $said"
  [[ $said == "$wanted"* ]] || { echo "  should be: $wanted" && failed=1; }
}

table=$sources/table.pml life=$sources/life.pml
packets=(-DPACKETS=2 -DKILLS=0 -DSWEEPS=0)
if [[ ${3:-} == slow ]]; then
  killed=(-DPACKETS=2 -DKILLS=1 -DSWEEPS=1 -DWAYS=3)
  check "nothing found" "$table" "${packets[@]}" -DT2=1
  check "nothing found" "$table" "${killed[@]}" -DT2=1 -DREST=0
  for bug in 5 6; do check found "$table" "${killed[@]}" -DT2=2 "-DBUG=$bug"; done
  check "nothing found" "$life" -DCLIENT=2 -DMEMBER=1 -DKILLS=1
  check "nothing found" "$life" -DCLIENT=2 -DMEMBER=1 -DGRACE=0
  exit "$failed"
fi
for rest in 0 1; do check "nothing found" "$table" -DPACKETS=1 -DKILLS=1 -DSWEEPS=1 -DT2=1 "-DREST=$rest"; done
for bug in 1 2 4; do check found "$table" "${packets[@]}" -DT2=1 "-DBUG=$bug"; done
for bug in 3 7; do check found "$table" "${packets[@]}" -DT2=2 "-DBUG=$bug"; done
check "nothing found" "$sources/handover.pml"
for bug in 1 2 3 4; do check found "$sources/handover.pml" "-DBUG=$bug"; done
check "nothing found" "$life" -DCLIENT=2 -DMEMBER=2
for bug in 1 2 3 4 5; do check found "$life" -DCLIENT=2 -DMEMBER=2 "-DBUG=$bug"; done
exit "$failed"
