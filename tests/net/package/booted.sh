#!/bin/bash
# booted.sh COMMAND...: runs it on a machine that systemd has booted: this one's files under an overlay, its own network,
# processes, mounts, /run and bpffs. Nothing that is written stays, but for what is written into the project's folder.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../../scripts/lib/common.sh"
need_root
root=$(temporary_folder booted)
finish() {
  local status=$?
  trap - EXIT
  trap '' INT TERM
  if [[ -n ${machine:-} ]]; then
    kill -KILL "$machine" 2>/dev/null || true
    wait "$machine" 2>/dev/null || true
  fi
  rm -rf "$root"
  exit "$status"
}
trap finish EXIT

# shellcheck disable=SC2016  # the inner shell expands it
unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child=SIGKILL --propagation private -- bash -euc '
  source "$2/scripts/lib/common.sh"
  mount -t tmpfs tmpfs "$1"
  mkdir "$1"/{above,work,machine}
  mount -t overlay overlay -o lowerdir=/,upperdir="$1/above",workdir="$1/work" "$1/machine"
  cd "$1/machine"
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t bpf bpf sys/fs/bpf
  own_dev dev
  mount -t tmpfs tmpfs run
  mount -t tmpfs tmpfs tmp
  mkdir -p ".$2"
  mount --rbind "$2" ".$2"
  ip link set lo up
  # Only what is asked for runs on it, and what is installed is started.
  rm -f usr/sbin/policy-rc.d
  printf "[Unit]\nRequires=sysinit.target\n" >etc/systemd/system/container.target
  for unit in systemd-udevd systemd-udev-trigger systemd-modules-load systemd-sysctl; do
    ln -sf /dev/null "etc/systemd/system/$unit.service"
  done
  exec chroot . env -i container=lab /lib/systemd/systemd --system --unit=container.target --show-status=false' \
  container "$root" "$TOP" >"$root/console" 2>&1 &
machine=$!

booted() {
  init=$(pgrep -P "$machine" | head -n 1) && [[ -n $init ]] &&
    nsenter -t "$init" --all --root --wd systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'
}
end=$((SECONDS + 60))
until booted; do
  ((SECONDS < end)) || die "systemd did not come up: $(tail -n 5 "$root/console")"
  sleep 0.1
done
attended nsenter -t "$init" --all --root --wd -- env PATH="$PATH" TOP="$TOP" "$@"
