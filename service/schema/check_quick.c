/* check_quick - whether a message is in order, told in one pass by its plan.
 *
 * An optimisation that cannot change an answer: most messages break nothing and are written as every
 * encoder writes them, each field once, the items of a list one after another, a map's entries as a key
 * and a value. Of those this says yes. Of all else it says no, which means nothing: the walk (check.c)
 * then looks for itself, and is the only one to report and to fail. Nothing is allocated or kept.
 */
#include "service/schema/check_lanes.h"
#include "service/schema/check_walk.h"

/* What is rare, kept out of the way of what is not; and what is not, which gcc would rather call: a
 * tenth of the time. */
#define NOINLINE __attribute__((noinline))
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Longer lists and maps are the walk's to compare. */
#define ITEMS_COMPARED_MAX 16
#define KEYS_MAX 64

/* --- off the wire: from at, before end; each gives where it got to, NULL: it is the walk's --- */

static const uint8_t *wire_left(const struct wire *wire)
{
	return wire->failed ? NULL : wire->at;
}

static NOINLINE const uint8_t *long_varint_take(const uint8_t *at, const uint8_t *end)
{
	struct wire wire = {at, end, NULL};

	wire_varint(&wire);
	return wire_left(&wire);
}

static NOINLINE const uint8_t *long_run_take(const uint8_t *at, const uint8_t *end,
					     struct bytes *ret)
{
	struct wire wire = {at, end, NULL};

	*ret = wire_length_delimited(&wire);
	return wire_left(&wire);
}

static inline const uint8_t *varint_take(const uint8_t *at, const uint8_t *end)
{
	return at < end && *at < 0x80 ? at + 1 : long_varint_take(at, end);
}

static inline const uint8_t *run_take(const uint8_t *at, const uint8_t *end, struct bytes *ret)
{
	size_t left = (size_t)(end - at), size;

	if (left > 0 && at[0] < 0x80) {
		size = at[0];
		at += 1;
		left -= 1;
	} else if (left > 1 && at[1] < 0x80) {
		size = (at[0] & 0x7F) | (size_t)at[1] << 7;
		at += 2;
		left -= 2;
	} else {
		return long_run_take(at, end, ret);
	}
	*ret = bytes_of(at, size);
	return size <= left ? at + size : NULL;
}

static inline const uint8_t *fixed_take(const uint8_t *at, const uint8_t *end, size_t size)
{
	return (size_t)(end - at) < size ? NULL : at + size;
}

/* --- values: what is in order is stepped over, and where it ends is given; NULL: it is the walk's --- */

static const uint8_t *message_take(struct checker *checker, const struct schema_message *message,
				   struct bytes bytes, uint32_t room);

static inline const uint8_t *end_of(struct bytes bytes)
{
	return bytes.data + bytes.size;
}

static inline struct bytes bytes_between(const uint8_t *at, const uint8_t *end)
{
	return bytes_of(at, (size_t)(end - at));
}

/* Rules that the plan has no words for. */
static NOINLINE bool others_hold(struct checker *checker, const struct plan_value *value,
				 union schema_value found)
{
	const struct check_value whole = {value->field, found};

	return rules_are_kept(checker, &whole, value->rules);
}

static bool is_string(struct checker *checker, const struct plan_value *value, struct bytes text)
{
	if (value->field->verify_utf8 && !bytes_is_utf8(text))
		return false;
	return !checker->limits->refuse_nul || !memchr(text.data, 0, text.size);
}

static NOINLINE const uint8_t *odd_text_take(struct checker *checker,
					     const struct plan_value *value, struct bytes text)
{
	const union schema_value found = {.bytes = text};

	if (value->kind == PLAN_TEXT && !text_is_plain(text) && !is_string(checker, value, text))
		return NULL;
	if (text.size == 0 && (value->skip_zero || value->refuse_zero))
		return value->refuse_zero ? NULL : end_of(text);
	if (text.size < value->min_bytes || text.size > value->max_bytes)
		return NULL;
	if (value->regex && !regex_match(value->regex, text))
		return NULL;
	return !value->rules || others_hold(checker, value, found) ? end_of(text) : NULL;
}

