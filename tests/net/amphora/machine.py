"""A machine with an amphora on it, and who talks to it.

  client 198.51.100.100 ---- eth1 .2   amphora-haproxy   eth2 203.0.113.2 ---- .11 member
                             VIP 198.51.100.10
  the controller: 127.0.0.1:9443, where the agent was started
"""
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import time

BUILD = pathlib.Path(os.environ["LAB_BUILD"])
VIP, VRRP_IP, CLIENT = "198.51.100.10", "198.51.100.2", "198.51.100.100"
MEMBER, MEMBER_PORT = "203.0.113.11", 8080
AMPHORA = "3c1b0a9f-8e7d-4c6b-9a58-473625141302"
LB = "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a"
TCP, UDP = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
SPACE = "amphora-haproxy"
MACS = {"nic1": "fa:16:3e:00:00:01", "nic2": "fa:16:3e:00:00:02"}
CONTROL = "/run/amphora-xdp/control.sock"


def uuid(kind, number):
    return f"{kind}-0000-4000-8000-{number:012d}"


def sh(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True).stdout


def ip(space, *words):
    return sh("ip", "-n", space, *words)


def until(seconds, what, done):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def haproxy_text(weights, ports=(80,), path="/var/lib/octavia"):
    """One TCP listener for each port; the members of all are at one address."""
    lines = [f"# Configuration for loadbalancer {LB}", "global", "    daemon", "    user nobody",
             "    log /run/rsyslog/octavia/log local0", "    log /run/rsyslog/octavia/log local1 notice",
             f"    stats socket {path}/{LB}.sock mode 0666 level user",
             f"    server-state-file {path}/{LB}/servers-state", "    maxconn 50000", "", "defaults", "    log global",
             "    retries 3", "    option redispatch", "    option splice-request", "    option splice-response",
             "    option http-keep-alive", ""]
    for number, port in enumerate(ports, 1):
        listener, pool = uuid("11111111", 100 + number), uuid("22222222", number)
        lines += [f"frontend {listener}", "    maxconn 50000", f"    bind {VIP}:{port}", "    mode tcp",
                  f"    default_backend {pool}:{listener}", "    timeout client 50000", "",
                  f"backend {pool}:{listener}", "    mode tcp", "    balance roundrobin", "    fullconn 50000",
                  "    option allbackups", "    timeout connect 5000", "    timeout server 50000"]
        # A few are the member itself; of many, each has a port of its own, and nobody is there.
        first = MEMBER_PORT if len(weights) < 10 else 10000
        step = 0 if len(weights) < 10 else 1
        lines += [f"    server {uuid(f'3333333{number}', index)} {MEMBER}:{first + index * step} weight {weight}"
                  for index, weight in enumerate(weights)]
        lines.append("")
    return "\n".join(lines) + "\n"


def answers(port, udp=False):
    """Whether the VIP's port is somebody's, seen from the client."""
    code = (f"import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1);"
            f"s.sendto(b'x', ('{VIP}', {port})); print(s.recv(100))" if udp else
            f"import socket; s = socket.create_connection(('{VIP}', {port}), 1);"
            f"s.sendall(b'GET / HTTP/1.0\\r\\nConnection: close\\r\\n\\r\\n'); print(s.recv(1000))")
    done = subprocess.run(("ip", "netns", "exec", "client", "python3", "-c", code), capture_output=True, text=True)
    return "m1" in done.stdout


def lvs_text(weight):
    pool, member = uuid("22222222", 50), uuid("33333333", 50)
    return f"""# Configuration for Loadbalancer {LB}
# Configuration for Listener {UDP}

net_namespace amphora-haproxy

virtual_server_group ipv4-group {{
    {VIP} 53
}}

virtual_server group ipv4-group {{
    lb_algo wrr
    lb_kind NAT
    protocol UDP

    # Configuration for Pool {pool}
    # Configuration for Member {member}
    real_server {MEMBER} {MEMBER_PORT} {{
        weight {weight}

    }}

}}
"""


