#!/usr/bin/env bash
# F23 | SQLite | RCPT answered with 4xx for 30 s (full: 10 min), then ok | backoff with jitter on the same connections, everything delivered
source "$(dirname "$0")/lib.sh"
ID=F23 WHAT="RCPT 4xx, then ok"
ON=(sqlite)

the_fault() {
    local seconds connects refused
    seconds=$(size 30 600)
    house "$(size 100 1000)" email
    sinks
    smtp_does rcpt4xx
    serve
    approve grey --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    sleep "$seconds"
    [ "$(mails)" = 0 ] || bad "$(mails) mails were taken by a server that took none"
    connects=$(grep -c '"what": "connect"' "$W/mail.jsonl" || true)
    refused=$(grep -c '"code": 451' "$W/mail.jsonl" || true)
    # In thirty seconds each is tried at once, after 1, after 5 and after 15 more.
    [ "$refused" -ge $((MEMBERS * 3)) ] || bad "only $refused refusals for $MEMBERS mails: this proves nothing"
    smtp_does ok
    final 90
    end server TERM
    books --duplicates 0
    [ "$(count "deliveries WHERE state = 'accepted'")" = "$(count deliveries)" ] || bad "not everything was delivered: $(fact states)"
    # The ladder of what is urgent is 1, 5, 15, 30, 60 s, and up to a tenth more.
    local ladder
    ladder=$(python3 - "${DB_URL#sqlite:}" <<'PYTHON'
import sqlite3, sys
found = {}
for delivery, number, at in sqlite3.connect(sys.argv[1]).execute("SELECT delivery_id, number, started_at FROM attempts ORDER BY delivery_id, number"):
    found.setdefault(delivery, []).append(at / 1e6)
words, fault = [], ""
for rung, least in enumerate((1, 5, 15, 30)):
    gaps = sorted(times[rung + 1] - times[rung] for times in found.values() if len(times) > rung + 1)
    if not gaps:
        if rung < 3:
            fault += f" nobody came to rung {rung + 1};"
        continue
    words.append(f"{gaps[0]:.1f}-{gaps[-1]:.1f}")
    if gaps[0] < least - 0.05:
        fault += f" rung {rung + 1} after {gaps[0]:.2f} s;"
    if least >= 5 and gaps[-1] - gaps[0] < 0.02 * least:
        fault += f" no jitter on rung {rung + 1};"
print("FAULT" + fault if fault else "gaps " + ", ".join(words) + " s")
PYTHON
    )
    [[ $ladder != FAULT* ]] || bad "${ladder#FAULT }"
    # A refused recipient costs a RSET, not a connection.
    [ "$connects" -le $((10 + seconds)) ] || bad "$connects connections in $seconds s of refusals"
    remark "$refused refusals, $ladder, $connects connections in $seconds s"
}
run_fault "$@"
