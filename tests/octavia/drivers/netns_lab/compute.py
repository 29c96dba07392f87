"""Compute driver: "boots" an amphora in namespaces instead of asking Nova.

Everything not overridden is Octavia's own no-op driver. build() receives the
very files the worker would put on Nova's config drive (server certificate and
key, client CA, amphora-agent.conf), so the amphora under test starts with what
a real one starts with.
"""
import os
import uuid

from octavia.common import constants
from octavia.common import data_models
from octavia.compute.drivers.noop_driver import driver as noop
from octavia.network import data_models as network_models
from oslo_log import log as logging

from netns_lab import state as lab

LOG = logging.getLogger(__name__)


class NetnsComputeDriver(noop.NoopComputeDriver):

    def build(self, name="amphora_name", amphora_flavor=None,
              image_tag=None, image_owner=None, key_name=None, sec_groups=None,
              network_ids=None, config_drive_files=None, user_data=None,
              port_ids=None, server_group_id=None, availability_zone=None):
        compute_id = str(uuid.uuid4())
        with lab.locked() as state:
            used = {s['slot'] for s in state['servers'].values()}
            slot = min(set(range(lab.MAX_SLOTS)) - used)
            drive = os.path.join(lab.RUN, 'drive', compute_id)
            for path, text in (config_drive_files or {}).items():
                dest = drive + path
                os.makedirs(os.path.dirname(dest), exist_ok=True)
                with open(os.open(dest, os.O_WRONLY | os.O_CREAT, 0o600),
                          'w', encoding='utf-8') as fp:
                    fp.write(text)
            with open(os.path.join(drive, 'user_data'), 'w',
                      encoding='utf-8') as fp:
                fp.write(user_data or '')
            ip = '198.18.9.%d' % (20 + slot)
            port_id = lab.new_port(
                state, lab.TOPO['mgmt_network'],
                [{'subnet_id': lab.TOPO['mgmt_subnet'], 'ip_address': ip}],
                compute_id=compute_id, name='mgmt')
            mac = state['ports'][port_id]['mac']
            state['servers'][compute_id] = {
                'slot': slot, 'name': name, 'lb_network_ip': ip, 'nics': 1}
        lab.run_hook('boot', slot, compute_id, name, ip, mac, drive)
        LOG.info('lab: machine %s (%s) in slot %d, lb_network_ip %s',
                 compute_id, name, slot, ip)
        return compute_id

    def delete(self, compute_id):
        with lab.locked() as state:
            server = state['servers'].get(compute_id)
        if server is None:
            return
        lab.run_hook('halt', server['slot'], compute_id)
        with lab.locked() as state:
            state['servers'].pop(compute_id, None)
            for port_id in [p for p, v in state['ports'].items()
                            if v['compute_id'] == compute_id]:
                # Nova deletes the ports it made itself (the management one)
                # and only detaches the others.
                if state['ports'][port_id]['name'] == 'mgmt':
                    del state['ports'][port_id]
                else:
                    state['ports'][port_id]['compute_id'] = None

    def status(self, compute_id):
        up = compute_id in lab.snapshot()['servers']
        return constants.UP if up else constants.DOWN

    def get_amphora(self, compute_id, management_network_id=None):
        server = lab.snapshot()['servers'][compute_id]
        return data_models.Amphora(
            compute_id=compute_id, status=constants.ACTIVE,
            lb_network_ip=server['lb_network_ip'],
            cached_zone='lab', image_id=None, compute_flavor='lab'), None

    def attach_network_or_port(self, compute_id, network_id=None,
                               ip_address=None, port_id=None):
        lab.attach(compute_id, port_id)
        port = lab.snapshot()['ports'][port_id]
        return network_models.Interface(
            id=port_id, compute_id=compute_id, port_id=port_id,
            network_id=port['network_id'],
            fixed_ips=[network_models.FixedIP(**f)
                       for f in port['fixed_ips']])

    def detach_port(self, compute_id, port_id):
        lab.detach(port_id)
