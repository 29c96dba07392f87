#!/bin/bash
# amphora.sh killed|datagrams|logged|options|pair|unfit|SCRIPT.py [OPTION...]: runs that part, or a script that uses machine.py, on
# a machine of its own: its network, its processes, its /run, its pins, its files (LAB_DIR); nothing of it stays.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../../scripts/lib/common.sh"
need_root
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LAB_BUILD=${LAB_BUILD:-$TOP/build/release}
export PYTHONPATH=$here:$TOP/tests/support
case $1 in
  *.py) script=$(realpath "$1") ;;
  *) script=$here/$1.py ;;
esac
shift
LAB_DIR=$(temporary_folder amphora)
export LAB_DIR
trap 'rm -rf "$LAB_DIR"' EXIT
chmod 755 "$LAB_DIR" # HAProxy's workers are nobody's superuser
# shellcheck disable=SC2016  # the inner shell expands it
attended unshare --mount --net --pid --fork --kill-child=SIGKILL --mount-proc --propagation private -- bash -c '
  mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/lock
  # plugged_interfaces is there, whatever base_path is.
  mkdir -p /var/lib/octavia && mount -t tmpfs tmpfs /var/lib/octavia
  mount -t bpf bpf /sys/fs/bpf
  ip link set lo up
  exec python3 "$@"' amphora "$script" "$@"
