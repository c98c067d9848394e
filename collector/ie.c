/* SPDX-License-Identifier: Apache-2.0 */
/* Look-up in the list of information elements. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "collector/ie.h"

/* NF_F_FW_EVENT of Cisco ASA before 8.4(5), the later firewallEvent. */
#define CISCO_FIREWALL_EVENT 40005

/* Where IPFIX's numbers end. */
#define NETFLOW9_NUMBER 0x8000

static_assert(IE_COUNT <= 128, "a set of elements is 128 bits");

/* The library fills the record by the sum of the sizes. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): a term of the sum below */
#define IE_SIZE(id, member, type, fit, pen, number, name) +sizeof(type)
static_assert(offsetof(struct ie_record, rev_union_flags) + 1 ==
		  (0 IE_LIST(IE_SIZE)),
    "the record has no holes before its last member");
#undef IE_SIZE

const struct ie_info ie_infos[IE_COUNT] = {
#define IE_ROW(id, member, type, fit, pen, number, name)                       \
	{ pen, number, sizeof(type), offsetof(struct ie_record, member),       \
		IE_FIT_##fit, name },
	IE_LIST(IE_ROW)
#undef IE_ROW
};

static bool
length_fits(const struct ie_info *info, uint16_t length)
{
	uint16_t least = info->fit == IE_FIT_EXACT ? info->size : 1;

	return length >= least && length <= info->size;
}

/*
 * IANA's elements and their reverse twins by number, as a look-up without a
 * branch: a datagram can hold 16,000 fields, each unlike the one before. The
 * others have a place behind, which is not asked for.
 */
#define NUMBERS 512

#define IE_PLACE(id, pen, number)                                              \
	((pen) == 0		   ? (number)                                  \
	    : (pen) == PEN_REVERSE ? NUMBERS + (number)                        \
				   : 2 * NUMBERS + IE_##id)

static const uint8_t ie_plus_1[2 * NUMBERS + IE_COUNT] = {
#define IE_ENTRY(id, member, type, fit, pen, number, name)                     \
	[IE_PLACE(id, pen, number)] = IE_##id + 1,
	IE_LIST(IE_ENTRY)
#undef IE_ENTRY
};

#define IE_CHECK(id, member, type, fit, pen, number, name)                     \
	static_assert(((pen) != 0 && (pen) != PEN_REVERSE) ||                  \
			  (number) < NUMBERS,                                  \
	    "its number is in the table");
IE_LIST(IE_CHECK)
#undef IE_CHECK

static enum ie
find_in_table(uint32_t from, uint16_t number)
{
	uint8_t plus_1 = number < NUMBERS ? ie_plus_1[from + number] : 0;

	return plus_1 != 0 ? (enum ie)(plus_1 - 1) : IE_COUNT;
}

/* Any of the list. */
static enum ie
find_enterprise(uint32_t enterprise, uint16_t element)
{
	switch ((uint64_t)enterprise << 16 | element) {
#define IE_CASE(id, member, type, fit, pen, number, name)                      \
	case (uint64_t)(pen) << 16 | (number):                                 \
		return IE_##id;
		IE_LIST(IE_CASE)
#undef IE_CASE
	default:
		return IE_COUNT;
	}
}

enum ie
ie_find(uint32_t pen, uint16_t number, uint16_t length)
{
	enum ie ie;

	if (pen == 0 && number == CISCO_FIREWALL_EVENT)
		number = ie_infos[IE_FIREWALL_EVENT].number;
	if (pen == 0 && number < NETFLOW9_NUMBER)
		ie = find_in_table(0, number);
	else if (pen == 0)
		ie = find_enterprise(PEN_NETFLOW9, number - NETFLOW9_NUMBER);
	else if (pen == PEN_REVERSE)
		ie = find_in_table(NUMBERS, number);
	else
		ie = find_enterprise(pen, number);
	return ie < IE_COUNT && length_fits(&ie_infos[ie], length) ? ie
								   : IE_COUNT;
}

void
ie_store(struct ie_record *out, enum ie ie, const uint8_t *field,
    uint16_t length)
{
	const struct ie_info *info = &ie_infos[ie];
	uint8_t *member = (uint8_t *)out + info->offset;
	uint64_t value;

	if (info->size == sizeof(struct addr)) {
		memcpy(member, field, sizeof(struct addr));
		return;
	}
	value = ie_unsigned(field + length, length);
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
