#!/usr/bin/env bash
# F33 | PostgreSQL | two nodes with all timed duties, clocks thirty times as fast: 10 (full: 100) ticks of the minute | each duty's effect once: expiries, completions, letters
source "$(dirname "$0")/lib.sh"
ID=F33 WHAT="two nodes, every timed duty"
ON=(postgres)

the_fault() {
    local ticks tick made=0 wrong
    ticks=$(size 10 100)
    need_faketime
    house 20
    sinks
    serve server
    # The minute comes every two seconds for these two; what is due is a question to the database, whose clock is true.
    WRAP=(env "LD_PRELOAD=$FAKETIME_LIBRARY" "FAKETIME=+0 x30" FAKETIME_DONT_FAKE_MONOTONIC=1)
    serve node-1 work
    serve node-2 work
    WRAP=()
    for tick in 1 2 3; do approve "tick-$tick" --within 60 || bad "approval $tick: $(tail -1 "$W/approve.err")"; done
    final 60
    until_true 15 "all are completed" is_count "messages WHERE status LIKE 'completed%'" = 3 || bad "not all messages were completed"
    wrong=$(sql "SELECT count(*) FROM (SELECT message_id FROM message_events WHERE event = 'completed' GROUP BY message_id HAVING count(*) <> 1) AS twice")
    [ "$wrong" = 0 ] || bad "$wrong messages were completed more than once"
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
    wrong=$(count "(SELECT batch_id FROM deliveries GROUP BY batch_id, person_id, channel HAVING count(*) > 1) AS twice")
    [ "$wrong" = 0 ] || bad "$wrong letters were written twice"
    for tick in node-1 node-2; do
        alive "$tick" || bad "$tick died"
        ! grep -q "duties were not all done" "$W/$tick.log" || bad "$tick: $(grep -m 1 "duties were not all done" "$W/$tick.log" | cut -c1-200)"
        end "$tick" TERM
    done
    remark "two nodes that both did their duties: $made expiries in $ticks ticks, each once; 3 completions, each once"
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
