/* fake_ann - scores all rows and forgets some of them. */
#include "tests/index/cursor/fake_ann.h"

#include "kernels/score.h"

#include <criterion/criterion.h>

#define SEGMENT_PLACE(snapshot, segment)                                                           \
	((uint64_t)(segment) * fake_snapshot_segment_rows(snapshot))

void fake_ann_init(struct ann *ann, struct fake_asked *asked, struct snapshot *snapshot,
		   uint32_t segment, unsigned keeps_percent)
{
	*asked = (struct fake_asked){.state = segment + 1};
	*ann = (struct ann){
		.sealed = snapshot_sealed(snapshot, SEGMENT_PLACE(snapshot, segment)),
		.metric = collection_config(snapshot_collection(snapshot))->metric,
		.keeps_percent = keeps_percent,
		.depth_max = 4000,
		.slack = 0.05F,
		.asked = asked,
		.measured = {.candidates = true},
	};
	cr_assert_not_null(ann->sealed);
	fake_snapshot_set_ann(snapshot, segment, ann);
}

bool ann_covers(const struct ann *ann, uint32_t depth, float recall, double share)
{
	(void)recall;
	(void)share;
	return depth <= ann->depth_max;
}

status ann_find(const struct ann *ann, struct ann_probe *probe)
{
	uint32_t dim = sealed_codes(ann->sealed)->shape.dim;
	struct fake_asked *asked = ann->asked;

	cr_assert_lt(asked->n, FAKE_ASKED_MAX);
	asked->each[asked->n].depth = probe->depth;
	asked->each[asked->n].recall = probe->recall;
	asked->each[asked->n].share = probe->share;
	asked->each[asked->n].all_visible = !probe->visible;
	asked->n++;
	TRY(ann->fails);
	for (uint32_t place = 0; place < sealed_length(ann->sealed); place++) {
		const float *vector = sealed_vector(ann->sealed, place, NULL);
		float score;

		if (fake_random(&asked->state) % 100 >= ann->keeps_percent ||
		    (probe->visible && !probe->visible(probe->context, place)))
			continue;
		score = score_exact(ann->metric, probe->query, vector, dim);
		probe->scanned++;
		window_offer(probe->window,
			     (struct key){score + ann->slack * fake_uniform(&asked->state),
					  probe->base + place});
	}
	return status_ok();
}

void ann_calibration(const struct ann *ann, struct calibration *ret)
{
	*ret = ann->measured;
}

const char *ann_name(const struct ann *ann)
{
	(void)ann;
	return "fake";
}
