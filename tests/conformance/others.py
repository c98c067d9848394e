# SPDX-License-Identifier: Apache-2.0
"""Sources whose truth is a log (ipfixcol's malformed cases), a structure
table (graylog's single datagrams), or Wireshark's decode alone."""
import csv
import glob
import os
import re

from compare import Case
from decoded import wrap

# A line of ipfixcol's log, and the counter that must show the same, as many
# times as there are such lines.
IPFIXCOL_LOG = (
    (r"Data template with ID \d+ not found", "sets_unknown_template"),
    (r"Template \d+ is malformed", "templates_refused"),
    (r"Malformed IPFIX message detected", "datagrams_refused_short"),
    (r"Unknown Set ID 0", "sets_malformed"),
    (r"Received Template withdrawal", "template_withdrawals_ignored"),
)
# Lines that say again, in other words, what one above said.
IPFIXCOL_SAID = (r"Cannot parse template set",
                 r"withdrawal message received for unknown template")

# Its test folder: the capture it feeds.
IPFIXCOL_CASES = {
    "malformed_-_bad_template_field_count": "bad-template-field-count",
    "malformed_-_missingTmpl258,BadSetLength": "bad-length-in-set",
    "malformed_-_missingTmpl258,BadSetLength(long)":
        "bad-length-in-set-very-long",
    "malformed_-_missing_template_258": "missing-template-258",
    "malformed_-_no_templates": "only-data-no-templates",
    "malformed_-_valid_header_and_zeros": "header-and-zeros",
    "basic_-_withdraw_message": "withdrawal-message-256",
}


def wireshark_of(folder, name):
    found = glob.glob(os.path.join(glob.escape(folder), "tshark",
                                   glob.escape(name) + ".flows.tsv*"))
    return found[0] if found else None


def ipfixcol(fixtures):
    folder = os.path.join(fixtures, "ipfixcol")
    logs = {capture: name for name, capture in IPFIXCOL_CASES.items()}
    for path in sorted(glob.glob(os.path.join(folder, "pcap", "*.pcap"))):
        name = os.path.basename(path).removesuffix(".pcap")
        case = Case("ipfixcol", name, path)
        case.wireshark = wireshark_of(folder, name)
        if name in logs:
            read_log(os.path.join(folder, logs[name], "expected"), case)
        yield case


def read_log(path, case):
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in filter(str.strip, lines):
            for pattern, counter in IPFIXCOL_LOG:
                if re.search(pattern, line):
                    case.counters[counter] = \
                        case.counters.get(counter, 0) + 1
                    break
            else:
                if not any(re.search(p, line) for p in IPFIXCOL_SAID):
                    case.unknown.add("log line " + line.strip())


def with_wireshark(source, folder, captures):
    for path in sorted(captures):
        name = os.path.basename(path).removesuffix(".pcap")
        case = Case(source, name, path)
        case.wireshark = wireshark_of(folder, name)
        yield case


def structure(folder):
    """INSPECT.tsv: what is in each file, read by structure alone."""
    with open(os.path.join(folder, "INSPECT.tsv"), encoding="utf-8") as lines:
        return {os.path.basename(row["file"]): row
                for row in csv.DictReader(lines, delimiter="\t")}


def single(source, folder, pattern):
    """Files of one datagram each, against INSPECT.tsv's counts."""
    rows = structure(folder)
    for path in sorted(glob.glob(os.path.join(folder, pattern))):
        row = rows[os.path.basename(path)]
        missing = row["missing_tpl"]
        with open(path, "rb") as datagram:
            case = Case(source, os.path.basename(path),
                        wrap([datagram.read()]))
        case.temporary = True
        case.counters = {
            "records_announced": int(row["flow_recs"]),
            "options_records": int(row["opt_recs"]),
            "sets_unknown_template":
                0 if missing == "-" else missing.count(",") + 1,
        }
        yield case


def graylog(fixtures):
    folder = os.path.join(fixtures, "graylog-netflow")
    yield from with_wireshark("graylog", folder,
                              glob.glob(os.path.join(folder, "*.pcap")) +
                              glob.glob(os.path.join(folder, "pcap/*.pcap")))
    yield from single("graylog", folder, "*.dat")


def fluent(fixtures):
    folder = os.path.join(fixtures, "fluent-netflow")
    yield from with_wireshark("fluent", folder,
                              glob.glob(os.path.join(folder, "pcap/*.pcap")))
    yield from single("fluent", folder, "*.dump")


def ipfixcol2(fixtures):
    folder = os.path.join(fixtures, "ipfixcol2")
    yield from with_wireshark("ipfixcol2", folder,
                              glob.glob(os.path.join(folder, "pcap/*.pcap")))
