#!/usr/bin/env bash
# F38 | SQLite, PostgreSQL | 400 connections ask for lists for 15 (full: 60) s, by the usual limits and without limits | urgent approvals answered (p99 < 1 s by the limits), 429 and 503 with Retry-After, no other 5xx, memory < 512 MB, normal within 10 s
# A debug build is several times slower than a release: FAULTS_BINARY=target/release/vigie for figures.
source "$(dirname "$0")/lib.sh"
ID=F38 WHAT="overload by lists"

resident() { grep -o 'VmHWM:.*' "/proc/$(pid_of server)/status" | tr -dc 0-9; }
is_ready() { [ "$(ready_status)" = 200 ]; }
storm() {
    local name=$1 limits=$2 seconds at number=0 worst back town
    seconds=$(size 15 60)
    (
        # shellcheck disable=SC2030
        if [ "$limits" = usual ]; then unset VIGIE__LIMITS__READS_PER_MINUTE VIGIE__LIMITS__NETWORK_PER_MINUTE; fi
        exec "$BINARY" serve
    ) >>"$W/server.log" 2>&1 &
    PIDS+=("$!")
    echo "$!" >"$W/server.pid"
    until_true 30 "ready" is_ready || give_up "not ready"
    town=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["partnership"])' "$W/town.json")
    FAULTS_TOKEN=$(curl -s "$URL/api/v1/sessions" -H 'Content-Type: application/json' -d "$(python3 -c '
import json, sys
town = json.load(open(sys.argv[1]))
print(json.dumps({"email": town["coordinator"], "password": town["password"]}))' "$W/town.json")" | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])')
    export FAULTS_TOKEN
    spawn "wrk-$name" wrk -t2 -c400 -d"${seconds}s" --timeout 20s -s "$TOOLS/count.lua" "$URL/api/v1/partnerships/$town/members?limit=50"
    at=$((SECONDS + seconds - 2))
    sleep 1
    while [ "$SECONDS" -lt "$at" ]; do
        number=$((number + 1))
        # The officer writes and approves alone: the coordinator's account is the one that storms.
        approve "storm-$name-$number" --within 60 --solo || bad "$name: no approval during the storm: $(grep -m1 '^Error' "$W/approve.err")"
    done
    wait "$(pid_of "wrk-$name")" || true
    at=$(now_ms)
    until_true 30 "ready again" is_ready || bad "$name: not ready after the storm"
    approve "after-$name" --within 20 --solo || bad "$name: no approval after the storm"
    back=$(($(now_ms) - at))
    [ "$back" -le 10000 ] || bad "$name: back to normal only after $back ms"
    worst=$(python3 -c '
import json, sys
times = sorted(line["took_us"] for line in map(json.loads, open(sys.argv[1])) if line.get("event") == "answer" and line["path"].endswith("/approval") and sys.argv[2] in line["idempotency_key"])
print(times[-1] // 1000 if times else -1)' "$W/client.jsonl" "storm-$name")
    [ "$limits" != usual ] || [ "$worst" -le 1000 ] || bad "$name: the slowest approval took $worst ms"
    local counted
    counted=$(tail -1 "$W/wrk-$name.log")
    python3 -c '
import json, sys
told = json.loads(sys.argv[1])
sys.exit(bool(told["other"] or told["without_retry_after"]))' "$counted" || bad "$name: $counted"
    [ "$(resident)" -le 524288 ] || bad "$name: $(($(resident) / 1024)) MB resident"
    remark "$name: $number approvals, the slowest $worst ms; lists $(python3 -c 'import json,sys; told=json.loads(sys.argv[1]); print({k: v for k, v in told.items() if v and k != "other_kinds"})' "$counted"); $(($(resident) / 1024)) MB; normal after $back ms"
    final 60
    end server TERM
    [ "$ENDED" = 0 ] || bad "$name: ended with $ENDED"
}
the_fault() {
    need wrk wrk
    house "$(size 200 2000)"
    sinks
    storm usual-limits usual
    storm no-limits none
    books --duplicates 0
}
run_fault "$@"
