/* regex_class - one character or a set of them: escapes, classes in brackets, \d and its kin. */
#include "service/schema/regex_parts.h"

/* Whether the pattern goes on with text. */
static bool is_next(const struct regex_parser *parser, const char *text)
{
	size_t size = strlen(text);

	return parser->pattern.size - parser->at >= size &&
	       memcmp(parser->pattern.data + parser->at, text, size) == 0;
}

static bool at_end(const struct regex_parser *parser)
{
	return parser->at == parser->pattern.size;
}

static uint8_t peek(const struct regex_parser *parser)
{
	return at_end(parser) ? '\0' : parser->pattern.data[parser->at];
}

uint32_t regex_parse_rune(struct regex_parser *parser)
{
	const uint8_t *at = parser->pattern.data + parser->at;
	size_t size = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
	uint32_t rune = size == 1 ? at[0] : at[0] & (0x7FU >> size);

	for (size_t i = 1; i < size; i++)
		rune = rune << 6 | (at[i] & 0x3F);
	parser->at += size;
	return rune;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x7F or \x{10FFFF}, from behind the x. */
static status parse_hex(struct regex_parser *parser, size_t begin, uint32_t *ret)
{
	bool braces = peek(parser) == '{';
	uint32_t rune = 0;
	size_t n = 0;

	parser->at += braces;
	while (hex_digit(peek(parser)) >= 0 && (braces || n < 2)) {
		rune = rune << 4 | (uint32_t)hex_digit(peek(parser));
		if (rune > REGEX_RUNE_MAX)
			return regex_wrong(parser, begin, "no code point is above 10FFFF");
		parser->at++;
		n++;
	}
	if (braces ? n == 0 || peek(parser) != '}' : n < 2)
		return regex_wrong(parser, begin, "\\x takes two hex digits, or more in braces");
	parser->at += braces;
	*ret = rune;
	return status_ok();
}

/* Up to three octal digits, the first already taken. */
static uint32_t parse_octal(struct regex_parser *parser, uint8_t first)
{
	uint32_t rune = (uint32_t)(first - '0');

	for (int n = 1; n < 3 && peek(parser) >= '0' && peek(parser) <= '7'; n++)
		rune = rune * 8 + (uint32_t)(parser->pattern.data[parser->at++] - '0');
	return rune;
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Why there is no such escape, as narrowly as is known. */
static const char *escape_refusal(uint8_t c)
{
	if (c >= '1' && c <= '9')
		return "backreferences are not supported";
	switch (c) {
	case 'p':
	case 'P':
		return "Unicode classes (\\pL, \\p{Greek}) are not supported";
	case 'C':
		return "\\C, a single byte, is not supported";
	case 'Z':
		return "\\Z is not supported; \\z is the end of the text";
	case 'k':
		return "backreferences are not supported";
	default:
		return "no such escape";
	}
}

status regex_parse_escape(struct regex_parser *parser, uint32_t *ret)
{
	static const char letters[] = "afnrtv", controls[] = "\a\f\n\r\t\v";
	size_t begin = parser->at++;
	const char *letter;
	uint8_t c;

	if (at_end(parser))
		return regex_wrong(parser, begin, "a backslash at the end");
	c = peek(parser);
	if (c >= 0x80)
		return regex_wrong(parser, begin, escape_refusal(c));
	parser->at++;
	if (c == 'x')
		return parse_hex(parser, begin, ret);
	letter = c ? strchr(letters, c) : NULL;
	if (letter) {
		*ret = (uint32_t)controls[letter - letters];
		return status_ok();
	}
	/* A digit alone would be a backreference. */
	if (c == '0' || (c >= '1' && c <= '7' && peek(parser) >= '0' && peek(parser) <= '7')) {
		*ret = parse_octal(parser, c);
		return status_ok();
	}
	if (is_alphanumeric(c))
		return regex_wrong(parser, begin, escape_refusal(c));
	*ret = c;
	return status_ok();
}

status regex_add_range(struct regex_parser *parser, size_t at, struct rune_range range,
		       struct rune_set *set)
{
	struct rune_set added = {0};
	/* All beyond ASCII together fold among themselves, but for what rune_set_fold knows. */
	bool closed = range.low <= 0x80 && range.high == REGEX_RUNE_MAX;

	rune_set_add(parser->scratch, &added, range.low, range.high);
	if (parser->flags & FLAG_FOLD && !added.failed) {
		rune_set_fold(parser->scratch, &added);
		/* The long s and the Kelvin sign fold to ASCII, the rest is not in any table here. */
		if (range.high >= 0x80 && !closed && (range.low != range.high || added.n == 1))
			return regex_wrong(parser, at,
					   "(?i) is supported for ASCII, not beyond it");
	}
	rune_set_add_set(parser->scratch, set, &added);
	return set->failed ? regex_no_memory : status_ok();
}

/* A class with a name: ranges in pairs, up to a NUL. */
struct named_class {
	const char *name;
	const char *pairs;
};

static const struct named_class posix_classes[] = {
	{"alnum", "09AZaz"},  {"alpha", "AZaz"},     {"ascii", NULL},     {"blank", "\t\t  "},
	{"cntrl", NULL},      {"digit", "09"},       {"graph", "!~"},     {"lower", "az"},
	{"print", " ~"},      {"punct", "!/:@[`{~"}, {"space", "\t\r  "}, {"upper", "AZ"},
	{"word", "09AZaz__"}, {"xdigit", "09AFaf"},
};

static const struct named_class perl_classes[] = {
	{"d", "09"}, {"s", "\t\n\f\r  "}, {"w", "09AZaz__"}};

/* Adds the class or its negation, with the other cases of its letters under FLAG_FOLD. */
static void add_named(struct regex_parser *parser, const struct named_class *class, bool negated,
		      struct rune_set *set)
{
	struct rune_set named = {0};

	if (class->pairs) {
		for (const char *pair = class->pairs; *pair; pair += 2)
			rune_set_add(parser->scratch, &named, (uint8_t)pair[0], (uint8_t)pair[1]);
	} else { /* the two with a NUL in them */
		bool all = strcmp(class->name, "ascii") == 0;

		rune_set_add(parser->scratch, &named, 0, all ? 0x7F : 0x1F);
		rune_set_add(parser->scratch, &named, 0x7F, 0x7F);
	}
	if (parser->flags & FLAG_FOLD)
		rune_set_fold(parser->scratch, &named);
	if (negated)
		rune_set_negate(parser->scratch, &named);
	rune_set_add_set(parser->scratch, set, &named);
}

bool regex_parse_perl_class(struct regex_parser *parser, struct rune_set *set)
{
	uint8_t c;

	if (parser->pattern.size - parser->at < 2 || peek(parser) != '\\')
		return false;
	c = parser->pattern.data[parser->at + 1];
	for (size_t i = 0; i < sizeof perl_classes / sizeof *perl_classes; i++) {
		uint8_t name = (uint8_t)perl_classes[i].name[0];

		if ((c | 0x20) != name)
			continue;
		add_named(parser, &perl_classes[i], c != name, set);
		parser->at += 2;
		return true;
	}
	return false;
}

/* [:alpha:] or [:^alpha:]. What does not end as one is no name: the bracket is a character. */
static status parse_posix_class(struct regex_parser *parser, struct rune_set *set, bool *ret_found)
{
	const uint8_t *name = parser->pattern.data + parser->at + 2;
	const uint8_t *end;
	bool negated;

	*ret_found = false;
	if (!is_next(parser, "[:"))
		return status_ok();
	end = memmem(name, parser->pattern.size - parser->at - 2, ":]", 2);
	if (!end)
		return status_ok();
	negated = *name == '^';
	name += negated;
	for (size_t i = 0; i < sizeof posix_classes / sizeof *posix_classes; i++) {
		const struct named_class *class = &posix_classes[i];

		if (!bytes_equal(bytes_of(name, (size_t)(end - name)),
				 bytes_of_string(class->name)))
			continue;
		add_named(parser, class, negated, set);
		parser->at = (size_t)(end - parser->pattern.data) + 2;
		*ret_found = true;
		return status_ok();
	}
	return regex_wrong(parser, parser->at, "no such class");
}

static status parse_class_rune(struct regex_parser *parser, size_t begin, uint32_t *ret)
{
	if (at_end(parser))
		return regex_wrong(parser, begin, "a class without its ]");
	if (peek(parser) == '\\')
		return regex_parse_escape(parser, ret);
	*ret = regex_parse_rune(parser);
	return status_ok();
}

/* One character, or two with a dash between them. A dash before the bracket is a character. */
static status parse_range(struct regex_parser *parser, size_t begin, struct rune_set *set)
{
	struct rune_range range;
	size_t at = parser->at;

	TRY(parse_class_rune(parser, begin, &range.low));
	range.high = range.low;
	if (parser->pattern.size - parser->at >= 2 && peek(parser) == '-' &&
	    !is_next(parser, "-]")) {
		parser->at++;
		TRY(parse_class_rune(parser, begin, &range.high));
	}
	if (range.high < range.low)
		return regex_wrong(parser, at, "a range that ends before it begins");
	return regex_add_range(parser, at, range, set);
}

status regex_parse_class(struct regex_parser *parser, struct rune_set *ret)
{
	size_t begin = parser->at++;
	struct rune_set set = {0};
	bool negated = peek(parser) == '^', found;

	parser->at += negated;
	for (bool first = true; first || peek(parser) != ']'; first = false) {
		TRY(parse_posix_class(parser, &set, &found));
		if (!found && !regex_parse_perl_class(parser, &set))
			TRY(parse_range(parser, begin, &set));
	}
	parser->at++;
	if (negated)
		rune_set_negate(parser->scratch, &set);
	if (set.failed)
		return regex_no_memory;
	*ret = set;
	return status_ok();
}
