#!/usr/bin/env python3
"""One load balancer broken in every way, beside a healthy one under load: no request of the healthy one fails, and every
change of it is carried out. What HAProxy would refuse is refused; what happens to it is its load balancer's alone."""
import contextlib
import pathlib
import shutil
import signal
import threading

from lab import *

M1, M2 = os.environ["LAB_M1"], os.environ["LAB_M2"]
OTHER = "198.51.100.20"  # the VIP of the one that is broken
SPACE = os.environ["LAB_SPACE"]


class Load:
    """Requests on connections of their own, as fast as they go."""

    def __init__(self):
        self.requests, self.failures, self.done = 0, [], False
        self.threads = [threading.Thread(target=self.run) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.done:
            try:
                status = ask(80).status
                failure = None if status == 200 else status
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
            self.requests += 1
            if failure:
                self.failures.append(failure)

    def stop(self):
        self.done = True
        for thread in self.threads:
            thread.join()


def status(id):
    return call("GET", f"/v2.0/lbaas/loadbalancers/{id}")["loadbalancer"]["provisioning_status"]


def becomes(id, *wanted):
    until(20, f"the load balancer to be {' or '.join(wanted)}", lambda: status(id) in wanted)


def change(method, path, body=None, of=None, wanted=("ACTIVE",), expect=(200, 201, 202, 204)):
    """A change of one load balancer, whatever the others do."""
    becomes(of, "ACTIVE", "ERROR")
    answer = call(method, "/v2.0/lbaas/" + path, body, expect)
    if answer and "faultstring" in answer:
        return answer["faultstring"]
    becomes(of, *wanted)
    return answer


def make(name, vip, listeners):
    made = call("POST", "/v2.0/lbaas/loadbalancers", {"loadbalancer": {
        "name": name, "vip_address": vip, "listeners": listeners}})["loadbalancer"]
    becomes(made["id"], "ACTIVE")
    return {row["name"]: row["id"] for kind in ("listeners", "pools") for row in made[kind]} | {"lb": made["id"]}


def at_other(port=80, tls=None):
    raw = socket.create_connection((OTHER, port), timeout=5)
    if tls:
        raw = tls.wrap_socket(raw, server_hostname="www.example.com")
    connection = http.client.HTTPConnection("www.example.com", port)
    connection.sock = raw
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


def answers(port=80, tls=None):
    try:
        return at_other(port, tls) == 200
    except (OSError, http.client.HTTPException):
        return False


def run_folder(ids):
    return pathlib.Path(FOLDER) / "haproxy" / ids["lb"].replace("-", "")


def living(ids):
    """Its master and the newest of its workers; None while one of them is about to be started."""
    try:
        pid = int((run_folder(ids) / "haproxy.pid").read_text())
        return pid, int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[-1])
    except (OSError, IndexError, ValueError):
        return None


def processes(ids):
    until(10, "its HAProxy to run", lambda: living(ids))
    return living(ids) or processes(ids)


def master(ids):
    return processes(ids)[0]


def worker(ids):
    return processes(ids)[1]


def problem_of(ids):
    return next(row["error"] for row in call("GET", "/v1/status")["haproxy"] if row["loadbalancer_id"] == ids["lb"])


