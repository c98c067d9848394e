/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings: what the engine reports, and what the store keeps and gives back
 * at the next start.
 *
 * Every finding is absolute: it tells the whole present state of the thing
 * its key names, never a difference. Writing one twice changes nothing, a
 * later one replaces an earlier one. Findings hold no pointers.
 * Times are int64_t milliseconds since the Unix epoch; 0 is "never".
 */
#ifndef EXPOSURE_FINDING_H
#define EXPOSURE_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/counter.h"

/* --- the words: one list each, X(enumerator, text in the views) --------- */

#define EXPOSURE_STATE_LIST(X)                                                 \
	X(OPEN, "open")                                                        \
	X(STALE, "stale")                                                      \
	X(CLOSED, "closed")

#define TIER_LIST(X)                                                           \
	X(CONFIRMED, "confirmed")                                              \
	X(PROBABLE, "probable")                                                \
	X(HINT, "hint")                                                        \
	X(TRANSIENT, "transient")

#define VETTING_LIST(X)                                                        \
	X(UNVETTED, "unvetted")                                                \
	X(AUTHORISED, "authorised")                                            \
	X(UNAUTHORISED, "unauthorised")

#define CONFIDENCE_LIST(X)                                                     \
	X(NONE, "none")                                                        \
	X(LOW, "low")                                                          \
	X(MED, "med")                                                          \
	X(HIGH, "high")

#define TECHNIQUE_LIST(X)                                                      \
	X(SYN, "syn")                                                          \
	X(FIN, "fin")                                                          \
	X(NULL, "null")                                                        \
	X(XMAS, "xmas")                                                        \
	X(MAIMON, "maimon")                                                    \
	X(ACK, "ack")                                                          \
	X(SYNFIN, "synfin")                                                    \
	X(OTHER, "other")                                                      \
	X(UDP, "udp")                                                          \
	X(ICMP, "icmp")                                                        \
	X(PROTOCOL, "protocol")

#define ANSWER_LIST(X)                                                         \
	X(SILENT, "silent")                                                    \
	X(REFUSED, "refused")                                                  \
	X(ACCEPTED, "accepted")                                                \
	X(UNREACHABLE, "unreachable")                                          \
	X(UNRESOLVED, "unresolved")                                            \
	X(DENIED, "denied")

#define PLACE_LIST(X)                                                          \
	X(DARKPORT, "darkport")                                                \
	X(DARKSPACE, "darkspace")                                              \
	X(NEM, "nem")

#define PHASE_LIST(X)                                                          \
	X(TRAINING, "training")                                                \
	X(OPERATION, "operation")

#define ALERT_STATE_LIST(X)                                                    \
	X(NEW, "new")                                                          \
	X(ACKNOWLEDGED, "acknowledged")                                        \
	X(ACCEPTED, "accepted")                                                \
	X(UNAUTHORISED, "unauthorised")                                        \
	X(REOPENED, "reopened")

/*
 * Why an attempt is unresolved: what the feed could not have shown, or, for
 * EVIDENCE, what it showed and that says neither.
 */
#define REASON_LIST(X)                                                         \
	X(NONE, "none")                                                        \
	X(ONE_SIDED, "one_sided") /* answers are not metered */                \
	X(SAMPLED, "sampled")	  /* or not all of them */                     \
	X(PARTLY, "partly")	  /* too few were found where one was due */   \
	X(LOSS, "loss")		  /* records of its time are missing */        \
	X(SHED, "shed")		  /* given up: no room */                      \
	X(WINDOW, "window")	  /* it began before anybody listened */       \
	X(EVIDENCE, "evidence")

