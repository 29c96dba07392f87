#!/bin/bash
# Bring up: fabric of namespaces, certificates, MariaDB, RabbitMQ, Octavia's
# API, worker, health-manager and housekeeping. Re-run after down.sh.
# Names, addresses and paths of the box have no blanks.
# shellcheck disable=SC2086,SC2046,SC2034
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
T0=$(date +%s.%N)
[ -e "$BOX_RUN/up" ] && die "already up in $BOX_RUN (run down.sh first)"
for ns in $CTL_NS $FAB_NS $CLI_NS; do
	[ -e /run/netns/$ns ] && die "namespace $ns exists: another lab is running"
done
for tool in octavia-worker octavia-health-manager octavia-housekeeping keepalived \
	openstack mariadbd uwsgi haproxy nft ethtool; do
	command -v $tool >/dev/null || die "missing $tool (scripts/install-packages has them)"
done
rm -rf "$BOX_RUN"
mkdir -p "$BOX_RUN"/{log,pids,certs/tenant,home,mysql,rabbit,amp,drive}
chmod 755 "$BOX_RUN"
# From here on a failure leaves things to look at; down.sh cleans up.
touch "$BOX_RUN/up"

log "fabric"
ip netns add $FAB_NS
ip netns exec $FAB_NS sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0
ip -n $FAB_NS link set lo up
for br in br-mgmt br-vip br-mem; do ip -n $FAB_NS link add $br type bridge; ip -n $FAB_NS link set $br up; done
ip -n $FAB_NS addr add $VIP_NET.254/24 dev br-vip
ip -n $FAB_NS addr add 2001:db8:100::fe/64 dev br-vip
ip -n $FAB_NS addr add $MEM_NET.254/24 dev br-mem
port() { # NETNS IFNAME BRIDGE CIDR...
	local ns=$1 if=$2 br=$3; shift 3
	ip -n $FAB_NS link add "$ns" type veth peer name "$if" netns "$ns"
	ip -n $FAB_NS link set "$ns" master "$br" up
	ip netns exec "$ns" ethtool -K "$if" tx off >/dev/null 2>&1 || :
	for a in "$@"; do ip -n "$ns" addr add "$a" dev "$if" nodad 2>/dev/null || ip -n "$ns" addr add "$a" dev "$if"; done
	ip -n "$ns" link set "$if" up
}
for ns in $CTL_NS $CLI_NS $(printf "$BOX_NS-m%s " $MEMBERS); do ip netns add "$ns"; ip -n "$ns" link set lo up; done
port $CTL_NS mgmt0 br-mgmt $CTL_IP/24 $(for n in 0 1 2 3 4 5 6 7; do echo 198.18.9.$((120 + n))/24; done)
port $CLI_NS eth0 br-vip $VIP_NET.10/24 2001:db8:100::10/64
for m in $MEMBERS; do
	port $BOX_NS-m$m eth0 br-mem $MEM_NET.$((10 + m))/24
	ip -n $BOX_NS-m$m route add default via $MEM_NET.254
	nsenter --net=/run/netns/$BOX_NS-m$m -- true
	spawn member$m nsenter --net=/run/netns/$BOX_NS-m$m -- /usr/bin/python3 "$BOX_LAB/tools/member.py" member$m $MEM_NET.$((10 + m))
done

