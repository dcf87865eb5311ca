#!/usr/bin/env bash
# F24 | SQLite | 5xx for a tenth of the recipients | `failed` on the first answer, the other channel reaches them, the rest is untouched
source "$(dirname "$0")/lib.sh"
ID=F24 WHAT="a tenth is refused for good"
ON=(sqlite)

the_fault() {
    local members failed reached wrong lost
    members=$(size 200 2000)
    house "$members"
    sinks
    smtp_does hardfail:10
    serve
    approve refused --within 30 || give_up "no approval: $(tail -1 "$W/approve.err")"
    final 60
    failed=$(count "deliveries WHERE channel = 'email' AND state = 'failed'")
    [ "$failed" -gt 0 ] || bad "nobody was refused: this proves nothing"
    [ "$failed" = $((members / 10)) ] || bad "$failed failed, $((members / 10)) were refused"
    wrong=$(count "deliveries WHERE state = 'failed' AND attempts <> 1")
    [ "$wrong" = 0 ] || bad "$wrong refused ones were tried again"
    wrong=$(count "deliveries WHERE channel = 'email' AND state <> 'failed' AND (state <> 'accepted' OR attempts <> 1)")
    [ "$wrong" = 0 ] || bad "$wrong others suffered"
    reached=$(count "deliveries f JOIN deliveries s ON s.batch_id = f.batch_id AND s.person_id = f.person_id WHERE f.state = 'failed' AND s.channel = 'sms' AND s.state = 'accepted'")
    [ "$reached" = "$failed" ] || bad "$reached of $failed were reached on the other channel"
    # What is not urgent goes by one channel: whoever's mailbox is known to be dead by now is reached on the other one.
    until_true 90 "the minute's duties suspend the dead mailboxes" is_count "contact_points WHERE state = 'invalid'" = "$failed" ||
        bad "$(count "contact_points WHERE state = 'invalid'") of $failed dead mailboxes are suspended"
    "$DRILL" newsletter --town "$W/town.json" --url "$URL" --ledger "$W/client.jsonl" --within 30 >"$W/newsletter.json" 2>>"$W/approve.err" || bad "no newsletter"
    final 60
    lost=$(count "deliveries WHERE lane = 3 AND state = 'failed'")
    [ "$lost" = 0 ] || bad "newsletter: $lost were sent to a mailbox that is known to be dead"
    reached=$(sql "SELECT count(DISTINCT s.person_id) FROM deliveries s JOIN deliveries f ON f.person_id = s.person_id WHERE f.lane < 2 AND f.state = 'failed' AND s.lane = 3 AND s.channel = 'sms' AND s.state = 'accepted'")
    [ "$reached" = "$failed" ] || bad "newsletter: $reached of $failed with a dead mailbox were reached by SMS"
    end server TERM
    books --duplicates 0
    remark "$failed of $members refused, each once, and reached by SMS at once; the newsletter reached $reached of them by SMS"
}
run_fault "$@"
