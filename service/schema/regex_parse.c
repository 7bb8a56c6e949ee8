/* regex_parse - a pattern of RE2's syntax to a tree.
 *
 * Whether a repetition is greedy and whether a group captures makes no difference to whether a text
 * matches, so the tree knows neither.
 */
#include "service/schema/regex_parts.h"

#include <inttypes.h>

struct regex_name {
	struct regex_name *next;
	struct bytes name;
};

status regex_wrong(const struct regex_parser *parser, size_t at, const char *what)
{
	return status_format(parser->details, STATUS_INVALID_ARGUMENT, "at byte %zu: %s", at, what);
}

static bool at_end(const struct regex_parser *parser)
{
	return parser->at == parser->pattern.size;
}

static uint8_t peek(const struct regex_parser *parser)
{
	return at_end(parser) ? '\0' : parser->pattern.data[parser->at];
}

static bool take(struct regex_parser *parser, const char *text)
{
	size_t size = strlen(text);

	if (parser->pattern.size - parser->at < size ||
	    memcmp(parser->pattern.data + parser->at, text, size) != 0)
		return false;
	parser->at += size;
	return true;
}

static status node_new(struct regex_parser *parser, enum regex_node_kind kind,
		       struct regex_node **ret)
{
	struct regex_node *node = ARENA_NEW(parser->scratch, struct regex_node);

	if (!node)
		return regex_no_memory;
	node->kind = kind;
	node->weight = 1;
	*ret = node;
	return status_ok();
}

/* Puts a node behind the last one of a sequence. */
static status push(struct regex_parser *parser, enum regex_node_kind kind, struct regex_node **last)
{
	struct regex_node *node;

	TRY(node_new(parser, kind, &node));
	node->before = *last;
	*last = node;
	return status_ok();
}

static status push_rune(struct regex_parser *parser, size_t at, uint32_t rune,
			struct regex_node **last)
{
	TRY(push(parser, NODE_SET, last));
	TRY(regex_add_range(parser, at, (struct rune_range){rune, rune}, &(*last)->set));
	rune_set_normalize(&(*last)->set);
	return status_ok();
}

static status push_assertion(struct regex_parser *parser, enum regex_assertion assertion,
			     struct regex_node **last)
{
	TRY(push(parser, NODE_ASSERTION, last));
	(*last)->assertion = assertion;
	return status_ok();
}

static status push_dot(struct regex_parser *parser, struct regex_node **last)
{
	TRY(push(parser, NODE_SET, last));
	if (!(parser->flags & FLAG_DOT_ALL))
		rune_set_add(parser->scratch, &(*last)->set, '\n', '\n');
	rune_set_negate(parser->scratch, &(*last)->set);
	return (*last)->set.failed ? regex_no_memory : status_ok();
}

/* \Q..\E, whose end may be missing. */
static status push_quoted(struct regex_parser *parser, struct regex_node **last)
{
	while (!at_end(parser) && !take(parser, "\\E")) {
		size_t at = parser->at;

		TRY(push_rune(parser, at, regex_parse_rune(parser), last));
	}
	return status_ok();
}

static status push_escape(struct regex_parser *parser, struct regex_node **last)
{
	size_t at = parser->at;
	struct rune_set set = {0};
	uint32_t rune;

	if (take(parser, "\\A"))
		return push_assertion(parser, ASSERT_TEXT_BEGIN, last);
	if (take(parser, "\\z"))
		return push_assertion(parser, ASSERT_TEXT_END, last);
	if (take(parser, "\\b"))
		return push_assertion(parser, ASSERT_WORD_EDGE, last);
	if (take(parser, "\\B"))
		return push_assertion(parser, ASSERT_NO_WORD_EDGE, last);
	if (take(parser, "\\Q"))
		return push_quoted(parser, last);
	if (!regex_parse_perl_class(parser, &set)) {
		TRY(regex_parse_escape(parser, &rune));
		return push_rune(parser, at, rune, last);
	}
	if (set.failed)
		return regex_no_memory;
	rune_set_normalize(&set);
	TRY(push(parser, NODE_SET, last));
	(*last)->set = set;
	return status_ok();
}

