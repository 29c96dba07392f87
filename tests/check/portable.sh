#!/bin/bash
# The tree builds anywhere: it names no place of one machine and no host to fetch from.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/sources.sh"

# Written so that this file does not match itself.
places='(^|[^[:alnum:]_./-])/(work|workspace|home/[a-z]+|Users)/[[:alnum:]]|/tmp/b-[a-z]'
hosts='pypi[.]org|pythonhosted[.]org|npmjs[.]org|crates[.]io|docker[.]io|ghcr[.]io|quay[.]io|proxy[.]golang[.]org|deb[.]debian[.]org|FetchContent|ExternalProject'

mapfile -t files < <(sources '*' | grep -Ev '^(LICENSE|tests/check/portable[.]sh)$')
need_sources ${#files[@]}
if grep -nIE "$places" "${files[@]}"; then
  echo "a path of one machine is in the tree" >&2
  exit 1
fi
if grep -nIE "$hosts" "${files[@]}"; then
  echo "the build fetches nothing: everything comes from Debian's packages" >&2
  exit 1
fi
echo "${#files[@]} files are portable"
