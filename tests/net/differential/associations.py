"""SCTP associations, and what they should not be: flows as those of lives.py."""
import struct

from lives import Event, Flow
from packets import sctp

(DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK, ERROR, COOKIE_ECHO, COOKIE_ACK,
 SHUTDOWN_COMPLETE) = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14)
REFLECTED = 1  # T: the tag is the receiver's own, of ABORT and SHUTDOWN COMPLETE


class Association(Flow):

    def __init__(self, *args):
        super().__init__(*args)
        self.tag = {True: self.chance.getrandbits(32) | 1, False: self.chance.getrandbits(32) | 1}  # of what it is sent
        self.tsn = {True: self.chance.getrandbits(32), False: self.chance.getrandbits(32)}

    def next_packet(self):
        pick = self.chance.random()
        if self.state == "new":
            return self.first(pick)
        if self.state == "init":
            if pick < 0.1:
                return self.init("INIT again")
            if pick < 0.2:
                return self.then(self.packet("ABORT to the INIT", False, (ABORT, 0, b"")), "ended")
            if pick < 0.25:
                return self.error(False)
            return self.then(self.packet("INIT ACK", False, self.begin(False, INIT_ACK)), "answered")
        if self.state == "answered":
            cookie = (COOKIE_ECHO, 0, self.chance.randbytes(60))
            more = (self.data_chunk(True),) if pick < 0.3 else ()
            return self.then(self.packet("COOKIE ECHO", True, cookie, *more), "echoed")
        if self.state == "echoed":
            return self.then(self.packet("COOKIE ACK", False, (COOKIE_ACK, 0, b"")), "open")
        if self.state in ("shutdown", "shut"):
            return self.last_of_all(pick)
        return self.next_open(pick)

    def first(self, pick):
        if pick < 0.1:
            self.longest = self.steps
            kind = self.chance.choice((DATA, SACK, ABORT, SHUTDOWN, SHUTDOWN_ACK, COOKIE_ECHO, SHUTDOWN_COMPLETE))
            return self.packet(f"without a flow, chunk {kind}", True, (kind, 0, self.chance.randbytes(12)))
        if pick < 0.15:
            return self.packet("INIT with a tag", True, self.begin(True, INIT))
        return self.then(self.init("INIT"), "init")

    def next_open(self, pick):
        from_client = self.chance.random() < 0.5
        if self.state == "ended":
            self.longest = min(self.longest, self.steps + 1)
        if pick < 0.5:
            return self.packet("DATA", from_client, *(self.data_chunk(from_client) for _ in range(
                self.chance.choice((1, 1, 2)))))
        if pick < 0.6:
            return self.packet("SACK", from_client, (SACK, 0, struct.pack("!IIHH", 7, 8192, 0, 0)))
        if pick < 0.68:
            kind = self.chance.choice((HEARTBEAT, HEARTBEAT_ACK))
            return self.packet(f"chunk {kind}", from_client, (kind, 0, b"\0\1\0\x0c" + self.chance.randbytes(8)))
        if pick < 0.75:
            return self.error(from_client)
        if pick < 0.80:
            return self.packet("DATA of another tag", from_client, self.data_chunk(from_client),
                               tag=self.chance.getrandbits(32))
        if pick < 0.84:
            return self.packet("ABORT of another tag", from_client, (ABORT, 0, b""), tag=self.chance.getrandbits(32))
        if pick < 0.90:
            reflected = self.chance.random() < 0.3
            tag = self.tag[not from_client] if reflected else None
            return self.then(self.packet("ABORT", from_client, (ABORT, REFLECTED * reflected, b""), tag=tag), "ended")
        if self.state != "open":
            return self.something()
        self.closes = from_client
        return self.then(self.packet("SHUTDOWN", from_client, (SHUTDOWN, 0, struct.pack("!I", 7))), "shutdown")

    def last_of_all(self, pick):
        if pick < 0.3:
            return self.something()
        if self.state == "shutdown":
            return self.then(self.packet("SHUTDOWN ACK", not self.closes, (SHUTDOWN_ACK, 0, b"")), "shut")
        return self.then(self.packet("SHUTDOWN COMPLETE", self.closes, (SHUTDOWN_COMPLETE, 0, b"")), "closed")

    def something(self):
        return self.packet("DATA", True, self.data_chunk(True))

    # ---- packets -------------------------------------------------------------

    def begin(self, from_client, kind):
        """INIT and INIT ACK: they say the tag of what their sender is to be sent."""
        value = struct.pack("!IIHHI", self.tag[not from_client], 65536, 2, 2, self.tsn[from_client])
        return kind, 0, value + (b"\0\7\0\x14" + self.chance.randbytes(16) if kind == INIT_ACK else b"")

    def init(self, what):
        return self.packet(what, True, self.begin(True, INIT), tag=0)

    def data_chunk(self, from_client):
        self.tsn[from_client] = self.tsn[from_client] + 1 & 0xFFFFFFFF
        data = self.chance.randbytes(self.chance.choice((1, 2, 7, 100, 536)))
        return DATA, 3, struct.pack("!IHHI", self.tsn[from_client], 0, 0, 0) + data

    def packet(self, what, from_client, *chunks, tag=None):
        tag = self.tag[from_client] if tag is None else tag
        return Event(what, from_client, lambda sport, dport: sctp(sport, dport, tag, *chunks))