static inline const uint8_t *text_take(struct checker *checker, const struct plan_value *value,
				       struct bytes text)
{
	if (value->is_odd || (value->kind == PLAN_TEXT && !text_is_plain(text)))
		return odd_text_take(checker, value, text);
	if (text.size < value->min_bytes || text.size > value->max_bytes)
		return NULL;
	return !value->regex || regex_match(value->regex, text) ? end_of(text) : NULL;
}

static NOINLINE const uint8_t *scalar_take(struct checker *checker, const struct plan_value *value,
					   struct bytes from, union schema_value *ret)
{
	enum schema_type type = value->field->type;
	struct wire wire = wire_of(from);

	*ret = scalar_read(&wire, type);
	if (wire.failed)
		return NULL;
	if ((value->skip_zero || value->refuse_zero) && scalar_is_zero(type, *ret))
		return value->refuse_zero ? NULL : wire.at;
	return !value->rules || others_hold(checker, value, *ret) ? wire.at : NULL;
}

static inline const uint8_t *inner_take(struct checker *checker, const struct plan_value *value,
					struct bytes bytes, uint32_t room)
{
	if (room == 0)
		return NULL;
	if (value->rules && !(value->skip_zero && bytes.size == 0) &&
	    !others_hold(checker, value, (union schema_value){.bytes = bytes}))
		return NULL;
	return message_take(checker, value->message, bytes, room - 1);
}

/* room: how deep messages may yet nest. */
static ALWAYS_INLINE const uint8_t *value_take(struct checker *checker,
					       const struct plan_value *value, struct bytes from,
					       uint32_t room)
{
	const uint8_t *at = from.data, *end = end_of(from);
	union schema_value number;
	struct bytes run;

	switch (value->kind) {
	case PLAN_VARINT:
		return varint_take(at, end);
	case PLAN_FIXED32:
		return fixed_take(at, end, 4);
	case PLAN_FIXED64:
		return fixed_take(at, end, 8);
	case PLAN_FINITE:
		at = fixed_take(at, end, 4);
		return at && (load_u32(at - 4) & FLOAT_EXPONENT) != FLOAT_EXPONENT ? at : NULL;
	case PLAN_SCALAR:
		return scalar_take(checker, value, from, &number);
	case PLAN_TEXT:
	case PLAN_BYTES:
		return run_take(at, end, &run) ? text_take(checker, value, run) : NULL;
	case PLAN_MESSAGE:
		return run_take(at, end, &run) ? inner_take(checker, value, run, room) : NULL;
	case PLAN_NONE:
		break;
	}
	return NULL;
}

/* --- lists --- */

/* Behind a tag that comes again; NULL: it does not, or is long, as if another field began. */
static inline const uint8_t *tag_again(const uint8_t *at, const uint8_t *end, uint32_t tag)
{
	size_t left = (size_t)(end - at);

	if (tag < 0x80)
		return left > 0 && at[0] == tag ? at + 1 : NULL;
	return left > 1 && tag < 0x4000 && at[0] == (uint8_t)(tag | 0x80) && at[1] == tag >> 7
		       ? at + 2
		       : NULL;
}

/* Whether texts that follow one another, each behind the tag, differ. */
static bool texts_differ(const uint8_t *at, const uint8_t *end, uint32_t tag, uint64_t n)
{
	struct bytes items[ITEMS_COMPARED_MAX];

	if (n > ITEMS_COMPARED_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (i > 0)
			at = tag_again(at, end, tag);
		at = at ? run_take(at, end, &items[i]) : NULL;
		if (!at)
			return false;
		for (uint64_t j = 0; j < i; j++)
			if (bytes_equal(items[i], items[j]))
				return false;
	}
	return true;
}

