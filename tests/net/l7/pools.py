#!/usr/bin/env python3
"""Pools that HAProxy serves: PROXY headers, persistence, drain, backup, limits, statuses, statistics to the byte,
certificates apart; and listeners that move between the kernel and HAProxy while they are used."""
import collections
import threading

from lab import *

M1, M2 = os.environ["LAB_M1"], os.environ["LAB_M2"]
CLIENT = os.environ["LAB_CLIENT"]


def stats(kind, id):
    return lbaas("GET", f"{kind}/{id}/stats")["stats"]


def placement(id):
    return next(row for row in call("GET", "/v1/status")["placements"] if row["listener"] == id)


def proxy_headers():
    for version, protocol in ((1, "PROXY"), (2, "PROXYV2")):
        ids = create("proxy", [{"name": "web", "protocol": "HTTP", "protocol_port": 80, "default_pool": {"name": "web"}},
                               {"name": "tcp", "protocol": "TCP", "protocol_port": 81, "default_pool": {"name": "web"}}],
                     [pool("web", [member(M1, 8081)], protocol)])
        for port in (80, 81):
            proxy = ask(port).seen["proxy"]
            equal(f"{protocol} on {port}", (proxy["version"], proxy["source"], proxy["destination"],
                                            proxy["destination_port"]), (version, CLIENT, VIP, port))
        check("why HAProxy serves it", protocol in placement(ids["tcp"])["reason"], placement(ids["tcp"]))
        remove(ids["proxy"])
    say("PROXY and PROXYV2")


def persistence():
    ids = create("sticky", [{"name": "web", "protocol": "HTTP", "protocol_port": 80,
                             "default_pool": pool("web", [member(M1), member(M2)])}])

    def answered(count=12, **more):
        return collections.Counter(ask(80, **more).seen["name"] for _ in range(count))
    equal("without persistence both answer in turn", answered(), {"m1": 6, "m2": 6})
    change = lambda value: lbaas("PUT", f"pools/{ids['web']}", {"pool": {"session_persistence": value}})
    change({"type": "SOURCE_IP"})
    equal("SOURCE_IP", len(answered()), 1)
    change({"type": "HTTP_COOKIE"})
    cookie = ask(80).headers["Set-Cookie"].split(";")[0]
    equal("HTTP_COOKIE", len(answered(headers={"Cookie": cookie})), 1)
    equal("HTTP_COOKIE of nobody", len(answered()), 2)
    change({"type": "APP_COOKIE", "cookie_name": "SESSION"})
    session = ask(80, "/cookie/SESSION/abc123").headers["Set-Cookie"].split(";")[0]
    equal("APP_COOKIE", len(answered(headers={"Cookie": session})), 1)
    equal("APP_COOKIE of another application", len(answered(headers={"Cookie": "OTHER=abc123"})), 2)
    change(None)
    rows = {row["address"]: row["id"] for row in lbaas("GET", f"pools/{ids['web']}/members")["members"]}
    of = lambda address, **fields: lbaas("PUT", f"pools/{ids['web']}/members/{rows[address]}", {"member": fields})
    of(M1, weight=3)
    equal("weights", answered(), {"m1": 9, "m2": 3})
    of(M1, weight=0)
    equal("weight 0 drains", answered(), {"m2": 12})
    of(M1, weight=1, backup=True)
    equal("a backup waits", answered(), {"m2": 12})
    of(M2, admin_state_up=False)
    equal("and stands in", answered(), {"m1": 12})
    of(M1, admin_state_up=False)
    equal("nobody is left", ask(80).status, 503)
    remove(ids["sticky"])
    say("persistence, weights, drain, backup, switched off")


def statuses():
    ids = create("watched", [{"name": "web", "protocol": "HTTP", "protocol_port": 80, "default_pool": pool(
        "web", [member(M1, name="m1"), member(M2, name="m2", monitor_port=8099)], healthmonitor={
            "type": "HTTP", "delay": 1, "timeout": 1, "max_retries": 1, "max_retries_down": 1, "url_path": "/status/204",
            "expected_codes": "200-204"})}])
    status = lambda path: next(iter(lbaas("GET", path).values()))["operating_status"]
    members = lambda: {row["name"]: row["operating_status"] for row in lbaas("GET", f"pools/{ids['web']}/members")["members"]}
    until(10, "m2 to be ERROR", lambda: members() == {"m1": "ONLINE", "m2": "ERROR"})
    equal("pool and load balancer", (status(f"pools/{ids['web']}"), status(f"loadbalancers/{ids['watched']}")),
          ("DEGRADED", "DEGRADED"))
    monitor = lbaas("GET", "healthmonitors")["healthmonitors"][0]["id"]
    lbaas("PUT", f"healthmonitors/{monitor}", {"healthmonitor": {"expected_codes": "200"}})
    until(10, "both to be ERROR", lambda: set(members().values()) == {"ERROR"})
    equal("pool and load balancer", (status(f"pools/{ids['web']}"), status(f"loadbalancers/{ids['watched']}")),
          ("ERROR", "ERROR"))
    reasons = [row["reason"] for row in call("GET", "/v1/status")["checks"]]
    check("the reason names the code", any("204" in reason for reason in reasons), reasons)
    lbaas("DELETE", f"healthmonitors/{monitor}")
    until(10, "nobody to look", lambda: set(members().values()) == {"NO_MONITOR"})
    remove(ids["watched"])
    say("statuses from HAProxy's checks")


