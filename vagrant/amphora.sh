#!/bin/bash
# amphora.sh HOST PEER: a node of a pair; the numbers are the last ones of its addresses, and of the other node's.
set -euo pipefail
host=$1 peer=$2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq /tmp/amphora-xdp.deb
systemctl disable --now haproxy keepalived
number=$(printf '%02x' "$host")
mkdir -p /etc/amphora-xdp
cat >/etc/amphora-xdp/agent.json <<END
{
  "interfaces": [
    {"name": "front", "mac": "02:00:00:00:01:$number", "addresses": ["198.51.100.$host/24"]},
    {"name": "back", "mac": "02:00:00:00:02:$number", "addresses": ["203.0.113.$host/24"]}
  ],
  "pair": {
    "interface": "front", "source": "198.51.100.$host", "peer": "198.51.100.$peer",
    "priority": $((200 - host)), "advert_ms": 100
  }
}
END
amphora-xdp-agent --check-config
systemctl restart amphora-agent
# Each node is told the same load balancer; the VIP is at one of them.
amphora-xdp apply /tmp/load-balancer.json
amphora-xdp status
