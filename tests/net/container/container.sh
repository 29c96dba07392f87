#!/bin/bash
# The load balancer in a container, as packaging/container/run starts it: with the capabilities that it names and no others,
# killed under traffic, and come back. LAB_BUILD is the build directory. LAB_IMAGE=FILE is an image as `podman save` writes
# it; without it, the container has this machine's files and the package of this build.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1  lab_server
#    held connections,    the container's   `-- m2  lab_server
#    datagrams            namespace
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../../scripts/lib/common.sh"
if [[ ${1:-} != inside ]]; then
  need_root
  folder=$(temporary_folder container)
  trap 'rm -rf --one-file-system "$folder"' EXIT
  export LAB_BUILD=${LAB_BUILD:-$TOP/build/release}
  if [[ -z ${LAB_IMAGE:-} ]]; then BUILD=$LAB_BUILD "$TOP/packaging/build-deb" "$folder"; fi
  # What podman, the lab and the kernel's file systems keep is in mounts that end with the processes.
  attended unshare --mount --pid --ipc --fork --kill-child=SIGKILL --mount-proc --propagation private -- \
    "$here/container.sh" inside "$folder"
  exit
fi

packages=$2
mount -t tmpfs tmpfs /run
umount --lazy /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mkdir -p /var/lib/containers
mount -t tmpfs tmpfs /var/lib/containers
mount --bind "$packages" /mnt # where overlays and podman's own files are
mkdir /mnt/podman
mount -t tmpfs tmpfs /mnt/podman
source "$here/../traffic/traffic.sh"
lab_begin container

# Of this machine, and nothing of what the container may: where podman keeps things, and limits that it may set.
cat >"$LAB_DIR/containers.conf" <<CONF
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "crun"
CONF
printf '[storage]\ndriver = "vfs"\ngraphroot = "/mnt/podman/images"\nrunroot = "/run/podman"\n' >"$LAB_DIR/storage.conf"
export CONTAINERS_CONF=$LAB_DIR/containers.conf CONTAINERS_STORAGE_CONF=$LAB_DIR/storage.conf

if [[ -n ${LAB_IMAGE:-} ]]; then
  podman load --quiet --input "$LAB_IMAGE" >"$LAB_DIR/loaded"
  image=("$(sed -n 's/^Loaded image: //p' "$LAB_DIR/loaded")")
  agent=()
