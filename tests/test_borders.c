/* SPDX-License-Identifier: Apache-2.0 */
/* Inside addresses that come in from outside. */
#include "exposure/borders.h"
#include "tests/test.h"
#include "tests/world.h"

#define INSIDE	"10.0.0.5:443"
#define OUTSIDE "203.0.113.10:40000"

static void
add(struct border_list *list, const char *exporter, uint32_t interface, int err)
{
	struct border b = { .interface = interface };

	assert_ok(addr_parse(exporter, &b.exporter));
	assert_int_equal(border_list_add(list, &b), err);
}

/* r1 is 192.0.2.1, whose interface 7 leads outside. */
static struct world *
world_with_a_border(void)
{
	struct engine_config config = world_config(0);
	struct world *w;
	struct addr r1;

	add(&config.external, "192.0.2.1", 7, ERR_OK);
	w = world_new_with(&config);
	assert_ok(addr_parse("192.0.2.1", &r1));
	engine_name_exporter(w->engine, 0, &r1);
	return w;
}

static void
syn_ack_of_an_inside_address_from_outside_opens_nothing(void **state)
{
	struct world *w = world_with_a_border();

	(void)state;
	world_flow(w, 0,
	    INSIDE ">" OUTSIDE
		   " proto=6 flags=0x12 pkts=1 octets=44 exporter=r1 "
		   "ingress_if=7");
	world_drain(w);
	assert_int_equal(w->exposure_count, 0);
	assert_int_equal(w->host_count, 0);
	assert_int_equal(counter_get(&w->counters,
			     COUNTER_SPOOFED_INTERNAL_SRC),
	    1);
	world_free(w);
}

static void
answer_by_an_inside_interface_is_believed(void **state)
{
	struct world *w = world_with_a_border();

	(void)state;
	world_flow(w, 0,
	    OUTSIDE ">" INSIDE
		    " proto=6 flags=0x02 pkts=1 octets=44 exporter=r1 "
		    "ingress_if=7");
	world_flow(w, 0,
	    INSIDE ">" OUTSIDE
		   " proto=6 flags=0x12 pkts=1 octets=44 exporter=r1 "
		   "ingress_if=8");
	world_drain(w);
	assert_non_null(world_exposure(w, "10.0.0.5", 443));
	world_free(w);
}

/* Interfaces are numbered by each exporter for itself. */
static void
interface_of_another_exporter_is_another_one(void **state)
{
	struct world *w = world_with_a_border();
	struct addr r2;

	(void)state;
	assert_ok(addr_parse("192.0.2.2", &r2));
	engine_name_exporter(w->engine, 1, &r2);
	world_flow(w, 0,
	    INSIDE ">" OUTSIDE
		   " proto=6 flags=0x12 pkts=1 octets=44 exporter=r2 "
		   "ingress_if=7");
	world_drain(w);
	assert_int_equal(w->exposure_count, 1);
	world_free(w);
}

static void
list_takes_each_interface_once_and_has_an_end(void **state)
{
	static struct border_list list;

	(void)state;
	add(&list, "192.0.2.1", 7, ERR_OK);
	add(&list, "192.0.2.1", 7, ERR_RANGE);
	add(&list, "192.0.2.1", 0, ERR_RANGE);
	for (uint32_t i = 1; i < BORDERS_MAX; i++)
		add(&list, "2001:db8::1", i, ERR_OK);
	add(&list, "192.0.2.2", 1, ERR_FULL);
}

static void
every_interface_of_an_exporter_is_found(void **state)
{
	struct border_list list = { .count = 0 };
	struct borders *b;
	struct addr exporter;

	(void)state;
	add(&list, "192.0.2.9", 1, ERR_OK);
	add(&list, "192.0.2.1", 9, ERR_OK);
	add(&list, "192.0.2.1", 2, ERR_OK);
	add(&list, "2001:db8::1", 3, ERR_OK);
	b = borders_new(&list);
	assert_non_null(b);
	assert_ok(addr_parse("192.0.2.1", &exporter));
	borders_name_exporter(b, 5, &exporter);
	assert_true(borders_is_outside(b, 5, 2));
	assert_true(borders_is_outside(b, 5, 9));
	assert_false(borders_is_outside(b, 5, 1));
	assert_false(borders_is_outside(b, 5, 3));
	assert_false(borders_is_outside(b, 6, 2));
	assert_false(borders_is_outside(b, UINT32_MAX, 2));
	borders_free(b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(syn_ack_of_an_inside_address_from_outside_opens_nothing),
		TEST(answer_by_an_inside_interface_is_believed),
		TEST(interface_of_another_exporter_is_another_one),
		TEST(list_takes_each_interface_once_and_has_an_end),
		TEST(every_interface_of_an_exporter_is_found),
	};

	return RUN_TESTS(tests);
}
