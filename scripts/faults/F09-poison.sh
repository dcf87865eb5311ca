#!/usr/bin/env bash
# F09 | SQLite, PostgreSQL | a recipient over whom the courier panics, each time | attempts counted, `failed` with reason `poison` after 5, all others done at once, the process lives
# Uses the second binary with the feature `failpoints`, as F02.
source "$(dirname "$0")/lib.sh"
ID=F09 WHAT="a poisonous recipient"

others_done() { [ "$(count "deliveries WHERE lane < 2 AND settled_at IS NULL AND id <> $poison")" = 0 ]; }
given_up() { [ "$(sql "SELECT state FROM deliveries WHERE id = $poison")" = failed ]; }
the_fault() {
    local members wrong at took
    with_failpoints
    members=$(size 100 2000)
    house "$members" email
    sinks
    # The first message makes the numbers known; the second is the poisoned one.
    serve
    approve first --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 30
    end server TERM
    poison=$(($(sql "SELECT max(id) FROM deliveries") + members / 2))
    FAILPOINTS="smtp.poison=return($poison)" spawn server "$FAILING" serve
    until_true 30 "ready" curl -sf -m 2 "$URL/health/ready" || give_up "not ready"
    approve poisoned --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    at=$(now_ms)
    until_true 30 "the others are done" others_done || bad "others wait for the poisonous one"
    took=$(($(now_ms) - at))
    # The ladder of what is urgent: 1, 5, 15, 30 s between five attempts.
    until_true 90 "it is given up" given_up || bad "the poisonous one is $(sql "SELECT state, reason, attempts FROM deliveries WHERE id = $poison")"
    alive server || bad "the process died"
    wrong=$(sql "SELECT state || ' ' || coalesce(reason, '') || ' ' || attempts FROM deliveries WHERE id = $poison")
    [ "$wrong" = "failed poison 5" ] || bad "the poisonous one ended as: $wrong"
    wrong=$(count "deliveries WHERE lane < 2 AND id <> $poison AND state <> 'accepted'")
    [ "$wrong" = 0 ] || bad "$wrong others suffered"
    wrong=$(grep -c 'panicked' "$W/server.log" || true)
    [ "$wrong" -gt 0 ] || bad "nothing panicked: this proves nothing"
    # Panics were ordered here; anywhere else they are a fault.
    sed -i 's/panicked/fell over as ordered/' "$W/server.log"
    final 30
    end server TERM
    [ "$ENDED" = 0 ] || bad "ended with $ENDED"
    books --duplicates 0
    remark "given up after 5 attempts, the others done in $took ms, $(count "deliveries WHERE lane < 2 AND attempts > 1") deliveries tried more than once"
}
run_fault "$@"
