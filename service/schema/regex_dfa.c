/* regex_dfa - the states a program can be in, and the table between them, by subset construction.
 *
 * A state is a set of instructions and what has to be known of the byte before. Assertions on what
 * is before are decided when a state is entered; those that ask for the byte behind wait in the
 * set, and are decided when it is known. A state in which a match is certain is STATE_ACCEPT:
 * nothing that follows can take it back, since a match may end anywhere.
 * Reference: Russ Cox, "Regular Expression Matching in the Wild", 2010.
 */
#include "service/schema/regex_parts.h"

/* Steps of following instructions, in all and for each state that there may be: some tenths of a
 * second, where a sensible pattern takes under 1%. */
#define WORK_MAX 50000000
#define STATE_WORK_MAX 5000

/* What is before a place in the text. */
enum context { BEFORE_NOTHING = 1, BEFORE_LINE = 2, BEFORE_WORD = 4 };

/* What is behind: a byte, or */
#define BEHIND_NOTHING 256
#define BEHIND_UNKNOWN 257

/* A set of instructions with room for each: dense holds them, sparse where each is in dense. */
struct inst_set {
	uint32_t *dense, *sparse;
	uint32_t n;
};

struct dfa_state {
	const uint32_t *insts;
	uint32_t n;
	uint32_t hash;
	uint8_t context;
	bool waits; /* an assertion on the byte behind is in it */
};

struct builder {
	struct arena *scratch;
	const struct regex_program *program;
	struct dfa_state *states;
	size_t n_states, states_capacity, states_max;
	uint16_t *slots;        /* open addressing; 0: free */
	size_t n_slots;         /* a power of two */
	struct inst_set seen;   /* what following reached */
	struct inst_set leaves; /* of what was reached, what a state is made of */
	struct inst_set passed; /* a state's set after its assertions were decided */
	uint32_t *stack;
	bool matched; /* following came to a match */
	uint64_t work, work_max;
	uint8_t context_kept;         /* what no assertion asks for is not told apart */
	uint8_t representatives[256]; /* a byte of each class */
};

static bool set_has(const struct inst_set *set, uint32_t inst)
{
	return set->sparse[inst] < set->n && set->dense[set->sparse[inst]] == inst;
}

static bool set_insert(struct inst_set *set, uint32_t inst)
{
	if (set_has(set, inst))
		return false;
	set->sparse[inst] = set->n;
	set->dense[set->n++] = inst;
	return true;
}

static bool is_word(unsigned behind)
{
	return (behind >= '0' && behind <= '9') || (behind >= 'A' && behind <= 'Z') ||
	       (behind >= 'a' && behind <= 'z') || behind == '_';
}

static bool looks_behind(enum regex_assertion assertion)
{
	return assertion != ASSERT_TEXT_BEGIN && assertion != ASSERT_LINE_BEGIN;
}

static bool holds(enum regex_assertion assertion, unsigned before, unsigned behind)
{
	switch (assertion) {
	case ASSERT_TEXT_BEGIN:
		return before & BEFORE_NOTHING;
	case ASSERT_LINE_BEGIN:
		return before & BEFORE_LINE;
	case ASSERT_TEXT_END:
		return behind == BEHIND_NOTHING;
	case ASSERT_LINE_END:
		return behind == BEHIND_NOTHING || behind == '\n';
	case ASSERT_WORD_EDGE:
		return ((before & BEFORE_WORD) != 0) != is_word(behind);
	case ASSERT_NO_WORD_EDGE:
		return ((before & BEFORE_WORD) != 0) == is_word(behind);
	case ASSERT_CHARACTER_EDGE:
		return behind < 0x80 || behind > 0xBF;
	}
	return false;
}

static void visit(struct builder *builder, uint32_t *depth, uint32_t inst)
{
	if (set_insert(&builder->seen, inst))
		builder->stack[(*depth)++] = inst;
}

/* Follows from inst to all that is reached without taking a byte: leaves into leaves, a match into
 * matched. What was seen since seen was emptied is not followed again. */
static void follow(struct builder *builder, struct inst_set *leaves, uint32_t inst, unsigned before,
		   unsigned behind)
{
	uint32_t depth = 0;

	visit(builder, &depth, inst);
	while (depth > 0) {
		uint32_t at = builder->stack[--depth];
		const struct regex_inst *reached = &builder->program->insts[at];

		builder->work++;
		switch (reached->op) {
		case OP_MATCH:
			builder->matched = true;
			break;
		case OP_BYTE:
			set_insert(leaves, at);
			break;
		case OP_EITHER:
			visit(builder, &depth, reached->a);
			visit(builder, &depth, reached->b);
			break;
		case OP_ASSERT:
			if (behind == BEHIND_UNKNOWN && looks_behind(reached->assertion))
				set_insert(leaves, at);
			else if (holds(reached->assertion, before, behind))
				visit(builder, &depth, reached->a);
			break;
		case OP_FAIL:
			break;
		}
	}
}

