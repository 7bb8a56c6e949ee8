/* arguments - what stands behind a command: options and names, in any order.
 *
 *	--name value, --name=value, --flag; -- ends the options.
 *
 * A misuse (an unknown option, a missing or bad value) is a status whose detail is for the user,
 * and sets misused, so that the program can end with 2 rather than 1.
 */
#ifndef SLUICE_SERVICE_CLI_ARGUMENTS_H
#define SLUICE_SERVICE_CLI_ARGUMENTS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option {
	const char *name; /* without the dashes */
	enum { OPTION_FLAG, OPTION_VALUE, OPTION_REPEATED } kind;
	const char *meaning; /* for help: "N  hits at most (10)" */
};

struct option_list {
	const struct option *options;
	size_t n;
};

struct given {
	const struct option *option;
	const char *value; /* NULL for a flag */
};

struct arguments {
	struct arena *arena; /* for details and lists; borrowed */
	const char *command; /* for hints */
	const char **names;  /* what is no option, in order */
	size_t n_names;
	struct given *given;
	size_t n_given;
	bool misused;
};

/* arguments_parse - words  [n] what stands behind the command; borrowed for the life of ret.
 * lists  [n_lists] options that may be given.
 * ret  its arena and command are set by the caller. Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
struct words {
	char **words;
	size_t n;
};
status arguments_parse(struct arguments *arguments, struct words words,
		       const struct option_list *lists, size_t n_lists);

/* arguments_misuse - INVALID_ARGUMENT with that detail, and sets misused. */
status arguments_misuse(struct arguments *arguments, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* arguments_has - the option was given. arguments_value - its value, NULL if it was not. */
bool arguments_has(const struct arguments *arguments, const char *name);
const char *arguments_value(const struct arguments *arguments, const char *name);

/* arguments_u64, arguments_number - *ret stays as it is where the option was not given.
 * Both bounds are included. Fails: INVALID_ARGUMENT */
status arguments_u64(struct arguments *arguments, const char *name, uint64_t min, uint64_t max,
		     uint64_t *ret);
status arguments_number(struct arguments *arguments, const char *name, double min, double max,
			double *ret);

#endif
