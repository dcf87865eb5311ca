#!/usr/bin/env bash
# F20 | PostgreSQL | the database is a black hole for 25 (full: 60) s: packets are dropped, then a peer that acknowledges and stays silent; then all who read hang; then 500 ms away; then 20 KB/s | answers within 15 s, bounded threads, back within 10 s; an urgent approval passes within 1 s while all reads hang, and passes when it is slow
source "$(dirname "$0")/lib.sh"
ID=F20 WHAT="database: black hole, slow, thin"
ON=(postgres)

threads() { grep -o 'Threads:.*' "/proc/$(pid_of server)/status" | tr -dc 0-9; }
is_ready() { [ "$(ready_status)" = 200 ]; }
the_fault() {
    need iptables iptables
    iptables -L INPUT -n >/dev/null 2>&1 || skip "iptables may not be used here: packets cannot be dropped"
    local usual far thin
    house "$(size 50 300)"
    proxy
    sinks
    serve
    approve before --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 30
    hole dropped
    hole silent
    reads_hang
    usual=$(took before)
    echo '{"latency": 0.25}' >"$W/proxy.json"
    approve latency --within 90 || bad "no approval with a database 500 ms away: $(tail -1 "$W/approve.err")"
    far=$(took latency)
    # The transaction begins, looks, writes and ends: four ways there and back at the very least.
    [ "$far" -ge 2000 ] || bad "with a database 500 ms away an approval took $far ms: this proves nothing"
    echo '{"rate": 20000}' >"$W/proxy.json"
    approve rate --within 90 || bad "no approval with 20 KB/s: $(tail -1 "$W/approve.err")"
    thin=$(took rate)
    # A delivery for each of fifty members on two channels, of more than a hundred bytes each: half a second.
    [ "$thin" -ge $((usual + 500)) ] || bad "with 20 KB/s an approval took $thin ms, $usual ms without: this proves nothing"
    echo '{}' >"$W/proxy.json"
    final 90
    end server TERM
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "an approval took $usual ms, 500 ms away $far ms, with 20 KB/s $thin ms; $(fact again) duplicates"
}
# From the first request of an approval to its success, in ms, and after that how often it was asked for.
asked_for() { python3 -c '
import json, sys
begun, ended, tries = None, None, 0
for line in map(json.loads, open(sys.argv[1])):
    if line["path"].endswith("/approval") and line.get("idempotency_key") == "drill-" + sys.argv[2]:
        if line["event"] == "request":
            begun, tries = begun or line["at"], tries + 1
        elif 200 <= line.get("status", 0) < 300:
            ended = line["at"]
print((ended - begun) // 1000 if ended else -1, tries)' "$W/client.jsonl" "$1"; }
took() { asked_for "$1" | cut -d' ' -f1; }
# A list that cannot be read, as a long migration or a backup that takes locks would have it. Writers of messages have no
# business with it.
lock_a_list() { (
    echo 'BEGIN; LOCK TABLE alarms IN ACCESS EXCLUSIVE MODE;'
    sleep 20
    echo 'COMMIT;'
) | psql -XAtq "$DB_URL"; }
hanging() { pg "SELECT count(*) FROM pg_stat_activity WHERE datname = 'vigie' AND wait_event_type = 'Lock' AND query LIKE '%alarms%'"; }
some_hang() { [ "$(hanging)" -ge 2 ]; }
# All turns of those who read are taken and nothing comes back: the urgent message has connections of its own.
reads_hang() {
    local hung refused other ms tries
    approve_later reserve --within 60 --after "$W/go-reserve"
    until_true 20 "the message waits for its approval" is_count "messages WHERE status = 'submitted'" = 1 || give_up "no message"
    spawn mix-reserve python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix-reserve.jsonl" --seconds 15 --rate 10 --timeout 30 --as officer --path /api/v1/alarms
    until_true 10 "the list is read" grep -q '"status": 200' "$W/mix-reserve.jsonl" || bad "the list is not read: $(tail -1 "$W/mix-reserve.jsonl")"
    spawn locker lock_a_list
    until_true 10 "reads hang" some_hang || bad "no read hangs: this proves nothing"
    # By now those who came later are told to come back, as there is no turn left for them.
    until_true 10 "reads are refused" grep -q '"status": 503' "$W/mix-reserve.jsonl" || bad "no read was refused: some had turns left, and this proves nothing"
    hung=$(hanging)
    touch "$W/go-reserve"
    approved reserve
    [ "$(hanging)" -ge 2 ] || bad "no read hung any more when the approval was answered: this proves nothing"
    read -r ms tries < <(asked_for reserve)
    [ "$tries" = 1 ] || bad "the approval had to be asked for $tries times while reads hang"
    [ "$ms" -le 1000 ] || bad "an approval took $ms ms while reads hang"
    end locker TERM
    wait "$(pid_of mix-reserve)" || true
    refused=$(grep -c '"status": 503' "$W/mix-reserve.jsonl" || true)
    other=$(grep -vcE '"status": (200|503)' "$W/mix-reserve.jsonl" || true)
    [ "$other" = 0 ] || bad "$other reads got something else than 200 or 503: $(grep -vE '"status": (200|503)' "$W/mix-reserve.jsonl" | tail -1)"
    remark "while $hung reads hung and $refused were refused an approval took $ms ms"
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
    local kind=$1 most=0 now at back late seconds unwell wrong
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
    # Each that was asked after the first second: refused, cut off, or answered when the hole was closed.
    unwell=$(python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(sum(line.get("status") != 200 or line["seconds"] > 2 for line in lines) * 100 // max(len(lines), 1))' "$W/mix-$kind.jsonl")
    [ "$unwell" -ge 50 ] || bad "$kind: only $unwell % of the requests noticed anything: this proves nothing"
    wrong=$(grep -cE '"status": (4|5(0[0124-9]|[1-9]))' "$W/mix-$kind.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$kind: $wrong requests were answered with something else than 200 or 503"
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
    remark "$kind: $unwell % noticed, $1 of $2 waited longer than 15 s (the longest $3 s), $most threads, ready $back ms after"
}
run_fault "$@"
