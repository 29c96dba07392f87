"""Network driver: ports, MACs and addresses that exist in the lab's fabric.

Subclass of Octavia's no-op driver (security groups, QoS and the like stay
no-ops). The shape of what is returned follows the no-op driver's interface;
plugging a port makes a veth with that port's MAC appear in the amphora's
machine namespace, as a hot-plugged virtio NIC would.
"""
from octavia.common import constants
from octavia.common import data_models
from octavia.network import base
from octavia.network import data_models as net
from octavia.network.drivers.noop_driver import driver as noop
from oslo_log import log as logging

from netns_lab import state as lab

LOG = logging.getLogger(__name__)
VRRP = 'octavia-lb-vrrp-'


def _subnet(subnet_id):
    try:
        raw = lab.TOPO['subnets'][subnet_id]
    except KeyError:
        raise base.SubnetNotFound('no subnet %s' % subnet_id) from None
    return net.Subnet(
        id=subnet_id, name=raw['name'], network_id=raw['network'],
        gateway_ip=raw['gateway'], cidr=raw['cidr'],
        ip_version=6 if ':' in raw['cidr'] else 4,
        host_routes=[net.HostRoute(**hr) for hr in raw['host_routes']])


def _network(network_id):
    try:
        raw = lab.TOPO['networks'][network_id]
    except KeyError:
        raise base.NetworkNotFound('no network %s' % network_id) from None
    return net.Network(
        id=network_id, name=raw['name'], mtu=raw['mtu'], admin_state_up=True,
        port_security_enabled=True,
        subnets=[s for s, v in lab.TOPO['subnets'].items()
                 if v['network'] == network_id])


def _port(port_id, raw):
    return net.Port(
        id=port_id, name=raw['name'], mac_address=raw['mac'],
        network_id=raw['network_id'], device_id=raw['compute_id'],
        device_owner=raw['device_owner'], status='ACTIVE',
        admin_state_up=True,
        fixed_ips=[net.FixedIP(**f) for f in raw['fixed_ips']])


