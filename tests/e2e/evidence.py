# SPDX-License-Identifier: Apache-2.0
"""Ask the API why, for each exposure and each scan event there is.

  evidence.py PORT

Prints each answer without its meta, a line each, and fails where one lacks
what it must have: the rule and its sentence, the confidence, the witnesses
with what both ends had sent, by which exporter and when, and what changed it.
"""
import http.client
import json
import sys

WITNESSES_MAX = 5
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
wrong = 0


def get(path):
    connection.request("GET", "/api/v1/" + path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit("%s: %d %s" % (path, answer.status, body))
    return json.loads(body)


def rows(path):
    cursor = ""
    while cursor is not None:
        page = get("%s?limit=200%s" % (path, cursor))
        yield from page["data"]
        cursor = page["next"] and "&cursor=" + page["next"]


def expect(holds, what, row):
    global wrong
    if not holds:
        wrong += 1
        print("lacks %s: %s" % (what, json.dumps(row)[:900]), file=sys.stderr)


def check_half(half, row):
    if half is None:
        return
    expect(half["start"], "the start of a half", row)
    expect(half["exporter"], "the exporter of a half", row)
    expect(half["packets"] >= 1, "packets of a half", row)
    expect(half["octets"] is not None, "octets of a half", row)
    expect(half["evidence"] is not None, "the evidence of a half", row)
    expect((half["flags"] is None) == (half["flags_text"] is None),
           "flags as text", row)


def check_verdict(v, row):
    expect(v["rule"] not in (None, "", "-"), "the rule", row)
    expect(v["why"], "the rule's sentence", row)
    expect(v["confidence"] in ("low", "med", "high"), "the confidence", row)


def check_halves(v, row):
    check_half(v["outer"], row)
    check_half(v["inner"], row)
    expect(v["outer"] or v["inner"], "any half", row)
    expect(v["end"], "the end", row)


def check_exposure(x):
    check_verdict(x, x)
    ws, changes = x["witnesses"], x["changes"]
    expect(1 <= len(ws) <= WITNESSES_MAX, "witnesses", x)
    for w in ws:
        check_verdict(w, x)
        check_halves(w, x)
        expect(w["inner"], "what the inside had sent", x)
        expect(w["client"] and w["counted_at"] and w["outcome"], "who", x)
    with_role = {role: [w for w in ws if role in w["roles"]]
                 for role in ("opener", "best", "upgraded", "latest")}
    expect(len(with_role["opener"]) == 1, "one opener", x)
    expect([w for w in with_role["best"] if w["rule"] == x["rule"]
            and w["confidence"] == x["confidence"]],
           "the witness of its rule", x)
    expect(changes and changes[0]["change"] == "opened", "its opening", x)
    tiers = [c for c in changes if c["tier_to"]]
    expect(tiers and tiers[-1]["tier_to"] == x["tier"],
           "what made its tier", x)
    for c in changes:
        check_verdict(c, x)
        expect(c["client"] and c["at"], "whose conversation changed it", x)
        if c["change"] == "tier":
            expect([w for w in with_role["upgraded"]
                    if w["client"] == c["client"]
                    and w["client_port"] == c["client_port"]]
                   or len(ws) == WITNESSES_MAX,
                   "the witness that changed its tier", x)


def check_event(e):
    check_verdict(e, e)
    check_halves(e, e)
    # what src had sent is missing only where its exporter never told it
    expect(e["outer"] or e["inner"]["evidence"], "what src had sent", e)
    if e["answer"] in ("refused", "accepted") and e["rule"] != "ICMP":
        expect(e["inner"], "the answer", e)


counts = []
for name, check in (("exposures", check_exposure), ("scan-events", check_event)):
    ids = [r["id"] for r in rows(name)]
    counts.append(len(ids))
    for i in ids:
        answer = get("%s/%d/evidence" % (name, i))["data"]
        print(json.dumps(answer, sort_keys=True))
        check(answer)
print("%d exposures, %d scan events, %d wrong" % (*counts, wrong),
      file=sys.stderr)
sys.exit(wrong != 0 or 0 in counts)
