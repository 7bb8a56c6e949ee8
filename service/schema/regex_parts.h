/* regex_parts - what the steps of compiling a pattern hand to each other.
 *
 * regex_parse makes a tree of a pattern, regex_program lays it out as a nondeterministic program
 * over bytes, regex_dfa makes a table of that. All but the table lives in a scratch arena.
 */
#ifndef SLUICE_SERVICE_SCHEMA_REGEX_PARTS_H
#define SLUICE_SERVICE_SCHEMA_REGEX_PARTS_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "service/schema/regex_set.h"

#define REGEX_PATTERN_MAX_BYTES 16384
#define REGEX_DEPTH_MAX 100
#define REGEX_REPEAT_MAX 1000
#define REGEX_PROGRAM_MAX 50000
#define REGEX_STATES_DEFAULT 10000
#define REGEX_STATES_MAX 65000

static const status regex_no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				       .detail = "a pattern takes too much memory"};

enum regex_assertion {
	ASSERT_TEXT_BEGIN,
	ASSERT_TEXT_END,
	ASSERT_LINE_BEGIN,
	ASSERT_LINE_END,
	ASSERT_WORD_EDGE,
	ASSERT_NO_WORD_EDGE,
	ASSERT_CHARACTER_EDGE, /* not inside a character's bytes; no pattern has it, programs do */
};

enum regex_node_kind {
	NODE_SET,
	NODE_ASSERTION,
	NODE_SEQUENCE,
	NODE_ALTERNATIVES,
	NODE_REPEAT,
};

/* Recursion over a tree ends: groups nest no deeper than REGEX_DEPTH_MAX. */
struct regex_node {
	enum regex_node_kind kind;
	struct regex_node *before; /* the one to the left in a sequence or alternatives */
	uint32_t weight;           /* how often nested counts repeat what is in it */
	union {
		struct rune_set set; /* normalised */
		enum regex_assertion assertion;
		struct regex_node *last; /* of a sequence or alternatives; NULL: empty */
		struct {
			struct regex_node *body;
			uint32_t min, max; /* max REPEAT_FOREVER: no end */
		} repeat;
	};
};

#define REPEAT_FOREVER UINT32_MAX

/* What is being parsed, and how far. */
struct regex_parser {
	struct arena *scratch; /* of the tree */
	struct arena *details; /* of what is said about an error */
	struct bytes pattern;
	size_t at;
	unsigned flags; /* enum regex_flag */
	unsigned depth; /* of groups */
	struct regex_name *names;
};

enum regex_flag { FLAG_FOLD = 1, FLAG_DOT_ALL = 2, FLAG_MULTI_LINE = 4, FLAG_UNGREEDY = 8 };

/* regex_wrong - INVALID_ARGUMENT, with the offset into the pattern. */
status regex_wrong(const struct regex_parser *parser, size_t at, const char *what);

/* regex_parse - the tree of a pattern.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status regex_parse(struct regex_parser *parser, const struct regex_node **ret);

/* regex_parse_escape - the character behind a backslash at parser->at; for use in a class, too. */
status regex_parse_escape(struct regex_parser *parser, uint32_t *ret);
/* regex_parse_rune - the character at parser->at. The pattern is UTF-8. */
uint32_t regex_parse_rune(struct regex_parser *parser);
/* regex_parse_class - from a bracket to its end. */
status regex_parse_class(struct regex_parser *parser, struct rune_set *ret);
/* regex_parse_perl_class - \d \s \w and their negations; false: there is none at parser->at. */
bool regex_parse_perl_class(struct regex_parser *parser, struct rune_set *set);
/* regex_add_range - with the other cases of its letters if FLAG_FOLD asks for them.
 * at  where in the pattern it stands. */
status regex_add_range(struct regex_parser *parser, size_t at, struct rune_range range,
		       struct rune_set *set);

enum regex_op {
	OP_BYTE,   /* a byte of low to high, then a */
	OP_EITHER, /* a and b */
	OP_ASSERT, /* a, if the assertion holds */
	OP_MATCH,
	OP_FAIL,
};

struct regex_inst {
	uint8_t op; /* enum regex_op */
	uint8_t low, high;
	uint8_t assertion;
	uint32_t a, b;
};

struct regex_program {
	struct regex_inst *insts;
	uint32_t n;
	uint32_t start;
	unsigned assertions; /* a bit for each enum regex_assertion that is in it */
};

/* regex_program_make - lays out a tree, before it a loop over any bytes unless it begins with the
 * text.
 * details  of what is said about an error.
 * Fails: INVALID_ARGUMENT (too large) RESOURCE_EXHAUSTED */
status regex_program_make(struct arena *scratch, struct arena *details,
			  const struct regex_node *tree, struct regex_program *ret);

/* States 0 and 1 are left no more. */
enum regex_state { STATE_DEAD = 0, STATE_ACCEPT = 1, STATE_FIRST = 2 };

enum { SPAN_REST = 1, SPAN_FIRST = 2 };

/* A class for the first byte of a text, one for the others, and how many there are. */
struct regex_span {
	size_t min_bytes, max_bytes;
	uint8_t members[256]; /* SPAN_REST, SPAN_FIRST */
};

/* regex_span_make - false: the pattern is of another form. */
bool regex_span_make(const struct regex_node *tree, struct regex_span *ret);

struct regex {
	const struct regex_span *span; /* says the same as the table; NULL: there is none */
	const uint16_t *next;          /* [n_states][n_classes] */
	const bool *ends_well;         /* [n_states]: a text that ends here matches */
	size_t n_states;
	uint32_t n_classes;
	uint16_t start;
	uint8_t classes[256]; /* of bytes that no instruction tells apart */
};

/* regex_dfa_make - all states that a program can get into.
 * arena  owns the table.
 * Fails: INVALID_ARGUMENT (more than states_max) RESOURCE_EXHAUSTED */
status regex_dfa_make(struct arena *arena, struct arena *scratch,
		      const struct regex_program *program, size_t states_max, struct regex *ret);

#endif
