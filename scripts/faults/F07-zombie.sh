#!/usr/bin/env bash
# F07 | PostgreSQL | node A stands still (SIGSTOP) for 25 (full: 90) s, longer than its leases; B takes over; A wakes | A's late results change nothing, at most A's in-flight ones twice
source "$(dirname "$0")/lib.sh"
ID=F07 WHAT="a node that stood still comes back"
ON=(postgres)

the_fault() {
    local held before after late
    house "$(size 300 2000)"
    sinks
    smtp_does ok:0.3
    sms_does ok:0.5
    serve server
    approve zombie --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    until_true 20 "mails leave" at_least mails 10 || give_up "no mails"
    kill -STOP "$(pid_of server)"
    local stopped=$SECONDS
    held=$(count "deliveries WHERE state = 'attempting'")
    [ "$held" -gt 0 ] || bad "nothing was in flight: this proves nothing"
    in_doubt
    serve node work
    smtp_does ok
    sms_does ok
    final 60
    while [ $((SECONDS - stopped)) -lt "$(size 25 90)" ]; do sleep 0.2; done
    before=$(sql "SELECT id, state, settled_at, attempts FROM deliveries ORDER BY id" | sha256sum)
    kill -CONT "$(pid_of server)"
    sleep 12
    after=$(sql "SELECT id, state, settled_at, attempts FROM deliveries ORDER BY id" | sha256sum)
    [ "$before" = "$after" ] || bad "the late results of A changed what B had settled"
    late=$(grep -c 'a late answer' "$W/server.log" || true)
    [ "$late" -gt 0 ] || bad "A did not notice that its leases were lost: this proves nothing"
    approve alive --within 30 || bad "A does not serve any more"
    final 60
    end node TERM
    end server TERM
    # What was taken from A and not settled; and what its workers held and hand over when they wake.
    books --duplicates $((DOUBT + IN_HAND))
    remark "$held in flight when A stood still, $late late answers fenced, $(fact again) duplicates ($TAKEN were taken and not settled)"
}
run_fault "$@"
