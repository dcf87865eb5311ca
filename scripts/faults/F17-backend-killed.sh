#!/usr/bin/env bash
# F17 | PostgreSQL | kill -9 of one backend: the whole server goes through recovery, 3 (full: 20) times | ready again within 10 s; I1 to I6
source "$(dirname "$0")/lib.sh"
ID=F17 WHAT="one PostgreSQL backend killed"
ON=(postgres)

is_ready() { [ "$(ready_status)" = 200 ]; }
pg_answers() { pg "SELECT 1"; }
the_fault() {
    local round rounds at slowest=0 took victim
    rounds=$(size 3 20)
    house "$(size 300 2000)"
    sinks
    smtp_does ok:0.05
    serve
    for ((round = 1; round <= rounds; round++)); do
        approve_later "round-$round" --within 60
        sleep "$(random 0.5 3)"
        victim=$(pg "SELECT pid FROM pg_stat_activity WHERE datname = 'vigie' ORDER BY random() LIMIT 1")
        [ -n "$victim" ] || give_up "no backend to kill"
        kill -KILL "$victim"
        at=$(now_ms)
        until_true 30 "PostgreSQL is back" pg_answers || give_up "PostgreSQL did not recover"
        until_true 30 "ready again" is_ready || bad "/ready did not come back"
        took=$(($(now_ms) - at))
        [ "$took" -le "$slowest" ] || slowest=$took
        approved "round-$round"
    done
    [ "$slowest" -le 10000 ] || bad "ready only $slowest ms after the kill"
    final 60
    end server TERM
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "$rounds kills, ready again after $slowest ms at most, $(fact again) duplicates"
}
run_fault "$@"
