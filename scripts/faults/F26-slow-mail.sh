#!/usr/bin/env bash
# F26 | SQLite | 250 after 30 s; banner after 60 s | the SMS and the API do not notice; what is slow ends too
source "$(dirname "$0")/lib.sh"
ID=F26 WHAT="a mail server that takes its time"
ON=(sqlite)

of_newest="SELECT version_id FROM approvals ORDER BY approved_at DESC LIMIT 1"
sms_done() { [ "$(count "deliveries WHERE channel = 'sms' AND settled_at IS NULL")" = 0 ]; }
the_fault() {
    local manner at took slow=0 p99 number=0 open asked
    house "$(size 60 500)"
    sinks
    serve
    for manner in slow:30 banner:60; do
        number=$((number + 1))
        smtp_does "$manner"
        spawn "mix-$number" python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds 20 --rate 20
        sleep 1
        approve "slow-$number" --within 30 || bad "no approval while mail is $manner: $(tail -1 "$W/approve.err")"
        at=$(now_ms)
        until_true 20 "all SMS left" sms_done || bad "SMS wait for the mail server ($manner)"
        took=$(($(now_ms) - at))
        # 30 and 60 s have not passed: not one mail of this message is through.
        open=$(count "deliveries WHERE channel = 'email' AND settled_at IS NULL AND batch_id = ($of_newest)")
        [ "$open" = "$MEMBERS" ] || bad "only $open of $MEMBERS mails were waiting when the SMS were done ($manner): this proves nothing"
        [ "$took" -le "$slow" ] || slow=$took
        wait "$(pid_of "mix-$number")" || true
        open=$(count "deliveries WHERE channel = 'email' AND settled_at IS NULL AND batch_id = ($of_newest)")
        grep -q "\"what\": \"connect\", \"mode\": \"$manner\"" "$W/mail.jsonl" || bad "nobody came to a mail server that is $manner: this proves nothing"
        [ "$open" -gt 0 ] || bad "no mail was waiting any more when the API was asked for the last time ($manner): this proves nothing"
        asked=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["answers"].get("200", 0))' <"$W/mix-$number.log")
        [ "$asked" -ge 200 ] || bad "only $asked requests were answered while mail is $manner"
        p99=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["p99"])' <"$W/mix-$number.log")
        python3 -c "import sys; sys.exit(not $p99 < 1)" || bad "the API's p99 is $p99 s while mail is $manner"
    done
    smtp_does ok
    final "$(size 150 900)"
    end server TERM
    books --duplicates "$(count "attempts WHERE outcome IN ('unknown', 'lost')")"
    remark "SMS final after $slow ms at most with all mails waiting, API p99 $p99 s, $(fact email.again) mails twice (answered too late)"
}
run_fault "$@"
