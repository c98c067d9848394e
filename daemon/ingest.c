/* SPDX-License-Identifier: Apache-2.0 */
/* The threads, each with its loop, its queue and its counts. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/clock.h"
#include "daemon/ingest.h"

/* How long a thread waits before it looks again for room in its queue; how
 * long the engine's does for a time that is not over yet. */
#define NAP_NS	      1000000
#define LOOK_AGAIN_US 1000

struct lane {
	struct counter_share counts; /* not used with one thread */
	struct merge_stream stream;
	struct ingest *ingest;
	struct event_base *base;
	struct event *bell; /* the engine's thread rings: asks, or ends it */
	int bell_fd;
	struct flow_batch *flows; /* of the datagram being decoded */
	struct udp *sockets[INGEST_ADDRESSES_MAX];
	pthread_t thread;
	bool is_running; /* the caller's: there is a thread to join */
	bool is_active;	 /* the thread's: it received something this round */
	bool is_asked;	 /* the thread's: what it is complete up to */
	_Atomic bool is_asking; /* the engine's question has no answer yet */
	_Atomic bool must_end;
	_Atomic bool has_ended;
};

struct ingest {
	uint32_t threads;
	uint32_t addresses;
	struct event_base *base;
	struct counters *counters;
	struct decoders *decoders;
	struct ingest_sink sink;
	struct event *bell; /* a thread rings: something is there */
	int bell_fd;
	struct event *again; /* look again when a millisecond is over */
	struct lane *lanes[INGEST_THREADS_MAX];
	struct merge_stream *streams[INGEST_THREADS_MAX];
};

static bool
has_threads(const struct ingest *i)
{
	return i->threads > 1;
}

static void
ring(int fd)
{
	const uint64_t one = 1;

	/* it fails when it has rung 2^64 times unheard: as good */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static void
hush(int fd)
{
	uint64_t rung;

	if (read(fd, &rung, sizeof(rung)) < 0)
		return; /* somebody else heard it */
}

static void
nap(void)
{
	const struct timespec t = { 0, NAP_NS };

	nanosleep(&t, NULL);
}

/* --- a thread ------------------------------------------------------------- */

static void
put(struct lane *l, const struct decoded *d)
{
	struct flow_queue *q = l->stream.queue;

	if (flow_queue_put(q, d, l->flows->records))
		return;
	counter_add(&l->counts.own, COUNTER_INGEST_WAITS, 1);
	do {
		ring(l->ingest->bell_fd);
		nap();
	} while (!flow_queue_put(q, d, l->flows->records));
}

/* The thread has put all that it received until then. */
static void
tell_complete(struct lane *l, int64_t at_ms)
{
	atomic_store_explicit(&l->stream.complete_ms, at_ms,
	    memory_order_release);
}

/* A datagram_fn. More of the same millisecond may come. */
static void
take_and_queue(const struct datagram *d, void *arg)
{
	struct lane *l = arg;
	struct decoded out;

	l->is_active = true;
	l->flows->count = 0;
	out = decoders_decode(l->ingest->decoders, d, l->flows);
	put(l, &out);
	tell_complete(l, out.received_ms - 1);
}

/* A udp_flush_fn. */
static void
tell_engine(void *arg)
{
	ring(((struct lane *)arg)->ingest->bell_fd);
}

/* The lane's bell. */
static void
hear_question(evutil_socket_t fd, short what, void *arg)
{
	struct lane *l = arg;

	(void)what;
	hush(fd);
	l->is_asked = true;
}

static void
answer(struct lane *l, int64_t complete_ms)
{
	l->is_asked = false;
	tell_complete(l, complete_ms);
	atomic_store(&l->is_asking, false);
	ring(l->ingest->bell_fd);
}

/*
 * A question is answered after a round that began later and received nothing:
 * all that came before it began has been put.
 */
static void *
work(void *arg)
{
	struct lane *l = arg;

	while (!atomic_load(&l->must_end)) {
		bool was_asked = l->is_asked;
		int64_t begun_ms = clock_now_ms();

		l->is_active = false;
		if (event_base_loop(l->base,
			was_asked ? EVLOOP_NONBLOCK : EVLOOP_ONCE) < 0)
			break;
		if (was_asked && !l->is_active)
			answer(l, begun_ms - 1);
	}
	tell_complete(l, INT64_MAX);
	atomic_store(&l->has_ended, true);
	ring(l->ingest->bell_fd);
	return NULL;
}

/* --- the engine's thread -------------------------------------------------- */

/* One question at a time: the bell is not rung again before the answer. */
static void
ask(struct ingest *i, uint32_t lanes)
{
	for (uint32_t n = 0; n < i->threads; n++)
		if ((lanes & 1U << n) != 0 &&
		    !atomic_exchange(&i->lanes[n]->is_asking, true))
			ring(i->lanes[n]->bell_fd);
}

/* Gives the sink what can be taken; true when it is all there was. */
static bool
drain(struct ingest *i)
{
	const struct timeval soon = { 0, LOOK_AGAIN_US };
	int64_t now_ms = clock_now_ms();
	struct merge_rest rest;
	uint32_t taken = merge_take(i->streams, i->threads, now_ms,
	    i->sink.take_decoded, i->sink.arg, &rest);

	if (taken != 0)
		i->sink.flushed(i->sink.arg);
	if (rest.more) {
		ring(i->bell_fd);
	} else if (rest.waiting) {
		/* who is asked in that same millisecond cannot know */
		if (now_ms > rest.waiting_ms)
			ask(i, rest.missing);
		evtimer_add(i->again, &soon);
	}
	return !rest.more && !rest.waiting;
}

static void
hear_threads(evutil_socket_t fd, short what, void *arg)
{
	(void)what;
	hush(fd);
	(void)drain(arg);
}

static void
look_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)drain(arg);
}

