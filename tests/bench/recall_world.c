/* recall_world - see recall_world.h. */
#include "tests/bench/recall_world.h"

#include "kernels/base/log.h"
#include "kernels/cpu/scanner_cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)64 << 20)

void recall_must(const char *what, status s)
{
	if (!status_failed(s))
		return;
	fprintf(stderr, "recall: %s: %s: %s\n", what, status_code_name(s.code),
		s.detail ? s.detail : "");
	exit(1);
}

struct npy *recall_matrix_open(struct arena *arena, const char *path)
{
	struct npy *npy = NULL;

	recall_must(path, npy_open(arena, path, &npy));
	return npy;
}

static void make_collection(struct recall_world *world, uint32_t dim, const char *factory)
{
	struct collection_config config = {
		.name = RECALL_COLLECTION,
		.dim = dim,
		.metric = METRIC_COSINE,
	};

	if (factory) {
		config.index_kind = INDEX_FAISS;
		snprintf(config.faiss_factory, sizeof config.faiss_factory, "%s", factory);
	}
	recall_must("a new collection", database_create(world->database, &config, &world->arena));
}

void recall_world_open(struct recall_world *world, const char *directory, uint32_t dim,
		       uint64_t seal_rows, const char *factory)
{
	struct database_options options = {.directory = directory, .seal_rows = seal_rows};

	log_set_level(LOG_WARNING);
	memset(world, 0, sizeof *world);
	arena_init(&world->arena, ARENA_BYTES);
	recall_must("threads", pool_open(2, "writer", &world->writers));
	recall_must("a scanner", scanner_cpu_open(CPU_KERNEL_BEST, &world->scanner));
	options.writers = world->writers;
	options.scanner = options.scanner_cpu = world->scanner;
	recall_must(directory, database_open(&options, &world->arena, &world->database));
	if (dim)
		make_collection(world, dim, factory);
	recall_must(directory, database_acquire(world->database, bytes_of_string(RECALL_COLLECTION),
						&world->arena, &world->collection));
}

void recall_world_close(struct recall_world *world)
{
	collection_release(TAKE(world->collection));
	database_close(TAKE(world->database));
	scanner_close(TAKE(world->scanner));
	pool_close(TAKE(world->writers));
	arena_finish(&world->arena);
}
