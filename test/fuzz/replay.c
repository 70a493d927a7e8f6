/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target over every file of a directory, without libFuzzer: `fuzz-x CORPUS`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_SIZE_MAX (1 << 20)

/* 1 if @path was read and survived, 0 if it is no file. */
static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *room = malloc(INPUT_SIZE_MAX), *input = NULL;
	size_t size = 0;

	if (file && room) {
		size = fread(room, 1, INPUT_SIZE_MAX, file);
		input = realloc(room, size ? size : 1); /* so that a sanitizer knows its end */
	}
	if (file)
		fclose(file);
	if (!input) {
		free(room);
		return 0;
	}
	LLVMFuzzerTestOneInput(input, size);
	free(input);
	return 1;
}

int main(int argc, char **argv)
{
	DIR *corpus = argc == 2 ? opendir(argv[1]) : NULL;
	int replayed = 0;

	if (!corpus) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return EXIT_FAILURE;
	}
	for (struct dirent *entry = readdir(corpus); entry; entry = readdir(corpus)) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
		replayed += replay(path);
	}
	closedir(corpus);
	printf("%d inputs\n", replayed);
	return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
