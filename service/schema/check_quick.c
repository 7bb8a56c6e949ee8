/* check_quick - whether a message is in order, told in one pass by its plan.
 *
 * An optimisation that cannot change an answer: most messages break nothing and are written as every
 * encoder writes them, each field once, the items of a list one after another, a map's entries as a key
 * and a value. Of those this says yes. Of all else it says no, which means nothing: the walk (check.c)
 * then looks for itself, and is the only one to report and to fail. Nothing is allocated or kept.
 */
#include "service/schema/check_lanes.h"
#include "service/schema/check_walk.h"

/* Longer lists and maps are the walk's to compare. */
#define ITEMS_COMPARED_MAX 16
#define KEYS_MAX 64

/* What is left of a message. */
struct cursor {
	const uint8_t *at, *end;
};

static inline struct cursor cursor_of(struct bytes bytes)
{
	return (struct cursor){bytes.data, bytes.data ? bytes.data + bytes.size : NULL};
}

/* --- off the wire --- */

static bool long_varint_take(struct cursor *cursor, uint64_t *ret)
{
	struct wire wire = {cursor->at, cursor->end, NULL};

	*ret = wire_varint(&wire);
	cursor->at = wire.at;
	return !wire.failed;
}

static bool long_run_take(struct cursor *cursor, struct bytes *ret)
{
	struct wire wire = {cursor->at, cursor->end, NULL};

	*ret = wire_length_delimited(&wire);
	cursor->at = wire.at;
	return !wire.failed;
}

static inline bool varint_take(struct cursor *cursor, uint64_t *ret)
{
	if (cursor->at == cursor->end || *cursor->at >= 0x80)
		return long_varint_take(cursor, ret);
	*ret = *cursor->at++;
	return true;
}

static inline bool run_take(struct cursor *cursor, struct bytes *ret)
{
	size_t left = (size_t)(cursor->end - cursor->at), size, head = 1;

	if (left < 2)
		return long_run_take(cursor, ret);
	size = cursor->at[0];
	if (size >= 0x80) {
		if (cursor->at[1] >= 0x80)
			return long_run_take(cursor, ret);
		size = (size & 0x7F) | (size_t)cursor->at[1] << 7;
		head = 2;
	}
	if (size > left - head)
		return false;
	*ret = bytes_of(cursor->at + head, size);
	cursor->at += head + size;
	return true;
}

static inline bool fixed_take(struct cursor *cursor, size_t size)
{
	if ((size_t)(cursor->end - cursor->at) < size)
		return false;
	cursor->at += size;
	return true;
}

/* --- values --- */

static bool message_is_sound(struct checker *checker, const struct schema_message *message,
			     struct bytes bytes, uint32_t room);

static bool is_string(struct checker *checker, const struct plan_value *value, struct bytes text)
{
	if (value->field->verify_utf8 && !bytes_is_utf8(text))
		return false;
	return !checker->limits->refuse_nul || !memchr(text.data, 0, text.size);
}

static bool text_is_sound(struct checker *checker, const struct plan_value *value,
			  struct bytes text)
{
	const struct check_value whole = {value->field, {.bytes = text}};

	if (value->kind == PLAN_TEXT && !text_is_plain(text) && !is_string(checker, value, text))
		return false;
	if (text.size == 0 && (value->skip_zero || value->refuse_zero))
		return !value->refuse_zero;
	if (text.size < value->min_bytes || text.size > value->max_bytes)
		return false;
	if (value->regex && !regex_match(value->regex, text))
		return false;
	return !value->rules || rules_are_kept(checker, &whole, value->rules);
}

static bool scalar_is_sound(struct checker *checker, const struct plan_value *value,
			    struct cursor *cursor, union schema_value *ret)
{
	struct wire wire = {cursor->at, cursor->end, NULL};
	const struct check_value whole = {value->field, scalar_read(&wire, value->field->type)};

	if (wire.failed)
		return false;
	cursor->at = wire.at;
	*ret = whole.value;
	if ((value->skip_zero || value->refuse_zero) &&
	    scalar_is_zero(value->field->type, whole.value))
		return !value->refuse_zero;
	return !value->rules || rules_are_kept(checker, &whole, value->rules);
}

