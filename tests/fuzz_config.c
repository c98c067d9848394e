/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets as a configuration file: refused with FILE:LINE, or accepted,
 * and then printed and read back to the same.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *
print(const struct config *c)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert(out != NULL);
	config_print(c, out);
	fclose(out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config c;
	static struct config again;
	char message[CONFIG_MESSAGE_MAX];
	char *text;
	char *text_again;

	config_init(&c);
	if (config_read_text(&c, (const char *)data, size, "fuzz", message) !=
	    ERR_OK) {
		assert(strncmp(message, "fuzz:", strlen("fuzz:")) == 0);
		return 0;
	}
	text = print(&c);
	config_init(&again);
	if (config_read_text(&again, text, strlen(text), "again", message) !=
	    ERR_OK) {
		fprintf(stderr, "%s\n%s\n", message, text);
		abort();
	}
	text_again = print(&again);
	assert(strcmp(text, text_again) == 0);
	free(text);
	free(text_again);
	return 0;
}