class NetnsNetworkDriver(noop.NoopNetworkDriver):

    # -- look-ups -----------------------------------------------------------
    def get_network(self, network_id, context=None):
        return _network(network_id)

    def get_subnet(self, subnet_id, context=None):
        return _subnet(subnet_id)

    def get_port(self, port_id, context=None):
        raw = lab.snapshot()['ports'].get(port_id)
        if raw is None:
            raise base.PortNotFound('no port %s' % port_id)
        return _port(port_id, raw)

    def get_plugged_networks(self, compute_id):
        return [net.Interface(
            id=p, compute_id=compute_id, network_id=v['network_id'],
            port_id=p, fixed_ips=[net.FixedIP(**f) for f in v['fixed_ips']])
            for p, v in lab.snapshot()['ports'].items()
            if v['compute_id'] == compute_id]

    # -- VIP ----------------------------------------------------------------
    def allocate_vip(self, loadbalancer):
        vip = loadbalancer.vip
        with lab.locked() as state:
            port_id = vip.port_id
            if not (port_id and port_id in state['ports']):
                subnet_id = vip.subnet_id or _network(vip.network_id).subnets[0]
                want = [{'subnet_id': subnet_id, 'ip_address': vip.ip_address}]
                want += [{'subnet_id': a.subnet_id, 'ip_address': a.ip_address}
                         for a in loadbalancer.additional_vips]
                port_id = lab.new_port(
                    state, _subnet(subnet_id).network_id, want,
                    name='octavia-lb-' + loadbalancer.id)
            raw = state['ports'][port_id]
        first, rest = raw['fixed_ips'][0], raw['fixed_ips'][1:]
        ret = data_models.Vip(
            ip_address=first['ip_address'], subnet_id=first['subnet_id'],
            network_id=raw['network_id'], port_id=port_id,
            load_balancer=loadbalancer, load_balancer_id=loadbalancer.id,
            octavia_owned=True)
        more = [data_models.AdditionalVip(
            ip_address=f['ip_address'], subnet_id=f['subnet_id'],
            network_id=raw['network_id'], port_id=port_id,
            load_balancer=loadbalancer, load_balancer_id=loadbalancer.id)
            for f in rest]
        return ret, more

    def deallocate_vip(self, vip):
        with lab.locked() as state:
            for amp in vip.load_balancer.amphorae:
                state['ports'].pop(amp.vrrp_port_id, None)
            state['ports'].pop(vip.port_id, None)

    def plug_aap_port(self, load_balancer, vip, amphora, subnet):
        iface = next((i for i in self.get_plugged_networks(amphora.compute_id)
                      if i.network_id == subnet.network_id), None)
        if iface is None:
            with lab.locked() as state:
                port_id = lab.new_port(
                    state, subnet.network_id, [{'subnet_id': subnet.id}],
                    name=VRRP + amphora.id)
            lab.attach(amphora.compute_id, port_id)
        else:
            port_id = iface.port_id
        port = self.get_port(port_id)
        vrrp_ip = next(f.ip_address for f in port.fixed_ips
                       if f.subnet_id == subnet.id)
        return data_models.Amphora(
            id=amphora.id, compute_id=amphora.compute_id, vrrp_ip=vrrp_ip,
            ha_ip=vip.ip_address, vrrp_port_id=port_id, ha_port_id=vip.port_id)

    def plug_vip(self, loadbalancer, vip):
        subnet = self.get_subnet(vip.subnet_id)
        return [self.plug_aap_port(loadbalancer, vip, a, subnet)
                for a in loadbalancer.amphorae
                if a.status == constants.AMPHORA_ALLOCATED]

    def unplug_aap_port(self, vip, amphora, subnet):
        try:
            self.unplug_network(amphora.compute_id, subnet.network_id)
        except base.NetworkNotFound:
            pass
        with lab.locked() as state:
            state['ports'].pop(amphora.vrrp_port_id, None)

    def unplug_vip(self, loadbalancer, vip):
        subnet = self.get_subnet(vip.subnet_id)
        for amp in loadbalancer.amphorae:
            if amp.status == constants.AMPHORA_ALLOCATED:
                self.unplug_aap_port(vip, amp, subnet)

    # -- NICs ---------------------------------------------------------------
    def plug_network(self, compute_id, network_id):
        with lab.locked() as state:
            if compute_id not in state['servers']:
                raise base.AmphoraNotFound(compute_id)
            subnet_id = _network(network_id).subnets[0]
            port_id = lab.new_port(state, network_id,
                                   [{'subnet_id': subnet_id}], name='')
        lab.attach(compute_id, port_id)
        port = self.get_port(port_id)
        return net.Interface(id=port_id, compute_id=compute_id,
                             network_id=network_id, port_id=port_id,
                             fixed_ips=port.fixed_ips)

    def plug_port(self, amphora, port):
        lab.attach(amphora.compute_id, port.id)
        return net.Interface(id=port.id, compute_id=amphora.compute_id,
                             network_id=port.network_id, port_id=port.id,
                             fixed_ips=port.fixed_ips)

    def unplug_network(self, compute_id, network_id):
        hit = [i for i in self.get_plugged_networks(compute_id)
               if i.network_id == network_id]
        if not hit:
            raise base.NetworkNotFound(network_id)
        for iface in hit:
            lab.detach(iface.port_id)
            with lab.locked() as state:
                # Nova drops a port it created; Octavia's own it only detaches.
                name = state['ports'].get(iface.port_id, {}).get('name')
                if not (name or '').startswith('octavia-lb-'):
                    state['ports'].pop(iface.port_id, None)

    def plug_fixed_ip(self, port_id, subnet_id, ip_address=None):
        with lab.locked() as state:
            port = state['ports'][port_id]
            if not any(f['subnet_id'] == subnet_id for f in port['fixed_ips']):
                port['fixed_ips'].append(
                    {'subnet_id': subnet_id, 'ip_address':
                     ip_address or lab.free_ip(state, subnet_id)})
        return self.get_port(port_id)

    def unplug_fixed_ip(self, port_id, subnet_id):
        with lab.locked() as state:
            port = state['ports'][port_id]
            port['fixed_ips'] = [f for f in port['fixed_ips']
                                 if f['subnet_id'] != subnet_id]
        return self.get_port(port_id)

    def create_port(self, network_id, name=None, fixed_ips=(),
                    secondary_ips=(), security_group_ids=(),
                    admin_state_up=True, qos_policy_id=None):
        want = list(fixed_ips) or [{'subnet_id':
                                    _network(network_id).subnets[0]}]
        with lab.locked() as state:
            port_id = lab.new_port(state, network_id, want, name=name)
        port = self.get_port(port_id)
        port.network = _network(network_id)
        return port

    def delete_port(self, port_id):
        with lab.locked() as state:
            state['ports'].pop(port_id, None)

    # -- what the amphora driver is told --------------------------------------
    def _amp_config(self, lb, amp):
        vrrp_port = self.get_port(amp.vrrp_port_id)
        vrrp_port.network = _network(vrrp_port.network_id)
        ha_port = self.get_port(amp.ha_port_id)
        return net.AmphoraNetworkConfig(
            amphora=amp, vip_subnet=_subnet(lb.vip.subnet_id),
            vip_port=self.get_port(lb.vip.port_id),
            vrrp_subnet=_subnet(vrrp_port.get_subnet_id(amp.vrrp_ip)),
            vrrp_port=vrrp_port,
            ha_subnet=_subnet(ha_port.get_subnet_id(amp.ha_ip)),
            ha_port=ha_port,
            additional_vip_data=[net.AdditionalVipData(
                ip_address=a.ip_address, subnet=_subnet(a.subnet_id))
                for a in lb.additional_vips])

    def get_network_configs(self, loadbalancer, amphora=None):
        amps = [amphora] if amphora else [
            a for a in loadbalancer.amphorae if a.status != constants.DELETED]
        return {a.id: self._amp_config(loadbalancer, a) for a in amps}
