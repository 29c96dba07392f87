#!/usr/bin/python3
"""OpenStack's SDK: openstack_sdk.py ENDPOINT. Every resource is made, found by every filter that the
SDK has, changed and taken away. Ends at what fails, saying so."""
import sys
import time

import openstack

ENDPOINT = sys.argv[1]


def expect(holds, what, found=None):
    if not holds:
        print(f"FAIL {what}: {found}")
        sys.exit(1)
    print(f"ok   {what}")


cloud = openstack.connect(auth_type="none", auth={"endpoint": ENDPOINT},
                          load_balancer_endpoint_override=ENDPOINT,
                          network_endpoint_override=ENDPOINT)
lbs, network = cloud.load_balancer, cloud.network


def found(what, things, wanted):
    ids = [thing.id for thing in things]
    expect(ids == [wanted.id], f"{what} finds it", ids)


def active():
    lbs.wait_for_load_balancer(lb.id, interval=0.2, wait=30)


subnet = network.find_subnet("198.51.100.0/24")
expect(subnet is not None, "the subnet is found by its name")
for nothing in (network.ips(), network.routers(), network.security_groups(), network.extensions()):
    expect(list(nothing) == [], "what this network does not have is an empty list")

lb = lbs.create_load_balancer(name="sdk", vip_subnet_id=subnet.id)
active()
expect(lb.vip_address == "198.51.100.200" and lb.vip_network_id == subnet.network_id,
       "a VIP is allocated", lb)
expect(lb.project_id == "a-project", "and it is the default project's", lb.project_id)
vip_port = network.get_port(lb.vip_port_id)
expect(vip_port.fixed_ips == [{"subnet_id": subnet.id, "ip_address": lb.vip_address}],
       "its port is shown", vip_port.fixed_ips)
found("project_id", lbs.load_balancers(project_id="a-project"), lb)
found("vip_subnet_id", lbs.load_balancers(vip_subnet_id=subnet.id), lb)

listener = lbs.create_listener(name="web", protocol="HTTP", protocol_port=80, load_balancer_id=lb.id)
active()
found("load_balancer_id", lbs.listeners(load_balancer_id=lb.id), listener)
pool = lbs.create_pool(name="app", protocol="HTTP", lb_algorithm="ROUND_ROBIN", listener_id=listener.id)
active()
found("loadbalancer_id", lbs.pools(loadbalancer_id=lb.id), pool)
monitor = lbs.create_health_monitor(pool_id=pool.id, type="HTTP", delay=5, timeout=3, max_retries=2)
active()
found("pool_id", lbs.health_monitors(pool_id=pool.id), monitor)
member = lbs.create_member(pool, name="m", address="203.0.113.9", protocol_port=80)
active()
found("address", lbs.members(pool, address="203.0.113.9"), member)
policy = lbs.create_l7_policy(listener_id=listener.id, action="REJECT", name="no")
active()
found("listener_id", lbs.l7_policies(listener_id=listener.id), policy)
rule = lbs.create_l7_rule(policy, type="PATH", compare_type="STARTS_WITH", value="/a")
active()
found("l7policy_id", lbs.l7_rules(policy, l7_policy_id=policy.id), rule)

lbs.update_listener(listener, connection_limit=5)
active()
expect(lbs.get_listener(listener.id).connection_limit == 5, "a listener is changed")
quota = lbs.update_quota("a-project", load_balancers=1)
try:
    lbs.create_load_balancer(name="more", vip_subnet_id=subnet.id)
    expect(False, "a second load balancer is refused")
except openstack.exceptions.HttpException as refused:
    expect("Quota has been met for resources: Load Balancer" in str(refused), "the quota is held")
lbs.delete_quota("a-project")

profile = lbs.create_flavor_profile(name="p", provider_name="amphora", flavor_data="{}")
flavor = lbs.create_flavor(name="f", flavor_profile_id=profile.id)
found("name", lbs.flavors(name="f"), flavor)
lbs.delete_flavor(flavor)
lbs.delete_flavor_profile(profile)

lbs.failover_load_balancer(lb.id)
active()
expect(lbs.get_load_balancer(lb.id).provisioning_status == "ACTIVE", "a failover makes it anew")
lbs.delete_load_balancer(lb, cascade=True)
# (The SDK's own wait asks for a status that its load balancers have not.)
end = time.monotonic() + 30
while list(lbs.load_balancers()) and time.monotonic() < end:
    time.sleep(0.2)
expect(list(lbs.load_balancers()) == [], "and all of it is gone")
