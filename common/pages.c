/* SPDX-License-Identifier: Apache-2.0 */
/* Large memory, in huge pages where there are such. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/pages.h"

#define LINE_OCTETS 64
#define HUGE_OCTETS ((size_t)2 << 20) /* of x86-64, and commonly of arm64 */

static size_t
whole_lines(size_t octets)
{
	return (octets + LINE_OCTETS - 1) & ~(size_t)(LINE_OCTETS - 1);
}

/* What is smaller comes from the heap, which sanitizers watch. */
static int
is_large(size_t octets)
{
	return octets >= HUGE_OCTETS;
}

void *
pages_new(size_t octets)
{
	void *memory;

	if (!is_large(octets)) {
		memory = aligned_alloc(LINE_OCTETS, whole_lines(octets));
		return memory == NULL ? NULL : memset(memory, 0, octets);
	}
	memory = mmap(NULL, octets, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, octets, MADV_HUGEPAGE);
	return memory;
}

void
pages_free(void *memory, size_t octets)
{
	if (memory == NULL)
		return;
	if (is_large(octets))
		(void)munmap(memory, octets);
	else
		free(memory);
}