static uint32_t hash_of(const struct inst_set *set, uint8_t context)
{
	uint32_t hash = context;

	/* A sum, since the order within a set says nothing. */
	for (uint32_t i = 0; i < set->n; i++) {
		uint32_t mixed = set->dense[i] * 0x9E3779B1U;

		hash += (mixed ^ mixed >> 15) * 0x85EBCA77U;
	}
	return hash ^ hash >> 16;
}

static bool is_same(const struct dfa_state *state, const struct inst_set *set, uint32_t hash,
		    uint8_t context)
{
	if (state->hash != hash || state->context != context || state->n != set->n)
		return false;
	for (uint32_t i = 0; i < state->n; i++)
		if (!set_has(set, state->insts[i]))
			return false;
	return true;
}

/* Twice the room for states, and slots for them all at half full. */
static status builder_grow(struct builder *builder)
{
	size_t capacity = builder->states_capacity ? 2 * builder->states_capacity : 64;
	struct dfa_state *states = ARENA_ARRAY(builder->scratch, struct dfa_state, capacity);
	uint16_t *slots = ARENA_ARRAY(builder->scratch, uint16_t, 2 * capacity);

	if (!states || !slots)
		return regex_no_memory;
	if (builder->n_states)
		memcpy(states, builder->states, builder->n_states * sizeof *states);
	for (size_t i = STATE_FIRST; i < builder->n_states; i++) {
		size_t at = states[i].hash & (2 * capacity - 1);

		while (slots[at])
			at = (at + 1) & (2 * capacity - 1);
		slots[at] = (uint16_t)i;
	}
	builder->states = states;
	builder->states_capacity = capacity;
	builder->slots = slots;
	builder->n_slots = 2 * capacity;
	return status_ok();
}

static bool set_waits(const struct builder *builder, const struct inst_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (builder->program->insts[set->dense[i]].op == OP_ASSERT)
			return true;
	return false;
}

/* The number of the state that leaves and matched make, old or new. */
static status builder_intern(struct builder *builder, unsigned before, struct arena *details,
			     uint16_t *ret)
{
	const struct inst_set *leaves = &builder->leaves;
	bool waits = set_waits(builder, leaves);
	/* Without anything that waits, what was before is decided and forgotten. */
	uint8_t context = waits ? (uint8_t)(before & builder->context_kept) : 0;
	uint32_t hash = hash_of(leaves, context);
	struct dfa_state *state;
	uint32_t *insts;
	size_t at;

	if (builder->matched || leaves->n == 0) {
		*ret = builder->matched ? STATE_ACCEPT : STATE_DEAD;
		return status_ok();
	}
	for (at = hash & (builder->n_slots - 1); builder->slots[at];
	     at = (at + 1) & (builder->n_slots - 1)) {
		if (is_same(&builder->states[builder->slots[at]], leaves, hash, context)) {
			*ret = builder->slots[at];
			return status_ok();
		}
	}
	if (builder->n_states >= builder->states_max)
		return status_format(details, STATUS_INVALID_ARGUMENT,
				     "the pattern takes more than %zu states", builder->states_max);
	insts = arena_copy(builder->scratch, leaves->dense, leaves->n * sizeof *insts);
	if (!insts)
		return regex_no_memory;
	state = &builder->states[builder->n_states];
	*state = (struct dfa_state){insts, leaves->n, hash, context, waits};
	builder->slots[at] = (uint16_t)builder->n_states;
	*ret = (uint16_t)builder->n_states++;
	return builder->n_states == builder->states_capacity ? builder_grow(builder) : status_ok();
}

/* Decides a state's assertions, now that the byte behind is known: into passed and matched. */
static void state_pass(struct builder *builder, const struct dfa_state *state, unsigned behind)
{
	builder->passed.n = 0;
	builder->seen.n = 0;
	builder->matched = false;
	for (uint32_t i = 0; i < state->n; i++)
		follow(builder, &builder->passed, state->insts[i], state->context, behind);
}

static unsigned context_behind(uint8_t byte)
{
	return (byte == '\n' ? BEFORE_LINE : 0U) | (is_word(byte) ? BEFORE_WORD : 0U);
}

/* Where a byte leads from a state. */
static status state_step(struct builder *builder, size_t from, uint8_t byte, struct arena *details,
			 uint16_t *ret)
{
	/* By value: states may move. */
	struct dfa_state state = builder->states[from];
	const uint32_t *insts = state.insts;
	uint32_t n = state.n;
	unsigned before = context_behind(byte);

	builder->matched = false;
	if (state.waits) {
		state_pass(builder, &state, byte);
		insts = builder->passed.dense;
		n = builder->passed.n;
	}
	builder->leaves.n = 0;
	builder->seen.n = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct regex_inst *inst = &builder->program->insts[insts[i]];

		if (inst->op == OP_BYTE && inst->low <= byte && byte <= inst->high)
			follow(builder, &builder->leaves, inst->a, before, BEHIND_UNKNOWN);
	}
	builder->work += n;
	if (builder->work > builder->work_max)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "the pattern takes too much work to compile");
	return builder_intern(builder, before, details, ret);
}

/* Marks where a class ends: after a byte that is told apart from the next. */
static void classes_cut(bool cuts[256], unsigned low, unsigned high)
{
	if (low > 0)
		cuts[low - 1] = true;
	cuts[high] = true;
}

