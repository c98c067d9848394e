/* SPDX-License-Identifier: Apache-2.0 */
/* libfixbuf behind the gate. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <fixbuf/public.h>

#include "collector/fixbuf.h"
#include "common/wire.h"

/* RFC 7011, 3 */
#define IPFIX_VERSION	 10
#define HEADER_OCTETS	 16
#define SET_OCTETS	 4 /* a set's header */
#define TEMPLATE_SET	 2
#define TEMPLATE_OCTETS	 4 /* a template's id and count */
#define FIELD_OCTETS_MAX 8 /* a field specifier with its PEN */
#define PEN_BIT		 0x8000U

#define INTERNAL_TEMPLATE 999 /* our own template's id; any from 256 up */
#define ELEMENT_NAME_MAX  64
#define DOMAIN		  0 /* the only one */
#define MESSAGE_MAX	  65535
#define SLACK		  8 /* octets it may read behind a message */

static_assert(HEADER_OCTETS + SET_OCTETS + TEMPLATE_OCTETS +
		      TEMPLATE_FIELDS_MAX * FIELD_OCTETS_MAX <=
		  MESSAGE_MAX,
    "any template fits a message");
static_assert(HEADER_OCTETS + SET_OCTETS + FIXBUF_RECORDS_MAX <= MESSAGE_MAX,
    "any data set fits a message");

struct fixbuf {
	fbSession_t *session;
	fBuf_t *buffer;
	uint32_t sequence; /* the library expects it to count records */
	uint32_t records;  /* taken from the message so far */
	bool failed;	   /* at this message */
	struct counters *counters;
	size_t length; /* of message */
	uint8_t message[MESSAGE_MAX + SLACK];
};

static pthread_once_t model_once = PTHREAD_ONCE_INIT;
static fbInfoModel_t *model;

/* GLib's handlers are one for the process; this says who is decoding. */
static _Thread_local struct counters *counting;

static void
count_warning(const gchar *domain, GLogLevelFlags level, const gchar *message,
    gpointer arg)
{
	(void)domain;
	(void)level;
	(void)message;
	(void)arg;
	if (counting != NULL)
		counter_add(counting, COUNTER_FIXBUF_WARNINGS, 1);
}

static uint8_t
type_of_size(uint8_t size)
{
	switch (size) {
	case sizeof(uint8_t):
		return FB_UINT_8;
	case sizeof(uint16_t):
		return FB_UINT_16;
	case sizeof(uint32_t):
		return FB_UINT_32;
	case sizeof(uint64_t):
		return FB_UINT_64;
	default:
		return FB_OCTET_ARRAY;
	}
}

/*
 * The library's own model has IANA's elements with their reverse twins, but
 * not CERT's: those of the list it does not know are added, here and only
 * here. Those it knows in a smaller size than exporters send are made larger
 * (samplerId).
 */
static void
make_model(void)
{
	model = fbInfoModelAlloc();
	for (unsigned i = 0; i < IE_COUNT; i++) {
		const struct ie_info *info = ie_info((enum ie)i);
		const fbInfoElement_t *known =
		    fbInfoModelGetElementByName(model, info->name);

		if (known == NULL || known->len < info->size) {
			fbInfoElement_t element = FB_IE_INIT_FULL(NULL,
			    info->pen, info->number, info->size, FB_IE_F_ENDIAN,
			    0, 0, type_of_size(info->size), NULL);

			element.ref.name = info->name;
			fbInfoModelAddElement(model, &element);
		}
	}
	g_log_set_handler(NULL,
	    G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO,
	    count_warning, NULL);
}

/*
 * Our template: struct ie_record, member by member. False when a name of the
 * list is not in the model. The library looks into the error it sets, so
 * there must be room for one.
 */
static bool
add_internal_template(struct fixbuf *f)
{
	fbTemplate_t *template = fbTemplateAlloc(model);
	GError *error = NULL;
	bool good = true;

	for (unsigned i = 0; good && i < IE_COUNT; i++) {
		const struct ie_info *info = ie_info((enum ie)i);
		char name[ELEMENT_NAME_MAX];
		fbInfoElementSpec_t spec = { name, info->size, 0 };

		g_strlcpy(name, info->name, sizeof(name));
		good = fbTemplateAppendSpec(template, &spec, 0, &error);
	}
	good = good &&
	       fbSessionAddTemplate(f->session, TRUE, INTERNAL_TEMPLATE,
		   template, &error) != 0 &&
	       fBufSetInternalTemplate(f->buffer, INTERNAL_TEMPLATE, &error);
	g_clear_error(&error);
	return good;
}