static bool inner_is_sound(struct checker *checker, const struct plan_value *value,
			   struct bytes bytes, uint32_t room)
{
	const struct check_value whole = {value->field, {.bytes = bytes}};

	if (room == 0)
		return false;
	if (value->rules && !(value->skip_zero && bytes.size == 0) &&
	    !rules_are_kept(checker, &whole, value->rules))
		return false;
	return message_is_sound(checker, value->field->message, bytes, room - 1);
}

/* Takes a value and looks at it. room: how deep messages may yet nest. ret: of text and PLAN_SCALAR
 * the value, for a map's key; of others nothing. */
static inline bool value_is_sound(struct checker *checker, const struct plan_value *value,
				  struct cursor *cursor, uint32_t room, union schema_value *ret)
{
	uint64_t number;

	switch (value->kind) {
	case PLAN_VARINT:
		return varint_take(cursor, &number);
	case PLAN_FIXED32:
		return fixed_take(cursor, 4);
	case PLAN_FIXED64:
		return fixed_take(cursor, 8);
	case PLAN_FINITE:
		return fixed_take(cursor, 4) &&
		       (load_u32(cursor->at - 4) & FLOAT_EXPONENT) != FLOAT_EXPONENT;
	case PLAN_SCALAR:
		return scalar_is_sound(checker, value, cursor, ret);
	case PLAN_TEXT:
	case PLAN_BYTES:
		return run_take(cursor, &ret->bytes) && text_is_sound(checker, value, ret->bytes);
	case PLAN_MESSAGE:
		return run_take(cursor, &ret->bytes) &&
		       inner_is_sound(checker, value, ret->bytes, room);
	case PLAN_NONE:
		break;
	}
	return false;
}

/* --- lists --- */

/* Steps over a tag that comes again. Long ones are left, as if another field began. */
static inline bool tag_again(struct cursor *cursor, uint32_t tag)
{
	size_t left = (size_t)(cursor->end - cursor->at);

	if (tag < 0x80) {
		if (left == 0 || *cursor->at != tag)
			return false;
		cursor->at++;
		return true;
	}
	if (left < 2 || tag >= 0x4000 || cursor->at[0] != (uint8_t)(tag | 0x80) ||
	    cursor->at[1] != tag >> 7)
		return false;
	cursor->at += 2;
	return true;
}

/* Whether texts that follow one another, each behind the tag, differ. */
static bool texts_differ(struct cursor from, uint32_t tag, uint64_t n)
{
	struct bytes items[ITEMS_COMPARED_MAX];

	if (n > ITEMS_COMPARED_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!run_take(&from, &items[i]) || (i + 1 < n && !tag_again(&from, tag)))
			return false;
		for (uint64_t j = 0; j < i; j++)
			if (bytes_equal(items[i], items[j]))
				return false;
	}
	return true;
}

static bool items_differ(struct checker *checker, const struct plan_field *field,
			 struct cursor from, uint32_t tag, uint64_t n)
{
	if (n < 2)
		return true;
	if (checker->limits->unique_items && n > checker->limits->unique_items)
		return false;
	return tag == field->tag &&
	       (field->value.kind == PLAN_TEXT || field->value.kind == PLAN_BYTES) &&
	       texts_differ(from, tag, n);
}

/* The items of a packed run; 0: it is not sound, or there are none. */
static uint64_t packed_items(struct checker *checker, const struct plan_field *field,
			     struct cursor *cursor)
{
	struct bytes packed;
	union schema_value item;
	struct cursor inside;
	uint64_t n = 0;

	if (!run_take(cursor, &packed))
		return 0;
	if (field->value.kind == PLAN_FINITE || field->value.kind == PLAN_FIXED32) {
		if (packed.size % 4 != 0 ||
		    (field->value.kind == PLAN_FINITE && floats_finite(packed) != packed.size / 4))
			return 0;
		return packed.size / 4;
	}
	for (inside = cursor_of(packed); inside.at < inside.end; n++)
		if (!value_is_sound(checker, &field->value, &inside, 0, &item))
			return 0;
	return n;
}