/* Bytes that neither an instruction nor an assertion tells apart get one class. */
static uint32_t classes_make(struct builder *builder, uint8_t ret[256])
{
	const struct regex_program *program = builder->program;
	bool cuts[256] = {false};
	uint32_t n = 0;

	for (uint32_t i = 0; i < program->n; i++)
		if (program->insts[i].op == OP_BYTE)
			classes_cut(cuts, program->insts[i].low, program->insts[i].high);
	if (builder->context_kept & BEFORE_WORD) {
		classes_cut(cuts, '0', '9');
		classes_cut(cuts, 'A', 'Z');
		classes_cut(cuts, '_', '_');
		classes_cut(cuts, 'a', 'z');
	}
	if (program->assertions & (1U << ASSERT_LINE_BEGIN | 1U << ASSERT_LINE_END))
		classes_cut(cuts, '\n', '\n');
	if (program->assertions & 1U << ASSERT_CHARACTER_EDGE)
		classes_cut(cuts, 0x80, 0xBF);
	for (unsigned byte = 0; byte < 256; byte++) {
		ret[byte] = (uint8_t)n;
		builder->representatives[n] = (uint8_t)byte;
		n += cuts[byte];
	}
	return n + !cuts[255];
}

static bool set_init(struct arena *scratch, struct inst_set *set, size_t size)
{
	set->dense = ARENA_ARRAY(scratch, uint32_t, size);
	set->sparse = ARENA_ARRAY(scratch, uint32_t, size);
	return set->dense && set->sparse;
}

static status builder_init(struct builder *builder)
{
	const struct regex_program *program = builder->program;
	size_t size = program->n;

	if (program->assertions & (1U << ASSERT_WORD_EDGE | 1U << ASSERT_NO_WORD_EDGE))
		builder->context_kept |= BEFORE_WORD;
	if (program->assertions & 1U << ASSERT_LINE_BEGIN)
		builder->context_kept |= BEFORE_LINE;
	if (program->assertions & 1U << ASSERT_TEXT_BEGIN)
		builder->context_kept |= BEFORE_NOTHING;
	builder->stack = ARENA_ARRAY(builder->scratch, uint32_t, size);
	if (!builder->stack || !set_init(builder->scratch, &builder->seen, size) ||
	    !set_init(builder->scratch, &builder->leaves, size) ||
	    !set_init(builder->scratch, &builder->passed, size))
		return regex_no_memory;
	TRY(builder_grow(builder));
	builder->n_states = STATE_FIRST;
	return status_ok();
}

/* The two states that are never left. */
static void rows_init(struct buffer *rows, struct buffer *ends, uint32_t n_classes)
{
	for (uint16_t state = STATE_DEAD; state <= STATE_ACCEPT; state++) {
		bool ends_well = state == STATE_ACCEPT;

		for (uint32_t i = 0; i < n_classes; i++)
			buffer_append(rows, &state, sizeof state);
		buffer_append(ends, &ends_well, sizeof ends_well);
	}
}

/* A row for each state; rows bring states, until none is new. */
static status rows_make(struct builder *builder, struct arena *details, uint32_t n_classes,
			struct buffer *rows, struct buffer *ends)
{
	for (size_t i = STATE_FIRST; i < builder->n_states; i++) {
		for (uint32_t class = 0; class < n_classes; class ++) {
			uint16_t next;

			TRY(state_step(builder, i, builder->representatives[class], details,
				       &next));
			buffer_append(rows, &next, sizeof next);
		}
		state_pass(builder, &builder->states[i], BEHIND_NOTHING);
		buffer_append(ends, &builder->matched, sizeof builder->matched);
	}
	return rows->failed || ends->failed ? regex_no_memory : status_ok();
}

status regex_dfa_make(struct arena *arena, struct arena *scratch,
		      const struct regex_program *program, size_t states_max, struct regex *ret)
{
	struct builder builder = {.scratch = scratch, .program = program, .states_max = states_max};
	struct buffer memory[2] = {0};
	SCOPED(buffer) rows = &memory[0];
	SCOPED(buffer) ends = &memory[1];
	struct regex regex = {0};

	builder.work_max = (uint64_t)states_max * STATE_WORK_MAX;
	if (builder.work_max > WORK_MAX)
		builder.work_max = WORK_MAX;
	TRY(builder_init(&builder));
	regex.n_classes = classes_make(&builder, regex.classes);
	follow(&builder, &builder.leaves, program->start, BEFORE_NOTHING | BEFORE_LINE,
	       BEHIND_UNKNOWN);
	TRY(builder_intern(&builder, BEFORE_NOTHING | BEFORE_LINE, arena, &regex.start));
	rows_init(rows, ends, regex.n_classes);
	TRY(rows_make(&builder, arena, regex.n_classes, rows, ends));
	regex.n_states = builder.n_states;
	regex.next = arena_copy(arena, rows->data, rows->size);
	regex.ends_well = arena_copy(arena, ends->data, ends->size);
	if (!regex.next || !regex.ends_well)
		return regex_no_memory;
	*ret = regex;
	return status_ok();
}
