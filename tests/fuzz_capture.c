/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets as a capture file, by way of a file in memory. The oracle: every
 * datagram lies whole in one packet; those delivered are those counted; an
 * error has a line that names the file, and success has none.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/capture.h"

#define DATAGRAM_MAX 65535

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

struct seen {
	uint64_t datagrams;
	uint64_t octets;
};

static void
require(int truth)
{
	if (!truth)
		abort();
}

/* A copy reads all of it, so that a sanitizer sees what is not there. */
static void
take(const struct datagram *d, void *arg)
{
	static uint8_t copy[DATAGRAM_MAX];
	struct seen *seen = arg;

	require(d->length <= sizeof(copy));
	memcpy(copy, d->data, d->length);
	seen->datagrams++;
	seen->octets += d->length;
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char message[CAPTURE_MESSAGE_MAX] = "";
	struct counters *counters = calloc(1, sizeof(*counters));
	struct seen seen = { 0 };
	char path[32];
	int fd = memfd_create("capture", MFD_CLOEXEC);
	int err;

	require(counters != NULL && fd >= 0);
	require(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = capture_read(path, take, &seen, counters, message);
	require(err == ERR_OK || err == ERR_FORMAT);
	require((err == ERR_OK) == (message[0] == '\0'));
	require(err == ERR_OK || strncmp(message, path, strlen(path)) == 0);
	require(counter_get(counters, COUNTER_DATAGRAMS_RECEIVED) ==
		seen.datagrams);
	require(counter_get(counters, COUNTER_DATAGRAM_OCTETS) == seen.octets);
	(void)close(fd);
	free(counters);
	return 0;
}
