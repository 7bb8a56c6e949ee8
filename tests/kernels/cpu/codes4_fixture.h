/* codes4_fixture - models drawn at random, and codes for them. */
#ifndef SLUICE_TESTS_KERNELS_CPU_CODES4_FIXTURE_H
#define SLUICE_TESTS_KERNELS_CPU_CODES4_FIXTURE_H

#include "kernels/cpu/codes4_kernel.h"
#include "tests/kernels/random.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SCANNERS_MAX 3

/* drawn - a model and what it points to, on the heap. */
struct drawn {
	struct codes4_model model;
	uint32_t *widths;
	float *matrix; /* [kept][dim] orthonormal, of which the model has the rounded values */
	int16_t *rotation;
	float *codewords;
};

/* drawn_init - so many groups (even), of widths up to width_max; under L2 the last two are 0 wide.
 * Dimensions: as many as the widths come to, and `more`. */
void drawn_init(struct drawn *drawn, struct random *random, enum metric metric, uint32_t groups,
		uint32_t width_max, uint32_t more);
void drawn_finish(struct drawn *drawn);

/* packed_draw - n rows of codes drawn at random, as blocks; the heap's, and exactly as long.
 * ret_codes  [n][groups] */
unsigned char *packed_draw(struct random *random, const struct codes4_model *model, uint32_t n,
			   uint8_t *ret_codes);

/* kernels_all - those that this processor can run, the portable one first. Gives how many. */
size_t kernels_all(const struct codes4_kernel *ret[SCANNERS_MAX]);

#endif
