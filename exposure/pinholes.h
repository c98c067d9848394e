/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal endpoints that spoke first, to anyone, a short time ago. Of
 * protocols without flags these are pinholes (rule DP): what comes back to
 * them opens nothing. Of TCP they sent a SYN and are a client's: no guess
 * makes a service of them. An engine has a table for each.
 * Bounded. When full: the one that had no news for longest goes.
 */
#ifndef EXPOSURE_PINHOLES_H
#define EXPOSURE_PINHOLES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/hash.h"

#define PINHOLES_MAX 65536
#define PINHOLE_MS   300000

struct pinholes;

/* owned: pinholes_free(). NULL: no memory. */
struct pinholes *pinholes_new(const struct hash_key *key);
void pinholes_free(struct pinholes *p); /* takes NULL */
size_t pinholes_bytes(void);

/* The endpoint spoke first at first_ms, and was heard until last_ms. */
void pinholes_note(struct pinholes *p, const struct addr *host, uint8_t proto,
    uint16_t port, int64_t first_ms, int64_t last_ms);

/* It did so before ts_ms, and was heard within_ms before it, or since. */
bool pinholes_has(const struct pinholes *p, const struct addr *host,
    uint8_t proto, uint16_t port, int64_t ts_ms, int64_t within_ms);

#endif
