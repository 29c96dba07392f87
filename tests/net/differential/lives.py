"""Flows that do what hosts do, and what they should not: a flow says what its next packet is, by a seeded generator."""
import itertools
import struct
from dataclasses import dataclass, field
from typing import Callable

from packets import ACK, CWR, ECE, FIN, PSH, RST, SCTP, SYN, TCP, UDP, Packet, tcp, udp

OPTIONS = {  # of IPv4: what a router hands on, and what it does not
    "no operation": b"\x01\x01\x01\x00",
    "record route": b"\x07\x07\x04\0\0\0\0\0",
    "time stamp": b"\x44\x0c\x05\x00" + b"\0" * 8,
    "router alert": b"\x94\x04\0\0",
    "loose source route": b"\x83\x07\x08\xc6\x33\x64\x64\x00",
}
EXTENSIONS = {  # of IPv6
    "hop-by-hop": ((0, b"\x01\x04" + b"\0" * 4),),
    "destination": ((60, b"\x01\x04" + b"\0" * 4),),
    "both": ((0, b"\x01\x04" + b"\0" * 4), (60, b"\x01\x04" + b"\0" * 4)),
    "no segments left": ((43, b"\x04\0" + b"\0" * 4),),
}


FRAGMENTED = itertools.count(1)  # ids of datagrams in fragments: one that lacks a fragment stays for a while


ERRORS = {  # type, code, the four bytes behind the checksum
    4: {"port unreachable": (3, 3, b"\0" * 4), "host unreachable": (3, 1, b"\0" * 4),
        "time exceeded": (11, 0, b"\0" * 4), "fragmentation needed": (3, 4, b"\0\0\x05\x14"),
        "parameter problem": (12, 0, b"\x08\0\0\0")},
    6: {"port unreachable": (1, 4, b"\0" * 4), "no route": (1, 0, b"\0" * 4), "time exceeded": (3, 0, b"\0" * 4),
        "packet too big": (2, 0, b"\0\0\x05\x14"), "parameter problem": (4, 0, b"\0\0\0\x06")},
}
LENGTHS = {TCP: ("tcp offset",), UDP: ("udp length",), SCTP: ("chunk length",)}  # of FLAWS
MSS = b"\x02\x04\x05\xb4"


def name_of(from_client, what, twist=""):
    who = "client" if from_client else "member"
    return f"{who}: {what}" + (f", {twist}" if twist else "")


@dataclass
class Event:
    """A packet of a flow: what, from whom, and how it is sent."""
    what: str
    from_client: bool
    body: Callable  # (sport, dport) -> bytes
    fields: dict = field(default_factory=dict)
    cut: tuple = ()  # (bytes in each fragment, "in order" | "any order" | "one is missing")
    twist: str = ""  # "": as hosts send it
    times: int = 1
    after: Callable = lambda: None  # what it changes, once it has come through

    @property
    def name(self):
        return name_of(self.from_client, self.what, self.twist)


@dataclass
class Error:
    """An ICMP error of the client or the member about a packet of the other one."""
    what: str
    from_client: bool
    about: Event
    kind: tuple  # of ERRORS
    quoted: int  # bytes of the transport header and what follows

    @property
    def name(self):
        return name_of(self.from_client, self.what)


