#!/usr/bin/env python3
"""boot.py IMAGE [files|user_data]: what Octavia's compute driver and a controller do with an amphora, on one that boots in QEMU.

  client, member 198.51.100.100, .11 (this machine: a namespace of its own)
      |  tap, plugged while it runs
    eth1 .2  VIP .10  the amphora  eth0 --- management: 10.0.2.2 is this machine, 127.0.0.1:9443 is its REST door

scripts/test-image calls it in a namespace of its own, in a folder (LAB_DIR) that goes afterwards.
"""
import contextlib
import functools
import http.client
import http.server
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import threading
import time

import config_drive
import inside
from guest import Guest, fail, until
from keepalived import keepalived_conf
from texts import AMPHORA, LB, agent_conf, haproxy_cfg

LAB = pathlib.Path(os.environ["LAB_DIR"])
VIP, OWN, PEER, CLIENT, MEMBER = (f"198.51.100.{host}" for host in (10, 2, 3, 100, 11))
NIC = "fa:16:3e:00:00:01"
BOOT = int(os.environ.get("BOOT_SECONDS", "1500"))  # emulated, and on a busy machine


def sh(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=LAB).stdout


def say(text):
    print(text, flush=True)


def certificates():
    sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key",
       "-out", "ca.pem")
    for name in ("server", "client"):
        sh("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={AMPHORA if name == 'server' else name}",
           "-keyout", f"{name}.key", "-out", f"{name}.csr")
        sh("openssl", "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
           "-days", "2", "-out", f"{name}.crt")
        (LAB / f"{name}.pem").write_text((LAB / f"{name}.crt").read_text() + (LAB / f"{name}.key").read_text())


class Controller:
    """The REST client over mutual TLS, and who hears heartbeats."""

    def __init__(self):
        self.context = ssl.create_default_context(cafile=LAB / "ca.pem")
        self.context.check_hostname = False  # it is signed by our authority
        self.context.load_cert_chain(LAB / "client.pem")
        self.heartbeats = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.heartbeats.bind(("127.0.0.1", 5555))

    def call(self, method, path, body=None):
        connection = http.client.HTTPSConnection("127.0.0.1", 9443, timeout=60, context=self.context)
        try:
            if isinstance(body, dict):
                connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            else:
                connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def must(self, method, path, body=None):
        status, text = self.call(method, path, body)
        assert status < 300, f"{method} {path}: {status} {text}"
        return text

    def answers(self):
        try:
            return self.must("GET", "/1.0/info")
        except (OSError, http.client.HTTPException):
            return None

    def refuses_strangers(self):
        """Whether who shows no certificate gets no answer."""
        stranger = ssl.create_default_context(cafile=LAB / "ca.pem")
        stranger.check_hostname = False
        connection = http.client.HTTPSConnection("127.0.0.1", 9443, timeout=60, context=stranger)
        try:
            connection.request("GET", "/1.0/info")
            connection.getresponse()
            return False
        except (OSError, http.client.HTTPException):
            return True
        finally:
            connection.close()

    def hears(self):
        """The size of the next one."""
        self.heartbeats.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:  # what came before is no news
                self.heartbeats.recv(65536)
        self.heartbeats.settimeout(60)
        return len(self.heartbeats.recv(65536))


class Member(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"member")

    def log_message(self, *_):
        pass


