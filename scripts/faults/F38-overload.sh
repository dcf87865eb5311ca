#!/usr/bin/env bash
# F38 | SQLite, PostgreSQL | 400 connections ask for lists for 15 (full: 60) s, by the usual limits and without limits | each of 10 (full: 40) urgent approvals answered within 1 s, somebody told to come back, 429 and 503 with Retry-After, no other 5xx, memory < 512 MB, normal within 10 s
source "$(dirname "$0")/lib.sh"
ID=F38 WHAT="overload by lists"

resident() { grep -o 'VmHWM:.*' "/proc/$(pid_of server)/status" | tr -dc 0-9; }
is_ready() { [ "$(ready_status)" = 200 ]; }
# The promise, for a debug build as well: as there are far less than a hundred, each of them has to keep it.
MOST_MS=1000
storm() {
    local name=$1 limits=$2 seconds at number worst back town
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
    # Everything but the approvals themselves is done before, so that they are measured in the middle of the storm.
    # The officer writes and approves alone: the coordinator's account is the one that storms.
    local many
    many=$(size 10 40)
    for ((number = 1; number <= many; number++)); do
        approve_later "storm-$name-$number" --within 120 --solo --after "$W/go-$name-$number"
    done
    until_true 60 "the messages wait for their approval" is_count "messages WHERE status = 'submitted'" -ge "$many" || give_up "$name: no messages"
    sleep 1
    spawn "wrk-$name" wrk -t2 -c400 -d"${seconds}s" --timeout 20s -s "$TOOLS/count.lua" "$URL/api/v1/partnerships/$town/members?limit=50"
    sleep 3
    for ((number = 1; number <= many; number++)); do
        touch "$W/go-$name-$number"
        sleep 1
    done
    alive "wrk-$name" || bad "$name: the storm was over before the approvals: this proves nothing"
    for ((number = 1; number <= many; number++)); do approved "storm-$name-$number"; done
    wait "$(pid_of "wrk-$name")" || true
    at=$(now_ms)
    until_true 30 "ready again" is_ready || bad "$name: not ready after the storm"
    approve "after-$name" --within 20 --solo || bad "$name: no approval after the storm"
    back=$(($(now_ms) - at))
    [ "$back" -le 10000 ] || bad "$name: back to normal only after $back ms"
    worst=$(python3 -c '
import json, sys
begun, took = {}, {}
for line in map(json.loads, open(sys.argv[1])):
    key = line.get("idempotency_key") or ""
    if line["path"].endswith("/approval") and key.startswith("drill-" + sys.argv[2]):
        if line["event"] == "request":
            begun.setdefault(key, line["at"])
        elif 200 <= line.get("status", 0) < 300:
            took[key] = (line["at"] - begun[key]) // 1000
print(max(took.values(), default=-1))' "$W/client.jsonl" "storm-$name")
    [ "$worst" -le "$MOST_MS" ] || bad "$name: the slowest approval took $worst ms, $MOST_MS allowed"
    local counted
    counted=$(tail -1 "$W/wrk-$name.log")
    python3 -c '
import json, sys
told = json.loads(sys.argv[1])
sys.exit(not told["429"] + told["503"])' "$counted" || bad "$name: nobody was told to come back: no overload, and this proves nothing"
    python3 -c '
import json, sys
told = json.loads(sys.argv[1])
sys.exit(bool(told["other"] or told["without_retry_after"]))' "$counted" || bad "$name: $counted"
    [ "$(resident)" -le 524288 ] || bad "$name: $(($(resident) / 1024)) MB resident"
    remark "$name: $many approvals, the slowest $worst ms; lists $(python3 -c 'import json,sys; told=json.loads(sys.argv[1]); print({k: v for k, v in told.items() if v and k != "other_kinds"})' "$counted"); $(($(resident) / 1024)) MB; normal after $back ms"
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
