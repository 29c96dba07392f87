#!/bin/bash
# A connection that XDP carried is logged as HAProxy logs the same one, to the same place.
#
#   client ---- eth1 amphora eth2 --[switch]-- m1 lab_server
#                 :80 XDP, :8081 a HAProxy of the test, both to m1
#                  `--> $LAB_DIR/log, read by the test
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/traffic.sh"

lab_begin flow-log
lab_topology two-armed 1
lab_members
log=$LAB_DIR/log lines=$LAB_DIR/lines
reader() {
  lab_spawn "$LAB_DIR/reader.log" python3 "$(dirname "${BASH_SOURCE[0]}")/log_reader.py" "$log" "$lines"
  LAB_READER=$LAB_PID
  lab_until 5 "the log's reader" test -S "$log"
}
reader
LAB_AGENT_FIELDS="\"flow_log\": {\"target\": \"$log\", \"facility\": \"local3\"},"
lab_agent_start
create_lb log "$LAB_VIP4" \
  "$(listener_json TCP 80 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1)" '"timeout_client_data": 1500,')" \
  "$(listener_json TCP 81 ROUND_ROBIN "$(members_json ipv4 9 1)" '"timeout_member_connect": 1000,')" \
  "$(listener_json UDP 53 ROUND_ROBIN "$(members_json ipv4 $LAB_MEMBER_PORT 1)" '"timeout_client_data": 1000,')"
listener=$(id_of listeners l-TCP-80)
pool=$(id_of pools p-TCP-80)
member=$(id_of "pools/$pool/members" m1)

cat >"$LAB_DIR/haproxy.cfg" <<CFG
global
  log $log local3
  maxconn 100
defaults
  log global
  timeout client 1500
  timeout server 1500
  timeout connect 1000
frontend $listener
  bind $LAB_VIP4:8081
  mode tcp
  log-format -\ $LB_ID\ %f\ %ci\ %cp\ %t\ -\ -\ %B\ %U\ %[ssl_c_verify]\ %{+Q}[ssl_c_s_dn]\ %b\ %s\ %Tt\ %tsc
  default_backend $pool:$listener
backend $pool:$listener
  mode tcp
  server $member $(lab_member_address m1 ipv4):$LAB_MEMBER_PORT
CFG
lab_spawn_in amphora "$LAB_DIR/haproxy.log" haproxy -db -f "$LAB_DIR/haproxy.cfg"

# fields LINE: without the head, the client's port, the date and how long it took.
fields() { sed -E 's/^(<[0-9]+>).*haproxy\[[0-9]+\]: /\1 /; s/ [0-9]+ [0-9]+\/[A-Z][a-z]+\/[0-9:.]+ / /; s/ [0-9]+ (....)$/ \1/' <<<"$1"; }
one_more() { # COMMAND...: the line that comes of it
  local before
  before=$(wc -l <"$lines")
  "$@" >"$LAB_DIR/out" 2>&1 || true
  lab_until 20 "a line in the log" eval "[[ \$(wc -l <\"$lines\") -gt $before ]]"
  LINE=$(tail -n 1 "$lines")
}
get() { lab_in client curl -s -m 5 -H 'Connection: close' -H 'Host: lab' "http://$LAB_VIP4:$1/a"; }
idle() { lab_in client python3 -c "
import socket, time
c = socket.create_connection(('$LAB_VIP4', $1)); c.sendall(b'GET '); time.sleep(6); c.close()"; }
reset() { lab_in client python3 -c "
import socket, struct, time
c = socket.create_connection(('$LAB_VIP4', $1)); c.sendall(b'GET '); time.sleep(0.5)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()"; }

lab_until 10 "the test's HAProxy" get 8081
sleep 0.5
for what in get idle reset; do
  one_more "$what" 8081
  theirs=$(fields "$LINE")
  one_more "$what" 80
  ours=$(fields "$LINE")
  [[ $ours == "$theirs" ]] || fail "$what: HAProxy wrote '$theirs', we '$ours'"
  pass "$what: $ours"
done
took=$(awk '{ print $(NF - 1) }' <<<"$LINE")
# Both its ends are known to a tick of 100 ms.
((took >= 300 && took <= 900)) || fail "the connection that was reset after 500 ms took $took ms"
pass "and how long it took is known: $took ms"

one_more get 81
[[ $LINE == *" 0 "*" SC--" ]] || fail "nobody listens there, but: $LINE"
pass "a member that refuses: SC"
one_more lab_client requests --udp --target "$LAB_VIP4:53" --connections 1
[[ $LINE == *" ----" ]] || fail "datagrams: $LINE"
pass "datagrams that stopped: $LINE"

# The daemon is started again; connections end meanwhile, and after.
kill "$LAB_READER"
reader
before=$(grep -c "$listener" "$lines")
lab_client requests --target "$LAB_VIP4:80" --connections 500 --concurrency 8 >"$LAB_DIR/out"
more() { echo $(($(grep -c "$listener" "$lines") - before)); }
all_there() { (($(more) >= 500)); }
lab_until 20 "500 more lines" all_there
sleep 2.5
(($(more) == 500)) || fail "$(more) lines, not 500"
pass "500 connections, 500 lines, by a daemon that was started again"
expect "all are counted" "$(lab_api GET /v1/status)" '.flow_log.left_out == 0 and .flow_log.written >= 505'

# A client that begins anew from the same port ends the connection before: no sweep would find it.
before=$(grep -c "$listener" "$lines")
lab_in client python3 - "$LAB_VIP4" <<'PYTHON'
import socket, sys, time
for _ in range(20):
    c = socket.socket()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    c.bind(("", 23456))
    c.settimeout(5)
    c.connect((sys.argv[1], 80))
    c.sendall(b"GET /a HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n")
    while c.recv(4096):
        pass
    c.close()
    time.sleep(0.02)
PYTHON
all_20() { (($(more) >= 20)); }
lab_until 20 "20 more lines" all_20
sleep 2.5
(($(more) == 20)) || fail "$(more) lines of 20 connections from one port"
pass "20 connections from one port, 20 lines"
