#!/usr/bin/env bash
# F01 | SQLite, PostgreSQL | kill -9 at random moments, 5 (full: 200) times | nothing lost, everything final, duplicates within the documented bound
source "$(dirname "$0")/lib.sh"
ID=F01 WHAT="kill -9 at random moments"

the_fault() {
    local kills again met=0
    kills=$(size 5 200)
    house "$(size 300 2000)"
    sinks
    # Slow enough that the kill meets work in progress.
    smtp_does ok:0.1
    sms_does ok:0.5
    local kill
    for ((kill = 1; kill <= kills; kill++)); do
        serve
        approve_later "kill-$kill" --within 120
        sleep "$(random 0.05 "$([ $((kill % 2)) = 0 ] && echo 6 || echo 2)")"
        end server KILL
        [ "$(count "deliveries WHERE state = 'attempting'")" = 0 ] || met=$((met + 1))
    done
    serve
    for ((kill = 1; kill <= kills; kill++)); do approved "kill-$kill"; done
    final $((60 + kills * 10))
    end server TERM
    [ "$ENDED" = 0 ] || bad "the last server ended with $ENDED"
    # The documented bound is what one process holds at once.
    books --duplicates $((kills * HELD))
    again=$(fact again)
    [ "$(fact acknowledged)" = "$kills" ] || bad "$(fact acknowledged) of $kills approvals were acknowledged"
    [ "$met" -gt 0 ] || bad "no kill met a hand-over: this proves nothing"
    remark "$kills kills ($met met hand-overs), $(fact email.distinct) mails and $(fact sms.distinct) sms, $again duplicates (bound $((kills * HELD)))"
}
run_fault "$@"