/* What is known of an exporter's feed; docs/verdicts.md tells each. */
#define FEED_PROPERTY_LIST(X)                                                  \
	X(FLAGS, "flags")			/* enum feed_flags */          \
	X(SHARED_TIMES, "shared_times")		/* 0, 1 */                     \
	X(ADDRESS_ORDERED, "address_ordered")	/* 0, 1 */                     \
	X(BIFLOW_DIRECTION, "biflow_direction") /* 0 believed, 1 ignored */    \
	X(IDLE_TIMEOUT, "idle_timeout")		/* seconds */                  \
	X(ACTIVE_TIMEOUT, "active_timeout")	/* seconds */                  \
	X(SAMPLING, "sampling")			/* 1 of so many; 0 unknown */  \
	X(VISIBILITY, "visibility")		/* enum feed_visibility */     \
	X(CLOCK_OFFSET, "clock_offset")		/* ms, to be added */          \
	X(LOSS, "loss")				/* 0, 1 */

/* How it is known. */
#define FEED_SOURCE_LIST(X)                                                    \
	X(DEFAULT, "default") /* it is not */                                  \
	X(LEARNED, "learned")                                                  \
	X(TOLD, "told") /* by the exporter's options, or its records */        \
	X(CONFIGURED, "configured")

/* How the feed's TCP flags are to be read. */
#define FEED_FLAGS_LIST(X)                                                     \
	X(OK, "ok")                                                            \
	X(NONE, "none")		/* always 0 */                                 \
	X(CONSTANT, "constant") /* always one value that no packet can have */ \
	X(NO_SYN, "no-syn")	/* data is flagged, SYN never */               \
	X(MERGED, "merged")	/* those of both directions, told with one */

/* Whether the other direction of a conversation can be seen. */
#define FEED_VISIBILITY_LIST(X)                                                \
	X(UNKNOWN, "unknown") /* too few samples: taken for both */            \
	X(BOTH, "both")                                                        \
	X(PARTLY, "partly") /* losses, sampling, other paths */                \
	X(ONE_SIDED, "one_sided")

/* What became of a conversation: the outcome matrix of the verdict engine. */
#define OUTCOME_LIST(X)                                                        \
	X(NONE, "none")                                                        \
	X(ACCEPTED, "accepted")                                                \
	X(ACCEPTED_HALF_OPEN, "accepted/half-open")                            \
	X(ACCEPTED_NO_ACK, "accepted/no-ack")                                  \
	X(REFUSED, "refused")                                                  \
	X(SILENT, "silent")                                                    \
	X(UNREACH, "unreach")                                                  \
	X(UNRESOLVED, "unresolved")                                            \
	X(DENIED, "denied")                                                    \
	X(STEALTH_CLOSED, "stealth:closed")                                    \
	X(STEALTH_OPEN_FILTERED, "stealth:open|filtered")                      \
	X(STEALTH_UNFILTERED, "stealth:unfiltered")                            \
	X(STEALTH_OTHER, "stealth:other")                                      \
	X(ECHO_ANSWERED, "echo-answered")                                      \
	X(ECHO_SILENT, "echo-silent")                                          \
	X(OUTBOUND, "outbound")                                                \
	X(OUT_PROBE, "out-probe")                                              \
	X(UNKNOWN_DIR, "unknown-dir")                                          \
	X(MIDSTREAM, "midstream")                                              \
	X(MIDSTREAM_REFRESH, "midstream+refresh")                              \
	X(BACKSCATTER, "backscatter")                                          \
	X(TRANSIT, "transit")

/*
 * The rule that gave a verdict. D1 to D9 are the direction rules, DP the
 * pinhole rule; A accepted, R refused, S silent, N stealth, U unsolicited,
 * V and W UDP, P other protocols, I ICMP, Z exporters without flags, MF with
 * merged ones, FW firewall events, M the middle of a connection.
 * docs/verdicts.md tells what each one says.
 */
