#!/usr/bin/env bash
# F02 | SQLite, PostgreSQL | abort at each failpoint, 1 (full: 5) times each | as F01; after smtp.after_data at most the ones in flight go out twice
# Builds a second binary with the feature `failpoints`.
source "$(dirname "$0")/lib.sh"
ID=F02 WHAT="abort at each failpoint"

dead() { ! alive server; }
the_fault() {
    local point points=() round rounds runs=0 died at again before after=0
    rounds=$(size 1 5)
    mapfile -t points < <(grep -rhoE 'dies_at!\("[a-z_.0-9]+"' "$ROOT/src" | cut -d'"' -f2 | sort -u)
    [ ${#points[@]} -gt 2 ] || give_up "there are no failpoints"
    with_failpoints
    house "$(size 60 500)"
    sinks
    smtp_does ok:0.02
    for point in "${points[@]}"; do
        for ((round = 1; round <= rounds; round++)); do
            runs=$((runs + 1))
            before=$(($(mails) + $(texts)))
            # The first times a mail or a result passes it lives on, so that something is under way everywhere. Claims are few.
            FAILPOINTS="$point=$([[ $point =~ ^(accept|approve|claim) ]] && echo "1*return" || echo "3*off->1*return")" \
                spawn server "$FAILING" serve
            until_true 30 "ready" curl -sf -m 2 "$URL/health/ready" || give_up "not ready: $(tail -c 300 "$W/server.log")"
            approve_later "point-$runs" --within 90
            until_true 20 "it dies at $point" dead && died=1 || died=0
            [ "$died" = 1 ] || bad "it did not die at $point: this proves nothing"
            end server KILL
            serve
            approved "point-$runs"
            final 60
            end server TERM
        done
    done
    # What one process holds at once is the bound for each death.
    books --duplicates $((runs * HELD))
    again=$(fact again)
    [ "$(fact acknowledged)" = "$runs" ] || bad "$(fact acknowledged) of $runs approvals were acknowledged"
    remark "$runs deaths at ${points[*]}; $again duplicates"
}
run_fault "$@"
