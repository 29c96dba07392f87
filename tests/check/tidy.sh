#!/bin/bash
# clang-tidy over our own C++: tidy.sh BUILD-FOLDER [product|all]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/sources.sh"

build=$1
what=${2:-product}

# Clang 14 has C++20's coroutines but does not announce them, nor does Boost 1.74 look for them.
coroutines=(--extra-arg=-D__cpp_impl_coroutine=201902L --extra-arg=-DBOOST_ASIO_HAS_CO_AWAIT=1
  --extra-arg=-DBOOST_ASIO_HAS_STD_COROUTINE=1)
# What GCC calls a warning is GCC's business.
quiet=(--quiet --extra-arg=-w)

compiled() { jq -r '.[].file' "$build/compile_commands.json" | sed "s|^$TOP/||" | sort -u; }

mapfile -t files < <(comm -12 <(compiled) <(sources '*.cc' | sort -u) |
  if [[ $what == product ]]; then grep -v '^tests/'; else cat; fi)
need_sources ${#files[@]}
printf '%s\0' "${files[@]}" | xargs -0 -P "$(nproc)" -n 1 \
  clang-tidy-14 -p "$build" "${quiet[@]}" "${coroutines[@]}"
echo "${#files[@]} files are tidy"
