/* SPDX-License-Identifier: Apache-2.0 */
/* The API process: the service behind the HTTP server. */
#include "api/api.h"
#include "api/http.h"
#include "api/service.h"

int
api_run(const struct api_config *config)
{
	struct http_stats stats = { .connections = 0 };
	struct service service;
	const struct http_config http = { .listen_fd = config->listen_fd,
		.control_fd = config->control_fd,
		.deadline_ms = config->deadline_ms,
		.hosts = config->hosts,
		.answer = service_answer,
		.arg = &service,
		.stats = &stats };
	int err;

	service_init(&service, config, &stats);
	err = http_serve(&http);
	service_fini(&service);
	return err;
}
