#!/usr/bin/env python3
"""Plays the SMS gateway's reports: each several times, in any order, as fast as it goes; and some that are forged.

usage: reports.py SMS-LEDGER EXPECTED [--times 3]

Every SMS of the ledger gets a random story (handed to the operator, delivered, refused, ...). EXPECTED gets one JSON line
for each delivery with the state it must end in. Prints one line of JSON.
"""
import base64
import collections
import http.client
import json
import random
import sys
import threading
import time
import urllib.parse

# Kannel's types: 1 delivered, 2 not delivered, 4 queued, 8 at the operator, 16 refused. The stronger word wins.
STORIES = [
    ((8,), "at_operator"), ((8, 1), "at_handset"), ((4, 8), "at_operator"), ((8, 2), "failed"), ((16,), "failed"),
    ((8, 1, 2), "at_handset"), ((2, 1), "at_handset"), ((4, 8, 1), "at_handset"), ((32,), "accepted"),
]


def neighbour(token):
    """The next delivery under this one's signature."""
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    number = int.from_bytes(raw[:16], "big") + 1
    return base64.urlsafe_b64encode(number.to_bytes(16, "big") + raw[16:]).decode().rstrip("=")


ledger, expected = sys.argv[1], open(sys.argv[2], "w")
times = int(sys.argv[sys.argv.index("--times") + 1]) if "--times" in sys.argv else 3
calls, urls = [], []
for line in open(ledger):
    sms = json.loads(line)
    if not sms.get("taken") or not sms.get("dlr"):
        continue
    story, state = random.choice(STORIES)
    expected.write(json.dumps({"delivery": sms["delivery"], "state": state}) + "\n")
    urls.append(sms["dlr"])
    calls += [(sms["dlr"].replace("%d", str(kind)).replace("%F", "f1"), "true") for kind in story for _ in range(times)]
expected.close()
genuine = len(calls)
for url in random.sample(urls, min(50, len(urls))):
    place = urllib.parse.urlsplit(url)
    token = place.path.rsplit("/", 1)[1]
    other = "".join(random.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(20))
    base = f"{place.scheme}://{place.netloc}"
    calls += [
        (f"{base}/hooks/sms/{token[:22]}{other}{token[42:]}?type=1", "forged"),  # the delivery, another signature
        (f"{base}/hooks/sms/{neighbour(token)}?type=1", "forged"),  # the signature, another delivery
        (f"{base}/hooks/sms/{token[:-3]}?type=1", "forged"),
    ]
random.shuffle(calls)
answers, seconds, lock = collections.defaultdict(collections.Counter), [], threading.Lock()
queue = collections.deque(calls)


def work():
    connection = None
    while True:
        try:
            url, kind = queue.popleft()
        except IndexError:
            return
        place = urllib.parse.urlsplit(url)
        for _ in range(50):
            start = time.monotonic()
            try:
                connection = connection or http.client.HTTPConnection(place.hostname, place.port, timeout=30)
                connection.request("GET", f"{place.path}?{place.query}")
                response = connection.getresponse()
                response.read()
                status = response.status
            except (OSError, http.client.HTTPException):
                connection, status = None, 0
            with lock:
                seconds.append(time.monotonic() - start)
                answers[kind][str(status)] += 1
            if status not in (0, 429, 503):  # a gateway repeats until it is heard
                break
            time.sleep(0.2)


start = time.monotonic()
threads = [threading.Thread(target=work) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
took = time.monotonic() - start
seconds.sort()
print(json.dumps({"genuine": genuine, "forged": len(calls) - genuine, "answers": answers, "per_second": round(len(calls) / took),
                  "p99": round(seconds[int(len(seconds) * 0.99)], 3)}))
