#!/usr/bin/env python3
"""A member for tests: answers every HTTP request with what it saw, as JSON.

member.py --listen ADDRESS:PORT | --unix PATH [--name m1] [--proxy v1|v2] [--echo]
          [--tls PEM [--tls-client-ca PEM]]

/status/503 is answered with that status, /bytes/4096 with that many bytes; /set-cookie/NAME/VALUE
sets a cookie. --echo sends back whatever comes, without HTTP. --proxy wants a PROXY header first.
"""
import argparse
import asyncio
import json
import os
import socket
import ssl

V2_MAGIC = b"\r\n\r\n\0\r\nQUIT\n"


async def proxy_header(reader, version):
    if version == "v1":
        return (await reader.readuntil(b"\r\n")).decode().strip()
    head = await reader.readexactly(16)
    if head[:12] != V2_MAGIC:
        raise ConnectionError("no PROXY v2 header")
    rest = await reader.readexactly(int.from_bytes(head[14:16], "big"))
    family = socket.AF_INET if head[13] >> 4 == 1 else socket.AF_INET6
    size = 4 if family == socket.AF_INET else 16
    addresses = [socket.inet_ntop(family, rest[i * size:(i + 1) * size]) for i in (0, 1)]
    ports = [int.from_bytes(rest[2 * size + 2 * i:2 * size + 2 * i + 2], "big") for i in (0, 1)]
    return f"PROXYV2 {addresses[0]} {addresses[1]} {ports[0]} {ports[1]}"


async def one_request(reader, writer, options, proxy):
    """False: the connection ends."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    method, path, version = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:]:
        if ":" in line:
            key, value = line.split(":", 1)
            headers[key.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    words = path.split("/")
    status, extra = 200, ""
    if words[1] == "status":
        status = int(words[2])
    if words[1] == "set-cookie":
        extra = f"Set-Cookie: {words[2]}={words[3]}; path=/\r\n"
    answer = json.dumps({"member": options.name, "method": method, "path": path, "version": version,
                         "headers": headers, "body": len(body), "proxy": proxy}).encode() + b"\n"
    if words[1] == "bytes":
        answer = b"x" * int(words[2])
    writer.write(f"HTTP/1.1 {status} Status\r\nContent-Length: {len(answer)}\r\n{extra}\r\n".encode())
    writer.write(b"" if method == "HEAD" else answer)
    await writer.drain()
    return version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"


async def serve(reader, writer, options):
    try:
        proxy = await proxy_header(reader, options.proxy) if options.proxy else None
        if options.echo:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        else:
            while await one_request(reader, writer, options, proxy):
                pass
    except (OSError, EOFError, asyncio.IncompleteReadError, ValueError):
        pass
    finally:
        writer.close()


async def main():
    parser = argparse.ArgumentParser()
    for name in ("--listen", "--unix", "--name", "--proxy", "--tls", "--tls-client-ca"):
        parser.add_argument(name)
    parser.add_argument("--echo", action="store_true")
    options = parser.parse_args()
    tls = None
    if options.tls:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.tls)
        if options.tls_client_ca:
            tls.load_verify_locations(options.tls_client_ca)
            tls.verify_mode = ssl.CERT_REQUIRED

    async def handle(reader, writer):
        await serve(reader, writer, options)

    if options.unix:
        server = await asyncio.start_unix_server(handle, options.unix)
        os.chmod(options.unix, 0o666)
    else:
        address, port = options.listen.rsplit(":", 1)
        server = await asyncio.start_server(handle, address.strip("[]"), int(port), ssl=tls,
                                            backlog=1024)
    async with server:
        await server.serve_forever()


asyncio.run(main())
