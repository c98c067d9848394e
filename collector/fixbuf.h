/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one door to libfixbuf: templates and data sets in, records out.
 *
 * libfixbuf 2.4.1 is not made for hostile input: it reads past data sets that
 * are too short, loops on records of no length, and grows with every domain
 * and every unknown element. So it gets nothing as it came: templates only
 * compiled ones (template.h), whose elements are known or padding, data sets
 * only of whole records that the gate has counted, all in IPFIX messages
 * written here, in one observation domain.
 *
 * Not for several threads at once, but each thread may have its own. The
 * information model is shared, made once, and never changed afterwards.
 */
#ifndef COLLECTOR_FIXBUF_H
#define COLLECTOR_FIXBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/ie.h"
#include "collector/template.h"
#include "common/counter.h"

struct fixbuf;

/* owned: free with fixbuf_free(). counters is borrowed for its life. */
struct fixbuf *fixbuf_new(struct counters *counters);
void fixbuf_free(struct fixbuf *f); /* takes NULL */

/*
 * Makes a template known under id (256 to 65535), in place of an older one.
 * False when the library refuses, which is a bug.
 */
bool fixbuf_learn(struct fixbuf *f, uint16_t id,
    const struct template_field *fields, uint16_t count);

/*
 * Starts on a data set: `length` octets of whole records of the template,
 * copied. FIXBUF_RECORDS_MAX is the most a datagram can hold.
 */
#define FIXBUF_RECORDS_MAX (65535 - 16 - 4)
bool fixbuf_start(struct fixbuf *f, uint16_t id, const uint8_t *records,
    size_t length);

/* The next record; false: the library refused, and the rest is lost. */
bool fixbuf_next(struct fixbuf *f, struct ie_record *out);

/*
 * Ends what fixbuf_start() began, in any case. False when the library has not
 * come to the end of the set: it has another idea of it than the gate, which
 * is a bug.
 */
bool fixbuf_finish(struct fixbuf *f);

/* Takes a template out. It need not be there. */
void fixbuf_forget(struct fixbuf *f, uint16_t id);

#endif
