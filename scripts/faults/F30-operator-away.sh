#!/usr/bin/env bash
# F30 | SQLite | a real Kannel whose operator (SMSC) is off | "3: Queued" is not delivered, no resend storm; after three days without a report it is final and says so; the reports raise it when the operator is back
source "$(dirname "$0")/lib.sh"
ID=F30 WHAT="Kannel up, operator off"
ON=(sqlite)

sms_at() { is_count "deliveries WHERE channel = 'sms' AND state = '$1'" -ge "$2"; }
the_fault() {
    local members asked raised
    need sqlite3 sqlite3
    need /usr/sbin/bearerbox kannel
    need /usr/lib/kannel/test/fakesmsc kannel-extras
    members=$(size 50 500)
    house "$members" sms
    local admin smsbox smsc
    admin=$(free_port) smsbox=$(free_port) smsc=$(free_port)
    cat >"$W/kannel.conf" <<TEXT
group = core
admin-port = $admin
admin-interface = 127.0.0.1
admin-password = secret
smsbox-port = $smsbox
smsbox-interface = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = $smsc
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = $SMS_PORT
sendsms-interface = 127.0.0.1
global-sender = 1234

group = sendsms-user
username = vigie
password = secret
max-messages = 6
concatenation = true

group = sms-service
keyword = default
text = "no"
TEXT
    spawn bearerbox /usr/sbin/bearerbox -v 4 "$W/kannel.conf"
    until_true 10 "bearerbox listens" listens "$smsbox" || give_up "no bearerbox: $(tail -1 "$W/bearerbox.log")"
    spawn smsbox /usr/sbin/smsbox -v 4 "$W/kannel.conf"
    until_true 10 "smsbox listens" listens "$SMS_PORT" || give_up "no smsbox: $(tail -1 "$W/smsbox.log")"
    smtp_up
    serve
    approve away --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 30
    sleep "$(size 15 120)"
    asked=$(count "attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE d.channel = 'sms'")
    [ "$asked" = "$members" ] || bad "$asked requests for $members SMS: a resend storm"
    [ "$(count "deliveries WHERE channel = 'sms' AND reference = 'queued' AND state = 'accepted'")" = "$members" ] || bad "not all are known to be queued: $(sql "SELECT state, reference, count(*) FROM deliveries GROUP BY 1, 2" | paste -sd ' ')"
    [ "$(count "deliveries WHERE state IN ('at_operator', 'at_handset')")" = 0 ] || bad "queued counts as delivered"
    # Three days without a report: the rows are made older instead of waiting; a process looks at its start.
    end server TERM
    sqlite3 -cmd '.timeout 20000' "${DB_URL#sqlite:}" "UPDATE deliveries SET settled_at = settled_at - 259200000000 WHERE channel = 'sms'"
    serve
    until_true 20 "waiting for reports ends" is_count "deliveries WHERE channel = 'sms' AND state = 'accepted' AND reason = 'no report'" = "$members" ||
        bad "after three days: $(sql "SELECT state, reason, count(*) FROM deliveries GROUP BY 1, 2" | paste -sd ' ')"
    sleep 5
    asked=$(count "attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE d.channel = 'sms'")
    [ "$asked" = "$members" ] || bad "$asked requests for $members SMS after three days: something is sent again"
    spawn fakesmsc /usr/lib/kannel/test/fakesmsc -H 127.0.0.1 -r "$smsc" -m 0 "1 2 text nop"
    until_true 60 "the reports arrive" sms_at at_handset "$members" || bad "only $(count "deliveries WHERE state = 'at_handset'") of $members are at the handset"
    raised=$(count "deliveries WHERE state = 'at_handset'")
    end server TERM
    books --no-sms --duplicates 0
    remark "$members queued and called accepted, after three days "no report", $asked requests; $raised at the handset after the operator came back"
}
run_fault "$@"
