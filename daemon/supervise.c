/* SPDX-License-Identifier: Apache-2.0 */
/* The API process: start, watch, start again, end. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "daemon/supervise.h"

#define MODULE	   "supervise"
#define CHILD_NAME "darkportd-api" /* argv[0] of the child */
#define CHILD_EXE  "/proc/self/exe"

/* The child's descriptors; all others are closed. */
#define CHILD_LISTEN_FD	 3
#define CHILD_CONTROL_FD 4
#define CHILD_PAGE_FD	 5
#define CHILD_FIRST_FREE 6

#define PAUSE_MAX_S    60 /* between two starts */
#define PAUSE_FORGET_S 60 /* a child that lived so long was well */
#define STOP_WAIT_MS   3000
#define STOP_POLL_MS   10
#define NS_PER_MS      1000000L

/* What the two processes share. */
struct page {
	struct counters counters; /* the daemon adds, the child reads */
	struct prefix_set networks;
	int64_t started_s;
	enum log_level level;
	char store[CONFIG_PATH_MAX];
};

struct supervise {
	struct page *page;
	int page_fd;
	int listen_fd;
	int control_fd; /* ours; the child sees its end close */
	pid_t pid;	/* 0: no child */
	int64_t started_s;
	int64_t next_start_s;
	int64_t pause_s;
};

/* The page, writable here and by nobody who maps it later. */
static int
make_page(struct supervise *s)
{
	void *at;

	s->page_fd = memfd_create("darkportd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->page_fd < 0 ||
	    ftruncate(s->page_fd, (off_t)sizeof(struct page)) != 0)
		return ERR_IO;
	at = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    s->page_fd, 0);
	if (at == MAP_FAILED)
		return ERR_IO;
	s->page = at;
	if (fcntl(s->page_fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) != 0)
		return ERR_IO;
	return ERR_OK;
}

int
supervise_new(const struct config *c, int64_t now_s, enum log_level level,
    struct supervise **out)
{
	struct supervise *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return ERR_NOMEM;
	s->page_fd = s->listen_fd = s->control_fd = -1;
	err = make_page(s);
	if (err != ERR_OK) {
		int saved = errno;

		supervise_free(s);
		errno = saved;
		return err;
	}
	s->page->networks = c->engine.internal;
	s->page->started_s = now_s;
	s->page->level = level;
	memcpy(s->page->store, c->store, sizeof(s->page->store));
	*out = s;
	return ERR_OK;
}

struct counters *
supervise_counters(struct supervise *s)
{
	return &s->page->counters;
}

int
supervise_listen(struct supervise *s, const struct endpoint *e,
    struct endpoint *bound)
{
	int err;

	*bound = *e;
	err = api_listen(&e->address, e->port, &s->listen_fd, &bound->port);
	return err;
}

/* After fork(): only what a signal handler may do. */
_Noreturn static void
become_child(const int from[3])
{
	static char name[] = CHILD_NAME;
	char *argv[] = { name, NULL };
	int high[3];

	/* first out of the way, then to where they belong */
	for (int i = 0; i < 3; i++) {
		high[i] = fcntl(from[i], F_DUPFD, CHILD_FIRST_FREE);
		if (high[i] < 0)
			_exit(1);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], CHILD_LISTEN_FD + i) < 0)
			_exit(1);
	if (close_range(CHILD_FIRST_FREE, ~0U, 0) != 0)
		_exit(1);
	execv(CHILD_EXE, argv);
	_exit(1);
}

int
supervise_start(struct supervise *s)
{
	int control[2];
	struct timespec now;
	pid_t pid;

	assert(s->pid == 0 && s->listen_fd >= 0);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0)
		return ERR_IO;
	pid = fork();
	if (pid == 0) {
		int from[3] = { s->listen_fd, control[1], s->page_fd };

		become_child(from);
	}
	close(control[1]);
	if (pid < 0) {
		close(control[0]);
		return ERR_IO;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	s->control_fd = control[0];
	s->pid = pid;
	s->started_s = now.tv_sec;
	log_info(MODULE, "api process %ld started", (long)pid);
	return ERR_OK;
}

