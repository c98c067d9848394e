/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for large tables. Looked up at random, a table of ordinary pages
 * costs a walk through the page tables a line; so large ones are asked for in
 * huge pages, where the system has them (madvise(2), MADV_HUGEPAGE).
 */
#ifndef COMMON_PAGES_H
#define COMMON_PAGES_H

#include <stddef.h>

/* Zeroed, aligned to a cache line. owned: pages_free(). NULL: no memory. */
void *pages_new(size_t octets);

/* octets: as it was asked for. Takes NULL. */
void pages_free(void *memory, size_t octets);

#endif