class Flow:
    """`index` is its mark; `chance` its random.Random."""

    def __init__(self, index, family, proto, client_port, chance):
        self.index, self.family, self.proto, self.client_port, self.chance = index, family, proto, client_port, chance
        self.steps = 0
        self.history = []  # what was sent, and what became of it
        self.longest = chance.randrange(4, 16)
        self.over = False
        self.last = {True: None, False: None}  # what each side sent last, if it came through
        self.seq = {True: chance.getrandbits(32), False: chance.getrandbits(32)}
        self.state = "new"
        self.closed_by = frozenset()

    def next(self):
        self.steps += 1
        if self.over or self.steps > self.longest:
            return None
        event = self.next_packet()
        if isinstance(event, Event):
            event.fields.setdefault("mark", self.index)
            event.fields.setdefault("tos", self.chance.choice((0, 0, 0, 0x10, 0x02, 0xB8)))
            event.fields.setdefault("ttl", self.chance.choice((64, 64, 128, 255, 7)))
            if self.chance.random() < 0.25:
                self.twist(event)
        return event

    def done(self, event, came):
        """The last packet came through, on all ways, or not."""
        if not came or not isinstance(event, Event):
            return
        self.last[event.from_client] = event
        event.after()

    def next_packet(self):
        return self.next_tcp() if self.proto == TCP else self.next_udp()

    # ---- TCP -----------------------------------------------------------------

    def segment(self, what, from_client, flags, data=b"", options=b"", ahead=0):
        seq, ack = self.seq[from_client] + ahead, self.seq[not from_client]
        window = self.chance.choice((8192, 65535, 512))
        acknowledged = ack if flags & ACK else 0
        event = Event(what, from_client,
                      lambda sport, dport: tcp(sport, dport, seq, acknowledged, flags, data, options, window))
        moved = len(data) + bool(flags & SYN) + bool(flags & FIN)

        def after():
            if not ahead and not flags & RST:
                self.seq[from_client] = (seq + moved) & 0xFFFFFFFF
        event.after = after
        return event

    def then(self, event, state):
        moved = event.after

        def after():
            moved()
            self.state = state
        event.after = after
        return event

    def data(self):
        return self.chance.randbytes(self.chance.choice((0, 1, 2, 7, 100, 536, 1360)))

    def next_tcp(self):
        pick = self.chance.random()
        if self.state == "new":
            if pick < 0.08:
                flags = self.chance.choice((ACK, FIN | ACK, RST, RST | ACK, SYN | ACK, SYN | FIN, 0, PSH | ACK))
                self.longest = self.steps
                return self.segment(f"without a flow, flags {flags:#04x}", True, flags)
            options = self.chance.choice((b"", MSS, MSS + b"\x04\x02\x08\x0a\0\0\0\1\0\0\0\0\x01\x03\x03\x07"))
            syn = self.segment("SYN", True, SYN | self.chance.choice((0, 0, 0, ECE | CWR)), options=options)
            return self.then(syn, "syn")
        if self.state == "syn":
            if pick < 0.1:
                self.seq[True] -= 1
                return self.segment("SYN again", True, SYN)
            if pick < 0.2:
                return self.then(self.segment("RST to the SYN", False, RST | ACK), "ended")
            if pick < 0.25:
                return self.error(False)
            return self.then(self.segment("SYN-ACK", False, SYN | ACK, options=MSS), "answered")
        if self.state == "answered":
            if pick < 0.1:
                self.seq[False] -= 1
                return self.segment("SYN-ACK again", False, SYN | ACK)
            return self.then(self.segment("ACK", True, ACK), "open")
        return self.next_open(pick)

    def next_open(self, pick):
        from_client = self.chance.random() < 0.5
        if self.state == "ended":
            self.longest = min(self.longest, self.steps + 1)
        if pick < 0.55:
            flags = ACK | self.chance.choice((0, PSH, PSH, CWR, ECE))
            return self.segment("data", from_client, flags, self.data())
        if pick < 0.63:
            ahead = self.chance.choice((1360, 2720, 40000))
            return self.segment("ahead", from_client, ACK | PSH, self.data(), ahead=ahead)
        if pick < 0.70:
            return self.error(from_client)
        if pick < 0.74:
            return self.segment("SYN within", True, SYN, ahead=5000)
        if pick < 0.79:
            return self.then(self.segment("RST", from_client, RST | self.chance.choice((0, ACK))), "ended")
        fin = self.segment("FIN", from_client, FIN | ACK, self.data())
        self.closed_by = self.closed_by | {from_client}
        return self.then(fin, "closed" if len(self.closed_by) == 2 else "closing") if self.state != "ended" else fin

    # ---- UDP -----------------------------------------------------------------

    def next_udp(self):
        if self.last[True] is None or self.chance.random() < 0.45:
            return self.datagram(True)
        if self.chance.random() < 0.12:
            return self.error(self.last[False] is not None and self.chance.random() < 0.5)
        return self.datagram(False)

    def datagram(self, from_client):
        # it begins with the index: the mark of one in fragments may be another behind a NAT
        size = self.chance.choice((0, 1, 8, 33, 512, 1400, 1400, 4000))
        data = struct.pack("!H", self.index) + self.chance.randbytes(size)
        if self.chance.random() < 0.1:
            data = data[:self.chance.choice((0, 1))]
        event = Event("datagram", from_client, lambda sport, dport: udp(sport, dport, data))
        if len(data) > 1472 or (len(data) > 33 and self.chance.random() < 0.1):
            size = self.chance.choice((1448, 1000, 552))
            event.cut = (size, self.chance.choice(("in order", "in order", "first one first", "one is missing")))
            event.what = "datagram in fragments"
            event.fields["mark"] = next(FRAGMENTED) % 65535 + 1
            event.twist = "" if event.cut[1] == "in order" else event.cut[1]
        return event

    # ---- all -----------------------------------------------------------------

    def something(self):
        """What can always be sent."""
        return self.datagram(True) if self.proto == UDP else self.segment("data", True, ACK, self.data())

    def error(self, from_client):
        about = self.last[not from_client]
        if about is None or about.cut:
            return self.something()
        kinds = ERRORS[self.family]
        what = self.chance.choice(sorted(kinds))
        least = 8 if self.family == 4 else 20
        return Error(what, from_client, about, kinds[what], self.chance.choice((least, 64, 400)))

    def twist(self, event):
        """Something that happens on the way, or is done on purpose."""
        if event.cut:
            return
        chance, fields = self.chance, event.fields
        what = chance.choice(("last hop", "sum", "options", "lengths", "trailer", "twice", "df"))
        if what == "last hop":
            fields["ttl"], event.twist = 1, "last hop"
        elif what == "sum":
            fields["flaw"] = chance.choice(("l4 sum", "ip sum") if self.family == 4 else ("l4 sum",))
            event.twist = fields["flaw"]
        elif what == "options":
            where, known = ("options", OPTIONS) if self.family == 4 else ("extensions", EXTENSIONS)
            event.twist = chance.choice(sorted(known))
            fields[where] = known[event.twist]
        elif what == "lengths":
            fields["flaw"] = chance.choice(("short total", "long total", "version", *LENGTHS[self.proto]))
            event.twist = fields["flaw"]
        elif what == "trailer":
            fields["trailer"], event.twist = chance.randbytes(6), "trailer"
        elif what == "twice":
            event.times, event.twist = 2, "twice"
        elif self.family == 4:
            fields["df"], event.twist = True, "not to be fragmented"


def packet(event, src, dst, sport, dport, proto):
    return Packet(src, dst, proto, event.body(sport, dport), **event.fields)
