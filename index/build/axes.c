/* axes - PCA by FAISS, group by group, and what comes of it made orthonormal. */
#include "index/build/axes.h"

#include "index/build/orthonormal.h"
#include "index/build/pca.h"
#include "kernels/base/error_info.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What finding axes in more than one step needs. */
struct steps {
	float *columns; /* [n_rows][dim] owned: of a group, then of what was kept of all */
	float *kept;    /* [n_rows][AXES_AT_ONCE] owned */
};

static void steps_finish(struct steps *steps)
{
	free(steps->columns);
	free(steps->kept);
}

SCOPE_DEFINE(steps, steps_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to find axes"),
			 REASON_MEMORY_LIMIT);
}

static status axes_init(struct axes *axes, uint32_t n, uint32_t dim)
{
	*axes = (struct axes){.n = n, .dim = dim};
	axes->matrix = calloc((size_t)n * dim, sizeof *axes->matrix);
	axes->variances = calloc(n, sizeof *axes->variances);
	return axes->matrix && axes->variances ? status_ok() : no_memory();
}

void axes_finish(struct axes *axes)
{
	if (!axes)
		return;
	free(axes->matrix);
	free(axes->variances);
	*axes = (struct axes){0};
}

/* Rows whose coordinates are made together. */
#define ROWS_AT_ONCE 16

/* How much there is along each axis. */
static status measure(struct axes *axes, const float *rows, size_t n_rows)
{
	double *sums = calloc(axes->n, sizeof *sums);
	float *along = calloc((size_t)ROWS_AT_ONCE * axes->n, sizeof *along);

	for (size_t first = 0; sums && along && first < n_rows; first += ROWS_AT_ONCE) {
		size_t n = n_rows - first < ROWS_AT_ONCE ? n_rows - first : ROWS_AT_ONCE;

		axes_apply(axes->matrix, axes->n, axes->dim, rows + first * axes->dim, n, along);
		for (size_t i = 0; i < n * axes->n; i++)
			sums[i % axes->n] += (double)along[i] * (double)along[i];
	}
	for (size_t k = 0; sums && along && k < axes->n; k++)
		axes->variances[k] = (float)(sums[k] / (double)n_rows);
	free(along);
	free(sums);
	return sums && along ? status_ok() : no_memory();
}

/* All axes of rows of AXES_AT_ONCE dimensions at most, not measured. With fewer rows than dimensions,
 * or rows that are all alike, PCA does not say what the others are: the dimensions themselves will
 * do. */
static status find_at_once(const float *rows, size_t n_rows, uint32_t dim, struct arena *arena,
			   struct axes *ret)
{
	double *matrix = malloc(sizeof *matrix * dim * dim);
	status s = status_ok();
	bool good;

	if (!matrix)
		return no_memory();
	if (n_rows > dim)
		s = pca_find(rows, n_rows, dim, arena, matrix);
	good = n_rows > dim && !status_failed(s) && orthonormal_make(matrix, dim);
	for (size_t i = 0; i < (size_t)dim * dim; i++)
		ret->matrix[i] = good ? (float)matrix[i] : (float)(i / dim == i % dim);
	free(matrix);
	return s;
}

/* Some columns of the rows. */
static void columns_take(const float *rows, size_t n_rows, uint32_t dim, uint32_t first, uint32_t n,
			 float *ret)
{
	for (size_t i = 0; i < n_rows; i++)
		memcpy(ret + i * n, rows + i * dim + first, n * sizeof *ret);
}

/* Finds the axes of columns first .. first + n and keeps `keep` of them: as rows at of ret, and of the
 * rows what is along them in columns at of kept. */
struct group {
	uint32_t first, n, keep, at;
};

static status group_find(const struct group *group, const float *rows, size_t n_rows,
			 const struct steps *steps, struct arena *arena, struct axes *ret)
{
	SCOPED(axes) axes = &(struct axes){0};
	float along[AXES_AT_ONCE];

	TRY(axes_init(axes, group->n, group->n));
	columns_take(rows, n_rows, ret->dim, group->first, group->n, steps->columns);
	TRY(find_at_once(steps->columns, n_rows, group->n, arena, axes));
	for (size_t k = 0; k < group->keep; k++)
		memcpy(ret->matrix + (group->at + k) * ret->dim + group->first,
		       axes->matrix + k * group->n, group->n * sizeof *axes->matrix);
	for (size_t i = 0; i < n_rows; i++) {
		axes_apply(axes->matrix, group->keep, group->n, steps->columns + i * group->n, 1,
			   along);
		memcpy(steps->kept + i * ret->n + group->at, along, group->keep * sizeof *along);
	}
	return status_ok();
}

/* second: axes in the coordinates of those in ret, which they replace. */
static status compose(const struct axes *second, struct axes *ret)
{
	size_t size = (size_t)ret->n * ret->dim;
	float *product = calloc(size, sizeof *product);

	if (!product)
		return no_memory();
	for (size_t k = 0; k < ret->n; k++) {
		for (size_t j = 0; j < ret->n; j++) {
			float much = second->matrix[k * ret->n + j];

			for (size_t i = 0; i < ret->dim; i++)
				product[k * ret->dim + i] += much * ret->matrix[j * ret->dim + i];
		}
	}
	memcpy(ret->matrix, product, size * sizeof *product);
	memcpy(ret->variances, second->variances, ret->n * sizeof *ret->variances);
	free(product);
	return status_ok();
}

static status find_in_steps(const float *rows, size_t n_rows, const struct deadline *deadline,
			    struct arena *arena, struct axes *ret)
{
	SCOPED(steps) steps = &(struct steps){0};
	SCOPED(axes) second = &(struct axes){0};
	uint32_t n_groups = (ret->dim + AXES_AT_ONCE - 1) / AXES_AT_ONCE;

	steps->columns = malloc(sizeof(float) * n_rows * AXES_AT_ONCE);
	steps->kept = malloc(sizeof(float) * n_rows * AXES_AT_ONCE);
	if (!steps->columns || !steps->kept)
		return no_memory();
	TRY(axes_init(second, ret->n, ret->n));
	for (uint32_t i = 0; i < n_groups; i++) {
		uint32_t first = ret->dim * i / n_groups, end = ret->dim * (i + 1) / n_groups;
		uint32_t at = ret->n * i / n_groups, at_end = ret->n * (i + 1) / n_groups;
		struct group group = {first, end - first, at_end - at, at};

		TRY(deadline_check(deadline));
		TRY(group_find(&group, rows, n_rows, steps, arena, ret));
	}
	TRY(deadline_check(deadline));
	TRY(find_at_once(steps->kept, n_rows, ret->n, arena, second));
	TRY(measure(second, steps->kept, n_rows));
	return compose(second, ret);
}

status axes_find(const float *rows, size_t n_rows, uint32_t dim, const struct deadline *deadline,
		 struct arena *arena, struct axes *ret)
{
	SCOPED(axes) axes = &(struct axes){0};

	TRY(axes_init(axes, dim < AXES_AT_ONCE ? dim : AXES_AT_ONCE, dim));
	if (dim <= AXES_AT_ONCE) {
		TRY(find_at_once(rows, n_rows, dim, arena, axes));
		TRY(measure(axes, rows, n_rows));
	} else {
		TRY(find_in_steps(rows, n_rows, deadline, arena, axes));
	}
	*ret = *axes;
	*axes = (struct axes){0};
	return status_ok();
}
