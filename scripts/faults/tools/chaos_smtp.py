#!/usr/bin/env python3
"""A mail server that writes down what it ACCEPTED and misbehaves on order.

usage: chaos_smtp.py PORT LEDGER MODEFILE [--certificate PEM --key PEM]

MODEFILE holds words, read anew for each connection and each mail; the first is the manner:
  ok               takes everything                     ok:0.005      takes its time for each mail
  421              hangs up with 421 at the greeting    close         hangs up without a word
  banner:60        says nothing for so long             silent        takes the connection and never answers
  rcpt4xx          451 for every recipient              tempfail:30   for so many per cent of them
  rcpt4xx:odd      451 for recipients whose number is odd
  hardfail:10      550 for the recipients whose number ends so that a tenth is hit (member7, member17, ...)
  drop_after_data  takes the mail, writes it down, and closes without the answer: what makes duplicates
  slow:30          250 only after so long
Further words: nostarttls (the capability is not offered).
LEDGER gets one JSON line for each connection and each mail; mails are written down before they are answered.
"""
import asyncio
import json
import random
import re
import ssl
import sys
import time

port, ledger, mode_file = int(sys.argv[1]), open(sys.argv[2], "a", buffering=1), sys.argv[3]
tls = None
if "--certificate" in sys.argv:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[sys.argv.index("--certificate") + 1], sys.argv[sys.argv.index("--key") + 1])
VERP = re.compile(rb"\+(\d+)\.\d+-")
NUMBER = re.compile(r"(\d+)@")
open_now = 0


def words():
    try:
        return (open(mode_file).read().split() or ["ok"]) + [""]
    except OSError:
        return ["ok", ""]


def note(**fields):
    ledger.write(json.dumps({"t": round(time.time(), 4), **fields}) + "\n")


def argument(word, default):
    return word.split(":", 1)[1] if ":" in word else default


async def serve(reader, writer):
    global open_now
    open_now += 1
    try:
        await talk(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, OSError):
        pass
    finally:
        open_now -= 1
        writer.close()


async def talk(reader, writer):
    async def say(text):
        writer.write((text + "\r\n").encode())
        await writer.drain()

    mode = words()
    note(what="connect", mode=mode[0], open=open_now)
    if mode[0] == "421":
        return await say("421 4.3.2 try later")
    if mode[0] == "close":
        return writer.transport.abort()
    if mode[0] == "silent":
        return await asyncio.sleep(3600)
    if mode[0].startswith("banner"):
        await asyncio.sleep(float(argument(mode[0], 60)))
    await say("220 chaos ESMTP")
    sender, recipients, secure = b"", [], False
    while True:
        line = await reader.readline()
        if not line:
            return
        mode = words()
        manner = mode[0]
        command = line.strip().upper()
        if command.startswith((b"EHLO", b"HELO")):
            offer = ["250-chaos", "250-PIPELINING", "250-8BITMIME"]
            if tls and not secure and "nostarttls" not in mode:
                offer.append("250-STARTTLS")
            await say("\r\n".join(offer + ["250 SMTPUTF8"]))
        elif command == b"STARTTLS" and tls and not secure:
            await say("220 go ahead")
            await writer.start_tls(tls)
            secure = True
        elif command.startswith(b"MAIL"):
            sender, recipients = line[10:].strip(), []
            await say("250 ok")
        elif command.startswith(b"RCPT"):
            to = line[8:].strip().strip(b"<>").decode(errors="replace")
            number = NUMBER.search(to)
            number = int(number[1]) if number else 0
            share = float(argument(manner, 100))if manner.startswith(("hardfail", "tempfail")) else 0
            if manner.startswith("hardfail") and NUMBER.search(to) and (number * 10) % 100 >= 100 - share:
                note(what="refused", rcpt=to, code=550)
                await say("550 5.1.1 no such user")
            elif manner == "rcpt4xx" or manner == "rcpt4xx:odd" and number % 2 or manner.startswith("tempfail") and random.random() * 100 < share:
                note(what="refused", rcpt=to, code=451)
                await say("451 4.7.1 greylisted")
            else:
                recipients.append(to)
                await say("250 ok")
        elif command == b"DATA":
            if not recipients:
                await say("503 no valid recipients")
                continue
            await say("354 go")
            body = await reader.readuntil(b"\r\n.\r\n")
            name = re.search(rb"(?im)^Message-ID:\s*(\S+)", body)
            subject = re.search(rb"(?im)^Subject:\s*(.+(?:\r\n[ \t].+)*)", body)
            delivery = VERP.search(sender)
            note(what="mail", rcpt=recipients, mid=name and name[1].decode(), mode=manner, tls=secure,
                 delivery=int(delivery[1]) if delivery else None,
                 subject=subject and " ".join(subject[1].decode(errors="replace").split()),
                 to=[to.decode(errors="replace").strip() for to in re.findall(rb"(?im)^To:\s*(.+)$", body)],
                 bcc=bool(re.search(rb"(?im)^Bcc:", body)))
            if manner == "drop_after_data":
                return writer.transport.abort()
            if manner.startswith(("slow", "ok:")):
                await asyncio.sleep(float(argument(manner, 0)))
            recipients = []
            await say("250 2.0.0 queued")
        elif command == b"QUIT":
            return await say("221 bye")
        else:
            await say("250 ok")


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=4 * 1024 * 1024, backlog=512)
    async with server:
        await server.serve_forever()


asyncio.run(main())
