#!/usr/bin/env bash
# F24 | SQLite | 5xx for a tenth of the recipients | `failed` on the first answer, the other channel reaches them, the rest is untouched
source "$(dirname "$0")/lib.sh"
ID=F24 WHAT="a tenth is refused for good"
ON=(sqlite)

# Nobody's other channel is still in reserve although the mail failed.
taken_over() { is_count "deliveries f JOIN deliveries s ON s.batch_id = f.batch_id AND s.person_id = f.person_id WHERE f.state = 'failed' AND f.lane = 3 AND s.reason = 'not_chosen'" = 0; }
the_fault() {
    local members failed reached wrong
    members=$(size 200 2000)
    house "$members"
    sinks
    smtp_does hardfail:10
    serve
    approve refused --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 60
    failed=$(count "deliveries WHERE channel = 'email' AND state = 'failed'")
    [ "$failed" = $((members / 10)) ] || bad "$failed failed, $((members / 10)) were refused"
    wrong=$(count "deliveries WHERE state = 'failed' AND attempts <> 1")
    [ "$wrong" = 0 ] || bad "$wrong refused ones were tried again"
    wrong=$(count "deliveries WHERE channel = 'email' AND state <> 'failed' AND (state <> 'accepted' OR attempts <> 1)")
    [ "$wrong" = 0 ] || bad "$wrong others suffered"
    reached=$(count "deliveries f JOIN deliveries s ON s.batch_id = f.batch_id AND s.person_id = f.person_id WHERE f.state = 'failed' AND s.channel = 'sms' AND s.state = 'accepted'")
    [ "$reached" = "$failed" ] || bad "$reached of $failed were reached on the other channel"
    # What is not urgent goes by one channel: is the other one used when it fails?
    "$DRILL" newsletter --town "$W/town.json" --url "$URL" --ledger "$W/client.jsonl" --within 30 >"$W/newsletter.json" 2>>"$W/approve.err" || bad "no newsletter"
    final 60
    until_true 30 "the other channel has taken over" taken_over || bad "newsletter: refused ones wait for the other channel"
    final 60
    failed=$(count "deliveries f WHERE f.channel = 'email' AND f.state = 'failed' AND f.lane = 3")
    reached=$(count "deliveries f JOIN deliveries s ON s.batch_id = f.batch_id AND s.person_id = f.person_id WHERE f.state = 'failed' AND f.lane = 3 AND s.channel = 'sms' AND s.state = 'accepted'")
    [ "$reached" = "$failed" ] || bad "newsletter: $reached of $failed were reached on the other channel"
    end server TERM
    books --duplicates 0
    remark "urgent: all $((members / 10)) refused reached by SMS; newsletter: $reached of $failed refused reached otherwise"
}
run_fault "$@"
