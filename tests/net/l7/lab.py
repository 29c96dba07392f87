"""What the layer 7 tests share: the control socket, requests as clients make them, and expectations."""
import http.client
import json
import os
import socket
import ssl
import subprocess
import time

VIP = os.environ["LAB_VIP4"]
FOLDER = os.environ["LAB_DIR"]


class Control(http.client.HTTPConnection):
    """The agent's control socket."""

    def __init__(self):
        super().__init__("localhost", timeout=30)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(os.environ["LAB_SOCKET"])


def call(method, path, body=None, expect=(200, 201, 202, 204)):
    control = Control()
    raw = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    control.request(method, path, raw)
    answer = control.getresponse()
    text = answer.read()
    control.close()
    if answer.status not in expect:
        raise AssertionError(f"{method} {path}: {answer.status} {text.decode()}")
    return json.loads(text) if text[:1] in (b"{", b"[") else text.decode()


def lbaas(method, path, body=None):
    """A change waits until the load balancers are ACTIVE before it and after it."""
    if method != "GET":
        settled()
    answer = call(method, "/v2.0/lbaas/" + path, body)
    if method != "GET":
        settled()
    return answer


def settled():
    until(15, "the load balancers to be ACTIVE", lambda: all(
        lb["provisioning_status"] == "ACTIVE" for lb in call("GET", "/v2.0/lbaas/loadbalancers")["loadbalancers"]))


def until(seconds, what, true):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


def upload(name):
    """One of the test's certificates into the agent's store; its reference."""
    with open(f"{FOLDER}/{name}", "rb") as file:
        call("PUT", f"/v1/certificates/{name}", file.read())
    return name


def create(name, listeners, pools=()):
    """A load balancer at the VIP; {listener or pool name: id}"""
    made = lbaas("POST", "loadbalancers", {"loadbalancer": {
        "name": name, "vip_address": VIP, "listeners": listeners, "pools": list(pools)}})["loadbalancer"]
    ids = {row["name"]: row["id"] for kind in ("listeners", "pools") for row in made[kind]}
    return ids | {name: made["id"]}


def remove(load_balancer):
    lbaas("DELETE", f"loadbalancers/{load_balancer}?cascade=true")
    until(15, "the load balancer to be gone",
          lambda: not call("GET", "/v2.0/lbaas/loadbalancers")["loadbalancers"])


def member(address, port=8080, **more):
    return {"address": address, "protocol_port": port, **more}


def pool(name, members, protocol="HTTP", **more):
    return {"name": name, "protocol": protocol, "lb_algorithm": "ROUND_ROBIN", "members": members, **more}


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def seen(self):
        """What the member says it saw."""
        return json.loads(self.body)


def tls_context(ca=None, client=None, **more):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(f"{FOLDER}/{ca or 'ca.pem'}")
    if client:
        context.load_cert_chain(f"{FOLDER}/{client}")
    for name, value in more.items():
        setattr(context, name, value)
    return context


def ask(port, path="/", headers=None, method="GET", body=None, tls=None, name="www.example.com"):
    """One request on a connection of its own. `name` is the host asked for, in TLS and in HTTP."""
    raw = socket.create_connection((VIP, port), timeout=10)
    if tls:
        raw = tls.wrap_socket(raw, server_hostname=name)
    connection = http.client.HTTPConnection(name, port)
    connection.sock = raw
    try:
        connection.request(method, path, body, {"Host": name} | (headers or {}))
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


passed = 0


def check(what, true, but=""):
    global passed
    if not true:
        raise AssertionError(f"{what} {but}")
    passed += 1


def equal(what, have, want):
    check(what, have == want, f": {have!r}, not {want!r}")


def refused(what, attempt, *kinds):
    """`attempt` must end in one of these exceptions."""
    try:
        answer = attempt()
    except kinds or (OSError, http.client.HTTPException):
        check(what, True)
        return
    raise AssertionError(f"{what}: was answered with {answer.status}")


def say(what):
    print(f"ok   {what} ({passed} checks so far)", flush=True)
