#!/usr/bin/env python3
"""The end-to-end comparison of scripts/bench: who forwards how many requests, at what CPU.

Every contestant has its own lab (topology.sh) and runs all the time; in each round each gets every
kind of load once, one after the other. There are two passes over all rounds. The first leaves CPUs to
the scheduler and packets to softirqs, as on any machine: it gives rates and latencies. In the second
the balancer has the last CPU for itself, its interfaces' packets are worked off by NAPI threads there,
and everybody else shares CPU 0: CPU of the balancer is what the scheduler accounted to those threads
and to its process.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

VIP = "198.51.100.10"
MEMBERS = ("203.0.113.11", "203.0.113.140")
LB_CPU = str(os.cpu_count() - 1)
LOADS = ("keep-alive", "per-connection", "bulk")

HAPROXY = f"""
global
    maxconn 4900
    nbthread 1
defaults
    mode tcp
    no log
    retries 3
    option redispatch
    option splice-request
    option splice-response
    timeout connect 5000
    timeout client 50000
    timeout server 50000
frontend web
    maxconn 4900
    bind {VIP}:80
    default_backend web
frontend bulk
    bind {VIP}:5201
    default_backend bulk
backend web
    balance roundrobin
    fullconn 4900
    server m1 {MEMBERS[0]}:80 weight 1
    server m2 {MEMBERS[1]}:80 weight 1
backend bulk
    server m1 {MEMBERS[0]}:5201 weight 1
"""
NFTABLES = f"""
table ip lb {{
  chain pre {{
    type nat hook prerouting priority dstnat;
    ip daddr {VIP} tcp dport 80 dnat to numgen inc mod 2 map {{ 0 : {MEMBERS[0]}, 1 : {MEMBERS[1]} }}
    ip daddr {VIP} tcp dport 5201 dnat to {MEMBERS[0]}
  }}
  chain post {{
    type nat hook postrouting priority srcnat;
    ip daddr {{ {MEMBERS[0]}, {MEMBERS[1]} }} masquerade
  }}
}}
"""
NGINX = """
daemon off; worker_processes 1; pid {folder}/{who}.pid; error_log {folder}/{who}.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 80 backlog=4096; return 200 "{who}\\n"; }} }}
"""


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr}{done.stdout}")
    return done.stdout


class Lab:
    """One contestant's namespaces, and the processes that run in them until close()."""

    def __init__(self, options, name):
        self.name, self.options, self.processes = name, options, []

    def space(self, who):
        return f"{self.options.prefix}-{self.name}-{who}"

    def run(self, who, *command, **more):
        return run("ip", "netns", "exec", self.space(who), *command, **more)

    def spawn(self, who, *command):
        log = open(self.options.folder / f"{self.name}-{pathlib.Path(command[0]).name}.log", "a")
        process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.space(who)}", *map(str, command)], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def napi_threads():
    """pid of every NAPI kernel thread"""
    return {int(pid) for pid in os.listdir("/proc") if pid.isdigit() and comm(pid).startswith("napi/")}


