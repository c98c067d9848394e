/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing domains: one private address, several hosts. r1 is 192.0.2.1, r2 is
 * 192.0.2.2, r3 is domain 5 of 192.0.2.1.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/routing_domains.h"
#include "tests/cases.h"
#include "tests/test.h"
#include "tests/world.h"

#define CLIENT	"203.0.113.10:40000"
#define SERVER	"10.0.0.5:443"
#define SYN	CLIENT ">" SERVER " proto=6 flags=0x02 pkts=1 octets=60 "
#define SYN_ACK SERVER ">" CLIENT " proto=6 flags=0x12 pkts=1 octets=60 "
#define BLOCK	16 /* of take.c */

static const struct {
	const char *address;
	uint32_t domain;
} exporters[] = { { "192.0.2.1", 0 }, { "192.0.2.2", 0 }, { "192.0.2.1", 5 } };

#define EXPORTERS 3

static struct routing_domain_list
list_of(const char *const *rules)
{
	struct routing_domain_list list = { .count = 0 };
	char message[RULE_MESSAGE_MAX];

	for (; *rules != NULL; rules++)
		if (routing_domains_add(&list, *rules, message) != ERR_OK)
			fail_msg("%s: %s", *rules, message);
	return list;
}

/* Rules end with NULL. */
static void
name_exporters(struct world *w, const char *const *rules)
{
	struct routing_domain_list list = list_of(rules);

	for (uint32_t i = 0; i < EXPORTERS; i++) {
		struct routing_match match;
		struct addr address;

		assert_ok(addr_parse(exporters[i].address, &address));
		routing_domains_match(&list, &address, "", exporters[i].domain,
		    &match);
		engine_route_exporter(w->engine, i, &match);
	}
}

static struct world *
world_of(const char *const *rules, int64_t training_ms)
{
	struct engine_config config = world_config(training_ms);
	struct routing_domain_list list = list_of(rules);
	struct world *w;

	routing_domains_rules(&list, &config.routing);
	w = world_new_with(&config);
	name_exporters(w, rules);
	return w;
}

/* Both halves of one biflow, behind so many records of no use. */
static void
take_biflow(struct world *w, uint32_t before, const char *forward,
    const char *reverse)
{
	struct flow_record *f = w->flows->records;

	for (uint32_t i = 0; i < before; i++)
		assert_true(case_parse_record("198.51.100.1:1>198.51.100.2:2 "
					      "proto=6 flags=0x02 pkts=1",
		    &f[i]));
	assert_true(case_parse_record(forward, &f[before]));
	assert_true(case_parse_record(reverse, &f[before + 1]));
	w->flows->count = before + 2;
	for (uint32_t i = 0; i < w->flows->count; i++)
		f[i].received_ms = f[i].export_ms = WORLD_MS;
	engine_take(w->engine, w->flows);
}

/* The host accepted on 443, and no other one did. */
static void
assert_open(const struct world *w, const char *host)
{
	const struct finding_scan_event *event =
	    world_event(w, "203.0.113.10", host, 443);

	if (world_exposure(w, host, 443) == NULL)
		fail_msg("%s is not exposed", host);
	assert_int_equal(w->exposure_count, 1);
	/* the attempt that opened it */
	assert_non_null(event);
	assert_int_equal(event->answer, ANSWER_ACCEPTED);
}

/* It kept silent on 443. */
static void
assert_silent(const struct world *w, const char *host)
{
	const struct finding_scan_event *event =
	    world_event(w, "203.0.113.10", host, 443);

	if (event == NULL) {
		fail_msg("no scan event at %s", host);
		return;
	}
	assert_int_equal(event->answer, ANSWER_SILENT);
	/* nobody ever sent from there */
	assert_int_equal(event->place, PLACE_DARKSPACE);
	assert_null(world_exposure(w, host, 443));
}

static void
hosts_of_two_exporters_with_one_address_are_two(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7",
		"192.0.2.2: tag=8", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0, SYN "exporter=r1");
	world_flow(w, 0, SYN_ACK "exporter=r1");
	world_flow(w, 10, SYN "exporter=r2");
	world_drain(w);
	assert_open(w, "10.0.0.5%7");
	assert_silent(w, "10.0.0.5%8");
	assert_int_equal(w->host_count, 1);
	assert_int_equal(w->event_count, 2);
	world_free(w);
}

