#!/usr/bin/env bash
# F19 | PostgreSQL | the answer to a third of all COMMITs is lost, 40 (full: 200) drafts | asked again with its key, the first result comes back; never two messages
source "$(dirname "$0")/lib.sh"
ID=F19 WHAT="the answer of COMMIT is lost"
ON=(postgres)

the_fault() {
    local drafts cut told wrong found
    drafts=$(size 40 200)
    house 50
    proxy
    sinks
    serve
    echo '{"cut_commit_answer": 0.33}' >"$W/proxy.json"
    python3 "$TOOLS/drafts.py" --url "$URL" --town "$W/town.json" --ledger "$W/client.jsonl" --count "$drafts" --within 300 >"$W/drafts.json" || bad "the drafts did not end"
    approve_later cut --within 120
    approved cut
    echo '{}' >"$W/proxy.json"
    cut=$(grep -c '"cut"' "$W/proxy.log" || true)
    [ "$cut" -gt 5 ] || bad "only $cut answers were lost: this proves nothing"
    # A lost answer may be that of a courier. What counts: a draft that failed for its client, and was there when asked again.
    found=$(python3 -c 'import json,sys; print(json.load(sys.stdin)["found"])' <"$W/drafts.json")
    [ "$found" -ge 1 ] || bad "no draft was done and its answer lost: this proves nothing"
    told=$(python3 -c 'import json,sys; told=json.load(sys.stdin); print(told["messages"], told["another_answer"], told["unanswered"])' <"$W/drafts.json")
    [ "$told" = "$drafts 0 0" ] || bad "messages, other answers, unanswered: $told"
    wrong=$(grep -cE '"status": ?5(0[0124-9]|[1-9])' "$W/client.jsonl" || true)
    [ "$wrong" = 0 ] || bad "$wrong requests were answered with a 5xx other than 503"
    final 60
    end server TERM
    # The driver's own message comes on top.
    [ "$(count messages)" = $((drafts + 1)) ] || bad "$(count messages) messages for $drafts drafts and one approval"
    # The process lives and keeps what it was answered until it can write: nothing goes out twice.
    books --duplicates 0
    remark "$cut answers lost, $found drafts found their first answer by asking again, $drafts keys gave $drafts messages, $(fact again) duplicates"
}
run_fault "$@"
