/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines to stderr. */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/timefmt.h"

#define LINE_MAX_OCTETS 1024

static _Atomic int level_now = LOG_LEVEL_INFO;

static const char *const level_names[LOG_LEVEL_COUNT] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void
log_set_level(enum log_level level)
{
	atomic_store(&level_now, (int)level);
}

bool
log_is_on(enum log_level level)
{
	return (int)level <= atomic_load(&level_now);
}

/* Quotes and control octets would break the line apart: replace them. */
static void
make_safe(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"')
			*text = '\'';
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

__attribute__((format(printf, 4, 0))) static void
write_line(enum log_level level, const char *module, int error,
    const char *format, va_list args)
{
	char message[LINE_MAX_OCTETS / 2];
	char line[LINE_MAX_OCTETS];
	char iso[TIME_TEXT_MAX];
	int used;

	if (!log_is_on(level))
		return;
	vsnprintf(message, sizeof(message), format, args);
	make_safe(message);
	used = snprintf(line, sizeof(line),
	    "level=%s ts=%s module=%s msg=\"%s%s%s\"\n", level_names[level],
	    time_format(time(NULL), iso), module, message,
	    error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	if (used > (int)sizeof(line) - 1)
		used = (int)sizeof(line) - 1;
	if (write(STDERR_FILENO, line, (size_t)used) < 0)
		return; /* nowhere to say it */
}

#define DEFINE_LOG(name, level, error)                                         \
	void name(const char *module, const char *format, ...)                 \
	{                                                                      \
		int saved = (error);                                           \
		va_list args;                                                  \
                                                                               \
		va_start(args, format);                                        \
		write_line((level), module, saved, format, args);              \
		va_end(args);                                                  \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR, errno)
DEFINE_LOG(log_errorx, LOG_LEVEL_ERROR, 0)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN, errno)
DEFINE_LOG(log_warnx, LOG_LEVEL_WARN, 0)
DEFINE_LOG(log_info, LOG_LEVEL_INFO, 0)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG, 0)

bool
log_limited(int64_t *last_s, int64_t now_s, int64_t interval_s)
{
	if (*last_s != 0 && now_s - *last_s < interval_s)
		return false;
	*last_s = now_s;
	return true;
}
