#!/usr/bin/env bash
# F25 | SQLite | the connection is cut after DATA for 8 (full: 30) s | each recipient at most twice, under the same Message-ID, counted as unknown
source "$(dirname "$0")/lib.sh"
ID=F25 WHAT="cut after DATA"
ON=(sqlite)

the_fault() {
    local dropped unknown
    house "$(size 200 2000)" email
    sinks
    smtp_does drop_after_data
    serve
    approve cut --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    sleep "$(size 8 30)"
    smtp_does ok
    final 120
    end server TERM
    dropped=$(grep '"what": "mail"' "$W/mail.jsonl" | grep -c '"mode": "drop_after_data"' || true)
    unknown=$(count "attempts WHERE outcome = 'unknown'")
    [ "$dropped" -gt 0 ] || give_up "nothing was cut: this proves nothing"
    [ "$unknown" = "$dropped" ] || bad "$dropped were cut, $unknown count as unknown"
    # Each cut one goes out once more.
    books --duplicates "$dropped"
    [ "$(fact email.most)" -le 2 ] || bad "somebody got it $(fact email.most) times"
    wrong=$(python3 - "$W/mail.jsonl" <<'PYTHON'
import collections, json, sys
names = collections.defaultdict(set)
for line in open(sys.argv[1]):
    mail = json.loads(line)
    if mail["what"] == "mail" and mail["rcpt"][0].startswith("member"):
        names[mail["rcpt"][0]].add(mail["mid"])
print(sum(len(name) > 1 for name in names.values()))
PYTHON
    )
    [ "$wrong" = 0 ] || bad "$wrong recipients got it under two names"
    remark "$dropped cut, $unknown unknown, $(fact email.again) duplicates, $(fact email.most) at most"
}
run_fault "$@"
