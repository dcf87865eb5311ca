#!/usr/bin/env bash
# F29 | SQLite | STARTTLS stripped, then a wrong certificate, then the right one | nothing leaves in clear, tried again later, said in the log; delivered under TLS in the end
source "$(dirname "$0")/lib.sh"
ID=F29 WHAT="STARTTLS stripped, wrong certificate"
ON=(sqlite)

certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$W/$1.key" -out "$W/$1.pem" -subj "/CN=$1" \
        -addext "subjectAltName=IP:127.0.0.1" -addext "basicConstraints=critical,CA:FALSE" >/dev/null 2>&1
}
connects() { grep -c '"what": "connect"' "$W/mail.jsonl" || true; }
is_told() { is_count "alarms WHERE kind IN ('urgent_without_handover', 'provider_down') AND cleared_at IS NULL" -ge 1; }
is_over() { is_count "alarms WHERE cleared_at IS NULL" = 0; }
the_fault() {
    local wrong said before from alarms
    need openssl openssl
    house "$(size 50 500)" email
    certificate right
    certificate wrong
    export VIGIE__EMAIL__TLS=starttls VIGIE__EMAIL__ROOT_CERTIFICATE=$W/right.pem
    sinks
    serve
    approve tls --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    # Somebody is told: an urgent message that nobody has got for ten seconds, or a provider that is not called for a minute.
    until_true 30 "the alarm" is_told || bad "nobody was alarmed although no mail leaves"
    [ "$(mails)" = 0 ] || bad "$(mails) mails left although STARTTLS was not offered"
    [ "$(grep -c '"what": "connect"' "$W/mail.jsonl")" -gt 0 ] || bad "nobody tried: this proves nothing"
    said=$(grep -c 'STARTTLS: not offered' "$W/server.log" || true)
    [ "$said" -gt 0 ] || bad "the log does not say that STARTTLS is missing"
    end smtp KILL
    before=$(connects) from=$(wc -l <"$W/server.log")
    smtp_up --certificate "$W/wrong.pem" --key "$W/wrong.key"
    sleep 12
    [ "$(connects)" -gt "$before" ] || bad "nobody tried the server with another certificate: this proves nothing"
    [ "$(mails)" = 0 ] || bad "$(mails) mails left to a server with another certificate"
    # `STARTTLS: not offered` does not count, and nothing of before.
    said=$(tail -n "+$((from + 1))" "$W/server.log" | grep -cE '[^T]TLS: ' || true)
    [ "$said" -gt 0 ] || bad "the log does not say that the certificate is wrong"
    wrong=$(count "deliveries WHERE state NOT IN ('deferred', 'queued', 'attempting')")
    [ "$wrong" = 0 ] || bad "$wrong deliveries ended although the fault is the server's"
    end smtp KILL
    smtp_up --certificate "$W/right.pem" --key "$W/right.key"
    final 120
    until_true 60 "the alarm is over" is_over || bad "the alarm stands although the mails have left"
    alarms=$(sql "SELECT DISTINCT kind FROM alarms ORDER BY kind" | paste -sd ' ')
    end server TERM
    wrong=$(grep '"what": "mail"' "$W/mail.jsonl" | grep -vc '"tls": true' || true)
    [ "$wrong" = 0 ] || bad "$wrong mails left in clear"
    books --duplicates 0
    remark "0 mails without TLS or with the wrong certificate, alarms: $alarms, $(fact email.distinct) under TLS afterwards"
}
run_fault "$@"
