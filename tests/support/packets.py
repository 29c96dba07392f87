"""IP packets as bytes: made, taken apart, and what a full NAT makes of them."""
import ipaddress
import struct
from dataclasses import dataclass, field, replace

TCP, UDP, SCTP, ICMP, ICMP6, FRAGMENT = 6, 17, 132, 1, 58, 44
EXTENSIONS = (0, 43, 60)
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))


def packed(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass(frozen=True)
class Packet:
    """One IP packet, whole. `mark` is the id of IPv4 and the flow label of IPv6: a NAT leaves both as they are."""
    src: bytes
    dst: bytes
    proto: int
    body: bytes  # from the header of TCP, UDP or ICMP on
    mark: int = 0
    ttl: int = 64
    tos: int = 0
    df: bool = False
    options: bytes = b""  # of IPv4
    extensions: tuple = ()  # of IPv6: (type, bytes behind its next header and length)
    flaw: str = ""  # one of FLAWS
    trailer: bytes = b""  # behind it in the frame

    def pseudo(self):
        return self.src + self.dst + struct.pack("!II", len(self.body), self.proto)

    def ports(self):
        return struct.unpack("!HH", self.body[:4])


def crc32c_table():
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        yield value


CRC32C = tuple(crc32c_table())


def crc32c(data):
    """As SCTP has it: RFC 9260, appendix A."""
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ CRC32C[(value ^ byte) & 0xFF]
    return struct.pack("<I", value ^ 0xFFFFFFFF)


def sum_at(proto):
    return {TCP: 16, UDP: 6, SCTP: 8, ICMP: 2, ICMP6: 2}[proto]


def with_sum(packet):
    """The same with its checksum right. A UDP packet without one stays without."""
    at, body = sum_at(packet.proto), packet.body
    if packet.proto == SCTP:
        return replace(packet, body=body[:8] + crc32c(body[:8] + b"\0" * 4 + body[12:]) + body[12:])
    if len(body) < at + 2:
        return packet
    blank = body[:at] + b"\0\0" + body[at + 2:]
    pseudo = b"" if packet.proto == ICMP else packet.pseudo()
    value = checksum(pseudo + blank)
    if packet.proto == UDP and value == 0:
        value = 0xFFFF
    return replace(packet, body=blank[:at] + struct.pack("!H", value) + blank[at + 2:])


def has_right_sum(packet):
    at = sum_at(packet.proto)
    if packet.proto == UDP and packet.body[at:at + 2] == b"\0\0":
        return len(packet.src) == 4
    return with_sum(packet).body == packet.body


def residue(packet):
    """How wrong its checksum is. What changes it by difference leaves this as it was."""
    if packet.proto == SCTP:
        return int.from_bytes(packet.body[8:12], "big") ^ int.from_bytes(with_sum(packet).body[8:12], "big")
    return checksum(packet.pseudo() + packet.body)


def tcp(sport, dport, seq, ack, flags, data=b"", options=b"", window=8192):
    options += b"\0" * (-len(options) % 4)
    offset = (20 + len(options)) // 4
    return struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, offset << 4, flags, window, 0,
                       0) + options + data


def sctp(sport, dport, tag, *chunks):
    """Chunks: (type, flags, value), or with a length that is not theirs."""
    data = struct.pack("!HHII", sport, dport, tag, 0)
    for kind, flags, value in chunks:
        data += struct.pack("!BBH", kind, flags, 4 + len(value)) + value + b"\0" * (-len(value) % 4)
    return data


def udp(sport, dport, data):
    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data


def header(packet, length, proto, offset=0, more=False):
    """Of a whole packet or of a fragment (offset in bytes, IPv4 only)."""
    if len(packet.src) == 4:
        words = 5 + len(packet.options) // 4
        fragment = (0x4000 if packet.df else 0) | (0x2000 if more else 0) | offset // 8
        head = struct.pack("!BBHHHBBH", 0x40 | words, packet.tos, words * 4 + length, packet.mark, fragment, packet.ttl,
                           proto, 0) + packet.src + packet.dst + packet.options
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    first = 6 << 28 | packet.tos << 20 | packet.mark
    return struct.pack("!IHBB", first, length, proto, packet.ttl) + packet.src + packet.dst


