#!/bin/bash
# Every header and source of ours compiles by itself, in no unit and without precompiled headers: it
# includes what it uses. alone.sh BUILD-FOLDER
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/sources.sh"

build=$1

# FILE, FOLDER and COMMAND of each source, tab between; as the build compiles it, but syntax only.
commands=$(tests/check/commands.py "$build" | jq -r '.[] | [.file, .directory, (.command
  | sub(" -c .*"; "") | . + " -include utility -Werror -fsyntax-only")] | @tsv')

# A header is compiled like a source of its folder, else like any.
list() {
  local file command
  sources '*.cc' | while read -r file; do
    command=$(grep -F "$TOP/$file"$'\t' <<<"$commands" | cut -f 2-) || continue
    printf '%s\t%s\t%s\n' "$file" "${command%%$'\t'*}" "${command#*$'\t'}"
  done
  sources '*.h' | grep -vE '^bpf/|^tests/(bpf|bench)/' | while read -r file; do
    command=$(grep -F "$TOP/$(dirname "$file")/" <<<"$commands" | head -n 1 | cut -f 2-)
    [[ -n $command ]] || command=$(head -n 1 <<<"$commands" | cut -f 2-)
    printf '%s\t%s\t%s\n' "$file" "${command%%$'\t'*}" "${command#*$'\t'} -x c++ -Wno-pragma-once-outside-header"
  done
}

mapfile -t all < <(list)
need_sources ${#all[@]}
failed=0
running=0
for item in "${all[@]}"; do
  IFS=$'\t' read -r file folder command <<<"$item"
  if ((running == $(nproc))); then
    wait -n || failed=1
  else
    running=$((running + 1))
  fi
  (cd "$folder" && eval "$command $(printf '%q' "$TOP/$file")") || {
    echo "$file does not compile by itself" >&2
    exit 1
  } &
done
for ((; running > 0; running--)); do wait -n || failed=1; done
[[ $failed == 0 ]] || exit 1
echo "${#all[@]} files compile by themselves"
