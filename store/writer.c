/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread and its mailbox of one slot. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "store/writer.h"

/* Pauses between tries: locked, so it will not be long; or worse. */
#define BUSY_PAUSE_MIN_MS 100
#define BUSY_PAUSE_MAX_MS 1000
#define FAIL_PAUSE_MS	  5000
#define LOG_INTERVAL_S	  60

struct writer {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t mutex; /* of what follows, up to degraded */
	pthread_cond_t changed;
	const struct finding_batch *slot; /* NULL: idle */
	bool stopping;
	atomic_bool degraded;
	int64_t last_log_s; /* the thread's own */
};

static struct timespec
deadline_in(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* The pause after a failure; longer each time while it is only locked. */
static int
next_pause_ms(int err, int last_ms)
{
	if (err != ERR_BUSY)
		return FAIL_PAUSE_MS;
	if (last_ms >= BUSY_PAUSE_MAX_MS)
		return BUSY_PAUSE_MAX_MS;
	return last_ms + BUSY_PAUSE_MIN_MS;
}

static int
try_once(struct writer *w, const struct finding_batch *batch)
{
	char message[STORE_MESSAGE_MAX];
	int err = store_write(w->store, batch, message);
	struct timespec now;

	if (err != ERR_OK) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (log_limited(&w->last_log_s, now.tv_sec, LOG_INTERVAL_S))
			log_warnx("store", "%s; trying again", message);
		atomic_store(&w->degraded, true);
		return err;
	}
	if (atomic_exchange(&w->degraded, false)) {
		log_info("store", "batches are committed again");
		w->last_log_s = 0;
	}
	store_checkpoint(w->store, false);
	return ERR_OK;
}

/* Waits with the mutex held; false when the writer is to stop. */
static bool
pause_for(struct writer *w, int ms)
{
	struct timespec until = deadline_in(ms);

	while (!w->stopping)
		if (pthread_cond_timedwait(&w->changed, &w->mutex, &until) != 0)
			break;
	return !w->stopping;
}

/* Until it is committed, or a try fails when the writer is to stop. */
static bool
commit(struct writer *w, const struct finding_batch *batch)
{
	int pause_ms = 0;
	bool last = false;

	for (;;) {
		int err = try_once(w, batch);

		if (err == ERR_OK)
			return true;
		if (last)
			return false;
		pause_ms = next_pause_ms(err, pause_ms);
		pthread_mutex_lock(&w->mutex);
		last = !pause_for(w, pause_ms);
		pthread_mutex_unlock(&w->mutex);
	}
}

static void *
work(void *arg)
{
	struct writer *w = arg;
	const struct finding_batch *batch;
	bool done;

	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (w->slot == NULL && !w->stopping)
			pthread_cond_wait(&w->changed, &w->mutex);
		batch = w->slot;
		if (batch == NULL)
			break;
		pthread_mutex_unlock(&w->mutex);
		done = commit(w, batch);
		pthread_mutex_lock(&w->mutex);
		if (!done)
			break; /* the slot stays: given up */
		w->slot = NULL;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

static void
init_locks(struct writer *w)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&w->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static void
release(struct writer *w)
{
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

struct writer *
writer_start(struct store *s)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->store = s;
	init_locks(w);
	if (pthread_create(&w->thread, NULL, work, w) != 0) {
		release(w);
		return NULL;
	}
	(void)pthread_setname_np(w->thread, WRITER_THREAD_NAME);
	return w;
}

bool
writer_submit(struct writer *w, const struct finding_batch *batch)
{
	bool taken;

	assert(batch != NULL);
	pthread_mutex_lock(&w->mutex);
	assert(!w->stopping);
	taken = w->slot == NULL;
	if (taken) {
		w->slot = batch;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->mutex);
	return taken;
}

bool
writer_idle(const struct writer *w)
{
	/* the lock is no part of what the caller may see change */
	return writer_wait((struct writer *)(uintptr_t)w, 0);
}

bool
writer_wait(struct writer *w, int timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	bool idle;

	pthread_mutex_lock(&w->mutex);
	while (w->slot != NULL && timeout_ms > 0)
		if (pthread_cond_timedwait(&w->changed, &w->mutex, &until) != 0)
			break;
	idle = w->slot == NULL;
	pthread_mutex_unlock(&w->mutex);
	return idle;
}

bool
writer_is_degraded(const struct writer *w)
{
	return atomic_load(&w->degraded);
}

bool
writer_stop(struct writer *w)
{
	bool all;

	pthread_mutex_lock(&w->mutex);
	w->stopping = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	all = w->slot == NULL;
	release(w);
	return all;
}
