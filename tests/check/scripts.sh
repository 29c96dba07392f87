#!/bin/bash
# Every shell script, those without a suffix too, is clean for shellcheck.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/sources.sh"

mapfile -t scripts < <(sources '*' | while read -r file; do
  case $file in
    *.sh) echo "$file" ;;
    *) ! head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -Eq '^#!.*\b(ba)?sh\b' || echo "$file" ;;
  esac
done)
need_sources ${#scripts[@]}
shellcheck --external-sources --source-path=SCRIPTDIR "${scripts[@]}"
echo "${#scripts[@]} scripts are clean"
