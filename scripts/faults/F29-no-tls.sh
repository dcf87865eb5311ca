#!/usr/bin/env bash
# F29 | SQLite | STARTTLS stripped, then a wrong certificate, then the right one | nothing leaves in clear, tried again later, said in the log; delivered under TLS in the end
source "$(dirname "$0")/lib.sh"
ID=F29 WHAT="STARTTLS stripped, wrong certificate"
ON=(sqlite)

certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$W/$1.key" -out "$W/$1.pem" -subj "/CN=$1" \
        -addext "subjectAltName=IP:127.0.0.1" -addext "basicConstraints=critical,CA:FALSE" >/dev/null 2>&1
}
the_fault() {
    local wrong said
    need openssl openssl
    house "$(size 50 500)" email
    certificate right
    certificate wrong
    export VIGIE__EMAIL__TLS=starttls VIGIE__EMAIL__ROOT_CERTIFICATE=$W/right.pem
    sinks
    serve
    approve tls --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    sleep 4
    [ "$(mails)" = 0 ] || bad "$(mails) mails left although STARTTLS was not offered"
    [ "$(grep -c '"what": "connect"' "$W/mail.jsonl")" -gt 0 ] || bad "nobody tried: this proves nothing"
    said=$(grep -c 'STARTTLS: not offered' "$W/server.log" || true)
    [ "$said" -gt 0 ] || bad "the log does not say that STARTTLS is missing"
    end smtp KILL
    smtp_up --certificate "$W/wrong.pem" --key "$W/wrong.key"
    sleep 12
    [ "$(mails)" = 0 ] || bad "$(mails) mails left to a server with another certificate"
    said=$(grep -c 'TLS: ' "$W/server.log" || true)
    [ "$said" -gt 0 ] || bad "the log does not say that the certificate is wrong"
    wrong=$(count "deliveries WHERE state NOT IN ('deferred', 'queued', 'attempting')")
    [ "$wrong" = 0 ] || bad "$wrong deliveries ended although the fault is the server's"
    end smtp KILL
    smtp_up --certificate "$W/right.pem" --key "$W/right.key"
    final 120
    end server TERM
    wrong=$(grep '"what": "mail"' "$W/mail.jsonl" | grep -vc '"tls": true' || true)
    [ "$wrong" = 0 ] || bad "$wrong mails left in clear"
    books --duplicates 0
    remark "0 mails without TLS or with the wrong certificate, $(fact email.distinct) under TLS afterwards"
}
run_fault "$@"
