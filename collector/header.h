/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three export headers, reduced to one.
 *
 * Octets:         v5 (Cisco)         v9 (RFC 3954, 5.1)  IPFIX (RFC 7011, 3.1)
 *   0  version       2                  2                   2
 *   2  count         2 records          2 records, often    2 octets, header
 *                                         wrong: not used     included
 *   4  uptime        4 ms               4 ms                -
 *      export time   4 s, 4 ns          4 s                 4 s
 *      sequence      4 flows            4 datagrams         4 records
 *      domain        1 type, 1 id       4                   4
 *      sampling      2                  -                   -
 *      size         24                 20                  16
 */
#ifndef COLLECTOR_HEADER_H
#define COLLECTOR_HEADER_H

#include <stdint.h>

#include "collector/datagram.h"
#include "collector/decoder.h"
#include "common/wire.h"

struct export_header {
	enum export_protocol protocol;
	uint32_t domain; /* v5: engine type * 256 + engine id */
	uint32_t sequence;
	uint32_t uptime_ms; /* since the exporter's boot; IPFIX: 0 */
	int64_t export_ms;  /* Unix time */
	uint16_t count;	    /* v5: records; else 0 */
	uint16_t sampling;  /* v5: mode in 2 bits, interval in 14; else 0 */
};

/*
 * Reads and checks the header. After DECODE_OK, *out is the header and *body
 * what it announces behind it: for v5, count records; for IPFIX, up to the
 * length it tells; for v9, the rest. Octets behind that are *trailing: they
 * happen (a sender that sends its whole buffer), and are counted, not read.
 */
enum decode_status header_read(const struct datagram *d,
    struct export_header *out, struct wire *body, size_t *trailing);

#endif
