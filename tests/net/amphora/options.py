#!/usr/bin/env python3
"""Options of amphora-agent.conf that HAProxy depends on: it is the program that `haproxy_cmd` names, and an upload may
use what is below `base_path`. What it may not use is refused when it is uploaded, and nothing is changed. And what
Octavia does not say: amphora.json."""
import os
import pathlib
import shutil

import machine
from machine import LB, Machine, answers, until

PID = pathlib.Path(f"/run/amphora-xdp/haproxy/{LB.replace('-', '')}/haproxy.pid")


def text(box, path=None):
    """A listener that only HAProxy can serve."""
    return machine.haproxy_text([1], path=path or f"{box.folder}/octavia").replace("mode tcp", "mode http")


def expect_refusal(box, bad, words):
    status, said = box.call("PUT", f"/1.0/loadbalancer/{machine.AMPHORA}/{LB}/haproxy", bad)
    if status != 400 or words not in said.decode():
        raise AssertionError(f"{words}: {status} {said.decode()}")
    kept = box.must("GET", f"/1.0/loadbalancer/{LB}/haproxy").decode()
    if kept != text(box):
        raise AssertionError(f"{words}: what is kept is\n{kept}")
    print(f"ok   refused: {words}")


SYSCTLS = pathlib.Path("/etc/sysctl.d")  # the machine's own: its mounts are private


def sysctl(name):
    return machine.sh("ip", "netns", "exec", machine.SPACE, "sysctl", "-n", name).strip()


def expect_what_octavia_does_not_say(box):
    modes = [interface["mode"] for interface in box.shown("/v1/status")["interfaces"]]
    if modes != ["tc", "tc"]:
        raise AssertionError(f"interfaces are on {modes}")
    machine.sh("ip", "netns", "exec", "client", "python3", "-c", f"""
import socket
for _ in range(100):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(('{machine.VIP}', 80))
""")
    counted = {verdict["verdict"]: verdict["packets"] for verdict in box.shown("/v1/verdicts")["verdicts"]}
    if counted["rate_limited"] < 10:
        raise AssertionError(f"of a hundred connections at once {counted['rate_limited']} met the rate of three")
    print(f"ok   what amphora.json says holds: tc, and {counted['rate_limited']} SYNs met a limit")


def main():
    machine.sh("mount", "-t", "tmpfs", "tmpfs", str(SYSCTLS))
    (SYSCTLS / "60-image.conf").write_text("net.ipv4.tcp_fin_timeout = 5\nnet.no_such = 1\nkernel.no_such = 1\n")
    with Machine() as box:
        program = box.folder / "haproxy"
        shutil.copy("/usr/sbin/haproxy", program)
        box.configure(haproxy_cmd=program)
        (box.folder / "amphora.json").write_text('{"hook": "tc", "new_flows_per_second": {"per_client": 3}}')
        box.start()
        box.plug_vip()
        box.plug_network("203.0.113.2")
        box.put_haproxy(text(box))
        box.reload(LB)
        until(10, "port 80", lambda: answers(80))
        runs = os.readlink(f"/proc/{PID.read_text().strip()}/exe")
        if runs != str(program):
            raise AssertionError(f"HAProxy is {runs}")
        print("ok   an upload with paths below base_path is served by haproxy_cmd")
        expect_what_octavia_does_not_say(box)
        expect_refusal(box, text(box).replace("global\n", "global\n    lua-load /tmp/evil.lua\n", 1), "lua-load")
        expect_refusal(box, text(box, "/etc"), "stats socket")
        if sysctl("net.ipv4.tcp_fin_timeout") != "5":
            raise AssertionError("the image's sysctls are not the namespace's")
        machine.sh("ip", "netns", "exec", machine.SPACE, "sysctl", "-w", "net.ipv4.tcp_fin_timeout=7")
        box.kill()
        box.start()
        if sysctl("net.ipv4.tcp_fin_timeout") != "7":
            raise AssertionError("a restart sets sysctls of a namespace that was there")
        print("ok   the image's sysctls are those of a new namespace")
        box.reload(LB)
        until(10, "port 80 after a restart", lambda: answers(80))
        print("ok   a restart serves what was kept")


if __name__ == "__main__":
    main()
