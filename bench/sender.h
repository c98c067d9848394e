/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to one target, 64 a sendmmsg(), from many source addresses.
 *
 * To 127.0.0.0/8 each datagram names its source (IP_PKTINFO), which needs no
 * privilege there; to other targets the system chooses it.
 */
#ifndef BENCH_SENDER_H
#define BENCH_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_PORTS_MAX 256

struct sender;

/*
 * IPv4: address and source addresses in host order. ports: how many source
 * ports. any_target: do not refuse. owned: sender_free(). NULL, with a line
 * on standard error: the target is neither on loopback nor inside a network
 * namespace of its own, or no socket.
 */
struct sender *sender_new(uint32_t address, uint16_t port, uint32_t ports,
    bool any_target);
void sender_free(struct sender *s); /* takes NULL */

/* What the system chooses as the source; 127.0.0.0/8: the caller does. */
uint32_t sender_source(const struct sender *s);

/* Takes a copy. False, with a line on standard error: it cannot be sent. */
bool sender_add(struct sender *s, const uint8_t *octets, size_t length,
    uint32_t source, uint32_t port_index);

/* Sends what was added. False as above. */
bool sender_flush(struct sender *s);

/* Datagrams and octets the kernel took. */
uint64_t sender_datagrams(const struct sender *s);
uint64_t sender_octets(const struct sender *s);

#endif
