/* regex - the way from a pattern to a table, and the table's use. */
#include "service/schema/regex.h"

#include "service/schema/regex_parts.h"

/* Far more than a pattern of a sensible schema takes; a pattern that needs more is refused. */
#define SCRATCH_MAX_BYTES ((size_t)64 << 20)

/* NULL in ret: the pattern is of another form. */
static status span_make(struct arena *arena, const struct regex_node *tree,
			const struct regex_span **ret)
{
	struct regex_span span;

	*ret = NULL;
	if (!regex_span_make(tree, &span))
		return status_ok();
	*ret = arena_copy(arena, &span, sizeof span);
	return *ret ? status_ok() : regex_no_memory;
}

status regex_compile(struct arena *arena, struct bytes pattern, size_t states_max,
		     const struct regex **ret)
{
	struct arena memory;
	SCOPED(arena) scratch = &memory;
	struct regex_parser parser = {.scratch = scratch, .details = arena, .pattern = pattern};
	const struct regex_node *tree;
	struct regex_program program;
	struct regex *regex;

	arena_init(scratch, SCRATCH_MAX_BYTES);
	if (states_max == 0)
		states_max = REGEX_STATES_DEFAULT;
	else if (states_max > REGEX_STATES_MAX)
		states_max = REGEX_STATES_MAX;
	TRY(regex_parse(&parser, &tree));
	TRY(regex_program_make(scratch, arena, tree, &program));
	regex = ARENA_NEW(arena, struct regex);
	if (!regex)
		return regex_no_memory;
	TRY(regex_dfa_make(arena, scratch, &program, states_max, regex));
	TRY(span_make(arena, tree, &regex->span));
	*ret = regex;
	return status_ok();
}

static bool span_match(const struct regex_span *span, struct bytes text)
{
	uint8_t all = SPAN_REST;

	if (text.size < span->min_bytes || text.size > span->max_bytes)
		return false;
	if (text.size == 0)
		return true;
	for (size_t i = 1; i < text.size; i++)
		all &= span->members[text.data[i]];
	return (all & SPAN_REST) != 0 && (span->members[text.data[0]] & SPAN_FIRST) != 0;
}

bool regex_match(const struct regex *regex, struct bytes text)
{
	const uint16_t *next = regex->next;
	uint32_t n_classes = regex->n_classes;
	size_t state = regex->start;

	if (regex->span)
		return span_match(regex->span, text);
	for (size_t i = 0; i < text.size && state >= STATE_FIRST; i++)
		state = next[state * n_classes + regex->classes[text.data[i]]];
	return regex->ends_well[state];
}

size_t regex_states(const struct regex *regex)
{
	return regex->n_states;
}
