/* nearest - products of rows with all centroids, some hundred centroids at a time; then with those kept.
 *
 * The least |x - c|^2 is where x.c - |c|^2 / 2 is greatest: that is a centroid's score.
 */
#include "index/build/nearest.h"

#include "kernels/base/error_info.h"
#include "kernels/panels.h"
#include "kernels/product.h"

#include <stdlib.h>
#include <string.h>

/* Centroids whose products with a block of rows stay in the second cache. */
#define CHUNK_PANELS 64
#define CHUNK ((size_t)CHUNK_PANELS * PANEL_ROWS)

/* Of which the second one is chosen. */
#define CANDIDATES 16

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to assign rows"),
			 REASON_MEMORY_LIMIT);
}

static float half_square(const float *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)values[i] * (double)values[i];
	return (float)(sum / 2);
}

static float *panels_of(const float *rows, size_t n_rows, size_t dim)
{
	float *ret = malloc(panels_count(n_rows) * PANEL_ROWS * dim * sizeof *ret);

	if (ret)
		panels_make(rows, n_rows, dim, ret);
	return ret;
}

status nearest_init_along(struct nearest *nearest, const struct nearest_axes *axes,
			  const float *centroids, uint32_t k)
{
	*nearest = (struct nearest){.k = k, .dim = axes->dim, .n_axes = axes->n};
	if (axes->matrix)
		nearest->axes = panels_of(axes->matrix, axes->n, axes->dim);
	nearest->panels = panels_of(centroids, k, axes->n);
	nearest->squares = malloc(k * sizeof *nearest->squares);
	if ((axes->matrix && !nearest->axes) || !nearest->panels || !nearest->squares) {
		nearest_finish(nearest);
		return no_memory();
	}
	for (size_t i = 0; i < k; i++)
		nearest->squares[i] = half_square(centroids + i * axes->n, axes->n);
	return status_ok();
}

/* Centroids along the axes. ret  [k][axes->n] */
static void centroids_turn(const struct nearest_axes *axes, const float *centroids, uint32_t k,
			   float *ret)
{
	for (size_t i = 0; i < k; i++) {
		const float *centroid = centroids + i * axes->dim;
		const struct matrix_product product = {
			.rows = axes->matrix,
			.n_rows = axes->n,
			.dim = axes->dim,
			.vectors = &centroid,
			.n = 1,
			.ret = ret + i * axes->n,
		};

		product_make(&product);
	}
}

status nearest_init(struct nearest *nearest, const struct nearest_axes *axes,
		    const float *centroids, uint32_t k)
{
	float *turned = axes->matrix ? malloc(sizeof *turned * k * axes->n) : NULL;
	status s;

	if (axes->matrix && !turned)
		return no_memory();
	if (turned)
		centroids_turn(axes, centroids, k, turned);
	s = nearest_init_along(nearest, axes, turned ? turned : centroids, k);
	free(turned);
	TRY(s);
	nearest->centroids = centroids;
	nearest->full_squares = malloc(k * sizeof *nearest->full_squares);
	if (!nearest->full_squares) {
		nearest_finish(nearest);
		return no_memory();
	}
	for (size_t i = 0; i < k; i++)
		nearest->full_squares[i] = half_square(centroids + i * axes->dim, axes->dim);
	return status_ok();
}

void nearest_finish(struct nearest *nearest)
{
	free(nearest->axes);
	free(nearest->panels);
	free(nearest->squares);
	free(nearest->full_squares);
	*nearest = (struct nearest){0};
}

status nearest_room_init(struct nearest_room *room, const struct nearest *nearest)
{
	size_t wide = panels_count(nearest->n_axes) * PANEL_ROWS;

	*room = (struct nearest_room){
		.rows = malloc(sizeof(float) * NEAREST_ROWS * nearest->dim),
		.along = malloc(sizeof(float) * NEAREST_ROWS * wide),
		.products = malloc(sizeof(float) * NEAREST_ROWS * CHUNK),
	};
	if (!room->rows || !room->along || !room->products) {
		nearest_room_finish(room);
		return no_memory();
	}
	for (size_t i = 0; i < NEAREST_ROWS; i++) {
		status s = window_init(&room->windows[i], NEAREST_KEPT);

		if (status_failed(s)) {
			nearest_room_finish(room);
			return s;
		}
	}
	return status_ok();
}

void nearest_room_finish(struct nearest_room *room)
{
	free(room->rows);
	free(room->along);
	free(room->products);
	for (size_t i = 0; i < NEAREST_ROWS; i++)
		window_finish(&room->windows[i]);
	*room = (struct nearest_room){0};
}

