/* regex_program - a tree laid out as a program over bytes, from its end to its beginning, so that
 * each instruction knows what comes next.
 *
 * A range of code points becomes sequences of byte ranges, as UTF-8 has them; sequences of one set
 * share their ends.
 */
#include "service/schema/regex_parts.h"

struct layout {
	struct arena *scratch;
	struct regex_program *program;
	uint32_t capacity;
	bool full; /* what was emitted since is missing */
	bool starved;
};

/* Makes room for one more. */
static bool layout_grow(struct layout *layout)
{
	uint32_t capacity = layout->capacity ? 2 * layout->capacity : 64;
	struct regex_inst *insts;

	if (layout->program->n == REGEX_PROGRAM_MAX)
		return false;
	if (layout->program->n < layout->capacity)
		return true;
	insts = ARENA_ARRAY(layout->scratch, struct regex_inst, capacity);
	layout->starved = !insts;
	if (!insts)
		return false;
	if (layout->program->n)
		memcpy(insts, layout->program->insts, layout->program->n * sizeof *insts);
	layout->program->insts = insts;
	layout->capacity = capacity;
	return true;
}

static uint32_t emit(struct layout *layout, struct regex_inst inst)
{
	struct regex_program *program = layout->program;

	if (layout->full || !layout_grow(layout)) {
		layout->full = true;
		return 0;
	}
	program->insts[program->n] = inst;
	return program->n++;
}

static uint32_t emit_either(struct layout *layout, uint32_t a, uint32_t b)
{
	return emit(layout, (struct regex_inst){.op = OP_EITHER, .a = a, .b = b});
}

static uint32_t emit_assertion(struct layout *layout, enum regex_assertion assertion, uint32_t next)
{
	layout->program->assertions |= 1U << assertion;
	return emit(layout, (struct regex_inst){
				    .op = OP_ASSERT, .assertion = (uint8_t)assertion, .a = next});
}

/* The alternatives of one set while they are emitted. */
struct set_layout {
	struct layout *layout;
	uint32_t first; /* instruction of the set */
	uint32_t next;
	uint32_t entry;
	bool has_entry;
};

/* How far back an end is looked for that can be shared: ends of one set are near each other. */
#define SHARING_REACH 32

/* A byte, then next; the one that is there already if there is one. */
static uint32_t emit_byte(struct set_layout *set, uint8_t low, uint8_t high, uint32_t next)
{
	const struct regex_program *program = set->layout->program;
	uint32_t i = set->first;

	if (program->n - i > SHARING_REACH)
		i = program->n - SHARING_REACH;
	for (; i < program->n; i++) {
		const struct regex_inst *inst = &program->insts[i];

		if (inst->op == OP_BYTE && inst->low == low && inst->high == high &&
		    inst->a == next)
			return i;
	}
	return emit(set->layout,
		    (struct regex_inst){.op = OP_BYTE, .low = low, .high = high, .a = next});
}

static size_t utf8_encode(uint32_t rune, uint8_t ret[4])
{
	size_t size = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;

	for (size_t i = size - 1; i > 0; i--) {
		ret[i] = (uint8_t)(0x80 | (rune & 0x3F));
		rune >>= 6;
	}
	ret[0] = (uint8_t)(size == 1 ? rune : rune | (0xF00U >> size & 0xFF));
	return size;
}

/* Whether a range is all that has its length in UTF-8. Its second byte need not be narrowed then:
 * what it lets in is no UTF-8, and no text has it. An optimisation that cannot change an answer. */
static bool is_whole(uint32_t low, uint32_t high)
{
	return (low == 0x80 && high == 0x7FF) || (low == 0x800 && high == 0xFFFF) ||
	       (low == 0x10000 && high == REGEX_RUNE_MAX);
}

/* Where a range must be cut so that its first part is of one length, and each byte of it either
 * fixed or, with all behind it, free within bounds of its own; the range's end if nowhere. */
static uint32_t first_part_end(uint32_t low, uint32_t high)
{
	static const uint32_t length_ends[] = {0x7F, 0x7FF, 0xFFFF};

	for (size_t i = 0; i < sizeof length_ends / sizeof *length_ends; i++)
		if (low <= length_ends[i] && length_ends[i] < high)
			high = length_ends[i];
	if (high < 0x80 || is_whole(low, high))
		return high;
	for (unsigned bits = 6; bits <= 18; bits += 6) {
		uint32_t mask = (1U << bits) - 1;

		if ((low & ~mask) == (high & ~mask))
			continue;
		if ((low & mask) != 0)
			return low | mask;
		if ((high & mask) != mask)
			high = (high & ~mask) - 1;
	}
	return high;
}

