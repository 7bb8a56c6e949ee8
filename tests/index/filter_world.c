/* filter_world - drawn from small sets of values, so that conditions meet something. */
#include "tests/index/filter_world.h"

#include "index/selection.h"

#include <float.h>
#include <string.h>

_Static_assert(LDBL_MANT_DIG >= 64, "the oracle compares numbers as long doubles");

#define ARENA_BYTES ((size_t)64 << 20)
#define N_OF(table) (sizeof(table) / sizeof *(table))

enum { TEXT, LONG_TEXT, COUNT, RATIO, FLAG, LABELS, RARE, N_FIELDS };

static const struct field_schema fields[N_FIELDS] = {
	[TEXT] = {"text", VALUE_STRING, false}, [LONG_TEXT] = {"long_text", VALUE_STRING, false},
	[COUNT] = {"count", VALUE_INT, false},  [RATIO] = {"ratio", VALUE_DOUBLE, false},
	[FLAG] = {"flag", VALUE_BOOL, false},   [LABELS] = {"labels", VALUE_STRING_LIST, false},
	[RARE] = {"rare", VALUE_STRING, false},
};

struct collection_config world_config(const char *name)
{
	struct collection_config config = fixture_config(name);

	config.dim = WORLD_DIM;
	config.n_fields = N_FIELDS;
	memcpy(config.fields, fields, sizeof fields);
	return config;
}

struct collection *world_collection(const char *name)
{
	struct collection_config config = world_config(name);

	return fixture_collection_of(&config);
}

/* --- values --- */

static const char *const texts[] = {"",  "a",     "ab", "abc", "abd", "b",
				    "B", "b\x7f", "ä",  "äb",  "zz",  "a b"};

static const int64_t integers[] = {
	0,
	1,
	-1,
	2,
	7,
	INT64_MIN,
	INT64_MIN + 1,
	INT64_MAX,
	INT64_MAX - 1,
	INT64_MAX - 1023,
	(INT64_C(1) << 53) - 1,
	INT64_C(1) << 53,
	(INT64_C(1) << 53) + 1,
	(INT64_C(1) << 53) + 2,
	-(INT64_C(1) << 53) - 1,
	INT64_C(1) << 62,
};

static const double doubles[] = {
	0.0,        -0.0,      1.0,           1.5,         -1.0,    7.0,      0x1p53,
	0x1p53 + 2, -0x1p53,   0x1p62,        0x1p63,      -0x1p63, 1e300,    -1e300,
	0.1,        0x1p-1074, 0x1p63 - 1024, -0x1p53 - 2, 2.0,     6.999999,
};

/* Strings around the lengths at which keys change, most with the same beginning. */
static struct bytes long_text(uint64_t *random, struct arena *arena)
{
	static const size_t sizes[] = {383, 384, 385, 399, 400, 401, 402, 410, 1000, 4096};
	size_t size = sizes[random_below(random, N_OF(sizes))];
	char *text = arena_alloc(arena, size + 1);

	memset(text, 'm', size);
	text[size] = '\0';
	if (random_below(random, 3) == 0)
		text[size - 1] = (char)('l' + random_below(random, 3));
	if (random_below(random, 4) == 0 && size > 390)
		text[386] = (char)('l' + random_below(random, 3));
	if (random_below(random, 8) == 0)
		text[5] = (char)('l' + random_below(random, 3));
	return bytes_of(text, size);
}

static struct bytes short_text(uint64_t *random)
{
	return bytes_of_string(texts[random_below(random, N_OF(texts))]);
}

static struct value draw_integer(uint64_t *random)
{
	return (struct value){.kind = VALUE_INT,
			      .integer = integers[random_below(random, N_OF(integers))]};
}

static struct value draw_double(uint64_t *random)
{
	return (struct value){.kind = VALUE_DOUBLE,
			      .number = doubles[random_below(random, N_OF(doubles))]};
}

static struct value draw_list(uint64_t *random, struct arena *arena)
{
	size_t n = random_below(random, 4);
	struct bytes *items = ARENA_ARRAY(arena, struct bytes, n);

	for (size_t i = 0; i < n; i++)
		items[i] = random_below(random, 6) ? short_text(random) : long_text(random, arena);
	return (struct value){.kind = VALUE_STRING_LIST, .list = {items, n}};
}

