/* house - operations as calls of the index. */
#include "tests/faults/house.h"

#include "index/backup.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/waiter.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)32 << 20)

const struct plan house_plans[HOUSE_PLANS] = {
	{"floats", 120, SLUICE__V1__METRIC__METRIC_L2, SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT32, "", 80},
	{"factory", 400, SLUICE__V1__METRIC__METRIC_COSINE,
	 SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT16, "SQ8", 200},
	{"brief", 40, SLUICE__V1__METRIC__METRIC_L2, SLUICE__V1__INDEX_KIND__INDEX_KIND_UNSPECIFIED,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT32, "", 6},
};

void house_init(struct house *house, const char *directory)
{
	*house = (struct house){.directory = directory};
	arena_init(&house->arena, ARENA_BYTES);
	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &house->scanner)));
}

void house_finish(struct house *house)
{
	house_close(house);
	scanner_close(house->scanner);
	arena_finish(&house->arena);
}

status house_open(struct house *house)
{
	struct database_options options = {
		.directory = house->directory,
		.retention_ns = house->retention_ns,
		.seal_rows = house->seal_rows,
	};

	TRY(pool_open(2, "writer", &house->writers));
	options.writers = house->writers;
	return database_open(&options, &house->arena, &house->database);
}

void house_close(struct house *house)
{
	database_close(TAKE(house->database));
	pool_close(TAKE(house->writers));
}

void house_rest(struct house *house)
{
	arena_reset(&house->arena);
}

/* --- writes --- */

static void put_metadata(struct chunk *chunk, uint32_t id, uint32_t version, struct arena *arena)
{
	struct metadata *metadata = ARENA_ARRAY(arena, struct metadata, 2);
	const char *language = arena_printf(arena, "l%u", chunk_language(id, version));

	cr_assert(metadata && language);
	metadata[0] = (struct metadata){
		.key = bytes_of_string("lang"),
		.value = {.kind = VALUE_STRING, .string = bytes_of_string(language)},
	};
	metadata[1] = (struct metadata){
		.key = bytes_of_string("version"),
		.value = {.kind = VALUE_INT, .integer = version},
	};
	chunk->metadata = metadata;
	chunk->n_metadata = 2;
}

static void make_chunk(struct chunk *chunk, uint32_t id, uint32_t version, struct arena *arena)
{
	const char *text = arena_printf(arena, "chunk %u as operation %u left it%*s", id, version,
					(int)chunk_padding(id, version), "");
	const char *name = arena_printf(arena, "c%u", id);
	const char *document = arena_printf(arena, "d%u", id / DOCUMENT_CHUNKS);

	cr_assert(text && name && document);
	*chunk = (struct chunk){
		.id = bytes_of_string(name),
		.document_id = bytes_of_string(document),
		.text = bytes_of_string(text),
		.ordinal = id % DOCUMENT_CHUNKS,
		.vector = ARENA_ARRAY(arena, float, DIM),
	};
	chunk_vector(id, version, chunk->vector);
	put_metadata(chunk, id, version, arena);
}

static void make_filter(struct errand *errand, uint32_t language)
{
	const char *text = arena_printf(&errand->arena, "l%u", language);

	errand->value = (struct value){.kind = VALUE_STRING, .string = bytes_of_string(text)};
	errand->condition = (struct condition){
		.field = 0,
		.test = CONDITION_ANY_OF_VALUES,
		.values = &errand->value,
		.n_values = 1,
	};
	errand->filter = (struct filter){.all_of = &errand->condition, .n_all_of = 1};
	errand->write.filter = &errand->filter;
}

static void make_ids(struct errand *errand, const struct op *op)
{
	struct bytes *ids = ARENA_ARRAY(&errand->arena, struct bytes, op->n);

	cr_assert_not_null(ids);
	for (size_t i = 0; i < op->n; i++)
		ids[i] = bytes_of_string(arena_printf(&errand->arena, "c%u", op->ids[i]));
	errand->write.ids = ids;
}

static void answered(struct write *write)
{
	struct errand *errand = (struct errand *)write;

	if (errand->told)
		errand->told(errand);
	sem_post(&errand->answered);
}

void errand_make(struct errand *errand, const struct op *op)
{
	*errand = (struct errand){.write = {.n = op->n, .done = answered}};
	arena_init(&errand->arena, ARENA_BYTES);
	sem_init(&errand->answered, 0, 0);
	errand->write.arena = &errand->arena;
	switch (op->kind) {
	case OP_UPSERT:
		errand->write.kind = WRITE_UPSERT;
		errand->write.chunks = ARENA_ARRAY(&errand->arena, struct chunk, op->n);
		cr_assert_not_null(errand->write.chunks);
		for (size_t i = 0; i < op->n; i++)
			make_chunk(&errand->write.chunks[i], op->ids[i], op->version,
				   &errand->arena);
		return;
	case OP_DELETE:
		errand->write.kind = WRITE_DELETE;
		make_ids(errand, op);
		return;
	case OP_DELETE_LANGUAGE:
		errand->write.kind = WRITE_DELETE_MATCHING;
		make_filter(errand, op->language);
		return;
	case OP_CREATE:
	case OP_DROP:
		cr_assert_fail("no write");
	}
}

