#!/usr/bin/env bash
# F12 | SQLite, PostgreSQL | the file system becomes read-only for 10 (full: 60) s | writes 503, reads 200 (SQLite), no partial message, recovers without a restart of Vigie; I8
# Where files are open for writing, `mount -o remount,ro` is refused. SQLite: EROFS is injected into the server's calls.
# PostgreSQL: the file system is told that it is broken (remount,abort), which makes it read-only as a failing disk does.
source "$(dirname "$0")/lib.sh"
ID=F12 WHAT="read-only file system"
CLUSTER_DISK=300M

the_fault() {
    local seconds statuses meanwhile wrong reads
    seconds=$(size 10 60)
    need strace strace
    house 100
    [ "$DB" = sqlite ] || pg_find
    sinks
    smtp_does ok:0.05
    serve
    approve before --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    [ "$DB" = sqlite ] || final 30
    spawn mix python3 "$TOOLS/mix.py" --url "$URL" --town "$W/town.json" --ledger "$W/mix.jsonl" --seconds "$seconds" --rate 10
    approve_later meanwhile --within 120 --after "$W/go"
    until_true 20 "the second message waits for its approval" is_count "messages WHERE status = 'submitted'" = 1 || give_up "no second message"
    sleep 1
    if [ "$DB" = sqlite ]; then
        spawn strace strace -qq -f -o "$W/strace.out" -e trace=pwrite64,ftruncate,fsync,fdatasync \
            -e inject=pwrite64,ftruncate,fsync,fdatasync:error=EROFS -p "$(pid_of server)"
        sleep 1
    else
        # What was written long ago is on the disk.
        sync
        mount -o remount,abort "$FAULTS_DISK" 2>/dev/null || mount -o remount,ro "$FAULTS_DISK" || give_up "the disk cannot be made read-only"
    fi
    touch "$W/go"
    sleep "$seconds"
    statuses=$(grep '"event":"answer"' "$W/client.jsonl" | grep '/approval' | grep drill-meanwhile | grep -o '"status":[0-9]\+' | cut -d: -f2 | sort | uniq -c | tr -s ' \n' ' ' || true)
    [[ $statuses == *503* ]] || bad "no write was refused: the file system was not read-only ($statuses)"
    [[ $statuses != *202* && $statuses != *200* && $statuses != *201* ]] || bad "a write was acknowledged on a read-only file system"
    alive server || bad "the server died"
    meanwhile=$(ready_status 6)
    [ "$meanwhile" = 503 ] || bad "/health/ready says $meanwhile while nothing can be written"
    if [ "$DB" = sqlite ]; then
        end strace TERM
    else
        heal
    fi
    approved meanwhile
    final 60
    wait "$(pid_of mix)" || true
    wrong=$(grep '"event":"answer"' "$W/client.jsonl" | grep -cE '"status":(500|4..)' || true)
    [ "$wrong" = 0 ] || bad "$wrong requests were answered with something else than 503"
    reads=$(grep -c '"status": ' "$W/mix.jsonl" || true)
    [ "$reads" -ge $((seconds * 5)) ] || bad "only $reads reads were answered: this proves nothing"
    wrong=$(grep -vc '"status": 200' "$W/mix.jsonl" || true)
    [ "$DB" = postgres ] || [ "$wrong" = 0 ] || bad "$wrong of $reads reads were not answered with 200"
    wrong=$(grep -cE '"status": 5(0[0124-9]|[1-9])' "$W/mix.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$wrong reads were answered with a 5xx other than 503"
    end server TERM
    [ "$ENDED" = 0 ] || bad "the server ended with $ENDED"
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "approvals meanwhile:$statuses, $reads reads, $(fact again) duplicates"
}
# What an operator does: stop what is left of PostgreSQL, check the disk, mount it again, start.
heal() {
    local device at
    device=$(findmnt -n -o SOURCE "$FAULTS_DISK")
    for at in $(head -1 "$PG_DATA/postmaster.pid" 2>/dev/null) $(pgrep -P "$(head -1 "$PG_DATA/postmaster.pid" 2>/dev/null || echo 1)" -u "$PG_USER" 2>/dev/null); do kill -KILL "$at" 2>/dev/null || true; done
    sleep 1
    unmounts "$FAULTS_DISK" || give_up "the disk cannot be unmounted"
    fsck.ext4 -fy "$device" >/dev/null 2>&1 || true
    mount "$device" "$FAULTS_DISK"
    pg_start || give_up "PostgreSQL does not start after the disk was healed: $(tail -1 "$(dirname "$PG_DATA")/again.log")"
}
run_fault "$@"