def comm(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def thread_napi(lab, who, interface, cpu):
    """Moves the interface's packet work to kernel threads on that CPU; their pids."""
    before = napi_threads()
    lab.run(who, "sh", "-c", f"echo 1 > /sys/class/net/{interface}/threaded")
    mine = napi_threads() - before
    for pid in mine:
        pin(cpu, pid)
    return mine


def pin(cpu, pid):
    """The process with its threads and children"""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for one in (pid, *children):
        run("taskset", "-apc", cpu, one)


def cpu_ns(pids):
    total = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total


class Contestant:
    target = VIP

    def __init__(self, options, name):
        self.lab = Lab(options, name)
        self.name, self.options, self.balancers = name, options, []
        self.threads, self.client = set(), ()

    def start(self):
        for member in ("m1", "m2"):
            config = self.options.folder / f"{self.name}-{member}.conf"
            config.write_text(NGINX.format(folder=self.options.folder, who=f"{self.name}-{member}"))
            self.lab.spawn(member, "nginx", "-c", config)
        self.lab.spawn("m1", "iperf3", "-s")
        self.start_balancer()
        for _ in range(100):
            if subprocess.run(["ip", "netns", "exec", self.lab.space("client"), "curl", "-sf", "-m1",
                               f"http://{self.target}/"], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name}: nobody answers on {self.target}")

    def start_balancer(self):
        raise NotImplementedError

    def account(self):
        """From here on the balancer's CPU is known."""
        for interface in ("eth1", "eth2", "eth3"):
            self.threads |= thread_napi(self.lab, "amphora", interface, LB_CPU)
        if not self.threads:
            raise RuntimeError(f"{self.name}: no NAPI threads: the kernel cannot account its packets")
        for who in ("client", "m1", "m2"):
            thread_napi(self.lab, who, "eth0", "0")
        for process in self.lab.processes:
            pin(LB_CPU if process in self.balancers else "0", process.pid)
        self.client = ("taskset", "-c", "0")

    def cpu(self):
        """ns, since ever; of use from account() on"""
        return cpu_ns(self.threads | {process.pid for process in self.balancers})

    def measure(self, load, seconds):
        """{"rate": requests/s or Gbit/s, "cpu": us per request or ns per KiB, "p99": ms}"""
        before = self.cpu()
        if load == "bulk":
            end = json.loads(self.lab.run("client", *self.client, "iperf3", "-J", "-t", seconds,
                                          "-c", self.target))["end"]["sum_received"]
            return {"rate": end["bits_per_second"] / 1e9,
                    "cpu": (self.cpu() - before) / max(end["bytes"] / 1024, 1)}
        close = ("-H", "Connection: close") if load == "per-connection" else ()
        text = self.lab.run("client", *self.client, "wrk", "-t1", "-c32", f"-d{seconds}s",
                            "--latency", *close, f"http://{self.target}/")
        used = self.cpu() - before
        errors = re.search(r"Socket errors: (.*)", text)
        requests = int(re.search(r"(\d+) requests in", text)[1])
        return {"rate": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
                "cpu": used / 1e3 / max(requests, 1), "p99": milliseconds(text, "99%"),
                "errors": errors[1] if errors else ""}


def milliseconds(text, quantile):
    value, unit = re.search(rf"\n\s+{quantile}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


class HaProxy(Contestant):
    def start_balancer(self):
        config = self.options.folder / "haproxy.cfg"
        config.write_text(HAPROXY)
        self.balancers.append(self.lab.spawn("amphora", "haproxy", "-db", "-f", config))


class NfTables(Contestant):
    def start_balancer(self):
        self.lab.run("amphora", "nft", "-f", "-", input=NFTABLES)


class Bare(Contestant):
    target = MEMBERS[0]

    def start_balancer(self):
        program = self.options.build / "tests/bench/e2e/bare.bpf.o"
        for interface, out, peer in (("eth1", "eth2", "m1"), ("eth2", "eth1", "client")):
            self.lab.run("amphora", "ip", "link", "set", "dev", interface, "xdpdrv", "obj", program,
                         "sec", "xdp")
            link = json.loads(self.lab.run("amphora", "ip", "-j", "link", "show", interface))[0]
            maps = json.loads(run("bpftool", "-j", "prog", "show", "id", link["xdp"]["prog"]["id"]))
            egress = json.loads(self.lab.run("amphora", "ip", "-j", "link", "show", out))[0]
            neighbour = json.loads(self.lab.run(peer, "ip", "-j", "link", "show", "eth0"))[0]
            value = [*neighbour["address"].split(":"), *egress["address"].split(":"),
                     *(f"{byte:02x}" for byte in egress["ifindex"].to_bytes(4, sys.byteorder))]
            run("bpftool", "map", "update", "id", maps["map_ids"][0], "key", "hex", *["00"] * 4,
                "value", "hex", *value)


class Ours(Contestant):
    def start_balancer(self):
        folder = self.options.folder
        self.socket = folder / "control.sock"
        interfaces = (("eth1", "198.51.100.2/24"), ("eth2", "203.0.113.2/25"),
                      ("eth3", "203.0.113.130/25"))
        config = {"namespace": self.lab.space("amphora"), "state_dir": str(folder / "state"),
                  "control_socket": str(self.socket), "pin_root": self.options.pins,
                  "log_level": "warn", "flow_table": {"ipv4_flows": 262144, "ipv6_flows": 65536},
                  "interfaces": [{"name": name, "addresses": [address]} for name, address in interfaces]}
        (folder / "state").mkdir()
        (folder / "agent.json").write_text(json.dumps(config))
        log = open(folder / "agent.log", "w")
        self.agent = subprocess.Popen(
            [self.options.build / "agent/amphora-xdp-agent", "--config", folder / "agent.json"],
            stdout=log, stderr=log)
        self.lab.processes.append(self.agent)
        self.balancers.append(self.agent)
        self.wait("/healthz", lambda body: True)
        self.api("POST", "/v2.0/lbaas/loadbalancers", {"loadbalancer": {
            "name": "bench", "vip_address": VIP,
            "vip_subnet_id": "0c5d1f6e-6a0b-4c3f-9a53-6f0f5e2f3a01",
            "listeners": [self.listener(80, MEMBERS), self.listener(5201, MEMBERS[:1])]}})
        self.wait("/v2.0/lbaas/loadbalancers", lambda body: '"ACTIVE"' in body)

    @staticmethod
    def listener(port, members):
        return {"name": f"tcp-{port}", "protocol": "TCP", "protocol_port": port, "default_pool": {
            "name": f"tcp-{port}", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
            "members": [{"address": member, "protocol_port": port} for member in members]}}

    def api(self, method, path, body=None):
        data = ("--data", json.dumps(body), "-H", "Content-Type: application/json") if body else ()
        return run("curl", "-sS", "--fail-with-body", "-m5", "--unix-socket", self.socket, "-X", method,
                   *data, f"http://localhost{path}")

    def wait(self, path, good):
        last = ""
        for _ in range(100):
            try:
                last = self.api("GET", path)
                if good(last):
                    return
            except RuntimeError as error:
                last = str(error)
            time.sleep(0.1)
        raise RuntimeError(f"the agent: {path}: {last} {(self.options.folder / 'agent.log').read_text()}")

    def memory(self):
        status = json.loads(self.api("GET", "/v1/status"))
        text = pathlib.Path(f"/proc/{self.agent.pid}/status").read_text()
        sizes = {name: int(kib) / 1024 for name, kib in re.findall(r"(VmRSS|RssAnon):\s+(\d+)", text)}
        # The flow tables are the kernel's memory; mapped pages that were read count as resident.
        return {"agent_rss_mib": sizes["VmRSS"], "agent_own_mib": sizes["RssAnon"],
                "flow_tables": status.get("flow_tables")}


def one_pass(contestants, options):
    return [{one.name: {load: one.measure(load, options.seconds) for load in LOADS}
             for one in contestants} for _ in range(options.rounds)]


def join(free, accounted):
    """Rates and latencies of the first pass with the CPU of the second."""
    return [{name: {load: {**values, "cpu": second[name][load]["cpu"]} for load, values in loads.items()}
             for name, loads in first.items()} for first, second in zip(free, accounted)]


def summary(rounds):
    """For every load and contestant, over the rounds: minimum and median."""
    table = {}
    for load in LOADS:
        for name in rounds[0]:
            values = [one[name][load] for one in rounds]
            table[f"{load}/{name}"] = {
                f"{key}_{how}": function(value[key] for value in values)
                for key in ("rate", "cpu", "p99") if key in values[0]
                for how, function in (("min", min), ("median", statistics.median), ("max", max))}
    return table


def ratio(rounds, load, key, name):
    """Median over the rounds of ours / theirs in the same round."""
    return statistics.median(one["ours"][load][key] / max(one[name][load][key], 1e-9) for one in rounds)


def show(rounds, table):
    for load in LOADS:
        unit, cost = ("Gbit/s", "ns/KiB") if load == "bulk" else ("requests/s", "us/request")
        print(f"\n{load:<15} {unit:>10} (min)        LB CPU {cost} (min)  p99 ms  "
              f"ours/theirs: {'rate':>6} {'CPU':>6}")
        for name in rounds[0]:
            row = table[f"{load}/{name}"]
            p99 = f"{row['p99_median']:7.2f}" if "p99_median" in row else "      -"
            against = "" if name == "ours" or "ours" not in rounds[0] else (
                f"{ratio(rounds, load, 'rate', name):6.2f} {ratio(rounds, load, 'cpu', name):6.2f}")
            print(f"  {name:<13} {row['rate_median']:>10.2f} ({row['rate_min']:.2f})"
                  f"{row['cpu_median']:>18.2f} ({row['cpu_min']:.2f}) {p99} {'':>13}{against}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in (("prefix", str), ("folder", pathlib.Path), ("build", pathlib.Path), ("pins", str),
                       ("rounds", int), ("seconds", int), ("json", pathlib.Path)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--contestants", default="ours,haproxy,nftables,bare")
    options = parser.parse_args()
    kinds = {"ours": Ours, "haproxy": HaProxy, "nftables": NfTables, "bare": Bare}
    contestants = [kinds[name](options, name) for name in options.contestants.split(",")]
    try:
        for contestant in contestants:
            contestant.start()
        free = one_pass(contestants, options)
        for contestant in contestants:
            contestant.account()
        rounds = join(free, one_pass(contestants, options))
        memory = next((one.memory() for one in contestants if isinstance(one, Ours)), {})
    finally:
        for contestant in contestants:
            contestant.lab.close()
    table = summary(rounds)
    show(rounds, table)
    if memory:
        print(f"\nagent: {memory['agent_own_mib']:.1f} MiB of its own, {memory['agent_rss_mib']:.1f} MiB "
              f"resident with the mapped flow tables; bytes per flow: " + ", ".join(
            f"{one.get('family')} {one.get('bytes_per_flow')}" for one in memory["flow_tables"] or []))
    options.json.write_text(json.dumps({"summary": table, "rounds": rounds, "memory": memory}, indent=1))


if __name__ == "__main__":
    main()
