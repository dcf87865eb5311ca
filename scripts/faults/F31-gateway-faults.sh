#!/usr/bin/env bash
# F31 | SQLite | the SMS gateway answers 403, 500, not for 60 s, 429 with Retry-After, garbage, or hangs up | each its class, Retry-After respected, the second provider used
source "$(dirname "$0")/lib.sh"
ID=F31 WHAT="gateway: 403, 500, hang, 429, garbage"
ON=(sqlite)

# The first attempts of the newest message at which the gateway was called, by outcome. What still lay ready when the third answer
# in a row stopped the provider was taken back untried.
first_outcomes() {
    sql "SELECT a.outcome || ':' || count(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery_id
         WHERE a.number = 1 AND d.channel = 'sms' AND coalesce(a.reason, '') NOT LIKE 'not tried:%' AND d.batch_id = (SELECT version_id FROM approvals ORDER BY approved_at DESC LIMIT 1) GROUP BY a.outcome" | paste -sd ' '
}
of_newest="SELECT version_id FROM approvals ORDER BY approved_at DESC LIMIT 1"
all_tried() { is_count "attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE a.number = 1 AND a.finished_at IS NOT NULL AND d.batch_id = ($of_newest)" -ge "$MEMBERS"; }
the_fault() {
    local manner wanted got number=0 early told="" wrong
    house "$(size 20 200)" sms
    sinks
    serve
    for manner in 403:refused notroutable:refused 404:refused 500:unknown garbage:unknown drop:unknown 503:deferred 429:deferred hang:unknown; do
        wanted=${manner#*:} manner=${manner%:*}
        number=$((number + 1))
        case $manner in
        429) sms_does 429:7 ;;
        hang) sms_does hang:60 ;;
        *) sms_does "$manner" ;;
        esac
        approve "gateway-$number" --within 30 || bad "no approval at $manner: $(tail -1 "$W/approve.err")"
        until_true 25 "every SMS was tried ($manner)" all_tried || bad "$manner: not every SMS was tried"
        got=$(first_outcomes)
        [[ $got =~ ^$wanted:([0-9]+)$ ]] && [ "${BASH_REMATCH[1]}" -ge 3 ] || bad "$manner: $got instead of $wanted alone, three times or more"
        wrong=$(count "deliveries WHERE batch_id = ($of_newest) AND state = 'failed'")
        [ "$wrong" = 0 ] || bad "$manner: $wrong members are called failed for the gateway's fault"
        if [ "$manner" = 429 ]; then
            sleep 3
            early=$(count "attempts a JOIN deliveries d ON d.id = a.delivery_id WHERE a.number > 1 AND d.batch_id = ($of_newest)")
            [ "$early" = 0 ] || bad "429: $early were tried again before Retry-After was over"
        fi
        sms_does ok
        final 60
        told="$told $manner=$wanted"
    done
    wrong=$(count "deliveries WHERE channel = 'sms' AND state <> 'accepted'")
    [ "$wrong" = 0 ] || bad "$wrong SMS did not leave in the end"
    end server TERM
    books --duplicates "$(count "attempts WHERE outcome = 'unknown'")"
    second
    remark "classes:$told, $(fact sms.again) repeated after no answer"
}
# With a second provider nobody waits for the first.
second() {
    if ! grep -q '^\[sms.second\]' "$ROOT/config/default.toml"; then
        remark "no second provider in this version"
        return
    fi
    local port used
    port=$(free_port)
    export VIGIE__SMS__SECOND__URL=http://127.0.0.1:$port/cgi-bin/sendsms VIGIE__SMS__SECOND__USERNAME=vigie VIGIE__SMS__SECOND__PASSWORD=secret
    : >"$W/sms2.jsonl"
    echo ok >"$W/sms2.mode"
    spawn second python3 "$TOOLS/chaos_sms.py" "$port" "$W/sms2.jsonl" "$W/sms2.mode"
    serve
    sms_does 403
    approve second --within 30 || bad "no approval with a second provider"
    final 30
    used=$(grep -c '"what": "sms"' "$W/sms2.jsonl" || true)
    [ "$used" = "$MEMBERS" ] || bad "$used of $MEMBERS left by the second provider"
    end server TERM
    remark "second provider took $used of $MEMBERS"
}
run_fault "$@"
