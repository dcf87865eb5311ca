#!/usr/bin/env bash
# F17 | PostgreSQL | kill -9 of one backend: the whole server goes through recovery, 3 (full: 20) times | ready again within 10 s; I1 to I6
source "$(dirname "$0")/lib.sh"
ID=F17 WHAT="one PostgreSQL backend killed"
ON=(postgres)

is_ready() { [ "$(ready_status)" = 200 ]; }
handing_over() { is_count "deliveries WHERE state = 'attempting'" -gt 0; }
# Whoever writes the checkpoints: after the death of any backend the whole crew goes, and another one comes.
crew() { pg "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'" 2>/dev/null || true; }
is_another_crew() {
    local now
    now=$(crew)
    [ -n "$now" ] && [ "$now" != "$1" ]
}
the_fault() {
    local round rounds at slowest=0 took victim before met=0 open
    rounds=$(size 3 20)
    house "$(size 300 2000)"
    sinks
    smtp_does "ok:$(size 0.25 0.04)"
    sms_does "ok:$(size 0.5 0.08)"
    serve
    for ((round = 1; round <= rounds; round++)); do
        approve_later "round-$round" --within 60
        until_true 20 "mails leave" handing_over || bad "round $round: nothing leaves"
        sleep "$(random 0 2)"
        before=$(crew)
        [ -n "$before" ] || give_up "nobody writes checkpoints"
        open=$(count "deliveries WHERE state = 'attempting'")
        victim=$(pg "SELECT pid FROM pg_stat_activity WHERE datname = 'vigie' ORDER BY random() LIMIT 1")
        [ -n "$victim" ] || give_up "no backend to kill"
        kill -KILL "$victim"
        at=$(now_ms)
        # An answer alone proves nothing: the first comes before the rest of the crew is gone.
        until_true 30 "PostgreSQL recovered" is_another_crew "$before" || give_up "round $round: PostgreSQL did not go through recovery: this proves nothing"
        [ "$open" = 0 ] || met=$((met + 1))
        until_true 30 "ready again" is_ready || bad "/ready did not come back"
        took=$(($(now_ms) - at))
        [ "$took" -le "$slowest" ] || slowest=$took
        approved "round-$round"
    done
    [ "$met" = "$rounds" ] || bad "only $met of $rounds kills came in the middle of hand-overs: this proves nothing"
    [ "$slowest" -le 10000 ] || bad "ready only $slowest ms after the kill"
    final 60
    end server TERM
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "$rounds kills, $met of them in the middle of hand-overs, ready again after $slowest ms at most, $(fact again) duplicates"
}
run_fault "$@"
