/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured data (RFC 6313), as far as it is needed: YAF without --silk
 * keeps its TCP flags in a subTemplateMultiList of each record.
 *
 * A walk of our own, one level deep, beside the decoding library and not
 * through it: the library would want the exporter's own template numbers,
 * allocates for each list, and reads a list shorter than its template from
 * behind its end, as it does with data sets. Lists in lists, basicList and
 * subTemplateList are skipped: nothing we use is in them.
 */
#ifndef COLLECTOR_LIST_H
#define COLLECTOR_LIST_H

#include "collector/exporter.h"
#include "collector/ie.h"
#include "collector/template.h"
#include "common/wire.h"

/* Looks at no more of a list than so many templates; YAF has up to 3. */
#define LIST_ENTRIES_MAX 8

/* The elements that can be found in a list. */
#define LIST_FLAGS                                                             \
	(IE_BIT(IE_INITIAL_FLAGS) | IE_BIT(IE_UNION_FLAGS) |                   \
	    IE_BIT(IE_REV_INITIAL_FLAGS) | IE_BIT(IE_REV_UNION_FLAGS))

/*
 * Takes the flags in the lists of a record of p into r, and returns their
 * elements. Flags of the second half are taken only when p has one (reverse).
 */
ie_set list_read(struct template_table *templates, const struct exporter *e,
    const struct template *p, const struct template_lists *lists, bool reverse,
    struct ie_record *r);

#endif
