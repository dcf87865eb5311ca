#!/usr/bin/env bash
# F04 | SQLite, PostgreSQL | power cut: the disk's image is copied while the writer stands still, 3 (full: 20) images under load | every approval acknowledged before is there, the database is whole and starts without repair
source "$(dirname "$0")/lib.sh"
ID=F04 WHAT="power cut"
CLUSTER_DISK=300M

# Everybody who writes to the disk.
writers() {
    pid_of server
    [ "$DB" = sqlite ] || { head -1 "$PG_DATA/postmaster.pid" && pgrep -P "$(head -1 "$PG_DATA/postmaster.pid")"; }
}
load() {
    local number=0
    while true; do
        number=$((number + 1))
        "$DRILL" approve --town "$W/town.json" --url "$URL" --idempotency-key "drill-load-$number" --ledger "$W/client.jsonl" --within 60 >/dev/null 2>&1 || true
    done
}
the_fault() {
    local images image at pids told=0 again=0 doubt=0
    images=$(size 3 20)
    if [ "$DB" = sqlite ]; then
        small_disk disk 64M
        FAULTS_IMAGE=$W/disk.img
        house 100 both "$W/disk/data"
    else
        house 100
        pg_find
    fi
    # Keys are older than the first message, so they are on the disk.
    sync
    sinks
    smtp_does ok:0.02
    sms_does ok:0.05
    serve
    spawn load load
    for ((at = 1; at <= images; at++)); do
        sleep "$(random 1.5 4)"
        cp "$W/client.jsonl" "$W/client-$at.jsonl"
        mapfile -t pids < <(writers)
        kill -STOP "${pids[@]}"
        cp --sparse=always "$FAULTS_IMAGE" "$W/crash-$at.img"
        sleep 0.3
        cp "$W/mail.jsonl" "$W/mail-$at.jsonl"
        cp "$W/sms.jsonl" "$W/sms-$at.jsonl"
        kill -CONT "${pids[@]}"
    done
    kill -KILL "$(pid_of load)"
    wait "$(pid_of load)" 2>/dev/null || true
    end server TERM
    end smtp KILL
    end gateway KILL
    [ "$DB" = sqlite ] || pg_stop
    # The load goes on for a moment after the copy of its ledger, so what it asked for later may be there too.
    for ((at = 1; at <= images; at++)); do
        after_the_cut "$at"
        [ "$(fact acknowledged)" -ge 1 ] || bad "nothing was acknowledged before cut $at: this proves nothing"
        told=$((told + $(fact acknowledged)))
        again=$((again + $(fact again)))
    done
    remark "$images images, $told acknowledged approvals all there, $again duplicates after the cuts ($doubt were taken and not settled)"
}
after_the_cut() {
    local at=$1 loop place=$W/crash-$1
    mkdir -p "$place"
    loop=$(losetup --show -f "$W/crash-$at.img")
    LOOPS+=("$loop")
    mount "$loop" "$place" || give_up "image $at cannot be mounted"
    MOUNTS+=("$place")
    if [ "$DB" = sqlite ]; then
        DB_URL=sqlite:$place/data/vigie.sqlite
        export VIGIE__DATA_DIR=$place/data VIGIE__KEYS_FILE=$place/data/own-keys
        export VIGIE__DATABASE__URL=$DB_URL
    else
        local data
        data=$(echo "$place"/vigie-postgres.*/data)
        # After a real cut no process of that number lives.
        rm -f "$data/postmaster.pid"
        mkdir -p "$W/socket" && chown "$PG_USER" "$W/socket"
        pg_as "$PG_PROGRAMS/pg_ctl" start -D "$data" -o "-p $PG_PORT -k ''" -l "$place/crash.log" -w -s -t 60 </dev/null >/dev/null 2>&1 ||
            give_up "PostgreSQL does not start on image $at: $(tail -2 "$place/crash.log")"
    fi
    mv "$W/mail-$at.jsonl" "$W/mail.jsonl"
    mv "$W/sms-$at.jsonl" "$W/sms.jsonl"
    # Counted in a copy where that is possible: the server is to find what the cut left.
    local found=$DB_URL
    if [ "$DB" = sqlite ]; then
        rm -rf "$W/found" && cp -r "$place/data" "$W/found"
        found=sqlite:$W/found/vigie.sqlite
    fi
    rm -f "$W/doubt"
    DOUBT=0
    in_doubt "$found"
    doubt=$((doubt + DOUBT))
    smtp_does ok
    sms_does ok
    sinks
    # The first look is at what the cut left: all that was acknowledged before.
    serve "server-$at"
    final 60
    end "server-$at" TERM
    cp "$W/client-$at.jsonl" "$W/before.jsonl"
    # Later requests of the load may have arrived before the cut.
    grep '"event":"request"' "$W/client.jsonl" >"$W/asked.jsonl" || true
    books_of "$W/before.jsonl" "$W/asked.jsonl"
    end smtp KILL
    end gateway KILL
    if [ "$DB" = postgres ]; then pg_as "$PG_PROGRAMS/pg_ctl" stop -D "$(echo "$place"/vigie-postgres.*/data)" -m fast -s; fi
    unmounts "$place" || give_up "the disk of image $at cannot be unmounted"
    losetup -d "$loop"
    rm -f "$W/crash-$at.img"
}
books_of() {
    local keep=$W/all.jsonl
    mv "$W/client.jsonl" "$keep"
    cat "$@" >"$W/client.jsonl"
    books --duplicates "$DOUBT"
    mv "$keep" "$W/client.jsonl"
}
run_fault "$@"
