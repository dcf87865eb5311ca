#!/usr/bin/env bash
# F13 | SQLite | another process holds the write lock for 20 s | after the busy timeout 503 with Retry-After, reads go on, the approval succeeds once by repeating it with its key
source "$(dirname "$0")/lib.sh"
ID=F13 WHAT="another process holds the write lock"
ON=(sqlite)

hold() { (
    echo 'PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE;'
    sleep 20
    echo 'COMMIT;'
) | sqlite3 "$1" >/dev/null; }
the_fault() {
    local head at took status reads wrong
    need sqlite3 sqlite3
    house 100
    sinks
    serve
    spawn mix python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds 24 --rate 5
    approve_later locked --within 60 --after "$W/go"
    until_true 20 "the message waits for its approval" is_count "messages WHERE status = 'submitted'" = 1 || give_up "no message"
    sleep 0.5
    spawn holder hold "${DB_URL#sqlite:}"
    sleep 0.5
    touch "$W/go"
    at=$(now_ms)
    head=$(curl -s -m 30 -D - -o /dev/null -X POST "$URL/api/v1/sessions" -H 'Content-Type: application/json' -d "$(python3 -c '
import json, sys
town = json.load(open(sys.argv[1]))
print(json.dumps({"email": town["officer"], "password": town["password"]}))' "$W/town.json")")
    took=$(($(now_ms) - at))
    grep -q '^HTTP/1.1 503' <<<"$head" || bad "a write meanwhile got: $(head -1 <<<"$head" | tr -d '\r')"
    grep -qi '^retry-after: [0-9]' <<<"$head" || bad "the 503 has no Retry-After"
    [ "$took" -le 15000 ] || bad "the 503 took $took ms"
    alive holder || bad "nobody held the lock any more when the 503 came: this proves nothing"
    approved locked
    status=$(grep '"event":"answer"' "$W/client.jsonl" | grep '/approval' | grep -o '"status":[0-9]\+' | cut -d: -f2 | sort | uniq -c | tr -s ' \n' ' ')
    [[ $status == *503* ]] || bad "the approval did not have to be asked for again ($status): this proves nothing"
    final 30
    wait "$(pid_of mix)" || true
    reads=$(grep -c '"status": ' "$W/mix.jsonl" || true)
    [ "$reads" -ge 100 ] || bad "only $reads reads were answered: this proves nothing"
    wrong=$(grep -vc '"status": 200' "$W/mix.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$wrong of $reads reads were not answered with 200"
    end server TERM
    books --duplicates 0
    [ "$(count approvals)" = 1 ] || bad "$(count approvals) approvals"
    remark "503 after $took ms, approvals answered:$status"
}
run_fault "$@"