void errand_finish(struct errand *errand)
{
	sem_destroy(&errand->answered);
	arena_finish(&errand->arena);
}

status errand_send(struct errand *errand, struct house *house, const struct plan *plan)
{
	SCOPED(collection) collection = NULL;

	TRY(database_acquire(house->database, bytes_of_string(plan->name), &errand->arena,
			     &collection));
	if (errand->write.kind == WRITE_UPSERT)
		TRY(collection_prepare_upsert(collection, errand->write.chunks, errand->write.n,
					      &errand->arena));
	errand->collection = TAKE(collection);
	collection_write(errand->collection, &errand->write);
	return status_ok();
}

status errand_await(struct errand *errand)
{
	while (sem_wait(&errand->answered))
		;
	collection_release(TAKE(errand->collection));
	return errand->write.result;
}

/* --- collections --- */

status house_create(struct house *house, const struct plan *plan)
{
	struct collection_config config = {
		.dim = DIM,
		.metric = (enum metric)plan->metric,
		.index_kind = (enum index_kind)plan->kind,
		.encoding = (enum vector_encoding)plan->encoding,
		.n_fields = 2,
		.fields = {{"lang", VALUE_STRING, false}, {"version", VALUE_INT, false}},
	};

	snprintf(config.name, sizeof config.name, "%s", plan->name);
	snprintf(config.faiss_factory, sizeof config.faiss_factory, "%s", plan->factory);
	return database_create(house->database, &config, &house->arena);
}

status house_drop(struct house *house, const struct plan *plan)
{
	return database_drop(house->database, bytes_of_string(plan->name), &house->arena);
}

/* The detail is the house's, behind the waiter's end. */
status house_optimize(struct house *house, const struct plan *plan)
{
	SCOPED(collection) collection = NULL;
	struct waiter waiter;
	enum status_code code;

	TRY(database_acquire(house->database, bytes_of_string(plan->name), &house->arena,
			     &collection));
	waiter_begin(&waiter, collection);
	code = waiter_end(&waiter);
	return code == STATUS_OK ? status_ok() : status_make(code, "the run failed");
}

/* --- snapshots --- */

struct keeping {
	struct backup_making making; /* first */
	sem_t done;
};

static void kept(struct backup_making *making)
{
	sem_post(&((struct keeping *)making)->done);
}

status house_keep(struct house *house, const struct plan *plan)
{
	SCOPED(collection) collection = NULL;
	struct deadline deadline;
	struct keeping keeping = {.making = {.done = kept, .version = "test"}};

	TRY(database_acquire(house->database, bytes_of_string(plan->name), &house->arena,
			     &collection));
	deadline_init(&deadline, DEADLINE_NEVER);
	sem_init(&keeping.done, 0, 0);
	keeping.making.database = house->database;
	keeping.making.collection = collection;
	keeping.making.deadline = &deadline;
	keeping.making.arena = &house->arena;
	backup_make(&keeping.making);
	while (sem_wait(&keeping.done))
		;
	sem_destroy(&keeping.done);
	return keeping.making.result;
}

static status find_last(struct house *house, const struct plan *plan, size_t *ret_n,
			struct backup *ret)
{
	struct backup *all = NULL;
	size_t n = 0;

	*ret_n = 0;
	TRY(backup_list(house->database, &house->arena, &all, &n));
	for (size_t i = 0; i < n; i++) {
		if (strcmp(all[i].collection, plan->name) != 0)
			continue;
		if (all[i].damage)
			return status_make(STATUS_DATA_LOSS, all[i].damage);
		*ret = all[i];
		++*ret_n;
	}
	return status_ok();
}

status house_kept(struct house *house, const struct plan *plan, size_t *ret_n,
		  const char **ret_last)
{
	struct backup last, found;

	TRY(find_last(house, plan, ret_n, &last));
	if (!ret_last || *ret_n == 0)
		return status_ok();
	return backup_find(house->database, bytes_of_string(plan->name), bytes_of_string(last.id),
			   &house->arena, &found, ret_last);
}

status house_unkeep(struct house *house, const struct plan *plan)
{
	struct backup last;
	size_t n = 0;

	TRY(find_last(house, plan, &n, &last));
	if (n == 0)
		return status_ok();
	return backup_remove(house->database, bytes_of_string(plan->name), bytes_of_string(last.id),
			     &house->arena);
}

status house_restore(struct house *house, const struct plan *plan, const char *directory)
{
	struct backup_restored restored;
	const char *last = NULL;
	size_t n = 0;

	TRY(house_kept(house, plan, &n, &last));
	if (!last)
		return status_make(STATUS_NOT_FOUND, "there is no snapshot");
	return backup_restore(last, directory, &house->arena, &restored);
}
