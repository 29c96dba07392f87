#!/bin/bash
# Answers with its name on port 8080.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq python3
mkdir -p /srv/member
hostname >/srv/member/index.html
cat >/etc/systemd/system/member.service <<'END'
[Unit]
Description=Answers with the name of this machine
After=network-online.target

[Service]
ExecStart=/usr/bin/python3 -m http.server --directory /srv/member 8080
Restart=always

[Install]
WantedBy=multi-user.target
END
systemctl enable --now member.service
