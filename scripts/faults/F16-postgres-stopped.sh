#!/usr/bin/env bash
# F16 | PostgreSQL | the server is stopped at once (immediate) for 20 s | /ready 503 within 5 s, 200 within 10 s after the start; I1 to I6
source "$(dirname "$0")/lib.sh"
ID=F16 WHAT="PostgreSQL stopped for 20 s"
ON=(postgres)

not_ready() { [ "$(ready_status)" = 503 ]; }
is_ready() { [ "$(ready_status)" = 200 ]; }
the_fault() {
    local stopped noticed started back open left
    house "$(size 300 2000)"
    sinks
    smtp_does "ok:$(size 0.3 0.05)"
    sms_does "ok:$(size 0.5 0.08)"
    serve
    pg_find
    approve before --within 60 || give_up "the approval before: $(tail -1 "$W/approve.err")"
    until_true 20 "mails leave" at_least mails 20 || bad "no mails left"
    open=$(count "deliveries WHERE state = 'attempting'")
    stopped=$(now_ms)
    pg_stop
    # Not only a moment before: some had not reached the mail server when the database was gone.
    left=$((MEMBERS - $(grep '"what": "mail"' "$W/mail.jsonl" | grep -c 'member')))
    [ "$open" -gt 0 ] && [ "$left" -gt 0 ] || bad "$open deliveries were in hands and $left mails to come at the stop: this proves nothing"
    approve_later meanwhile --within 120
    until_true 20 "not ready" not_ready || bad "/ready never said 503"
    noticed=$(($(now_ms) - stopped))
    [ "$noticed" -le 5000 ] || bad "/ready said 503 only after $noticed ms"
    sleep "$(python3 -c "print(max(0, 20 - ($(now_ms) - $stopped) / 1000))")"
    alive server || give_up "the server died with its database"
    pg_start || give_up "PostgreSQL does not start"
    started=$(now_ms)
    until_true 30 "ready again" is_ready || bad "/ready did not come back"
    back=$(($(now_ms) - started))
    [ "$back" -le 10000 ] || bad "/ready came back only after $back ms"
    approved meanwhile
    final 90
    end server TERM
    [ "$ENDED" = 0 ] || bad "the server ended with $ENDED"
    # Its leases ran out meanwhile, but nobody else could claim: it first writes down what it was answered.
    books --duplicates 0
    remark "$open in hands and $left mails to come at the stop, 503 after $noticed ms, back $back ms after the start, $(fact again) duplicates"
}
run_fault "$@"
