#!/usr/bin/env python3
"""Asks the API as people do, at a steady rate, and writes every answer down.

usage: mix.py --url URL --town FILE --ledger FILE [--seconds 10] [--rate 20] [--ready] [--timeout 15]
              [--as coordinator|officer] [--path PATH]

--ready asks only /health/ready, --path only this. Stops early when told so by SIGTERM. Prints one line of JSON: how many answers of each
status, the longest and the 99th percentile, how many 429 and 503 came without Retry-After.
"""
import argparse
import collections
import http.client
import json
import signal
import sys
import threading
import time
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--town")
parser.add_argument("--ledger", required=True)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--rate", type=float, default=20)
parser.add_argument("--timeout", type=float, default=15)
parser.add_argument("--ready", action="store_true")
parser.add_argument("--as", dest="who", default="coordinator")
parser.add_argument("--path")
told = parser.parse_args()
place = urllib.parse.urlsplit(told.url)
ledger, lock = open(told.ledger, "a", buffering=1), threading.Lock()
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=told.timeout)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Retry-After")
    finally:
        connection.close()


def patiently(method, path, body):
    for _ in range(100):
        try:
            status, text, _ = ask(method, path, body)
            if status < 429:
                return json.loads(text)
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("mix: nobody answers")


headers, paths = {}, ["/health/ready"]
if not told.ready:
    town = json.load(open(told.town))
    session = patiently("POST", "/api/v1/sessions", {"email": town[told.who], "password": town["password"]})
    headers["Authorization"] = "Bearer " + session["access_token"]
    home = f"/api/v1/partnerships/{town['partnership']}"
    paths = [told.path] if told.path else ["/api/v1/inbox", home, f"{home}/messages?limit=20", f"{home}/members?limit=20"]
statuses, times, unasked = collections.Counter(), [], 0


def one(number):
    global unasked
    path, start, at = paths[number % len(paths)], time.monotonic(), time.time()
    line = {"t": round(at, 4), "path": path.split("?")[0]}
    try:
        line["status"], _, wait = ask("GET", path, None, headers)
        line["retry_after"] = wait
    except OSError as fault:
        line["fault"] = type(fault).__name__
    except http.client.HTTPException as fault:
        line["fault"] = type(fault).__name__
    line["seconds"] = round(time.monotonic() - start, 4)
    with lock:
        statuses[str(line.get("status", line.get("fault")))] += 1
        times.append(line["seconds"])
        unasked += line.get("status") in (429, 503) and not line.get("retry_after")
        ledger.write(json.dumps(line) + "\n")


begin, threads, number = time.monotonic(), [], 0
while not stopping.is_set() and time.monotonic() - begin < told.seconds:
    thread = threading.Thread(target=one, args=(number,), daemon=True)
    thread.start()
    threads.append(thread)
    number += 1
    stopping.wait(max(0.0, begin + number / told.rate - time.monotonic()))
for thread in threads:
    thread.join(told.timeout)
times.sort()
print(json.dumps({
    "answers": dict(statuses), "p99": times[int(len(times) * 0.99)] if times else None, "longest": times[-1] if times else None,
    "without_retry_after": unasked,
}))