/* With one thread, a datagram_fn and a udp_flush_fn. */
static void
take_at_once(const struct datagram *d, void *arg)
{
	const struct ingest *i = ((struct lane *)arg)->ingest;

	i->sink.take(d, i->sink.arg);
}

static void
end_burst(void *arg)
{
	const struct ingest *i = ((struct lane *)arg)->ingest;

	i->sink.flushed(i->sink.arg);
}

/* --- making --------------------------------------------------------------- */

/* An eventfd in a loop. False: none. */
static bool
hang_bell(struct event_base *base, event_callback_fn heard, void *arg, int *fd,
    struct event **bell)
{
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*fd < 0)
		return false;
	*bell = event_new(base, *fd, EV_READ | EV_PERSIST, heard, arg);
	return *bell != NULL && event_add(*bell, NULL) == 0;
}

static void
take_down_bell(struct event *bell, int fd)
{
	if (bell != NULL)
		event_free(bell);
	if (fd >= 0)
		close(fd);
}

static void
free_lane(struct lane *l)
{
	if (l == NULL)
		return;
	take_down_bell(l->bell, l->bell_fd);
	if (l->base != NULL && l->base != l->ingest->base)
		event_base_free(l->base);
	flow_queue_free(l->stream.queue);
	free(l->flows);
	free(l);
}

static struct lane *
new_lane(struct ingest *i)
{
	struct lane *l = aligned_alloc(_Alignof(struct lane), sizeof(*l));

	if (l == NULL)
		return NULL;
	memset(l, 0, sizeof(*l));
	l->ingest = i;
	l->bell_fd = -1;
	if (!has_threads(i)) {
		l->base = i->base;
		return l;
	}
	atomic_init(&l->stream.complete_ms, INT64_MIN);
	l->base = event_base_new();
	l->stream.queue = flow_queue_new();
	l->flows = malloc(sizeof(*l->flows));
	if (l->base == NULL || l->stream.queue == NULL || l->flows == NULL ||
	    !hang_bell(l->base, hear_question, l, &l->bell_fd, &l->bell)) {
		free_lane(l);
		return NULL;
	}
	return l;
}

struct ingest *
ingest_new(uint32_t threads, struct event_base *base, struct counters *counters)
{
	struct ingest *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->threads = threads;
	i->base = base;
	i->counters = counters;
	i->bell_fd = -1;
	for (uint32_t n = 0; n < threads; n++) {
		i->lanes[n] = new_lane(i);
		if (i->lanes[n] == NULL)
			goto fail;
		i->streams[n] = &i->lanes[n]->stream;
	}
	if (!has_threads(i))
		return i;
	i->again = evtimer_new(base, look_again, i);
	if (i->again != NULL &&
	    hang_bell(base, hear_threads, i, &i->bell_fd, &i->bell))
		return i;
fail:
	ingest_free(i);
	return NULL;
}

