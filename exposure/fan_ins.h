/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fan-in (rule D7): many peers meet at a server's socket. For conversations
 * whose direction nothing else tells, the distinct remote sockets of each
 * internal endpoint are sampled; a service draws many addresses from
 * scattered ephemeral ports, a client meets few services on few ports.
 *
 * A bounded table, FAN_IN_PEERS peers an endpoint, forgotten after a day.
 * When full: the endpoint unused longest goes.
 */
#ifndef EXPOSURE_FAN_INS_H
#define EXPOSURE_FAN_INS_H

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/hash.h"
#include "exposure/verdict.h"

#define FAN_INS_MAX  16384
#define FAN_IN_PEERS 16

struct fan_ins;

/* owned: fan_ins_free(). NULL: no memory. */
struct fan_ins *fan_ins_new(const struct hash_key *key);
void fan_ins_free(struct fan_ins *f); /* takes NULL */
size_t fan_ins_bytes(void);

/* A conversation of unknown direction with a peer, at ts_ms. */
void fan_ins_add(struct fan_ins *f, const struct addr *host, uint8_t proto,
    uint16_t port, const struct addr *peer, uint16_t peer_port, int64_t ts_ms);

/* What the peers so far say of the endpoint. */
enum fan_in fan_ins_get(const struct fan_ins *f, const struct addr *host,
    uint8_t proto, uint16_t port);

#endif
