"""Shared state of the two lab drivers: a JSON file under flock.

The API process and the worker's child processes each load the network driver,
so what one allocates the other must see; this file is their "Neutron".
"""
import contextlib
import fcntl
import ipaddress
import json
import os
import subprocess
import uuid

LAB = os.environ['BOX_LAB']
RUN = os.environ['BOX_RUN']
MAX_SLOTS = 8

with open(os.path.join(LAB, 'etc', 'topology.json'), encoding='utf-8') as _fp:
    TOPO = json.load(_fp)


@contextlib.contextmanager
def locked():
    path = os.path.join(RUN, 'state.json')
    with open(path + '.lock', 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(path, encoding='utf-8') as fp:
                state = json.load(fp)
        except FileNotFoundError:
            state = {'ports': {}, 'servers': {}, 'macs': 0}
        yield state
        with open(path + '.new', 'w', encoding='utf-8') as fp:
            json.dump(state, fp, indent=1)
        os.rename(path + '.new', path)


def snapshot():
    with locked() as state:
        return json.loads(json.dumps(state))


def run_hook(*args):
    """Call the lab's fabric script; raise with its output when it fails."""
    cmd = [os.path.join(LAB, 'machine', 'machine.sh'), *map(str, args)]
    done = subprocess.run(cmd, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError('%s: exit %d: %s' % (
            ' '.join(cmd), done.returncode, done.stdout.decode()[-2000:]))


def new_mac(state):
    state['macs'] += 1
    return '02:0b:0c:00:%02x:%02x' % divmod(state['macs'], 256)


def free_ip(state, subnet_id):
    subnet = TOPO['subnets'][subnet_id]
    used = {f['ip_address'] for p in state['ports'].values()
            for f in p['fixed_ips']}
    base = ipaddress.ip_network(subnet['cidr']).network_address
    for offset in range(subnet['first'], subnet['first'] + 90):
        ip = (base + offset).compressed
        if ip not in used:
            return ip
    raise RuntimeError('no address left in %s' % subnet_id)


def new_port(state, network_id, fixed_ips, **more):
    """fixed_ips: list of {'subnet_id':…, 'ip_address': … or None}."""
    port_id = str(uuid.uuid4())
    ips = []
    port = {'network_id': network_id, 'mac': new_mac(state), 'fixed_ips': ips,
            'compute_id': None, 'name': None, 'device_owner': 'Octavia'}
    port.update(more)
    state['ports'][port_id] = port
    for want in fixed_ips:
        ips.append({'subnet_id': want['subnet_id'],
                    'ip_address': want.get('ip_address') or
                    free_ip(state, want['subnet_id'])})
    return port_id


def attach(compute_id, port_id):
    """Make the port's NIC appear in the machine (Nova's interface attach)."""
    with locked() as state:
        server = state['servers'][compute_id]
        port = state['ports'][port_id]
        if port['compute_id'] == compute_id:
            return
        port['compute_id'] = compute_id
        port['ifname'] = 'ens%d' % (3 + server['nics'])
        server['nics'] += 1
    bridge = TOPO['networks'][port['network_id']]['bridge']
    run_hook('nic-add', server['slot'], bridge, port['mac'], port['ifname'],
             port_id)


def detach(port_id):
    run_hook('nic-del', port_id)
    with locked() as state:
        if port_id in state['ports']:
            state['ports'][port_id]['compute_id'] = None
