#!/usr/bin/python3
"""The same packets through the load balancer and through the kernel's own full NAT: differential.py SEED PACKETS.

Both have a listener of one member on the same addresses. This process is the client and the member of both, without
a stack: it writes frames and reads what comes. Flows (lives.py) go on in step, each with one packet at a time, by both
ways; what became of it is named alike, and compared. Differences are listed with their reasons (reasons.py); one that
has none fails."""
import collections
import random
import select
import socket
import struct
import sys
import time
from dataclasses import replace

from associations import Association
from lives import Error, Flow, packet
from packets import (ICMP, ICMP6, RST, SCTP, SYN, TCP, UDP, Packet, Reader, fragments, has_right_sum, packed, residue,
                     wire, with_sum)
from tally import Tally

SEED, PACKETS = int(sys.argv[1]), int(sys.argv[2])
BATCH = 400  # flows in step
QUIET = 0.05  # seconds without a packet: all have come
CLIENT = {4: packed("198.51.100.100"), 6: packed("2001:db8:100::100")}
VIP = {4: packed("198.51.100.10"), 6: packed("2001:db8:100::10")}
MEMBER = {4: packed("203.0.113.11"), 6: packed("2001:db8:203::11")}
OWN = {4: packed("203.0.113.2"), 6: packed("2001:db8:203::2")}
VIP_PORT, MEMBER_PORT = {TCP: 80, UDP: 53, SCTP: 3868}, 8080
END_MAC = {True: bytes.fromhex("0200000000c0"), False: bytes.fromhex("0200000000b0")}
PACKET_OUTGOING = 4


class Way:
    """A balancer, as its neighbours see it: `links` are our interfaces towards its two, the client's is True's."""

    def __init__(self, name, links, macs):
        self.name, self.macs = name, macs
        self.sockets = {}
        for is_client, link in links.items():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
            s.bind((link, 0))
            s.setblocking(False)
            self.sockets[is_client] = s
        self.reader = {True: Reader(), False: Reader()}
        self.ports = {}  # (family, proto, port of ours towards the member) -> flow index
        self.source = {}  # (family, proto, flow index) -> that port
        self.syns = {}  # (family, sequence number) -> flow index

    def forget(self):
        """The flows are over."""
        self.ports.clear()
        self.source.clear()
        self.syns.clear()

    def send_frame(self, from_client, ethertype, data):
        frame = self.macs[from_client] + END_MAC[from_client] + struct.pack("!H", ethertype) + data
        self.sockets[from_client].send(frame)

    def ends(self, flow, from_client):
        """Addresses and ports of a packet as its sender writes it."""
        if from_client:
            return CLIENT[flow.family], VIP[flow.family], flow.client_port, VIP_PORT[flow.proto]
        return (MEMBER[flow.family], OWN[flow.family], MEMBER_PORT,
                self.source.get((flow.family, flow.proto, flow.index), 9))

    def ends_there(self, flow, from_client):
        """The same as its receiver is to read it."""
        src, dst, sport, dport = self.ends(flow, not from_client)
        return dst, src, dport, sport

    def sent(self, flow, event):
        made = packet(event, *self.ends(flow, event.from_client), flow.proto)
        if event.from_client and is_syn(made):
            self.syns[flow.family, made.body[4:8]] = flow.index
        return made

    def received(self, flow, event, read=None):
        there = packet(event, *self.ends_there(flow, event.from_client), flow.proto)
        if event.cut and read:
            there = replace(there, mark=read.mark)  # of many senders' fragments it must be another one
        return with_sum(replace(there, ttl=there.ttl - 1, flaw="", trailer=b""))

    def error(self, flow, error):
        """An ICMP error as its sender writes it, about what it has received."""
        about = self.received(flow, error.about)
        quoted = wire(about)
        quoted = quoted[:len(quoted) - len(about.body) + error.quoted]
        kind, code, rest = error.kind
        src, dst, _, _ = self.ends(flow, error.from_client)
        proto = ICMP if flow.family == 4 else ICMP6
        return with_sum(Packet(src, dst, proto, struct.pack("!BBH", kind, code, 0) + rest + quoted, mark=flow.index))

    def collect(self):
        """What has come since: [(came to the client, Packet)]."""
        got, last = [], time.monotonic()
        while time.monotonic() - last < QUIET:
            ready, _, _ = select.select(list(self.sockets.values()), [], [], QUIET / 5)
            for is_client, s in self.sockets.items():
                if s in ready:
                    last = time.monotonic()
                    self.drain(is_client, s, got)
        return got

    def drain(self, is_client, s, got):
        while True:
            try:
                frame, where = s.recvfrom(65535)
            except BlockingIOError:
                return
            if where[2] == PACKET_OUTGOING or frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
                continue
            try:
                read = self.reader[is_client].read(frame[14:])
            except (struct.error, IndexError):
                continue  # noise of the link
            if read and read.proto in (*VIP_PORT, ICMP, ICMP6) and not is_late(read):
                got.append((is_client, read))


