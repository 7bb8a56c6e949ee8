#include "tests/service/schema/checked.h"

#include "tests/service/schema/encode.h"
#include "tests/service/schema/rules_set.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SAID_MAX 256

/* What was said of one message. */
struct said {
	char *lines[SAID_MAX];
	size_t n;
};

static struct schema *schema;
static struct arena details;

const struct schema_message *checked_message(const char *name)
{
	struct schema_message *message;
	char full_name[128];
	status done;

	if (!schema) {
		arena_init(&details, (size_t)1 << 20);
		done = schema_open(bytes_of(rules_set, rules_set_size), &details, &schema);
		cr_assert_not(status_failed(done), "%s", done.detail);
	}
	snprintf(full_name, sizeof full_name, strchr(name, '.') ? "%s" : "cases.%s", name);
	message = schema_message(schema, full_name);
	cr_assert_not_null(message, "no message %s", full_name);
	done = schema_compile(schema, message, &details);
	cr_assert_not(status_failed(done), "%s", done.detail);
	return message;
}

static bool say(void *context, const struct violation *violation)
{
	struct said *said = (struct said *)context;
	char path[4096];

	check_path_print(violation->path, path, sizeof path);
	cr_assert_gt(strlen(violation->message), 0);
	if (said->n == SAID_MAX ||
	    asprintf(&said->lines[said->n], "%s%s%s%s", path, path[0] ? " " : "",
		     violation->rule_id, violation->for_key ? " (key)" : "") < 0)
		return false;
	said->n++;
	return true;
}

static int line_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void said_join(struct said *said, char *text, size_t size)
{
	size_t at = 0;

	qsort(said->lines, said->n, sizeof *said->lines, line_compare);
	text[0] = 0;
	for (size_t i = 0; i < said->n; i++) {
		if (at < size)
			at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "; " : "",
					       said->lines[i]);
		free(said->lines[i]);
	}
}

/* A detail begins with the message's name; a table of one message need not say it again and again. */
static const char *without_name(const char *detail, const struct schema_message *message)
{
	size_t n = strlen(message->full_name);

	cr_assert(strncmp(detail, message->full_name, n) == 0 && strncmp(detail + n, ": ", 2) == 0,
		  "%s", detail);
	return detail + n + 2;
}

const char *checked(const struct check_limits *limits, const char *message, struct bytes bytes)
{
	static char text[65536];
	struct said said = {.n = 0};
	const struct check_options options = {
		.limits = limits,
		.report = say,
		.context = &said,
		.now_ns = (int64_t)CHECKED_NOW_S * 1000000000,
	};
	const struct schema_message *schema_message = checked_message(message);
	SCOPED(arena) arena = &(struct arena){0};
	status done;

	arena_init(arena, 4096);
	done = check_message(schema_message, bytes, &options, arena);
	said_join(&said, text, sizeof text);
	if (status_failed(done))
		snprintf(text, sizeof text, "! %s", without_name(done.detail, schema_message));
	return text;
}

const char *checked_text(const struct check_limits *limits, const char *message, const char *text)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	encode(bytes, text);
	return checked(limits, message, bytes_of(bytes->data, bytes->size));
}

void check_cases_under(const struct check_limits *limits, const struct check_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *says = checked_text(limits, cases[i].message, cases[i].text);
		size_t length = strlen(cases[i].says);
		bool same = cases[i].says[0] == '!' ? strncmp(says, cases[i].says, length) == 0
						    : strcmp(says, cases[i].says) == 0;

		cr_expect(same, "%s of %.200s: \"%s\", not \"%s\"", cases[i].message, cases[i].text,
			  says, cases[i].says);
	}
}

void check_cases(const struct check_case *cases, size_t n)
{
	check_cases_under(&check_limits_strict, cases, n);
}