static void emit_range(struct set_layout *set, uint32_t low, uint32_t high)
{
	for (;;) {
		uint32_t end = first_part_end(low, high), entry = set->next;
		uint8_t lows[4], highs[4];
		size_t size = utf8_encode(low, lows);

		(void)utf8_encode(end, highs);
		if (size > 1 && is_whole(low, end)) {
			lows[1] = 0x80;
			highs[1] = 0xBF;
		}
		for (size_t i = size; i-- > 0;)
			entry = emit_byte(set, lows[i], highs[i], entry);
		set->entry = set->has_entry ? emit_either(set->layout, entry, set->entry) : entry;
		set->has_entry = true;
		if (end == high)
			return;
		low = end + 1;
	}
}

static uint32_t emit_set(struct layout *layout, const struct rune_set *ranges, uint32_t next)
{
	struct set_layout set = {.layout = layout, .first = layout->program->n, .next = next};

	for (size_t i = 0; i < ranges->n && !layout->full; i++)
		emit_range(&set, ranges->ranges[i].low, ranges->ranges[i].high);
	return set.has_entry ? set.entry : emit(layout, (struct regex_inst){.op = OP_FAIL});
}

static uint32_t emit_node(struct layout *layout, const struct regex_node *node, uint32_t next);

static uint32_t emit_repeat(struct layout *layout, const struct regex_node *node, uint32_t next)
{
	const struct regex_node *body = node->repeat.body;
	uint32_t min = node->repeat.min, max = node->repeat.max, entry = next;

	if (max == REPEAT_FOREVER) {
		uint32_t loop = emit_either(layout, next, next);
		uint32_t again = emit_node(layout, body, loop);

		if (layout->full)
			return 0;
		layout->program->insts[loop].a = again;
		entry = min > 0 ? again : loop;
		min -= min > 0;
	} else {
		for (uint32_t i = min; i < max && !layout->full; i++)
			entry = emit_either(layout, emit_node(layout, body, entry), next);
	}
	for (uint32_t i = 0; i < min && !layout->full; i++)
		entry = emit_node(layout, body, entry);
	return entry;
}

static uint32_t emit_node(struct layout *layout, const struct regex_node *node, uint32_t next)
{
	uint32_t entry = next;

	switch (node->kind) {
	case NODE_SET:
		return emit_set(layout, &node->set, next);
	case NODE_ASSERTION:
		return emit_assertion(layout, node->assertion, next);
	case NODE_REPEAT:
		return emit_repeat(layout, node, next);
	case NODE_SEQUENCE:
		for (const struct regex_node *item = node->last; item; item = item->before)
			entry = emit_node(layout, item, entry);
		return entry;
	case NODE_ALTERNATIVES:
		entry = emit_node(layout, node->last, next);
		for (const struct regex_node *branch = node->last->before; branch;
		     branch = branch->before)
			entry = emit_either(layout, emit_node(layout, branch, next), entry);
		return entry;
	}
	return next;
}

/* Whether nothing can match but at the text's beginning. */
static bool is_anchored(const struct regex_node *node)
{
	const struct regex_node *first = NULL;

	switch (node->kind) {
	case NODE_SET:
		return false;
	case NODE_ASSERTION:
		return node->assertion == ASSERT_TEXT_BEGIN;
	case NODE_REPEAT:
		return node->repeat.min > 0 && is_anchored(node->repeat.body);
	case NODE_SEQUENCE:
		for (first = node->last; first && first->before;)
			first = first->before;
		return first && is_anchored(first);
	case NODE_ALTERNATIVES:
		for (first = node->last; first; first = first->before)
			if (!is_anchored(first))
				return false;
		return true;
	}
	return false;
}

status regex_program_make(struct arena *scratch, struct arena *details,
			  const struct regex_node *tree, struct regex_program *ret)
{
	struct regex_program program = {0};
	struct layout layout = {.scratch = scratch, .program = &program};
	uint32_t start, loop;

	start = emit_node(&layout, tree, emit(&layout, (struct regex_inst){.op = OP_MATCH}));
	if (!is_anchored(tree)) {
		/* Between a character's bytes no word ends or begins, but nothing is there either. */
		if (program.assertions & 1U << ASSERT_NO_WORD_EDGE)
			start = emit_assertion(&layout, ASSERT_CHARACTER_EDGE, start);
		loop = emit_either(&layout, start, start);
		start = loop;
		loop = emit(&layout,
			    (struct regex_inst){.op = OP_BYTE, .low = 0, .high = 0xFF, .a = start});
		program.insts[start].b = loop;
	}
	if (layout.full)
		return status_format(details, STATUS_INVALID_ARGUMENT,
				     "the pattern is too large: it takes more than %d instructions",
				     REGEX_PROGRAM_MAX);
	program.start = start;
	*ret = program;
	return status_ok();
}
