#!/usr/bin/env python3
"""Two amphorae of a load balancer, with the texts that Octavia has rendered: connections go on when the active one dies,
and again when the one that has replaced it has to take over. Stick tables of their HAProxys go along by the same port.

  client 203.0.113.100 --.                      .-- eth1 .21  machine a, then c: eth1 .23
                         [bridge br0] ----------|-- eth1 .22  machine b
  m1 .11, m2 .12 --------'                      `   VIP 203.0.113.10, adverts each second

A machine has its own processes, mounts and network; its door is at 192.0.2.<number>.
"""
import argparse
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import machine
from machine import BUILD, LB, MACS, SPACE, Control, Machine, ip, sh, until

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "unit"
NET, VIP, PORT, HTTP_PORT = "203.0.113", "203.0.113.10", 80, 81
HTTP, HTTP_POOL = "11111111-0000-4000-8000-000000000081", "22222222-0000-4000-8000-000000000081"


def peer_name(amphora):
    """As Octavia names it among HAProxy's peers."""
    name = base64.b64encode(hashlib.sha1(amphora.encode()).digest(), b"_-").decode().rstrip("=")
    return "x" + name[1:] if name.startswith("-") else name


class Amphora(Machine):
    vip = VIP

    def __init__(self, number):
        super().__init__()
        self.number, self.name = number, "abc"[number - 1]
        self.folder = self.folder / self.name
        self.host, self.vrrp_ip = f"192.0.2.{number}", f"{NET}.2{number}"
        self.mac = MACS["nic1"][:-2] + f"{number:02}"
        self.amphora = machine.uuid("3c1b0a9f", number)
        self.whole = None  # the process that is the machine

    def make(self):
        self.folder.mkdir()
        self.folder.chmod(0o755)
        super().make()
        self.configure(bind_host=self.host, amphora_id=self.amphora, loadbalancer_topology="ACTIVE_STANDBY")

    def topology(self):
        script = ("mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/lock && mount -t tmpfs tmpfs /var/lib/octavia &&"
                  "mount -t bpf bpf /sys/fs/bpf && ip link set lo up && echo up && exec sleep infinity")
        self.whole = subprocess.Popen(("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=SIGKILL",
                                       "--mount-proc", "--propagation", "private", "bash", "-c", script),
                                      stdout=subprocess.PIPE, text=True)
        assert self.whole.stdout.readline() == "up\n"
        self.init = children_of(self.whole.pid)[0]
        self.inside = ("nsenter", "--target", str(self.init), "--mount", "--net", "--pid")
        door, port = f"door-{self.name}", f"port-{self.name}"
        sh("ip", "link", "add", door, "type", "veth", "peer", "name", "mgmt", "netns", str(self.init))
        sh("ip", "addr", "add", "192.0.2.254", "peer", self.host, "dev", door)
        sh("ip", "link", "set", door, "up")
        self.on("ip", "addr", "add", self.host, "peer", "192.0.2.254", "dev", "mgmt")
        self.on("ip", "link", "set", "mgmt", "up")
        sh("ip", "link", "add", port, "type", "veth", "peer", "name", "nic1", "netns", str(self.init))
        self.on("ip", "link", "set", "nic1", "address", self.mac)
        self.on("ethtool", "-K", "nic1", "tx", "off", "gro", "off")
        join(port)

    def on(self, *words):
        return sh(*self.inside, *words)

    def shown(self, path):
        with contextlib.closing(Control("localhost")) as connection:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(5)
            connection.sock.connect(f"/proc/{self.init}/root{machine.CONTROL}")
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())

    # ---- what a controller does ----

    def upload(self, other):
        """Both texts, of this amphora and `other`."""
        text = haproxy_text(self.folder, self, other)
        self.must("PUT", f"/1.0/loadbalancer/{self.amphora}/{LB}/haproxy", text)
        self.must("PUT", f"/1.0/loadbalancer/{LB}/reload")
        self.must("PUT", "/1.0/vrrp/upload", vrrp_text(self, other))
        self.must("PUT", "/1.0/vrrp/start")

    # ---- what it is ----

    def status(self):
        return self.shown("/v1/status")

    def replication(self):
        return self.status()["replication"] or {}

    def has_vip(self):
        return VIP in self.on("ip", "-n", SPACE, "-4", "addr", "show", "dev", "eth1")

    def stick_entries(self):
        """Of the pool that HAProxy serves."""
        with socket.socket(socket.AF_UNIX) as cli:
            cli.connect(f"/proc/{self.init}/root/run/amphora-xdp/haproxy/{LB.replace('-', '')}/stats.sock")
            cli.sendall(f"show table {HTTP_POOL}:{HTTP}\n".encode())
            with cli.makefile() as said:
                return [line for line in said if "key=" in line]

    def kill(self):
        os.kill(children_of(self.agent.pid)[0], signal.SIGKILL)
        self.agent.wait()

    def die(self):
        """Its link is cut, and everything on it killed, at once."""
        sh("ip", "link", "set", f"port-{self.name}", "down")
        self.end()

    def end(self):
        if self.whole is not None and self.whole.poll() is None:
            self.whole.kill()
            self.whole.wait()
        if self.agent is not None:
            self.agent.wait()


