# shellcheck shell=bash
# For the checks: what is ours, from git where there is one, else from the tree as it lies.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$TOP" || exit 1

# sources PATTERN...: tracked files whose path matches one of the globs, one a line.
sources() {
  if git -c safe.directory="$TOP" rev-parse --git-dir >/dev/null 2>&1; then
    git -c safe.directory="$TOP" ls-files --cached -- "$@" | while read -r file; do
      [[ ! -f $file ]] || echo "$file"
    done
  else
    local pattern
    for pattern in "$@"; do
      find . -path ./build -prune -o -path ./out -prune -o -type f -path "./$pattern" -printf '%P\n'
    done | sort -u
  fi
}

# An empty list means that the check looks at the wrong place: that is a failure, not a pass.
need_sources() {
  [[ $1 -gt 0 ]] || {
    echo "found no sources under $TOP: nothing was checked" >&2
    exit 1
  }
}