/* Of n items from at on. */
static bool items_differ(struct checker *checker, const struct plan_field *field, uint32_t tag,
			 struct bytes from, uint64_t n)
{
	if (n < 2)
		return true;
	if (checker->limits->unique_items && n > checker->limits->unique_items)
		return false;
	return tag == field->tag &&
	       (field->value.kind == PLAN_TEXT || field->value.kind == PLAN_BYTES) &&
	       texts_differ(from.data, from.data + from.size, tag, n);
}

/* How many items a packed run has; 0: it is not sound, or there are none. */
static uint64_t packed_count(struct checker *checker, const struct plan_value *value,
			     struct bytes packed)
{
	const uint8_t *at = packed.data, *end = packed.data + packed.size;
	uint64_t n = 0;

	if (value->kind == PLAN_FINITE || value->kind == PLAN_FIXED32) {
		n = packed.size / 4;
		if (packed.size % 4 != 0 ||
		    (value->kind == PLAN_FINITE && floats_finite(packed) != n))
			return 0;
		return n;
	}
	for (; at < end; n++) {
		at = value_take(checker, value, bytes_between(at, end), 0);
		if (!at)
			return 0;
	}
	return n;
}

static const uint8_t *list_take(struct checker *checker, const struct plan_field *field,
				uint32_t tag, struct bytes from, uint32_t room)
{
	const uint8_t *at = NULL, *next = from.data, *end = from.data + from.size;
	struct bytes packed;
	uint64_t n = 0;

	if (tag == field->packed_tag) {
		at = run_take(next, end, &packed);
		n = at ? packed_count(checker, &field->value, packed) : 0;
		if (n == 0)
			return NULL;
	} else {
		for (; next; next = tag_again(at, end, tag), n++) {
			at = value_take(checker, &field->value, bytes_between(next, end), room);
			if (!at)
				return NULL;
		}
	}
	if (n < field->min_items || n > field->max_items ||
	    (field->unique && !items_differ(checker, field, tag, from, n)))
		return NULL;
	return at;
}

/* --- maps --- */

/* Different ones are of different keys; the same may be of different keys, too. */
static inline uint32_t mark_of(const struct plan_value *value, union schema_value key)
{
	struct bytes text = key.bytes;

	if (value->kind != PLAN_TEXT)
		return 0;
	if (text.size == 0)
		return 0;
	return (uint32_t)(text.size & 0xFF) | (uint32_t)text.data[0] << 8 |
	       (uint32_t)text.data[text.size / 2] << 16 | (uint32_t)text.data[text.size - 1] << 24;
}

/* The keys of a map so far. */
struct keys {
	uint32_t marks[KEYS_MAX];
	union schema_value keys[KEYS_MAX];
	uint32_t n;
};

/* False: it is there, or there are too many. */
static inline bool key_add(struct keys *keys, const struct plan_value *value,
			   union schema_value key)
{
	uint32_t mark = mark_of(value, key);

	if (keys->n == KEYS_MAX)
		return false;
	for (uint32_t i = 0; i < keys->n; i++)
		if (keys->marks[i] == mark &&
		    scalar_compare(value->field->type, keys->keys[i], key) == 0)
			return false;
	keys->marks[keys->n] = mark;
	keys->keys[keys->n++] = key;
	return true;
}

static inline const uint8_t *key_take(struct checker *checker, const struct plan_value *value,
				      struct bytes from, union schema_value *ret)
{
	struct bytes run;

	if (value->kind != PLAN_TEXT)
		return scalar_take(checker, value, from, ret);
	if (!run_take(from.data, end_of(from), &run))
		return NULL;
	ret->bytes = run;
	return text_take(checker, value, run);
}

/* An entry as encoders write it: the key, then the value. */
static inline bool entry_is_sound(struct checker *checker, const struct plan_field *field,
				  struct bytes entry, uint32_t room, struct keys *keys)
{
	const uint8_t *at = entry.data, *end = end_of(entry);
	union schema_value key;

	if (entry.size == 0 || *at != field->key->tag)
		return false;
	at = key_take(checker, field->key, bytes_between(at + 1, end), &key);
	if (!at || !key_add(keys, field->key, key) || at == end || *at != field->value.tag)
		return false;
	return value_take(checker, &field->value, bytes_between(at + 1, end), room) == end;
}

