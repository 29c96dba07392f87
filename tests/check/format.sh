#!/bin/bash
# clang-format decides: kernel style for BPF C, Google's for C++.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/sources.sh"

# A header that BPF C includes, itself or through another, is written in its style, wherever it lies.
kernel_sources() {
  local known more
  known=$(sources 'bpf/*.h' 'bpf/*.c' '*.bpf.c' | sort -u)
  while :; do
    more=$({
      echo "$known"
      echo "$known" | xargs grep -hoP '^#include "\K[^"]+' | sort -u | while read -r header; do
        sources "$header"
      done
    } | sort -u)
    [[ $more != "$known" ]] || break
    known=$more
  done
  echo "$known"
}
mapfile -t kernel < <(kernel_sources)
mapfile -t cxx < <(comm -23 <(sources '*.cc' '*.h' | sort) <(printf '%s\n' "${kernel[@]}"))
need_sources ${#kernel[@]}
need_sources ${#cxx[@]}
clang-format-14 --dry-run -Werror --style=file:bpf/.clang-format "${kernel[@]}"
clang-format-14 --dry-run -Werror "${cxx[@]}"
echo "${#kernel[@]} BPF and ${#cxx[@]} C++ files are formatted"
