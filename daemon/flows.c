/* SPDX-License-Identifier: Apache-2.0 */
/* Captures to flow records to JSON: the collector, and nothing behind it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/capture.h"
#include "collector/decoder.h"
#include "collector/flow_json.h"
#include "common/log.h"
#include "daemon/flows.h"
#include "daemon/life.h"

#define MODULE	      "flows"
#define DECODER_LIMIT 4096  /* decoder_config's own: nobody listens */
#define OUT_OCTETS    65536 /* a write each so many; a terminal gets lines */

struct printer {
	struct decoder *decoder;
	struct flow_batch *batch; /* empty between datagrams */
	struct counters counters;
	FILE *out;
	int write_errno; /* why out takes no more; 0: it does */
};

static bool
print_flow(struct printer *p, const struct flow_record *f,
    const struct exporter_info *exporter)
{
	const struct flow_json_names names = {
		decoder_interface_name(p->decoder, f->exporter, f->ingress_if),
		decoder_interface_name(p->decoder, f->exporter, f->egress_if)
	};
	char text[FLOW_JSON_MAX];
	size_t length = flow_json(f, exporter, &names, text);

	errno = 0;
	if (fwrite(text, 1, length, p->out) == length)
		return true;
	p->write_errno = errno != 0 ? errno : EIO;
	return false;
}

/* A datagram_fn: the rest of a capture is skipped when nobody reads. */
static void
print_datagram(const struct datagram *d, void *arg)
{
	struct printer *p = arg;
	struct flow_batch *batch = p->batch;
	struct exporter_info exporter;
	bool good = true;

	if (p->write_errno != 0 ||
	    decoder_decode(p->decoder, d, batch) != DECODE_OK ||
	    batch->count == 0)
		return;
	/* a datagram has one exporter */
	exporter = decoder_exporter(p->decoder, batch->records[0].exporter);
	for (uint32_t i = 0; good && i < batch->count; i++)
		good = print_flow(p, &batch->records[i], &exporter);
	batch->count = 0;
}

static struct printer *
printer_new(const struct config *config, FILE *out)
{
	struct decoder_config decoder = config->decoder;
	struct printer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	decoder.accept_any = true;
	decoder.max_exporters = DECODER_LIMIT;
	decoder.max_domains = DECODER_LIMIT;
	p->out = out;
	p->decoder = decoder_new(&decoder, &p->counters);
	p->batch = malloc(sizeof(*p->batch));
	if (p->batch != NULL)
		p->batch->count = 0;
	return p;
}

static void
printer_free(struct printer *p)
{
	if (p == NULL)
		return;
	decoder_free(p->decoder);
	free(p->batch);
	free(p);
}

static int
read_captures(struct printer *p, const struct config *config)
{
	char message[CAPTURE_MESSAGE_MAX];
	int code = EXIT_DONE;

	for (uint32_t i = 0; i < config->read_count && p->write_errno == 0; i++)
		if (capture_read(config->read[i], print_datagram, p,
			&p->counters, message) != ERR_OK) {
			fprintf(stderr, "darkportd: %s\n", message);
			code = EXIT_FAILED;
		}
	errno = 0;
	if (p->write_errno == 0 && fflush(p->out) != 0)
		p->write_errno = errno != 0 ? errno : EIO;
	return code;
}

/* What the lines do not show: what was refused, and why. */
static void
log_counts(const struct counters *counters)
{
	for (int i = 0; i < COUNTER_COUNT; i++) {
		uint64_t value = counter_get(counters, (enum counter)i);

		if (value != 0)
			log_info(MODULE, "%s %" PRIu64,
			    counter_name((enum counter)i), value);
	}
}

int
flows_print(const struct config *config, FILE *out)
{
	struct printer *p = printer_new(config, out);
	int code;

	if (p == NULL || p->decoder == NULL || p->batch == NULL) {
		printer_free(p);
		fputs("darkportd: no memory for the decoder\n", stderr);
		return EXIT_FAILED;
	}
	if (isatty(fileno(out)) == 0)
		(void)setvbuf(out, NULL, _IOFBF, OUT_OCTETS);
	code = read_captures(p, config);
	if (p->write_errno != 0 && p->write_errno != EPIPE) {
		fprintf(stderr, "darkportd: cannot write: %s\n",
		    strerror(p->write_errno));
		code = EXIT_FAILED;
	} else if (p->write_errno == 0) {
		log_counts(&p->counters);
	}
	printer_free(p);
	return code;
}