class Control(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(5)
        self.sock.connect(CONTROL)


class Machine:
    """`with Machine() as box`: what runs of it ends with the block, also of one that could not be made whole. Its files are
    in LAB_DIR, which amphora.sh makes and takes away."""
    host, vip, vrrp_ip, mac = "127.0.0.1", VIP, VRRP_IP, MACS["nic1"]  # where the door is; of the VIP's interface
    inside = ()  # what runs a program on the machine; before its words

    def __init__(self, debug=False):
        self.folder, self.debug = pathlib.Path(os.environ["LAB_DIR"]), debug
        self.agent = self.member = None

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, AssertionError):
            print(f"FAIL {self.last_words()}", file=sys.stderr)
        self.end()

    def make(self):
        self.certificates()
        (self.folder / "amphora-agent.conf").write_text(f"""[DEFAULT]
debug = {self.debug}
use_syslog = False
[haproxy_amphora]
base_path = {self.folder}/octavia
base_cert_dir = {self.folder}/octavia/certs
bind_host = 127.0.0.1
bind_port = 9443
haproxy_cmd = /usr/sbin/haproxy
[health_manager]
controller_ip_port_list =
heartbeat_key = insecure
[amphora_agent]
agent_server_ca = {self.folder}/ca.pem
agent_server_cert = {self.folder}/server.pem
agent_server_network_dir = {self.folder}/interfaces
amphora_id = {AMPHORA}
[controller_worker]
loadbalancer_topology = SINGLE
""")
        for name in ("octavia/certs", "interfaces"):
            (self.folder / name).mkdir(parents=True)
        self.topology()
        self.context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        self.context.check_hostname = False
        self.context.load_cert_chain(self.folder / "client.pem")

    def certificates(self):
        def openssl(*words):
            subprocess.run(("openssl", *words), check=True, capture_output=True, cwd=self.folder)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca",
                "-keyout", "ca.key", "-out", "ca.pem")
        for name in ("server", "client"):
            openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                    "-out", f"{name}.csr")
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                    "-days", "2", "-out", f"{name}.crt")
            pem = self.folder / f"{name}.pem"
            pem.write_text((self.folder / f"{name}.crt").read_text() + (self.folder / f"{name}.key").read_text())

    def topology(self):
        for space, nic, address in (("client", "nic1", f"{CLIENT}/24"), ("member", "nic2", f"{MEMBER}/24")):
            sh("ip", "netns", "add", space)
            sh("ip", "link", "add", nic, "type", "veth", "peer", "name", "eth0", "netns", space)
            sh("ip", "link", "set", nic, "address", MACS[nic])
            sh("ethtool", "-K", nic, "tx", "off", "gro", "off")
            sh("ip", "netns", "exec", space, "ethtool", "-K", "eth0", "tx", "off", "gro", "off")
            ip(space, "link", "set", "dev", "eth0", "xdpdrv", "obj", str(BUILD / "tests/net/lab/xdp_pass.bpf.o"), "sec",
               "xdp")
            ip(space, "link", "set", "lo", "up")
            ip(space, "link", "set", "eth0", "up")
            ip(space, "addr", "add", address, "dev", "eth0")
        self.member = self.run_in("member", str(BUILD / "tests/net/lab/lab_server"), "--name", "m1", "--port",
                                  str(MEMBER_PORT))

    @staticmethod
    def run_in(space, *words, **more):
        return subprocess.Popen(("nsenter", f"--net=/run/netns/{space}", *words), **more)

    # ---- the agent ----

    def configure(self, **options):
        """Other values for options that amphora-agent.conf has."""
        file = self.folder / "amphora-agent.conf"
        text = file.read_text()
        for name, value in options.items():
            text, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
            assert count == 1, name
        file.write_text(text)

    def start(self):
        words = [*self.inside, str(BUILD / "agent/amphora-xdp-agent"), "--config-file", str(self.folder / "amphora-agent.conf")]
        beside = self.folder / "amphora.json"  # what Octavia does not say
        if beside.exists():
            words += ["--config", str(beside)]
        with (self.folder / "agent.log").open("ab") as log:
            self.agent = subprocess.Popen(words, stdout=log, stderr=log)
        until(20, "the agent to answer", self.answers)

    def answers(self):
        if self.agent.poll() is not None:
            raise AssertionError(f"the agent ended: {self.last_words()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.call("GET", "/")[0] == 200
        return False

    def kill(self):
        self.agent.kill()
        self.agent.wait()

    def last_words(self):
        log = self.folder / "agent.log"
        return log.read_text()[-2000:] if log.exists() else "the agent was not started"

    def end(self):
        for process in (self.agent, self.member):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    # ---- the controller ----

    def connection(self, port=9443):
        return http.client.HTTPSConnection(self.host, port, timeout=20, context=self.context)

    def call(self, method, path, body=None, on=None):
        """(status, body) of one request; OSError or HTTPException: nobody knows what became of it."""
        connection = on or self.connection()
        try:
            data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
            headers = {"Content-Type": "application/json"} if isinstance(body, (dict, list)) else {}
            if data is None and method != "GET":
                data = b""
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            if on is None:
                connection.close()

    def must(self, method, path, body=None, on=None):
        status, text = self.call(method, path, body, on)
        if status >= 300:
            raise AssertionError(f"{method} {path}: {status} {text.decode()}")
        return text

    def put_haproxy(self, text, on=None):
        return self.must("PUT", f"/1.0/loadbalancer/{AMPHORA}/{LB}/haproxy", text, on)

    def put_lvs(self, text, on=None):
        return self.must("PUT", f"/1.0/listeners/{AMPHORA}/{UDP}/udp_listener", text, on)

    def reload(self, what, on=None):
        return self.must("PUT", f"/1.0/loadbalancer/{what}/reload", None, on)

    def plug_vip(self):
        network = self.vip.rpartition(".")[0]
        self.must("POST", f"/1.0/plug/vip/{self.vip}",
                  {"subnet_cidr": f"{network}.0/24", "gateway": None, "mac_address": self.mac,
                   "vrrp_ip": self.vrrp_ip, "mtu": 1500, "host_routes": []})

    def plug_network(self, *addresses):
        self.must("POST", "/1.0/plug/network", self.network_body(*addresses))

    @staticmethod
    def network_body(*addresses):
        return {"mac_address": MACS["nic2"], "mtu": 1500,
                "fixed_ips": [{"ip_address": address, "subnet_cidr": "203.0.113.0/24", "host_routes": []}
                              for address in addresses]}

    # ---- what an operator sees ----

    @staticmethod
    def shown(path):
        connection = Control("localhost")
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
