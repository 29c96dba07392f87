#!/usr/bin/env python3
"""How fast the agent takes changes, beside how long this machine needs to flush a file of the same size.

Runs in the member's namespace of a lab (scripts/bench), so that it can be a member that stops listening. Prints minimum,
median and maximum in milliseconds.
"""
import argparse
import http.client
import json
import os
import pathlib
import re
import socket
import statistics
import tempfile
import threading
import time

VIP, M1, SOCKET = os.environ["LAB_VIP4"], os.environ["LAB_M1"], os.environ["LAB_SOCKET"]
LOG = pathlib.Path(os.environ["LAB_DIR"]) / "agent.log"


class Control(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


control = Control("localhost")


def call(method, path, body=None):
    control.request(method, path, None if body is None else json.dumps(body))
    answer = control.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
    return json.loads(text) if text else None


def active(load_balancer):
    return call("GET", f"/v2.0/lbaas/loadbalancers/{load_balancer}?fields=provisioning_status")["loadbalancer"][
        "provisioning_status"] == "ACTIVE"


def timed(work):
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def until_active(load_balancer):
    while not active(load_balancer):
        time.sleep(0.0005)


def members(count):
    """All at one address: what is measured does not depend on who answers. Checked at 8080."""
    return [{"name": f"m{i}", "address": M1, "protocol_port": 10000 + i, "monitor_address": M1, "monitor_port": 8080}
            for i in range(count)]


def big_pool(rounds):
    made = call("POST", "/v2.0/lbaas/loadbalancers", {"loadbalancer": {"name": "big", "vip_address": VIP, "listeners": [
        {"name": "web", "protocol": "TCP", "protocol_port": 80, "default_pool": {
            "name": "web", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": members(1000),
            "healthmonitor": {"type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1}}}]}})
    lb = made["loadbalancer"]["id"]
    until_active(lb)
    pool = call("GET", "/v2.0/lbaas/pools")["pools"][0]["id"]
    rows = call("GET", f"/v2.0/lbaas/pools/{pool}/members")["members"]
    watched = rows[0]["id"]
    path = f"/v2.0/lbaas/pools/{pool}/members/{watched}"
    result = {"weight change, answered": [], "weight change, in the maps": []}
    for turn in range(rounds):
        begun = time.perf_counter()
        call("PUT", path, {"member": {"weight": 2 + turn % 2}})
        result["weight change, answered"].append((time.perf_counter() - begun) * 1e3)
        until_active(lb)
        result["weight change, in the maps"].append((time.perf_counter() - begun) * 1e3)
    for what, target in (("show of a load balancer", f"loadbalancers/{lb}"), ("show of a member", path.removeprefix("/v2.0/lbaas/")),
                         ("list of 1,000 members", f"pools/{pool}/members"), ("status tree", f"loadbalancers/{lb}/status"),
                         ("statistics", f"loadbalancers/{lb}/stats")):
        result[what] = [timed(lambda: call("GET", "/v2.0/lbaas/" + target)) for _ in range(rounds)]
    member = Member()
    call("PUT", path, {"member": {"monitor_port": 8090}})
    until_active(lb)
    result["member down, from the answer to the ring"] = [down(member, path) for _ in range(rounds)]
    memory = pathlib.Path(f"/proc/{os.environ['LAB_AGENT_PID']}/smaps_rollup").read_text()
    call("DELETE", f"/v2.0/lbaas/loadbalancers/{lb}?cascade=true")
    gone()
    return result, int(re.search(r"Private_Dirty:\s+(\d+)", memory)[1]) / 1024


class Member:
    """A member that answers health checks, until it is told not to; when it first said so is in `failed`."""

    def __init__(self):
        self.server = socket.create_server((M1, 8090), backlog=64)
        self.failing, self.failed = threading.Event(), None
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.server.accept()
            with connection:
                connection.recv(4096)
                status = "503 Out" if self.failing.is_set() else "200 OK"
                connection.sendall(f"HTTP/1.0 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                if self.failing.is_set() and self.failed is None:
                    self.failed = time.perf_counter()

    def fail(self, fails):
        self.failed = None
        (self.failing.set if fails else self.failing.clear)()


def down(member, path):
    """From the answer that decides to the agent's word that its tables are written."""
    wait_for(path, "ONLINE")
    time.sleep(0.5)  # what came before is written
    begin = LOG.stat().st_size
    member.fail(True)
    while b"applied" not in read_from(begin):
        time.sleep(0.0002)
    written = time.perf_counter()
    took = (written - member.failed) * 1e3
    member.fail(False)
    return took


def read_from(begin):
    with LOG.open("rb") as log:
        log.seek(begin)
        return log.read()


def wait_for(path, status):
    end = time.monotonic() + 20
    while call("GET", path)["member"]["operating_status"] != status:
        if time.monotonic() > end:
            raise RuntimeError(f"{path} is not {status}")
        time.sleep(0.02)


def gone():
    while call("GET", "/v2.0/lbaas/loadbalancers")["loadbalancers"]:
        time.sleep(0.001)


def many_listeners(rounds):
    listeners = [{"name": f"l{i}", "protocol": "TCP", "protocol_port": 1000 + i, "default_pool": {
        "name": f"p{i}", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "members": members(100)}} for i in range(100)]
    answered, there = [], []
    for _ in range(min(rounds, 3)):
        begun = time.perf_counter()
        lb = call("POST", "/v2.0/lbaas/loadbalancers", {"loadbalancer": {
            "name": "many", "vip_address": VIP, "listeners": listeners}})["loadbalancer"]["id"]
        answered.append((time.perf_counter() - begun) * 1e3)
        until_active(lb)
        there.append((time.perf_counter() - begun) * 1e3)
        call("DELETE", f"/v2.0/lbaas/loadbalancers/{lb}?cascade=true")
        gone()
    return {"100 listeners x 100 members, answered": answered, "100 listeners x 100 members, in the maps": there}


def flushes(rounds):
    def flush():
        with tempfile.NamedTemporaryFile(dir=os.environ["LAB_DIR"]) as file:
            file.write(b"x" * 700000)
            file.flush()
            os.fsync(file.fileno())
    return [timed(flush) for _ in range(rounds)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    result, memory = big_pool(options.rounds)
    result |= many_listeners(options.rounds)
    result["(flushing 700 kB to this disk)"] = flushes(options.rounds)
    print(f"{'ms':44} {'min':>9} {'median':>9} {'max':>9}")
    for what, values in result.items():
        print(f"{what:44} {min(values):9.2f} {statistics.median(values):9.2f} {max(values):9.2f}")
    print(f"memory of the agent at 1,000 members, without the flow table: {memory:.1f} MiB")
    options.json.write_text(json.dumps({"ms": result, "agent_mib": memory}, indent=1))


main()
