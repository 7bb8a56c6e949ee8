/* recall_world - a data directory with one collection, opened as the server opens it, without one.
 * Whatever fails ends the program with a line that says what. */
#ifndef SLUICE_TESTS_BENCH_RECALL_WORLD_H
#define SLUICE_TESTS_BENCH_RECALL_WORLD_H

#include "index/database.h"
#include "index/snapshot.h"
#include "kernels/base/pool.h"
#include "service/cli/npy.h"

#define RECALL_COLLECTION "corpus"

struct recall_world {
	struct arena arena;
	struct pool *writers;
	struct scanner *scanner;
	struct database *database;
	struct collection *collection;
};

/* recall_must - ends the program unless s is OK. what  what was tried. */
void recall_must(const char *what, status s);

/* recall_matrix_open - a file of vectors, or of whole numbers. */
struct npy *recall_matrix_open(struct arena *arena, const char *path);

/* recall_world_open - directory  made where missing.
 * dim  0: the collection is there; otherwise it is made, with cosine and the default index, or with
 * FAISS's if factory is not NULL. seal_rows  of a head; 0: nothing is sealed. */
void recall_world_open(struct recall_world *world, const char *directory, uint32_t dim,
		       uint64_t seal_rows, const char *factory);
void recall_world_close(struct recall_world *world);

/* recall_build - fills a new directory from a file of vectors, waits until every row is sealed and
 * indexed, and prints one line of JSON. seal_rows, factory  as for recall_world_open; not 0. */
void recall_build(const char *directory, const char *vectors, uint64_t seal_rows,
		  const char *factory);

/* recall_serve - asks as the lines of standard input say, and answers each with a line of JSON; see
 * recall.c. */
void recall_serve(const char *directory, const char *queries, const char *truth);

#endif
