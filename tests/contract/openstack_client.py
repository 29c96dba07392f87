#!/usr/bin/python3
"""Every command of the OpenStack client for load balancers: openstack_client.py ENDPOINT [all|l4].

Runs the client's own shell in this process, as `openstack --os-auth-type none` would. Names are
given where names can be, so that the look-ups are tested, too. Ends at what fails, saying so.
"""
import contextlib
import io
import json
import sys
import time
import urllib.request

from octaviaclient.osc.v2 import constants
from openstackclient import shell

ENDPOINT, WHAT = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "all")
VIP, VIP_SUBNET, MEMBER_SUBNET = "198.51.100.10", "198.51.100.0/24", "203.0.113.0/24"

# What Octavia 11 answers to GET of each; a pool has healthmonitor_id only while it has one.
KEYS = {
    "loadbalancer": """additional_vips admin_state_up availability_zone created_at description
        flavor_id id listeners name operating_status pools project_id provider
        provisioning_status tags tenant_id updated_at vip_address vip_network_id vip_port_id
        vip_qos_policy_id vip_subnet_id""",
    "listener": """admin_state_up allowed_cidrs alpn_protocols client_authentication
        client_ca_tls_container_ref client_crl_container_ref connection_limit created_at
        default_pool_id default_tls_container_ref description id insert_headers l7policies
        loadbalancers name operating_status project_id protocol protocol_port
        provisioning_status sni_container_refs tags tenant_id timeout_client_data
        timeout_member_connect timeout_member_data timeout_tcp_inspect tls_ciphers
        tls_versions updated_at""",
    "pool": """admin_state_up alpn_protocols ca_tls_container_ref created_at crl_container_ref
        description id lb_algorithm listeners loadbalancers members name
        operating_status project_id protocol provisioning_status session_persistence tags
        tenant_id tls_ciphers tls_container_ref tls_enabled tls_versions updated_at""",
    "member": """address admin_state_up backup created_at id monitor_address monitor_port name
        operating_status project_id protocol_port provisioning_status subnet_id tags tenant_id
        updated_at weight""",
    "healthmonitor": """admin_state_up created_at delay domain_name expected_codes http_method
        http_version id max_retries max_retries_down name operating_status pools project_id
        provisioning_status tags tenant_id timeout type updated_at url_path""",
    "l7policy": """action admin_state_up created_at description id listener_id name
        operating_status position project_id provisioning_status redirect_http_code
        redirect_pool_id redirect_prefix redirect_url rules tags tenant_id updated_at""",
    "rule": """admin_state_up compare_type created_at id invert key operating_status project_id
        provisioning_status tags tenant_id type updated_at value""",
}


def fail(why):
    print(f"FAIL {why}")
    sys.exit(1)


def expect(holds, what, found=None):
    if not holds:
        fail(f"{what}: {found}")
    print(f"ok   {what}")


