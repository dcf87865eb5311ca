#!/usr/bin/env python3
"""Writes many drafts, each under a key of its own, asked again under it until there is an answer; then each once more.

usage: drafts.py --url URL --town FILE --ledger FILE --count N [--within SECONDS]

The ledger is that of the driver. Prints one line of JSON: answers by status, keys whose repeat gave another answer, and how
many found the first answer by repeating a request that had failed: done, and its answer lost.
"""
import argparse
import collections
import http.client
import json
import threading
import time
import urllib.parse
import uuid

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--town", required=True)
parser.add_argument("--ledger", required=True)
parser.add_argument("--count", type=int, default=50)
parser.add_argument("--within", type=float, default=120)
parser.add_argument("--at-once", type=int, default=4)
told = parser.parse_args()
place = urllib.parse.urlsplit(told.url)
town, ledger, lock = json.load(open(told.town)), open(told.ledger, "a", buffering=1), threading.Lock()
statuses, tries = collections.Counter(), collections.Counter()
found, again = collections.Counter(), False
until = time.monotonic() + told.within


def post(path, body, key, token=None):
    """The first answer that is not 'later', or nothing."""
    number = 0
    while time.monotonic() < until:
        number += 1
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if token:
            headers["Authorization"] = "Bearer " + token
        line = {"method": "POST", "path": path, "idempotency_key": key, "try": number}
        with lock:
            ledger.write(json.dumps({"event": "request", "at": int(time.time() * 1e6), **line}) + "\n")
        status, answer, stored = 0, {}, False
        try:
            connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            status, answer = response.status, json.loads(response.read() or b"{}")
            stored = response.getheader("Idempotency-Replayed") == "true"
            connection.close()
        except (OSError, http.client.HTTPException, ValueError):
            pass
        kept = {name: answer[name] for name in ("id", "type", "version_hash") if name in answer}
        with lock:
            statuses[status] += 1
            ledger.write(json.dumps({"event": "answer", "at": int(time.time() * 1e6), "status": status, "answer": kept, **line}) + "\n")
        if status and status not in (429, 503):
            tries[number] += 1
            found[again] += stored and number > 1
            return status, answer
        time.sleep(0.1)
    return 0, {}


status, session = post("/api/v1/sessions", {"email": town["coordinator"], "password": town["password"]}, str(uuid.uuid4()))
token = session["access_token"]
path = f"/api/v1/partnerships/{town['partnership']}/messages"
body = {"class": "urgent", "kind": "start", "source": "member_report",
        "texts": {"fr": {"title": "Essai", "body": "Restez chez vous. Appelez le 101.", "sms": "Restez chez vous."}}}
keys, first, other, unanswered = [str(uuid.uuid4()) for _ in range(told.count)], {}, [], []
for again in (False, True):
    left = collections.deque(keys)

    def work():
        while True:
            try:
                key = left.popleft()
            except IndexError:
                return
            status, answer = post(path, body, key, token)
            if not 200 <= status < 300:
                unanswered.append(status)
            elif first.setdefault(key, answer["id"]) != answer["id"]:
                other.append(key)

    threads = [threading.Thread(target=work) for _ in range(told.at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(json.dumps({"answers": dict(statuses), "tries": dict(tries), "found": found[False], "another_answer": len(other), "unanswered": len(unanswered), "messages": len(set(first.values()))}))
