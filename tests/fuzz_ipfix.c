/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the decoder with sequences of IPFIX datagrams: tests/replay.h. */
#include "tests/replay.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	replay_fuzz(data, size, EXPORT_IPFIX);
	return 0;
}
