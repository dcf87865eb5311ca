#!/usr/bin/env bash
# F20 | PostgreSQL | the database is a black hole for 25 (full: 60) s: packets are dropped, then a peer that acknowledges and stays silent; then 500 ms away; then 20 KB/s | answers within 15 s, bounded threads, back within 10 s; an urgent approval passes when it is slow
source "$(dirname "$0")/lib.sh"
ID=F20 WHAT="database: black hole, slow, thin"
ON=(postgres)

threads() { grep -o 'Threads:.*' "/proc/$(pid_of server)/status" | tr -dc 0-9; }
is_ready() { [ "$(ready_status)" = 200 ]; }
the_fault() {
    need iptables iptables
    iptables -L INPUT -n >/dev/null 2>&1 || skip "iptables may not be used here: packets cannot be dropped"
    house "$(size 50 300)"
    proxy
    sinks
    serve
    approve before --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 30
    hole dropped
    hole silent
    echo '{"latency": 0.25}' >"$W/proxy.json"
    approve latency --within 90 || bad "no approval with a database 500 ms away: $(tail -1 "$W/approve.err")"
    echo '{"rate": 20000}' >"$W/proxy.json"
    approve rate --within 90 || bad "no approval with 20 KB/s: $(tail -1 "$W/approve.err")"
    echo '{}' >"$W/proxy.json"
    final 90
    end server TERM
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "$(fact again) duplicates"
}
open_hole() {
    case $1 in
    dropped)
        iptables -I INPUT -i lo -p tcp --dport "$PROXY_PORT" -j DROP
        iptables -I INPUT -i lo -p tcp --sport "$PROXY_PORT" -j DROP
        ;;
    silent) echo '{"blackhole": true}' >"$W/proxy.json" ;;
    esac
}
undo() { close_hole; }
close_hole() {
    [ -n "${PROXY_PORT:-}" ] || return 0
    echo '{}' >"$W/proxy.json"
    while iptables -D INPUT -i lo -p tcp --dport "$PROXY_PORT" -j DROP 2>/dev/null; do :; done
    while iptables -D INPUT -i lo -p tcp --sport "$PROXY_PORT" -j DROP 2>/dev/null; do :; done
}
hole() {
    local kind=$1 most=0 now at back late seconds
    seconds=$(size 25 60)
    : >"$W/mix-$kind.jsonl"
    spawn "mix-$kind" python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix-$kind.jsonl" --seconds $((seconds - 2)) --rate 10 --timeout 90
    sleep 1
    open_hole "$kind"
    at=$((SECONDS + seconds))
    while [ "$SECONDS" -lt "$at" ]; do
        now=$(threads)
        [ "$now" -le "$most" ] || most=$now
        sleep 0.5
    done
    [ "$most" -le 200 ] || bad "$kind: $most threads while the database was away"
    close_hole
    at=$(now_ms)
    until_true 60 "ready again" is_ready || bad "$kind: /ready did not come back"
    back=$(($(now_ms) - at))
    [ "$back" -le 10000 ] || bad "$kind: ready only $back ms after the hole was closed"
    wait "$(pid_of "mix-$kind")" || true
    late=$(python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(sum(line["seconds"] > 15 for line in lines), len(lines), max(line["seconds"] for line in lines))' "$W/mix-$kind.jsonl")
    set -- $late
    # What holds a connection at that moment learns nothing of a peer that acknowledges; nobody else may wait.
    if [ "$kind" = dropped ]; then
        [ "$1" = 0 ] || bad "$kind: $1 of $2 requests waited longer than 15 s, the longest $3 s"
    else
        [ "$1" -le 8 ] || bad "$kind: $1 of $2 requests waited longer than 15 s: more than the pool has connections"
    fi
    remark "$kind: $1 of $2 waited longer than 15 s (the longest $3 s), $most threads, ready $back ms after"
}
run_fault "$@"
