/* sparse - large texts come, and go for small ones: with no retention the next write frees their pages. */
#include "tests/faults/sparse.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LARGE_TEXT ((size_t)256 << 10)

/* Chunks of such a text: index/store/shrink.h says how much must be free. */
enum { LARGE = 80 };

/* large  a text for each of its chunks; NULL: those that the model has. */
static status send(struct house *house, const struct op *op, const char *large)
{
	struct errand errand;
	status s;

	errand_make(&errand, op);
	for (size_t i = 0; large && i < op->n; i++)
		errand.write.chunks[i].text = bytes_of(large, LARGE_TEXT);
	s = errand_send(&errand, house, house_plans);
	if (!status_failed(s))
		s = errand_await(&errand);
	/* Its detail goes with the errand. */
	if (status_failed(s))
		s = status_format(&house->arena, s.code, "%s", s.detail);
	errand_finish(&errand);
	return s;
}

status sparse_send(struct house *house, const struct op *op)
{
	return send(house, op, NULL);
}

void sparse_draw(struct model *model, size_t first, struct op *ret)
{
	*ret = (struct op){.kind = OP_UPSERT, .version = ++model->last_version, .n = SPARSE_BATCH};
	for (size_t i = 0; i < SPARSE_BATCH; i++)
		ret->ids[i] = (uint16_t)(first + i);
}

static void put(struct house *house, struct model *model, size_t first, const char *large)
{
	struct op op;
	status s;

	sparse_draw(model, first, &op);
	s = send(house, &op, large);
	cr_assert(!status_failed(s), "%s", s.detail);
	model_send(model, &op);
	model_acknowledge(model);
}

void sparse_fill(struct house *house, struct model *model)
{
	const struct op op = {.kind = OP_CREATE, .version = ++model->last_version};
	char *large = malloc(LARGE_TEXT);

	cr_assert_not_null(large);
	memset(large, 'x', LARGE_TEXT);
	cr_assert_not(status_failed(house_create(house, house_plans)));
	model_send(model, &op);
	model_acknowledge(model);
	for (size_t i = 0; i < LARGE; i += SPARSE_BATCH)
		put(house, model, i, large);
	for (size_t i = 0; i < LARGE; i += SPARSE_BATCH)
		put(house, model, i, NULL);
	put(house, model, 0, NULL);
	free(large);
}

off_t sparse_bytes(const struct house *house)
{
	struct stat about;
	char path[600];

	snprintf(path, sizeof path, "%s/collections/%s/data.mdb", house->directory,
		 house_plans[0].name);
	cr_assert_eq(stat(path, &about), 0);
	return about.st_size;
}
