#!/usr/bin/env python3
"""Compares the three ledgers: what the client was told, what the other sides took down, what the database says.

usage: books.py --db URL [--members N] [--client FILE]... [--mail FILE] [--sms FILE] [--log FILE]... [--duplicates N]
                [--open-ok] [--no-whole]
       books.py --db URL --sql SENTENCE
       books.py --db URL --mail FILE --sms FILE --doubt

Prints one line of JSON with the facts, and one line `bad: ...` on standard error for each thing that does not hold; the
exit status is 1 when there is any. --doubt, asked between a death and the next start, prints what was under way: each
delivery with its attempt and whether the other sides had taken it. Those go out again, and no others. The promises are numbered as in the fault plan:
I1 every acknowledged message exists as approved; I2 every delivery is final; I3 each delivery was taken as often as its
attempts allow, what was never tried was never taken; I4 nobody else; I5 the events of each message begin with its draft,
lead without a gap to the state it is in, and each step that somebody took stands beside the decision that allowed it; I6
nothing tried after its end; I8 the database is whole; I9 no panic; I10 no address in a log.
"""
import argparse
import collections
import json
import os
import re
import sqlite3
import subprocess
import sys
import urllib.parse

parser = argparse.ArgumentParser()
parser.add_argument("--db", required=True)
parser.add_argument("--client", action="append", default=[])
parser.add_argument("--mail")
parser.add_argument("--sms")
parser.add_argument("--log", action="append", default=[])
parser.add_argument("--members", type=int, default=0)
parser.add_argument("--duplicates", type=int, default=0, help="how many are allowed, both channels together")
parser.add_argument("--open-ok", action="store_true", help="deliveries may be open still")
parser.add_argument("--no-whole", action="store_true", help="leave the integrity check of the database out")
parser.add_argument("--doubt", action="store_true", help="only print what is under way, and what of it was taken")
parser.add_argument("--sql", help="only run this and print what it gives")
told = parser.parse_args()


