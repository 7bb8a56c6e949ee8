/* codes4_query - a query's tables: rotated in whole numbers, multiplied with the codewords, rounded
 * to levels.
 */
#include "kernels/cpu/codes4_kernel.h"
#include "kernels/score.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#define TABLES_ALIGNMENT 32

/* A shorter query is as good as none: what it is scaled by would leave float. */
#define NORM_LEAST 0x1p-90

/* Of fewer groups than so many the first are not looked at apart. */
#define FIRST_GROUPS_LEAST 32

/* How far above what is usual the other pairs may be; and the first have to be asked to be, so that few
 * blocks of rows have one that is. */
#define REST_DEVIATIONS 4.5
#define FIRST_DEVIATIONS 1.0

/* What a query needs while its tables are made, and they themselves. */
struct work {
	uint8_t *tables; /* [groups][16] */
	float *products; /* [groups][16] */
	int16_t *query;  /* [stride] */
	int32_t *sums;   /* [kept] */
	float *rotated;  /* [kept] */
};

static bool work_init(struct work *work, struct arena *arena, const struct codes4_model *model)
{
	size_t size = (size_t)model->groups * CODES4_WORDS, stride = codes4_stride(model->dim);
	unsigned char *memory = arena_alloc(
		arena, TABLES_ALIGNMENT + size * (1 + sizeof(float)) + stride * sizeof(int16_t) +
			       model->kept * (sizeof(int32_t) + sizeof(float)));

	if (!memory)
		return false;
	memory += -(uintptr_t)memory % TABLES_ALIGNMENT;
	work->tables = memory;
	work->products = (float *)(void *)(memory + size);
	work->query = (int16_t *)(void *)(work->products + size);
	work->sums = (int32_t *)(void *)(work->query + stride);
	work->rotated = (float *)(void *)(work->sums + model->kept);
	return true;
}

/* P q; zeros where the query is too short or too long for floats to say more. */
static void query_rotate(const struct codes4_kernel *kernel, const struct codes4_model *model,
			 const float *query, double norm, struct work *work)
{
	bool usual = norm >= NORM_LEAST && norm <= (double)FLT_MAX;
	float to = usual ? (float)(CODES4_ONE / norm) : 0;
	float from = usual ? (float)(norm / CODES4_ONE / CODES4_ONE) : 0;
	size_t stride = codes4_stride(model->dim);

	for (size_t i = 0; i < model->dim; i++) {
		float value = query[i] * to;

		work->query[i] = (int16_t)(int)(value + (value < 0 ? -0.5F : 0.5F));
	}
	for (size_t i = model->dim; i < stride; i++)
		work->query[i] = 0;
	kernel->rotate(model, work->query, work->sums);
	for (size_t i = 0; i < model->kept; i++)
		work->rotated[i] = (float)work->sums[i] * from;
}

/* L2: twice the products, and the two groups of the row's square. */
static struct codes4_span tables_finish_l2(const struct codes4_model *model,
					   struct codes4_span span, double norm, float *products)
{
	size_t n = (size_t)(model->groups - 2) * CODES4_WORDS;
	float *first = products + n, *second = first + CODES4_WORDS;

	for (size_t i = 0; i < n; i++)
		products[i] *= 2;
	for (size_t i = 0; i < CODES4_WORDS; i++) {
		second[i] = model->square_step * (float)i;
		first[i] = second[i] * CODES4_WORDS;
	}
	return (struct codes4_span){
		.bias = 2 * span.bias + (double)model->square_low - norm * norm,
		.range = fmaxf(2 * span.range, first[CODES4_WORDS - 1]),
	};
}

/* What some groups add to a sum, where all codes are equally frequent: mean and variance. */
struct spread {
	double mean, variance;
};

static struct spread spread_of(const uint8_t *tables, size_t n_groups)
{
	struct spread spread = {0};
	uint64_t sum = 0, squares = 0, means = 0;

	for (size_t group = 0; group < n_groups; group++, tables += CODES4_WORDS) {
		uint32_t group_sum = 0, group_squares = 0;

		for (size_t i = 0; i < CODES4_WORDS; i++) {
			group_sum += tables[i];
			group_squares += (uint32_t)tables[i] * tables[i];
		}
		sum += group_sum;
		squares += group_squares;
		means += group_sum * group_sum;
	}
	spread.mean = (double)sum / CODES4_WORDS;
	spread.variance = (double)(squares * CODES4_WORDS - means) / (CODES4_WORDS * CODES4_WORDS);
	return spread;
}

/* Half of the pairs: since groups come by what there is along them, these tell nine tenths of how sums
 * differ. What the others may add is taken from afar, since the nearest rows are like the query in all
 * they have: at 3.5 deviations one hit in 300 was lost on the corpus, at REST_DEVIATIONS one in 2,000,
 * while a quarter of all work is left out. */
static void first_choose(struct codes4_query *query)
{
	uint32_t first = query->groups / 4 / 2 * 2;
	struct spread spread = spread_of(query->tables, 2UL * first);
	struct spread rest =
		spread_of(query->tables + 2UL * first * CODES4_WORDS, query->groups - 2UL * first);

	query->first = query->groups >= FIRST_GROUPS_LEAST ? first : 0;
	query->rest = (int32_t)(rest.mean + REST_DEVIATIONS * sqrt(rest.variance));
	query->first_least = (int32_t)(spread.mean + FIRST_DEVIATIONS * sqrt(spread.variance));
}

status codes4_query_make(const struct codes4_kernel *kernel, struct codes4_query *ret,
			 struct arena *arena, const struct codes4_model *model, const float *query)
{
	double norm = vector_norm(query, model->dim);
	struct codes4_span span;
	float inverse = 0;
	struct work work;

	assert(model->groups % 2 == 0 && model->groups <= CODES4_GROUPS_MAX);
	if (!work_init(&work, arena, model))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	query_rotate(kernel, model, query, norm, &work);
	span = kernel->products(model, work.rotated, work.products);
	if (model->metric == METRIC_L2)
		span = tables_finish_l2(model, span, norm, work.products);
	*ret = (struct codes4_query){.groups = model->groups, .tables = work.tables};
	/* Sums and scores stay finite. Beyond, all rows are equally good. */
	if (span.range >= FLT_MIN && span.range <= FLT_MAX / CODES4_GROUPS_MAX &&
	    fabs(span.bias) <= (double)FLT_MAX) {
		ret->scale = span.range / (CODES4_LEVELS - 1);
		inverse = (CODES4_LEVELS - 1) / span.range;
		ret->bias = (float)span.bias;
	}
	if (!isfinite(inverse))
		ret->scale = inverse = 0;
	kernel->levels(work.products, (size_t)model->groups * CODES4_WORDS, inverse, work.tables);
	first_choose(ret);
	return status_ok();
}

status codes4_query_init(struct codes4_query *ret, struct arena *arena,
			 const struct codes4_model *model, const float *query)
{
	return codes4_query_make(codes4_scanner(CODES4_BEST), ret, arena, model, query);
}
