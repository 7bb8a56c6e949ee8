/* codes8_fixture - hostile rows as int8 codes, with and without a rotation. */
#ifndef SLUICE_TESTS_KERNELS_CPU_CODES8_FIXTURE_H
#define SLUICE_TESTS_KERNELS_CPU_CODES8_FIXTURE_H

#include "kernels/cpu/codes8_scanner.h"
#include "tests/kernels/hostile.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROWS_MAX 2000
#define SCANNERS_MAX 3

/* turned - a rotation with its matrix on the heap: two reflections, so that nothing is left in its
 * place. */
struct turned {
	struct codes8_rotation rotation;
	float *matrix;
};

void turned_init(struct turned *turned, struct random *random, uint32_t dim);
void turned_finish(struct turned *turned);

/* coded - the rows of a block as codes, on the heap. */
struct coded {
	struct codes8 codes;
	unsigned char *heads, *tails;
};

/* coded_init - head as codes8_shape_init wants it. rotation may be NULL. */
void coded_init(struct coded *coded, struct hostile_block *block, enum metric metric, uint32_t head,
		const struct codes8_rotation *rotation);
void coded_finish(struct coded *coded);

/* asked - a query with the arena that it lives in; the closer is arena_finish(&asked->arena). */
struct asked {
	struct arena arena;
	struct codes8_query query;
};

void ask(struct asked *asked, const struct codes8_shape *shape,
	 const struct codes8_rotation *rotation, const float *query);

/* kernels_all - those that this processor can run, the portable one first. Gives how many. */
size_t kernels_all(const struct codes8_kernel *ret[SCANNERS_MAX]);

#endif
