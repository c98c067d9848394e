/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread: the mailbox, trouble, the end. */
#include "tests/store_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "store/writer.h"

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* Another program that locks the file for as long as the result is open. */
static sqlite3 *
lock_file(const struct fixture *x)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(x->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	return db;
}

static struct writer *
start(struct fixture *x)
{
	struct writer *w;

	fixture_open(x);
	w = writer_start(x->store);
	assert_non_null(w);
	return w;
}

/* In all ranges. */
static uint64_t
commits_timed(const struct counters *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		sum += histogram_count(&c->commits, i);
	return sum;
}

/* Whether a thread of this process is called so. */
static bool
has_thread(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	bool found = false;

	assert_non_null(tasks);
	while ((task = readdir(tasks)) != NULL) {
		char path[300], line[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
		    task->d_name);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		if (fgets(line, sizeof(line), file) != NULL)
			line[strcspn(line, "\n")] = '\0';
		fclose(file);
		found = found || strcmp(line, name) == 0;
	}
	closedir(tasks);
	return found;
}

static void
writer_is_a_thread_with_a_name(void **state)
{
	struct writer *w = start(*state);

	assert_true(has_thread(WRITER_THREAD_NAME));
	assert_true(writer_stop(w));
	fixture_close(*state);
}

static void
writer_commits_what_it_is_given(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(7);
	struct writer *w = start(x);

	assert_true(writer_idle(w));
	assert_true(writer_submit(w, b));
	assert_true(writer_wait(w, 10000));
	assert_true(writer_idle(w));
	assert_false(writer_is_degraded(w));
	assert_int_equal(store_sequence(x->store), 7);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 11);
	assert_int_equal(commits_timed(&x->counters), 1);
	assert_true(writer_stop(w));
	free(b);
}

static void
writer_takes_one_batch_at_a_time(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *a = fixture_world(1), *b = fixture_world(2);
	struct writer *w = start(x);
	sqlite3 *other = lock_file(x);

	assert_true(writer_submit(w, a));
	assert_false(writer_submit(w, b));
	assert_false(writer_idle(w));
	assert_false(writer_wait(w, 20));
	sqlite3_close(other);
	assert_true(writer_wait(w, 10000));
	assert_true(writer_submit(w, b));
	assert_true(writer_wait(w, 10000));
	assert_int_equal(store_sequence(x->store), 2);
	assert_true(writer_stop(w));
	free(a);
	free(b);
}

static void
writer_tries_again_while_the_file_is_locked(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(1);
	struct writer *w = start(x);
	sqlite3 *other = lock_file(x);

	assert_true(writer_submit(w, b));
	for (int i = 0; i < 500 && !writer_is_degraded(w); i++)
		pause_ms(10);
	assert_true(writer_is_degraded(w));
	pause_ms(700); /* some tries */
	assert_false(writer_idle(w));
	assert_true(counter_get(&x->counters, COUNTER_STORE_ERRORS) >= 2);
	sqlite3_close(other);
	assert_true(writer_wait(w, 10000));
	assert_false(writer_is_degraded(w));
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 11);
	assert_true(writer_stop(w));
	free(b);
}

static void
writer_stop_commits_what_waits(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(3);
	struct writer *w = start(x);

	assert_true(writer_submit(w, b));
	assert_true(writer_stop(w));
	assert_int_equal(store_sequence(x->store), 3);
	free(b);
}

static void
writer_stop_says_when_it_gives_up(void **state)
{
	struct fixture *x = *state;
	struct finding_batch *b = fixture_world(3);
	struct writer *w = start(x);
	sqlite3 *other = lock_file(x);

	assert_true(writer_submit(w, b));
	for (int i = 0; i < 500 && !writer_is_degraded(w); i++)
		pause_ms(10);
	assert_false(writer_stop(w));
	assert_int_equal(store_sequence(x->store), 0);
	sqlite3_close(other);
	assert_int_equal(fixture_int(x, "SELECT count(*) FROM exposures"), 0);
	free(b);
}

static void
writer_stops_with_nothing_to_do(void **state)
{
	struct fixture *x = *state;
	struct writer *w = start(x);

	assert_true(writer_stop(w));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		STORE_TEST(writer_is_a_thread_with_a_name),
		STORE_TEST(writer_commits_what_it_is_given),
		STORE_TEST(writer_takes_one_batch_at_a_time),
		STORE_TEST(writer_tries_again_while_the_file_is_locked),
		STORE_TEST(writer_stop_commits_what_waits),
		STORE_TEST(writer_stop_says_when_it_gives_up),
		STORE_TEST(writer_stops_with_nothing_to_do),
	};

	return RUN_TESTS(tests);
}
