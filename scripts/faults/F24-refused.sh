#!/usr/bin/env bash
# F24 | SQLite | 5xx for a tenth of the recipients | `failed` on the first answer, the other channel reaches them, the rest is untouched
source "$(dirname "$0")/lib.sh"
ID=F24 WHAT="a tenth is refused for good"
ON=(sqlite)

# Nobody's other channel is still in reserve although the mail failed.
taken_over() { is_count "deliveries f JOIN deliveries s ON s.batch_id = f.batch_id AND s.person_id = f.person_id WHERE f.state = 'failed' AND f.lane = 3 AND s.reason = 'not_chosen'" = 0; }
the_fault() {
    local members failed reached wrong lost early
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
    # What is not urgent goes by one channel: whom the mail fails is reached on the other one, suspended already or not.
    "$DRILL" newsletter --town "$W/town.json" --url "$URL" --ledger "$W/client.jsonl" --within 30 >"$W/early.json" 2>>"$W/approve.err" || bad "no newsletter"
    final 60
    until_true 30 "the other channel has taken over" taken_over || bad "newsletter: some wait for the other channel"
    final 60
    early=$(count "deliveries WHERE lane = 3 AND state = 'failed'")
    # And whoever's mailbox is known to be dead by now is reached on the other one.
    until_true 90 "the minute's duties suspend the dead mailboxes" is_count "contact_points WHERE state = 'invalid'" = "$failed" ||
        bad "$(count "contact_points WHERE state = 'invalid'") of $failed dead mailboxes are suspended"
    "$DRILL" newsletter --town "$W/town.json" --url "$URL" --ledger "$W/client.jsonl" --within 30 >"$W/newsletter.json" 2>>"$W/approve.err" || bad "no newsletter"
    final 60
    lost=$(($(count "deliveries WHERE lane = 3 AND state = 'failed'") - early))
    [ "$lost" = 0 ] || bad "newsletter: $lost were sent to a mailbox that is known to be dead"
    reached=$(sql "SELECT count(*) FROM deliveries s JOIN deliveries f ON f.person_id = s.person_id WHERE f.lane < 2 AND f.state = 'failed' AND s.lane = 3 AND s.channel = 'sms' AND s.state = 'accepted'")
    [ "$reached" = $((2 * failed)) ] || bad "newsletters: $reached of $((2 * failed)) SMS to those with a dead mailbox"
    end server TERM
    books --duplicates 0
    remark "$failed of $members refused, each once, and reached by SMS at once; two newsletters reached them by SMS, after $early refused mails"
}
run_fault "$@"
