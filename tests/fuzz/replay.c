/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of a fuzzer without libFuzzer: runs every file of a corpus folder
 * through LLVMFuzzerTestOneInput, so that each past crash is tested by any
 * compiler. Prints TAP, a line a file.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define INPUT_MAX (1 << 20)

static int
replay(const char *folder, const char *name)
{
	char path[4096];
	unsigned char *whole;
	unsigned char *exact;
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL)
		return -1;
	whole = malloc(INPUT_MAX);
	if (whole == NULL)
		abort();
	size = fread(whole, 1, INPUT_MAX, file);
	fclose(file);
	exact = malloc(size + (size == 0)); /* so that ASan sees one too many */
	if (exact == NULL)
		abort();
	memcpy(exact, whole, size);
	free(whole);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	struct dirent **names;
	int tests = 0;
	int count;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	count = scandir(argv[1], &names, NULL, alphasort);
	if (count < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		if (names[i]->d_name[0] != '.' &&
		    replay(argv[1], names[i]->d_name) == 0) {
			tests++;
			printf("ok %d - survives %s\n", tests,
			    names[i]->d_name);
			fflush(stdout);
		}
		free(names[i]);
	}
	free(names);
	printf("1..%d\n", tests);
	return 0;
}
