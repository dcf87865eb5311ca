#!/usr/bin/env python3
"""An SMS gateway that speaks like Kannel, writes down what it ACCEPTED, and misbehaves on order.

usage: chaos_sms.py PORT LEDGER MODEFILE

MODEFILE holds words, read anew for each request; the first is the manner:
  ok[:SECS]     202 "0: Accepted for delivery"       queued     202 "3: Queued for later delivery"
  403           credentials refused                  notroutable 403 "Not routable"
  500 | 404     that status                          503        "Temporal failure"
  429:SECS      with Retry-After                     hang:SECS  no answer for so long
  garbage       200 with a page of something else    drop       taken, then closed without an answer
Further words are report types (such as "8 1"): after each accepted SMS the report address is called with each of them.
LEDGER gets one JSON line for each request; `taken` says whether the SMS counts as accepted.
"""
import asyncio
import base64
import json
import sys
import time
import urllib.parse

port, ledger, mode_file = int(sys.argv[1]), open(sys.argv[2], "a", buffering=1), sys.argv[3]
TEXTS = {202: "Accepted", 200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable"}
reporters = asyncio.Semaphore(20)
keep = set()


def words():
    try:
        return open(mode_file).read().split() or ["ok"]
    except OSError:
        return ["ok"]


def delivery_of(url):
    """The signed token begins with the number of the attempt and that of the delivery, eight bytes each."""
    try:
        token = urllib.parse.urlsplit(url).path.rsplit("/", 1)[1]
        return int.from_bytes(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[8:16], "big")
    except (ValueError, IndexError):
        return None


async def report(url, kinds):
    for kind in kinds:
        target = urllib.parse.urlsplit(url.replace("%d", kind).replace("%F", f"f{abs(hash(url)) % 10**9}"))
        async with reporters:
            for _ in range(20):
                try:
                    reader, writer = await asyncio.open_connection(target.hostname, target.port)
                    writer.write(f"GET {target.path}?{target.query} HTTP/1.1\r\nHost: {target.netloc}\r\nConnection: close\r\n\r\n".encode())
                    head = await asyncio.wait_for(reader.readline(), 10)
                    writer.close()
                    if b" 2" in head[:14]:
                        break
                except (OSError, asyncio.TimeoutError):
                    pass
                await asyncio.sleep(0.5)


async def serve(reader, writer):
    async def answer(status, text, extra=""):
        body = text.encode()
        writer.write(f"HTTP/1.1 {status} {TEXTS[status]}\r\nContent-Length: {len(body)}\r\nContent-Type: text/html\r\n{extra}\r\n".encode() + body)
        await writer.drain()

    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(head.split(b" ", 2)[1].decode()).query)
            one = {name: values[0] for name, values in query.items()}
            mode, dlr = words(), one.get("dlr-url", "")
            manner, _, value = mode[0].partition(":")
            taken = manner in ("ok", "queued", "drop", "hang", "garbage")
            # Without a recipient it is a probe; Kannel says so when it is well.
            probe = "to" not in one
            taken = taken and not probe
            ledger.write(json.dumps({"t": round(time.time(), 4), "what": "probe" if probe else "sms" if taken else "refused", "to": one.get("to"), "delivery": delivery_of(dlr),
                                     "dlr": dlr, "mode": mode[0], "taken": taken, "coding": one.get("coding"), "validity": one.get("validity")}) + "\n")
            if taken and dlr and len(mode) > 1:
                task = asyncio.ensure_future(report(dlr, mode[1:]))
                keep.add(task)
                task.add_done_callback(keep.discard)
            if probe and manner in ("ok", "queued"):
                await answer(400, "Empty receiver number not allowed, rejected")
            elif manner == "ok":
                if value:
                    await asyncio.sleep(float(value))
                await answer(202, "0: Accepted for delivery")
            elif manner == "queued":
                await answer(202, "3: Queued for later delivery")
            elif manner == "403":
                await answer(403, "Authorization failed for sendsms")
            elif manner == "notroutable":
                await answer(403, "Not routable. Do not try again.")
            elif manner == "503":
                await answer(503, "Temporal failure, try again later.")
            elif manner == "429":
                await answer(429, "slow down", f"Retry-After: {value or 5}\r\n")
            elif manner == "garbage":
                await answer(200, "<html><body>Welcome to your new router</body></html>")
            elif manner == "hang":
                await asyncio.sleep(float(value or 60))
                return
            elif manner == "drop":
                writer.transport.abort()
                return
            else:
                await answer(int(manner), "something happened")
    except (ConnectionError, asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


asyncio.run(main())
