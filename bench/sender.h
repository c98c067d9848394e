/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to one target, 64 a sendmmsg(), from many source addresses.
 *
 * To 127.0.0.0/8 each datagram names its source (IP_PKTINFO), which needs no
 * privilege there; to other targets, all of IPv6 among them, the system
 * chooses it.
 */
#ifndef BENCH_SENDER_H
#define BENCH_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_PORTS_MAX 256

struct sender;

struct sender_target {
	uint8_t address[16]; /* IPv4: the first four octets */
	bool is_ipv6;
	uint16_t port;
};

/*
 * to is copied. ports: how many source ports. any_target: do
 * not refuse. owned: sender_free(). NULL, with a line on standard error: the
 * target is neither on loopback nor inside a network namespace of its own, or
 * no socket.
 */
struct sender *sender_new(const struct sender_target *to, uint32_t ports,
    bool any_target);
void sender_free(struct sender *s); /* takes NULL */

/* Whether the caller chooses the sources: 127.0.0.0/8. */
bool sender_names_source(const struct sender *s);

/* What the system chooses as the source, as text. */
#define SENDER_TEXT_MAX 46
const char *sender_source(const struct sender *s);

/* Takes a copy. source: in host order, when the caller chooses it. False,
 * with a line on standard error: it cannot be sent. */
bool sender_add(struct sender *s, const uint8_t *octets, size_t length,
    uint32_t source, uint32_t port_index);

/* Sends what was added. False as above. */
bool sender_flush(struct sender *s);

/* Datagrams and octets the kernel took. */
uint64_t sender_datagrams(const struct sender *s);
uint64_t sender_octets(const struct sender *s);

#endif
