#!/usr/bin/env bash
# F35 | SQLite, PostgreSQL | the clock jumps 2 days forward and back, then 3 hours back; nodes 10 minutes apart | nothing waiting is expired or purged by mistake, nothing early, nothing twice, nothing stuck; nobody is signed out, somebody is told; nodes go by the clock of their database
source "$(dirname "$0")/lib.sh"
ID=F35 WHAT="the clock is wrong"

clock() {
    echo "$1" >"$W/clock"
    sleep 1
}
faked() { WRAP=(env "LD_PRELOAD=$FAKETIME_LIBRARY" "FAKETIME_TIMESTAMP_FILE=$1" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1); }
token_of() {
    curl -s -m 10 "$1/api/v1/sessions" -H 'Content-Type: application/json' -d "$(python3 -c '
import json, sys
town = json.load(open(sys.argv[1]))
print(json.dumps({"email": town["officer"], "password": town["password"]}))' "$W/town.json")" | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])'
}
# By how much the process at this address is off, in seconds: what its answers say against what is true.
off_by() {
    local said
    said=$(curl -s -m 10 -o /dev/null -D - "$1/health/live" | tr -d '\r' | sed -n 's/^[Dd]ate: //p')
    echo $(($(date -d "$said" +%s) - $(date +%s)))
}
# is_off URL SECONDS: within ten seconds, or nothing below is proven.
is_off() {
    local off
    off=$(off_by "$1") || give_up "the server does not say what time it is"
    [ $((off - $2)) -ge -10 ] && [ $((off - $2)) -le 10 ] || bad "the clock of $1 is off by $off s instead of $2: this proves nothing"
}
me() { curl -s -m 10 -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $2" "$1/api/v1/me"; }
purged() { count "deliveries WHERE address IS NULL AND content_id IS NOT NULL"; }
alarms() { count "alarms WHERE kind = 'clock_wrong' AND subject = '$1' AND cleared_at IS $2"; }
is_told() { [ "$(alarms "$1" NULL)" = 1 ]; }
is_over() { [ "$(alarms "$1" NULL)" = 0 ]; }
in_order() {
    local wrong
    wrong=$(count "messages a JOIN messages b ON a.created_at < b.created_at AND a.id > b.id")
    [ "$wrong" = 0 ] || bad "$1: $wrong identifiers are out of order"
}
unharmed() {
    local wrong
    wrong=$(count "deliveries WHERE state = 'expired'")
    [ "$wrong" = 0 ] || bad "$1: $wrong urgent deliveries were expired by the wrong clock"
    [ "$(purged)" = 0 ] || bad "$1: $(purged) addresses were purged by the wrong clock"
    wrong=$(count "sessions WHERE ended_at IS NOT NULL")
    [ "$wrong" = 0 ] || bad "$1: $wrong sessions were ended"
}
the_fault() {
    local token status wrong waiting
    need_faketime
    house "$(size 50 500)"
    sinks
    echo +0 >"$W/clock"
    faked "$W/clock"
    serve
    approve first --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 60
    end smtp KILL
    token=$(token_of "$URL")
    approve waiting --within 30 --validity-minutes 60 || give_up "no approval: $(tail -1 "$W/approve.err")"
    sleep 2
    waiting=$(count "deliveries WHERE settled_at IS NULL AND lane < 2")
    [ "$waiting" -gt 0 ] || give_up "nothing waits: this proves nothing"

    clock +2d
    is_off "$URL" 172800
    if [ "$DB" = sqlite ]; then until_true 10 "the alarm" is_told clock:machine || bad "nobody was told that the clock jumped"; fi
    status=$(me "$URL" "$token")
    [ "$status" = 200 ] || bad "+2 d: whoever was signed in is answered with $status"
    status=$(me "$URL" "$(token_of "$URL")")
    [ "$status" = 200 ] || bad "+2 d: whoever signs in is answered with $status"
    sleep 65 # one tick of the minute's duties at least
    unharmed "+2 d"
    # A process that dies and comes again believes the wrong clock no more than the one before.
    end server KILL
    serve
    sleep 2
    unharmed "+2 d, started again"
    status=$(me "$URL" "$token")
    [ "$status" = 200 ] || bad "+2 d, started again: whoever was signed in is answered with $status"
    smtp_up
    final 90
    wrong=$(count "deliveries WHERE lane < 2 AND state <> 'accepted'")
    [ "$wrong" = 0 ] || bad "+2 d: $wrong urgent deliveries did not arrive"
    clock +0
    until_true 60 "the alarm is over" is_over clock:machine || bad "the alarm stands although the clock is right"
    wrong=$(count "deliveries WHERE lane < 2 AND state <> 'accepted'")
    [ "$wrong" = 0 ] || bad "after +2 d: $wrong urgent deliveries did not arrive"

    end smtp KILL
    approve back --within 30 --validity-minutes 60 || bad "no approval: $(tail -1 "$W/approve.err")"
    sleep 3
    clock -3h
    is_off "$URL" -10800
    if [ "$DB" = sqlite ]; then until_true 10 "the alarm" is_told clock:machine || bad "nobody was told that the clock went back"; fi
    status=$(me "$URL" "$(token_of "$URL")")
    [ "$status" = 200 ] || bad "-3 h: whoever signs in is answered with $status"
    smtp_up
    until_true 60 "what waited leaves after the clock went back" all_final || bad "-3 h: $(count "deliveries WHERE settled_at IS NULL") deliveries are stuck for three hours"
    approve after --within 30 || bad "-3 h: no approval: $(tail -1 "$W/approve.err")"
    until_true 60 "a new message leaves" all_final || bad "-3 h: a new message does not leave"
    unharmed "-3 h"
    in_order "-3 h"
    clock +0
    final 60
    end server TERM
    # With PostgreSQL the clock of a node is asked for nothing.
    [ "$DB" = postgres ] || grep -q '"event":"clock.jumped"' "$W/server.log" || bad "the log does not tell of the jump"
    WRAP=()
    if [ "$DB" = postgres ]; then apart; fi
    books --duplicates 0
    remark "jumped +2 d and -3 h: 0 purged, $(count "deliveries WHERE state = 'expired'") expired, $(fact again) duplicates, told"
}
# Two nodes on one database, one 10 minutes fast and one 10 minutes slow.
apart() {
    local fast=$PORT slow_port token status at
    slow_port=$(free_port)
    echo +600 >"$W/clock-fast"
    echo -600 >"$W/clock-slow"
    faked "$W/clock-fast"
    serve server-fast
    faked "$W/clock-slow"
    VIGIE__SERVER__LISTEN=127.0.0.1:$slow_port spawn server-slow "${WRAP[@]}" "$BINARY" serve
    WRAP=()
    until_true 30 "the slow node is ready" curl -sf -m 2 "http://127.0.0.1:$slow_port/health/ready" || bad "the slow node is not ready"
    is_off "$URL" 600
    is_off "http://127.0.0.1:$slow_port" -600
    for at in 1 2 3; do approve "apart-$at" --within 30 || bad "no approval with clocks apart: $(tail -1 "$W/approve.err")"; done
    final 60
    token=$(token_of "http://127.0.0.1:$slow_port")
    status=$(me "$URL" "$token")
    [ "$status" = 200 ] || bad "20 minutes apart, a token of the slow node gets $status at the fast one"
    token=$(token_of "$URL")
    status=$(me "http://127.0.0.1:$slow_port" "$token")
    [ "$status" = 200 ] || bad "20 minutes apart, a token of the fast node gets $status at the slow one"
    in_order "20 minutes apart"
    end server-fast TERM
    end server-slow TERM
}
run_fault "$@"