/* A value that the field may have: a double field has ints too. */
static struct value draw_value(size_t field, uint64_t *random, struct arena *arena)
{
	switch (field) {
	case TEXT:
	case RARE:
		return (struct value){.kind = VALUE_STRING, .string = short_text(random)};
	case LONG_TEXT:
		return (struct value){.kind = VALUE_STRING, .string = long_text(random, arena)};
	case COUNT:
		return draw_integer(random);
	case RATIO:
		return random_below(random, 3) ? draw_double(random) : draw_integer(random);
	case FLAG:
		return (struct value){.kind = VALUE_BOOL, .boolean = random_below(random, 2)};
	default:
		return draw_list(random, arena);
	}
}

/* --- writes --- */

static struct bytes document_id(uint64_t i, struct arena *arena)
{
	if (i % 9 == 0)
		return bytes_of_string("");
	if (i % 9 == 1)
		return bytes_of_string(arena_printf(arena, "%0450u/%lu", 9, (unsigned long)i % 2));
	return bytes_of_string(arena_printf(arena, "doc-%lu", (unsigned long)i % 5));
}

static int compare_metadata(const void *a, const void *b)
{
	return bytes_compare(((const struct metadata *)a)->key, ((const struct metadata *)b)->key);
}

static void draw_chunk(struct chunk *chunk, uint64_t i, uint64_t *random, struct arena *arena)
{
	struct metadata *metadata = ARENA_ARRAY(arena, struct metadata, N_FIELDS + 1);
	size_t n = 0;

	for (size_t field = 0; field < N_FIELDS; field++) {
		if (random_below(random, 10) < (field == RARE ? 9U : 2U))
			continue;
		metadata[n].key = bytes_of_string(fields[field].name);
		metadata[n++].value = draw_value(field, random, arena);
	}
	metadata[n].key = bytes_of_string("undeclared");
	metadata[n++].value = draw_list(random, arena);
	qsort(metadata, n, sizeof *metadata, compare_metadata);
	*chunk = (struct chunk){
		.id = bytes_of_string(arena_printf(arena, "id-%lu", (unsigned long)i)),
		.document_id = document_id(i, arena),
		.ordinal = (uint32_t)(i / 5),
		.text = bytes_of_string("text"),
		.metadata = metadata,
		.n_metadata = n,
		.vector = ARENA_ARRAY(arena, float, WORLD_DIM),
	};
	for (size_t at = 0; at < WORLD_DIM; at++)
		chunk->vector[at] = (float)random_below(random, 1000) / 500.0F - 1.0F;
}

struct chunk *world_chunks(struct arena *arena, uint64_t first, size_t n, uint64_t *random)
{
	struct chunk *chunks = ARENA_ARRAY(arena, struct chunk, n);

	for (size_t j = 0; j < n; j++)
		draw_chunk(&chunks[j], first + j, random, arena);
	return chunks;
}

void world_upsert(struct collection *collection, uint64_t *random, size_t n)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	uint64_t first = random_below(random, WORLD_IDS);
	struct chunk *chunks;

	arena_init(arena, ARENA_BYTES);
	chunks = ARENA_ARRAY(arena, struct chunk, n);
	for (size_t j = 0; j < n; j++)
		draw_chunk(&chunks[j], (first + j * 7) % WORLD_IDS, random, arena);
	fixture_write(
		collection,
		(struct write){.kind = WRITE_UPSERT, .chunks = chunks, .n = n, .arena = arena});
}

void world_delete(struct collection *collection, uint64_t *random, size_t n)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct bytes *ids;

	arena_init(arena, ARENA_BYTES);
	ids = ARENA_ARRAY(arena, struct bytes, n);
	for (size_t j = 0; j < n; j++)
		ids[j] = bytes_of_string(arena_printf(
			arena, "id-%lu", (unsigned long)random_below(random, WORLD_IDS)));
	fixture_write(collection,
		      (struct write){.kind = WRITE_DELETE, .ids = ids, .n = n, .arena = arena});
}

uint64_t world_delete_matching(struct collection *collection, const struct filter *filter)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;

	arena_init(arena, ARENA_BYTES);
	return fixture_write(
		collection,
		(struct write){.kind = WRITE_DELETE_MATCHING, .filter = filter, .arena = arena});
}

/* --- filters --- */

