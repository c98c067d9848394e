#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The demo behind `make run`, on free ports: what it prints, and Ctrl-C.
. "$(dirname "$0")/lib.sh"

if [ ! -e "$fixtures/demo.pcap" ]; then
    skip 'the demo runs' 'no capture of the lab'
    done_testing
fi

# make, a terminal, Ctrl-C once the daemon has started: exit code of make.
cat >"$work/Makefile" <<MAKE
.PHONY: run
run:
	@BUILD=$BUILD DEMO_STORE=$work/demo.db packaging/demo.sh \\
	  --listen udp://127.0.0.1:0 --http 127.0.0.1:0
MAKE
cat >"$work/terminal.py" <<'PYTHON'
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("make", ["make", "-f", sys.argv[1], "run"])
seen, sent, end = b"", False, time.time() + 60
while time.time() < end:
    if not select.select([terminal], [], [], 0.2)[0]:
        continue
    try:
        seen += os.read(terminal, 4096)
    except OSError:
        break
    if not sent and b'msg="started' in seen:
        time.sleep(0.5)
        os.write(terminal, b"\x03")
        sent = True
sys.stdout.write(seen.decode(errors="replace").replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
run_demo() {
    python3 "$work/terminal.py" "$work/Makefile" >"$work/demo.out"
    local code=$?
    cat "$work/demo.out"
    return $code
}
prints() { # extended regular expression
    grep -qE "$1" "$work/demo.out" || { cat "$work/demo.out"; return 1; }
}
check 'it ends with exit code 0 at Ctrl-C' run_demo
check 'it prints the exposures' prints '^  192\.0\.2\.20 +tcp +22 '
check 'it prints the trans-darkport' prints '^  192\.0\.2\.10 +tcp +31337 '
check 'it prints the scans' prints '^  203\.0\.113\.66 +[0-9]+$'
check 'it gives two curl lines to try' \
    test "$(grep -c '^  curl -s ' "$work/demo.out")" -eq 2
check 'it gives one sqlite3 line to try' \
    test "$(grep -c '^  sqlite3 ' "$work/demo.out")" -eq 1
check 'the sqlite3 line works' bash -c \
    "$(grep '^  sqlite3 ' "$work/demo.out") | grep -E '^192\.0\.2\.20 +tcp +22 '"
check 'a second run starts afresh' run_demo
check 'and says so' prints 'removed; the demo starts afresh'
check 'and finds the same' prints '^exposures: [1-9]'
done_testing
