#!/usr/bin/env bash
# F28 | SQLite | the mail server is off for longer than the validity (quick: the harness moves the deadlines; full: 5 real minutes) | expired, reached by SMS, nothing handed over late
source "$(dirname "$0")/lib.sh"
ID=F28 WHAT="mail off for longer than the validity"
ON=(sqlite)

over() { is_count "deliveries WHERE channel = 'email' AND lane < 2 AND settled_at IS NULL" = 0; }
the_fault() {
    local members expired late
    members=$(size 100 1000)
    house "$members"
    sinks
    end smtp KILL
    serve
    approve late --within 30 --validity-minutes 5 || give_up "no approval: $(tail -1 "$W/approve.err")"
    sleep 4
    need sqlite3 sqlite3
    [ -n "$FULL" ] || sqlite3 -cmd '.timeout 20000' "${DB_URL#sqlite:}" "UPDATE deliveries SET deadline = deadline - 290000000 WHERE lane < 2 AND settled_at IS NULL"
    until_true "$(size 90 400)" "all mails are over" over || bad "mails are still waiting after their validity"
    expired=$(count "deliveries WHERE channel = 'email' AND lane < 2 AND state = 'expired'")
    [ "$expired" = "$members" ] || bad "$expired of $members mails are expired"
    [ "$(count "deliveries WHERE channel = 'sms' AND state = 'accepted'")" = "$members" ] || bad "not everybody was reached by SMS"
    smtp_up
    sleep 10
    late=$(grep '"what": "mail"' "$W/mail.jsonl" | grep -c 'member' || true)
    [ "$late" = 0 ] || bad "$late mails were handed over after their validity"
    final 120
    end server TERM
    books --duplicates 0
    remark "$expired expired, all reached by SMS, $late handed over late"
}
run_fault "$@"
