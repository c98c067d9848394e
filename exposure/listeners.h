/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ephemeral listeners: ports that answer because of another conversation.
 *
 * FTP: its data connections (RFC 959) follow a control connection between
 * the same two addresses, at most FTP_MS ago. Passive: to a port of the
 * server. Active: from port 20 to a port of the client.
 * P2P: the same inside port accepts from and opens to LISTENER_PEERS
 * different outside addresses each, within one hour of the clock.
 *
 * Two bounded tables. When full: the entry unused longest goes, and what
 * rested on it is an ordinary exposure.
 */
#ifndef EXPOSURE_LISTENERS_H
#define EXPOSURE_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/hash.h"

#define LISTENER_CONTROLS_MAX 8192
#define LISTENER_SOCKETS_MAX  8192
#define LISTENER_PEERS	      8

#define FTP_PORT      21
#define FTP_DATA_PORT 20
#define FTP_MS	      7200000
#define TFTP_PORT     69

struct listeners;

/* owned: listeners_free(). NULL: no memory. */
struct listeners *listeners_new(const struct hash_key *key);
void listeners_free(struct listeners *l); /* takes NULL */
size_t listeners_bytes(void);

/*
 * An FTP control connection of these two, seen from first_ms to last_ms;
 * outbound: the inside is the client. True: none was known that reaches so
 * far back, so data connections may have been judged without it.
 */
bool listeners_note_control(struct listeners *l, const struct addr *outer,
    const struct addr *inner, bool outbound, int64_t first_ms, int64_t last_ms);

/* A data connection that began at ts_ms may belong to one. */
bool listeners_has_control(const struct listeners *l, const struct addr *outer,
    const struct addr *inner, bool outbound, int64_t ts_ms);

/* An inside socket, the protocol and port of an inside address. */
struct socket_key {
	struct addr host;
	uint16_t port;
	uint8_t proto;
	uint8_t zero;
};

/*
 * The socket accepted a peer, or opened to it, at ts_ms. True: it has had
 * LISTENER_PEERS of both within this hour.
 */
bool listeners_note_peer(struct listeners *l, const struct socket_key *socket,
    const struct addr *peer, bool accepted, int64_t ts_ms);

#endif