def kill(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Healthy:
    def __init__(self):
        self.ids = make("healthy", VIP, [{"name": "web", "protocol": "HTTP", "protocol_port": 80,
                                          "default_pool": pool("p", [member(M1), member(M2)])}])
        self.timeout = 40000

    def check(self, what):
        """Its next change is carried out, whatever the other is."""
        self.timeout += 1
        change("PUT", f"listeners/{self.ids['web']}", {"listener": {"timeout_client_data": self.timeout}}, self.ids["lb"])
        text = (run_folder(self.ids) / "haproxy.cfg").read_text()
        check(f"{what}: the change of the healthy one is made", f"timeout client {self.timeout}\n" in text)
        equal(f"{what}: nothing is said of it", problem_of(self.ids), "")
        say(what)


def refused_changes(broken, healthy):
    of, tls = broken["lb"], f"listeners/{broken['tls']}"
    monitor = {"pool_id": broken["p"], "type": "HTTP", "delay": 0, "timeout": 1, "max_retries": 1}
    refusals = [
        ("ciphers that nobody knows", "PUT", tls, {"listener": {"tls_ciphers": "NOSUCH"}}, "tls_ciphers"),
        ("a version that HAProxy has not", "PUT", tls, {"listener": {"tls_versions": ["SSLv3"]}}, "tls_versions"),
        ("a monitor without a delay", "POST", "healthmonitors", {"healthmonitor": monitor}, "delay"),
    ]
    for what, method, path, body, field in refusals:
        said = change(method, path, body, of, expect=(400,))
        check(f"{what}: refused, with the field and HAProxy's words", f" {field}. HAProxy refuses it: " in said, said)
        check(f"{what}: nothing of the agent's files is told", FOLDER not in said, said)
        equal(f"{what}: nothing was changed", (status(of), problem_of(broken)), ("ACTIVE", ""))
        check(f"{what}: it is served as before", answers() and answers(443, tls_context()))
        healthy.check(what)
    equal("no monitor was stored", call("GET", "/v2.0/lbaas/healthmonitors")["healthmonitors"], [])


def weak_certificates(broken, healthy):
    run("openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "30", "-subj", "/CN=weak",
        "-keyout", f"{FOLDER}/weak.key", "-out", f"{FOLDER}/weak.crt")
    weak = pathlib.Path(f"{FOLDER}/weak.crt").read_bytes() + pathlib.Path(f"{FOLDER}/weak.key").read_bytes()
    for what, name in (("a weak certificate", "weak.pem"), ("a weak certificate over one in use", "server.pem")):
        said = call("PUT", f"/v1/certificates/{name}", weak, (400,))["faultstring"]
        check(f"{what} is refused", "key too small" in said, said)
        kill(worker(broken), signal.SIGKILL)
        until(10, "the one before to be served", lambda: answers(443, tls_context()))
        healthy.check(what)
    (pathlib.Path(FOLDER) / "state/certificates/server.pem").write_bytes(weak)  # behind the agent's back
    kill(worker(broken), signal.SIGKILL)
    until(10, "the one before to be served", lambda: answers(443, tls_context()))
    healthy.check("a weak certificate where the store has it")
    upload("server.pem")


def dying(broken, healthy):
    for which in (worker, master):
        for _ in range(3):
            kill(which(broken), signal.SIGKILL)
            until(10, "it to be back", answers)
        healthy.check(f"its {which.__name__} was killed again and again")


def frozen(broken, healthy):
    pids = processes(broken)
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    try:
        call("PUT", f"/v2.0/lbaas/listeners/{broken['web']}", {"listener": {"timeout_client_data": 41000}})
        healthy.check("it is frozen, and was to change")
        healthy.check("it is frozen still")
    finally:
        for pid in pids:
            kill(pid, signal.SIGCONT)
    becomes(broken["lb"], "ACTIVE")
    until(10, "it to serve", answers)


TAKER = """
import socket, sys
taken = socket.create_server(("%s", 8080))
print("taken", flush=True)
sys.stdin.read()
""" % OTHER


def a_port_that_is_taken(broken, healthy):
    taker = subprocess.Popen(["ip", "netns", "exec", SPACE, "python3", "-c", TAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    taker.stdout.readline()
    try:
        made = change("POST", "listeners", {"listener": {
            "loadbalancer_id": broken["lb"], "protocol": "HTTP", "protocol_port": 8080}}, broken["lb"], ("ERROR",))["listener"]["id"]
        check("why is said", "8080" in problem_of(broken), problem_of(broken))
        check("what it served before is served", answers())
        healthy.check("a port of it is taken")
        tcp = call("GET", f"/v2.0/lbaas/listeners/{broken['four']}")["listener"]
        equal("its listener of XDP goes on", (tcp["provisioning_status"], at_other(81)), ("ACTIVE", 200))
        change("PUT", f"listeners/{broken['four']}", {"listener": {"connection_limit": 500}}, broken["lb"], ("ERROR",))
        tcp = call("GET", f"/v2.0/lbaas/listeners/{broken['four']}")["listener"]
        equal("and can be changed", (tcp["provisioning_status"], at_other(81)), ("ACTIVE", 200))
        change("DELETE", f"listeners/{made}", of=broken["lb"])
        equal("without the part at fault all is well", (problem_of(broken), answers()), ("", True))
        healthy.check("the part at fault is gone")
    finally:
        taker.stdin.close()
        taker.wait()


def damaged_files(broken, healthy):
    state = pathlib.Path(FOLDER) / "state/haproxy" / broken["lb"].replace("-", "")
    shutil.rmtree(state)
    state.write_text("in the way\n")
    change("PUT", f"listeners/{broken['web']}", {"listener": {"timeout_client_data": 42000}}, broken["lb"], ("ERROR",))
    check("what it served before is served", answers())
    healthy.check("its folder is a file")
    state.unlink()
    becomes(broken["lb"], "ACTIVE")
    healthy.check("its folder is back")


def starved(broken, healthy):
    change("PUT", f"listeners/{broken['web']}", {"listener": {"connection_limit": 1}}, broken["lb"])
    with socket.create_connection((OTHER, 80)) as first, socket.create_connection((OTHER, 80)):
        first.sendall(b"GET ")
        healthy.check("all the connections that it may have are taken")
    change("PUT", f"listeners/{broken['web']}", {"listener": {"connection_limit": 0}}, broken["lb"])
    check("0 is no limit", answers())
    healthy.check("without a limit")


for name in ("ca.pem", "server.pem"):
    upload(name)
healthy = Healthy()
broken = make("broken", OTHER, [
    {"name": "web", "protocol": "HTTP", "protocol_port": 80, "default_pool": pool("p", [member(M1)])},
    {"name": "four", "protocol": "TCP", "protocol_port": 81, "default_pool": pool("four-p", [member(M2)], "TCP")},
    {"name": "tls", "protocol": "TERMINATED_HTTPS", "protocol_port": 443, "default_tls_container_ref": "server.pem",
     "default_pool": pool("tls-p", [member(M1)])}])
load = Load()
try:
    for way in (refused_changes, weak_certificates, dying, frozen, a_port_that_is_taken, damaged_files, starved):
        way(broken, healthy)
    call("DELETE", f"/v2.0/lbaas/loadbalancers/{broken['lb']}?cascade=true")
    until(10, "it to be gone", lambda: len(call("GET", "/v2.0/lbaas/loadbalancers")["loadbalancers"]) == 1)
    healthy.check("it is gone")
finally:
    load.stop()
check("there was load", load.requests > 500, load.requests)
equal("requests of the healthy one that failed", load.failures[:5], [])
print(f"ok   {load.requests} requests of the healthy one, {len(load.failures)} failed")
