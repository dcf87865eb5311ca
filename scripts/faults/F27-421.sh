#!/usr/bin/env bash
# F27 | SQLite | 421 on connect for 25 (full: 300) s | the breaker opens: less than one connection a second; all delivered afterwards
source "$(dirname "$0")/lib.sh"
ID=F27 WHAT="421 on connect"
ON=(sqlite)

the_fault() {
    local seconds all late at turned
    seconds=$(size 25 300)
    house "$(size 200 2000)" email
    sinks
    smtp_does 421
    serve
    approve busy --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    sleep "$seconds"
    all=$(grep -c '"what": "connect"' "$W/mail.jsonl" || true)
    # The first seconds are for noticing.
    late=$(python3 -c '
import json, sys, time
connects = [json.loads(line)["t"] for line in open(sys.argv[1]) if "connect" in line]
print(sum(at > connects[0] + 5 for at in connects))' "$W/mail.jsonl")
    [ "$late" -lt $((seconds - 5)) ] || bad "$late connections in $((seconds - 5)) s: no breaker"
    # Who is not turned away has nothing to be patient about; and who never comes again does not find out that it is over.
    turned=$(grep -c '"mode": "421"' "$W/mail.jsonl" || true)
    [ "$turned" -ge 3 ] && [ "$(mails)" = 0 ] || bad "$turned connections were turned away and $(mails) mails taken: this proves nothing"
    [ "$late" -gt 0 ] || bad "nobody asked again after the first five seconds: no probe"
    at=$(now_ms)
    smtp_does ok
    final 90
    end server TERM
    books --duplicates 0
    [ "$(count "deliveries WHERE state = 'accepted'")" = "$(count deliveries)" ] || bad "not everything was delivered: $(fact states)"
    remark "$all connections in $seconds s ($late after the first 5), all delivered $(($(now_ms) - at)) ms after the end"
}
run_fault "$@"