/* The child is no more: say how it ended, and when the next one starts. */
static void
note_death(struct supervise *s, int status, int64_t now_s)
{
	s->pause_s =
	    now_s - s->started_s >= PAUSE_FORGET_S ? 1 : s->pause_s * 2;
	if (s->pause_s < 1)
		s->pause_s = 1;
	if (s->pause_s > PAUSE_MAX_S)
		s->pause_s = PAUSE_MAX_S;
	s->next_start_s = now_s + s->pause_s;
	log_warnx(MODULE,
	    "api process %ld ended, %s %d; the next starts in %lld s",
	    (long)s->pid, WIFSIGNALED(status) ? "signal" : "exit code",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
	    (long long)s->pause_s);
	close(s->control_fd);
	s->control_fd = -1;
	s->pid = 0;
}

void
supervise_tick(struct supervise *s, int64_t now_s)
{
	int status;

	if (s->listen_fd < 0)
		return; /* no HTTP at all */
	if (s->pid != 0 && waitpid(s->pid, &status, WNOHANG) == s->pid)
		note_death(s, status, now_s);
	if (s->pid != 0 || now_s < s->next_start_s)
		return;
	if (supervise_start(s) != ERR_OK) {
		log_error(MODULE, "api process cannot be started");
		s->next_start_s = now_s + PAUSE_MAX_S;
	}
}

/* Waits for the child; one that does not end is killed. */
void
supervise_stop(struct supervise *s)
{
	const struct timespec pause = { 0, STOP_POLL_MS * NS_PER_MS };
	int waited_ms = 0;

	if (s->pid == 0)
		return;
	close(s->control_fd);
	kill(s->pid, SIGTERM);
	while (waitpid(s->pid, NULL, WNOHANG) == 0) {
		if (waited_ms == STOP_WAIT_MS) {
			log_warnx(MODULE,
			    "api process %ld does not end: "
			    "killed",
			    (long)s->pid);
			kill(s->pid, SIGKILL);
		}
		nanosleep(&pause, NULL);
		waited_ms += STOP_POLL_MS;
	}
	s->control_fd = -1;
	s->pid = 0;
}

void
supervise_free(struct supervise *s)
{
	if (s == NULL)
		return;
	supervise_stop(s);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (s->page != NULL)
		munmap(s->page, sizeof(*s->page));
	if (s->page_fd >= 0)
		close(s->page_fd);
	free(s);
}

/* --- in the child --------------------------------------------------------- */

bool
supervise_is_child(char **argv)
{
	return argv[0] != NULL && strcmp(argv[0], CHILD_NAME) == 0;
}

/* The page as the daemon made it, or NULL: then nobody started us right. */
static const struct page *
map_page(void)
{
	struct stat st;
	void *at;

	if (fstat(CHILD_PAGE_FD, &st) != 0 ||
	    st.st_size != (off_t)sizeof(struct page))
		return NULL;
	at = mmap(NULL, sizeof(struct page), PROT_READ, MAP_SHARED,
	    CHILD_PAGE_FD, 0);
	return at == MAP_FAILED ? NULL : at;
}

int
supervise_run_child(void)
{
	const struct page *page = map_page();
	int err;

	if (page == NULL) {
		fprintf(stderr,
		    "darkportd: " CHILD_NAME " is started by darkportd only\n");
		return 2;
	}
	log_set_level(page->level);
	fcntl(CHILD_LISTEN_FD, F_SETFD, FD_CLOEXEC);
	fcntl(CHILD_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	err = api_run(&(struct api_config){
	    .listen_fd = CHILD_LISTEN_FD,
	    .control_fd = CHILD_CONTROL_FD,
	    .store = page->store,
	    .version = DARKPORT_VERSION,
	    .started_s = page->started_s,
	    .counters = &page->counters,
	    .networks = &page->networks,
	});
	if (err != ERR_OK)
		log_errorx(MODULE, "api: %s", err_name(err));
	return err == ERR_OK ? 0 : 1;
}
