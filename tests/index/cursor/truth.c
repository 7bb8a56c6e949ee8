/* truth - a sort of all exact scores. */
#include "tests/index/cursor/truth.h"

#include "kernels/score.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int compare_hits(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->score > y->score || x->score < y->score)
		return x->score > y->score ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

void truth_init(struct truth *truth, const struct snapshot *snapshot, const float *query)
{
	const struct collection_config *config = collection_config(snapshot_collection(snapshot));

	truth->n = 0;
	truth->hits = calloc((size_t)snapshot_count(snapshot) + 1, sizeof *truth->hits);
	cr_assert_not_null(truth->hits);
	for (uint64_t place = 0; place < snapshot_places(snapshot); place++) {
		if (!snapshot_visible(snapshot, place))
			continue;
		truth->hits[truth->n++] = (struct hit){
			.score = score_exact(config->metric, query,
					     snapshot_vector(snapshot, place, NULL), config->dim),
			.place = place,
		};
	}
	qsort(truth->hits, truth->n, sizeof *truth->hits, compare_hits);
}

void truth_finish(struct truth *truth)
{
	if (truth)
		free(truth->hits);
}

static bool is_hit(struct hit got, struct hit due)
{
	return got.place == due.place && !(got.score < due.score) && !(got.score > due.score);
}

size_t truth_walk(const struct truth *truth, struct cursor *cursor, size_t batch, size_t max,
		  const char *what)
{
	struct hit_batch got;
	size_t n = 0;

	while (n < max) {
		enum step step = cursor_next(cursor, &got);

		if (step != STEP_BATCH) {
			cr_assert_eq(step, STEP_END, "%s: fails at %zu: %s", what, n,
				     cursor->status.detail);
			break;
		}
		cr_assert(got.n >= 1 && got.n <= batch, "%s: a batch of %zu at %zu", what, got.n,
			  n);
		cr_assert_leq(n + got.n, truth->n, "%s: more than %zu hits", what, truth->n);
		for (size_t i = 0; i < got.n; i++, n++)
			cr_assert(is_hit(got.hits[i], truth->hits[n]),
				  "%s: hit %zu is place %lu at %.9g, due is %lu at %.9g", what, n,
				  (unsigned long)got.hits[i].place, (double)got.hits[i].score,
				  (unsigned long)truth->hits[n].place,
				  (double)truth->hits[n].score);
	}
	if (n >= max)
		return n;
	cr_assert_eq(n, truth->n, "%s: ends after %zu of %zu hits", what, n, truth->n);
	cr_assert_eq(cursor->walk->stop, STOP_EXHAUSTED, "%s", what);
	for (int again = 0; again < 2; again++)
		cr_assert_eq(cursor_next(cursor, &got), STEP_END, "%s: the end does not stay",
			     what);
	return n;
}