/* clang-format off */
#define RULE_LIST(X) \
	X(NONE, "-") \
	X(A0, "A0") \
	X(A1_D1, "A1:D1") \
	X(A1_D2, "A1:D2") \
	X(A1_D4, "A1:D4") \
	X(A1_D5, "A1:D5") \
	X(A1_D6, "A1:D6") \
	X(A1_D7, "A1:D7") \
	X(A1_D8, "A1:D8") \
	X(A2, "A2") \
	X(A4_D1, "A4:D1") \
	X(A4_D4, "A4:D4") \
	X(A4_D6, "A4:D6") \
	X(A4_D7, "A4:D7") \
	X(A4_D8, "A4:D8") \
	X(A4B, "A4b") \
	X(A5, "A5") \
	X(A5V, "A5v") \
	X(A6, "A6") \
	X(R1, "R1") \
	X(R4, "R4") \
	X(S1, "S1") \
	X(S2, "S2") \
	X(N1, "N1") \
	X(N2, "N2") \
	X(N3, "N3") \
	X(N4, "N4") \
	X(U1, "U1") \
	X(U2, "U2") \
	X(U2M, "U2m") \
	X(U3, "U3") \
	X(U4, "U4") \
	X(Z1, "Z1") \
	X(Z2, "Z2") \
	X(Z3, "Z3") \
	X(FW_BYTES, "FW2+bytes") \
	X(FW_DENIED, "FW3") \
	X(FW_NOBYTES, "FW-nobytes") \
	X(V1, "V1") \
	X(V2, "V2") \
	X(W_D5, "W:D5") \
	X(W_D6, "W:D6") \
	X(W_D7, "W:D7") \
	X(W_D8, "W:D8") \
	X(W_69, "W:69") \
	X(ICMP, "ICMP") \
	X(I1, "I1") \
	X(I2, "I2") \
	X(I3, "I3") \
	X(I4, "I4") \
	X(D1, "D1") \
	X(D2, "D2") \
	X(D3, "D3") \
	X(D4, "D4") \
	X(D5, "D5") \
	X(D6, "D6") \
	X(D7, "D7") \
	X(D8, "D8") \
	X(D9, "D9") \
	X(DP, "DP") \
	X(M_D6, "M:D6") \
	X(M_D7, "M:D7") \
	X(M_D8, "M:D8") \
	X(M_D9, "M:D9") \
	X(P_D5, "P:D5") \
	X(P_D6, "P:D6") \
	X(MF1, "MF1") \
	X(MF2, "MF2") \
	X(MF3, "MF3") \
	X(MF4, "MF4") \
	X(SCOPE, "scope") \
	X(SHED, "shed")
/* clang-format on */

/* Why a port listens, where it is not a service of its own (listeners.h). */
#define LISTENER_LIST(X)                                                       \
	X(ORDINARY, "")                                                        \
	X(FTP, "ftp") /* a passive data connection */                          \
	X(FTP_ACTIVE, "ftp-active")                                            \
	X(TFTP, "tftp")	    /* where a transfer goes on */                     \
	X(P2P, "p2p")	    /* it opens to strangers too */                    \
	X(TARPIT, "tarpit") /* its host answers everywhere: guards.h */

#define AS_ENUM_EXPOSURE(id, text)   EXPOSURE_##id,
#define AS_ENUM_TIER(id, text)	     TIER_##id,
#define AS_ENUM_VETTING(id, text)    VETTING_##id,
#define AS_ENUM_CONFIDENCE(id, text) CONFIDENCE_##id,
#define AS_ENUM_TECHNIQUE(id, text)  TECHNIQUE_##id,
#define AS_ENUM_ANSWER(id, text)     ANSWER_##id,
#define AS_ENUM_PLACE(id, text)	     PLACE_##id,
#define AS_ENUM_PHASE(id, text)	     PHASE_##id,
#define AS_ENUM_ALERT(id, text)	     ALERT_##id,
#define AS_ENUM_REASON(id, text)     REASON_##id,
#define AS_ENUM_FEED(id, text)	     FEED_##id,
#define AS_ENUM_SOURCE(id, text)     FEED_SOURCE_##id,
#define AS_ENUM_FLAGS(id, text)	     FEED_FLAGS_##id,
#define AS_ENUM_VISIBILITY(id, text) FEED_VISIBILITY_##id,
#define AS_ENUM_OUTCOME(id, text)    OUTCOME_##id,
#define AS_ENUM_RULE(id, text)	     RULE_##id,
#define AS_ENUM_LISTENER(id, text)   LISTENER_##id,

