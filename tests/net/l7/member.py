#!/usr/bin/env python3
"""An HTTP member that answers with what it saw, as JSON.

member.py NAME PORT [--tls PEM] [--ca PEM] [--proxy]

--tls serves TLS; --ca asks for a client certificate and says who it was; --proxy expects a PROXY header
(version 1 or 2) and says what was in it. GET /cookie/NAME/VALUE sets a cookie; GET /status/N answers N.
"""
import argparse
import http.server
import ipaddress
import json
import socket
import socketserver
import ssl
import struct

V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def receive(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("ended in the middle of a PROXY header")
        data += part
    return data


def read_proxy_header(connection):
    first = receive(connection, 12)
    if first == V2_SIGNATURE:
        command, family, length = struct.unpack("!BBH", receive(connection, 4))
        body = receive(connection, length)
        size = {0x11: 4, 0x21: 16}[family]
        source, destination = (str(ipaddress.ip_address(body[i * size:(i + 1) * size])) for i in range(2))
        ports = struct.unpack("!HH", body[2 * size:2 * size + 4])
        return {"version": 2, "command": command & 15, "source": source, "destination": destination,
                "source_port": ports[0], "destination_port": ports[1]}
    line = first
    while not line.endswith(b"\r\n"):
        line += receive(connection, 1)
    _, family, source, destination, source_port, destination_port = line.decode().split()
    return {"version": 1, "family": family, "source": source, "destination": destination,
            "source_port": int(source_port), "destination_port": int(destination_port)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        received = self.rfile.read(length) if length else b""
        words = self.path.split("/")
        seen = {"name": self.server.name, "method": self.command, "path": self.path,
                "headers": {key.lower(): value for key, value in self.headers.items()},
                "body": len(received), "peer": self.client_address[0], "proxy": self.server.proxies.get(
                    self.client_address), "client_certificate": self.subject()}
        body = (json.dumps(seen) + "\n").encode()
        self.send_response(int(words[2]) if words[1] == "status" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if words[1] == "cookie":
            self.send_header("Set-Cookie", f"{words[2]}={words[3]}; path=/")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer

    def subject(self):
        if not isinstance(self.connection, ssl.SSLSocket):
            return None
        certificate = self.connection.getpeercert() or {}
        return {key: value for part in certificate.get("subject", ()) for key, value in part}

    def log_message(self, *words):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET6
    request_queue_size = 1024

    def __init__(self, options):
        self.name, self.options, self.proxies = options.name, options, {}
        self.tls = None
        if options.tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(options.tls)
            if options.ca:
                self.tls.load_verify_locations(options.ca)
                self.tls.verify_mode = ssl.CERT_OPTIONAL
        super().__init__(("::", options.port), Handler)

    def finish_request(self, request, client_address):
        # On the connection's own thread: what waits here holds up nobody else.
        request.settimeout(30)
        if self.options.proxy:
            self.proxies[client_address] = read_proxy_header(request)
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass  # checks and clients that go away are no news


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("port", type=int)
    parser.add_argument("--tls")
    parser.add_argument("--ca")
    parser.add_argument("--proxy", action="store_true")
    Server(parser.parse_args()).serve_forever()


if __name__ == "__main__":
    main()
