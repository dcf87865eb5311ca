#!/usr/bin/env bash
# F20 | PostgreSQL | the database is a black hole for 20 (full: 60) s; then 500 ms away; then 20 KB/s | answers within 15 s, bounded threads, back within 10 s; an urgent approval passes when it is slow
source "$(dirname "$0")/lib.sh"
ID=F20 WHAT="database: black hole, slow, thin"
ON=(postgres)

threads() { grep -o 'Threads:.*' "/proc/$(pid_of server)/status" | tr -dc 0-9; }
is_ready() { [ "$(ready_status)" = 200 ]; }
the_fault() {
    local port most=0 now at back longest silent
    house "$(size 50 300)"
    port=$(free_port)
    echo '{}' >"$W/proxy.json"
    spawn proxy python3 "$TOOLS/tcpfault.py" "$port" 127.0.0.1 "$(python3 -c 'import sys, urllib.parse; print(urllib.parse.urlsplit(sys.argv[1]).port)' "$DB_URL")" "$W/proxy.json"
    until_true 10 "the proxy listens" listens "$port" || give_up "no proxy"
    export VIGIE__DATABASE__URL=postgres://vigie@127.0.0.1:$port/vigie
    sinks
    serve
    approve before --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 30
    spawn mix python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds "$(size 18 58)" --rate 10 --timeout 90
    sleep 1
    echo '{"blackhole": true}' >"$W/proxy.json"
    at=$((SECONDS + $(size 20 60)))
    while [ "$SECONDS" -lt "$at" ]; do
        now=$(threads)
        [ "$now" -le "$most" ] || most=$now
        sleep 0.5
    done
    [ "$most" -le 200 ] || bad "$most threads while the database was silent"
    echo '{}' >"$W/proxy.json"
    at=$(now_ms)
    until_true 60 "ready again" is_ready || bad "/ready did not come back"
    back=$(($(now_ms) - at))
    [ "$back" -le 10000 ] || bad "ready only $back ms after the hole was closed"
    wait "$(pid_of mix)" || true
    longest=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["longest"])' <"$W/mix.log")
    silent=$(python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(sum(line["seconds"] > 15 for line in lines), "of", len(lines))' "$W/mix.jsonl")
    python3 -c "import sys; sys.exit(not $longest <= 15)" || bad "$silent requests waited longer than 15 s for an answer, the longest $longest s"
    echo '{"latency": 0.25}' >"$W/proxy.json"
    approve latency --within 90 || bad "no approval with a database 500 ms away: $(tail -1 "$W/approve.err")"
    echo '{"rate": 20000}' >"$W/proxy.json"
    approve rate --within 90 || bad "no approval with 20 KB/s: $(tail -1 "$W/approve.err")"
    echo '{}' >"$W/proxy.json"
    final 90
    end server TERM
    books --duplicates 200
    remark "longest answer $longest s, $most threads, ready $back ms after, $(fact again) duplicates"
}
run_fault "$@"