else
  mkdir /mnt/podman/{above,work,root}
  mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/podman/above,workdir=/mnt/podman/work /mnt/podman/root
  dpkg-deb --fsys-tarfile "$packages"/*.deb | tar -x --keep-directory-symlink -C /mnt/podman/root
  mount -t tmpfs tmpfs /mnt/podman/root/tmp # what others have there comes and goes
  image=(--rootfs /mnt/podman/root)
  agent=(/usr/sbin/amphora-xdp-agent)
fi

lab_topology two-armed 2
lab_members
mkdir "$LAB_DIR"/{config,state,run}
# The file that README.md has copied, with the lab's interfaces added: only what it says of the namespace counts.
lab_agent_config | jq --slurpfile copied "$TOP/packaging/container/agent.json" \
  'del(.state_dir, .control_socket, .pin_root, .namespace) + $copied[0]' >"$LAB_DIR/config/agent.json"
LAB_SOCKET=$LAB_DIR/run/control.sock
NAME=$LAB CONFIG=$LAB_DIR/config STATE=$LAB_DIR/state "$TOP/packaging/container/run" "$LAB-amphora" \
  --log-driver k8s-file --log-opt path="$LAB_DIR/agent.log" --volume "$LAB_DIR/run:/run/amphora-xdp" \
  "${image[@]}" "${agent[@]}" >"$LAB_DIR/id"
main_pid() { podman inspect --format '{{.State.Pid}}' "$LAB"; }
lab_until 20 "the agent to answer" lab_is_up

# As packaging/container/run says, and no more, in the agent and whatever it starts.
wanted=$(grep -oE '^ *--cap-add [A-Z_,]+' "$TOP/packaging/container/run" | awk '{ print $2 }' | tr , '\n' | sed 's/^/cap_/' | tr '[:upper:]' '[:lower:]' | sort)
bounds=$(capsh --decode="$(awk '/^CapBnd/ { print $2 }' "/proc/$(main_pid)/status")" | sed 's/.*=//' | tr , '\n' | sort)
[[ $bounds == "$wanted" ]] || fail "it may more, or less, than what run says: $bounds"
grep -q '^NoNewPrivs:.*1$' "/proc/$(main_pid)/status" || fail "it may get new privileges"
podman exec "$LAB" sh -c '! echo 1 2>/dev/null >/proc/sys/kernel/printk && ! touch /usr/bin/something 2>/dev/null' ||
  fail "it writes where it must not"
pass "it has the capabilities that run says, and no others: $(wc -l <<<"$bounds")"

create_lb contained "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)")" \
  "$(listener_json HTTP 8080 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1 1)" | jq -c '.default_pool.protocol = "HTTP"')"
layer7() { lab_in client curl -s -f -m 2 -o "$LAB_DIR/curl.out" "http://$LAB_VIP4:8080/"; }
lab_until 10 "HAProxy to serve layer 7" layer7
modes=$(lab_api GET /v1/status | jq -c '[.interfaces[] | .mode] | unique')
[[ $modes == '["native"]' ]] || fail "XDP is $modes"
expect "connections by way of the VIP" "$(lab_client requests --connections 200 --concurrency 4 --target "$LAB_VIP4:80")" \
  '.failed == 0 and .members.m1.answered == 100 and .members.m2.answered == 100'
[[ $(counted established) -gt 500 ]] || fail "XDP has carried $(counted established) packets"
pass "XDP is native and carries them; HAProxy serves layer 7"
podman exec "$LAB" amphora-xdp --json doctor >"$LAB_DIR/doctor.json" || true
bad=$(jq -c '[.checks[] | select(.grade == "fail" or .grade == "unseen")]' "$LAB_DIR/doctor.json")
[[ $bad == '[]' ]] || fail "doctor finds in it: $bad"
pass "doctor finds nothing wrong in it"

# The first process of a container is everybody's parent there, and ends with everybody.
lab_load held hold --target "$LAB_VIP4:80" --connections 40 --pause-ms 5 --ready-file "$LAB_DIR/held"
lab_load datagrams hold --udp --target "$LAB_VIP4:53" --connections 40 --pause-ms 20
lab_load short requests --target "$LAB_VIP4:80" --connections 0 --concurrency 4 --pause-ms 2
lab_until 10 "held connections" test -e "$LAB_DIR/held"
sleep 1
before=$(main_pid)
kill -KILL "$before"
is_another() { now=$(main_pid) && [[ $now != 0 && $now != "$before" ]] && lab_is_up; }
lab_until 30 "podman to start it again" is_another
lab_until 10 "HAProxy to serve layer 7 again" layer7
sleep 1
lab_load_end
for name in held datagrams short; do
  expect "killed under traffic, and back: $name, none failed" "$(cat "$LAB_DIR/$name.json")" '.failed == 0 and .requests > 200'
done
expect "resources are there again" "$(lab_api GET /v2.0/lbaas/listeners)" '.listeners | length == 3'

# HAProxy leaves children to the container's first process.
zombies() { pgrep --count --parent "$(main_pid)" --runstates Z || true; } # it prints 0, and fails, where there is none
listener=$(id_of listeners l-HTTP-8080)
for ((i = 0; i < 8; i++)); do
  lab_change PUT "/v2.0/lbaas/listeners/$listener" "{\"listener\": {\"timeout_client_data\": $((40000 + i))}}" >/dev/null
done
no_zombies() { [[ $(zombies) -eq 0 ]]; }
for ((i = 0; i < 100; i++)); do ! no_zombies || break; sleep 0.1; done
no_zombies || fail "$(zombies) ended children were not waited for"
pass "after eight reloads of HAProxy nobody is left over"

podman stop --time 10 "$LAB" >/dev/null
[[ $(lab_in amphora bpftool -j net | jq -c '[.[0].xdp[] | .devname] | sort') == '["eth1","eth2"]' ]] || fail "stopped, and XDP is gone"
podman rm --force "$LAB" >/dev/null
NAME=$LAB-teardown CONFIG=$LAB_DIR/config STATE=$LAB_DIR/state "$TOP/packaging/container/run" "$LAB-amphora" \
  --detach=false --restart no --rm "${image[@]}" /usr/sbin/amphora-xdp-agent --teardown >"$LAB_DIR/teardown.log" 2>&1 ||
  fail "the teardown: $(cat "$LAB_DIR/teardown.log")"
! podman container exists "$LAB-teardown" || fail "torn down, and the container is there"
[[ ! -e /sys/fs/bpf/amphora-xdp && $(lab_in amphora bpftool -j net | jq -c '.[0].xdp') == '[]' ]] ||
  fail "torn down, and there is $(ls /sys/fs/bpf)"
pass "stopped it goes on forwarding; torn down nothing is left"