/* clang-format off */
enum exposure_state { EXPOSURE_STATE_LIST(AS_ENUM_EXPOSURE) EXPOSURE_STATE_COUNT };
enum tier { TIER_LIST(AS_ENUM_TIER) TIER_COUNT };
enum vetting { VETTING_LIST(AS_ENUM_VETTING) VETTING_COUNT };
enum confidence { CONFIDENCE_LIST(AS_ENUM_CONFIDENCE) CONFIDENCE_COUNT };
enum technique { TECHNIQUE_LIST(AS_ENUM_TECHNIQUE) TECHNIQUE_COUNT };
enum answer { ANSWER_LIST(AS_ENUM_ANSWER) ANSWER_COUNT };
enum place { PLACE_LIST(AS_ENUM_PLACE) PLACE_COUNT };
enum phase { PHASE_LIST(AS_ENUM_PHASE) PHASE_COUNT };
enum alert_state { ALERT_STATE_LIST(AS_ENUM_ALERT) ALERT_STATE_COUNT };
enum reason { REASON_LIST(AS_ENUM_REASON) REASON_COUNT };
enum feed_property { FEED_PROPERTY_LIST(AS_ENUM_FEED) FEED_PROPERTY_COUNT };
enum feed_source { FEED_SOURCE_LIST(AS_ENUM_SOURCE) FEED_SOURCE_COUNT };
enum feed_flags { FEED_FLAGS_LIST(AS_ENUM_FLAGS) FEED_FLAGS_COUNT };
enum feed_visibility { FEED_VISIBILITY_LIST(AS_ENUM_VISIBILITY) FEED_VISIBILITY_COUNT };
enum outcome { OUTCOME_LIST(AS_ENUM_OUTCOME) OUTCOME_COUNT };
enum rule { RULE_LIST(AS_ENUM_RULE) RULE_COUNT };
enum listener { LISTENER_LIST(AS_ENUM_LISTENER) LISTENER_COUNT };
/* clang-format on */

/* Static texts, for any value (an unknown one is "?"). */
const char *exposure_state_name(unsigned value);
const char *tier_name(unsigned value);
const char *vetting_name(unsigned value);
const char *confidence_name(unsigned value);
const char *technique_name(unsigned value);
const char *answer_name(unsigned value);
const char *place_name(unsigned value);
const char *phase_name(unsigned value);
const char *alert_state_name(unsigned value);
const char *reason_name(unsigned value);
const char *feed_property_name(unsigned value);
const char *feed_source_name(unsigned value);
const char *feed_flags_name(unsigned value);
const char *feed_visibility_name(unsigned value);
const char *outcome_name(unsigned value);
const char *rule_name(unsigned value);
const char *listener_name(unsigned value);

/* Why the rule says so: a sentence without a full stop; "" for no rule. */
const char *rule_why(unsigned rule);

/* A property's value in words: "none", "yes", "15". Returns text. */
#define FEED_VALUE_MAX 24
char *feed_value_format(enum feed_property property, int64_t value,
    char text[FEED_VALUE_MAX]);

/* --- the findings -------------------------------------------------------- */

enum finding_kind {
	FINDING_ENGINE,	       /* key: there is one */
	FINDING_NETWORK,       /* key: prefix */
	FINDING_EXPORTER,      /* key: index; made by the pipeline */
	FINDING_EXPORTER_HOUR, /* key: exporter, hour; by the pipeline */
	FINDING_TEMPLATE,   /* key: exporter, kind, id, part; by the pipeline */
	FINDING_FEED,	    /* key: exporter, property, network */
	FINDING_FEED_EVENT, /* key: id */
	FINDING_HOST,	    /* key: address */
	FINDING_HOST_GUARD, /* key: address, since_ms */
	FINDING_EXPOSURE,   /* key: id */
	FINDING_EXPOSURE_RETRACTED, /* its witnesses and changes, too */
	FINDING_WITNESS,	    /* key: exposure_id, index */
	FINDING_CHANGE,		    /* key: exposure_id, index */
	FINDING_TRANS_DARKPORT,	    /* key: id */
	FINDING_TRANS_DARKPORT_RETRACTED,
	FINDING_SCAN_EVENT, /* key: id */
	FINDING_SCAN_EVENT_RETRACTED,
	FINDING_OUTCOME, /* key: hour, exporter, outcome, rule, reason */
	FINDING_COUNTER, /* key: which; made by the pipeline */
	FINDING_KIND_COUNT
};

