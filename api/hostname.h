/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Host header: whom does the client think it is talking to? A browser
 * led here by a name of an attacker's (DNS rebinding) says that name, so
 * only our own addresses, "localhost" and configured names pass.
 */
#ifndef API_HOSTNAME_H
#define API_HOSTNAME_H

#include <stdbool.h>

#include "common/addr.h"

/*
 * host: the header's value, with or without a port. local: the address the
 * connection came to; NULL: unknown. names: NULL at the end, or NULL.
 */
bool hostname_allowed(const char *host, const struct addr *local,
    const char *const *names);

#endif
