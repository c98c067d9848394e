#!/bin/bash
# run.sh [FIXTURES] - make the fixtures anew, all in one go. Needs root.
#
# Builds the lab and captures it (lab.sh, three and a half minutes), shows the
# capture to the exporters (export.sh), writes down what the packets say
# (../truth/truth.py), checks that every export holds it (check.py), and only then
# replaces the files in FIXTURES (default: ../fixtures beside this folder).
# Ephemeral ports and times differ from run to run; what is
# exposed, and which ports are probed how, does not.

set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
fixtures=${1:-$here/../fixtures}
[ "$(id -u)" -eq 0 ] || { echo "run.sh: needs root" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout -k 10 300 "$here/lab.sh" "$work"
timeout -k 10 200 "$here/export.sh" "$work/lab.pcap" "$work"
python3 "$here/../truth/truth.py" "$work/lab.pcap" "$work" 192.0.2.0/24 2001:db8:1::/64
python3 "$here/check.py" "$work/lab.pcap" "$work" "$work"/lab.*-*.pcap \
    "$work/demo.pcap" | tee "$work/lab.check.txt"

mkdir -p "$fixtures"
cp "$work"/*.pcap "$work"/*.tsv "$work/lab.check.txt" "$fixtures"/
chmod 644 "$fixtures"/*
du -cb "$fixtures"/* | tail -n 1