void nearest_along(const struct nearest *nearest, struct nearest_room *room, const float *rows,
		   size_t n, float *ret)
{
	size_t n_axes = nearest->n_axes, n_panels = panels_count(n_axes);
	const struct panels_product product = {
		.panels = nearest->axes,
		.n_panels = n_panels,
		.dim = nearest->dim,
		.vectors = rows,
		.n = n,
		.ret = room->along,
	};

	if (!nearest->axes) {
		memcpy(ret, rows, sizeof *ret * n * nearest->dim);
		return;
	}
	panels_multiply(&product);
	/* Panels are whole, rows need not be. ret may be where they are. */
	for (size_t i = 0; i < n; i++)
		memmove(ret + i * n_axes, room->along + i * n_panels * PANEL_ROWS,
			n_axes * sizeof *ret);
}

/* The products of rows [n][n_axes] with the chunk of centroids from `first` on. Returns how many these
 * are; vector i's are at room->products + i * *ret_stride. */
static size_t chunk_multiply(const struct nearest *nearest, struct nearest_room *room,
			     const float *along, size_t n, size_t first, size_t *ret_stride)
{
	size_t left = nearest->k - first;
	const struct panels_product product = {
		.panels = nearest->panels + first * nearest->n_axes,
		.n_panels = left < CHUNK ? panels_count(left) : CHUNK_PANELS,
		.dim = nearest->n_axes,
		.vectors = along,
		.n = n,
		.ret = room->products,
	};

	panels_multiply(&product);
	*ret_stride = product.n_panels * PANEL_ROWS;
	return left < CHUNK ? left : CHUNK;
}

static void block_find_along(const struct nearest *nearest, struct nearest_room *room,
			     const float *along, size_t n, uint32_t *ret)
{
	float best[NEAREST_ROWS];
	size_t stride, n_chunk;

	for (size_t i = 0; i < n; i++) {
		best[i] = -INFINITY;
		ret[i] = 0;
	}
	for (size_t first = 0; first < nearest->k; first += n_chunk) {
		n_chunk = chunk_multiply(nearest, room, along, n, first, &stride);
		for (size_t i = 0; i < n; i++) {
			const float *products = room->products + i * stride;

			for (size_t j = 0; j < n_chunk; j++) {
				float score = products[j] - nearest->squares[first + j];

				if (!(score > best[i]))
					continue;
				best[i] = score;
				ret[i] = (uint32_t)(first + j);
			}
		}
	}
}

void nearest_find_along(const struct nearest *nearest, struct nearest_room *room,
			const float *along, size_t n, uint32_t *ret)
{
	for (size_t first = 0; first < n; first += NEAREST_ROWS)
		block_find_along(nearest, room, along + first * nearest->n_axes,
				 n - first < NEAREST_ROWS ? n - first : NEAREST_ROWS, ret + first);
}

/* Of scores those that stand together have one that is best. */
#define GROUP 16
#define GROUPS (CHUNK / GROUP)

/* In how many steps a bound is looked for. */
#define BOUND_STEPS 12

static size_t count_reaching(const float *values, size_t n, float bound)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += values[i] >= bound;
	return count;
}

/* Below as many scores as are kept: as the best of that many groups are not below it. -INFINITY where there
 * are not so many groups. */