/* Where the engine stands: with it, and the maps, it can go on. */
struct finding_engine {
	int64_t clock_ms;	    /* latest time the data told */
	int64_t training_from_ms;   /* 0: no flow yet */
	int64_t training_length_ms; /* 0: no training */
	uint64_t next_exposure_id;
	uint64_t next_alert_id;
	uint64_t next_event_id;
};

/*
 * Counts are of all lives of the daemon; what is told about the exporter is
 * what it last said, or what its last datagrams showed.
 */
struct finding_exporter {
	struct addr address;
	int64_t first_seen_ms;
	int64_t last_seen_ms;
	uint64_t datagrams;
	uint64_t records;
	uint64_t lost;
	uint64_t unknown_template_sets;
	uint64_t templates_changed;
	uint64_t restarts;
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t refused;	 /* datagrams of its address */
	int64_t clock_offset_ms; /* received minus export time */
	uint32_t index; /* what findings of this life of the daemon say */
	uint32_t domain;
	uint32_t templates;
	uint32_t sampling;	   /* 1 of so many packets */
	uint32_t active_timeout_s; /* 0: not told */
	uint32_t idle_timeout_s;   /* 0: not told */
	uint8_t protocol;	   /* 5, 9, 10 */
	bool shared_address;	   /* many exporters behind it: NAT */
	char name[LABEL_MAX];	   /* by the configuration; "": none */
};

/* What came from an exporter within one hour, by the time received. */
struct finding_exporter_hour {
	int64_t hour_ms; /* start of the hour */
	uint64_t datagrams;
	uint64_t records;
	uint64_t lost;
	uint32_t exporter; /* index */
};

/*
 * One part of what the decoder wants to know again after a restart: a
 * template, or an option's values. What the octets say is the decoder's
 * alone (decoder_memory). Parts of one memory are in one batch, in order;
 * the first one takes the place of all parts there were before.
 */
#define TEMPLATE_PART_OCTETS 128

struct finding_template {
	int64_t learned_ms;
	uint32_t exporter;    /* index */
	uint16_t source_port; /* 0 unless it tells exporters apart */
	uint16_t id;
	uint16_t part; /* 0 to parts - 1 */
	uint16_t parts;
	uint8_t kind;	/* the decoder's */
	uint8_t length; /* of octets[] */
	uint8_t octets[TEMPLATE_PART_OCTETS];
};

/* One property of an exporter's feed as it is. */
struct finding_feed {
	int64_t value;
	int64_t changed_ms; /* 0: never */
	uint64_t samples;   /* what it was learned from */
	uint64_t agreeing;  /* of these, what speaks for it */
	uint64_t state;	    /* the learner's own, to go on with */
	uint64_t event_id;  /* of its last change; 0: none */
	struct prefix network;
	uint32_t exporter; /* index */
	uint8_t property;  /* enum feed_property */
	uint8_t source;	   /* enum feed_source */
	bool has_network;  /* else it is the whole feed's */
};

/* One change of it. */
struct finding_feed_event {
	uint64_t id;
	int64_t ts_ms;
	int64_t from;
	int64_t to;
	uint64_t samples;
	struct prefix network;
	uint32_t exporter;
	uint8_t property;
	uint8_t source;
	bool has_network;
};

struct finding_host {
	struct addr address;
	char label[LABEL_MAX];
	int64_t first_seen_ms;
	int64_t last_seen_ms;
};