void
ingest_free(struct ingest *i)
{
	if (i == NULL)
		return;
	for (uint32_t n = 0; n < i->threads; n++)
		free_lane(i->lanes[n]);
	take_down_bell(i->bell, i->bell_fd);
	if (i->again != NULL)
		event_free(i->again);
	free(i);
}

uint64_t
ingest_bytes(uint32_t threads, uint32_t addresses)
{
	uint64_t each = sizeof(struct lane) + (uint64_t)addresses * udp_bytes();

	if (threads > 1)
		each += flow_queue_bytes() + sizeof(struct flow_batch);
	return sizeof(struct ingest) + threads * each;
}

static void
close_address(struct ingest *i, uint32_t address)
{
	for (uint32_t n = 0; n < i->threads; n++) {
		struct udp **slot = &i->lanes[n]->sockets[address];

		udp_close(*slot);
		*slot = NULL;
	}
}

int
ingest_listen(struct ingest *i, const struct udp_config *config, uint16_t *port)
{
	struct udp_config own = *config;
	int saved_errno;
	int err;

	own.threads = i->threads;
	for (uint32_t n = 0; n < i->threads; n++) {
		struct lane *l = i->lanes[n];
		struct udp **slot = &l->sockets[i->addresses];

		own.thread = n;
		own.counters = has_threads(i) ? &l->counts.own : i->counters;
		err = has_threads(i) ? udp_open(l->base, &own, take_and_queue,
					   tell_engine, l, slot)
				     : udp_open(l->base, &own, take_at_once,
					   end_burst, l, slot);
		if (err != ERR_OK) {
			saved_errno = errno;
			close_address(i, i->addresses);
			errno = saved_errno;
			return err;
		}
		own.port = udp_port(*slot);
	}
	*port = own.port;
	i->addresses++;
	return ERR_OK;
}

/* --- running -------------------------------------------------------------- */

int
ingest_start(struct ingest *i, struct decoders *decoders,
    const struct ingest_sink *sink)
{
	sigset_t all, before;
	bool is_well = true;

	i->decoders = decoders;
	i->sink = *sink;
	if (!has_threads(i))
		return ERR_OK;
	/* signals are the caller's */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (uint32_t n = 0; n < i->threads && is_well; n++) {
		struct lane *l = i->lanes[n];

		is_well = pthread_create(&l->thread, NULL, work, l) == 0;
		l->is_running = is_well;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return is_well ? ERR_OK : ERR_NOMEM;
}

bool
ingest_tick(struct ingest *i)
{
	bool is_well = true;

	for (uint32_t n = 0; n < i->threads; n++) {
		struct lane *l = i->lanes[n];

		for (uint32_t a = 0; a < i->addresses; a++)
			udp_poll_drops(l->sockets[a]);
		if (!has_threads(i))
			continue;
		counter_share_tell(&l->counts, i->counters);
		is_well = is_well && !atomic_load(&l->has_ended);
	}
	return is_well;
}

static bool
is_any_running(const struct ingest *i)
{
	for (uint32_t n = 0; n < i->threads; n++)
		if (i->lanes[n]->is_running &&
		    !atomic_load(&i->lanes[n]->has_ended))
			return true;
	return false;
}

/* They may wait for room in their queues: so take until they have ended. */
static void
end_threads(struct ingest *i)
{
	for (uint32_t n = 0; n < i->threads; n++) {
		struct lane *l = i->lanes[n];

		atomic_store(&l->must_end, true);
		if (l->is_running)
			ring(l->bell_fd);
		else
			tell_complete(l, INT64_MAX);
	}
	while (is_any_running(i)) {
		(void)drain(i);
		nap();
	}
	for (uint32_t n = 0; n < i->threads; n++)
		if (i->lanes[n]->is_running)
			pthread_join(i->lanes[n]->thread, NULL);
	while (i->sink.take_decoded != NULL && !drain(i))
		;
}

void
ingest_stop(struct ingest *i)
{
	if (i == NULL)
		return;
	if (has_threads(i))
		end_threads(i);
	(void)ingest_tick(i);
	while (i->addresses > 0)
		close_address(i, --i->addresses);
}