def rows(sql):
    if told.db.startswith("sqlite:"):
        connection = sqlite3.connect(told.db[len("sqlite:"):], timeout=30)
        try:
            return [tuple("" if value is None else str(value) for value in row) for row in connection.execute(sql)]
        finally:
            connection.close()
    done = subprocess.run(["psql", "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", told.db, "-c", sql], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("books: " + done.stderr)
    return [tuple(line.split("\x1f")) for line in done.stdout.splitlines()]


if told.sql:
    for row in rows(told.sql):
        print("|".join(row))
    raise SystemExit(0)

SECONDS = "a.started_at / 1e6" if told.db.startswith("sqlite:") else "extract(epoch FROM a.started_at)"
if told.doubt:
    under_way = rows(
        f"SELECT d.id, d.attempts, {SECONDS} FROM deliveries d JOIN attempts a ON a.delivery_id = d.id AND a.number = d.attempts"
        " WHERE d.state = 'attempting' AND a.finished_at IS NULL"
    )
    last = {}
    for path in (told.mail, told.sms):
        for line in open(path) if path else []:
            line = json.loads(line)
            if line.get("what") in ("mail", "sms") and line.get("delivery") is not None:
                last[line["delivery"]] = line["t"]
    # What was taken in an earlier attempt was counted at the death that ended that one. The ledgers round to 0.1 ms.
    for identifier, attempt, begun in under_way:
        print(identifier, attempt, "taken" if last.get(int(identifier), 0) >= float(begun) - 0.0001 else "kept")
    raise SystemExit(0)

faults = []


def bad(text):
    faults.append(text)


def lines(path):
    if not path or not os.path.exists(path):
        return []
    found = []
    for line in open(path):
        try:
            found.append(json.loads(line))
        except ValueError:  # torn by a kill
            pass
    return found


facts = {}
# --- I1: what was acknowledged -------------------------------------------------------------------------------------
acknowledged, by_key, asked_drafts, acked_drafts = {}, collections.defaultdict(set), set(), set()
for path in told.client:
    for line in lines(path):
        where, key, status = line.get("path", ""), line.get("idempotency_key"), line.get("status", 0)
        if where.endswith("/messages") and line.get("method") == "POST":
            asked_drafts.add(key)
        if line.get("event") != "answer" or not 200 <= status < 300 or line.get("method") != "POST":
            continue
        answer = line.get("answer", {})
        if where.endswith("/messages"):
            acked_drafts.add(key)
            by_key[key].add(answer.get("id"))
        elif where.endswith("/approval"):
            acknowledged[where.split("/")[-2]] = answer.get("message", {}).get("version_hash")
for key, ids in by_key.items():
    if len(ids) > 1:
        bad(f"I1: one key made {len(ids)} messages")
stored = {row[0]: row for row in rows("SELECT m.id, m.status, a.hash, a.version_id FROM messages m LEFT JOIN approvals a ON a.message_id = m.id")}
for message, hash in acknowledged.items():
    row = stored.get(message)
    if row is None or not row[2]:
        bad(f"I1: the acknowledged approval of {message} is not in the database")
    elif hash and row[2] != hash:
        bad(f"I1: {message} was approved with another text")
    elif row[1] not in ("dispatching", "completed", "completed_with_failures", "stopped"):
        bad(f"I1: the acknowledged message {message} is {row[1]}")
if told.client and not len(acked_drafts) <= len(stored) <= len(asked_drafts):
    bad(f"I1: {len(stored)} messages for {len(asked_drafts)} drafts, {len(acked_drafts)} of them acknowledged")
facts["acknowledged"] = len(acknowledged)

# --- I2: all of it, and all final ----------------------------------------------------------------------------------
states = collections.Counter()
for channel, state, count in rows("SELECT channel, state, count(*) FROM deliveries GROUP BY channel, state"):
    states[f"{channel}:{state}"] = int(count)
facts["states"] = dict(states)
going = dict(rows("SELECT batch_id, count(*) FROM deliveries WHERE content_id IS NOT NULL GROUP BY batch_id"))
# Whom the chosen channel failed is reached on the other one: the second of two of a newsletter, and never without the first
# having failed or expired.
called_up = dict(
    rows(
        "SELECT batch_id, count(*) FROM (SELECT batch_id, person_id FROM deliveries WHERE lane = 3 AND content_id IS NOT NULL"
        " GROUP BY batch_id, person_id HAVING count(*) = 2"
        " AND sum(CASE WHEN state IN ('failed', 'expired') THEN 1 ELSE 0 END) > 0) AS twice GROUP BY batch_id"
    )
)
for message, version, audience in rows("SELECT message_id, version_id, audience FROM approvals"):
    planned = json.loads(audience)["deliveries"]
    if stored[message][1] in ("awaiting_release",):
        continue
    written = int(going.get(version, 0)) - int(called_up.get(version, 0))
    if written != planned:
        bad(f"I2: {written} of {planned} deliveries of {message} were written")
facts["open"] = int(rows("SELECT count(*) FROM deliveries WHERE settled_at IS NULL")[0][0])
if not told.open_ok:
    if facts["open"]:
        bad(f"I2: {facts['open']} deliveries are not final")
    unended = int(rows("SELECT count(*) FROM attempts WHERE finished_at IS NULL")[0][0])
    if unended:
        bad(f"I2: {unended} attempts have no end")

# --- I3, I4: what the other sides took --------------------------------------------------------------------------------
outcomes = dict(rows("SELECT coalesce(outcome, 'open'), count(*) FROM attempts GROUP BY outcome"))
facts["attempts"] = {name: int(count) for name, count in outcomes.items()}
deliveries = {}
for identifier, channel, state, reason, attempts in rows("SELECT id, channel, state, reason, attempts FROM deliveries"):
    deliveries[int(identifier)] = (channel, state, reason, int(attempts))
certain = collections.defaultdict(set)  # the provider's yes is in our books
possible = collections.defaultdict(set)  # it may have been taken
for identifier, channel, outcome in rows("SELECT d.id, d.channel, coalesce(a.outcome, 'open') FROM attempts a JOIN deliveries d ON d.id = a.delivery_id"):
    if outcome == "accepted":
        certain[channel].add(int(identifier))
    if outcome in ("accepted", "unknown", "lost", "open"):
        possible[channel].add(int(identifier))
total_again = 0
for channel, path in (("email", told.mail), ("sms", told.sms)):
    if not path:
        continue
    taken = [line for line in lines(path) if line.get("what") in ("mail", "sms")]
    names = collections.Counter(line["mid"] if channel == "email" else (line["delivery"], line["to"]) for line in taken)
    again = sum(names.values()) - len(names)
    total_again += again
    facts[channel] = {"taken": len(taken), "distinct": len(names), "again": again, "most": max(names.values(), default=0)}
    if len(names) < len(certain[channel]):
        bad(f"I3: lost: {len(certain[channel])} deliveries by {channel} count as accepted, {len(names)} arrived")
    if len(names) > len(possible[channel]):
        bad(f"I3: {len(names)} arrived by {channel}, only {len(possible[channel])} can have")
    # An attempt that was accepted is no excuse, but for one: its holder had lost the lease, another had begun the next, and
    # the answer came after that.
    doubtful = int(
        rows(
            "SELECT count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery_id"
            f" LEFT JOIN attempts n ON n.delivery_id = a.delivery_id AND n.number = a.number + 1 WHERE d.channel = '{channel}'"
            " AND (a.outcome IN ('unknown', 'lost') OR a.outcome IS NULL OR a.outcome = 'accepted' AND n.started_at < a.finished_at)"
        )[0][0]
    )
    if again > doubtful:
        bad(f"I3: {again} duplicates by {channel}, only {doubtful} attempts had no answer in time")
    ids = collections.Counter(line["delivery"] for line in taken if line.get("delivery") is not None)
    for identifier, times in ids.items():
        if identifier not in deliveries:
            bad(f"I4: a {channel} for a delivery {identifier} that does not exist")
        elif times > deliveries[identifier][3]:
            bad(f"I3: delivery {identifier} was taken {times} times in {deliveries[identifier][3]} attempts")
    if len(ids) == len(names):  # every piece names its delivery: compare one by one
        missing = certain[channel] - set(ids)
        if missing:
            bad(f"I3: {len(missing)} accepted deliveries by {channel} never arrived, such as {sorted(missing)[:3]}")
        stray = set(ids) - possible[channel]
        if stray:
            bad(f"I3: {len(stray)} deliveries by {channel} arrived that were not handed over, such as {sorted(stray)[:3]}")
    people = set()
    for line in taken:
        to = line["rcpt"] if channel == "email" else [line["to"]]
        if len(to) != 1 or line.get("bcc"):
            bad(f"I4: a mail with {len(to)} recipients")
        people.update(to)
        if channel == "email" and [address for address in line.get("to", []) if to[0] not in address]:
            bad("I4: a mail that names another recipient")
    for address in people:
        member = re.fullmatch(r"member(\d+)@waterloo\.example", address) or re.fullmatch(r"(?:\+|00)3247(\d{7})", address or "")
        if member and told.members and channel == "sms" and not 0 <= int(member[1]) - 100000 < told.members:
            bad(f"I4: a stranger got a {channel}")
        elif member and told.members and channel == "email" and int(member[1]) >= told.members:
            bad(f"I4: a stranger got a {channel}")
        elif not member and address not in ("officer@waterloo.example", "coordinator@waterloo.example"):
            bad(f"I4: {address} got a {channel}")
facts["again"] = total_again
# Nobody requeues here: what was accepted is never tried again, whatever its state says.
settled_again = rows(
    "SELECT a.delivery_id, a.number FROM attempts a JOIN attempts n ON n.delivery_id = a.delivery_id AND n.number = a.number + 1"
    " WHERE a.outcome = 'accepted' AND n.started_at >= a.finished_at"
)
if settled_again:
    bad(f"I3: {len(settled_again)} deliveries were tried again after they had been accepted, such as {settled_again[0]}")
if total_again > told.duplicates:
    bad(f"I3: {total_again} duplicates, {told.duplicates} allowed")

# --- I5, I6: the record ----------------------------------------------------------------------------------------------
events = collections.defaultdict(list)
for message, event, before, after, by in rows("SELECT message_id, event, from_status, to_status, account_id FROM message_events ORDER BY message_id, id"):
    events[message].append((event, before, after, by))
decided = collections.Counter(rows("SELECT permission, target FROM decisions WHERE outcome = 'allowed'"))
# Each is written in the transaction of the work: neither is there without the other.
PERMISSIONS = {"submitted": "SubmitMessage", "approved": "ApproveMessage"}
drafted = 0
for message in stored.keys() | events.keys():
    if message not in stored:
        bad(f"I5: events of {message}, which is not there")
        continue
    if not events[message]:
        bad(f"I5: {message} has no events")
        continue
    if events[message][0][:2] != ("drafted", "draft"):
        bad(f"I5: the first event of {message} is {events[message][0][0]} from {events[message][0][1]}")
    for (_, _, status, _), (name, before, _, _) in zip(events[message], events[message][1:]):
        if status != before:
            bad(f"I5: events of {message} jump from {status} to {before} at {name}")
    if stored[message][1] != events[message][-1][2]:
        bad(f"I5: {message} is {stored[message][1]}, its last event says {events[message][-1][2]}")
    happened = collections.Counter(name for name, _, _, by in events[message] if by)
    drafted += happened["drafted"]
    for name, permission in PERMISSIONS.items():
        times, allowed = happened[name], decided[(permission, f"message:{message}")]
        if allowed < times:
            bad(f"I5: {message} was {name} {times} times, {allowed} decisions allow it")
        if allowed and not times:
            bad(f"I5: a decision lets {message} be {name}, which it was not")
allowed = sum(times for (permission, _), times in decided.items() if permission == "DraftMessage")
if allowed < drafted:
    bad(f"I5: {drafted} drafts, {allowed} decisions allow them")
facts["events"] = sum(map(len, events.values()))
after_end = rows(
    "SELECT d.id, d.state FROM attempts a JOIN deliveries d ON d.id = a.delivery_id "
    "WHERE d.settled_at IS NOT NULL AND a.started_at > d.settled_at AND d.state NOT IN ('at_operator', 'at_handset', 'failed')"
)
if after_end:
    bad(f"I6: {len(after_end)} deliveries were tried after their end, such as {after_end[0]}")

# --- I8: the database ------------------------------------------------------------------------------------------------
if not told.no_whole:
    if told.db.startswith("sqlite:"):
        for row in rows("PRAGMA integrity_check"):
            if row != ("ok",):
                bad(f"I8: {row[0]}")
        for row in rows("PRAGMA foreign_key_check"):
            bad(f"I8: foreign key {row}")
    else:
        found = sorted(name for name in os.listdir("/usr/lib/postgresql"))[-1]
        place = urllib.parse.urlsplit(told.db)
        done = subprocess.run(
            [f"/usr/lib/postgresql/{found}/bin/pg_amcheck", "--install-missing", "--heapallindexed", "-h", place.hostname, "-p", str(place.port), "-U", place.username, place.path[1:]],
            capture_output=True, text=True,
        )
        if done.returncode != 0:
            bad("I8: pg_amcheck: " + (done.stdout + done.stderr).strip().splitlines()[-1])

# --- I9, I10: the logs -----------------------------------------------------------------------------------------------
for path in told.log:
    text = open(path, errors="replace").read() if os.path.exists(path) else ""
    if "panicked" in text:
        bad(f"I9: a panic in {os.path.basename(path)}: " + re.search(r".*panicked.*", text)[0][:200])
    if "@waterloo.example" in text or re.search(r"(\+|00)32470\d{6}", text):
        bad(f"I10: an address in {os.path.basename(path)}")

print(json.dumps(facts, sort_keys=True))
for fault in faults:
    print("bad: " + fault, file=sys.stderr)
sys.exit(1 if faults else 0)
