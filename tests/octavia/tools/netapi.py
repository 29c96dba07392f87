#!/usr/bin/python3
"""Just enough of a networking API for the CLI's name-or-ID look-ups.

`openstack loadbalancer create --vip-subnet-id X` (and --subnet-id of a member)
asks the networking service to resolve X before it calls Octavia. This answers
those GETs from the lab's topology and port state; it changes nothing.
"""
import http.server
import json
import os
import urllib.parse

LAB, RUN = os.environ['BOX_LAB'], os.environ['BOX_RUN']
with open(os.path.join(LAB, 'etc', 'topology.json'), encoding='utf-8') as fp:
    TOPO = json.load(fp)


def rows(kind):
    if kind == 'subnets':
        return [{'id': k, 'name': v['name'], 'network_id': v['network'],
                 'cidr': v['cidr'], 'gateway_ip': v['gateway'],
                 'ip_version': 6 if ':' in v['cidr'] else 4}
                for k, v in TOPO['subnets'].items()]
    if kind == 'networks':
        return [{'id': k, 'name': v['name'], 'mtu': v['mtu']}
                for k, v in TOPO['networks'].items()]
    if kind == 'ports':
        try:
            with open(os.path.join(RUN, 'state.json'), encoding='utf-8') as fp:
                ports = json.load(fp)['ports']
        except FileNotFoundError:
            ports = {}
        return [{'id': k, 'name': v['name'], 'mac_address': v['mac'],
                 'network_id': v['network_id'], 'fixed_ips': v['fixed_ips']}
                for k, v in ports.items()]
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        parts = [p for p in url.path.split('/') if p]
        kind = parts[1].removesuffix('.json') if len(parts) > 1 else ''
        found, status = rows(kind), 200
        want = dict(urllib.parse.parse_qsl(url.query))
        if found is not None and len(parts) > 2:
            want['id'] = parts[2].removesuffix('.json')
        if found is None:
            body, status = {'NeutronError': {'message': 'not here'}}, 404
        else:
            for key in ('id', 'name'):
                if key in want:
                    found = [r for r in found if r[key] == want[key]]
            body = {kind: found}
            if len(parts) > 2:
                status = 200 if found else 404
                body = {kind[:-1]: found[0]} if found else {
                    'NeutronError': {'message': 'not found'}}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(('127.0.0.1', 9696), Handler).serve_forever()
