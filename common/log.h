/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's log: one line an event, to stderr, as
 *     level=info ts=2026-11-22T07:33:00Z module=udp msg="..."
 * Messages: lower case, no full stop, object first. What happens often is a
 * counter, not a line. Names ending in x do not append errno's text.
 * Any thread may log: a line is one write.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};

#define LOG_FORMAT __attribute__((format(printf, 2, 3)))

/* Lines above this level are not written; LOG_LEVEL_INFO at the start. */
void log_set_level(enum log_level level);
bool log_is_on(enum log_level level);

void log_error(const char *module, const char *format, ...) LOG_FORMAT;
void log_errorx(const char *module, const char *format, ...) LOG_FORMAT;
void log_warn(const char *module, const char *format, ...) LOG_FORMAT;
void log_warnx(const char *module, const char *format, ...) LOG_FORMAT;
void log_info(const char *module, const char *format, ...) LOG_FORMAT;
void log_debug(const char *module, const char *format, ...) LOG_FORMAT;

/*
 * For what strangers can provoke: true at most once in interval_s seconds.
 * *last_s is the caller's memory, 0 at the start; now_s any steady clock.
 */
bool log_limited(int64_t *last_s, int64_t now_s, int64_t interval_s);

#endif
