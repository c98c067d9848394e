/* SPDX-License-Identifier: Apache-2.0 */
/* Errors for HTTP clients: RFC 9457. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/percent.h"
#include "api/problem.h"
#include "common/log.h"

#define INSTANCE_MAX 256

static const struct {
	int status;
	const char *name;
	const char *title;
	const char *text;
} kinds[] = {
#define PROBLEM_ROW(id, status, name, title, text)                             \
	{ status, name, title, text },
	PROBLEM_LIST(PROBLEM_ROW)
#undef PROBLEM_ROW
};

void
problem_set(struct problem *p, enum problem_kind kind, const char *format, ...)
{
	va_list args;

	*p = (struct problem){ .kind = kind };
	va_start(args, format);
	vsnprintf(p->detail, sizeof(p->detail), format, args);
	va_end(args);
}

/* What was asked, cut and made printable: strangers wrote it. */
static char *
format_instance(const struct request *request, char out[INSTANCE_MAX])
{
	size_t used;

	percent_printable(request->path, strlen(request->path), out,
	    INSTANCE_MAX);
	used = strlen(out);
	if (request->query != NULL && used + 2 < INSTANCE_MAX) {
		out[used++] = '?';
		percent_printable(request->query, strlen(request->query),
		    out + used, INSTANCE_MAX - used);
	}
	return out;
}

/* NULL: no memory. */
static json_t *
to_json(const struct problem *p, const struct request *request)
{
	char instance[INSTANCE_MAX];
	char type[64];

	snprintf(type, sizeof(type), "/problems/%s", kinds[p->kind].name);
	return json_pack("{ss ss si ss ss ss so*}", "type", type, "title",
	    kinds[p->kind].title, "status", kinds[p->kind].status, "detail",
	    p->detail[0] != '\0' ? p->detail : kinds[p->kind].text, "instance",
	    format_instance(request, instance), "request_id", request->id,
	    "errors",
	    p->parameter[0] == '\0'
		? NULL
		: json_pack("[{ss ss ss}]", "parameter", p->parameter, "value",
		      p->value, "detail", p->detail));
}

void
problem_answer(const struct problem *p, const struct request *request,
    struct response *response)
{
	json_t *json = to_json(p, request);
	char *text = json_dumps(json, JSON_COMPACT);

	buffer_clear(&response->body);
	if (text != NULL) {
		buffer_puts(&response->body, text);
		buffer_puts(&response->body, "\n");
	}
	free(text);
	json_decref(json);
	response->status = kinds[p->kind].status;
	response->content_type = "application/problem+json";
	response->etag[0] = '\0';
	if (response->status == 503)
		response->retry_after_s = 1;
	if (p->kind == PROBLEM_INTERNAL)
		log_errorx("api", "request %s: internal error: %s", request->id,
		    p->detail);
}

const char *
problem_text(const char *name)
{
	for (size_t i = 0; i < PROBLEM_COUNT; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].text;
	return NULL;
}