static float bound_of(const float *best, size_t n)
{
	float low = INFINITY, high = -INFINITY;

	for (size_t i = 0; i < n; i++) {
		low = best[i] < low ? best[i] : low;
		high = best[i] > high ? best[i] : high;
	}
	if (n < NEAREST_KEPT || !(low > -INFINITY) || !(high < INFINITY))
		return -INFINITY;
	for (size_t step = 0; step < BOUND_STEPS; step++) {
		float middle = low + (high - low) / 2;

		if (count_reaching(best, n, middle) >= NEAREST_KEPT)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Products of a row become scores. Behind the last there may be others, of whole groups. best  [GROUPS] */
static size_t scores_make(float *scores, const float *squares, size_t n, float *best)
{
	size_t n_groups = n / GROUP;

	for (size_t j = 0; j < n; j++)
		scores[j] -= squares[j];
	for (size_t group = 0; group < n_groups; group++) {
		const float *some = scores + group * GROUP;
		float halves[GROUP / 2];

		for (size_t j = 0; j < GROUP / 2; j++)
			halves[j] = some[j] > some[j + GROUP / 2] ? some[j] : some[j + GROUP / 2];
		best[group] = halves[0];
		for (size_t j = 1; j < GROUP / 2; j++)
			best[group] = halves[j] > best[group] ? halves[j] : best[group];
	}
	return n_groups;
}

/* Scores of the n centroids from `first` on. */
static void scores_offer(const float *scores, const float *best, size_t n, size_t first,
			 struct window *window)
{
	for (size_t j = 0; j < n; j++) {
		/* A group of which none is near enough is passed over. */
		if (j % GROUP == 0 && j + GROUP <= n && best[j / GROUP] < window->threshold.score) {
			j += GROUP - 1;
			continue;
		}
		window_offer(window, (struct key){scores[j], first + j});
	}
}

/* Into each row's window what is nearest along the axes. */
static void windows_fill(const struct nearest *nearest, struct nearest_room *room,
			 const float *along, size_t n)
{
	float best[GROUPS];
	size_t stride, n_chunk;

	/* They are as wide as they were: it needs no memory. */
	for (size_t i = 0; i < n; i++)
		(void)window_clear(&room->windows[i], NEAREST_KEPT);
	for (size_t first = 0; first < nearest->k; first += n_chunk) {
		n_chunk = chunk_multiply(nearest, room, along, n, first, &stride);
		for (size_t i = 0; i < n; i++) {
			float *scores = room->products + i * stride, bound;
			struct window *window = &room->windows[i];

			bound = bound_of(
				best, scores_make(scores, nearest->squares + first, n_chunk, best));
			if (bound > window->threshold.score)
				window->threshold = (struct key){bound, UINT64_MAX};
			scores_offer(scores, best, n_chunk, first, window);
			window_compact(window);
		}
	}
}

/* Of a vector with the first n centroids in the window. */
static void products_with(const struct nearest *nearest, const float *vector,
			  const struct window *window, size_t n, float *ret)
{
	const float *some[NEAREST_KEPT];
	const struct matrix_product product = {
		.rows = vector,
		.n_rows = 1,
		.dim = nearest->dim,
		.vectors = some,
		.n = n,
		.ret = ret,
	};

	for (size_t i = 0; i < n; i++)
		some[i] = nearest->centroids + window->keys[i].row * nearest->dim;
	product_make(&product);
}

/* What was kept by the whole distance, in order. */
static void window_score(const struct nearest *nearest, const float *row, struct window *window)
{
	float products[NEAREST_KEPT];

	window_compact(window);
	products_with(nearest, row, window, window->n, products);
	for (size_t i = 0; i < window->n; i++)
		window->keys[i].score = products[i] - nearest->full_squares[window->keys[i].row];
	window_seal(window);
}

/* A window in order, of at least two. By the law of cosines r1.r2 = (|r1|^2 + |r2|^2 - |c1 - c2|^2) / 2. */
static uint32_t second_choose(const struct nearest *nearest, const float *row,
			      const struct window *window)
{
	size_t n = window->n < CANDIDATES ? window->n : CANDIDATES;
	const struct key *keys = window->keys;
	float between[NEAREST_KEPT], xx = 2 * half_square(row, nearest->dim), least = INFINITY;
	float first = fmaxf(xx - 2 * keys[0].score, 0);
	float first_square = nearest->full_squares[keys[0].row];
	size_t ret = 1;

	products_with(nearest, nearest->centroids + keys[0].row * nearest->dim, window, n, between);
	for (size_t i = 1; i < n; i++) {
		float second = fmaxf(xx - 2 * keys[i].score, 0), loss = second, product;

		product = (first + second) / 2 -
			  (first_square + nearest->full_squares[keys[i].row] - between[i]);
		loss += first > 0 ? product / first * product : 0;
		if (loss < least) {
			least = loss;
			ret = i;
		}
	}
	return (uint32_t)keys[ret].row;
}

/* Scores that left float are of no centroid: then any will do. */
static uint32_t second_of(const struct nearest *nearest, const float *row,
			  const struct window *window, uint32_t first)
{
	if (window->n > 1)
		return second_choose(nearest, row, window);
	return first == 0 && nearest->k > 1 ? 1 : 0;
}

void nearest_find(const struct nearest *nearest, struct nearest_room *room, size_t n, uint32_t *ret,
		  uint32_t *ret_second)
{
	if (nearest->axes)
		nearest_along(nearest, room, room->rows, n, room->along);
	windows_fill(nearest, room, nearest->axes ? room->along : room->rows, n);
	for (size_t i = 0; i < n; i++) {
		const float *row = room->rows + i * nearest->dim;
		struct window *window = &room->windows[i];

		window_score(nearest, row, window);
		ret[i] = window->n ? (uint32_t)window->keys[0].row : 0;
		if (ret_second)
			ret_second[i] = second_of(nearest, row, window, ret[i]);
	}
}
