#!/usr/bin/env python3
"""The check that keepalived runs on an amphora of a pair fails within two seconds when HAProxy hangs, when the agent
does, and when the agent is gone; it passes again as soon as they go on. A route that the kernel refuses changes nothing.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

import machine
from keepalived import keepalived_conf
from machine import LB, VIP, VRRP_IP, Machine, until

PID = pathlib.Path(f"/run/amphora-xdp/haproxy/{LB.replace('-', '')}/haproxy.pid")
LIMIT = 2.0
SLACK = 0.3  # of this machine, and of the check itself


def text(box):
    return machine.haproxy_text([1], path=f"{box.folder}/octavia").replace("mode tcp", "mode http")


def vrrp(box):
    return keepalived_conf(LB, VIP, VRRP_IP, "198.51.100.3", f"{box.folder}/octavia", seconds=1, times=1)


def fit(box):
    return subprocess.run(("bash", f"{box.folder}/octavia/vrrp/check_script.sh"), check=False).returncode == 0


def children_of(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def hung(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def expect_unfit(box, what):
    begun = time.monotonic()
    until(10, f"the check to fail when {what}", lambda: not fit(box))
    took = time.monotonic() - begun
    if took > LIMIT + SLACK:
        raise AssertionError(f"{what}: the check fails after {took:.1f} s")
    print(f"ok   {what}: the check fails after {took:.1f} s")


def main():
    with Machine() as box:
        box.configure(loadbalancer_topology="ACTIVE_STANDBY")
        box.start()
        box.plug_vip()
        box.plug_network("203.0.113.2")
        box.must("PUT", "/1.0/vrrp/upload", vrrp(box))
        box.must("PUT", "/1.0/vrrp/start")
        expect_unfit(box, "nothing was uploaded")
        box.put_haproxy(text(box))
        box.reload(LB)
        until(10, "the check to pass", lambda: fit(box))
        until(10, "the VIP", lambda: VIP in machine.ip(machine.SPACE, "addr", "show", "dev", "eth1"))
        print("ok   a node that serves is fit, and has the VIP")
        with hung(*children_of(int(PID.read_text()))):
            expect_unfit(box, "HAProxy hangs")
        until(10, "HAProxy to be heard", lambda: fit(box))
        for link in json.loads(machine.sh("bpftool", "link", "show", "-j")):
            if link["type"] == "xdp" and link.get("devname") == "eth2":
                machine.sh("bpftool", "link", "detach", "id", str(link["id"]))
        until(LIMIT + SLACK, "the program to be back on eth2", lambda: "prog/xdp" in machine.ip(machine.SPACE, "link",
                                                                                         "show", "dev", "eth2"))
        print("ok   a program that somebody took off is back within two seconds")
        until(10, "the node to be fit again", lambda: fit(box))
        with hung(box.agent.pid):
            expect_unfit(box, "the agent hangs")
        until(10, "the agent to be heard", lambda: fit(box))
        # Its gateway is our own address, which no kernel takes.
        refused = {"destination": "192.0.2.0/24", "nexthop": "203.0.113.2"}
        body = box.network_body("203.0.113.2")
        body["fixed_ips"][0]["host_routes"] = [refused]
        box.must("POST", "/1.0/plug/network", body)
        until(10, "the refusal", lambda: box.shown("/v1/status")["reconcile"]["error"])
        for _ in range(20):
            if not fit(box):
                raise AssertionError("a route that is refused makes the node unfit")
            time.sleep(0.1)
        print(f"ok   fit with {box.shown('/v1/status')['reconcile']['error']}")
        box.kill()
        expect_unfit(box, "the agent was killed")


if __name__ == "__main__":
    main()
