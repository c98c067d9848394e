/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says about exporters, and how often. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/watch.h"
#include "tests/datagrams.h"

#define TEXT_MAX    4096
#define ENGINE_AT   21 /* in the v5 header: id */
#define SAMPLING_AT 22 /* in the v5 header: mode, interval */
#define SAMPLES	    0x4000
#define SECOND_MS   1000
#define MINUTE_MS   (60 * SECOND_MS)

static const int64_t start_ms = BUILD_RECEIVED_MS;

/* A tick; what it logged is in text. */
static uint32_t
tick(struct watch *w, int64_t now_ms, char text[TEXT_MAX])
{
	char name[] = "/tmp/darkport-log-XXXXXX";
	int fd = mkstemp(name);
	int before = dup(STDERR_FILENO);
	ssize_t length;
	uint32_t lines;

	assert_true(fd >= 0 && before >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	lines = watch_tick(w, now_ms);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	length = pread(fd, text, TEXT_MAX - 1, 0);
	assert_true(length >= 0);
	text[length] = '\0';
	close(before);
	close(fd);
	unlink(name);
	return lines;
}

static void
expect_line(struct watch *w, int64_t now_ms, const char *part)
{
	char text[TEXT_MAX];

	assert_int_equal(tick(w, now_ms, text), 1);
	if (strstr(text, part) == NULL)
		fail_msg("'%s' does not say '%s'", text, part);
}

static void
expect_silence(struct watch *w, int64_t now_ms)
{
	char text[TEXT_MAX];

	if (tick(w, now_ms, text) != 0)
		fail_msg("said: %s", text);
}

/* One v5 datagram of one record, of an engine. */
static void
send_netflow5(struct decoding *f, uint8_t engine, uint32_t sequence,
    uint16_t sampling, int64_t later_ms)
{
	const struct build_netflow5_record record = { "198.51.100.1",
		"10.0.0.1", 5, 300, 1000, 2000, 40000, 80, 0x02, 6 };

	build_netflow5(&f->build, sequence, 1);
	f->build.octets[ENGINE_AT] = engine;
	f->build.octets[SAMPLING_AT] = (uint8_t)(sampling >> 8);
	f->build.octets[SAMPLING_AT + 1] = (uint8_t)sampling;
	build_netflow5_record(&f->build, &record);
	assert_int_equal(decoding_finish_later(f, later_ms), DECODE_OK);
}

static void
a_quiet_exporter_is_no_line(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);

	assert_non_null(w);
	expect_silence(w, start_ms);
	for (uint32_t i = 0; i < 200; i++) {
		send_netflow5(f, 1, i, 0, i * SECOND_MS);
		expect_silence(w, start_ms + i * SECOND_MS);
	}
	watch_free(w);
}

static void
sampling_is_told_when_it_is_seen_and_when_it_changes(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);

	assert_non_null(w);
	send_netflow5(f, 1, 0, SAMPLES | 100, 0);
	expect_line(w, start_ms, "samples 1 of 100 packets");
	send_netflow5(f, 1, 1, SAMPLES | 100, 1);
	expect_silence(w, start_ms);
	send_netflow5(f, 1, 2, SAMPLES | 10, 2);
	expect_line(w, start_ms, "samples 1 of 10 packets");
	watch_free(w);
}

static void
send_template(struct decoding *f, uint32_t sequence, size_t fields)
{
	build_netflow9(&f->build, 7, sequence);
	build_template(&f->build, 256, build_usual_fields, fields);
	assert_int_equal(decoding_finish(f), DECODE_OK);
}

static void
changed_templates_are_told_with_the_exporter(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);

	assert_non_null(w);
	send_template(f, 0, 10);
	send_template(f, 1, 10);
	expect_silence(w, start_ms);
	send_template(f, 2, 9);
	expect_line(w, start_ms,
	    "192.0.2.1 domain 7 version 9: 1 templates changed");
	expect_silence(w, start_ms);
	watch_free(w);
}

static void
a_restart_is_told(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);

	assert_non_null(w);
	for (uint32_t i = 0; i < 5; i++)
		send_netflow5(f, 1, 3000000 + i, 0, 0);
	expect_silence(w, start_ms);
	for (uint32_t i = 0; i < 5; i++)
		send_netflow5(f, 1, i, 0, 1000);
	expect_line(w, start_ms + 1000, "restarted");
	watch_free(w);
}

/* After the first lines of a kind: one a minute. */
static void
a_flood_of_changes_is_one_line_a_minute(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);
	char text[TEXT_MAX];
	uint32_t lines = 0;

	assert_non_null(w);
	for (uint32_t i = 0; i < WATCH_LINES + 240; i++) {
		send_netflow5(f, 1, i, (uint16_t)(SAMPLES | (2 + i % 2)),
		    i * SECOND_MS);
		lines += tick(w, start_ms + i * SECOND_MS, text);
	}
	assert_in_range(lines, WATCH_LINES + 3, WATCH_LINES + 5);
	watch_free(w);
}

/* Engine 2 loses 5 of 100, engine 1 1 of 200: one line, about engine 2. */
static void
loss_above_a_percent_is_told_once_a_minute(void **state)
{
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);

	assert_non_null(w);
	expect_silence(w, start_ms);
	for (uint32_t i = 0; i < 200; i++) {
		if (i != 100)
			send_netflow5(f, 1, i, 0, 0);
		if (i % 20 != 10)
			send_netflow5(f, 2, i, 0, 0);
	}
	expect_silence(w, start_ms + MINUTE_MS - 1);
	expect_line(w, start_ms + MINUTE_MS, "5.0 % lost on the way");
	expect_silence(w, start_ms + MINUTE_MS + 1000);
	for (uint32_t i = 200; i < 400; i++)
		send_netflow5(f, 2, i, 0, 0);
	expect_silence(w, start_ms + 2 * MINUTE_MS);
	watch_free(w);
}

/* Two exporters behind one address: each port counts on by itself. */
static void
a_shared_address_is_told_once(void **state)
{
	const struct build_netflow5_record record = { "198.51.100.1",
		"10.0.0.1", 5, 300, 1000, 2000, 40000, 80, 0x02, 6 };
	struct decoding *f = *state;
	struct decoders all = { .count = 1, .of = { f->decoder } };
	struct watch *w = watch_new(&all);
	char text[TEXT_MAX];
	uint32_t lines = 0;

	assert_non_null(w);
	for (uint32_t i = 0; i < 40; i++) {
		struct datagram d;

		build_netflow5(&f->build, i % 2 * 700000 + i / 2, 1);
		build_netflow5_record(&f->build, &record);
		build_done(&f->build);
		d = build_datagram(&f->build);
		d.source_port = (uint16_t)(3000 + i % 2);
		f->batch.count = 0;
		assert_int_equal(decoder_decode(f->decoder, &d, &f->batch),
		    DECODE_OK);
		if (tick(w, start_ms, text) == 0)
			continue;
		if (strstr(text, "several exporters share") != NULL)
			lines++;
	}
	assert_int_equal(lines, 1);
	watch_free(w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		DECODING_TEST(a_quiet_exporter_is_no_line),
		DECODING_TEST(
		    sampling_is_told_when_it_is_seen_and_when_it_changes),
		DECODING_TEST(changed_templates_are_told_with_the_exporter),
		DECODING_TEST(a_restart_is_told),
		DECODING_TEST(a_flood_of_changes_is_one_line_a_minute),
		DECODING_TEST(a_shared_address_is_told_once),
		DECODING_TEST(loss_above_a_percent_is_told_once_a_minute),
	};

	return RUN_TESTS(tests);
}