/* A group's name, from behind its angle bracket. */
static status parse_name(struct regex_parser *parser, size_t begin)
{
	struct regex_name *name = ARENA_NEW(parser->scratch, struct regex_name);
	size_t at = parser->at;

	if (!name)
		return regex_no_memory;
	while (peek(parser) == '_' || (peek(parser) >= '0' && peek(parser) <= '9') ||
	       ((peek(parser) | 0x20) >= 'a' && (peek(parser) | 0x20) <= 'z'))
		parser->at++;
	name->name = bytes_of(parser->pattern.data + at, parser->at - at);
	if (name->name.size == 0 || !take(parser, ">"))
		return regex_wrong(parser, begin, "a group's name is of letters, digits and _");
	for (const struct regex_name *other = parser->names; other; other = other->next)
		if (bytes_equal(other->name, name->name))
			return regex_wrong(parser, begin, "two groups of one name");
	name->next = parser->names;
	parser->names = name;
	return status_ok();
}

static unsigned flag_of(uint8_t c)
{
	switch (c) {
	case 'i':
		return FLAG_FOLD;
	case 's':
		return FLAG_DOT_ALL;
	case 'm':
		return FLAG_MULTI_LINE;
	case 'U':
		return FLAG_UNGREEDY;
	default:
		return 0;
	}
}

/* (?i) or (?i-s: from behind the question mark. ret_is_group: it was the latter. */
static status parse_flags(struct regex_parser *parser, size_t begin, bool *ret_is_group)
{
	unsigned set = 0, cleared = 0;
	bool clearing = false;

	for (;;) {
		uint8_t c = peek(parser);
		unsigned flag = flag_of(c);

		if (at_end(parser))
			return regex_wrong(parser, begin, "a group without its )");
		parser->at++;
		if (flag && clearing)
			cleared |= flag;
		else if (flag)
			set |= flag;
		else if (c == '-' && !clearing)
			clearing = true;
		else if ((c != ':' && c != ')') || (clearing && !cleared))
			return regex_wrong(parser, begin, "no such flags; (?imsU-imsU) there are");
		else {
			parser->flags = (parser->flags | set) & ~cleared;
			*ret_is_group = c == ':';
			return status_ok();
		}
	}
}

static status parse_alternatives(struct regex_parser *parser, struct regex_node **ret);

/* A group, or flags for the rest of the one around. */
static status push_group(struct regex_parser *parser, struct regex_node **last)
{
	size_t begin = parser->at;
	unsigned flags = parser->flags;
	bool is_group = true;
	struct regex_node *group;

	if (take(parser, "(?=") || take(parser, "(?!") || take(parser, "(?<=") ||
	    take(parser, "(?<!"))
		return regex_wrong(parser, begin, "looking ahead or behind is not supported");
	if (take(parser, "(?P=") || take(parser, "(?P>"))
		return regex_wrong(parser, begin, "backreferences are not supported");
	if (take(parser, "(?P<") || take(parser, "(?<"))
		TRY(parse_name(parser, begin));
	else if (take(parser, "(?"))
		TRY(parse_flags(parser, begin, &is_group));
	else
		parser->at++;
	if (!is_group)
		return status_ok();
	if (++parser->depth > REGEX_DEPTH_MAX)
		return regex_wrong(parser, begin, "groups nest more than 100 deep");
	TRY(parse_alternatives(parser, &group));
	if (!take(parser, ")"))
		return regex_wrong(parser, begin, "a group without its )");
	parser->depth--;
	parser->flags = flags;
	group->before = *last;
	*last = group;
	return status_ok();
}

/* A decimal number as counts have it: without a zero before it. Above 1,000 it is only known to
 * be. */
static bool parse_count(struct regex_parser *parser, uint32_t *ret)
{
	uint32_t count = 0;
	size_t begin = parser->at;

	while (peek(parser) >= '0' && peek(parser) <= '9') {
		if (count <= REGEX_REPEAT_MAX)
			count = count * 10 + (uint32_t)(peek(parser) - '0');
		parser->at++;
	}
	*ret = count;
	return parser->at > begin &&
	       (parser->at == begin + 1 || parser->pattern.data[begin] != '0');
}

/* {n}, {n,} or {n,m}; anything else is no repetition but a brace, and nothing is taken. */
static bool take_counts(struct regex_parser *parser, uint32_t *ret_min, uint32_t *ret_max)
{
	size_t begin = parser->at;
	bool found = take(parser, "{") && parse_count(parser, ret_min);

	*ret_max = *ret_min;
	if (found && take(parser, ",")) {
		*ret_max = REPEAT_FOREVER;
		found = peek(parser) == '}' || parse_count(parser, ret_max);
	}
	if (found && take(parser, "}"))
		return true;
	parser->at = begin;
	return false;
}

static bool take_repeat(struct regex_parser *parser, uint32_t *ret_min, uint32_t *ret_max)
{
	*ret_min = peek(parser) == '+';
	*ret_max = peek(parser) == '?' ? 1 : REPEAT_FOREVER;
	return take(parser, "*") || take(parser, "+") || take(parser, "?") ||
	       take_counts(parser, ret_min, ret_max);
}

