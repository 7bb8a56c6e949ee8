#include "tests/service/cli/printed.h"

#include "service/cli/cli.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <unistd.h>

int printed_by(const char *const *words, FILE *stream, char *ret, size_t size)
{
	char *argv[PRINTED_WORDS_MAX + 2] = {(char *)"sluice"};
	FILE *file = tmpfile();
	int argc = 1, saved, result;
	size_t n;

	while (words[argc - 1]) {
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
		argc++;
	}
	cr_assert_not_null(file);
	fflush(stream);
	saved = dup(fileno(stream));
	dup2(fileno(file), fileno(stream));
	result = cli_run(argc, argv);
	fflush(stream);
	dup2(saved, fileno(stream));
	close(saved);
	rewind(file);
	n = fread(ret, 1, size - 1, file);
	ret[n] = '\0';
	fclose(file);
	return result;
}
