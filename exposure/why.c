/* SPDX-License-Identifier: Apache-2.0 */
/* Why a rule says what it says: a sentence for each, as docs/verdicts.md. */
#include <stddef.h>

#include "exposure/finding.h"

static const char *const whys[RULE_COUNT] = {
	[RULE_NONE] = "nothing decides yet",
	[RULE_A0] = "the inside sent a SYN-ACK; the SYN was not seen yet",
	[RULE_A1_D1] = "the inside took part in the handshake, and only the "
		       "outer half has a SYN without ACK, now or in an earlier "
		       "attempt on this 5-tuple",
	[RULE_A1_D2] = "the inside sent a SYN-ACK in one packet, or the reset "
		       "that answers a segment without ACK",
	[RULE_A1_D4] = "both sides took part, and the exporter says that the "
		       "outside opened",
	[RULE_A1_D5] = "both sides took part, and the outer half began first",
	[RULE_A1_D6] = "both sides took part, and the inner end is a service "
		       "in the map",
	[RULE_A1_D7] = "both sides took part, and many peers meet at the inner "
		       "end",
	[RULE_A1_D8] = "both sides took part, and only the inner port is one "
		       "of a service; or the outer one is FTP's, which was "
		       "asked for data",
	[RULE_A2] = "SYN from outside, then ACK or data from inside; the "
		    "SYN-ACK's record is missing",
	[RULE_A4_D1] = "one half of a connection alone; its flags say that the "
		       "outside opened",
	[RULE_A4_D4] = "one half of a connection alone; the exporter says that "
		       "the outside opened",
	[RULE_A4_D6] = "one half of a connection alone; the inner end is a "
		       "service in the map",
	[RULE_A4_D7] = "one half of a connection alone; many peers meet at the "
		       "inner end",
	[RULE_A4_D8] = "one half of a connection alone; only the inner port is "
		       "one of a service",
	[RULE_A4B] = "SYN-ACKs from outside, beside a SYN of theirs or where "
		     "the feed could not have shown an answer",
	[RULE_A5] = "SYN and RST from outside on a one-sided feed: nobody "
		    "resets silence",
	[RULE_A5V] = "SYN and RST from outside, and the inner half is missing "
		     "from a feed that shows both",
	[RULE_A6] = "the outside acknowledged, so there was a SYN-ACK; the "
		    "inside shows only a reset",
	[RULE_R1] = "SYN from outside, answered by a reset",
	[RULE_R4] = "a lone RST-ACK from inside: a refusal, or the abort of a "
		    "connection",
	[RULE_S1] = "SYN from outside, nothing came back, and it would have "
		    "been seen",
	[RULE_S2] = "nothing came back, but the feed could not have shown it",
	[RULE_N1] = "a probe without SYN and ACK, answered by a reset",
	[RULE_N2] = "a probe without SYN and ACK, without an answer",
	[RULE_N3] = "one ACK or FIN-ACK, answered by a bare reset, of no known "
		    "connection",
	[RULE_N4] = "one packet with SYN and RST",
	[RULE_U1] = "a SYN-ACK from outside that the inside reset: it had not "
		    "asked",
	[RULE_U2] = "one SYN-ACK from outside, without an answer",
	[RULE_U2M] = "several SYN-ACKs from outside, without an answer",
	[RULE_U3] = "a SYN-ACK from inside that the outside reset: nobody had "
		    "asked",
	[RULE_U4] = "a reset from outside that belongs to nothing remembered",
	[RULE_Z1] = "a feed without flags: a probe's size, without an answer",
	[RULE_Z2] = "a feed without flags: the answers are bare headers, as "
		    "resets are",
	[RULE_Z3] = "a feed without flags: the answers are larger than resets",
	[RULE_FW_BYTES] = "the firewall counted octets from inside",
	[RULE_FW_DENIED] = "the firewall denied it",
	[RULE_FW_NOBYTES] = "the firewall let it pass; nothing is known of an "
			    "answer",
	[RULE_V1] = "a datagram from outside without an answer",
	[RULE_V2] = "a datagram from a service's port outside, without an "
		    "answer: a late or reflected reply",
	[RULE_W_D5] = "datagrams both ways, and the outer half began first",
	[RULE_W_D6] = "datagrams both ways, and the inner end is a service in "
		      "the map",
	[RULE_W_D7] = "datagrams both ways, and many peers meet at the inner "
		      "end",
	[RULE_W_D8] = "datagrams both ways, and only the inner port is one of "
		      "a service",
	[RULE_W_69] = "TFTP: asked at port 69, and answered from another port "
		      "within 5 s",
	[RULE_P_D5] = "a protocol without ports, both ways, and the outer half "
		      "began first",
	[RULE_P_D6] = "a protocol without ports, both ways, and the host is "
		      "known to answer it",
	[RULE_MF1] = "a feed of merged flags: a SYN and a reset, and room for "
		     "nothing else",
	[RULE_MF2] = "a feed of merged flags: SYN, ACK and a reset, and more "
		     "than a refusal needs",
	[RULE_MF3] = "a feed of merged flags: SYN and ACK without a reset, or "
		     "with data",
	[RULE_MF4] = "a feed of merged flags: several stories fit",
	[RULE_ICMP] = "an ICMP error answered it",
	[RULE_I1] = "an echo request was answered",
	[RULE_I2] = "an echo request was not answered",
	[RULE_I3] = "the inside sent the echo request",
	[RULE_I4] = "an echo reply nobody asked for",
	[RULE_D1] = "only the inner half has a SYN without ACK, now or in an "
		    "earlier attempt on this 5-tuple",
	[RULE_D2] = "the outside sent a SYN-ACK in one packet",
	[RULE_D3] = "the outside sent the reset that answers a segment without "
		    "ACK",
	[RULE_D4] = "the exporter says that the inside opened",
	[RULE_D5] = "the inner half began first",
	[RULE_D6] = "the outer end is a known service",
	[RULE_D7] = "the inner end meets few peers, as a client does",
	[RULE_D8] = "only the outer port is one of a service",
	[RULE_D9] = "neither flags, times, history nor ports tell the "
		    "direction",
	[RULE_DP] = "the inner end had sent first: it comes back through a "
		    "pinhole",
	[RULE_M_D6] = "the middle of a connection to a service in the map",
	[RULE_M_D7] = "the middle of a connection; direction would rest on "
		      "fan-in",
	[RULE_M_D8] = "the middle of a connection; direction would rest on the "
		      "ports",
	[RULE_M_D9] = "the middle of a connection; nothing tells its direction",
	[RULE_SCOPE] = "neither end is internal",
	[RULE_SHED] = "forgotten for lack of room before silence could be told",
};

const char *
rule_why(unsigned rule)
{
	if (rule >= RULE_COUNT || whys[rule] == NULL)
		return "";
	return whys[rule];
}
