#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""score.py --daemon FILE --truth PREFIX --internal CIDR... EXPORT...

Reads flow exports with darkportd and compares what it says with the truth
that truth.py wrote as PREFIX.attempts.tsv and so on. Prints one row, tab
separated: see COLUMNS. After it, with --list, one row for each claim that is
false and each fact that is missing, with what darkportd said instead.

  --internal CIDR   an internal network; may be given again
  --capture NAME    the first column; default: the name of PREFIX
  --flavour NAME    the second column; default: the name of EXPORT
  --feed KIND       "whole" (default): silence can be seen. "sampled" or
                    "one-sided": what is not found is not counted as false
  --visible         configure that the feed shows both directions: nothing in
                    the export tells, as it has no answer at all
  --no-v6           the export has no IPv6: leave it out of the truth
  --list            list what differs
  --assert          exit with 1 unless the targets are met: on a whole feed
                    nothing false and nothing missing, so all four shares 1
                    and no direction unknown, but for what --known lists; on
                    any other, no false exposure and no false attempt
  --known FILE      rows "capture flavours what src dst proto port why": what
                    exports of these flavours (patterns, with commas) cannot
                    tell of a capture, on whole feeds. --assert lets it pass,
                    but only while it is so

Exposures are (host, protocol, port): what stands in the map and is no hint.
Unresolved is the share of attempts that darkportd calls so; unknown that of
the conversations of whose opening a packet tells, but darkportd does not.
Attempts are (source, its port, target, protocol, port, answer). An attempt
that darkportd calls unresolved claims nothing: it is missing, not false.
"""
import argparse
import collections
import fnmatch
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

COLUMNS = ("capture", "flavour", "exposures", "x_precision", "x_recall",
           "x_f1", "attempts", "a_precision", "a_recall", "a_f1",
           "unresolved", "unknown")

PROTO = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
ANSWERS = {"accepted": "accepted", "accepted/half-open": "accepted",
           "accepted/no-ack": "accepted", "echo-answered": "accepted",
           "refused": "refused", "stealth:closed": "refused",
           "stealth:unfiltered": "refused", "silent": "silent",
           "stealth:open|filtered": "silent", "stealth:other": "silent",
           "echo-silent": "silent", "unreach": "unreachable",
           "denied": "denied", "unresolved": "unresolved"}


def table(path):
    with open(path, encoding="ascii") as f:
        next(f)
        return [line.rstrip("\n").split("\t") for line in f]


class Truth:
    """attempts: Counter of (src, sport, dst, proto, port, answer)."""

    def __init__(self, prefix, v6):
        def rows(what, address):
            return [r for r in table("%s.%s.tsv" % (prefix, what))
                    if v6 or ":" not in r[address]]
        self.exposures = {tuple(r) for r in rows("exposures", 0)}
        self.attempts = collections.Counter(
            (r[1], r[2], r[3], r[4], port_of(r), r[7])
            for r in rows("attempts", 1))
        self.outbound = [(r[1], r[2], r[3], r[4], port_of(r))
                         for r in rows("outbound", 1)]


def port_of(r):
    return "0" if r[4].startswith("icmp") else r[5]


class Claims:
    """What darkportd says of the exports."""

    def __init__(self, daemon, internal, exports, visible=False,
                 verbose=False):
        with tempfile.TemporaryDirectory(prefix="darkport-truth-") as work:
            store = os.path.join(work, "store.db")
            command = [daemon, "--training", "0", "--http", "none",
                       "--verdicts", "--store", store]
            if visible:
                config = os.path.join(work, "darkportd.conf")
                with open(config, "w", encoding="ascii") as f:
                    f.write('feed = {"0.0.0.0/0: visibility=both"}\n')
                command += ["--config", config]
            for cidr in internal:
                command += ["--internal", cidr]
            for path in exports:
                command += ["--read", path]
            run = subprocess.run(command, capture_output=True, text=True,
                                 timeout=120)
            if run.returncode != 0:
                sys.exit("score.py: %s\n%s" % (" ".join(command), run.stderr))
            if verbose:
                sys.stderr.write(run.stderr)
            self.read_verdicts(run.stdout)
            self.read_map(store)

    def read_verdicts(self, text):
        live, self.all = {}, []
        for line in text.splitlines():
            v = json.loads(line)
            if v["outcome"] == "transit":
                continue
            key = (v["outer"], v["outer_port"], v["inner"], v["inner_port"],
                   v["proto"], v["generation"])
            if v["ended"]:
                live.pop(key, None)
            elif key in live:
                live[key].update(v)
            else:
                live[key] = v
                self.all.append(v)
        self.attempts = collections.Counter()
        self.said = collections.defaultdict(list)
        for v in self.all:
            ends = ((v["outer"], str(v["outer_port"])),
                    (v["inner"], str(v["inner_port"])))
            proto = PROTO.get(v["proto"], str(v["proto"]))
            self.said[frozenset(ends), proto].append(
                "%s %s" % (v["outcome"], v["rule"]))
            answer = ANSWERS.get(v["outcome"])
            if answer is not None:
                self.attempts[ends[0] + (ends[1][0], proto, ends[1][1],
                                         answer)] += 1

    def directed(self, src, sport, dst, proto, port):
        """It says who opened that conversation."""
        ends = frozenset(((src, sport), (dst, port)))
        return any(s.split()[0] not in ("unknown-dir", "midstream",
                                        "midstream+refresh", "none")
                   for s in self.said.get((ends, proto), ()))

    def read_map(self, store):
        db = sqlite3.connect(store)
        rows = db.execute(
            "SELECT host, proto, port, tier, rule FROM exposures").fetchall()
        db.close()
        self.exposures = {(h, p, str(n)) for h, p, n, tier, _ in rows
                          if tier != "hint"}
        self.how = {(h, p, str(n)): "%s %s" % (tier, rule)
                    for h, p, n, tier, rule in rows}

    def saying(self, src, sport, dst, proto, port):
        return ", ".join(self.said.get(
            (frozenset(((src, sport), (dst, port))), proto), ["nothing"]))


def ratio(part, whole):
    return part / whole if whole else 1.0


def f1(p, r):
    return 2 * p * r / (p + r) if p + r else 0.0


def compare(truth, claims):
    """The numbers, and the list of differences."""
    found = truth.exposures & claims.exposures
    claimed = collections.Counter(
        {k: n for k, n in claims.attempts.items() if k[5] != "unresolved"})
    right = claimed & truth.attempts
    n = {
        "exposures": len(truth.exposures),
        "x_precision": ratio(len(found), len(claims.exposures)),
        "x_recall": ratio(len(found), len(truth.exposures)),
        "attempts": sum(truth.attempts.values()),
        "a_precision": ratio(sum(right.values()), sum(claimed.values())),
        "a_recall": ratio(sum(right.values()), sum(truth.attempts.values())),
        "unresolved": (sum(claims.attempts.values()) - sum(claimed.values()))
        / max(sum(claims.attempts.values()), 1),
    }
    opened = [k[:5] for k in truth.attempts] + truth.outbound
    n["unknown"] = sum(not claims.directed(*k) for k in opened) / max(
        len(opened), 1)
    n["x_f1"] = f1(n["x_precision"], n["x_recall"])
    n["a_f1"] = f1(n["a_precision"], n["a_recall"])
    rows = []
    for e in sorted(claims.exposures - truth.exposures):
        rows.append(("false-exposure", "-", *e, claims.how[e]))
    for e in sorted(truth.exposures - claims.exposures):
        rows.append(("missing-exposure", "-", *e,
                     claims.how.get(e, "nothing")))
    for what, some in (("false-attempt", claimed - truth.attempts),
                       ("missing-attempt", truth.attempts - claimed)):
        for k, times in sorted(some.items()):
            text = "%s; darkportd: %s" % (k[5], claims.saying(*k[:5]))
            rows += [(what, "%s:%s" % k[:2], *k[2:5], text)] * times
    for k in truth.outbound:
        said = claims.saying(*k)
        if "outbound" not in said and "out-probe" not in said:
            rows.append(("missing-outbound", "%s:%s" % k[:2], *k[2:],
                         "darkportd: " + said))
    return n, rows


def is_false(row):
    return row[0].startswith("false-")


def known_differences(path, n):
    """{(what, src, dst, proto, port)}; a source's port counts for nothing."""
    if path is None:
        return set()
    with open(path, encoding="ascii") as f:
        rows = [line.rstrip("\n").split("\t") for line in f
                if line.strip() and not line.startswith("#")]
    return {tuple(r[2:7]) for r in rows
            if r[0] == n["capture"]
            and any(fnmatch.fnmatchcase(n["flavour"], pattern)
                    for pattern in r[1].split(","))}


