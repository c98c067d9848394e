/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of a fuzzer for AFL++: the same entry point, in persistent mode, fed
 * from shared memory. Built by afl-clang-fast alone: see HACKING.md.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define ROUNDS 10000 /* inputs a process takes before it is made anew */

__AFL_FUZZ_INIT();

int
main(void)
{
	const unsigned char *input;

	__AFL_INIT();
	input = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(ROUNDS)) {
		size_t size = (size_t)__AFL_FUZZ_TESTCASE_LEN;
		unsigned char *exact = malloc(size + (size == 0));

		if (exact == NULL)
			abort();
		memcpy(exact, input, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	return 0;
}
