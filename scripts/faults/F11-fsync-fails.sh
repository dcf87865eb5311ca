#!/usr/bin/env bash
# F11 | SQLite | every fsync fails with EIO from some moment on | no write is acknowledged any more (503, never 2xx), no address lost; the restart is clean; I1
source "$(dirname "$0")/lib.sh"
ID=F11 WHAT="fsync fails with EIO"
ON=(sqlite)

traced() { ! grep -q '^TracerPid:[[:space:]]*0$' "/proc/$(pid_of server)/status"; }
the_fault() {
    local acked after statuses
    need strace strace
    house 100
    sinks
    smtp_does ok:0.05
    serve
    approve before --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    approve_later meanwhile --within 90 --after "$W/go"
    until_true 20 "the second message waits for its approval" is_count "messages WHERE status = 'submitted'" = 1 || give_up "no second message"
    spawn strace strace -qq -f -o "$W/strace.out" -e trace=fsync,fdatasync -e inject=fsync,fdatasync:error=EIO -p "$(pid_of server)"
    until_true 10 "strace has the server" traced || skip "strace may not attach to the server here: $(tail -1 "$W/strace.log")"
    sleep 0.5
    # From here on somebody writes: before, nobody may.
    touch "$W/go"
    until_true 20 "fsync fails" grep -q INJECTED "$W/strace.out" || bad "no fsync was made to fail: this proves nothing"
    sleep "$(size 8 30)"
    statuses=$(grep '"event":"answer"' "$W/client.jsonl" | grep '/approval' | grep drill-meanwhile | grep -o '"status":[0-9]\+' | cut -d: -f2 | sort | uniq -c | tr -s ' \n' ' ' || true)
    acked=$(grep '"event":"answer"' "$W/client.jsonl" | grep '/approval' | grep drill-meanwhile | grep -c '"status":2' || true)
    [ "$acked" = 0 ] || bad "a write was acknowledged although fsync fails"
    if alive server; then
        [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$URL/health/live")" = 200 ] || bad "the process hangs"
        [[ $statuses == *503* ]] || bad "nobody was told that nothing can be written (${statuses:-no answer})"
        after="stays up and refuses writes"
    else
        after="ends"
    fi
    # Shot while the disk fails: nothing may be tidied up on a disk like that.
    end server KILL
    end strace KILL
    in_doubt
    serve
    approved meanwhile
    final 60
    end server TERM
    books --duplicates "$DOUBT"
    [ "$(fact acknowledged)" = 2 ] || bad "$(fact acknowledged) of 2 approvals were acknowledged"
    remark "the process $after, answers:${statuses:- none}, $(fact again) duplicates after the restart"
}
run_fault "$@"