def run(*words):
    """(exit status, standard output, standard error) of `openstack loadbalancer WORDS`."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = shell.OpenStackShell().run(
                ["--os-auth-type", "none", "--os-endpoint", ENDPOINT, "loadbalancer", *words])
    except SystemExit as wrong:  # an option that the client does not know
        status = 2 if wrong.code else 0
    return status, out.getvalue(), err.getvalue()


def os(*words):
    status, out, err = run(*words)
    if status != 0:
        fail(f"openstack loadbalancer {' '.join(words)}: {err or out}")
    print(f"ok   openstack loadbalancer {' '.join(words)}")
    return out


def shown(*words):
    return json.loads(os(*words, "-f", "json"))


def refused(what, *words):
    status, out, err = run(*words)
    expect(status == 1 and what in err, f"openstack loadbalancer {' '.join(words)} is refused: "
           f"{err.strip().splitlines()[-1] if err else ''}", err + out)


def get(path):
    with urllib.request.urlopen(f"{ENDPOINT}/v2.0/lbaas/{path}", timeout=10) as answer:
        return json.load(answer)


def check_show(rows, key, path, *words):
    """`show` prints all rows of the client, and the API answers what a real one does."""
    printed = shown(*words)
    expect(sorted(printed) == sorted(rows), f"{key}: every row is printed", sorted(printed))
    body = get(f"{path}/{printed['id']}")[key]
    missing = set(KEYS[key].split()) - set(body)
    expect(not missing, f"{key}: has the keys of a real one", missing)
    return printed


def surroundings():
    names = [row["name"] for row in shown("provider", "list")]
    expect(names == ["amphora-xdp"], "there is one provider", names)
    for words in (("flavor", "list"), ("flavorprofile", "list"), ("availabilityzone", "list"),
                  ("availabilityzoneprofile", "list"), ("amphora", "list"), ("quota", "list")):
        expect(shown(*words) == [], f"{' '.join(words)} is empty")
    for kind in ("--flavor", "--availability-zone"):
        found = shown("provider", "capability", "list", kind, "amphora-xdp")
        expect(len(found) == 3, f"capabilities: {kind}", found)
    quotas()
    for kind, data, key in (("flavor", "--flavor-data", '{"loadbalancer_topology": "SINGLE"}'),
                            ("availabilityzone", "--availability-zone-data", "{}")):
        offers(kind, data, key)
    gone = "00000000-0000-4000-8000-00000000dead"
    for verb in ("show", "delete", "configure", "failover"):
        refused(gone, "amphora", verb, gone)
    refused(gone, "amphora", "stats", "show", gone)


def quotas():
    defaults = shown("quota", "defaults", "show")
    expect(sorted(defaults) == sorted(constants.QUOTA_ROWS), "quota: every row is printed", defaults)
    project = "6f0a3c8de9f24e0c8ad4b7a4f8e3a001"
    expect(shown("quota", "show", project) == defaults, "a project's quota is the default")
    found = shown("quota", "set", "--pool", "3", project)
    expect(str(found["pool"]) == "3", "a quota is set", found)
    os("quota", "unset", "--pool", project)
    expect(shown("quota", "show", project) == defaults, "and unset")
    os("quota", "reset", project)
    expect(shown("quota", "list") == [], "and reset")


def offers(kind, data, what):
    """A flavor or an availability zone and its profile: made, changed, taken away."""
    profile = shown(f"{kind}profile", "create", "--name", "p", "--provider", "amphora-xdp", data, what)
    os(f"{kind}profile", "set", "--name", "q", "p")
    made = shown(kind, "create", "--name", "f", f"--{kind}profile", "q")
    expect(made["enabled"] in (True, "True"), f"{kind}: is made", made)
    os(kind, "set", "--disable", "f")
    expect(shown(kind, "show", "f")["enabled"] in (False, "False"), f"{kind}: is changed")
    refused("in use", f"{kind}profile", "delete", profile["id"])
    os(kind, "delete", "f")
    os(f"{kind}profile", "delete", "q")
    expect(shown(kind, "list") == [], f"{kind}: is gone")


def load_balancers():
    os("create", "--name", "lb", "--vip-address", VIP, "--vip-subnet-id", VIP_SUBNET, "--wait")
    rows = shown("list")
    expect([(row["name"], row["vip_address"], row["provisioning_status"]) for row in rows] ==
           [("lb", VIP, "ACTIVE")], "the load balancer is listed", rows)
    for filters in (("--name", "lb"), ("--provisioning-status", "ACTIVE"), ("--enable",),
                    ("--vip-subnet-id", VIP_SUBNET), ("--provider", "amphora-xdp")):
        expect(len(shown("list", *filters)) == 1, f"and found by {' '.join(filters)}")
    expect(shown("list", "--name", "other") == [], "and not by another name")
    os("set", "--description", "words", "--tag", "blue", "--wait", "lb")
    found = check_show(constants.LOAD_BALANCER_ROWS, "loadbalancer", "loadbalancers", "show", "lb")
    expect((found["description"], found["tags"]) == ("words", "blue"), "set has set", found)
    expect(len(shown("list", "--tags", "blue")) == 1, "and it is found by its tag")
    os("unset", "--description", "--tag", "blue", "--wait", "lb")
    found = shown("show", "lb")
    os("failover", "--wait", "lb")
    os("set", "--disable", "--wait", "lb")
    expect(shown("show", "lb")["admin_state_up"] is False, "it is disabled")
    os("set", "--enable", "--name", "lb", "--wait", "lb")
    os("create", "--name", "by-address", "--vip-address", "198.51.100.77",
       "--vip-network-id", "eth1", "--wait")
    os("delete", "--wait", "by-address")
    stats = shown("stats", "show", "lb")
    expect(sorted(stats) == sorted(constants.LOAD_BALANCER_STATS_ROWS), "stats have every row", stats)
    tree = json.loads(os("status", "show", "lb"))
    expect(tree["loadbalancer"]["name"] == "lb", "the status tree is of it", tree)


def listeners():
    os("listener", "create", "--name", "front", "--protocol", "TCP", "--protocol-port", "80",
       "--connection-limit", "100", "--allowed-cidr", "198.51.100.0/24", "--wait", "lb")
    expect(len(shown("listener", "list", "--loadbalancer", "lb")) == 1, "the listener is listed")
    os("listener", "set", "--timeout-client-data", "7000", "--description", "d", "--wait", "front")
    found = check_show(constants.LISTENER_ROWS, "listener", "listeners", "listener", "show", "front")
    expect((found["connection_limit"], found["timeout_client_data"], found["allowed_cidrs"]) ==
           (100, 7000, "198.51.100.0/24"), "set has set", found)
    os("listener", "unset", "--connection-limit", "--timeout-client-data", "--allowed-cidrs",
       "--wait", "front")
    found = shown("listener", "show", "front")
    expect((found["connection_limit"], found["timeout_client_data"]) == (-1, 50000),
           "unset has unset", found)
    stats = shown("listener", "stats", "show", "front")
    expect(sorted(stats) == sorted(constants.LOAD_BALANCER_STATS_ROWS), "stats have every row", stats)


def pools():
    os("pool", "create", "--name", "app", "--protocol", "TCP", "--lb-algorithm", "ROUND_ROBIN",
       "--listener", "front", "--wait")
    os("pool", "create", "--name", "spare", "--protocol", "TCP", "--lb-algorithm", "SOURCE_IP",
       "--loadbalancer", "lb", "--wait")
    expect(len(shown("pool", "list", "--loadbalancer", "lb")) == 2, "both pools are listed")
    os("pool", "set", "--lb-algorithm", "LEAST_CONNECTIONS", "--tag", "green", "--wait", "app")
    found = check_show(constants.POOL_ROWS, "pool", "pools", "pool", "show", "app")
    expect((found["lb_algorithm"], found["tags"]) == ("LEAST_CONNECTIONS", "green"), "set has set",
           found)
    os("pool", "unset", "--all-tag", "--wait", "app")
    expect(shown("pool", "show", "app")["tags"] == "", "unset has unset")
    os("listener", "set", "--default-pool", "spare", "--wait", "front")
    expect(shown("listener", "show", "front")["default_pool_id"] ==
           shown("pool", "show", "spare")["id"], "the default pool is another one")
    os("listener", "unset", "--default-pool", "--wait", "front")
    os("listener", "set", "--default-pool", "app", "--wait", "front")


def members():
    os("member", "create", "--name", "one", "--address", "203.0.113.11", "--protocol-port", "8080",
       "--subnet-id", MEMBER_SUBNET, "--weight", "3", "--wait", "app")
    os("member", "create", "--name", "two", "--address", "203.0.113.12", "--protocol-port", "8080",
       "--enable-backup", "--wait", "app")
    expect(len(shown("member", "list", "app")) == 2, "both members are listed")
    os("member", "set", "--weight", "5", "--monitor-port", "8081", "--disable-backup", "--wait",
       "app", "one")
    pool = shown("pool", "show", "app")["id"]
    found = check_show(constants.MEMBER_ROWS, "member", f"pools/{pool}/members", "member", "show",
                       "app", "one")
    expect((found["weight"], found["monitor_port"], found["backup"]) == (5, 8081, False),
           "set has set", found)
    os("member", "unset", "--weight", "--monitor-port", "--wait", "app", "one")
    found = shown("member", "show", "app", "one")
    expect((found["weight"], found["monitor_port"]) == (1, None), "unset has unset", found)


def health_monitors():
    os("healthmonitor", "create", "--name", "check", "--type", "HTTP", "--delay", "5", "--timeout",
       "2", "--max-retries", "3", "--http-method", "GET", "--url-path", "/health",
       "--expected-codes", "200,202", "--wait", "app")
    monitors = shown("healthmonitor", "list")
    expect(len(monitors) == 1, "the health monitor is listed")
    expect(shown("pool", "show", "app")["healthmonitor_id"] == monitors[0]["id"],
           "and its pool names it")
    os("healthmonitor", "set", "--delay", "7", "--max-retries-down", "4", "--http-version", "1.1",
       "--domain-name", "www.example.com", "--wait", "check")
    found = check_show(constants.MONITOR_ROWS, "healthmonitor", "healthmonitors", "healthmonitor",
                       "show", "check")
    expect((found["delay"], found["max_retries_down"], found["domain_name"]) ==
           (7, 4, "www.example.com"), "set has set", found)
    os("healthmonitor", "unset", "--max-retries-down", "--domain-name", "--wait", "check")
    found = shown("healthmonitor", "show", "check")
    expect((found["max_retries_down"], found["domain_name"]) == (3, None), "unset has unset", found)


def l7():
    os("listener", "create", "--name", "site", "--protocol", "HTTP", "--protocol-port", "8000",
       "--insert-headers", "X-Forwarded-For=true", "--wait", "lb")
    os("listener", "create", "--name", "secure", "--protocol", "TERMINATED_HTTPS",
       "--protocol-port", "8443", "--default-tls-container-ref", "web.pem", "--wait", "lb")
    found = shown("listener", "show", "secure")
    expect(found["default_tls_container_ref"] == "web.pem", "the certificate is referred to", found)
    refused("none.pem", "listener", "create", "--name", "bad", "--protocol", "TERMINATED_HTTPS",
            "--protocol-port", "8444", "--default-tls-container-ref", "none.pem", "lb")
    os("l7policy", "create", "--name", "policy", "--action", "REDIRECT_TO_URL", "--redirect-url",
       "http://www.example.com/", "--redirect-http-code", "301", "--wait", "site")
    os("l7policy", "create", "--name", "second", "--action", "REJECT", "--wait", "site")
    expect(len(shown("l7policy", "list")) == 2, "both policies are listed")
    os("l7policy", "set", "--description", "d", "--position", "2", "--wait", "policy")
    found = check_show(constants.L7POLICY_ROWS, "l7policy", "l7policies", "l7policy", "show",
                       "policy")
    expect((found["description"], found["position"]) == ("d", 2), "set has set", found)
    os("l7policy", "unset", "--description", "--wait", "policy")
    expect(shown("l7policy", "show", "policy")["description"] == "", "unset has unset")

    # Rules have no names, and --wait of 3.1.0 asks for them where no Octavia has them.
    rule = shown("l7rule", "create", "--type", "HEADER", "--compare-type", "EQUAL_TO", "--key",
                 "X-Kind", "--value", "a", "--invert", "policy")["id"]
    active()
    expect(len(shown("l7rule", "list", "policy")) == 1, "the rule is listed")
    os("l7rule", "set", "--value", "b", "policy", rule)
    active()
    policy = shown("l7policy", "show", "policy")["id"]
    found = check_show(constants.L7RULE_ROWS, "rule", f"l7policies/{policy}/rules", "l7rule", "show",
                       "policy", rule)
    expect((found["value"], found["invert"]) == ("b", True), "set has set", found)
    os("l7rule", "unset", "--invert", "policy", rule)
    active()
    expect(shown("l7rule", "show", "policy", rule)["invert"] is False, "unset has unset")
    os("l7rule", "delete", "policy", rule)
    active()
    os("l7policy", "delete", "--wait", "policy")
    os("l7policy", "delete", "--wait", "second")
    os("listener", "delete", "--wait", "site")
    os("listener", "delete", "--wait", "secure")


def active():
    """Waits until the load balancer takes changes again."""
    for _ in range(100):
        if get("loadbalancers")["loadbalancers"][0]["provisioning_status"] == "ACTIVE":
            return
        time.sleep(0.1)
    fail("the load balancer does not become ACTIVE")


def removal():
    os("healthmonitor", "delete", "--wait", "check")
    os("member", "delete", "--wait", "app", "two")
    os("pool", "delete", "--wait", "spare")
    os("listener", "delete", "--wait", "front")
    refused("has children", "delete", "lb")
    os("delete", "--cascade", "--wait", "lb")
    for kind in ("listener", "pool", "healthmonitor"):
        expect(shown(kind, "list") == [], f"no {kind} is left")
    expect(shown("list") == [], "no load balancer is left")


def main():
    # --wait looks every three seconds; what is here is done in milliseconds.
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.2))
    surroundings()
    load_balancers()
    listeners()
    pools()
    members()
    health_monitors()
    if WHAT == "all":
        l7()
    removal()


if __name__ == "__main__":
    main()