def statistics():
    """A client that counts every byte on its own socket."""
    for protocol, port in (("HTTP", 80), ("TCP", 81)):
        ids = create("counted", [{"name": "web", "protocol": protocol, "protocol_port": port,
                                  "default_pool": pool("p", [member(M1)], protocol)}])
        sent = received = 0

        def exchange(times):
            nonlocal sent, received
            for size in range(times):
                text = f"POST /{size} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n" + "x" * size
                with socket.create_connection((VIP, port), timeout=10) as connection:
                    connection.sendall(text.encode())
                    sent += len(text)
                    while part := connection.recv(65536):
                        received += len(part)
        exchange(50)
        equal_later(f"{protocol}: bytes and connections", ids, lambda: (sent, received, 50))
        if protocol == "HTTP":
            lbaas("PUT", f"listeners/{ids['web']}", {"listener": {"timeout_client_data": 40000}})
            equal_later("a reload takes nothing back", ids, lambda: (sent, received, 50))
            exchange(10)
            equal_later("and counting goes on", ids, lambda: (sent, received, 60))
        remove(ids["counted"])
    say("statistics to the byte, HAProxy and XDP")


def equal_later(what, ids, want):
    have = lambda: tuple(stats("listeners", ids["web"])[key] for key in ("bytes_in", "bytes_out", "total_connections"))
    end = time.monotonic() + 8
    while have() != want() and time.monotonic() < end:
        time.sleep(0.2)
    equal(what, have(), want())
    load_balancer = stats("loadbalancers", ids["counted"])
    equal(f"{what}, of the load balancer", (load_balancer["bytes_in"], load_balancer["bytes_out"]), want()[:2])


def moves():
    """A TCP listener goes to HAProxy (its pool speaks PROXY then) and back, under load."""
    ids = create("moving", [{"name": "web", "protocol": "TCP", "protocol_port": 80, "default_pool": {"name": "plain"}}],
                 [pool("plain", [member(M1)], "TCP"), pool("proxied", [member(M1, 8081)], "PROXY")])
    equal("it begins in the kernel", placement(ids["web"])["placement"], "xdp")
    errors, served, going = [], collections.Counter(), True

    def load():
        while going:
            try:
                served["proxied" if ask(80).seen["proxy"] else "plain"] += 1
            except Exception as error:  # whatever it is: none may happen
                errors.append(repr(error))
    kept = [http.client.HTTPConnection(VIP, 80, timeout=10)]

    def keep(connection):
        connection.request("GET", "/kept")
        answer = connection.getresponse()
        equal("an old connection lives on", answer.status, 200)
        return json.loads(answer.read())
    keep(kept[0])
    before = stats("listeners", ids["web"])
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for turn, name in enumerate(("proxied", "plain", "proxied", "plain")):
            lbaas("PUT", f"listeners/{ids['web']}", {"listener": {"default_pool_id": ids[name]}})
            equal("where it is", placement(ids["web"])["placement"], "haproxy" if name == "proxied" else "xdp")
            new = http.client.HTTPConnection(VIP, 80, timeout=10)
            check("new connections go there", bool(keep(new)["proxy"]) == (name == "proxied"))
            kept.append(new)
            time.sleep(0.5)
            for connection in kept:
                keep(connection)
            now = stats("listeners", ids["web"])
            check("statistics never go back", all(now[key] >= before[key] for key in ("bytes_in", "bytes_out",
                                                                                     "total_connections")))
            before = now
    finally:
        going = False
        for thread in threads:
            thread.join()
    equal("failed requests", errors[:3], [])
    check("both served", served["plain"] > 10 and served["proxied"] > 10, served)
    for connection in kept:
        connection.close()
    remove(ids["moving"])
    say(f"a listener that moves: {sum(served.values())} requests, none failed")


def families():
    ids = create("mixed", [{"name": "web", "protocol": "TCP", "protocol_port": 80,
                            "default_pool": pool("p", [member(os.environ["LAB_M1_6"])], "TCP")}])
    equal("an IPv6 member behind an IPv4 VIP", ask(80).seen["name"], "m1")
    equal("is HAProxy's", placement(ids["web"])["placement"], "haproxy")
    remove(ids["mixed"])
    say("members of another family")


def exporter():
    ids = create("exporter", [{"name": "metrics", "protocol": "PROMETHEUS", "protocol_port": 9100},
                              {"name": "l7", "protocol": "HTTP", "protocol_port": 80, "default_pool": pool("a", [member(M1)])},
                              {"name": "l4", "protocol": "TCP", "protocol_port": 81,
                               "default_pool": pool("b", [member(M1)], "TCP")}])
    for port in (80, 81):
        ask(port)
    text = ""

    def both():
        nonlocal text
        text = ask(9100, "/metrics").body.decode()
        return all(f'octavia_listener_connections_total{{loadbalancer="{ids["exporter"]}",listener="{ids[name]}"}} 1' in text
                   for name in ("l7", "l4"))
    until(10, f"both listeners in {text}", both)
    other = lbaas("POST", "loadbalancers", {"loadbalancer": {"vip_address": "198.51.100.20", "listeners": [
        {"protocol": "HTTP", "protocol_port": 80}]}})["loadbalancer"]["id"]
    check("of all, where operators ask", other in call("GET", "/metrics"))
    for query in ("", f"?loadbalancer={other}"):
        text = ask(9100, "/metrics" + query).body.decode()
        equal(f"of its own load balancer alone, asked for '{query}'", (ids["exporter"] in text, other in text), (True, False))
        check(f"and not of the machine, asked for '{query}'",
              "amphora_xdp_interface" not in text and "amphora_xdp_flows" not in text)
    lbaas("DELETE", f"loadbalancers/{other}?cascade=true")
    equal("nothing else is there", ask(9100, "/v2.0/lbaas/loadbalancers").status in (403, 404), True)
    remove(ids["exporter"])
    say("the PROMETHEUS listener, both placements")


proxy_headers()
persistence()
statuses()
statistics()
moves()
families()
exporter()