def is_syn(read):
    return read.proto == TCP and len(read.body) >= 14 and read.body[13] & 0x3F == SYN


def is_error(read):
    kinds = {ICMP: b"\x03\x0b\x0c", ICMP6: b"\x01\x02\x03\x04"}
    return read.proto in kinds and read.body[:1] in kinds[read.proto]


def is_late(read):
    """That a packet's last fragment has not come: the kernel says so half a minute later, and we do not wait."""
    return (read.proto, read.body[:2]) in ((ICMP, b"\x0b\x01"), (ICMP6, b"\x03\x01"))


def quoted_of(read):
    """What an ICMP error quotes, as far as it goes."""
    data = read.body[8:]
    try:
        if data[0] >> 4 == 4:
            head = (data[0] & 15) * 4
            return Packet(data[12:16], data[16:20], data[9], data[head:], struct.unpack("!H", data[4:6])[0])
        quoted = Reader().read6(data)
        return quoted or Packet(data[8:24], data[24:40], data[6], data[40:], struct.unpack("!I", data[:4])[0] & 0xFFFFF)
    except (struct.error, IndexError):
        return None


def flow_of(way, is_client, read, flows):
    """Whose it is; None: nobody's."""
    family = 4 if len(read.src) == 4 else 6
    if is_error(read):
        quoted = quoted_of(read)
        return flows.get((family, quoted.proto, quoted.mark)) if quoted else None
    if read.proto not in VIP_PORT or len(read.body) < 4:
        return None
    sport, dport = read.ports()
    if is_client:
        return next((flow for flow in flows.values()
                     if (flow.family, flow.proto, flow.client_port) == (family, read.proto, dport)), None)
    key = (family, read.proto, sport)
    index = read.mark
    if is_syn(read) and not index:  # made anew
        index = way.syns.get((family, read.body[4:8]))
    elif read.proto == UDP and len(read.body) >= 10:
        index = struct.unpack("!H", read.body[8:10])[0]
    flow = flows.get((family, read.proto, index))
    is_rst = read.proto == TCP and read.body[13] & RST
    if flow and dport == MEMBER_PORT and (not is_rst or (family, read.proto, index) not in way.source):
        way.ports[key] = index
        way.source[family, read.proto, index] = sport
        return flow
    return flows.get((family, read.proto, way.ports.get(key)))


def differing(a, b):
    fields = ("src", "dst", "proto", "mark", "ttl", "tos", "df", "options", "extensions", "body")
    return ", ".join(name for name in fields
                     if getattr(a, name) != getattr(b, name)) or "nothing"


def told(way, flow, event, is_client, read):
    """An ICMP error that came: its kind, and whether what it quotes is what its receiver knows."""
    quoted = quoted_of(read)
    kind = f"icmp {read.body[0]}/{read.body[1]}"
    rest = read.body[4:8].hex() if read.body[0] != 12 else ""
    if not quoted or len(quoted.body) < 4:
        return kind + " that quotes nothing"
    src, dst, sport, dport = way.ends(flow, is_client)
    right = (quoted.src, quoted.dst) == (src, dst) and quoted.ports() == (sport, dport)
    role = {VIP[flow.family]: "the VIP", OWN[flow.family]: "our address", CLIENT[flow.family]: "the client",
            MEMBER[flow.family]: "the member"}.get(read.src, "elsewhere")
    if event.from_client == is_client and role in ("the VIP", "our address"):
        role = "us"  # a kernel has its own mind about which of its addresses
    return (f"{kind} {rest} from {role}" + ("" if right else " quoting somebody else's packet") +
            ("" if has_right_sum(read) else " with a wrong sum"))


