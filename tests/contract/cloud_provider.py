#!/usr/bin/python3
"""What cloud-provider-openstack asks of Octavia and of its network for a Kubernetes service of type
LoadBalancer with two ports, in its order: cloud_provider.py ENDPOINT NODE NODE. It finds out whether
the service has a load balancer, makes one with everything in it, waits, changes the nodes, and takes
it away. Ends at what fails, saying so."""
import json
import sys
import time
import urllib.error
import urllib.request

ENDPOINT, NODES = sys.argv[1], sys.argv[2:4]
NAME = "kube_service_kubernetes_default_web"
calls = 0


def call(method, path, body=None, status=200):
    global calls
    calls += 1
    request = urllib.request.Request(f"{ENDPOINT}/v2.0{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            got, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        got, text = error.code, error.read()
    if got != status:
        print(f"FAIL {method} {path}: {got} {text.decode()}")
        sys.exit(1)
    return json.loads(text) if text else None


def wait_active(lb):
    for _ in range(150):
        state = call("GET", f"/lbaas/loadbalancers/{lb}")["loadbalancer"]["provisioning_status"]
        if state == "ACTIVE":
            return
        time.sleep(0.2)
    print(f"FAIL the load balancer stays {state}")
    sys.exit(1)


def pool_of(port, node_port):
    return {"name": f"pool_{port}", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
            "session_persistence": None,
            "members": [{"name": f"node{i}", "address": node, "protocol_port": node_port,
                         "monitor_port": None} for i, node in enumerate(NODES)],
            "healthmonitor": {"name": f"monitor_{port}", "type": "TCP", "delay": 5, "timeout": 3,
                              "max_retries": 1, "max_retries_down": 3}}


# Which features there are: providers, versions, extensions of the network.
versions = {v["id"] for v in json.load(urllib.request.urlopen(ENDPOINT + "/"))["versions"]}
assert {"v2.0", "v2.5", "v2.13"} <= versions, versions
call("GET", "/lbaas/providers")
call("GET", "/extensions")
subnet = call("GET", "/subnets?name=198.51.100.0%2F24")["subnets"][0]
call("GET", f"/networks/{subnet['network_id']}")

# Is it there already? By name, then by tag.
assert call("GET", f"/lbaas/loadbalancers?name={NAME}")["loadbalancers"] == []
assert call("GET", f"/lbaas/loadbalancers?tags={NAME}")["loadbalancers"] == []

listeners = [{"name": f"listener_{i}", "protocol": "TCP", "protocol_port": port,
              "connection_limit": -1, "timeout_client_data": 50000, "timeout_member_data": 50000,
              "timeout_member_connect": 5000, "timeout_tcp_inspect": 0, "allowed_cidrs": ["0.0.0.0/0"],
              "tags": [NAME], "default_pool": pool_of(port, 30000 + port)}
             for i, port in enumerate((80, 443))]
made = call("POST", "/lbaas/loadbalancers", {"loadbalancer": {
    "name": NAME, "description": "Kubernetes external service", "provider": "octavia",
    "vip_subnet_id": subnet["id"], "admin_state_up": True, "tags": [NAME], "listeners": listeners}},
    201)["loadbalancer"]
lb = made["id"]
wait_active(lb)
assert made["vip_address"].startswith("198.51.100.20"), made["vip_address"]

# A floating IP for the port of the VIP: there are none here.
port = call("GET", f"/ports/{made['vip_port_id']}")["port"]
assert port["fixed_ips"][0]["ip_address"] == made["vip_address"], port
assert call("GET", f"/floatingips?port_id={port['id']}")["floatingips"] == []
assert call("GET", f"/security-groups?name=lb-sg-{lb}")["security_groups"] == []

# The service is looked at again: nothing differs.
found = call("GET", f"/lbaas/loadbalancers?name={NAME}")["loadbalancers"]
assert [one["id"] for one in found] == [lb]
have = call("GET", f"/lbaas/listeners?loadbalancer_id={lb}")["listeners"]
assert sorted(one["protocol_port"] for one in have) == [80, 443]
for listener in have:
    pools = call("GET", f"/lbaas/pools?loadbalancer_id={lb}")["pools"]
    pool = next(one for one in pools if {"id": listener["id"]} in one["listeners"])
    monitor = call("GET", f"/lbaas/healthmonitors/{pool['healthmonitor_id']}")["healthmonitor"]
    assert monitor["pools"] == [{"id": pool["id"]}]
    members = call("GET", f"/lbaas/pools/{pool['id']}/members")["members"]
    assert sorted(one["address"] for one in members) == sorted(NODES)
    # A node goes.
    call("PUT", f"/lbaas/pools/{pool['id']}/members", {"members": [
        {"name": "node0", "address": NODES[0], "protocol_port": members[0]["protocol_port"]}]}, 202)
    wait_active(lb)
    assert len(call("GET", f"/lbaas/pools/{pool['id']}/members")["members"]) == 1
    call("PUT", f"/lbaas/listeners/{listener['id']}", {"listener": {
        "connection_limit": 100, "allowed_cidrs": ["192.0.2.0/24"]}})
    wait_active(lb)

# A port goes: monitor, pool and listener, one after the other.
last = have[0]
pool = next(one for one in call("GET", f"/lbaas/pools?loadbalancer_id={lb}")["pools"]
            if {"id": last["id"]} in one["listeners"])
for path in (f"healthmonitors/{pool['healthmonitor_id']}", f"pools/{pool['id']}",
             f"listeners/{last['id']}"):
    call("DELETE", f"/lbaas/{path}", status=204)
    wait_active(lb)

call("DELETE", f"/lbaas/loadbalancers/{lb}?cascade=true", status=204)
for _ in range(150):
    if call("GET", f"/lbaas/loadbalancers?name={NAME}")["loadbalancers"] == []:
        break
    time.sleep(0.2)
call("GET", f"/lbaas/loadbalancers/{lb}", status=404)
print(f"ok   {calls} calls of a cloud provider are answered as it needs them")
