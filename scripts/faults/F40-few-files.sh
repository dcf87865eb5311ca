#!/usr/bin/env bash
# F40 | SQLite | 128 file descriptors, 400 connections for 10 s | lives, does not burn the processor, serves again afterwards
source "$(dirname "$0")/lib.sh"
ID=F40 WHAT="out of file descriptors"
ON=(sqlite)

descriptors() { ls "/proc/$(pid_of server)/fd" | wc -l; }
ticks() { cut -d' ' -f14,15 "/proc/$(pid_of server)/stat" | tr ' ' + | bc; }
is_ready() { [ "$(ready_status)" = 200 ]; }
the_fault() {
    local before burnt at back busy held refused
    need prlimit util-linux
    need bc bc
    house 50
    sinks
    WRAP=(prlimit --nofile=128)
    serve
    spawn crowd python3 -c '
import socket, sys, time
held = []
for _ in range(400):
    try:
        held.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2))
        held[-1].sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    except OSError:
        pass
print("open:", len(held), flush=True)
end = time.time() + 10
while time.time() < end:
    for one in held:
        try:
            one.sendall(b"x")
        except OSError:
            pass
    time.sleep(0.5)' "$PORT"
    sleep 2
    held=$(descriptors)
    [ "$held" -ge 126 ] || bad "only $held of 128 descriptors were in use: this proves nothing"
    refused=$(ready_status 2)
    [ "$refused" != 200 ] || bad "a further connection was served: nothing was used up, and this proves nothing"
    before=$(ticks)
    sleep 6
    burnt=$(($(ticks) - before))
    busy=$((burnt * 100 / 6 / $(getconf CLK_TCK)))
    [ "$busy" -le 50 ] || bad "$busy % of a processor burnt while nothing could be accepted"
    alive server || give_up "the server died: $(tail -c 300 "$W/server.log")"
    wait "$(pid_of crowd)" || true
    at=$(now_ms)
    until_true 30 "serves again" is_ready || bad "does not serve again"
    back=$(($(now_ms) - at))
    [ "$back" -le 10000 ] || bad "served again only after $back ms"
    approve after --within 30 || bad "no approval afterwards: $(tail -1 "$W/approve.err")"
    final 60
    end server TERM
    [ "$ENDED" = 0 ] || bad "ended with $ENDED"
    books --duplicates 0
    remark "no descriptor left ($held in use) and a further connection not served, $busy % of a processor meanwhile, served again after $back ms, $(tail -1 "$W/crowd.log")"
}
run_fault "$@"
