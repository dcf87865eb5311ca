#!/usr/bin/env bash
# F02 | SQLite, PostgreSQL | abort at each failpoint, 1 (full: 5) times each | as F01; exactly what was taken and not settled goes out twice: nothing where nothing was handed over yet
# Builds a second binary with the feature `failpoints`.
source "$(dirname "$0")/lib.sh"
ID=F02 WHAT="abort at each failpoint"

dead() { ! alive server; }
the_fault() {
    local point points=() round rounds runs=0 deaths=0 seen=""
    rounds=$(size 1 5)
    mapfile -t points < <(grep -rhoE 'dies_at!\("[a-z_.0-9]+"' "$ROOT/src" | cut -d'"' -f2 | sort -u)
    [ ${#points[@]} -gt 10 ] || give_up "only ${#points[@]} failpoints: ${points[*]}"
    with_failpoints
    house "$(size 60 500)"
    sinks
    smtp_does ok:0.02
    for point in "${points[@]}"; do
        for ((round = 1; round <= rounds; round++)); do
            deaths=$((deaths + 1))
            TAKEN=0
            case $point in
            migrate.mid) half_a_schema "$round" ;;
            cron.*) in_the_minute "$point" ;;
            *) in_a_message "$point" ;;
            esac
        done
        seen+="$point $TAKEN, "
    done
    books --duplicates "$DOUBT"
    [ "$(fact again)" = "$DOUBT" ] || bad "$(fact again) duplicates, $DOUBT were taken and not settled"
    [ "$(fact acknowledged)" = "$runs" ] || bad "$(fact acknowledged) of $runs approvals were acknowledged"
    remark "$deaths deaths at ${#points[@]} points; taken and not settled, and so twice (the last of each): ${seen%, }; $(fact again) duplicates"
}
# start_to_fail POINTS
start_to_fail() {
    FAILPOINTS=$1 spawn server "$FAILING" serve
    until_true 30 "ready" curl -sf -m 2 "$URL/health/ready" || give_up "not ready: $(tail -c 300 "$W/server.log")"
}
dies() {
    until_true 30 "it dies at $1" dead || bad "it did not die at $1: this proves nothing"
    end server KILL
    in_doubt
}
# The message and the letters about it are written and settled before: what is under way at the death is what was approved.
in_a_message() {
    local point=$1 when
    runs=$((runs + 1))
    serve
    approve_later "point-$runs" --within 120 --after "$W/go-$runs"
    until_true 30 "the message waits for its approval" is_count "messages WHERE status = 'submitted'" = 1 || give_up "no message"
    final 30
    end server TERM
    # The first times a mail or a result passes it lives on, so that something is under way everywhere.
    case $point in
    accept.* | approve.* | claim.*) when="1*return" ;;
    *) when="3*off->1*return" ;;
    esac
    start_to_fail "$point=$when"
    touch "$W/go-$runs"
    dies "$point"
    case $point in
    # Before the commit nobody knows of it; a claim that was committed and told to nobody is carried by nobody.
    accept.before_commit | approve.* | claim.*) [ "$TAKEN" = 0 ] || bad "$point: $TAKEN were handed over" ;;
    # These lie between the hand-over and the commit of its result.
    smtp.* | sms.* | finish.before_commit) [ "$TAKEN" -gt 0 ] || bad "$point: nothing was in flight, this proves nothing" ;;
    esac
    serve
    approved "point-$runs"
    final 60
    end server TERM
}
# A duty has done its work and has not committed it; the next start does it again.
in_the_minute() {
    local point=$1 before
    # Three rounds of ten duties pass.
    start_to_fail "cron.minute=return(1500);$point=25*off->1*return"
    dies "$point"
    before=$(sql "SELECT reached_at FROM duty_marks ORDER BY duty")
    [ -n "$before" ] || bad "$point: no duty was done before the death"
    serve
    until_true 20 "the duties are done again" has_moved "$before" || bad "$point: the minute's duties are not done after the death"
    end server TERM
}
has_moved() { [ "$(sql "SELECT reached_at FROM duty_marks ORDER BY duty")" != "$1" ]; }
# A schema of which only the first steps are there is brought to its end by the next start, as if nothing had happened.
half_a_schema() {
    local url whole half steps
    whole=$(schema "$DB_URL")
    if [ "$DB" = sqlite ]; then
        mkdir -p "$W/half-$1"
        url=sqlite:$W/half-$1/vigie.sqlite
    else
        url=${DB_URL%/*}/half_$1
        psql -XAtq "$VIGIE_TEST_POSTGRES" -c "CREATE DATABASE half_$1"
    fi
    VIGIE__DATABASE__URL=$url FAILPOINTS="migrate.mid=3*off->1*return" spawn server "$FAILING" migrate
    dies migrate.mid
    half=$(steps_of "$url")
    VIGIE__DATABASE__URL=$url "$BINARY" migrate >"$W/migrate.log" 2>&1 || bad "migrate.mid: the next start fails: $(tail -1 "$W/migrate.log")"
    steps=$(steps_of "$url")
    [ "$half" = 4 ] && [ "$steps" -gt 4 ] || bad "migrate.mid: $half of $steps steps were there at the death: this proves nothing"
    [ "$(schema "$url")" = "$whole" ] || bad "migrate.mid: the schema is another one than without the death"
}
steps_of() { python3 "$TOOLS/books.py" --db "$1" --sql "SELECT count(*) FROM __diesel_schema_migrations"; }
schema() {
    if [ "$DB" = sqlite ]; then
        python3 "$TOOLS/books.py" --db "$1" --sql "SELECT type, name, sql FROM sqlite_master ORDER BY type, name" | sha256sum
    else
        python3 "$TOOLS/books.py" --db "$1" --sql "
            SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint WHERE connamespace = 'public'::regnamespace
            ORDER BY 1, 2, 3" | sha256sum
    fi
}
run_fault "$@"
