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

# bpf(2): struct bpf_prog_info has its name at 64, verified_insns at 216.
PROGRAMS = """
import ctypes, json, struct
libc = ctypes.CDLL(None, use_errno=True)
def bpf(command, attributes):
    return libc.syscall(321, command, ctypes.byref(attributes), len(attributes))
out, last = {}, 0
while True:
    attributes = ctypes.create_string_buffer(struct.pack("III", last, 0, 0), 32)
    if bpf(11, attributes) < 0:
        break
    last = struct.unpack_from("I", attributes, 4)[0]
    fd = bpf(13, ctypes.create_string_buffer(struct.pack("III", last, 0, 0), 32))
    info = ctypes.create_string_buffer(256)
    if fd >= 0 and bpf(15, ctypes.create_string_buffer(struct.pack("IIQ", fd, 256, ctypes.addressof(info)), 32)) == 0:
        out[info.raw[64:80].split(bytes(1))[0].decode()] = struct.unpack_from("I", info, 216)[0]
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
    assert native == set(interfaces), f"doctor sees in {space}: {[one for one in checks if one['check'] == 'xdp']}"
    assert space in guest.run("ip netns list").split(), "nobody sees the namespace"
    return checks


def verified(guest):
    """(instructions that the verifier followed when the machine loaded the program, how many it may at most)."""
    seen = python(guest, PROGRAMS)["lb_xdp"]
    release = tuple(int(part) for part in guest.run("uname -r").split("-")[0].split(".")[:2])
    most = None
    for line in BUDGET.read_text().splitlines():
        words = line.split()
        if words[:1] == ["lb_xdp"] and tuple(int(part) for part in words[1].split(".")) <= release:
            most = int(words[2])  # of the newest kernel that is not newer
    assert most is not None and seen <= most, f"{seen} instructions were verified, {most} may be"
    return seen, most


def has_logged(guest, log, program):
    return int(guest.run(f"grep -c ' {program}\\[' /var/log/{log} || true").strip() or 0) > 0


def started_in(guest):
    """systemd's own words for how long the start took, and of what."""
    return guest.run("systemd-analyze time | head -n 1; systemd-analyze blame --no-pager | head -n 8")