static bool list_is_sound(struct checker *checker, const struct plan_field *field, uint32_t tag,
			  struct cursor *cursor, uint32_t room)
{
	const struct cursor from = *cursor;
	union schema_value item;
	uint64_t n = 0;

	if (tag == field->packed_tag) {
		n = packed_items(checker, field, cursor);
		if (n == 0)
			return false;
	} else {
		do {
			if (!value_is_sound(checker, &field->value, cursor, room, &item))
				return false;
			n++;
		} while (tag_again(cursor, tag));
	}
	return n >= field->min_items && n <= field->max_items &&
	       (!field->unique || items_differ(checker, field, from, tag, n));
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

static inline bool tag_take(struct cursor *cursor, uint32_t tag)
{
	return cursor->at < cursor->end && *cursor->at++ == tag;
}

static bool map_is_sound(struct checker *checker, const struct plan_field *field, uint32_t tag,
			 struct cursor *cursor, uint32_t room)
{
	uint32_t limit = checker->limits->map_entries;
	struct keys keys;

	keys.n = 0;
	do {
		union schema_value key, value;
		struct cursor entry;
		struct bytes bytes;

		if (!run_take(cursor, &bytes))
			return false;
		entry = cursor_of(bytes);
		if (!tag_take(&entry, field->key->tag) ||
		    !value_is_sound(checker, field->key, &entry, 0, &key) ||
		    !key_add(&keys, field->key, key) || !tag_take(&entry, field->value.tag) ||
		    !value_is_sound(checker, &field->value, &entry, room, &value) ||
		    entry.at != entry.end)
			return false;
	} while (tag_again(cursor, tag));
	return keys.n >= field->min_items && keys.n <= field->max_items &&
	       (limit == 0 || keys.n <= limit);
}

/* --- messages --- */

/* The field that begins; NULL: none that is known, or not with this wire type. */
static inline const struct plan_field *field_take(const struct schema_message *message,
						  struct cursor *cursor, uint32_t *ret_tag)
{
	const struct message_plan *plan = message->plan;
	const struct schema_field *known;
	const struct plan_field *field;
	struct wire wire = {cursor->at, cursor->end, NULL};
	struct wire_tag tag;
	uint8_t first = *cursor->at;

	if (first < 0x80) {
		cursor->at++;
		*ret_tag = first;
		return plan->by_tag[first] ? &plan->fields[plan->by_tag[first] - 1] : NULL;
	}
	tag = wire_tag(&wire);
	known = wire.failed ? NULL : schema_field_by_number(message, tag.number);
	if (!known)
		return NULL;
	cursor->at = wire.at;
	*ret_tag = tag.number << 3 | (uint32_t)tag.type;
	field = &plan->fields[known->index];
	return *ret_tag == field->tag || *ret_tag == field->packed_tag ? field : NULL;
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

static bool message_is_sound(struct checker *checker, const struct schema_message *message,
			     struct bytes bytes, uint32_t room)
{
	const struct message_plan *plan = message->plan;
	struct cursor cursor = cursor_of(bytes);
	union schema_value value;
	uint64_t seen = 0;

	if (!plan)
		return false;
	while (cursor.at < cursor.end) {
		uint32_t tag;
		const struct plan_field *field = field_take(message, &cursor, &tag);
		bool sound;

		if (!field || (seen & field->excludes) != 0)
			return false;
		seen |= field->bit;
		if (!field->repeated)
			sound = value_is_sound(checker, &field->value, &cursor, room, &value);
		else if (field->key)
			sound = map_is_sound(checker, field, tag, &cursor, room);
		else
			sound = list_is_sound(checker, field, tag, &cursor, room);
		if (!sound)
			return false;
	}
	return (plan->wanted & ~seen) == 0 && choices_hold(plan, seen);
}

bool quick_is_sound(struct checker *checker, const struct schema_message *message,
		    struct bytes bytes, uint32_t depth)
{
	if (bytes.size >= checker->quick_bytes)
		return false;
	if (message_is_sound(checker, message, bytes, checker->limits->depth - depth))
		return true;
	checker->quick_bytes -= bytes.size;
	return false;
}
