#!/usr/bin/env bash
# F01 | SQLite, PostgreSQL | kill -9 at random moments, 5 (full: 200) times | nothing lost, everything final, duplicates within the documented bound
source "$(dirname "$0")/lib.sh"
ID=F01 WHAT="kill -9 at random moments"

the_fault() {
    local kills again met=0 wrong asked
    kills=$(size 5 200)
    house "$(size 300 2000)"
    sinks
    # Slow enough that the kill meets work in progress.
    smtp_does ok:0.1
    sms_does ok:0.5
    # People who look something up meanwhile: a refused connection is all that they may notice.
    spawn mix python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds 36000 --rate 20
    local kill
    for ((kill = 1; kill <= kills; kill++)); do
        serve
        approve_later "kill-$kill" --within 120
        sleep "$(random 0.05 "$([ $((kill % 2)) = 0 ] && echo 6 || echo 2)")"
        end server KILL
        in_doubt
        [ "$TAKEN" = 0 ] || met=$((met + 1))
    done
    serve
    for ((kill = 1; kill <= kills; kill++)); do approved "kill-$kill"; done
    final $((60 + kills * 10))
    kill -TERM "$(pid_of mix)"
    wait "$(pid_of mix)" || true
    end server TERM
    [ "$ENDED" = 0 ] || bad "the last server ended with $ENDED"
    asked=$(grep -c '"status": 200' "$W/mix.jsonl" || true)
    [ "$asked" -gt 0 ] || bad "nobody asked the API anything: this proves nothing"
    wrong=$(grep '"status": ' "$W/mix.jsonl" | grep -vcE '"status": (200|503)' || true)
    [ "$wrong" = 0 ] || bad "$wrong reads were answered with something else than 200 or 503"
    # What the other sides had taken at the moment of a death and was not settled: that, and no more.
    books --duplicates "$DOUBT"
    again=$(fact again)
    [ "$again" = "$DOUBT" ] || bad "$again duplicates, $DOUBT were taken and not settled"
    [ "$(fact acknowledged)" = "$kills" ] || bad "$(fact acknowledged) of $kills approvals were acknowledged"
    [ "$met" -gt 0 ] || bad "no kill met a hand-over: this proves nothing"
    remark "$kills kills ($met met hand-overs), $(fact email.distinct) mails and $(fact sms.distinct) sms, $again duplicates ($DOUBT were taken and not settled), $asked reads answered"
}
run_fault "$@"
