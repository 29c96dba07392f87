# shellcheck shell=bash
# Two members and an agent whose API is reached over TCP, by projects, with a range of VIPs to allocate.

source "$(dirname "${BASH_SOURCE[0]}")/../net/traffic/traffic.sh"

# api_lab NAME: lab_begin and all that. `api` is the API's address.
api_lab() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