def arrival(way, flow, event, read, is_client):
    """What came that is no error."""
    if isinstance(event, Error):
        return "something else"
    if not is_client and not event.from_client and is_syn(read):
        return resent(way, flow, read)
    if is_client == event.from_client:
        return "RST back" if read.proto == TCP and read.body[13] & RST else "something else"
    wanted = way.received(flow, event, read)
    if has_right_sum(read) and not read.flaw:
        if read == wanted:
            return "through"
        if read.proto == TCP and read.body[13] & RST and not wanted.body[13] & RST:
            return "RST on"
        return "through with other: " + differing(read, wanted)
    head = replace(wanted, body=read.body, flaw=read.flaw)
    if read != head or read.ports() != wanted.ports():
        return "through with a wrong sum and other: " + differing(read, head)
    if residue(read) != residue(way.reader[is_client].read(wire(with_sum(way.sent(flow, event))))):
        return "through, damaged on the way"
    return "through with a wrong sum"


def resent(way, flow, read):
    """The client's SYN, which went to the member once more."""
    src, dst, _, dport = way.ends_there(flow, True)
    right = (read.src, read.dst, read.ports()[1]) == (src, dst, dport) and has_right_sum(read) and not read.flaw
    return "the client's SYN instead" if right else "something else"


def outcome(way, flow, event, got):
    """What became of the packet, in words that are the same for both ways."""
    words = [told(way, flow, event, is_client, read) if is_error(read) else arrival(way, flow, event, read, is_client)
             for is_client, read in got]
    return " and ".join(sorted(words)) or "nothing"


def send(way, flow, event, chance):
    if isinstance(event, Error):
        way.send_frame(event.from_client, 0x0800 if flow.family == 4 else 0x86DD, wire(way.error(flow, event)))
        return 1
    whole = with_sum(way.sent(flow, event))
    pieces = [wire(whole)]
    if event.cut:
        pieces = fragments(whole, event.cut[0])
        if event.cut[1] == "first one first":
            rest = pieces[1:]
            chance.shuffle(rest)
            pieces = pieces[:1] + rest
        elif event.cut[1] == "one is missing" and len(pieces) > 1:
            del pieces[chance.randrange(len(pieces))]
    for piece in pieces * event.times:
        way.send_frame(event.from_client, 0x0800 if flow.family == 4 else 0x86DD, piece)
    return len(pieces) * event.times


def step(ways, flows, chance, tally):
    """Each flow sends its next packet. How many frames that were by each way; 0: all flows are over."""
    events = {key: event for key, flow in flows.items() if (event := flow.next()) is not None}
    orders, frames = chance.getrandbits(32), 0
    outcomes = {}
    for way in ways:
        order = random.Random(orders)  # of fragments: the same by both ways
        frames = sum(send(way, flows[key], event, order) for key, event in events.items())
        by_flow = collections.defaultdict(list)
        for is_client, read in way.collect() if events else ():
            flow = flow_of(way, is_client, read, flows)
            if flow:
                by_flow[flow.family, flow.proto, flow.index].append((is_client, read))
            elif way.name == "ours" and (is_error(read) or read.proto in VIP_PORT):
                tally.fault(f"{'to the client' if is_client else 'to the member'}: of nobody: {read}")
        for key, event in events.items():
            outcomes[way.name, key] = outcome(way, flows[key], event, by_flow[key])
    for key, event in events.items():
        ours, kernels = outcomes["ours", key], outcomes["kernel", key]
        flow = flows[key]
        tally.judge(flow, event, ours, kernels)
        flow.over = flow.over or ours != kernels
        flow.done(event, ours.startswith("through") and kernels.startswith("through"))
    return frames


def mac_of(text):
    return bytes.fromhex(text.replace(":", ""))


def main():
    macs = [mac_of(text) for text in sys.argv[3:7]]
    ways = [Way("ours", {True: "o0", False: "o1"}, {True: macs[0], False: macs[1]}),
            Way("kernel", {True: "k0", False: "k1"}, {True: macs[2], False: macs[3]})]
    chance = random.Random(SEED)
    tally, sent, port = Tally(), 0, 20000
    while sent < PACKETS:
        flows = {}
        for index in range(1, BATCH + 1):
            family, proto = chance.choice((4, 6)), chance.choice((TCP, TCP, TCP, TCP, UDP, UDP, SCTP, SCTP))
            kind = Association if proto == SCTP else Flow
            flow = kind(index, family, proto, port, random.Random(chance.getrandbits(64)))
            flows[family, proto, index] = flow
            port = port + 1 if port < 60000 else 20000
        while frames := step(ways, flows, chance, tally):
            sent += frames
        for way in ways:
            way.forget()
    print(f"seed {SEED}: {sent} packets by each way")
    sys.exit(0 if tally.report() else 1)


main()