/* A time in which everything answered on a host, and its map was frozen. */
struct finding_host_guard {
	struct addr host;
	int64_t since_ms;
	int64_t until_ms;     /* 0: still */
	uint64_t turned_away; /* acceptances that entered no port */
};

/* Distinct clients: exact to CLIENT_EXACT, then HyperLogLog (clients.h). */
#define CLIENT_EXACT	 8
#define CLIENT_REGISTERS 64

struct client_sketch {
	uint32_t exact[CLIENT_EXACT];
	uint8_t registers[CLIENT_REGISTERS];
	uint32_t count; /* of exact[]; CLIENT_EXACT + 1: registers hold it */
};

/* One interval in which (host, protocol, port) accepted. */
struct finding_exposure {
	uint64_t id;
	struct addr host;
	struct addr first_client;
	int64_t first_ms;   /* first acceptance */
	int64_t last_ms;    /* last acceptance, or sign of life */
	int64_t closed_ms;  /* 0: not closed */
	int64_t refused_ms; /* first refusal since the last acceptance */
	uint64_t accepted;  /* attempts accepted */
	uint64_t refused;   /* attempts refused since the last acceptance */
	uint64_t alert_id;  /* 0: no trans-darkport */
	uint64_t event_id;  /* scan event of the opening attempt, 0: none */
	uint32_t clients;   /* estimate */
	uint32_t exporter;  /* index; who showed the opening attempt */
	uint32_t evidence;  /* bits kept for the tier: exposure/hem.c */
	uint16_t port;
	uint16_t first_client_port;
	uint8_t proto;
	uint8_t state;	    /* enum exposure_state */
	uint8_t tier;	    /* enum tier */
	uint8_t vetting;    /* enum vetting */
	uint8_t rule;	    /* enum rule: the best evidence */
	uint8_t confidence; /* enum confidence */
	uint8_t listener;   /* enum listener */
	struct client_sketch sketch;
};

/* --- why: the conversations behind an exposure or a scan event --- */

enum shown {
	SHOWN_NOTHING,	     /* it was not seen */
	SHOWN_HALF,	     /* ... seen */
	SHOWN_WITHOUT_FLAGS, /* ... and no record had tcpControlBits */
};

/* What one end had shown of a conversation, as received; no padding, for
 * findings are compared. Zeroed: nothing. */
struct shown_half {
	int64_t first_ms; /* earliest start of any record */
	uint32_t packets; /* the most any record had, as far as it is kept */
	uint32_t octets;  /* of that record */
	uint32_t exporter;
	uint16_t evidence; /* enum evidence */
	uint8_t flags;	   /* OR of all records */
	uint8_t shown;	   /* enum shown */
};

/* What a witness is kept for; one can be several. */
enum witness_role {
	WITNESS_OPENER = 1,   /* it opened the exposure */
	WITNESS_BEST = 2,     /* the exposure's rule and confidence are its */
	WITNESS_UPGRADED = 4, /* it changed the tier */
	WITNESS_LATEST = 8,   /* nobody was accepted a minute later */
};

#define WITNESSES_MAX 5

struct witness {
	struct addr client;
	int64_t counted_ms; /* the engine's time when it was counted */
	int64_t last_ms;    /* latest end of any record of it */
	struct shown_half outer;
	struct shown_half inner;
	uint16_t client_port;
	uint8_t generation; /* of the 5-tuple */
	uint8_t roles;	    /* enum witness_role; 0: there is none */
	uint8_t outcome;
	uint8_t rule;
	uint8_t confidence;
};

/* The place in the map is told when it is restored, and only then. */
struct finding_witness {
	uint64_t exposure_id;
	struct addr host;
	uint16_t port;
	uint8_t proto;
	uint8_t index; /* below WITNESSES_MAX */
	struct witness witness;
};

#define CHANGE_LIST(X)                                                         \
	X(NONE, "none")                                                        \
	X(OPENED, "opened")                                                    \
	X(TIER, "tier")                                                        \
	X(REFUSED, "refused")                                                  \
	X(CLOSED, "closed")

