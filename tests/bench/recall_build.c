/* recall_build - vectors through the door that the server uses: one writer, commits with fsync, sealed
 * in the background. What is timed is all of it, from the first write to the last file.
 */
#include "index/optimize.h"
#include "kernels/base/deadline.h"
#include "tests/bench/cpu.h"
#include "tests/bench/recall_world.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH_ROWS 1000
#define BATCH_ARENA_BYTES ((size_t)512 << 20)

struct batch {
	struct write write; /* first */
	sem_t answered;
};

static void batch_answered(struct write *write)
{
	sem_post(&((struct batch *)write)->answered);
}

/* Row i has the number i, since it is written in its turn, and the id "i". */
static struct chunk *read_chunks(struct npy *vectors, uint64_t first, size_t n, struct arena *arena)
{
	uint32_t dim = npy_header_of(vectors)->columns;
	struct chunk *chunks = ARENA_ARRAY(arena, struct chunk, n);

	for (size_t i = 0; i < n && chunks; i++) {
		char *id = arena_printf(arena, "%llu", (unsigned long long)(first + i));

		chunks[i].vector = ARENA_ARRAY(arena, float, dim);
		if (!id || !chunks[i].vector)
			return NULL;
		chunks[i].id = chunks[i].document_id = bytes_of_string(id);
		recall_must("a row", npy_read_floats(vectors, first + i, chunks[i].vector));
	}
	return chunks;
}

static void write_batch(struct recall_world *world, struct npy *vectors, uint64_t first, size_t n)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct batch batch = {.write = {.kind = WRITE_UPSERT, .done = batch_answered, .n = n}};

	arena_init(arena, BATCH_ARENA_BYTES);
	batch.write.arena = arena;
	batch.write.chunks = read_chunks(vectors, first, n, arena);
	if (!batch.write.chunks)
		abort();
	recall_must("a batch",
		    collection_prepare_upsert(world->collection, batch.write.chunks, n, arena));
	sem_init(&batch.answered, 0, 0);
	collection_write(world->collection, &batch.write);
	while (sem_wait(&batch.answered))
		continue;
	sem_destroy(&batch.answered);
	recall_must("a batch", batch.write.result);
}

struct run {
	struct optimize optimize; /* first */
	sem_t ended;
};

static void run_tells(struct optimize *optimize)
{
	if (optimize->phase == OPTIMIZE_DONE)
		sem_post(&((struct run *)optimize)->ended);
}

/* As `sluice optimize`: until every row is in one segment that has its index. */
static void optimize_now(struct recall_world *world)
{
	struct run run = {.optimize = {.tell = run_tells, .arena = &world->arena}};

	sem_init(&run.ended, 0, 0);
	collection_optimize(world->collection, &run.optimize);
	while (sem_wait(&run.ended))
		continue;
	sem_destroy(&run.ended);
	recall_must("optimizing", run.optimize.result);
}

/* The most memory that this process has had. */
static uint64_t peak_bytes(void)
{
	unsigned long long kib = 0;
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "VmHWM: %llu kB", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kib * 1024;
}

void recall_build(const char *directory, const char *path, uint64_t seal_rows, const char *factory)
{
	struct recall_world world;
	struct collection_status built;
	struct arena arena;
	struct npy *vectors;
	uint64_t rows;
	int64_t start_ns, start_cpu_ns, written_cpu_ns;

	arena_init(&arena, (size_t)1 << 20);
	vectors = recall_matrix_open(&arena, path);
	rows = npy_header_of(vectors)->rows;
	recall_world_open(&world, directory, npy_header_of(vectors)->columns, seal_rows, factory);
	start_ns = clock_ns();
	start_cpu_ns = cpu_process_ns();
	for (uint64_t row = 0; row < rows; row += BATCH_ROWS)
		write_batch(&world, vectors, row,
			    rows - row < BATCH_ROWS ? (size_t)(rows - row) : BATCH_ROWS);
	written_cpu_ns = cpu_process_ns();
	optimize_now(&world);
	collection_status(world.collection, &built);

	printf("{\"rows\": %llu, \"cpu_s\": %.3f, \"write_cpu_s\": %.3f, \"wall_s\": %.3f, "
	       "\"peak_bytes\": %llu, \"disk_bytes\": %llu, \"segments\": %u, "
	       "\"indexed_rows\": %llu}\n",
	       (unsigned long long)rows, (double)(cpu_process_ns() - start_cpu_ns) * 1e-9,
	       (double)(written_cpu_ns - start_cpu_ns) * 1e-9,
	       (double)(clock_ns() - start_ns) * 1e-9, (unsigned long long)peak_bytes(),
	       (unsigned long long)built.disk_bytes, built.segment_count,
	       (unsigned long long)built.indexed_rows);
	recall_world_close(&world);
	npy_close(vectors);
	arena_finish(&arena);
}
