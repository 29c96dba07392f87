# shellcheck shell=bash
# What every script of ours needs: saying what happens, refusing with a reason.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TOP

say() { printf '== %s\n' "$*"; }

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# temporary_folder NAME: makes a folder below TMPDIR, or /tmp, that says whose it is, and prints it. Whoever
# makes one takes it away again.
temporary_folder() { mktemp -d --tmpdir "amphora-xdp-$1.XXXXXX"; }

# attended COMMAND...: runs it to its end, or until INT or TERM: they kill it and end the script, whose trap for EXIT
# sees status 130. (A shell hears of no signal while it waits for a command in the foreground.)
attended() {
  "$@" &
  # shellcheck disable=SC2064  # this one's
  trap "kill -KILL $! 2>/dev/null || true; exit 130" INT TERM
  wait $!
}

# debian_mirror PATTERN: an address that apt of this machine gets packages from, one that has PATTERN in it.
# shellcheck disable=SC2016  # apt expands it
debian_mirror() { apt-get indextargets --format '$(REPO_URI)' | sort -u | grep "$1" | head -n 1; }

# debian_sources: Debian 12 as apt of this machine has it, a line for each of sources.list.
debian_sources() {
  local main security
  main=$(debian_mirror '/debian/\?$') || die "apt of this machine has no mirror of Debian"
  printf 'deb %s bookworm main\ndeb %s bookworm-updates main\n' "$main" "$main"
  ! security=$(debian_mirror debian-security) || printf 'deb %s bookworm-security main\n' "$security"
}

# own_dev FOLDER: a /dev of its own there, with what every program needs and no disk: who empties it, or links something into
# it, does so to nobody else. To be called in a mount namespace of its own.
own_dev() {
  local node
  mount -t tmpfs -o mode=755,size=4M dev "$1"
  mkdir "$1/pts" "$1/shm"
  for node in null zero full random urandom tty; do cp -a "/dev/$node" "$1"; done
  ln -s /proc/self/fd "$1/fd"
  ln -s fd/0 "$1/stdin"
  ln -s fd/1 "$1/stdout"
  ln -s fd/2 "$1/stderr"
  ln -s pts/ptmx "$1/ptmx"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$1/pts"
  mount -t tmpfs shm "$1/shm"
}

need_root() {
  [[ $(id -u) -eq 0 ]] || die "needs root (namespaces, XDP, bpffs): run it with sudo"
}

# bpffs is where the pins live. Mounted here if nobody has; left mounted, like any system does.
need_bpffs() {
  [[ $(stat -f -c %T /sys/fs/bpf 2>/dev/null) == bpf_fs ]] && return
  say "mounting bpffs on /sys/fs/bpf"
  mount -t bpf bpf /sys/fs/bpf ||
    die "cannot mount bpffs on /sys/fs/bpf: the kernel needs CONFIG_BPF_SYSCALL, this user CAP_SYS_ADMIN"
}

# What the kernel must let us do before a network test can mean anything.
need_kernel() {
  local ns="probe-$$" why=""
  [[ -e /sys/kernel/btf/vmlinux ]] || die "no /sys/kernel/btf/vmlinux: the kernel needs CONFIG_DEBUG_INFO_BTF"
  ip netns add "$ns" 2>/dev/null || die "cannot make a network namespace: CAP_SYS_ADMIN is missing"
  ip -n "$ns" link add probe0 type veth peer name probe1 2>/dev/null || why="cannot make a veth pair in a namespace"
  ip netns del "$ns"
  [[ -z $why ]] || die "$why"
}