struct fixbuf *
fixbuf_new(struct counters *counters)
{
	struct fixbuf *f = calloc(1, sizeof(*f));
	bool added;

	if (f == NULL)
		return NULL;
	pthread_once(&model_once, make_model);
	f->counters = counters;
	f->session = fbSessionAlloc(model);
	f->buffer = fBufAllocForCollection(f->session, NULL);
	fBufSetAutomaticMode(f->buffer, FALSE);
	added = add_internal_template(f);
	assert(added); /* every name of the list is in the model */
	(void)added;
	return f;
}

void
fixbuf_free(struct fixbuf *f)
{
	if (f == NULL)
		return;
	fBufFree(f->buffer); /* and the session with it */
	free(f);
}

static void
append_u16(struct fixbuf *f, uint16_t value)
{
	wire_put_u16(f->message + f->length, value);
	f->length += 2;
}

static void
append_u32(struct fixbuf *f, uint32_t value)
{
	wire_put_u32(f->message + f->length, value);
	f->length += 4;
}

/* Starts a message of one set. */
static void
begin_message(struct fixbuf *f, uint16_t set_id, size_t set_octets)
{
	f->length = 0;
	append_u16(f, IPFIX_VERSION);
	append_u16(f, (uint16_t)(HEADER_OCTETS + SET_OCTETS + set_octets));
	append_u32(f, 0); /* export time: not asked for */
	append_u32(f, f->sequence);
	append_u32(f, DOMAIN);
	append_u16(f, set_id);
	append_u16(f, (uint16_t)(SET_OCTETS + set_octets));
}

/* Hands the message over. */
static bool
send_message(struct fixbuf *f)
{
	GError *error = NULL;

	counting = f->counters;
	f->records = 0;
	fBufSetBuffer(f->buffer, f->message, f->length);
	/* always: this is what resets it after an error in the one before */
	f->failed = !fBufNextMessage(f->buffer, &error);
	g_clear_error(&error);
	return !f->failed;
}

static void
append_field(struct fixbuf *f, const struct template_field *field)
{
	uint16_t number = IE_PADDING;
	uint32_t pen = 0;

	if (field->ie < IE_COUNT) {
		number = ie_info((enum ie)field->ie)->number;
		pen = ie_info((enum ie)field->ie)->pen;
	}
	append_u16(f, (uint16_t)(number | (pen != 0 ? PEN_BIT : 0)));
	append_u16(f, field->length);
	if (pen != 0)
		append_u32(f, pen);
}

static size_t
fields_octets(const struct template_field *fields, uint16_t count)
{
	size_t octets = 0;

	for (uint16_t i = 0; i < count; i++)
		octets += fields[i].ie < IE_COUNT &&
				  ie_info((enum ie)fields[i].ie)->pen != 0
			      ? FIELD_OCTETS_MAX
			      : FIELD_OCTETS_MAX / 2;
	return octets;
}

bool
fixbuf_learn(struct fixbuf *f, uint16_t id, const struct template_field *fields,
    uint16_t count)
{
	assert(count <= TEMPLATE_FIELDS_MAX);
	begin_message(f, TEMPLATE_SET,
	    TEMPLATE_OCTETS + fields_octets(fields, count));
	append_u16(f, id);
	append_u16(f, count);
	for (uint16_t i = 0; i < count; i++)
		append_field(f, &fields[i]);
	(void)send_message(f);
	return fixbuf_finish(f);
}

bool
fixbuf_start(struct fixbuf *f, uint16_t id, const uint8_t *records,
    size_t length)
{
	assert(length <= FIXBUF_RECORDS_MAX);
	begin_message(f, id, length);
	memcpy(f->message + f->length, records, length);
	f->length += length;
	return send_message(f);
}

bool
fixbuf_next(struct fixbuf *f, struct ie_record *out)
{
	size_t length = sizeof(*out);
	GError *error = NULL;

	f->failed =
	    f->failed || !fBufNext(f->buffer, (uint8_t *)out, &length, &error);
	g_clear_error(&error);
	if (!f->failed)
		f->records++;
	return !f->failed;
}

bool
fixbuf_finish(struct fixbuf *f)
{
	struct ie_record beyond;
	size_t length = sizeof(beyond);
	GError *error = NULL;
	bool at_end;

	at_end = !f->failed &&
		 !fBufNext(f->buffer, (uint8_t *)&beyond, &length, &error) &&
		 g_error_matches(error, FB_ERROR_DOMAIN, FB_ERROR_EOM);
	g_clear_error(&error);
	counting = NULL;
	f->sequence += f->records;
	return at_end;
}

void
fixbuf_forget(struct fixbuf *f, uint16_t id)
{
	GError *error = NULL;

	if (!fbSessionRemoveTemplate(f->session, FALSE, id, &error))
		g_clear_error(&error);
}
