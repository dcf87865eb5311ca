#!/usr/bin/env bash
# F10 | SQLite, PostgreSQL | the disk is full for 15 (full: 60) s | writes 503, reads 200, no partial message, recovers without a restart; I8
source "$(dirname "$0")/lib.sh"
ID=F10 WHAT="disk full"
CLUSTER_DISK=160M

fill_up() { dd if=/dev/zero of="$1/filler" bs=64k status=none 2>/dev/null || true; }
# PostgreSQL has log segments in reserve: they are used up, as a busy day would.
spend_the_reserve() {
    while true; do
        pg "SELECT pg_logical_emit_message(false, 'fault', repeat('x', 1000000)) FROM generate_series(1, 16); SELECT pg_switch_wal()" || true
        sleep 0.3
    done
}
the_fault() {
    local disk seconds status meanwhile reads wrong
    seconds=$(size 15 60)
    if [ "$DB" = sqlite ]; then
        small_disk disk 24M
        disk=$W/disk
        house "$(size 100 500)" both "$disk/data"
    else
        disk=$FAULTS_DISK
        house "$(size 100 500)"
        pg_find
    fi
    sinks
    smtp_does ok:0.05
    serve
    approve before --within 30 || give_up "the approval before the fault: $(tail -1 "$W/approve.err")"
    # Signed in before, so that it only reads.
    spawn mix python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds $((seconds + 4)) --rate 10
    approve_later meanwhile --within 120 --after "$W/go"
    until_true 20 "the second message waits for its approval" is_count "messages WHERE status = 'submitted'" = 1 || give_up "no second message"
    sleep 1
    fill_up "$disk"
    [ "$DB" = sqlite ] || spawn spender spend_the_reserve
    touch "$W/go"
    spawn drafts python3 "$TOOLS/drafts.py" --url "$URL" --town "$W/town.json" --ledger "$W/client.jsonl" --count 40 --at-once 1 --within $((seconds + 60))
    local until=$((SECONDS + seconds))
    while [ "$SECONDS" -lt "$until" ]; do
        fill_up "$disk"
        sleep 1
    done
    status=$(grep '"event": \?"answer"' "$W/client.jsonl" | grep -o '"status": \?[0-9]\+' | grep -o '[0-9]*$' | sort | uniq -c | tr -s ' \n' ' ' || true)
    meanwhile=$(ready_status 6)
    [ "$meanwhile" = 503 ] || bad "/health/ready says $meanwhile while nothing can be written"
    [ "$DB" = sqlite ] || end spender KILL
    alive server || bad "the server died"
    rm -f "$disk/filler"
    if [ "$DB" = postgres ] && ! pg "SELECT 1" >/dev/null 2>&1; then
        # It stops itself when its log cannot be written; whoever watches over it starts it again.
        pg_start || give_up "PostgreSQL does not start after the disk was freed"
        remark "PostgreSQL itself went down and was started again"
    fi
    approved meanwhile
    wait "$(pid_of drafts)" || bad "the drafts were not all answered"
    [ "$(python3 -c 'import json,sys; told=json.load(sys.stdin); print(told["another_answer"] + told["unanswered"])' <"$W/drafts.log")" = 0 ] || bad "drafts: $(tail -1 "$W/drafts.log")"
    final 60
    wait "$(pid_of mix)" || true
    wrong=$(grep -cE '"status": ?(500|4..)' "$W/client.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$wrong requests were answered with something else than 503"
    reads=$(grep -c '"status": ' "$W/mix.jsonl" || true)
    # Ten a second; a PostgreSQL that is down keeps some of them waiting.
    [ "$reads" -ge $((seconds * 5)) ] || bad "only $reads reads were answered: this proves nothing"
    if [ "$DB" = sqlite ]; then
        wrong=$(grep '"status": ' "$W/mix.jsonl" | grep -vc '"status": 200' || true)
        [ "$wrong" = 0 ] || bad "$wrong of $reads reads were not answered with 200"
    fi
    # A PostgreSQL that cannot write its log stops itself: reads are refused as well then, and in no other way.
    wrong=$(grep '"status": ' "$W/mix.jsonl" | grep -vcE '"status": (200|503)' || true)
    [ "$wrong" = 0 ] || bad "$wrong of $reads reads were answered with something else than 200 or 503"
    wrong=$(grep '"status": 503' "$W/mix.jsonl" | grep -c '"retry_after": null' || true)
    # The health check speaks to machines, which ask again as they like.
    wrong=$((wrong - $(grep '"status": 503' "$W/mix.jsonl" | grep '/health/ready' | grep -c '"retry_after": null' || true)))
    [ "$wrong" = 0 ] || bad "$wrong reads were refused without Retry-After"
    [ "$(ready_status)" = 200 ] || bad "not ready although the disk has room again"
    [[ $status == *503* ]] || bad "no write was refused: the disk was not full ($status)"
    end server TERM
    [ "$ENDED" = 0 ] || bad "the server ended with $ENDED"
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "answers to writes meanwhile:${status:- none}, $reads reads answered, $(fact again) duplicates"
}
run_fault "$@"