def chained(packet, last):
    """IPv6: the next header of the first one, and the extension headers, of which the last names `last`."""
    chain, following = b"", last
    for kind, content in reversed(packet.extensions):
        chain = struct.pack("!BB", following, (2 + len(content)) // 8 - 1) + content + chain
        following = kind
    return following, chain


FLAWS = ("ip sum", "l4 sum", "short total", "long total", "tcp offset", "udp length", "chunk length", "version")


def wire(packet):
    if len(packet.src) == 4:
        data = header(packet, len(packet.body), packet.proto) + packet.body
    else:
        first, chain = chained(packet, packet.proto)
        data = header(packet, len(chain) + len(packet.body), first) + chain + packet.body
    data = bytearray(data)
    l4 = len(data) - len(packet.body)
    length = 2 if len(packet.src) == 4 else 4
    if packet.flaw == "ip sum":
        data[10] ^= 0x55
    elif packet.flaw == "l4 sum":
        data[l4 + sum_at(packet.proto)] ^= 0x55
    elif packet.flaw in ("short total", "long total"):
        by = -8 if packet.flaw == "short total" else 40
        struct.pack_into("!H", data, length, struct.unpack_from("!H", data, length)[0] + by)
        if len(packet.src) == 4:
            data[10:12] = b"\0\0"
            struct.pack_into("!H", data, 10, checksum(bytes(data[:l4])))
    elif packet.flaw == "tcp offset":
        data[l4 + 12] = 0x40 if packet.mark % 2 else 0xF0
    elif packet.flaw == "udp length":
        struct.pack_into("!H", data, l4 + 4, len(packet.body) + (-4 if packet.mark % 2 else 8))
    elif packet.flaw == "chunk length":
        struct.pack_into("!H", data, l4 + 14, 3 if packet.mark % 2 else 0xFFF0)
    elif packet.flaw == "version":
        data[0] ^= 0x20
    return bytes(data) + packet.trailer


def fragments(packet, size):
    """Its fragments, so many bytes of data in each."""
    pieces = [(at, packet.body[at:at + size]) for at in range(0, len(packet.body), size)]
    made = []
    for at, piece in pieces:
        more = at + size < len(packet.body)
        if len(packet.src) == 4:
            made.append(header(packet, len(piece), packet.proto, at, more) + piece)
        else:
            first, chain = chained(packet, FRAGMENT)
            head = struct.pack("!BBHI", packet.proto, 0, at | more, packet.mark)
            made.append(header(packet, len(chain) + 8 + len(piece), first) + chain + head + piece)
    return made


@dataclass
class Joined:
    pieces: dict = field(default_factory=dict)
    whole: int = -1  # bytes


class Reader:
    """Takes packets apart that came in; puts fragments together."""

    def __init__(self):
        self.joining = {}

    def read(self, data):
        """A Packet; None: a fragment of one that is not whole yet, or nothing that can be read."""
        return self.read4(data) if data[0] >> 4 == 4 else self.read6(data)

    def read4(self, data):
        head = (data[0] & 15) * 4
        _, tos, total, mark, fragment, ttl, proto, _ = struct.unpack("!BBHHHBBH", data[:12])
        packet = Packet(data[12:16], data[16:20], proto, data[head:total], mark, ttl, tos, bool(fragment & 0x4000),
                        data[20:head], flaw="" if checksum(data[:head]) == 0 else "ip sum")
        return self.join(packet, (fragment & 0x1FFF) * 8, bool(fragment & 0x2000), mark)

    def read6(self, data):
        first, length, proto, ttl = struct.unpack("!IHBB", data[:8])
        at, end, extensions, offset, more, mark = 40, 40 + length, [], 0, False, first & 0xFFFFF
        ident = None
        while proto in EXTENSIONS or proto == FRAGMENT:
            following, size = data[at], 8
            if proto == FRAGMENT:
                offset, ident = struct.unpack("!HI", data[at + 2:at + 8])
                more, offset = bool(offset & 1), offset & 0xFFF8
            else:
                size = (data[at + 1] + 1) * 8
                extensions.append((proto, data[at + 2:at + size]))
            proto, at = following, at + size
        packet = Packet(data[8:24], data[24:40], proto, data[at:end], mark, ttl, first >> 20 & 0xFF,
                        extensions=tuple(extensions))
        return self.join(packet, offset, more, ident)

    def join(self, packet, offset, more, ident):
        if offset == 0 and not more:
            return packet
        key = (packet.src, packet.dst, packet.proto, ident)
        joined = self.joining.setdefault(key, Joined())
        joined.pieces[offset] = packet.body
        if not more:
            joined.whole = offset + len(packet.body)
        body, at = b"", 0
        while at in joined.pieces:
            body += joined.pieces[at]
            at += len(joined.pieces[at]) or 1
        if joined.whole < 0 or len(body) < joined.whole:
            return None
        del self.joining[key]
        return replace(packet, body=body)
