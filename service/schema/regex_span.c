/* regex_span - patterns like ^[a-z][a-z0-9_]{0,62}$: one class for the first character, one for all
 * that follow, and how many there may be. Names are mostly that.
 *
 * An optimisation that cannot change an answer: a byte's class does not depend on the byte before it,
 * where each step of a table waits for the last one.
 */
#include "service/schema/regex_parts.h"

/* Marks the bytes of a set; false: it has characters of more than a byte. */
static bool members_mark(uint8_t members[256], const struct rune_set *set, uint8_t mark)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->ranges[i].high >= 0x80)
			return false;
		for (uint32_t byte = set->ranges[i].low; byte <= set->ranges[i].high; byte++)
			members[byte] |= mark;
	}
	return !set->failed;
}

static bool is_assertion(const struct regex_node *node, enum regex_assertion assertion)
{
	return node && node->kind == NODE_ASSERTION && node->assertion == assertion;
}

/* A repetition of a class between the text's ends, with or without a class in front. */
static const struct regex_node *repeat_of(const struct regex_node *tree,
					  const struct regex_node **ret_first)
{
	const struct regex_node *sequence, *repeat, *before;

	if (tree->kind != NODE_ALTERNATIVES || !tree->last || tree->last->before)
		return NULL;
	sequence = tree->last;
	if (sequence->kind != NODE_SEQUENCE || !is_assertion(sequence->last, ASSERT_TEXT_END))
		return NULL;
	repeat = sequence->last->before;
	if (!repeat || repeat->kind != NODE_REPEAT || repeat->repeat.body->kind != NODE_SET)
		return NULL;
	before = repeat->before;
	*ret_first = before && before->kind == NODE_SET ? before : NULL;
	if (*ret_first)
		before = before->before;
	return is_assertion(before, ASSERT_TEXT_BEGIN) && !before->before ? repeat : NULL;
}

bool regex_span_make(const struct regex_node *tree, struct regex_span *ret)
{
	const struct regex_node *first, *repeat = repeat_of(tree, &first);
	struct regex_span span = {.max_bytes = SIZE_MAX};

	if (!repeat)
		return false;
	span.min_bytes = repeat->repeat.min + (first ? 1U : 0U);
	if (repeat->repeat.max != REPEAT_FOREVER)
		span.max_bytes = repeat->repeat.max + (first ? 1U : 0U);
	if (!members_mark(span.members, &repeat->repeat.body->set, SPAN_REST) ||
	    !members_mark(span.members, first ? &first->set : &repeat->repeat.body->set,
			  SPAN_FIRST))
		return false;
	*ret = span;
	return true;
}
