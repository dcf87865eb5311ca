#!/usr/bin/env bash
# F18 | PostgreSQL | all connections terminated every 2 s for 20 (full: 60) s | I1 to I6; the pool lives
source "$(dirname "$0")/lib.sh"
ID=F18 WHAT="all connections cut every 2 s"
ON=(postgres)

the_fault() {
    local until number=0 cut=0 cuts=0 met=0 open gone wrong
    house "$(size 200 2000)"
    sinks
    # One message takes eight seconds, so there is something in hands most of the time that a cut may come.
    smtp_does "ok:$(size 0.4 0.04)"
    serve
    until=$((SECONDS + $(size 20 60)))
    spawn mix python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds "$(size 20 60)" --rate 20
    while [ "$SECONDS" -lt "$until" ]; do
        if [ $((number % 3)) = 0 ]; then approve_later "cut-$number" --within 60; fi
        number=$((number + 1))
        sleep 2
        open=$(count "deliveries WHERE state = 'attempting'")
        gone=$(pg "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'vigie'")
        cut=$((cut + gone)) cuts=$((cuts + 1))
        if [ "$open" -gt 0 ] && [ "$gone" -gt 0 ]; then met=$((met + 1)); fi
    done
    # Messages follow each other without a break, but for the moments in which an approval is on its way.
    [ $((met * 2)) -ge "$cuts" ] || bad "only $met of $cuts cuts found a connection and a hand-over under way: this proves nothing"
    local at
    for ((at = 0; at < number; at += 3)); do approved "cut-$at"; done
    approve after --within 20 || bad "no approval after it was over"
    final 60
    wait "$(pid_of mix)" || true
    wrong=$(grep -cE '"status": 5(0[0124-9]|[1-9])' "$W/mix.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$wrong reads were answered with a 5xx other than 503"
    wrong=$(grep -cE '"status":5(0[0124-9]|[1-9])' "$W/client.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$wrong writes were answered with a 5xx other than 503"
    end server TERM
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "$cuts cuts, $met of them in the middle of hand-overs, $cut connections cut, answers $(python3 -c 'import json,sys; print(json.load(sys.stdin)["answers"])' <"$W/mix.log"), $(fact again) duplicates"
}
run_fault "$@"
