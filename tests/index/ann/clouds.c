#include "tests/index/ann/clouds.h"

#include "tests/kernels/random.h"

#include <math.h>

#define CLOUDS 150

/* Where a cloud is, and how large, follow from its number. Its rows differ in the first dimensions most,
 * and those of any two clouds in the last. */
static void draw(const struct heaps *heaps, struct random *random, float *ret)
{
	uint32_t dim = heaps->room.config.dim;
	/* The smaller of two: some clouds are much larger than others. */
	size_t a = random_below(random, CLOUDS), b = random_below(random, CLOUDS);
	struct random cloud = {1 + (a < b ? a : b)};
	float size;

	for (size_t i = 0; i < 20; i++)
		random_bits(&cloud);
	size = 0.5F + 0.25F * random_signed(&cloud);
	for (uint32_t i = 0; i < dim; i++) {
		float fades = 1 / sqrtf(1 + 20 * (float)i / (float)dim);

		ret[i] = random_signed(&cloud) * 0.5F +
			 size * fades * (random_signed(random) + random_signed(random));
	}
	heaps_keep(heaps, ret);
}

void clouds_init(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed)
{
	struct random random = {seed};

	heaps_begin(heaps, what, seed);
	for (uint32_t row = 0; row < what->n; row++)
		draw(heaps, &random, heaps->room.vectors + (size_t)row * what->dim);
	heaps_seal(heaps);
}

void clouds_question(const struct heaps *heaps, uint64_t nth, float *ret)
{
	struct random random = {(nth + 1) * UINT64_C(0x9E3779B97F4A7C15)};

	for (size_t i = 0; i < 20; i++)
		random_bits(&random);
	draw(heaps, &random, ret);
}

double clouds_recall(const struct heaps *heaps, const struct ann *ann,
		     const struct heaps_asking *asking, double *ret_read)
{
	return heaps_recall_of(heaps, ann, asking, clouds_question, ret_read);
}