static const uint8_t *map_take(struct checker *checker, const struct plan_field *field,
			       uint32_t tag, struct bytes from, uint32_t room)
{
	const uint8_t *at = NULL, *next = from.data, *end = from.data + from.size;
	uint32_t limit = checker->limits->map_entries;
	struct bytes entry;
	struct keys keys;

	keys.n = 0;
	for (; next; next = tag_again(at, end, tag)) {
		at = run_take(next, end, &entry);
		if (!at || !entry_is_sound(checker, field, entry, room, &keys))
			return NULL;
	}
	if (keys.n < field->min_items || keys.n > field->max_items ||
	    (limit != 0 && keys.n > limit))
		return NULL;
	return at;
}

/* --- messages --- */

/* The field of a tag of more than a byte. */
static NOINLINE const uint8_t *long_tag_take(const struct schema_message *message,
					     const uint8_t *at, const uint8_t *end,
					     const struct plan_field **ret, uint32_t *ret_tag)
{
	struct wire wire = {at, end, NULL};
	struct wire_tag tag = wire_tag(&wire);
	const struct schema_field *known =
		wire.failed ? NULL : schema_field_by_number(message, tag.number);

	if (!known)
		return NULL;
	*ret = &message->plan->fields[known->index];
	*ret_tag = tag.number << 3 | (uint32_t)tag.type;
	return *ret_tag == (*ret)->tag || *ret_tag == (*ret)->packed_tag ? wire.at : NULL;
}

/* The field that begins; NULL: none that is known, or not with this wire type. */
static inline const uint8_t *tag_take(const struct schema_message *message, const uint8_t *at,
				      const uint8_t *end, const struct plan_field **ret,
				      uint32_t *ret_tag)
{
	const struct message_plan *plan = message->plan;

	*ret_tag = *at;
	if (*at >= 0x80)
		return long_tag_take(message, at, end, ret, ret_tag);
	if (plan->by_tag[*at] == 0)
		return NULL;
	*ret = &plan->fields[plan->by_tag[*at] - 1];
	return at + 1;
}

static bool choices_hold(const struct message_plan *plan, uint64_t seen)
{
	for (size_t i = 0; i < plan->n_choices; i++) {
		uint64_t chosen = seen & plan->choices[i].fields;

		if ((chosen & (chosen - 1)) != 0 || (chosen == 0 && plan->choices[i].required))
			return false;
	}
	return true;
}

static const uint8_t *message_take(struct checker *checker, const struct schema_message *message,
				   struct bytes bytes, uint32_t room)
{
	const struct message_plan *plan = message->plan;
	const uint8_t *at = bytes.data, *end = end_of(bytes);
	uint64_t seen = 0;

	if (!plan)
		return NULL;
	while (at < end) {
		const struct plan_field *field = NULL;
		struct bytes left;
		uint32_t tag;

		at = tag_take(message, at, end, &field, &tag);
		if (!at || (seen & field->excludes) != 0)
			return NULL;
		seen |= field->bit;
		left = bytes_between(at, end);
		if (!field->repeated)
			at = value_take(checker, &field->value, left, room);
		else if (field->key)
			at = map_take(checker, field, tag, left, room);
		else
			at = list_take(checker, field, tag, left, room);
		if (!at)
			return NULL;
	}
	return (plan->wanted & ~seen) == 0 && choices_hold(plan, seen) ? end : NULL;
}

bool quick_is_sound(struct checker *checker, const struct schema_message *message,
		    struct bytes bytes, uint32_t depth)
{
	if (bytes.size >= checker->quick_bytes)
		return false;
	/* NULL would be an answer. */
	if (!bytes.data)
		bytes = bytes_of_string("");
	if (message_take(checker, message, bytes, checker->limits->depth - depth))
		return true;
	checker->quick_bytes -= bytes.size;
	return false;
}
