#!/usr/bin/env python3
"""How fast an amphora answers its controller with 1,000 members: a row for each call of the REST API; then what an upload of the
same text changes, and how long a new weight takes from the reload to its answer, which comes when the ring is written.

If Debian's python agent is installed (amphora-agent), it is asked the same in turns, where it can be.
Runs where tests/net/amphora/amphora.sh brings it.
"""
import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import threading
import time

import machine
from machine import AMPHORA, LB, VIP, Machine

MEMBERS = 1000


def milliseconds(work):
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def newest_pid():
    """Of this pid namespace, threads and processes alike: ours looks into its namespace by a thread of its own."""
    return int(pathlib.Path("/proc/sys/kernel/ns_last_pid").read_text())


def memory(pid):
    """MiB: what is the process's own (of what it shares with those it forked, its part), and with what it maps."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    own, rss = (int(re.search(rf"{name}:\s+(\d+)", text)[1]) / 1024 for name in ("Pss_Anon", "Rss"))
    return {"own_mib": own, "rss_mib": rss}


class Stock:
    """The python agent, on the same machine and with the same certificates. What it has systemd do is not done: that time
    would be HAProxy's."""

    PROGRAM, PORT = pathlib.Path("/usr/bin/amphora-agent"), 9444

    def __init__(self, box):
        self.box, folder = box, box.folder / "stock"
        (folder / "octavia/certs").mkdir(parents=True)
        (folder / "bin").mkdir()
        for name in ("systemctl", "service"):
            stub = folder / "bin" / name
            stub.write_text("#!/bin/sh\nexit 0\n")
            stub.chmod(0o755)
        # Fixed places of its log, of its units, and of what an image has for its HAProxy. The first process here is
        # this one: it has to look like an init that the agent knows.
        ctypes.CDLL(None).prctl(15, b"systemd")
        for place in ("/var/log", "/var/lib/octavia", "/usr/lib/systemd/system"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
        pathlib.Path("/var/lib/octavia/haproxy-default-user-group.conf").write_text("global\n    group nogroup\n")
        pathlib.Path("/run/rsyslog/octavia").mkdir(parents=True)
        self.log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log.bind("/run/rsyslog/octavia/log")
        threading.Thread(target=self.read_log, daemon=True).start()
        text = (box.folder / "amphora-agent.conf").read_text()
        text = text.replace(f"{box.folder}/octavia", f"{folder}/octavia").replace("9443", str(self.PORT))
        text = text.replace(f"{box.folder}/interfaces", f"{folder}/interfaces")
        (folder / "interfaces").mkdir()
        (folder / "amphora-agent.conf").write_text(text.replace("debug = True", "debug = False"))
        self.process = subprocess.Popen(
            [str(self.PROGRAM), "--config-file", str(folder / "amphora-agent.conf")], start_new_session=True,
            env={"PATH": f"{folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, stdout=(folder / "out").open("wb"),
            stderr=subprocess.STDOUT)
        machine.until(60, "the stock agent to answer", self.answers)

    def read_log(self):
        while True:
            self.log.recv(65536)

    def answers(self):
        try:
            return self.box.call("GET", "/", on=self.connection())[0] == 200
        except OSError:
            return False

    def connection(self):
        return self.box.connection(self.PORT)

    def processes(self):
        """With those that it has forked."""
        return [int(pid) for pid in subprocess.run(["pgrep", "-f", str(self.PROGRAM)], capture_output=True,
                                                   text=True, check=True).stdout.split()]

    def memory(self):
        all_of_it = [memory(pid) for pid in self.processes()]
        return {name: sum(one[name] for one in all_of_it) for name in ("own_mib", "rss_mib")}

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Calls:
    def __init__(self, box, stock, rounds):
        self.box, self.stock, self.rounds, self.rows, self.others = box, stock, rounds, {}, {}
        self.on = box.connection()

    def time(self, what, method, path, body=None, compare=True):
        """Ours and the stock agent's in turns. It closes its connection after each answer, as it always does."""
        ours, theirs = self.rows.setdefault(what, []), self.others.setdefault(what, [])
        for _ in range(self.rounds):
            ours.append(milliseconds(lambda: self.box.must(method, path, body, self.on)))
            if self.stock and compare:
                theirs.append(milliseconds(lambda: self.box.call(method, path, body, self.stock.connection())))

    def weights(self, number):
        return [1 + (number + index) % 3 for index in range(MEMBERS)]

    def all(self):
        box, pem = self.box, (self.box.folder / "client.pem").read_text()
        text = machine.haproxy_text(self.weights(0))
        box.put_haproxy(text, self.on)
        box.reload(LB, self.on)
        if self.stock:
            box.put_haproxy(text, self.stock.connection())
        for what, path in (("GET /", "/"), ("GET info", "/1.0/info"), ("GET details", "/1.0/details"),
                           ("GET listeners", "/1.0/listeners"), ("GET interface", f"/1.0/interface/{VIP}"),
                           ("GET haproxy", f"/1.0/loadbalancer/{LB}/haproxy")):
            self.time(what, "GET", path)
        name = f"/1.0/loadbalancer/{LB}/certificates/one.pem"
        self.time("PUT certificates", "PUT", name, pem)
        self.time("GET certificates", "GET", name)
        self.time("DELETE certificates", "DELETE", name)
        # These would change the stock agent's configuration, or need what this machine does not have (IPVS).
        self.time("PUT config", "PUT", "/1.0/config", (box.folder / "amphora-agent.conf").read_text(), False)
        self.time("PUT certificate", "PUT", "/1.0/certificate", (box.folder / "server.pem").read_text(), False)
        self.time("POST plug/network, as it is", "POST", "/1.0/plug/network", box.network_body("203.0.113.2"), False)
        self.time("PUT udp_listener", "PUT", f"/1.0/listeners/{AMPHORA}/{machine.UDP}/udp_listener", machine.lvs_text(1),
                  False)
        self.time("PUT reload of it", "PUT", f"/1.0/loadbalancer/{machine.UDP}/reload", None, False)
        self.time("DELETE listeners", "DELETE", f"/1.0/listeners/{machine.UDP}", None, False)
        unchanged = self.unchanged(text)
        self.changed()
        return unchanged

    def unchanged(self, text):
        put, reload = f"/1.0/loadbalancer/{AMPHORA}/{LB}/haproxy", f"/1.0/loadbalancer/{LB}/reload"
        begun, pids = (self.box.folder / "agent.log").stat().st_size, newest_pid()
        self.time("PUT haproxy, unchanged", "PUT", put, text, False)
        self.time("PUT reload, unchanged", "PUT", reload, None, False)
        time.sleep(0.5)
        said = (self.box.folder / "agent.log").read_bytes()[begun:]
        found = {"map_entries_changed": said.count(b"put "), "threads_started": newest_pid() - pids}
        if self.stock:
            for what, path, body in (("PUT haproxy, unchanged", put, text), ("PUT reload, unchanged", reload, None)):
                self.others[what] = [milliseconds(lambda: self.box.call("PUT", path, body, self.stock.connection()))
                                     for _ in range(self.rounds)]
        return found

    def changed(self):
        put, reload = [], []
        for number in range(1, self.rounds + 1):
            text = machine.haproxy_text(self.weights(number))
            put.append(milliseconds(lambda: self.box.put_haproxy(text, self.on)))
            reload.append(milliseconds(lambda: self.box.reload(LB, self.on)))
        self.rows["PUT haproxy, other weights"] = put
        self.rows["PUT reload, until the ring is written"] = reload


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    result = {}
    with contextlib.ExitStack() as ends:
        box = ends.enter_context(Machine(debug=True))
        box.start()
        stock = None
        if Stock.PROGRAM.exists() and pathlib.Path("/var/lib/octavia").exists():
            stock = Stock(box)
            ends.callback(stock.end)
        time.sleep(3)
        result["idle"] = memory(box.agent.pid)
        box.plug_vip()
        box.plug_network("203.0.113.2")
        calls = Calls(box, stock, options.rounds)
        result |= {"unchanged": calls.all(), "ms": calls.rows}
        time.sleep(3)
        result["with_members"] = memory(box.agent.pid)
        if stock:
            result["stock"] = {"ms": calls.others, "memory": stock.memory()}
    show(result)
    options.json.write_text(json.dumps(result, indent=1))


def show(result):
    others = result.get("stock", {}).get("ms", {})
    print(f"{'REST, 1,000 members, ms':44} {'min':>9} {'median':>9} {'max':>9} {'stock agent, median':>20}")
    for what, values in result["ms"].items():
        theirs = f"{statistics.median(others[what]):20.2f}" if others.get(what) else f"{'-':>20}"
        print(f"{what:44} {min(values):9.2f} {statistics.median(values):9.2f} {max(values):9.2f} {theirs}")
    print("an upload of the same text, and its reload: {map_entries_changed} map entries changed, {threads_started} "
          "threads started".format(**result["unchanged"]))
    print("memory of the agent, its own: {:.1f} MiB idle, {:.1f} with 1,000 members (RSS, with the maps: {:.1f}, {:.1f})".format(
        result["idle"]["own_mib"], result["with_members"]["own_mib"], result["idle"]["rss_mib"],
        result["with_members"]["rss_mib"]))
    if "stock" in result:
        print("memory of the stock agent's processes: {own_mib:.1f} MiB their own, {rss_mib:.1f} RSS".format(
            **result["stock"]["memory"]))
    else:
        print("no stock agent on this machine (octavia-agent): nothing to compare with")


if __name__ == "__main__":
    main()
