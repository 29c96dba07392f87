"""What is looked at in a machine: its memory, what its operator is told, what the verifier had to do."""
import json
import pathlib
import shlex

BUDGET = pathlib.Path(__file__).resolve().parents[1] / "bpf" / "verifier_budget.txt"
OURS = ("amphora-xdp-age", "haproxy", "keepalived")  # as the kernel cuts names
MIB = 1 << 20
MOST_IDLE, MOST_OURS = 150 * MIB, 40 * MIB

# Run by the machine's own Python. Of each process, what it shares is counted in parts; the flow table is the kernel's,
# and only mapped by the agent.
PROCESSES = """
import json, os
out = {}
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        name = open(f"/proc/{pid}/comm").read().strip()
        lines = open(f"/proc/{pid}/smaps").read().splitlines()
    except OSError:
        continue
    one = out.setdefault(name, {"processes": 0, "pss": 0, "maps": 0})
    one["processes"] += 1
    what = "pss"
    for words in map(str.split, lines):
        if not words[0].endswith(":"):
            what = "maps" if len(words) > 5 and "bpf-map" in words[5] else "pss"
        elif words[0] == "Pss:":
            one[what] += int(words[1]) * 1024
memory = dict(line.split(":") for line in open("/proc/meminfo"))
kib = lambda key: int(memory[key].split()[0]) * 1024
print(json.dumps({"processes": out, "total": kib("MemTotal"), "used": kib("MemTotal") - kib("MemAvailable")}))
"""

# The instructions that the verifier followed, by program: of bpf(2), as bpftool of the machine may not say them.
PROGRAMS = """
import ctypes, json, os, struct
BPF, NEXT_ID, FD_BY_ID, INFO = 321, 11, 13, 15  # the system call (x86-64), and of enum bpf_cmd: BPF_PROG_GET_NEXT_ID, ...
INFO_SIZE, NAME, VERIFIED = 256, slice(64, 80), 216  # struct bpf_prog_info: its name, verified_insns
libc = ctypes.CDLL(None)
def bpf(command, attributes):
    return libc.syscall(BPF, command, ctypes.byref(attributes), len(attributes))
out, last = {}, 0
while True:
    attributes = ctypes.create_string_buffer(struct.pack("III", last, 0, 0), 32)
    if bpf(NEXT_ID, attributes) < 0:
        break
    last = struct.unpack_from("I", attributes, 4)[0]
    fd = bpf(FD_BY_ID, ctypes.create_string_buffer(struct.pack("III", last, 0, 0), 32))
    if fd < 0:
        continue  # it has just gone
    info = ctypes.create_string_buffer(INFO_SIZE)
    if bpf(INFO, ctypes.create_string_buffer(struct.pack("IIQ", fd, INFO_SIZE, ctypes.addressof(info)), 32)) == 0:
        out[info.raw[NAME].split(bytes(1))[0].decode()] = struct.unpack_from("I", info, VERIFIED)[0]
    os.close(fd)
print(json.dumps(out))
"""


def python(guest, program):
    return json.loads(guest.run("python3 -c " + shlex.quote(program)))


def idle_memory(guest):
    """(bytes in use, bytes that there are)."""
    seen = python(guest, PROCESSES)
    assert seen["used"] < MOST_IDLE, f"the idle machine uses {seen['used'] >> 20} MiB"
    return seen["used"], seen["total"]


def own_memory(guest, wanted):
    """{program: its bytes}, all of `wanted` among them."""
    seen = python(guest, PROCESSES)["processes"]
    ours = {name: one for name, one in seen.items() if name in OURS}
    assert set(wanted) <= set(ours), f"not all run: {sorted(ours)}"
    everything = sum(one["pss"] for one in ours.values())
    assert everything < MOST_OURS, f"agent, HAProxy and keepalived use {everything >> 20} MiB: {ours}"
    return ours


def doctor(guest, space, interfaces):
    """Its diagnoses: nothing has failed, the namespace could be looked at, and XDP is native on each interface."""
    answer = json.loads(guest.run("amphora-xdp --json doctor || true"))
    checks = answer["checks"]
    bad = [one for one in checks if one["grade"] in ("fail", "unseen")]
    assert not bad and answer["healthy"], f"doctor: {bad}"
    native = {one["of"] for one in checks if one["check"] == "xdp" and one["what"] == "native"}
    assert native == set(interfaces), f"XDP is not native on {interfaces}: {[one for one in checks if one['check'] == 'xdp']}"
    assert space in guest.run("ip netns list").split(), "nobody sees the namespace"
    return checks


def version(text):
    """(6, 1) of "6.1" or "6.1.0-57-amd64"."""
    return tuple(int(part) for part in text.split("-")[0].split(".")[:2])


def verified(guest):
    """(instructions that the verifier followed when the machine loaded the program, how many it may at most)."""
    seen = python(guest, PROGRAMS)["lb_xdp"]
    release = version(guest.run("uname -r"))
    lines = [line.split() for line in BUDGET.read_text().splitlines()]
    budgets = {version(words[1]): int(words[2]) for words in lines if words[:1] == ["lb_xdp"]}
    most = budgets[max(since for since in budgets if since <= release)]
    assert seen <= most, f"{seen} instructions were verified, {most} may be"
    return seen, most


def unit(guest, name, *properties):
    shown = guest.run(f"systemctl show -p {','.join(properties)} {name}")
    return dict(line.split("=", 1) for line in shown.splitlines())


def has_logged(guest, log, program):
    return int(guest.run(f"grep -c ' {program}\\[' /var/log/{log} || true").strip() or 0) > 0


def started_in(guest):
    """systemd's own words for how long the start took, and of what."""
    return guest.run("systemd-analyze time | head -n 1; systemd-analyze blame --no-pager | head -n 8")
