# shellcheck shell=bash
# What the fault scripts share: a house (database, settings, the other sides), its ledgers, and the way a fault is run.
#
# A script sets ID and WHAT, names its databases in ON (sqlite, postgres), defines `the_fault`, and ends with `run_fault "$@"`.
# Each database gets a process of its own, whose end takes everything along that it started, mounted or attached. It ends as
# pass (with a remark that says what was seen), FAIL, or SKIP where this machine cannot play the fault: `skip WHY`.
set -euo pipefail
export RUST_BACKTRACE=0

FAULTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$FAULTS/../.." && pwd)
TOOLS=$FAULTS/tools
SELF=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
# As cargo sees it: relative to where it runs, which is the root.
TARGET=${CARGO_TARGET_DIR:-target}
[[ $TARGET == /* ]] || TARGET=$ROOT/$TARGET
BUILT=$TARGET/debug
LEFT=$TARGET/faults
BINARY=${FAULTS_BINARY:-$BUILT/vigie}
DRILL=${FAULTS_DRILL:-$BUILT/examples/drill}
FULL=${FAULTS_FULL:-}
ON=(sqlite postgres)
# The promise of src/delivery/mod.rs in figures, both channels together, as the settings stand: what the workers of a process
# hold (two mails for each connection, one SMS for each request), and with what was answered and not settled all that may be
# in doubt when it dies.
first_of() { grep -ohE "$1" "${@:2}" | head -1 | tr -dc 0-9; }
IN_HAND=$((2 * $(sed -n '/^\[email\]/,/^\[/p' "$ROOT/config/default.toml" | first_of '^connections = [0-9]+') + $(first_of '^in_flight = [0-9]+' "$ROOT/config/default.toml")))
HELD=$((2 * $(first_of 'UNSETTLED_MAX: usize = [0-9_]+' "$ROOT"/src/delivery/*.rs) + IN_HAND))

# The second value in a full run, the first otherwise.
size() { if [ -n "$FULL" ]; then echo "$2"; else echo "$1"; fi; }
say() { printf '%s %s: %s\n' "${ID:-faults}" "${DB:-}" "$*" >&2; }
# Something does not hold: written down, and the run goes on.
bad() {
    say "BAD: $*"
    printf 'bad %s\n' "$*" >>"$VERDICT"
}
# For the table's last column.
remark() { printf 'note %s\n' "$*" >>"$VERDICT"; }
# The scenario cannot go on.
give_up() {
    bad "$*"
    exit 1
}
# The fault cannot be played on this machine: neither a success nor a failure.
skip() {
    say "SKIP: $*"
    printf 'skip %s\n' "$*" >>"$VERDICT"
    exit "$SKIPPED"
}
SKIPPED=77
now_ms() { date +%s%3N; }
random() { python3 -c "import random; print(round(random.uniform($1, $2), 2))"; }

# --- programs that are not in the repository -----------------------------------------------------------------------------

# need PROGRAM PACKAGE...: installs Debian packages when a program is missing.
need() {
    local program=$1 log=${TMPDIR:-/tmp}/vigie-faults-apt.log
    shift
    if [ -e "$program" ] || command -v "$program" >/dev/null; then return 0; fi
    command -v apt-get >/dev/null || skip "there is no $program, and no apt-get to install it with"
    local -a root=()
    [ "$(id -u)" -eq 0 ] || root=(sudo -n)
    say "installing $*"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' \
        sh "$@" >"$log" 2>&1 || skip "there is no $program, and $* cannot be installed: $(tail -1 "$log")"
    [ -e "$program" ] || command -v "$program" >/dev/null || skip "there is no $program, although $* is installed"
}
need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root: $*"; }
# What every scenario uses.
need_the_usual() {
    need curl curl
    need python3 python3
    need setpriv util-linux
    if [ "$DB" = postgres ]; then
        need psql postgresql-client
        need_root "PostgreSQL's programs run as another user"
    fi
}
# Debian keeps it in a folder named after the machine.
need_faketime() {
    faketime_library || need faketime faketime
    faketime_library || need "/usr/lib/$(uname -m)-linux-gnu/faketime/libfaketime.so.1" libfaketime
    faketime_library || skip "libfaketime is nowhere under /usr/lib"
}
faketime_library() {
    local at
    for at in "/usr/lib/$(uname -m)-linux-gnu" /usr/lib/*-linux-gnu* /usr/lib /usr/local/lib; do
        FAKETIME_LIBRARY=$at/faketime/libfaketime.so.1
        if [ -e "$FAKETIME_LIBRARY" ]; then return 0; fi
    done
    return 1
}

build() {
    [ -z "${FAULTS_BUILT:-}" ] || return 0
    if [ -n "${FAULTS_BINARY:-}" ]; then return 0; fi
    say "building"
    (cd "$ROOT" && cargo build --locked --quiet --bin vigie --example drill)
    export FAULTS_BUILT=1
}
# A second binary, FAILING, with the feature `failpoints`; the first is put back.
FAILING=$BUILT/vigie-failpoints
with_failpoints() {
    [ -z "${FAULTS_FAILING:-}" ] || { FAILING=$FAULTS_FAILING && return 0; }
    (
        cd "$ROOT"
        cargo build --locked --quiet --features failpoints --bin vigie
        cp "$BUILT/vigie" "$FAILING"
        cargo build --locked --quiet --bin vigie
    ) || give_up "no binary with failpoints"
}

# --- the end of everything ---------------------------------------------------------------------------------------------

PIDS=()
MOUNTS=()
LOOPS=()
SCRATCH=
# However a process ends, its traps end what it began.
cleans_up() {
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}
clean_up() {
    local status=$? pid place loop at
    trap '' INT TERM HUP
    set +e
    # What a scenario changed outside its processes and mounts.
    if declare -F undo >/dev/null; then undo; fi
    # Each leads a group of its own: what it started in turn goes with it, also where it is gone itself.
    for pid in "${PIDS[@]}"; do
        kill -CONT -- "-$pid" "$pid" 2>/dev/null
        kill -KILL -- "-$pid" "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    for ((at = ${#MOUNTS[@]} - 1; at >= 0; at--)); do
        place=${MOUNTS[at]}
        umount "$place" 2>/dev/null || { sleep 1 && umount -l "$place" 2>/dev/null; }
    done
    for loop in "${LOOPS[@]}"; do losetup -d "$loop" 2>/dev/null; done
    [ -z "$SCRATCH" ] || rm -rf "$SCRATCH"
    exit "$status"
}

# spawn NAME COMMAND...: in the background, its words in $W/NAME.log, its pid in $W/NAME.pid.
spawn() {
    local name=$1
    shift
    set -m # a process group for it and its children
    "$@" >>"$W/$name.log" 2>&1 </dev/null &
    set +m
    PIDS+=("$!")
    echo "$!" >"$W/$name.pid"
}
pid_of() { cat "$W/$1.pid"; }
alive() { kill -0 "$(pid_of "$1")" 2>/dev/null; }
# end NAME [SIGNAL]: waits for the end; the exit status is left in ENDED.
end() {
    local pid
    pid=$(pid_of "$1")
    kill -"${2:-KILL}" "$pid" 2>/dev/null || true
    ENDED=0
    wait "$pid" 2>/dev/null || ENDED=$?
    # What a killed script had started goes too.
    kill -KILL -- "-$pid" 2>/dev/null || true
}
# until_true SECONDS WHAT COMMAND...: 1 when it did not become so.
until_true() {
    local limit=$(($(now_ms) + $1 * 1000)) what=$2
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        if [ "$(now_ms)" -gt "$limit" ]; then
            say "not in time: $what"
            return 1
        fi
        sleep 0.1
    done
}
free_port() {
    local port
    while true; do
        port=$((10000 + RANDOM % 9000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# small_disk NAME SIZE: an ext4 of that size on a loop device, mounted at $W/NAME.
small_disk() {
    local image=$W/$1.img place=$W/$1 loop
    need_root "mounts"
    need mkfs.ext4 e2fsprogs
    truncate -s "$2" "$image"
    mkfs.ext4 -q -m 0 "$image"
    loop=$(losetup --show -f "$image") || skip "no loop device"
    LOOPS+=("$loop")
    mkdir -p "$place"
    mount "$loop" "$place"
    MOUNTS+=("$place")
    chmod 777 "$place"
}
# unmounts PLACE: whoever was there may take a moment to leave.
unmounts() { until_true 15 "$1 is left by everybody" umount "$1"; }
# A scenario that sets CLUSTER_DISK (as in 160M) has PostgreSQL's files on a disk of that size: FAULTS_DISK is where it is
# mounted, FAULTS_IMAGE what lies under it.
CLUSTER_DISK=
cluster_on_a_disk() {
    (
        SCRATCH=$(mktemp -d /tmp/vf.XXXXXX)
        # PostgreSQL's user must be able to enter.
        chmod 755 "$SCRATCH"
        W=$SCRATCH
        cleans_up
        small_disk disk "$CLUSTER_DISK"
        export FAULTS_DISK=$W/disk FAULTS_IMAGE=$W/disk.img
        TMPDIR=$W/disk "$ROOT/scripts/postgres" run --durable -- "$@"
    )
}

# --- the house -----------------------------------------------------------------------------------------------------------

# house MEMBERS [CHANNELS] [FOLDER]: a town in a fresh database, and the settings to serve it. Channels: both, email, sms.
house() {
    MEMBERS=$1
    local channels=${2:-both} folder=${3:-$W/data}
    mkdir -p "$folder"
    PORT=$(free_port)
    URL=http://127.0.0.1:$PORT
    export VIGIE__DATA_DIR=$folder
    export VIGIE__SERVER__LISTEN=127.0.0.1:$PORT VIGIE__SERVER__PUBLIC_URL=$URL VIGIE__SERVER__WORKERS=2
    export VIGIE__LIMITS__URGENT_PER_ZONE_HOUR=100000 VIGIE__LIMITS__READS_PER_MINUTE=1000000
    export VIGIE__LIMITS__WRITES_PER_MINUTE=1000000 VIGIE__LIMITS__NETWORK_PER_MINUTE=1000000
    export VIGIE__LIMITS__SIGN_INS_PER_ACCOUNT=1000000 VIGIE__LIMITS__SIGN_INS_PER_NETWORK=1000000
    export VIGIE__LIMITS__STEP_UPS_PER_ACCOUNT=1000000
    export VIGIE__LIMITS__ARGON2_MEMORY_KIB=8 VIGIE__LIMITS__ARGON2_PASSES=1
    if [ "$DB" = sqlite ]; then
        DB_URL=sqlite:$folder/vigie.sqlite
    else
        DB_URL=${VIGIE_TEST_POSTGRES%/*}/vigie
        psql -XAtq "$VIGIE_TEST_POSTGRES" -c 'CREATE DATABASE vigie'
    fi
    export VIGIE__DATABASE__URL=$DB_URL
    "$BINARY" keys new >"$folder/own-keys"
    export VIGIE__KEYS_FILE=$folder/own-keys
    "$DRILL" town --members "$MEMBERS" --channels "$channels" --out "$W/town.json" >"$W/town.log" 2>&1 ||
        give_up "the town could not be made: $(tail -1 "$W/town.log")"
    mail_to_smtp
    sms_to_gateway
}
mail_to_smtp() {
    SMTP_PORT=$(free_port)
    export VIGIE__EMAIL__TRANSPORT=smtp VIGIE__EMAIL__HOST=127.0.0.1 VIGIE__EMAIL__PORT=$SMTP_PORT VIGIE__EMAIL__TLS=none
    # With a bounce address the envelope names the delivery, so the ledger does too; older versions do not know it.
    if grep -q '^bounce_address' "$ROOT/config/default.toml"; then
        export VIGIE__EMAIL__BOUNCE_ADDRESS=bounce@vigie.example
    fi
    echo "${1:-ok}" >"$W/smtp.mode"
    : >"$W/mail.jsonl"
}
sms_to_gateway() {
    SMS_PORT=$(free_port)
    export VIGIE__SMS__TRANSPORT=kannel VIGIE__SMS__URL=http://127.0.0.1:$SMS_PORT/cgi-bin/sendsms
    export VIGIE__SMS__USERNAME=vigie VIGIE__SMS__PASSWORD=secret
    echo "${1:-ok}" >"$W/sms.mode"
    : >"$W/sms.jsonl"
}
# sinks [SMTP ARGUMENTS...]: the other sides.
sinks() {
    smtp_up "$@"
    spawn gateway /usr/bin/env python3 "$TOOLS/chaos_sms.py" "$SMS_PORT" "$W/sms.jsonl" "$W/sms.mode"
    until_true 10 "the SMS gateway listens" listens "$SMS_PORT" || give_up "no SMS gateway"
}
smtp_up() {
    spawn smtp /usr/bin/env python3 "$TOOLS/chaos_smtp.py" "$SMTP_PORT" "$W/mail.jsonl" "$W/smtp.mode" "$@"
    until_true 10 "the mail server listens" listens "$SMTP_PORT" || give_up "no mail server"
}
smtp_does() { echo "$*" >"$W/smtp.mode"; }
sms_does() { echo "$*" >"$W/sms.mode"; }
# proxy: in front of PostgreSQL; it does what $W/proxy.json says. Its port is left in PROXY_PORT.
proxy() {
    PROXY_PORT=$(free_port)
    echo '{}' >"$W/proxy.json"
    spawn proxy python3 "$TOOLS/tcpfault.py" "$PROXY_PORT" 127.0.0.1 \
        "$(python3 -c 'import sys, urllib.parse; print(urllib.parse.urlsplit(sys.argv[1]).port)' "$DB_URL")" "$W/proxy.json"
    until_true 10 "the proxy listens" listens "$PROXY_PORT" || give_up "no proxy"
    export VIGIE__DATABASE__URL=postgres://vigie@127.0.0.1:$PROXY_PORT/vigie
}
# WRAP may hold a command that the server is started with (prlimit, env LD_PRELOAD=...).
WRAP=()
# serve [NAME] [serve|work]: starts the server and waits until it is ready.
serve() {
    local name=${1:-server} verb=${2:-serve}
    spawn "$name" "${WRAP[@]}" "$BINARY" "$verb"
    [ "$verb" = serve ] || return 0
    until_true "${PATIENCE:-30}" "$name is ready" curl -sf -m 2 "$URL/health/ready" || give_up "$name does not become ready: $(tail -c 300 "$W/$name.log")"
}
ready_status() { curl -s -m "${1:-3}" -o /dev/null -w '%{http_code}' "$URL/health/ready" || true; }
logs() {
    local log
    for log in "$W"/server*.log "$W"/node*.log; do if [ -e "$log" ]; then printf -- '--log\n%s\n' "$log"; fi; done
}

sql() { python3 "$TOOLS/books.py" --db "$DB_URL" --sql "$1"; }
count() { sql "SELECT count(*) FROM $1"; }
is_count() { [ "$(count "$1")" "$2" "$3" ]; }
all_final() { [ "$(count "deliveries WHERE settled_at IS NULL")" = 0 ]; }
# in_doubt: after a death and before the next start. UNDER_WAY deliveries were leased, TAKEN of them had newly been taken by the
# other sides: these go out again, and nothing else. DOUBT counts them, each attempt once however many deaths it outlasts
# (the next process cannot claim before the lease is over): it is what a scenario allows as duplicates.
DOUBT=0 UNDER_WAY=0 TAKEN=0
in_doubt() {
    # What had left the process is taken down, and PostgreSQL ends what it was told.
    sleep 0.5
    local before=$DOUBT
    python3 "$TOOLS/books.py" --db "${1:-$DB_URL}" --mail "$W/mail.jsonl" --sms "$W/sms.jsonl" --doubt >"$W/under-way"
    UNDER_WAY=$(grep -c . "$W/under-way" || true)
    touch "$W/doubt"
    sort -u "$W/doubt" <(grep ' taken$' "$W/under-way") -o "$W/doubt"
    DOUBT=$(grep -c . "$W/doubt" || true)
    TAKEN=$((DOUBT - before))
    [ "$TAKEN" -le "$HELD" ] || bad "$TAKEN were taken and not settled: the promise is $HELD"
    printf '%s under way, %s taken\n' "$UNDER_WAY" "$TAKEN" >>"$W/deaths"
}
# final SECONDS: waits until every delivery is final.
final() { until_true "$1" "everything is final" all_final || bad "I2: $(count "deliveries WHERE settled_at IS NULL") deliveries are not final after $1 s"; }
# mails, texts: how many the other sides took.
mails() { grep -c '"what": "mail"' "$W/mail.jsonl" || true; }
texts() { grep -c '"what": "sms"' "$W/sms.jsonl" || true; }
at_least() { [ "$("$1")" -ge "$2" ]; }

# approve KEY [drill arguments]: one urgent message, asked for again under the same key until it is answered.
approve() {
    local key=$1
    shift
    "$DRILL" approve --town "$W/town.json" --url "$URL" --idempotency-key "drill-$key" --ledger "$W/client.jsonl" "$@" \
        >"$W/approve.$key.json" 2>>"$W/approve.err"
}
approve_later() {
    local key=$1
    shift
    spawn "approve-$key" "$DRILL" approve --town "$W/town.json" --url "$URL" --idempotency-key "drill-$key" --ledger "$W/client.jsonl" "$@"
}
# Waits for approvals that were begun.
approved() {
    local key=$1 status=0
    wait "$(pid_of "approve-$key")" || status=$?
    [ "$status" = 0 ] || bad "the approval $key was not answered: $(tail -c 200 "$W/approve-$key.log")"
}

# books [arguments]: compares the ledgers; each thing that does not hold is written down.
books() {
    local facts line status=0
    local -a all=()
    # A real gateway keeps no ledger for us.
    local -a SMS_LEDGER=(--sms "$W/sms.jsonl")
    [ "${1:-}" != --no-sms ] || { SMS_LEDGER=() && shift; }
    mapfile -t all < <(logs)
    facts=$(python3 "$TOOLS/books.py" --db "$DB_URL" --members "$MEMBERS" --client "$W/client.jsonl" --mail "$W/mail.jsonl" \
        "${SMS_LEDGER[@]}" "${all[@]}" "$@" 2>"$W/books.err") || status=$?
    printf '%s\n' "$facts" >>"$W/books.json"
    if [ "$status" != 0 ]; then
        grep -q '^bad: ' "$W/books.err" || bad "books: $(tail -1 "$W/books.err")"
        while IFS= read -r line; do bad "${line#bad: }"; done < <(grep '^bad: ' "$W/books.err")
    fi
}
# fact JQ-LIKE PATH: a number out of the last facts, such as email.again
fact() {
    tail -n 1 "$W/books.json" | python3 -c '
import json, sys
value = json.load(sys.stdin)
for word in sys.argv[1].split("."):
    value = value.get(word, 0) if isinstance(value, dict) else 0
print(value)' "$1"
}

# --- PostgreSQL as its operator sees it ---------------------------------------------------------------------------------

pg() { psql -XAtq "${VIGIE_TEST_POSTGRES}" -c "$1"; }
pg_find() {
    PG_DATA=$(pg 'SHOW data_directory')
    PG_PORT=$(pg 'SHOW port')
    PG_PROGRAMS=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
    PG_USER=$(stat -c %U "$PG_DATA")
}
pg_as() { (cd / && setpriv --reuid="$PG_USER" --regid="$(id -g "$PG_USER")" --clear-groups env -i PATH="$PATH" LC_ALL=C "$@"); }
pg_stop() { pg_as "$PG_PROGRAMS/pg_ctl" stop -D "$PG_DATA" -m immediate -s -t 20; }
pg_start() { pg_as "$PG_PROGRAMS/pg_ctl" start -D "$PG_DATA" -o "-p $PG_PORT" -l "$(dirname "$PG_DATA")/again.log" -w -s -t 60 </dev/null >/dev/null 2>&1; }

# --- running -------------------------------------------------------------------------------------------------------------

# One database, in this process.
one_case() {
    DB=$1
    W=$LEFT/$ID-$DB
    rm -rf "$W"
    mkdir -p "$W"
    VERDICT=$W/verdict
    : >"$VERDICT"
    : >"$W/client.jsonl"
    cleans_up
    need_the_usual
    the_fault
    ! grep -q '^bad ' "$VERDICT"
}
run_fault() {
    local wanted=()
    while [ $# -gt 0 ]; do
        case $1 in
        --case)
            one_case "$2"
            exit 0
            ;;
        --quick) FULL= ;;
        --full) FULL=1 ;;
        --db)
            wanted+=("$2")
            shift
            ;;
        *)
            echo "usage: $(basename "$0") [--quick|--full] [--db sqlite|postgres]" >&2
            exit 2
            ;;
        esac
        shift
    done
    export FAULTS_FULL=$FULL
    build
    local db start status result failed=0 skipped=0 ran=0 verdict words
    for db in "${ON[@]}"; do
        if [ ${#wanted[@]} -gt 0 ] && [[ " ${wanted[*]} " != *" $db "* ]]; then continue; fi
        start=$SECONDS status=0 ran=1
        verdict=$LEFT/$ID-$db/verdict
        mkdir -p "${verdict%/*}"
        : >"$verdict"
        if [ "$db" = postgres ] && [ -n "$CLUSTER_DISK" ]; then
            DB=$db VERDICT=$verdict cluster_on_a_disk "$SELF" --case "$db" || status=$?
        elif [ "$db" = postgres ]; then
            "$ROOT/scripts/postgres" run --durable -- "$SELF" --case "$db" || status=$?
        else
            "$SELF" --case "$db" || status=$?
        fi
        words=$(said bad "$verdict" | head -3 | paste -sd ';')
        if [ -n "$words" ]; then
            result=FAIL failed=1
        elif [ "$status" = "$SKIPPED" ]; then
            result=SKIP skipped=1 words=$(said skip "$verdict" | paste -sd ';')
        elif [ "$status" != 0 ]; then
            result=FAIL failed=1 words="the script itself ended with $status"
        else
            words=$(said note "$verdict" | paste -sd ';')
            result=pass
            [ -n "$words" ] || { result=FAIL failed=1 words="it does not say what it has proved"; }
        fi
        row "$db" "$result" "$((SECONDS - start))" "$words"
    done
    if [ "$ran" = 0 ]; then
        row "${wanted[*]}" SKIP 0 "only on ${ON[*]}"
        skipped=1
    fi
    [ "$failed" = 0 ] || exit 1
    [ "$skipped" = 0 ] || exit "$SKIPPED"
}
# said KIND VERDICT: the lines of one kind.
said() { sed -n "s/^$1 //p" "$2" 2>/dev/null || true; }
row() {
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$ID" "$1" "$WHAT" "$2" "$3" "$4" | tee -a "${FAULTS_TABLE:-/dev/null}" | sed 's/\t/ | /g'
}
