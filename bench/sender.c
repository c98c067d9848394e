/* SPDX-License-Identifier: Apache-2.0 */
/* The socket side of the generator. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/encode.h"
#include "bench/sender.h"

#define BATCH	 64
#define SNDBUF	 (4 * 1024 * 1024)
#define LOOPBACK 127U
#define RETRY_NS 100000
#define NS_PATH	 64

struct slot {
	_Alignas(size_t) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))];
	struct iovec vector;
	uint8_t octets[ENCODE_OCTETS_MAX];
};

/* Those of one source port, which is one socket. */
struct lane {
	int socket;
	unsigned count;
	struct mmsghdr messages[BATCH];
	struct slot slots[BATCH];
};

struct sender {
	struct sockaddr_storage to;
	socklen_t to_length;
	bool names_source;
	char source[SENDER_TEXT_MAX];
	uint32_t lane_count;
	uint64_t datagrams;
	uint64_t octets;
	struct lane lanes[];
};

/* Is this network not that of process 1, so that nothing leaves the host? */
static bool
is_in_a_namespace(void)
{
	char own[NS_PATH] = "";
	char first[NS_PATH] = "";

	return readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0 &&
	       readlink("/proc/1/ns/net", first, sizeof(first) - 1) > 0 &&
	       strcmp(own, first) != 0;
}

static bool
is_ipv6(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6;
}

/* The address alone, as text. */
static void
format_address(const struct sockaddr_storage *a, char text[SENDER_TEXT_MAX])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (is_ipv6(a)) {
		memcpy(&v6, a, sizeof(v6));
		inet_ntop(AF_INET6, &v6.sin6_addr, text, SENDER_TEXT_MAX);
	} else {
		memcpy(&v4, a, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, text, SENDER_TEXT_MAX);
	}
}

static bool
is_loopback(const struct sockaddr_storage *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (is_ipv6(a)) {
		memcpy(&v6, a, sizeof(v6));
		return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
	}
	memcpy(&v4, a, sizeof(v4));
	return ntohl(v4.sin_addr.s_addr) >> 24 == LOOPBACK;
}

/* Which address the system sends from. */
static void
find_source(struct sender *sender)
{
	struct sockaddr_storage own = { .ss_family = sender->to.ss_family };
	socklen_t length = sizeof(own);
	int s = socket(own.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (s >= 0 && connect(s, (const struct sockaddr *)&sender->to,
			  sender->to_length) == 0)
		(void)getsockname(s, (struct sockaddr *)&own, &length);
	format_address(&own, sender->source);
	if (s >= 0)
		close(s);
}

static void
prepare_lane(struct sender *s, struct lane *l)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *slot = &l->slots[i];
		struct msghdr *m = &l->messages[i].msg_hdr;

		slot->vector.iov_base = slot->octets;
		m->msg_name = &s->to;
		m->msg_namelen = s->to_length;
		m->msg_iov = &slot->vector;
		m->msg_iovlen = 1;
		if (s->names_source) {
			m->msg_control = slot->control;
			m->msg_controllen = sizeof(slot->control);
		}
	}
}

static bool
open_lane(struct sender *s, struct lane *l)
{
	int bytes = SNDBUF;

	prepare_lane(s, l);
	l->socket = socket(s->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->socket < 0) {
		perror("flowgen: socket");
		return false;
	}
	(void)setsockopt(l->socket, SOL_SOCKET, SO_SNDBUF, &bytes,
	    sizeof(bytes));
	return true;
}

static socklen_t
fill_address(const struct sender_target *to, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(to->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(to->port) };

	if (to->is_ipv6) {
		memcpy(&v6.sin6_addr, to->address, sizeof(v6.sin6_addr));
		memcpy(out, &v6, sizeof(v6));
		return sizeof(v6);
	}
	memcpy(&v4.sin_addr, to->address, sizeof(v4.sin_addr));
	memcpy(out, &v4, sizeof(v4));
	return sizeof(v4);
}

struct sender *
sender_new(const struct sender_target *to, uint32_t ports, bool any_target)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = fill_address(to, &address);
	struct sender *s;

	if (!is_loopback(&address) && !any_target && !is_in_a_namespace()) {
		fprintf(stderr, "flowgen: the target is not on loopback and "
				"not in a network namespace of its own: "
				"refused without --any-target\n");
		return NULL;
	}
	s = calloc(1, sizeof(*s) + ports * sizeof(s->lanes[0]));
	if (s == NULL)
		return NULL;
	s->to = address;
	s->to_length = length;
	s->names_source = is_loopback(&address) && !to->is_ipv6;
	find_source(s);
	for (; s->lane_count < ports; s->lane_count++) {
		if (!open_lane(s, &s->lanes[s->lane_count])) {
			sender_free(s);
			return NULL;
		}
	}
	return s;
}

void
sender_free(struct sender *s)
{
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->lane_count; i++)
		close(s->lanes[i].socket);
	free(s);
}

bool
sender_names_source(const struct sender *s)
{
	return s->names_source;
}

const char *
sender_source(const struct sender *s)
{
	return s->source;
}

/* Writes the source into the slot's control message. */
static void
name_source(struct msghdr *m, uint32_t source)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(source) };
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
}

/* The kernel's buffers are full for the moment. */
static void
wait_a_little(void)
{
	const struct timespec t = { .tv_nsec = RETRY_NS };

	nanosleep(&t, NULL);
}

static bool
flush_lane(struct sender *s, struct lane *l)
{
	unsigned done = 0;

	while (done < l->count) {
		int sent =
		    sendmmsg(l->socket, l->messages + done, l->count - done, 0);

		if (sent < 0 && errno == ENOBUFS) {
			wait_a_little();
			continue;
		}
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			perror("flowgen: sendmmsg");
			return false;
		}
		for (int i = 0; i < sent; i++)
			s->octets +=
			    l->slots[done + (unsigned)i].vector.iov_len;
		s->datagrams += (unsigned)sent;
		done += (unsigned)sent;
	}
	l->count = 0;
	return true;
}

bool
sender_add(struct sender *s, const uint8_t *octets, size_t length,
    uint32_t source, uint32_t port_index)
{
	struct lane *l = &s->lanes[port_index];
	struct slot *slot = &l->slots[l->count];

	memcpy(slot->octets, octets, length);
	slot->vector.iov_len = length;
	if (s->names_source)
		name_source(&l->messages[l->count].msg_hdr, source);
	l->count++;
	return l->count < BATCH || flush_lane(s, l);
}

bool
sender_flush(struct sender *s)
{
	for (uint32_t i = 0; i < s->lane_count; i++)
		if (!flush_lane(s, &s->lanes[i]))
			return false;
	return true;
}

uint64_t
sender_datagrams(const struct sender *s)
{
	return s->datagrams;
}

uint64_t
sender_octets(const struct sender *s)
{
	return s->octets;
}
