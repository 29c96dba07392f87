#!/usr/bin/python3
"""What clients that want a whole cloud need besides the agent's API: cloud.py PORT-FILE AGENT. A Keystone that
knows everybody, whose catalog has the agent as load-balancer service; and a Neutron that answers as the
agent does, but in which networks can be made: each is the agent's, and so are its subnets. The port that it
listens on is written to PORT-FILE."""
import http.client
import json
import os
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT_FILE, AGENT = sys.argv[1], sys.argv[2]
PROJECT = {"id": "a-project", "name": "a-project", "domain": {"id": "default", "name": "Default"}}
# hop-by-hop, or made anew here
OWN_HEADERS = {"connection", "content-length", "date", "server", "transfer-encoding", "host"}


def service(kind, url):
    endpoint = {"id": kind, "interface": "public", "region": "lab", "region_id": "lab", "url": url}
    return {"type": kind, "name": kind, "id": kind, "endpoints": [endpoint]}


class Cloud(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.rstrip("/") == "/v3":
            here = {"rel": "self", "href": f"{self.here()}/v3"}
            self.answer(200, {"version": {"id": "v3.14", "status": "stable", "links": [here]}})
        else:
            self.ask_agent()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v3/auth/tokens":
            self.answer(201, {"token": self.token()}, [("X-Subject-Token", "a-token")])
            return
        kind = self.path.rsplit("/", 1)[-1].removesuffix("s")
        if kind not in ("network", "subnet"):
            self.answer(404, {})
            return
        there = json.loads(self.agent("GET", f"/v2.0/{kind}s")[2])[f"{kind}s"][0]
        self.answer(201, {kind: there | body[kind]})

    def do_DELETE(self):
        self.answer(204, None)

    def here(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def token(self):
        return {"methods": ["password"], "project": PROJECT, "roles": [{"id": "admin", "name": "admin"}],
                "user": {"id": "admin", "name": "admin", "domain": PROJECT["domain"]},
                "issued_at": "2020-01-01T00:00:00.000000Z", "expires_at": "2100-01-01T00:00:00.000000Z",
                "catalog": [service("identity", f"{self.here()}/v3"), service("load-balancer", AGENT),
                            service("network", self.here())]}

    def agent(self, method, path):
        connection = http.client.HTTPConnection(urllib.parse.urlparse(AGENT).netloc, timeout=10)
        connection.request(method, path, headers={"Accept": "application/json"})
        got = connection.getresponse()
        return got.status, got.getheaders(), got.read()

    def ask_agent(self):
        status, headers, text = self.agent("GET", self.path)
        self.send(status, text, [pair for pair in headers if pair[0].lower() not in OWN_HEADERS])

    def answer(self, status, body, headers=()):
        text = b"" if body is None else json.dumps(body).encode()
        self.send(status, text, [*headers, ("Content-Type", "application/json")])

    def send(self, status, text, headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(text)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
with open(PORT_FILE + ".new", "w", encoding="ascii") as file:
    file.write(str(server.server_port))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
