/* faiss_calls - in the place of FAISS's functions. Their types are those of its headers, less the names. */
#include "tests/index/ann/faiss_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct faiss_calls faiss_calls;

const char *faiss_call_name(enum faiss_call call)
{
	static const char *const names[FAISS_CALLS] = {
		[FAISS_TRAIN] = "train",     [FAISS_TRAIN_TRANSFORM] = "train transform",
		[FAISS_CLUSTER] = "cluster", [FAISS_APPLY] = "apply transform",
		[FAISS_ASSIGN] = "assign",   [FAISS_RESIDUALS] = "residuals",
		[FAISS_ADD] = "add",         [FAISS_SEARCH] = "search",
		[FAISS_READ] = "read",       [FAISS_WRITE] = "write",
	};

	return names[call];
}

void faiss_calls_reset(void)
{
	memset(&faiss_calls, 0, sizeof faiss_calls);
}

static int64_t processor_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t begin(void)
{
	faiss_calls.n++;
	if (faiss_calls.cancel && faiss_calls.n == faiss_calls.cancel_at)
		deadline_cancel(faiss_calls.cancel);
	return processor_ns();
}

static void end(enum faiss_call call, int64_t began, int64_t rows)
{
	int64_t took = processor_ns() - began;

	faiss_calls.counts[call]++;
	faiss_calls.total_ns[call] += took;
	if (took > faiss_calls.longest_ns[call])
		faiss_calls.longest_ns[call] = took;
	if ((uint64_t)rows > faiss_calls.most_rows[call])
		faiss_calls.most_rows[call] = (uint64_t)rows;
}

#define REAL(name, ...) int __real_faiss_##name(__VA_ARGS__)
#define WRAP(name, ...)                                                                            \
	int __wrap_faiss_##name(__VA_ARGS__);                                                      \
	int __wrap_faiss_##name(__VA_ARGS__)

REAL(Index_train, void *index, int64_t n, const float *rows);
WRAP(Index_train, void *index, int64_t n, const float *rows)
{
	int64_t began = begin();
	int failed = __real_faiss_Index_train(index, n, rows);

	end(FAISS_TRAIN, began, n);
	return failed;
}

REAL(VectorTransform_train, void *transform, int64_t n, const float *rows);
WRAP(VectorTransform_train, void *transform, int64_t n, const float *rows)
{
	int64_t began = begin();
	int failed = __real_faiss_VectorTransform_train(transform, n, rows);

	end(FAISS_TRAIN_TRANSFORM, began, n);
	return failed;
}

void __real_faiss_VectorTransform_apply_noalloc(const void *transform, int64_t n, const float *rows,
						float *ret);
void __wrap_faiss_VectorTransform_apply_noalloc(const void *transform, int64_t n, const float *rows,
						float *ret);
void __wrap_faiss_VectorTransform_apply_noalloc(const void *transform, int64_t n, const float *rows,
						float *ret)
{
	int64_t began = begin();

	__real_faiss_VectorTransform_apply_noalloc(transform, n, rows, ret);
	end(FAISS_APPLY, began, n);
}

REAL(Clustering_train, void *clustering, int64_t n, const float *rows, void *index);
WRAP(Clustering_train, void *clustering, int64_t n, const float *rows, void *index)
{
	int64_t began = begin();
	int failed = __real_faiss_Clustering_train(clustering, n, rows, index);

	end(FAISS_CLUSTER, began, n);
	return failed;
}

REAL(Index_assign, void *index, int64_t n, const float *rows, int64_t *labels, int64_t k);
WRAP(Index_assign, void *index, int64_t n, const float *rows, int64_t *labels, int64_t k)
{
	int64_t began = begin();
	int failed = __real_faiss_Index_assign(index, n, rows, labels, k);

	end(FAISS_ASSIGN, began, n);
	return failed;
}

REAL(Index_compute_residual_n, const void *index, int64_t n, const float *rows, float *ret,
     const int64_t *labels);
WRAP(Index_compute_residual_n, const void *index, int64_t n, const float *rows, float *ret,
     const int64_t *labels)
{
	int64_t began = begin();
	int failed = __real_faiss_Index_compute_residual_n(index, n, rows, ret, labels);

	end(FAISS_RESIDUALS, began, n);
	return failed;
}

REAL(Index_add, void *index, int64_t n, const float *rows);
WRAP(Index_add, void *index, int64_t n, const float *rows)
{
	int64_t began = begin();
	int failed = __real_faiss_Index_add(index, n, rows);

	end(FAISS_ADD, began, n);
	return failed;
}

REAL(Index_search, const void *index, int64_t n, const float *rows, int64_t k, float *distances,
     int64_t *labels);
WRAP(Index_search, const void *index, int64_t n, const float *rows, int64_t k, float *distances,
     int64_t *labels)
{
	int64_t began = begin();
	int failed = __real_faiss_Index_search(index, n, rows, k, distances, labels);

	end(FAISS_SEARCH, began, n);
	return failed;
}

REAL(read_index, FILE *file, int flags, void **ret);
WRAP(read_index, FILE *file, int flags, void **ret)
{
	int64_t began = begin();
	int failed = __real_faiss_read_index(file, flags, ret);

	end(FAISS_READ, began, 0);
	return failed;
}

int64_t faiss_Index_ntotal(const void *index);

REAL(write_index, const void *index, FILE *file);
WRAP(write_index, const void *index, FILE *file)
{
	int64_t began;
	int failed;

	if (faiss_calls.writes && faiss_Index_ntotal(index) > 0)
		faiss_calls.writes(faiss_calls.context, index);
	began = begin();
	failed = __real_faiss_write_index(index, file);
	end(FAISS_WRITE, began, 0);
	return failed;
}

int faiss_ParameterSpace_new(void **ret);
int faiss_ParameterSpace_set_index_parameter(const void *space, void *index, const char *name,
					     double value);
void faiss_ParameterSpace_free(void *space);

bool faiss_calls_set(const void *index, const char *name, double value)
{
	void *space = NULL;
	int failed;

	if (faiss_ParameterSpace_new(&space))
		abort();
	failed = faiss_ParameterSpace_set_index_parameter(space, (void *)(uintptr_t)index, name,
							  value);
	faiss_ParameterSpace_free(space);
	return !failed;
}

void faiss_calls_search(const void *index, const float *query, int64_t k, int64_t *ret)
{
	float *distances = malloc(sizeof *distances * (size_t)k);

	if (!distances || __real_faiss_Index_search(index, 1, query, k, distances, ret))
		abort();
	free(distances);
}
