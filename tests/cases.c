/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the tables of inference cases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cases.h"

bool
case_parse_endpoint(char *text, struct addr *address, uint16_t *port)
{
	char *colon = strrchr(text, ':');

	if (colon == NULL)
		return false;
	*colon = '\0';
	*port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return addr_parse(text, address) == ERR_OK;
}

static bool
parse_field(const char *name, const char *value, struct flow_record *out)
{
	unsigned long number = strtoul(value, NULL, 0);

	if (strcmp(name, "proto") == 0) {
		out->protocol = (uint8_t)number;
	} else if (strcmp(name, "flags") == 0) {
		if (strcmp(value, "none") == 0)
			return true;
		out->has |= FLOW_HAS_TCP_FLAGS;
		out->tcp_flags = (uint8_t)number;
	} else if (strcmp(name, "pkts") == 0) {
		out->has |= FLOW_HAS_PACKETS;
		out->packets = number;
	} else if (strcmp(name, "octets") == 0) {
		out->octets = number;
	} else if (strcmp(name, "start_ms") == 0) {
		out->has |= FLOW_HAS_TIMES;
		out->start_ms = out->end_ms = CASES_EPOCH_MS + (int64_t)number;
	} else if (strcmp(name, "end_ms") == 0) {
		out->end_ms = CASES_EPOCH_MS + (int64_t)number;
	} else if (strcmp(name, "at_ms") == 0) {
		out->received_ms = CASES_EPOCH_MS + (int64_t)number;
		out->export_ms = out->received_ms;
	} else if (strcmp(name, "uptime_ms") == 0) {
		out->has |= FLOW_HAS_UPTIME;
		out->start_uptime_ms = (uint32_t)number;
	} else if (strcmp(name, "export_ms") == 0) {
		out->export_ms = CASES_EPOCH_MS + (int64_t)number;
	} else if (strcmp(name, "sampling") == 0) {
		out->sampling = (uint32_t)number;
	} else if (strcmp(name, "lost") == 0) {
		out->lost = (int32_t)number;
	} else if (strcmp(name, "exporter") == 0) {
		out->exporter = (uint32_t)(value[1] - '1');
	} else if (strcmp(name, "ingress_if") == 0) {
		out->ingress_if = (uint32_t)number;
	} else if (strcmp(name, "ingress_vrf") == 0) {
		out->ingress_vrf = (uint32_t)number;
	} else if (strcmp(name, "reverse") == 0) {
		if (number != 0)
			out->has |= FLOW_IS_REVERSE;
	} else if (strcmp(name, "initial_flags") == 0) {
		out->has |= FLOW_HAS_INITIAL_FLAGS;
		out->initial_flags = (uint8_t)number;
	} else if (strcmp(name, "biflow_direction") == 0) {
		out->has |= FLOW_HAS_BIFLOW_DIRECTION;
		out->biflow_direction = (uint8_t)number;
	} else if (strcmp(name, "firewall_event") == 0) {
		out->has |= FLOW_HAS_FIREWALL_EVENT;
		out->firewall_event = (uint8_t)number;
	} else if (strcmp(name, "icmp") == 0) {
		out->has |= FLOW_HAS_ICMP;
		out->icmp_type = (uint8_t)number;
		out->icmp_code =
		    (uint8_t)strtoul(strchr(value, '/') + 1, NULL, 10);
	} else {
		return false;
	}
	return true;
}

bool
case_parse_record(const char *text, struct flow_record *out)
{
	char copy[512];
	char *save = NULL;
	char *word;
	char *arrow;

	snprintf(copy, sizeof(copy), "%s", text);
	memset(out, 0, sizeof(*out));
	out->received_ms = CASES_EPOCH_MS + 1000000;
	out->export_ms = out->received_ms;
	out->has = FLOW_HAS_PORTS;
	out->sampling = 1;
	word = strtok_r(copy, " ", &save);
	arrow = word == NULL ? NULL : strchr(word, '>');
	if (arrow == NULL)
		return false;
	*arrow = '\0';
	if (!case_parse_endpoint(word, &out->src, &out->src_port) ||
	    !case_parse_endpoint(arrow + 1, &out->dst, &out->dst_port))
		return false;
	while ((word = strtok_r(NULL, " ", &save)) != NULL) {
		char *equals = strchr(word, '=');

		if (equals == NULL)
			return false;
		*equals = '\0';
		if (!parse_field(word, equals + 1, out))
			return false;
	}
	return true;
}

static bool
parse_records(char *text, struct inference_case *c)
{
	char *at = text;

	while (at != NULL) {
		char *end = strstr(at, " ; ");

		if (end != NULL)
			*end = '\0';
		if (c->record_count == CASE_RECORDS_MAX ||
		    !case_parse_record(at, &c->records[c->record_count++]))
			return false;
		at = end == NULL ? NULL : end + 3;
	}
	return true;
}

static bool
parse_line(char *line, struct inference_case *c)
{
	char *columns[9];
	int count = 0;

	for (char *at = line; at != NULL && count < 9;) {
		char *tab = strchr(at, '\t');

		if (tab != NULL)
			*tab = '\0';
		columns[count++] = at;
		at = tab == NULL ? NULL : tab + 1;
	}
	if (count != 9)
		return false;
	memset(c, 0, sizeof(*c));
	c->number = (int)strtol(columns[0], NULL, 10);
	snprintf(c->input, sizeof(c->input), "%s", columns[1]);
	snprintf(c->context, sizeof(c->context), "%s", columns[2]);
	snprintf(c->expected, sizeof(c->expected), "%s", columns[4]);
	snprintf(c->port, sizeof(c->port), "%s", columns[5]);
	snprintf(c->confidence, sizeof(c->confidence), "%s", columns[6]);
	snprintf(c->rule, sizeof(c->rule), "%s", columns[7]);
	return parse_records(columns[3], c);
}

int
cases_load(const char *path, struct inference_case cases[CASES_MAX], int count)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	if (file == NULL) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || strncmp(line, "case\t", 5) == 0)
			continue;
		if (count == CASES_MAX || !parse_line(line, &cases[count])) {
			fprintf(stderr, "%s: bad line: %s\n", path, line);
			count = -1;
			break;
		}
		count++;
	}
	fclose(file);
	return count;
}