/* Of any kind but a list: most of the field's own. */
static struct value draw_operand(size_t field, uint64_t *random, struct arena *arena)
{
	size_t of = random_below(random, 8) ? field : random_below(random, N_FIELDS);
	struct value value = draw_value(of, random, arena);

	if (of == COUNT && random_below(random, 2))
		return draw_double(random);
	if (value.kind == VALUE_STRING_LIST)
		return (struct value){.kind = VALUE_STRING, .string = short_text(random)};
	return value;
}

static void draw_values(struct condition *condition, uint64_t *random, struct arena *arena)
{
	size_t n = 1 + random_below(random, 4);
	struct value *values = ARENA_ARRAY(arena, struct value, n);

	for (size_t i = 0; i < n; i++)
		values[i] = draw_operand(condition->field, random, arena);
	condition->test = CONDITION_ANY_OF_VALUES;
	condition->values = values;
	condition->n_values = n;
}

static void draw_range(struct condition *condition, uint64_t *random, struct arena *arena)
{
	struct value low, high;

	do {
		low = draw_operand(condition->field, random, arena);
	} while (low.kind == VALUE_BOOL);
	do {
		high = draw_operand(condition->field, random, arena);
	} while (high.kind == VALUE_BOOL ||
		 (high.kind == VALUE_STRING) != (low.kind == VALUE_STRING));
	condition->test = CONDITION_RANGE;
	condition->low = (struct bound){(enum bound_kind)random_below(random, 3), low};
	condition->high = (struct bound){(enum bound_kind)random_below(random, 3), high};
	if (condition->low.kind == BOUND_NONE && condition->high.kind == BOUND_NONE)
		condition->low.kind = BOUND_INCLUDED;
}

static struct bytes draw_prefix(size_t field, uint64_t *random, struct arena *arena)
{
	struct bytes text = field == LONG_TEXT ? long_text(random, arena) : short_text(random);

	if (text.size == 0)
		return bytes_of_string("a");
	text.size = 1 + random_below(random, text.size);
	return text;
}

static struct condition draw_condition(uint64_t *random, struct arena *arena)
{
	struct condition condition = {.field = random_below(random, N_FIELDS)};

	/* A range of bools is no condition, and one of them would draw for ever. */
	switch (random_below(random, condition.field == FLAG ? 3 : 5)) {
	case 0:
		condition.test = CONDITION_EXISTS;
		condition.absent = random_below(random, 2);
		break;
	case 1:
		condition.test = CONDITION_PREFIX;
		condition.prefix = draw_prefix(condition.field, random, arena);
		break;
	case 2:
		draw_values(&condition, random, arena);
		break;
	default:
		draw_range(&condition, random, arena);
	}
	return condition;
}

static const struct condition *draw_conditions(uint64_t *random, struct arena *arena, size_t n)
{
	struct condition *conditions = ARENA_ARRAY(arena, struct condition, n);

	for (size_t i = 0; i < n; i++)
		conditions[i] = draw_condition(random, arena);
	return conditions;
}

struct filter world_filter(uint64_t *random, struct arena *arena)
{
	struct filter filter = {0};

	if (random_below(random, 5) == 0) {
		size_t n = 1 + random_below(random, 3);
		struct bytes *ids = ARENA_ARRAY(arena, struct bytes, n);

		do {
			for (size_t i = 0; i < n; i++)
				ids[i] = document_id(random_below(random, 50), arena);
		} while (ids[0].size == 0 || ids[n - 1].size == 0 || ids[n / 2].size == 0);
		filter.document_ids = ids;
		filter.n_document_ids = n;
	}
	filter.n_all_of = random_below(random, 3);
	filter.all_of = draw_conditions(random, arena, filter.n_all_of);
	filter.has_any_of = random_below(random, 3) == 0;
	filter.n_any_of = filter.has_any_of ? 1 + random_below(random, 3) : 0;
	filter.any_of = draw_conditions(random, arena, filter.n_any_of);
	filter.n_none_of = random_below(random, 4) == 0;
	filter.none_of = draw_conditions(random, arena, filter.n_none_of);
	return filter;
}

/* --- the oracle --- */

static bool is_number(const struct value *value)
{
	return value->kind == VALUE_INT || value->kind == VALUE_DOUBLE;
}

static long double number_of(const struct value *value)
{
	return value->kind == VALUE_INT ? (long double)value->integer : (long double)value->number;
}

