#!/usr/bin/env python3
"""A proxy between two TCP peers that breaks on order: instead of netem, which this kernel may not have.

usage: tcpfault.py LPORT RHOST RPORT CONTROL

CONTROL holds JSON, read anew for each piece of data:
  {"up": true, "latency": 0.0, "rate": 0, "reset_after": 0, "blackhole": false, "cut_commit_answer": 0.0}
up: false refuses; latency: seconds for each piece; rate: bytes a second; reset_after: bytes of one connection;
blackhole: data stops, connections stay; cut_commit_answer: the share of PostgreSQL's COMMITs that reach the server and
whose answer is thrown away together with the connection. Every cut is one line on standard output.
"""
import asyncio
import json
import random
import sys
import time

lport, rhost, rport, control = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
# A simple query 'Q', its length, the text, a zero: as libpq sends it.
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


def orders():
    try:
        return json.load(open(control))
    except Exception:
        return {}


async def pipe(reader, writer, shared, outward):
    try:
        while data := await reader.read(65536):
            order = orders()
            while order.get("blackhole"):
                await asyncio.sleep(0.1)
                order = orders()
            if order.get("latency"):
                await asyncio.sleep(order["latency"])
            if order.get("rate"):
                await asyncio.sleep(len(data) / order["rate"])
            shared["bytes"] += len(data)
            if order.get("reset_after") and shared["bytes"] > order["reset_after"]:
                writer.transport.abort()
                break
            if outward and COMMIT in data and random.random() < order.get("cut_commit_answer", 0):
                shared["cut"] = True
            if not outward and shared["cut"]:
                print(json.dumps({"t": time.time(), "what": "cut"}), flush=True)
                writer.transport.abort()
                break
            writer.write(data)
            await writer.drain()
    except Exception:
        pass
    finally:
        for end in (writer, shared["ends"][0], shared["ends"][1]):
            try:
                end.close()
            except Exception:
                pass


async def serve(reader, writer):
    if orders().get("up") is False:
        return writer.transport.abort()
    try:
        far_reader, far_writer = await asyncio.open_connection(rhost, rport)
    except OSError:
        return writer.transport.abort()
    shared = {"bytes": 0, "cut": False, "ends": (writer, far_writer)}
    await asyncio.gather(pipe(reader, far_writer, shared, True), pipe(far_reader, writer, shared, False))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", lport)
    async with server:
        await server.serve_forever()


asyncio.run(main())