log "certificates"
( cd "$BOX_RUN/certs"
  for ca in server_ca client_ca; do
	openssl genrsa -aes256 -passout pass:box-ca-pass -out $ca.key.pem 2048
	openssl req -x509 -new -sha256 -days 30 -key $ca.key.pem -passin pass:box-ca-pass \
		-subj "/O=Octavia lab/CN=$ca" -addext basicConstraints=critical,CA:TRUE \
		-addext keyUsage=critical,keyCertSign,cRLSign -out $ca.cert.pem
  done
  openssl req -new -newkey rsa:2048 -nodes -keyout client.key.pem -subj "/O=Octavia lab/CN=octavia-controller" -out client.csr
  printf 'extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n' >client.ext
  openssl x509 -req -sha256 -days 30 -in client.csr -CA client_ca.cert.pem -CAkey client_ca.key.pem \
	-passin pass:box-ca-pass -CAcreateserial -extfile client.ext -out client.cert.pem
  cat client.cert.pem client.key.pem >client.cert-and-key.pem
  chmod 600 ./*.key.pem client.cert-and-key.pem
) >"$BOX_RUN/log/certs.out" 2>&1

sed -e "s|@RUN@|$BOX_RUN|g" -e "s|@CTL_IP@|$CTL_IP|g" -e "s|@HB_KEY@|$BOX_HB_KEY|g" \
	-e "s|@HB_INTERVAL@|$BOX_HB_INTERVAL|g" -e "s|@HB_TIMEOUT@|$BOX_HB_TIMEOUT|g" \
	-e "s|@COMPUTE@|netns_compute|g" -e "s|@NETWORK@|netns_network|g" \
	-e "s|@CERT_INTERVAL@|$BOX_CERT_INTERVAL|g" -e "s|@CERT_BUFFER@|$BOX_CERT_BUFFER|g" \
	-e "s|@TOPOLOGY@|$BOX_TOPOLOGY|g" "$BOX_LAB/etc/octavia.conf.in" >"$BOX_RUN/octavia.conf"
CONF="--config-file $BOX_RUN/octavia.conf"

log "rabbitmq and mariadb"
# epmd by hand, in the foreground, so that its pid is ours to stop.
spawn epmd nsenter --net=/run/netns/$CTL_NS -- epmd -address 127.0.0.1
printf 'listeners.tcp.1 = 127.0.0.1:5672\nlog.file.level = warning\nvm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 50MB\n' >"$BOX_RUN/rabbit/rabbitmq.conf"
printf '[].\n' >"$BOX_RUN/rabbit/enabled_plugins"
printf 'box%s' "$(date +%N)" >"$HOME/.erlang.cookie"; chmod 400 "$HOME/.erlang.cookie"
spawn rabbit nsenter --net=/run/netns/$CTL_NS -- env HOME="$HOME" \
	RABBITMQ_NODENAME=box@localhost RABBITMQ_CONFIG_FILE="$BOX_RUN/rabbit/rabbitmq.conf" \
	RABBITMQ_ENABLED_PLUGINS_FILE="$BOX_RUN/rabbit/enabled_plugins" \
	RABBITMQ_MNESIA_BASE="$BOX_RUN/rabbit/mnesia" RABBITMQ_LOG_BASE="$BOX_RUN/log" \
	RABBITMQ_PID_FILE="$BOX_RUN/rabbit/pid" RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_DIST_PORT=25672 \
	ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2" \
	/usr/lib/rabbitmq/bin/rabbitmq-server
mariadb-install-db --no-defaults --user=root --datadir="$BOX_RUN/mysql" \
	--auth-root-authentication-method=normal --skip-test-db >"$BOX_RUN/log/mysql-install.out" 2>&1
cat >"$BOX_RUN/init.sql" <<SQL
CREATE DATABASE octavia CHARACTER SET utf8;
CREATE USER 'octavia'@'127.0.0.1' IDENTIFIED BY 'octavia';
CREATE USER 'octavia'@'localhost' IDENTIFIED BY 'octavia';
GRANT ALL ON octavia.* TO 'octavia'@'127.0.0.1';
GRANT ALL ON octavia.* TO 'octavia'@'localhost';
SQL
spawn mariadb nsenter --net=/run/netns/$CTL_NS -- mariadbd --no-defaults --user=root \
	--datadir="$BOX_RUN/mysql" --socket="$BOX_RUN/mysql.sock" --pid-file="$BOX_RUN/mysql.pid" \
	--bind-address=127.0.0.1 --port=3306 --skip-name-resolve --init-file="$BOX_RUN/init.sql" \
	--innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 --innodb-log-file-size=16M \
	--skip-log-bin --max-connections=200
wait_tcp 3306 30 || die "mariadb did not come up"
log "octavia-db-manage upgrade head"
for try in 1 2 3 4 5; do
	ctl mariadb -h127.0.0.1 -uoctavia -poctavia -e 'SELECT 1' octavia >/dev/null 2>&1 && break; sleep 0.3
done
ctl octavia-db-manage $CONF upgrade head >"$BOX_RUN/log/db-manage.out" 2>&1 || die "migrations failed"
wait_tcp 5672 60 || die "rabbitmq did not come up"

log "octavia services"
cat >"$BOX_RUN/uwsgi.ini" <<INI
[uwsgi]
plugins = python3,router_http
http-socket = 127.0.0.1:9876
wsgi-file = /usr/bin/octavia-wsgi
pyargv = $CONF --log-file $BOX_RUN/log/octavia-api.log
master = true
processes = 1
threads = 8
enable-threads = true
lazy-apps = true
no-orphans = true
die-on-term = true
buffer-size = 65535
# uwsgi closes after each answer without saying so; the CLI's connection pool
# then trips over a reset.
add-header = Connection: close
# The CLI resolves subnet/network/port names at the same endpoint.
route = ^/v2\.0/(subnets|networks|ports) http:127.0.0.1:9696
# Under auth_strategy = noauth nobody names the caller's project, and the real
# CLI cannot (its --project asks Keystone). The web server names it.
route-if-not = empty:\${HTTP_X_PROJECT_ID} last:
route-run = addvar:HTTP_X_PROJECT_ID=$BOX_PROJECT
INI
spawn netapi nsenter --net=/run/netns/$CTL_NS -- /usr/bin/python3 "$BOX_LAB/tools/netapi.py"
spawn api nsenter --net=/run/netns/$CTL_NS -- uwsgi --ini "$BOX_RUN/uwsgi.ini"
spawn worker nsenter --net=/run/netns/$CTL_NS -- octavia-worker $CONF --log-file "$BOX_RUN/log/octavia-worker.log"
spawn health nsenter --net=/run/netns/$CTL_NS -- octavia-health-manager $CONF --log-file "$BOX_RUN/log/octavia-health-manager.log"
spawn housekeeping nsenter --net=/run/netns/$CTL_NS -- octavia-housekeeping $CONF --log-file "$BOX_RUN/log/octavia-housekeeping.log"
for i in $(seq 300); do
	ctl curl -sf -o /dev/null http://127.0.0.1:9876/v2/lbaas/loadbalancers && break; sleep 0.2
	alive api || die "api died"
done
ctl curl -sf -o /dev/null http://127.0.0.1:9876/v2/lbaas/loadbalancers || die "API does not answer"
# The worker is ready when its queue has a consumer.
for i in $(seq 200); do
	grep -q 'Starting V2 consumer' "$BOX_RUN/log/octavia-worker.log" 2>/dev/null && break; sleep 0.2
	alive worker || die "worker died"
done
for p in health housekeeping; do alive $p || die "$p died"; done
log "up in $(echo "$(date +%s.%N) - $T0" | bc) s; run directory $BOX_RUN"