/* Three-way, of two strings or two numbers; false where they are of different sorts. */
static bool compare(const struct value *a, const struct value *b, int *ret)
{
	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
		*ret = strcmp((const char *)a->string.data, (const char *)b->string.data);
		return true;
	}
	if (!is_number(a) || !is_number(b))
		return false;
	*ret = (number_of(a) > number_of(b)) - (number_of(a) < number_of(b));
	return true;
}

static bool bound_holds(const struct bound *bound, const struct value *value, int sign)
{
	int order;

	if (bound->kind == BOUND_NONE)
		return true;
	if (!compare(value, &bound->value, &order))
		return false;
	return bound->kind == BOUND_INCLUDED ? order * sign >= 0 : order * sign > 0;
}

static bool equals(const struct value *a, const struct value *b)
{
	int order;

	if (a->kind == VALUE_BOOL && b->kind == VALUE_BOOL)
		return a->boolean == b->boolean;
	return compare(a, b, &order) && order == 0;
}

static bool single_passes(const struct condition *condition, const struct value *value)
{
	switch (condition->test) {
	case CONDITION_RANGE:
		return bound_holds(&condition->low, value, 1) &&
		       bound_holds(&condition->high, value, -1);
	case CONDITION_PREFIX:
		return value->kind == VALUE_STRING &&
		       strncmp((const char *)value->string.data,
			       (const char *)condition->prefix.data, condition->prefix.size) == 0;
	default:
		for (size_t i = 0; i < condition->n_values; i++)
			if (equals(value, &condition->values[i]))
				return true;
		return false;
	}
}

static const struct value *value_of(const struct chunk *chunk, size_t field)
{
	for (size_t i = 0; i < chunk->n_metadata; i++)
		if (strcmp((const char *)chunk->metadata[i].key.data, fields[field].name) == 0)
			return &chunk->metadata[i].value;
	return NULL;
}

static bool passes(const struct condition *condition, const struct chunk *chunk)
{
	const struct value *value = value_of(chunk, condition->field);

	if (condition->test == CONDITION_EXISTS)
		return condition->absent != (value != NULL);
	if (!value)
		return false;
	if (value->kind != VALUE_STRING_LIST)
		return single_passes(condition, value);
	for (size_t i = 0; i < value->list.n; i++) {
		struct value label = {.kind = VALUE_STRING, .string = value->list.items[i]};

		if (single_passes(condition, &label))
			return true;
	}
	return false;
}

static size_t count_passing(const struct condition *conditions, size_t n, const struct chunk *chunk)
{
	size_t passing = 0;

	for (size_t i = 0; i < n; i++)
		passing += passes(&conditions[i], chunk);
	return passing;
}

static bool filter_holds(const struct filter *filter, const struct chunk *chunk)
{
	bool of_document = filter->n_document_ids == 0;

	for (size_t i = 0; i < filter->n_document_ids; i++)
		of_document |= bytes_equal(filter->document_ids[i], chunk->document_id);
	return of_document &&
	       count_passing(filter->all_of, filter->n_all_of, chunk) == filter->n_all_of &&
	       (!filter->has_any_of ||
		count_passing(filter->any_of, filter->n_any_of, chunk) > 0) &&
	       count_passing(filter->none_of, filter->n_none_of, chunk) == 0;
}

uint64_t world_check(const struct snapshot *snapshot, const struct filter *filter)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(places) places = NULL;
	uint64_t n = 0;
	status s;

	arena_init(arena, ARENA_BYTES);
	s = selection_make(snapshot, filter, NULL, arena, &places);
	cr_assert_not(status_failed(s), "%s", s.detail);
	cr_assert_eq(places->n, snapshot_places(snapshot));
	for (uint64_t place = 0; place < places->n; place++) {
		bool want = false;
		struct chunk chunk;

		if (snapshot_visible(snapshot, place)) {
			arena_reset(arena);
			s = collection_fetch(snapshot_collection(snapshot),
					     snapshot_row(snapshot, place), FETCH_RECORD, arena,
					     &chunk);
			cr_assert_not(status_failed(s), "%s", s.detail);
			want = filter_holds(filter, &chunk);
		}
		cr_assert_eq(places_have(places, place), want, "place %lu", (unsigned long)place);
		n += want;
	}
	cr_assert_eq(places->count, n);
	return n;
}
