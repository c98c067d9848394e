/* SPDX-License-Identifier: Apache-2.0 */
/* Look-up in the list of information elements. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "collector/ie.h"

/* NF_F_FW_EVENT of Cisco ASA before 8.4(5), the later firewallEvent. */
#define CISCO_FIREWALL_EVENT 40005

static_assert(IE_COUNT <= 64, "a set of elements is 64 bits");

/* The library fills the record by the sum of the sizes. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a term of the sum below */
#define IE_SIZE(id, member, type, fit, pen, number, name) +sizeof(type)
static_assert(offsetof(struct ie_record, rev_union_flags) + 1 ==
		  (0 IE_LIST(IE_SIZE)),
    "the record has no holes before its last member");
#undef IE_SIZE

static const struct ie_info infos[IE_COUNT] = {
#define IE_ROW(id, member, type, fit, pen, number, name)                       \
	{ pen, number, sizeof(type), offsetof(struct ie_record, member),       \
		IE_FIT_##fit, name },
	IE_LIST(IE_ROW)
#undef IE_ROW
};

const struct ie_info *
ie_info(enum ie ie)
{
	assert(ie < IE_COUNT);
	return &infos[ie];
}

static bool
length_fits(const struct ie_info *info, uint16_t length)
{
	switch (info->fit) {
	case IE_FIT_EXACT:
		return length == info->size;
	case IE_FIT_REDUCED:
		return length >= 1 && length <= info->size;
	}
	return false;
}

/*
 * A scan of the list: it runs once a field of a new template, not a record,
 * and a datagram cannot hold more than 16,000 fields.
 */
enum ie
ie_find(uint32_t pen, uint16_t number, uint16_t length)
{
	if (pen == 0 && number == CISCO_FIREWALL_EVENT)
		number = infos[IE_FIREWALL_EVENT].number;
	for (unsigned i = 0; i < IE_COUNT; i++)
		if (infos[i].number == number && infos[i].pen == pen)
			return length_fits(&infos[i], length) ? (enum ie)i
							      : IE_COUNT;
	return IE_COUNT;
}

void
ie_store(struct ie_record *out, enum ie ie, const uint8_t *field,
    uint16_t length)
{
	const struct ie_info *info = &infos[ie];
	uint8_t *member = (uint8_t *)out + info->offset;
	uint64_t value = 0;

	if (info->size == sizeof(struct addr)) {
		memcpy(member, field, sizeof(struct addr));
		return;
	}
	for (uint16_t i = 0; i < length; i++)
		value = value << 8 | field[i];
	switch (info->size) {
	case sizeof(uint8_t):
		*member = (uint8_t)value;
		break;
	case sizeof(uint16_t):
		memcpy(member, &(uint16_t){ (uint16_t)value },
		    sizeof(uint16_t));
		break;
	case sizeof(uint32_t):
		memcpy(member, &(uint32_t){ (uint32_t)value },
		    sizeof(uint32_t));
		break;
	default:
		memcpy(member, &value, sizeof(value));
		break;
	}
}
