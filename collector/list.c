/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subTemplateMultiList (RFC 6313, 4.5.3): semantic 1 octet, then for each
 * template its id 2, length 2 (these 4 included), and records of it.
 */
#include "collector/list.h"

#define ENTRY_HEADER_OCTETS 4

#define FORWARD_FLAGS (IE_BIT(IE_INITIAL_FLAGS) | IE_BIT(IE_UNION_FLAGS))
#define REVERSE_FLAGS                                                          \
	(IE_BIT(IE_REV_INITIAL_FLAGS) | IE_BIT(IE_REV_UNION_FLAGS))

static void
take_flags(const struct ie_record *from, ie_set which, struct ie_record *r)
{
	if ((which & IE_BIT(IE_INITIAL_FLAGS)) != 0)
		r->initial_flags = from->initial_flags;
	if ((which & IE_BIT(IE_UNION_FLAGS)) != 0)
		r->union_flags = from->union_flags;
	if ((which & IE_BIT(IE_REV_INITIAL_FLAGS)) != 0)
		r->rev_initial_flags = from->rev_initial_flags;
	if ((which & IE_BIT(IE_REV_UNION_FLAGS)) != 0)
		r->rev_union_flags = from->rev_union_flags;
}

/* The first record of each template; the flags wanted, but not had yet. */
static ie_set
read_list(struct template_table *templates, const struct exporter *e,
    struct wire list, ie_set wanted, struct ie_record *r)
{
	ie_set found = 0;

	wire_take(&list, 1);
	for (int i = 0; i < LIST_ENTRIES_MAX; i++) {
		uint16_t id = wire_u16(&list);
		uint16_t length = wire_u16(&list);
		const struct template *p;
		struct ie_record sub;
		struct wire records;
		ie_set here;

		if (length < ENTRY_HEADER_OCTETS)
			break; /* also behind the end */
		records = wire_part(&list, length - ENTRY_HEADER_OCTETS);
		p = template_find(templates, e, id);
		if (p == NULL || p->is_options || !p->has_steps ||
		    wire_left(&records) < p->octets)
			continue;
		here = p->present & wanted & ~found;
		if (here == 0)
			continue;
		template_read(p, records.at, &sub);
		take_flags(&sub, here, r);
		found |= here;
	}
	return found;
}

ie_set
list_read(struct template_table *templates, const struct exporter *e,
    const struct template *p, const struct template_lists *lists, bool reverse,
    struct ie_record *r)
{
	static const struct ie_record none;
	ie_set wanted = FORWARD_FLAGS | (reverse ? REVERSE_FLAGS : 0);
	ie_set found = 0;

	wanted &= ~p->present;
	take_flags(&none, wanted, r); /* not those of the record before */
	for (unsigned i = 0; i < lists->count; i++)
		found |=
		    read_list(templates, e, lists->at[i], wanted & ~found, r);
	return found;
}
