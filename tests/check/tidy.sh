#!/bin/bash
# clang-tidy over our own C++: tidy.sh BUILD-FOLDER [product|all [FOLDER ...]]
#
# product: everything but tests. Most of the time goes into the headers of others, so the sources of a
# folder are looked at as one unit, and one by one only where that finds something or does not compile.
# all: the tests' sources, too, each by itself. FOLDER: only what lies there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
source "$TOP/tests/check/sources.sh"

build=$1
what=${2:-product}
folders=("${@:3}")
most=10 # sources in a unit: few enough to keep every CPU busy to the end

scratch=$(temporary_folder tidy)
# Interrupted, it takes those along that still look, and what they write.
finish() {
  mapfile -t looking < <(jobs -p)
  [[ ${#looking[@]} -eq 0 ]] || kill "${looking[@]}" 2>/dev/null || true
  wait
  rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM
export TMPDIR=$scratch

# Clang 14 has C++20's coroutines but does not announce them, nor does Boost 1.74 look for them, or
# include what has std::exchange. What GCC calls a warning is GCC's business.
tidy=(clang-tidy-14 -p "$scratch" --quiet --extra-arg=-w --extra-arg=-D__cpp_impl_coroutine=201902L
  --extra-arg=-DBOOST_ASIO_HAS_CO_AWAIT=1 --extra-arg=-DBOOST_ASIO_HAS_STD_COROUTINE=1
  --extra-arg=-includeutility)

tests/check/commands.py "$build" >"$scratch/each.json"
cp "$scratch/each.json" "$scratch/compile_commands.json"

mapfile -t files < <(comm -12 <(jq -r '.[].file' "$scratch/each.json" | sed "s|^$TOP/||" | sort -u) \
  <(sources '*.cc' | sort -u) |
  if [[ $what == product ]]; then grep -v '^tests/'; else cat; fi |
  if [[ ${#folders[@]} -gt 0 ]]; then grep -E "^($(IFS='|' && echo "${folders[*]}"))/"; else cat; fi)
need_sources ${#files[@]}

if [[ $what == product ]]; then
  # A unit: sources of one folder that are compiled alike. They are those of `files`, in its order.
  printf '%s\n' "${files[@]}" | jq -R . | jq -s --arg top "$TOP/" --arg scratch "$scratch" --argjson most "$most" \
    --slurpfile each "$scratch/each.json" '
    . as $files | [$each[0][] | .name = (.file | ltrimstr($top)) | select(.name | IN($files[]))
      | . + {folder: (.name | sub("/[^/]*$"; "")), how: (.command | sub(" -c .*"; ""))}]
    | group_by([.folder, .how]) | map(sort_by(.name)
        | (length / $most | ceil) as $units | (length / $units | ceil) as $size
        | . as $all | [range(0; length; $size)] | map($all[.:. + $size]))
    | add | sort_by(-length) | to_entries | map(
        "\($scratch)/unit\(.key).cc" as $unit
        | {directory: .value[0].directory, file: $unit, command: "\(.value[0].how) -c \($unit)",
           sources: [.value[].file]})' >"$scratch/units.json"
  jq -s 'add | map(del(.sources))' "$scratch/each.json" "$scratch/units.json" >"$scratch/compile_commands.json"
  jq -r '.[] | .file as $unit | .sources[] | [$unit, .] | @tsv' "$scratch/units.json" |
    while IFS=$'\t' read -r unit source; do echo "#include \"$source\"" >>"$unit"; done
fi

# look UNIT: clean as a unit, or each of its sources by itself.
look() {
  case $1 in
    "$scratch"/*)
      "${tidy[@]}" "$1" >/dev/null 2>&1 && return
      sed -E 's/^#include "(.*)"$/\1/' "$1" | xargs -n 1 "${tidy[@]}"
      ;;
    *) "${tidy[@]}" "$1" ;;
  esac
}

# Every CPU takes the next one; the biggest first.
if [[ $what == product ]]; then
  mapfile -t work < <(jq -r '.[].file' "$scratch/units.json")
else
  work=("${files[@]}")
fi
failed=0
running=0
for item in "${work[@]}"; do
  if ((running == $(nproc))); then
    wait -n || failed=1
  else
    running=$((running + 1))
  fi
  look "$item" &
done
for ((; running > 0; running--)); do wait -n || failed=1; done
[[ $failed == 0 ]] || exit 1
echo "${#files[@]} files are tidy"
