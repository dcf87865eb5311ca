#!/usr/bin/env bash
# F05 | SQLite, PostgreSQL | SIGTERM under load, 2 (full: 10) times | exit 0 within 30 s, no lease left, no broken request, nothing twice
source "$(dirname "$0")/lib.sh"
ID=F05 WHAT="SIGTERM under load"

the_fault() {
    local round rounds at took slowest=0 leased broken=0 fault met=0 under_way asked=0 answered
    rounds=$(size 2 10)
    house "$(size 300 2000)"
    sinks
    smtp_does ok:0.1
    sms_does ok:0.2
    for ((round = 1; round <= rounds; round++)); do
        serve
        spawn "mix-$round" python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix-$round.jsonl" --seconds 20 --rate 20
        approve "round-$round" --within 60 || bad "the approval $round: $(tail -1 "$W/approve.err")"
        sleep "$(random 0.3 1)"
        under_way=$(count "deliveries WHERE state = 'attempting'")
        at=$(now_ms)
        end server TERM
        took=$(($(now_ms) - at))
        [ "$ENDED" = 0 ] || bad "round $round: exit status $ENDED"
        [ "$took" -le 30000 ] || bad "round $round: $took ms until the end"
        [ "$took" -le "$slowest" ] || slowest=$took
        leased=$(count "deliveries WHERE state = 'attempting' OR lease IS NOT NULL")
        [ "$leased" = 0 ] || bad "round $round: $leased leases were left behind"
        # Stopped in the middle: some were in hands, and some are left for the next server.
        if [ "$under_way" -gt 0 ] && ! all_final; then met=$((met + 1)); fi
        kill -TERM "$(pid_of "mix-$round")"
        wait "$(pid_of "mix-$round")" || true
        # Refused is what the doorbell of a closed house does; a connection that was taken and then dropped is not.
        fault=$(grep -cE '"fault": "(RemoteDisconnected|ConnectionResetError|IncompleteRead|TimeoutError)"|"status": 5(0[0124-9]|[1-9])' "$W/mix-$round.jsonl" || true)
        broken=$((broken + fault))
        answered=$(grep -c '"status": 200' "$W/mix-$round.jsonl" || true)
        [ "$answered" -gt 0 ] || bad "round $round: nobody asked for anything: this proves nothing"
        asked=$((asked + answered))
    done
    [ "$met" = "$rounds" ] || bad "only $met of $rounds stops came in the middle of the work: this proves nothing"
    [ "$broken" = 0 ] || bad "$broken accepted requests were broken"
    serve
    final 90
    end server TERM
    books --duplicates 0
    remark "$rounds stops in the middle of the work, $slowest ms at most, $asked requests answered, $broken broken"
}
run_fault "$@"