def children_of(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def haproxy_text(folder, own, other):
    """Octavia's of a listener at layer 4, and the same at layer 7 on another port."""
    text = (SAMPLES / "octavia/samples/haproxy/05-tcp-active-standby-sourceip-persist.cfg").read_text()
    text = text.replace("/var/lib/octavia", f"{folder}/octavia").replace("192.0.2.", f"{NET}.")
    text = re.sub(r" check inter.*", "", text)
    text = re.sub(r"(?m)^ *(load-server-state|timeout check|option httpchk|http-check|peer ).*\n", "", text)
    peers = "".join(f"    peer {peer_name(one.amphora)} {one.vrrp_ip}:1025\n" for one in (own, other))
    text = re.sub(r"(?m)^(peers .*\n)", lambda title: title[0] + peers, text)
    second = text[text.index("frontend "):]
    listener, pool = (re.search(rf"{word} (\S+)", second)[1] for word in ("frontend", "default_backend"))
    second = second.replace(pool.partition(":")[0], HTTP_POOL).replace(listener, HTTP)
    second = second.replace("mode tcp", "mode http").replace(f"{VIP}:{PORT}", f"{VIP}:{HTTP_PORT}")
    return f"{text}\n{second}"


def vrrp_text(own, other):
    """Octavia's: the first of two is its master."""
    sample = "master" if own.number != 2 else "backup"
    text = (SAMPLES / f"keepalived/samples/keepalived-{sample}.2026.conf").read_text()
    text = text.replace("/var/lib/octavia", f"{own.folder}/octavia")
    text = re.sub(r"unicast_src_ip .*", f"unicast_src_ip {own.vrrp_ip}", text)
    return re.sub(r"unicast_peer \{\s*\S+", f"unicast_peer {{\n        {other.vrrp_ip}", text)


def join(port):
    sh("ethtool", "-K", port, "tx", "off", "gro", "off")
    sh("ip", "link", "set", "dev", port, "xdpdrv", "obj", str(BUILD / "tests/net/lab/xdp_pass.bpf.o"), "sec", "xdp")
    sh("ip", "link", "set", port, "master", "br0", "up")


def network(processes):
    sh("ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    sh("ip", "link", "set", "br0", "up")
    for space, host in (("client", 100), ("m1", 11), ("m2", 12)):
        sh("ip", "netns", "add", space)
        sh("ip", "link", "add", f"port-{space}", "type", "veth", "peer", "name", "eth0", "netns", space)
        sh("ip", "netns", "exec", space, "ethtool", "-K", "eth0", "tx", "off", "gro", "off")
        ip(space, "link", "set", "lo", "up")
        ip(space, "link", "set", "eth0", "up")
        ip(space, "addr", "add", f"{NET}.{host}/24", "dev", "eth0")
        join(f"port-{space}")
        if space != "client":
            processes.append(Machine.run_in(space, str(BUILD / "tests/net/lab/lab_server"), "--name", space, "--port",
                                            "8080"))


def begin(amphora):
    amphora.start()
    amphora.plug_vip()


def requested():
    """Whether layer 7 answers."""
    done = subprocess.run(("ip", "netns", "exec", "client", "curl", "-s", "-m", "2", f"http://{VIP}:{HTTP_PORT}/"),
                          check=False, capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.startswith("m")


def take_over(dying, heir, held):
    begun = time.monotonic()
    dying.die()
    until(20, f"{heir.name} to have the VIP", heir.has_vip)
    took = time.monotonic() - begun
    until(20, f"layer 7 at {heir.name}", requested)
    if held.poll() is not None:
        raise AssertionError(f"the client ended: {held.stdout.read()}")
    print(f"ok   {dying.name} died at once, {heir.name} had the VIP {took:.1f} s later", flush=True)


def share(active, standby, connections):
    """The standby has all of them, and what HAProxy remembers."""
    def shared():
        here, there = active.replication(), standby.replication()
        return (here.get("connected") and here["peer_role"] == "STANDBY" and here["not_movable"] == 0 and
                there.get("connected") and there["peer_role"] == "ACTIVE" and there["in_sync"] and
                there["flows"] >= connections)
    until(30, f"{standby.name} to have all connections of {active.name}", shared)
    until(20, "layer 7", requested)
    until(20, "an entry in the active one's stick table", active.stick_entries)
    until(20, "the entry at the standby", standby.stick_entries)
    print(f"ok   {standby.name} has {standby.replication()['flows']} connections of {active.name}, and its stick table",
          flush=True)


def run(stack, processes, connections):
    network(processes)
    a, b = (stack.enter_context(Amphora(number)) for number in (1, 2))
    for one in (a, b):
        begin(one)
    for one, other in ((a, b), (b, a)):
        one.upload(other)
    until(30, "one to have the VIP", lambda: a.has_vip() or b.has_vip())
    active, standby = (a, b) if a.has_vip() else (b, a)
    ready = pathlib.Path(os.environ["LAB_DIR"]) / "held"
    held = Machine.run_in("client", str(BUILD / "tests/net/lab/lab_client"), "hold", "--target", f"{VIP}:{PORT}",
                          "--connections", str(connections), "--pause-ms", "50", "--deadline-ms", "30000",
                          "--ready-file", str(ready), stdout=subprocess.PIPE, text=True)
    processes.append(held)
    until(30, "held connections", ready.exists)
    share(active, standby, connections)
    standby.kill()
    standby.start()
    share(active, standby, connections)
    take_over(active, standby, held)
    until(20, "the lost one to be missed", lambda: standby.replication()["trouble"])
    print(f"ok   {standby.name} without it: {standby.replication()['trouble']}", flush=True)
    # As after a failover: the other node is another one, and both are told.
    c = stack.enter_context(Amphora(3))
    begin(c)
    c.upload(standby)
    standby.upload(c)
    share(standby, c, connections)
    take_over(standby, c, held)
    held.terminate()
    report = json.loads(held.communicate(timeout=40)[0])
    print(f"ok   {report['connections']} connections, {report['requests']} exchanges, {report['failed']} broken", flush=True)
    if report["failed"] != 0 or report["connections"] != connections or report["requests"] < 10 * connections:
        raise AssertionError(report)
    secret = re.compile("insecure|4d6e2f1")
    for one in (a, b, c):
        if secret.search((one.folder / "agent.log").read_text()):
            raise AssertionError(f"{one.name} logs what the key is made of")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=200)
    options = parser.parse_args()
    processes = []
    try:
        with contextlib.ExitStack() as stack:
            run(stack, processes, options.connections)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


if __name__ == "__main__":
    main()