def known_key(row):
    return (row[0], row[1].rsplit(":", 1)[0], *row[2:5])


def judge(args, n, rows):
    """What misses the targets, as lines."""
    allowed = set()
    if args.feed == "whole":
        allowed = known_differences(args.known, n)
    seen = {known_key(r) for r in rows}
    wrong = ["no longer so: " + " ".join(a) for a in sorted(allowed - seen)]
    for r in rows:
        if args.feed != "whole" and not is_false(r):
            continue
        if known_key(r) not in allowed:
            wrong.append(" ".join(r))
    return wrong


def score(args):
    """(row, differences, what misses the targets)"""
    truth = Truth(args.truth, not args.no_v6)
    claims = Claims(args.daemon, args.internal, args.exports, args.visible)
    n, rows = compare(truth, claims)
    n["capture"] = args.capture or os.path.basename(args.truth)
    n["flavour"] = args.flavour or os.path.basename(args.exports[0])
    return n, rows, judge(args, n, rows)


def format_row(n):
    return "\t".join(n[c] if isinstance(n[c], str) else str(n[c])
                     if isinstance(n[c], int) else "%.4f" % n[c]
                     for c in COLUMNS)


def arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daemon", required=True)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--internal", action="append", required=True)
    parser.add_argument("--capture")
    parser.add_argument("--flavour")
    parser.add_argument("--feed", default="whole",
                        choices=("whole", "sampled", "one-sided"))
    parser.add_argument("--visible", action="store_true")
    parser.add_argument("--no-v6", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--assert", dest="strict", action="store_true")
    parser.add_argument("--known")
    parser.add_argument("exports", nargs="+")
    return parser.parse_args(argv)


def main():
    args = arguments(sys.argv[1:])
    n, rows, wrong = score(args)
    print(format_row(n))
    if args.list:
        for r in rows:
            print("\t".join((n["capture"], n["flavour"]) + r))
    if args.strict and wrong:
        print("misses the targets:\n" + "\n".join(wrong), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
