#!/bin/bash
# The element for diskimage-builder: what it depends on is there, its scripts can run and are read by their shells, its
# packages are Debian's, and its static files are taken by who reads them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
element=$TOP/packaging/dib/amphora-xdp
wrong=0
bad() {
  echo "packaging/dib/amphora-xdp/$1"
  wrong=1
}

theirs=/usr/lib/python3/dist-packages/diskimage_builder/elements
for needed in $(<"$element/element-deps"); do
  [[ -d $theirs/$needed ]] || bad "element-deps: diskimage-builder has no element $needed"
done
scripts=0
for file in "$element"/*.d/*; do
  scripts=$((scripts + 1))
  # run-parts takes only what has no other characters, and can be run; environment.d is sourced.
  [[ $(basename "$file") =~ ^[0-9][0-9]-[a-z-]+(\.bash)?$ ]] || bad "${file#"$element/"}: run-parts does not take this name"
  [[ -x $file || $file == *.bash ]] || bad "${file#"$element/"}: is not executable"
  bash -n "$file" || bad "${file#"$element/"}: is no bash"
done
((scripts >= 4)) || bad "only $scripts scripts"
sed -n 's/^\([a-z][a-z0-9.+-]*\):.*/\1/p' "$element/package-installs.yaml" | while read -r package; do
  [[ -n $(apt-cache policy "$package" 2>/dev/null) ]] || { bad "package-installs.yaml: no package $package"; exit 1; }
done || wrong=1
sh -n "$element/static/usr/lib/amphora-xdp/spare-queues" || bad "spare-queues: is no sh"
exit "$wrong"
