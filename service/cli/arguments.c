/* arguments - the parser and the typed getters. */
#include "service/cli/arguments.h"

#include "service/nearest.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Options of the contract that this version does not serve. */
static const char *const unserved[] = {
	"neighbors",
	"max-tokens",
	"faiss",
};

status arguments_misuse(struct arguments *arguments, const char *format, ...)
{
	const char *detail;
	va_list args;

	arguments->misused = true;
	va_start(args, format);
	detail = arena_vprintf(arguments->arena, format, args);
	va_end(args);
	return status_make(STATUS_INVALID_ARGUMENT, detail ? detail : format);
}

static status complain_unknown(struct arguments *arguments, const char *name, size_t size,
			       const struct option_list *lists, size_t n_lists)
{
	struct nearest nearest = nearest_to(bytes_of(name, size));

	for (size_t i = 0; i < sizeof unserved / sizeof *unserved; i++)
		if (strlen(unserved[i]) == size && memcmp(unserved[i], name, size) == 0)
			return arguments_misuse(arguments, "--%s is not served by this version",
						unserved[i]);
	for (size_t l = 0; l < n_lists; l++)
		for (size_t i = 0; i < lists[l].n; i++)
			nearest_offer(&nearest, lists[l].options[i].name);
	if (nearest.name)
		return arguments_misuse(arguments, "unknown option --%.*s; did you mean --%s?",
					(int)(size < 64 ? size : 64), name, nearest.name);
	return arguments_misuse(arguments, "unknown option --%.*s; see sluice help %s",
				(int)(size < 64 ? size : 64), name, arguments->command);
}

static const struct option *option_find(const char *name, size_t size,
					const struct option_list *lists, size_t n_lists)
{
	for (size_t l = 0; l < n_lists; l++)
		for (size_t i = 0; i < lists[l].n; i++) {
			const struct option *option = &lists[l].options[i];

			if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
				return option;
		}
	return NULL;
}

static status option_note(struct arguments *arguments, const struct option *option,
			  const char *value)
{
	if (option->kind != OPTION_REPEATED && arguments_has(arguments, option->name))
		return arguments_misuse(arguments, "--%s is given twice", option->name);
	arguments->given[arguments->n_given++] = (struct given){option, value};
	return status_ok();
}

status arguments_parse(struct arguments *arguments, struct words words,
		       const struct option_list *lists, size_t n_lists)
{
	bool options_end = false;

	arguments->names = ARENA_ARRAY(arguments->arena, const char *, words.n);
	arguments->given = ARENA_ARRAY(arguments->arena, struct given, words.n);
	if (!arguments->names || !arguments->given)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for arguments");
	for (size_t i = 0; i < words.n; i++) {
		const char *word = words.words[i], *name = word + 2, *value;
		const struct option *option;
		size_t size;

		if (options_end || word[0] != '-' || word[1] == '\0') {
			arguments->names[arguments->n_names++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			options_end = true;
			continue;
		}
		if (word[1] != '-')
			return arguments_misuse(arguments,
						"unknown option %.64s; options have two dashes, "
						"see sluice help %s",
						word, arguments->command);
		size = strcspn(name, "=");
		option = option_find(name, size, lists, n_lists);
		if (!option)
			return complain_unknown(arguments, name, size, lists, n_lists);
		value = name[size] ? name + size + 1 : NULL;
		if (option->kind == OPTION_FLAG && value)
			return arguments_misuse(arguments, "--%s takes no value", option->name);
		if (option->kind != OPTION_FLAG && !value) {
			if (i + 1 == words.n)
				return arguments_misuse(arguments, "--%s needs a value",
							option->name);
			value = words.words[++i];
		}
		TRY(option_note(arguments, option, value));
	}
	return status_ok();
}

bool arguments_has(const struct arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->n_given; i++)
		if (strcmp(arguments->given[i].option->name, name) == 0)
			return true;
	return false;
}

const char *arguments_value(const struct arguments *arguments, const char *name)
{
	for (size_t i = 0; i < arguments->n_given; i++)
		if (strcmp(arguments->given[i].option->name, name) == 0)
			return arguments->given[i].value;
	return NULL;
}

status arguments_u64(struct arguments *arguments, const char *name, uint64_t min, uint64_t max,
		     uint64_t *ret)
{
	const char *value = arguments_value(arguments, name);
	unsigned long long number;
	char *end;

	if (!value)
		return status_ok();
	errno = 0;
	number = strtoull(value, &end, 10);
	/* strtoull would take a sign and blanks. */
	if (errno || !isdigit((unsigned char)value[0]) || *end || number < min || number > max)
		return max == UINT64_MAX
			       ? arguments_misuse(arguments,
						  "--%s must be a whole number of at least %llu, "
						  "not \"%.64s\"",
						  name, (unsigned long long)min, value)
			       : arguments_misuse(arguments,
						  "--%s must be a whole number of %llu to %llu, "
						  "not \"%.64s\"",
						  name, (unsigned long long)min,
						  (unsigned long long)max, value);
	*ret = number;
	return status_ok();
}

status arguments_number(struct arguments *arguments, const char *name, double min, double max,
			double *ret)
{
	const char *value = arguments_value(arguments, name);
	double number;
	char *end;

	if (!value)
		return status_ok();
	number = strtod(value, &end);
	if (end == value || *end || !isfinite(number) || number < min || number > max)
		return arguments_misuse(arguments,
					"--%s must be a number of %g to %g, not \"%.64s\"", name,
					min, max, value);
	*ret = number;
	return status_ok();
}
