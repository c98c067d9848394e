#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py --daemon FILE [--out DIR] [--meter-only] [CAPTURE...] - score every flavour.

For each capture of captures.tsv (or those named): derives the truth from the
packets (truth.py), exports them through every flavour (../lab/export.sh and
../lab/meter.py), reads each export with darkportd, and prints one row of
numbers an export (score.py says which). What differs goes to
DIR/differences.tsv, the rows to DIR/scores.tsv.

Needs tshark. The exporters need root and their programs: without, only the
meter's flavours are scored, and a line says so. Captures of other projects
are looked for in $DARKPORT_FIXTURES, by default ../shared/fixtures beside the
project; a capture that is not there is skipped, and a line says so.

Exits with 1 when an export misses the targets (score.py --assert) by more
than known.tsv lists.
"""
import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
LAB = os.path.join(TESTS, "lab")
sys.path.insert(0, HERE)
import score    # noqa: E402
import truth    # noqa: E402

EXPORTERS = ("softflowd-v5", "softflowd-v5a", "softflowd-v9", "softflowd-v10",
             "softflowd-v10b", "nfprobe-v5", "nfprobe-v9", "nfprobe-v10",
             "nfreplay-v9", "softflowd-v9-s10", "softflowd-v10-s100",
             "softflowd-v9-in", "softflowd-v9-out")
TOOLS = ("ip", "unshare", "tcpdump", "softflowd", "pmacctd", "nfpcapd",
         "nfreplay", "timeout")
METERS = {
    "meter-v5": ("--version", "5"),
    "meter-v9": ("--version", "9"),
    "meter-v10": ("--version", "10"),
    "meter-v9-s10": ("--sample", "10"),
    "meter-v9-s100": ("--sample", "100"),
    "meter-v9-in": ("--only", "in"),
    "meter-v9-out": ("--only", "out"),
}
# Of two routers with an address each. A clock that is ahead of the packets'
# is an exporter's own fault: its datagrams come when they came before.
PAIRS = {
    "two-see-the-same": ((), ("--version", "10", "--skew", "400")),
    "asymmetric": (("--only", "in"), ("--only", "out")),
    "asymmetric-skewed": (("--only", "in"),
                          ("--only", "out", "--skew", "5000")),
}


def rows_of(path):
    with open(path, encoding="ascii") as f:
        return [line.rstrip("\n").split("\t") for line in f
                if not line.startswith("#")]


def feed_of(flavour):
    parts = flavour.split("-")[1:]
    if any(p[0] == "s" and p[1:].isdigit() for p in parts):
        return "sampled"
    return "one-sided" if parts[-1:] in (["in"], ["out"]) else "whole"


class Capture:
    def __init__(self, name, path, prefixes, feed, work):
        self.name, self.path, self.prefixes = name, path, prefixes.split()
        self.visible = feed == "visible"
        self.work = os.path.join(work, name)
        os.mkdir(self.work)
        # by its own name, sorted by time, as any meter would see it
        self.pcap = os.path.join(self.work, name + ".pcap")

    def export(self, flavour):
        return os.path.join(self.work, "%s.%s.pcap" % (self.name, flavour))

    def prepare(self):
        subprocess.run(["reordercap", self.path, self.pcap], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        truth.write(truth.read(self.pcap, self.prefixes), self.work, self.name)

    def meter(self):
        internal = [x for p in self.prefixes for x in ("--internal", p)]

        def meter(output, *options):
            subprocess.run(
                [sys.executable, os.path.join(LAB, "meter.py"), *internal,
                 *options, self.pcap, output], check=True)
            return output

        for flavour, options in METERS.items():
            meter(self.export(flavour), *options)
        for flavour, both in PAIRS.items():
            routers = [meter(self.export(flavour) + str(i), *options,
                             "--address", "192.0.2.20%d" % i)
                       for i, options in enumerate(both)]
            subprocess.run(
                [sys.executable, os.path.join(LAB, "pcap.py"), "merge",
                 self.export(flavour), *routers], check=True)
        return list(METERS) + list(PAIRS)

    def exporters(self):
        env = dict(os.environ, INTERNAL=" ".join(self.prefixes))
        subprocess.run(
            [os.path.join(LAB, "export.sh"), self.pcap, self.work, *EXPORTERS],
            check=True, env=env, stdout=subprocess.DEVNULL)
        return list(EXPORTERS)

    def score(self, daemon, flavour):
        argv = ["--daemon", daemon, "--truth",
                os.path.join(self.work, self.name), "--capture", self.name,
                "--flavour", flavour, "--feed", feed_of(flavour),
                "--known", os.path.join(HERE, "known.tsv")]
        for p in self.prefixes:
            argv += ["--internal", p]
        if "-v5" in flavour:
            argv.append("--no-v6")
        if self.visible and feed_of(flavour) != "one-sided":
            argv.append("--visible")
        return score.score(score.arguments(argv + [self.export(flavour)]))

    def run(self, daemon, with_exporters):
        self.prepare()
        flavours = self.exporters() if with_exporters else []
        flavours += self.meter()
        return [self.score(daemon, f) for f in flavours]


def present(names, work):
    """The captures that are here, of those named."""
    shared = os.environ.get("DARKPORT_FIXTURES") or os.path.join(
        os.path.dirname(TESTS), "..", "shared", "fixtures")
    for name, path, prefixes, feed in rows_of(
            os.path.join(HERE, "captures.tsv")):
        if names and name not in names:
            continue
        if path.startswith("shared/"):
            path = os.path.join(shared, path[len("shared/"):])
        else:
            path = os.path.join(TESTS, "fixtures", path)
        if os.path.exists(path):
            yield Capture(name, path, prefixes, feed, work)
        else:
            print("SKIP %s: no %s" % (name, path))


def can_export():
    missing = [t for t in TOOLS if shutil.which(t) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        print("SKIP the exporters: without " + ", ".join(missing))
    return not missing


def report(results, out):
    """Prints the table; writes it, and the differences, to files."""
    wrong = 0
    with open(os.path.join(out, "scores.tsv"), "w", encoding="ascii") as s, \
            open(os.path.join(out, "differences.tsv"), "w",
                 encoding="ascii") as d:
        s.write("#" + "\t".join(score.COLUMNS) + "\n")
        d.write("#capture\tflavour\twhat\tsrc\tdst\tproto\tport\ttext\n")
        print("%-15s %-19s" % score.COLUMNS[:2], "  ".join(
            "%11s" % c for c in score.COLUMNS[2:]))
        for n, rows, misses in results:
            line = score.format_row(n)
            s.write(line + "\n")
            cells = line.split("\t")
            print("%-15s %-19s" % tuple(cells[:2]),
                  "  ".join("%11s" % c for c in cells[2:]),
                  "" if not misses else "MISSES")
            for r in rows:
                d.write("\t".join((n["capture"], n["flavour"]) + r) + "\n")
            for m in misses[:5]:
                print("    " + m)
            wrong += bool(misses)
    print("%d exports scored, %d miss the targets" % (len(results), wrong))
    return wrong


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--daemon", required=True)
    parser.add_argument("--out")
    parser.add_argument("--meter-only", action="store_true")
    parser.add_argument("captures", nargs="*")
    args = parser.parse_args()
    for tool in ("tshark", "reordercap"):
        if shutil.which(tool) is None:
            sys.exit("run.py: needs " + tool)
    with tempfile.TemporaryDirectory(prefix="darkport-truth-") as work:
        out = args.out or work
        os.makedirs(out, exist_ok=True)
        captures = list(present(args.captures, work))
        exporters = not args.meter_only and can_export()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            done = list(pool.map(
                lambda c: c.run(args.daemon, exporters), captures))
        return 1 if report([r for d in done for r in d], out) else 0


if __name__ == "__main__":
    sys.exit(main())
