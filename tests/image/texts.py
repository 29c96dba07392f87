"""What an Octavia controller uploads, as it words it."""

AMPHORA = "3c1b0a9f-8e7d-4c6b-9a58-473625141302"
LB = "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a"
LISTENER, WEB, POOL, MEMBER_ID = (f"{n}1111111-0000-4000-8000-000000000001" for n in "1423")


def agent_conf(topology):
    return f"""[DEFAULT]
debug = False
[haproxy_amphora]
base_path = /var/lib/octavia
base_cert_dir = /var/lib/octavia/certs
bind_host = ::
bind_port = 9443
haproxy_cmd = /usr/sbin/haproxy
[health_manager]
controller_ip_port_list = 10.0.2.2:5555
heartbeat_interval = 5
heartbeat_key = insecure
[amphora_agent]
agent_server_ca = /etc/octavia/certs/client_ca.pem
agent_server_cert = /etc/octavia/certs/server.pem
agent_server_network_dir = /etc/octavia/interfaces/
agent_request_read_timeout = 180
amphora_id = {AMPHORA}
[controller_worker]
loadbalancer_topology = {topology}
"""


def haproxy_cfg(vip, member, modes):
    """modes: {port of a listener: "tcp" or "http"}; the first is LISTENER, the second WEB."""
    frontends = "".join(f"""
frontend {listener}
    maxconn 50000
    bind {vip}:{port}
    mode {mode}
    default_backend {POOL}:{listener}
    timeout client 50000

backend {POOL}:{listener}
    mode {mode}
    balance roundrobin
    fullconn 50000
    option allbackups
    timeout connect 5000
    timeout server 50000
    server {MEMBER_ID} {member} weight 1
""" for listener, (port, mode) in zip((LISTENER, WEB), modes.items()))
    return f"""# Configuration for loadbalancer {LB}
global
    daemon
    user nobody
    log /run/rsyslog/octavia/log local0
    log /run/rsyslog/octavia/log local1 notice
    stats socket /var/lib/octavia/{LB}.sock mode 0666 level user
    maxconn 50000

defaults
    log global
    retries 3
    option redispatch
{frontends}"""