/* Puts a repetition in the place of the last node.
 * counts  low and high: how often at least and at most. */
static status push_repeat(struct regex_parser *parser, size_t at, struct rune_range counts,
			  struct regex_node **last)
{
	uint32_t min = counts.low, max = counts.high;
	uint32_t times = max == REPEAT_FOREVER ? min : max;
	struct regex_node *body = *last, *repeat;

	if (!body)
		return regex_wrong(parser, at, "nothing to repeat");
	if (times > REGEX_REPEAT_MAX || min > max)
		return regex_wrong(parser, at, "counts go from 0 to 1000, upwards");
	TRY(node_new(parser, NODE_REPEAT, &repeat));
	/* What is repeated no times does not count, however large it is. */
	repeat->weight = max == 0 ? 1 : body->weight * (times ? times : 1);
	if (repeat->weight > REGEX_REPEAT_MAX)
		return regex_wrong(parser, at, "nested counts repeat more than 1000 times");
	repeat->repeat.body = body;
	repeat->repeat.min = min;
	repeat->repeat.max = max;
	repeat->before = body->before;
	body->before = NULL;
	*last = repeat;
	return status_ok();
}

static status push_class(struct regex_parser *parser, struct regex_node **last)
{
	TRY(push(parser, NODE_SET, last));
	TRY(regex_parse_class(parser, &(*last)->set));
	rune_set_normalize(&(*last)->set);
	return status_ok();
}

static status push_item(struct regex_parser *parser, struct regex_node **last)
{
	bool multi_line = parser->flags & FLAG_MULTI_LINE;
	size_t at = parser->at;

	switch (peek(parser)) {
	case '(':
		return push_group(parser, last);
	case '[':
		return push_class(parser, last);
	case '\\':
		return push_escape(parser, last);
	case '.':
		parser->at++;
		return push_dot(parser, last);
	case '^':
		parser->at++;
		return push_assertion(parser, multi_line ? ASSERT_LINE_BEGIN : ASSERT_TEXT_BEGIN,
				      last);
	case '$':
		parser->at++;
		return push_assertion(parser, multi_line ? ASSERT_LINE_END : ASSERT_TEXT_END, last);
	default:
		return push_rune(parser, at, regex_parse_rune(parser), last);
	}
}

/* Items up to a bar, a closing parenthesis or the end. */
static status parse_sequence(struct regex_parser *parser, struct regex_node **ret)
{
	struct regex_node *last = NULL, *sequence;
	bool repeated = false;

	while (!at_end(parser) && peek(parser) != '|' && peek(parser) != ')') {
		struct rune_range counts;
		size_t at = parser->at;

		if (!take_repeat(parser, &counts.low, &counts.high)) {
			TRY(push_item(parser, &last));
			repeated = false;
			continue;
		}
		(void)take(parser, "?"); /* lazy: the same texts match */
		if (repeated)
			return regex_wrong(parser, at, "a repetition of a repetition");
		TRY(push_repeat(parser, at, counts, &last));
		repeated = true;
	}
	TRY(node_new(parser, NODE_SEQUENCE, &sequence));
	sequence->last = last;
	for (const struct regex_node *item = last; item; item = item->before)
		if (item->weight > sequence->weight)
			sequence->weight = item->weight;
	*ret = sequence;
	return status_ok();
}

static status parse_alternatives(struct regex_parser *parser, struct regex_node **ret)
{
	struct regex_node *alternatives, *branch = NULL;

	TRY(node_new(parser, NODE_ALTERNATIVES, &alternatives));
	do {
		TRY(parse_sequence(parser, &branch));
		branch->before = alternatives->last;
		alternatives->last = branch;
		if (branch->weight > alternatives->weight)
			alternatives->weight = branch->weight;
	} while (take(parser, "|"));
	*ret = alternatives;
	return status_ok();
}

status regex_parse(struct regex_parser *parser, const struct regex_node **ret)
{
	struct regex_node *tree;

	if (parser->pattern.size > REGEX_PATTERN_MAX_BYTES)
		return status_make(STATUS_INVALID_ARGUMENT, "a pattern has at most 16384 bytes");
	if (!bytes_is_utf8(parser->pattern))
		return status_make(STATUS_INVALID_ARGUMENT, "a pattern must be UTF-8");
	TRY(parse_alternatives(parser, &tree));
	if (!at_end(parser))
		return regex_wrong(parser, parser->at, "a ) without its (");
	*ret = tree;
	return status_ok();
}
