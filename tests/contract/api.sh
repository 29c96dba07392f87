# shellcheck shell=bash
# An API that is reached over TCP: a port for it, and a lab whose agent answers there.

source "$(dirname "${BASH_SOURCE[0]}")/../net/traffic/traffic.sh"

# api_port: one that nobody has.
api_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# api_lab NAME: two members and an agent, by projects, with a range of VIPs to allocate. `api` is the API's address.
api_lab() {
  local port
  port=$(api_port)
  lab_begin "$1"
  lab_topology two-armed 2
  lab_members
  export LAB_AGENT_FIELDS="\"api_bind\": \"127.0.0.1:$port\", \"default_project\": \"a-project\",
  \"vip_ranges\": [{\"interface\": \"eth1\", \"subnet\": \"198.51.100.0/24\",
                    \"first\": \"198.51.100.200\", \"last\": \"198.51.100.203\"}],"
  lab_agent_start
  # shellcheck disable=SC2034  # for who sources this
  api="http://127.0.0.1:$port"
}