#define AS_ENUM_CHANGE(id, text) CHANGE_##id,
enum change_kind { CHANGE_LIST(AS_ENUM_CHANGE) CHANGE_COUNT };
const char *change_name(unsigned value);

/* Places 0 to 3: tiers, the last for all that follow. 4 and 5: the first and
 * the last refusal since the last acceptance. */
#define CHANGES_MAX	4
#define CHANGES_REFUSED 4
#define CHANGES_CLOSED	5
#define CHANGES_COUNT	6

struct change {
	struct addr client; /* of the conversation that did it */
	int64_t at_ms;	    /* its start */
	uint16_t client_port;
	uint8_t kind; /* enum change_kind; NONE: there is none */
	uint8_t tier_from;
	uint8_t tier_to;
	uint8_t rule;
	uint8_t confidence;
};

struct finding_change {
	uint64_t exposure_id;
	struct addr host;
	uint16_t port;
	uint8_t proto;
	uint8_t index; /* below CHANGES_COUNT */
	struct change change;
};

struct finding_trans_darkport {
	uint64_t id;
	uint64_t exposure_id;
	struct addr host;
	struct addr first_client;
	int64_t opened_ms;
	int64_t dark_since_ms; /* host first seen, or the last interval's end */
	uint32_t exporter;
	uint16_t port;
	uint16_t first_client_port;
	uint8_t proto;
	uint8_t state; /* enum alert_state */
	bool first_client_had_probed;
};

struct finding_scan_event {
	uint64_t id;
	struct addr src;
	struct addr dst;
	int64_t ts_ms; /* start of the attempt */
	uint32_t exporter;
	uint16_t src_port;
	uint16_t port;
	uint8_t proto;
	uint8_t technique;
	uint8_t answer;
	uint8_t place;
	uint8_t phase;
	uint8_t rule;
	uint8_t confidence;
	uint8_t reason;		 /* enum reason; with answer unresolved */
	int64_t last_ms;	 /* end of what was seen of it, and what */
	struct shown_half outer; /* src had shown, */
	struct shown_half inner; /* and dst, when it was last written */
};

struct finding_outcome {
	int64_t hour_ms; /* start of the hour */
	uint64_t attempts;
	uint32_t exporter; /* index; who showed the attempt */
	uint8_t outcome;
	uint8_t rule;
	uint8_t reason; /* enum reason */
};

struct finding_counter {
	uint64_t value;
	uint32_t which; /* enum counter */
};

/* What a time and an id of the store can be: years to 9999, and room. */
#define FINDING_MS_MAX INT64_C(253402300799999)
#define FINDING_ID_MAX (UINT64_C(1) << 62)

bool finding_ms_is_valid(int64_t ms);

struct finding {
	enum finding_kind kind;
	union {
		struct finding_engine engine;
		struct network network;
		struct finding_exporter exporter;
		struct finding_exporter_hour exporter_hour;
		struct finding_template template_part;
		struct finding_feed feed;
		struct finding_feed_event feed_event;
		struct finding_host host;
		struct finding_host_guard host_guard;
		struct finding_exposure exposure;
		struct finding_witness witness;
		struct finding_change change;
		struct finding_trans_darkport trans_darkport;
		struct finding_scan_event scan_event;
		struct finding_outcome outcome;
		struct finding_counter counter;
		uint64_t retracted_id;
	};
};

/*
 * What one commit writes. owned by who made it; the engine appends while
 * there is room (finding_batch_room), so one predicate says "full".
 */
struct finding_batch {
	uint64_t sequence; /* of the batch, from 1; the pipeline counts */
	uint32_t count;
	uint32_t max;
	struct finding findings[];
};

/* NULL: no memory. Free with free(). */
struct finding_batch *finding_batch_new(uint32_t max);

/* The next free finding, of this kind and zeroed; NULL when full. */
struct finding *finding_batch_add(struct finding_batch *batch,
    enum finding_kind kind);

uint32_t finding_batch_room(const struct finding_batch *batch);

#endif