def network():
    sh("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "multi_queue", "vnet_hdr")
    for address in (CLIENT, MEMBER):
        sh("ip", "addr", "add", f"{address}/24", "dev", "tap0")
    sh("ip", "link", "set", "tap0", "up")
    server = http.server.ThreadingHTTPServer((MEMBER, 8080), Member)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def fetch(port=80):
    """What a client of the VIP gets; "": nothing."""
    try:
        with socket.create_connection((VIP, port), 10, (CLIENT, 0)) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while True:
                part = connection.recv(4096)
                if not part:
                    return answer.decode().splitlines()[-1] if answer else ""
                answer += part
    except OSError:
        return ""


def boot(image, form, topology):
    folder = LAB / form
    folder.mkdir()
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key"))
    files = {"/etc/octavia/amphora-agent.conf": agent_conf(topology),
             "/etc/octavia/certs/server.pem": (LAB / "server.pem").read_text(),
             "/etc/octavia/certs/client_ca.pem": (LAB / "ca.pem").read_text()}
    config_drive.make(folder / "config.iso", form, files, f"amphora-{AMPHORA}", AMPHORA,
                      (folder / "key.pub").read_text().strip())
    return Guest(folder, image, folder / "config.iso")


def is_served(controller, guest, form):
    info, seconds = until(BOOT, "the REST door", controller.answers)
    say(f"ok   {form}: the REST door answers over mutual TLS {seconds:.0f} s after power-on: {info}")
    assert controller.refuses_strangers(), "who shows no certificate is answered"
    say(f"ok   {form}: heartbeats leave: {controller.hears()} bytes")
    until(BOOT, "a shell", guest.answers_ssh, 3)
    until(BOOT, "the end of the start", lambda: guest.run("systemctl is-system-running || true").strip() in
          ("running", "degraded"), 3)
    state = inside.unit(guest, "amphora-agent", "ActiveState", "SubState", "NRestarts")
    assert state == {"ActiveState": "active", "SubState": "running", "NRestarts": "0"}, state
    say(f"ok   {form}: amphora-agent.service is running, and was not restarted")
    failed = guest.run("systemctl --failed --plain --no-legend")
    assert not failed, f"units that failed: {failed}"
    for line in inside.started_in(guest).splitlines():
        say(f"     {line}")


def plug(guest, controller):
    guest.plug("tap0", NIC)
    until(60, "the plugged NIC", lambda: NIC in guest.run("ip -o link"), 2)
    controller.must("POST", f"/1.0/plug/vip/{VIP}",
                    {"subnet_cidr": "198.51.100.0/24", "gateway": None, "mac_address": NIC, "vrrp_ip": OWN,
                     "mtu": 1500, "host_routes": []})


def listen(controller, modes):
    controller.must("PUT", f"/1.0/loadbalancer/{AMPHORA}/{LB}/haproxy",
                    haproxy_cfg(VIP, f"{MEMBER}:8080", modes).encode())
    # Where the CPU is emulated and busy, HAProxy may not have started when the agent asks it.
    until(BOOT, "HAProxy to be loaded", lambda: controller.call("PUT", f"/1.0/loadbalancer/{LB}/reload")[0] < 300, 5)


def idles(guest):
    time.sleep(20)
    used, total = inside.idle_memory(guest)
    say(f"ok   memory of the idle machine: {used >> 20} of {total >> 20} MiB")


def balances(guest):
    until(300, "an answer by way of the VIP", lambda: fetch() == "member", 2)
    for _ in range(50):
        assert fetch() == "member", "a connection failed"
    status = json.loads(guest.run("amphora-xdp --json status"))
    modes = {one["interface"]: one["mode"] for one in status["interfaces"]}
    assert modes == {"eth1": "native"}, status["interfaces"]
    verdicts = json.loads(guest.run("amphora-xdp --json verdicts"))["verdicts"]
    carried = next(one["packets"] for one in verdicts if one["verdict"] == "established")
    assert carried > 100, verdicts
    say(f"ok   51 connections by way of the VIP; XDP is native on virtio_net, {carried} packets of flows that were there")


def is_well(guest):
    checks = inside.doctor(guest, "amphora-haproxy", ["eth1"])
    say(f"ok   doctor: {len(checks)} checks, none failed; it sees the namespace, and native XDP on eth1")
    seen, most = inside.verified(guest)
    say(f"ok   the verifier of {guest.run('uname -r').strip()} followed {seen} instructions of lb_xdp, of {most} that it may")


def runs_single(controller, guest):
    is_served(controller, guest, "files")
    idles(guest)
    plug(guest, controller)
    listen(controller, {80: "tcp"})
    balances(guest)
    say(guest.run("amphora-xdp status"))
    say(guest.run("amphora-xdp doctor || true"))
    is_well(guest)
    guest.run("sync")
    guest.reset()
    time.sleep(5)
    _, seconds = until(BOOT, "an answer after the reset", lambda: fetch() == "member", 2)
    say(f"ok   reset: the VIP answers again after {seconds:.0f} s")
    until(BOOT, "a shell", guest.answers_ssh, 3)
    balances(guest)


def runs_in_a_pair(controller, guest):
    """The other node is not there."""
    is_served(controller, guest, "user_data")
    plug(guest, controller)
    controller.must("PUT", "/1.0/vrrp/upload", keepalived_conf(LB, VIP, OWN, PEER).encode())
    controller.must("PUT", "/1.0/vrrp/start")
    listen(controller, {80: "tcp", 8080: "http"})
    balances(guest)
    until(60, "an answer of HAProxy's", lambda: fetch(8080) == "member", 2)
    say("ok   pair: keepalived has the VIP, HAProxy serves layer 7")
    for log, who in (("haproxy.log", "haproxy"), ("amphora-agent.log", "amphora-xdp-agent"), ("syslog", "Keepalived_vrrp")):
        until(60, f"lines of {who} in {log}", functools.partial(inside.has_logged, guest, log, who), 5)
    say("ok   pair: the logs of all three are where Octavia's images have them")
    for name, one in inside.own_memory(guest, inside.OURS).items():
        say(f"     {name}: {one['pss'] / inside.MIB:.1f} MiB in {one['processes']} processes,"
            f" and {one['maps'] / inside.MIB:.1f} MiB of the kernel's maps")
    is_well(guest)


BOOTS = {"files": ("SINGLE", runs_single), "user_data": ("ACTIVE_STANDBY", runs_in_a_pair)}


def main():
    image, forms = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or list(BOOTS)
    say(f"     image: {image.stat().st_size >> 20} MiB")
    certificates()
    network()
    controller = Controller()
    for form in forms:
        topology, runs = BOOTS[form]
        guest = boot(image, form, topology)
        try:
            runs(controller, guest)
        except (AssertionError, OSError, http.client.HTTPException, subprocess.SubprocessError) as error:
            fail(error, guest)
        finally:
            guest.end()


if __name__ == "__main__":
    main()
