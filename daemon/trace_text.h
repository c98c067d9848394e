/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the trace: times, endpoints, flags, evidence, halves. */
#ifndef DAEMON_TRACE_TEXT_H
#define DAEMON_TRACE_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "exposure/trace.h"

#define TRACE_TEXT_MAX 160

/* A line of a block: the word, padded. */
void trace_begin_line(FILE *out, const char *word);

/* Each fills text and returns it. */
char *trace_time(int64_t ms, char text[TRACE_TEXT_MAX]);
char *trace_endpoint(const struct addr *a, uint16_t port, uint8_t proto,
    char text[TRACE_TEXT_MAX]);
char *trace_proto(uint8_t proto, char text[TRACE_TEXT_MAX]);
char *trace_flags(uint8_t flags, char text[TRACE_TEXT_MAX]); /* "...A..S." */
char *trace_evidence(uint16_t bits, char text[TRACE_TEXT_MAX]);
const char *trace_side(unsigned side);

/* A half in one line, without its end: "SYN; flags ......S. 0x02; ...". */
void trace_print_half(const struct half *h, FILE *out);

/* "accepted A1:D1 high, the outside opened"; "waits". */
void trace_print_verdict(const struct verdict *v, FILE *out);

/* Records of feeds tell many things; these are those a verdict may use. */
void trace_print_extras(const struct flow_record *f, FILE *out);

#endif