/* The control: the same records. */
static void
without_rules_they_are_one(void **state)
{
	struct world *w = world_new(0);

	(void)state;
	world_flow(w, 0, SYN "exporter=r1");
	world_flow(w, 0, SYN_ACK "exporter=r1");
	world_flow(w, 10, SYN "exporter=r2");
	world_drain(w);
	assert_open(w, "10.0.0.5");
	assert_int_equal(w->event_count, 1);
	world_free(w);
}

static void
hosts_of_two_domains_of_one_exporter_are_two(void **state)
{
	static const char *const rules[] = { "192.0.2.0/24: tag=7",
		"192.0.2.1: domain=5, tag=300", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0, SYN "exporter=r3");
	world_flow(w, 0, SYN_ACK "exporter=r3");
	world_flow(w, 10, SYN "exporter=r1");
	world_drain(w);
	assert_open(w, "10.0.0.5%300");
	assert_silent(w, "10.0.0.5%7");
	world_free(w);
}

static void
hosts_of_two_vrfs_are_two(void **state)
{
	static const char *const rules[] = { "192.0.2.1: vrf=100, tag=7",
		"192.0.2.1: vrf=200, tag=8", "192.0.2.1: tag=9", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_flow(w, 0, SYN "exporter=r1 ingress_vrf=200");
	world_flow(w, 0, SYN_ACK "exporter=r1 ingress_vrf=200");
	world_flow(w, 10, SYN "exporter=r1 ingress_vrf=100");
	world_drain(w);
	assert_open(w, "10.0.0.5%8");
	assert_silent(w, "10.0.0.5%7");
	world_free(w);
}

static void
vrf_without_a_rule_is_the_exporters(void **state)
{
	static const char *const rules[] = { "192.0.2.1: vrf=100, tag=7",
		"192.0.2.1: tag=9", "192.0.2.2: vrf=300, tag=8", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_flow(w, 0, SYN "exporter=r1 ingress_vrf=300");
	world_flow(w, 0, SYN_ACK "exporter=r1");
	world_drain(w);
	assert_open(w, "10.0.0.5%9");
	world_free(w);
}

static void
halves_from_two_exporters_of_one_routing_domain_pair(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7",
		"192.0.2.2: tag=7", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_flow(w, 0, SYN "exporter=r1");
	world_flow(w, 0, SYN_ACK "exporter=r2");
	world_drain(w);
	assert_open(w, "10.0.0.5%7");
	assert_int_equal(world_exposure(w, "10.0.0.5%7", 443)->rule,
	    RULE_A1_D1);
	assert_int_equal(world_outcomes(w, OUTCOME_ACCEPTED_NO_ACK), 1);
	world_free(w);
}

/* The SYN of one is not answered by the SYN-ACK of the other. */
static void
halves_of_two_routing_domains_do_not_pair(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7",
		"192.0.2.2: tag=8", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0, SYN "exporter=r1");
	world_flow(w, 0, SYN_ACK "exporter=r2");
	world_drain(w);
	assert_silent(w, "10.0.0.5%7");
	world_free(w);
}

/* Side by side they look like the two directions of one conversation. */
static void
records_of_two_routing_domains_in_one_batch_do_not_pair(void **state)
{
	static const char *const rules[] = { "192.0.2.2: tag=8", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_show_both(w);
	take_biflow(w, 0, SYN "exporter=r1", SYN_ACK "exporter=r2");
	world_drain(w);
	assert_silent(w, "10.0.0.5");
	world_free(w);
	w = world_of(rules, 0);
	world_show_both(w);
	take_biflow(w, 0, SYN "exporter=r2", SYN_ACK "exporter=r1");
	world_drain(w);
	assert_silent(w, "10.0.0.5%8");
	world_free(w);
	w = world_of(rules, 0);
	take_biflow(w, 0, SYN "exporter=r2", SYN_ACK "exporter=r2");
	world_drain(w);
	assert_open(w, "10.0.0.5%8");
	assert_int_equal(w->exposures[0].rule, RULE_A1_D1);
	world_free(w);
}

/* In by the outside's VRF, out by the host's; wherever the block ends. */
static void
biflow_tells_the_vrf_its_destination_is_in(void **state)
{
	static const char *const rules[] = { "192.0.2.1: vrf=7, tag=7",
		"192.0.2.1: vrf=1, tag=1", NULL };

	(void)state;
	for (uint32_t before = 0; before <= BLOCK; before++) {
		struct world *w = world_of(rules, 0);

		take_biflow(w, before, SYN "exporter=r1 ingress_vrf=1",
		    SYN_ACK "exporter=r1 reverse=1 ingress_vrf=7");
		world_drain(w);
		assert_open(w, "10.0.0.5%7");
		assert_int_equal(w->exposures[0].rule, RULE_A1_D1);
		world_free(w);
		w = world_of(rules, 0);
		take_biflow(w, before, SYN_ACK "exporter=r1 ingress_vrf=7",
		    SYN "exporter=r1 reverse=1 ingress_vrf=1");
		world_drain(w);
		assert_open(w, "10.0.0.5%7");
		assert_int_equal(w->exposures[0].rule, RULE_A1_D1);
		world_free(w);
	}
}

/* An exporter that sends ingressVRFID alone. */
static void
biflow_with_one_vrf_is_in_it_at_both_ends(void **state)
{
	static const char *const rules[] = { "192.0.2.1: vrf=7, tag=7", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	take_biflow(w, 0, SYN "exporter=r1 ingress_vrf=7",
	    SYN_ACK "exporter=r1 reverse=1");
	world_drain(w);
	assert_open(w, "10.0.0.5%7");
	assert_int_equal(w->exposures[0].rule, RULE_A1_D1);
	world_free(w);
}

static void
outside_and_ipv6_addresses_have_no_tag(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7", NULL };
	struct world *w = world_of(rules, 0);
	const struct finding_exposure *x;

	(void)state;
	world_attempt(w, 0, "[2001:db8:b::1]:40000", "[2001:db8:a::5]:443",
	    'a');
	world_attempt(w, 0, "203.0.113.10:40001", "10.0.0.5:80", 'a');
	world_drain(w);
	assert_non_null(world_exposure(w, "2001:db8:a::5", 443));
	x = world_exposure(w, "10.0.0.5%7", 80);
	assert_non_null(x);
	assert_true(addr_is_v4(&x->first_client));
	/* and a tag does not hide which network it is in */
	for (uint32_t i = 0; i < w->host_count; i++)
		if (addr_tag(&w->hosts[i].address) != 0)
			assert_string_equal(w->hosts[i].label, "inside");
	world_free(w);
}

static void
icmp_error_of_a_host_closes_its_own_port_alone(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7",
		"192.0.2.2: tag=8", NULL };
	struct world *w = world_of(rules, 0);

	(void)state;
	world_show_both(w);
	world_flow(w, 0,
	    "203.0.113.10:40000>10.0.0.5:161 proto=17 pkts=1 octets=60 "
	    "exporter=r1");
	world_flow(w, 0,
	    "203.0.113.10:40000>10.0.0.5:161 proto=17 pkts=1 octets=60 "
	    "exporter=r2");
	world_flow(w, 1,
	    "10.0.0.5:0>203.0.113.10:0 proto=1 icmp=3/3 pkts=1 octets=88 "
	    "exporter=r2");
	world_drain(w);
	assert_int_equal(
	    world_event(w, "203.0.113.10", "10.0.0.5%8", 161)->answer,
	    ANSWER_REFUSED);
	assert_int_equal(
	    world_event(w, "203.0.113.10", "10.0.0.5%7", 161)->answer,
	    ANSWER_SILENT);
	world_free(w);
}

/* A public address, and behind it a host of domain 7. */
static void
host_behind_a_nat_is_of_the_routing_domain(void **state)
{
	static const char *const rules[] = { "192.0.2.1: vrf=7, tag=7", NULL };
	struct world *w = world_of(rules, 0);
	struct flow_record *f = w->flows->records;

	(void)state;
	assert_true(case_parse_record("203.0.113.10:40000>192.0.2.80:443 "
				      "proto=6 flags=0x02 pkts=1 exporter=r1 "
				      "ingress_vrf=1",
	    &f[0]));
	assert_true(case_parse_record("192.0.2.80:443>203.0.113.10:40000 "
				      "proto=6 flags=0x12 pkts=1 exporter=r1 "
				      "ingress_vrf=7 reverse=1",
	    &f[1]));
	f[0].has |= FLOW_HAS_NAT;
	f[0].post_dst_port = 8443;
	assert_ok(addr_parse("10.0.0.5", &f[0].post_dst));
	w->flows->count = 2;
	engine_take(w->engine, w->flows);
	world_drain(w);
	assert_non_null(world_exposure(w, "10.0.0.5%7", 8443));
	assert_int_equal(w->exposure_count, 1);
	world_free(w);
}

static void
flows_between_routing_domains_have_a_tag_at_each_end(void **state)
{
	static const char *const rules[] = { "192.0.2.1: vrf=7, tag=7",
		"192.0.2.1: vrf=8, tag=8", NULL };
	struct engine_config config = world_config(0);
	struct routing_domain_list list = list_of(rules);
	struct world *w;

	(void)state;
	routing_domains_rules(&list, &config.routing);
	config.internal_scope = true;
	w = world_new_with(&config);
	name_exporters(w, rules);
	/* one private address talks to itself */
	take_biflow(w, 0,
	    "10.0.0.5:40000>10.0.0.5:443 proto=6 flags=0x02 pkts=1 "
	    "exporter=r1 ingress_vrf=7",
	    "10.0.0.5:443>10.0.0.5:40000 proto=6 flags=0x12 pkts=1 "
	    "exporter=r1 ingress_vrf=8 reverse=1");
	world_drain(w);
	assert_int_equal(w->host_count, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_in_range(addr_tag(&w->hosts[i].address), 7, 8);
	assert_int_equal(world_outcomes(w, OUTCOME_SILENT), 0);
	world_free(w);
}

/* What the store gives back is what it was given. */
static void
tags_outlive_a_restart(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7",
		"192.0.2.2: tag=8", NULL };
	struct world *w = world_of(rules, 1000);

	(void)state;
	world_flow(w, 0, SYN "exporter=r1");
	world_flow(w, 0, SYN_ACK "exporter=r1");
	world_drain(w);
	assert_non_null(world_exposure(w, "10.0.0.5%7", 443));
	world_restart(w);
	name_exporters(w, rules);
	world_flow(w, 500000, SYN "exporter=r1");
	world_flow(w, 500000, SYN_ACK "exporter=r1");
	world_drain(w);
	assert_int_equal(w->exposure_count, 1);
	assert_int_equal(w->exposures[0].accepted, 2);
	assert_int_equal(w->alert_count, 0);
	/* the training knew nothing of the other one */
	world_flow(w, 600000, SYN "exporter=r2");
	world_flow(w, 600000, SYN_ACK "exporter=r2");
	world_drain(w);
	assert_int_equal(w->exposure_count, 2);
	assert_non_null(world_alert(w, "10.0.0.5%8", 443));
	assert_int_equal(w->alert_count, 1);
	world_free(w);
}

/* A meter that tells the lower address first orders what it saw. */
static void
feed_is_learned_from_addresses_as_they_were_told(void **state)
{
	static const char *const rules[] = { "192.0.2.1: tag=7", NULL };
	struct world *w = world_of(rules, 0);
	char forward[160], reverse[160];
	bool is_ordered = false;

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(forward, sizeof(forward),
		    "10.0.0.5:443>203.0.113.10:%d proto=6 flags=0x1b pkts=5 "
		    "exporter=r1",
		    40000 + i);
		snprintf(reverse, sizeof(reverse),
		    "203.0.113.10:%d>10.0.0.5:443 proto=6 flags=0x1b pkts=5 "
		    "exporter=r1 reverse=1",
		    40000 + i);
		take_biflow(w, 0, forward, reverse);
	}
	world_drain(w);
	for (uint32_t i = 0; i < w->feed_count; i++)
		if (w->feeds[i].property == FEED_ADDRESS_ORDERED)
			is_ordered = w->feeds[i].value == 1;
	assert_true(is_ordered);
	world_free(w);
}

/* --- the rules ------------------------------------------------------------ */

static uint16_t
tag_of(const char *const *rules, uint32_t exporter, uint32_t vrf)
{
	struct routing_domain_list list = list_of(rules);
	struct routing_rules told;
	struct routing *r;
	uint16_t tag;

	routing_domains_rules(&list, &told);
	r = routing_new(&told);
	assert_non_null(r);
	for (uint32_t i = 0; i < EXPORTERS; i++) {
		struct routing_match match;
		struct addr address;

		assert_ok(addr_parse(exporters[i].address, &address));
		routing_domains_match(&list, &address, i == 1 ? "edge" : "",
		    exporters[i].domain, &match);
		routing_name_exporter(r, i, &match);
	}
	tag = routing_tag(r, exporter, vrf);
	routing_free(r);
	return tag;
}

static void
most_exact_rule_gives_the_tag(void **state)
{
	static const char *const rules[] = { "0.0.0.0/0: tag=1",
		"192.0.2.0/24: tag=2", "192.0.2.1: tag=3", "edge: tag=4",
		"192.0.2.1: domain=5, tag=5", "0.0.0.0/0: vrf=9, tag=6",
		"192.0.2.1: vrf=9, tag=7",
		"192.0.2.0/24: domain=5, vrf=9, tag=8", NULL };

	(void)state;
	assert_int_equal(tag_of(rules, 0, 0), 3);
	assert_int_equal(tag_of(rules, 1, 0), 4);
	assert_int_equal(tag_of(rules, 2, 0), 5);
	assert_int_equal(tag_of(rules, 0, 9), 7);
	assert_int_equal(tag_of(rules, 1, 9), 6);
	assert_int_equal(tag_of(rules, 2, 9), 8);
	assert_int_equal(tag_of(rules, 0, 8), 3);
	assert_int_equal(tag_of(rules, 0, UINT32_MAX), 3);
	/* nobody said who these are */
	assert_int_equal(tag_of(rules, 3, 9), 0);
	assert_int_equal(tag_of(rules, UINT32_MAX, 9), 0);
}

static void
last_of_as_many_rules_as_there_can_be_is_found(void **state)
{
	char texts[ROUTING_RULES_MAX][64];
	const char *rules[ROUTING_RULES_MAX + 1];

	(void)state;
	for (uint32_t i = 0; i < ROUTING_RULES_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]),
		    i % 2 == 0 ? "192.0.2.1: vrf=%u, tag=%u"
			       : "198.51.100.1: vrf=%u, tag=%u",
		    i / 4 + 1, i + 1);
		rules[i] = texts[i];
	}
	/* the same VRF twice is once of another prefix */
	for (uint32_t i = 2; i < ROUTING_RULES_MAX; i += 4) {
		snprintf(texts[i], sizeof(texts[i]),
		    "192.0.2.0/24: vrf=%u, tag=%u", i / 4 + 1, i + 1);
		snprintf(texts[i + 1], sizeof(texts[i + 1]),
		    "198.51.0.0/16: vrf=%u, tag=%u", i / 4 + 1, i + 2);
	}
	rules[ROUTING_RULES_MAX] = NULL;
	for (uint32_t vrf = 1; vrf <= ROUTING_RULES_MAX / 4; vrf++) {
		assert_int_equal(tag_of(rules, 0, vrf), vrf * 4 - 3);
		assert_int_equal(tag_of(rules, 1, vrf), vrf * 4 - 1);
	}
	assert_int_equal(tag_of(rules, 0, ROUTING_RULES_MAX / 4 + 1), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(hosts_of_two_exporters_with_one_address_are_two),
		TEST(without_rules_they_are_one),
		TEST(hosts_of_two_domains_of_one_exporter_are_two),
		TEST(hosts_of_two_vrfs_are_two),
		TEST(vrf_without_a_rule_is_the_exporters),
		TEST(halves_from_two_exporters_of_one_routing_domain_pair),
		TEST(halves_of_two_routing_domains_do_not_pair),
		TEST(records_of_two_routing_domains_in_one_batch_do_not_pair),
		TEST(biflow_tells_the_vrf_its_destination_is_in),
		TEST(biflow_with_one_vrf_is_in_it_at_both_ends),
		TEST(outside_and_ipv6_addresses_have_no_tag),
		TEST(icmp_error_of_a_host_closes_its_own_port_alone),
		TEST(host_behind_a_nat_is_of_the_routing_domain),
		TEST(flows_between_routing_domains_have_a_tag_at_each_end),
		TEST(tags_outlive_a_restart),
		TEST(feed_is_learned_from_addresses_as_they_were_told),
		TEST(most_exact_rule_gives_the_tag),
		TEST(last_of_as_many_rules_as_there_can_be_is_found),
	};

	return RUN_TESTS(tests);
}
