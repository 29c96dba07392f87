#!/usr/bin/env python3
"""tagged.py INTERFACE MAC ID ADDRESS PORT: sends TCP SYNs to ADDRESS as frames of the VLAN ID, by the interface,
which need not know of VLANs. Each is of another client port; nobody hears an answer."""
import ipaddress
import socket
import struct
import sys

SYNS = 5


def ones_sum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def syn(source, to, port):
    """An IP packet."""
    def segment(total):
        return struct.pack("!HHIIBBHHH", port, int(sys.argv[5]), 7, 0, 5 << 4, 2, 65535, total, 0)
    length = len(segment(0))
    pseudo = source.packed + to.packed + struct.pack("!II", length, socket.IPPROTO_TCP)
    tcp = segment(ones_sum(pseudo + segment(0)))
    if to.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, socket.IPPROTO_TCP, 64) + source.packed + to.packed + tcp

    def header(total):
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, socket.IPPROTO_TCP, total) + source.packed + to.packed
    return header(ones_sum(header(0))) + tcp


def main():
    interface, mac, vlan = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), int(sys.argv[3])
    to = ipaddress.ip_address(sys.argv[4])
    source = ipaddress.ip_address("198.18.0.9" if to.version == 4 else "2001:db8:18::9")
    ethertype = 0x0800 if to.version == 4 else 0x86dd
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, 0))
        own = link.getsockname()[4]
        for port in range(20000, 20000 + SYNS):
            link.send(mac + own + struct.pack("!HHH", 0x8100, vlan, ethertype) + syn(source, to, port))


if __name__ == "__main__":
    main()
