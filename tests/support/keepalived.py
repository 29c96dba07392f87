"""keepalived's configuration, as an Octavia controller uploads it."""


def keepalived_conf(lb, vip, own, peer, base_path="/var/lib/octavia", seconds=5, times=2):
    """Its check runs every so many seconds, and so many results alike decide."""
    return f"""vrrp_script check_script {{
    script {base_path}/vrrp/check_script.sh
    interval {seconds}
    fall {times}
    rise {times}
}}

vrrp_instance {lb.replace("-", "")} {{
    interface eth1
    virtual_router_id 1
    priority 100
    nopreempt
    accept
    garp_master_refresh 5
    garp_master_refresh_repeat 2
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass 4d6e2f1
    }}

    unicast_src_ip {own}
    unicast_peer {{
        {peer}
    }}

    virtual_ipaddress {{
        {vip}
    }}

    track_script {{
        check_script
    }}
}}
"""
