#!/usr/bin/env bash
# F33 | PostgreSQL | two nodes with all timed duties, whose minute comes every two seconds: 10 (full: 100) ticks | each duty's effect once: letters of an alarm, calls to the other channel, faults and suspensions, completions, expiries
# Uses the second binary with the feature `failpoints`, as F02: it makes the minute shorter.
source "$(dirname "$0")/lib.sh"
ID=F33 WHAT="two nodes, every timed duty"
ON=(postgres)

the_fault() {
    local ticks tick made=0 wrong before letters failed
    ticks=$(size 10 100)
    with_failpoints
    house 20
    sinks
    serve server
    # What is due is a question to the database; only how often it is asked differs.
    local BINARY=$FAILING
    WRAP=(env FAILPOINTS="cron.minute=return(2000)")
    serve node-1 work
    serve node-2 work
    WRAP=()
    for tick in 1 2 3; do approve "tick-$tick" --within 60 || bad "approval $tick: $(tail -1 "$W/approve.err")"; done
    final 60
    # Nobody gets the fourth: three processes notice it, and the police are told by one of them.
    smtp_does rcpt4xx
    sms_does 503
    before=$(told_letters)
    approve nobody --within 60 || bad "the fourth approval: $(tail -1 "$W/approve.err")"
    until_true 40 "an alarm is raised" is_count "alarms WHERE subject LIKE 'message:%'" ">" 0 || bad "nobody noticed that nothing leaves: this proves nothing"
    # By now the others have looked as well, several times.
    sleep 5
    smtp_does ok
    sms_does ok
    final 150
    is_count "alarms WHERE subject LIKE 'message:%'" = 1 || bad "$(count "alarms WHERE subject LIKE 'message:%'") alarms about one message"
    letters=$(new_letters "$before")
    [[ $letters == 1\ * ]] || bad "letters about the alarm, to one person under one subject (most, all): $letters"
    # Whom the mail fails is called on the other channel, and suspended by the minute.
    smtp_does hardfail:10
    "$DRILL" newsletter --town "$W/town.json" --url "$URL" --ledger "$W/client.jsonl" --within 30 >"$W/newsletter.json" 2>>"$W/approve.err" || bad "no newsletter"
    until_true 30 "two mails fail" is_count "deliveries WHERE state = 'failed'" = 2 || bad "$(count "deliveries WHERE state = 'failed'") mails failed instead of 2"
    until_true 30 "they are called by SMS" is_count "deliveries WHERE lane = 3 AND channel = 'sms' AND state = 'accepted'" = 2 ||
        bad "$(count "deliveries WHERE lane = 3 AND channel = 'sms' AND state = 'accepted'") of 2 were called by SMS"
    failed=$(count "deliveries WHERE state = 'failed'")
    until_true 30 "they are suspended" is_count "contact_points WHERE state = 'invalid'" = "$failed" ||
        bad "$(count "contact_points WHERE state = 'invalid'") of $failed dead mailboxes are suspended"
    smtp_does ok
    sleep 5
    is_count endpoint_faults = "$failed" || bad "$(count endpoint_faults) faults for $failed failures"
    final 60
    until_true 15 "all are completed" is_count "messages WHERE status LIKE 'completed%'" = 5 || bad "$(count "messages WHERE status LIKE 'completed%'") of 5 messages were completed"
    wrong=$(sql "SELECT count(*) FROM (SELECT message_id FROM message_events WHERE event = 'completed' GROUP BY message_id HAVING count(*) <> 1) AS twice")
    [ "$wrong" = 0 ] || bad "$wrong messages were completed more than once"
    # Each letter has a batch of its own, so nothing but this count would show two of them.
    wrong=$(told_letters | awk '$1 > 5' | wc -l)
    [ "$wrong" = 0 ] || bad "$wrong people got more letters under one subject than there are messages"
    books --duplicates 0
    end server TERM
    # Each of the two does the minute's duties, or the other's work would pass for both.
    for tick in node-1 node-2; do
        kill -STOP "$(pid_of "$(other "$tick")")"
        age 1
        until_true 20 "$tick expires an old message" none_waits || bad "$tick does not do the minute's duties: this proves nothing"
        kill -CONT "$(pid_of "$(other "$tick")")"
    done
    # Messages whose release nobody came for, two weeks old, some for each tick: each is expired by exactly one node.
    for ((tick = 1; tick <= ticks; tick++)); do
        age 20
        sleep 2
    done
    until_true 20 "all old ones are expired" none_waits || bad "$(count "messages WHERE status = 'awaiting_release'") of $made old messages are not expired"
    wrong=$(sql "SELECT count(*) FROM (SELECT m.id FROM messages m LEFT JOIN message_events e ON e.message_id = m.id AND e.event = 'expired' WHERE m.status = 'expired' GROUP BY m.id HAVING count(e.id) <> 1) AS twice")
    [ "$wrong" = 0 ] || bad "$wrong messages were expired more or less than once"
    [ "$(count "messages WHERE status = 'expired'")" = "$made" ] || bad "$(count "messages WHERE status = 'expired'") of $made are expired"
    for tick in node-1 node-2; do
        alive "$tick" || bad "$tick died"
        ! grep -q "duties were not all done" "$W/$tick.log" || bad "$tick: $(grep -m 1 "duties were not all done" "$W/$tick.log" | cut -c1-200)"
        end "$tick" TERM
    done
    remark "two nodes that both did their duties: $made expiries in $ticks ticks, each once; an alarm told in $letters letters (most to one person, all); $failed called by SMS and suspended once; 5 completions, each once"
}
# Letters to those who are no members: how many to one person under one subject.
told_letters() {
    python3 - "$W/mail.jsonl" <<'PYTHON'
import collections, json, sys
letters = collections.defaultdict(set)
for line in open(sys.argv[1]):
    mail = json.loads(line)
    if mail["what"] == "mail" and not mail["rcpt"][0].startswith("member"):
        letters[mail["rcpt"][0], mail["subject"]].add(mail["mid"])
for (to, subject), names in sorted(letters.items()):
    print(len(names), to, subject)
PYTHON
}
# new_letters BEFORE: the most and the sum of those under a subject that nobody had got before.
new_letters() {
    local most=0 all=0 number what
    while read -r number what; do
        ! grep -qF " $what" <<<"$1" || continue
        all=$((all + number))
        [ "$number" -le "$most" ] || most=$number
    done < <(told_letters)
    echo "$most $all"
}
other() { if [ "$1" = node-1 ]; then echo node-2; else echo node-1; fi; }
none_waits() { is_count "messages WHERE status = 'awaiting_release'" = 0; }
# So many messages more that have waited for their release for two weeks; counted in `made`.
age() {
    made=$((made + $(sql "
        WITH old AS (
            INSERT INTO messages SELECT (r).* FROM (
                SELECT jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'short_code', upper(substr(md5(random()::text || n), 1, 8)),
                    'status', 'awaiting_release', 'completed_at', NULL, 'decided_at', now() - interval '15 days')) AS r
                FROM (SELECT id FROM messages WHERE status LIKE 'completed%' ORDER BY id LIMIT 1) AS one JOIN messages m ON m.id = one.id, generate_series(1, $1) AS n) AS made
            RETURNING 1)
        SELECT count(*) FROM old")))
}
run_fault "$@"
