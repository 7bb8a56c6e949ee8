/* intake - a list of places, or none where all rows stay. */
#include "index/intake.h"

#include <assert.h>
#include <stdlib.h>

static void list_kept(struct intake *intake, uint64_t horizon)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < intake->n_places; i++) {
		if (view_alive(&intake->view, intake->first + i, horizon))
			intake->kept[n++] = i;
	}
	assert(n == intake->n);
}

status intake_open(const struct view *view, uint64_t first, uint64_t end, uint64_t horizon,
		   struct intake *ret)
{
	struct intake intake = {
		.view = *view,
		.first = first,
		.n_places = (uint32_t)(end - first),
		.n = (uint32_t)view_count(view, first, end, horizon),
	};

	assert(end - first <= SEALED_ROWS_MAX);
	if (intake.n < intake.n_places && intake.n > 0) {
		intake.kept = reallocarray(NULL, intake.n, sizeof *intake.kept);
		if (!intake.kept)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for places of rows");
		list_kept(&intake, horizon);
	}
	*ret = intake;
	return status_ok();
}

void intake_finish(struct intake *intake)
{
	free(intake->kept);
	intake->kept = NULL;
}

static uint64_t source_row(const void *context, uint32_t i)
{
	const struct intake *intake = context;

	return view_row(&intake->view, intake_place(intake, i));
}

static const float *source_vector(const void *context, uint32_t i, float *scratch)
{
	const struct intake *intake = context;

	return view_vector(&intake->view, intake_place(intake, i), scratch);
}

struct sealed_source intake_source(const struct intake *intake)
{
	return (struct sealed_source){intake->n, source_row, source_vector, intake};
}
