#!/usr/bin/env python3
"""Requests without a pause, each on a connection of its own, until standard input ends:
load.py HOST PORT THREADS. Prints {"requests": n, "failed": n, "errors": [...]}."""
import http.client
import json
import sys
import threading

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
done = threading.Event()
lock = threading.Lock()
result = {"requests": 0, "failed": 0, "errors": []}


def ask():
    while not done.is_set():
        error = None
        try:
            connection = http.client.HTTPConnection(host, port, timeout=10)
            connection.request("GET", "/", headers={"Connection": "close"})
            status = connection.getresponse()
            status.read()
            error = None if status.status == 200 else f"status {status.status}"
            connection.close()
        except (OSError, http.client.HTTPException) as failure:
            error = repr(failure)
        with lock:
            result["requests"] += 1
            if error:
                result["failed"] += 1
                result["errors"] = (result["errors"] + [error])[:5]


threads = [threading.Thread(target=ask) for _ in range(count)]
for thread in threads:
    thread.start()
print("started", flush=True)
sys.stdin.read()
done.set()
for thread in threads:
    thread.join()
print(json.dumps(result))
