/* model - operations drawn, applied and settled. */
#include "tests/crash/model.h"

#include <stdio.h>
#include <string.h>

const struct plan plans[PLANS] = {
	{"lists", 2000, SLUICE__V1__METRIC__METRIC_L2, SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT32, "", 400},
	{"halves", 500, SLUICE__V1__METRIC__METRIC_L2, SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT16, "", 200},
	{"factory", 700, SLUICE__V1__METRIC__METRIC_COSINE,
	 SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT32, "SQ8", 200},
	{"brief", 60, SLUICE__V1__METRIC__METRIC_L2, SLUICE__V1__INDEX_KIND__INDEX_KIND_UNSPECIFIED,
	 SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT32, "", 4},
};

/* --- what a chunk holds --- */

static struct random random_of(uint32_t id, uint32_t version)
{
	return (struct random){(uint64_t)version << 32 | id};
}

uint32_t chunk_language(uint32_t id, uint32_t version)
{
	struct random random = random_of(id, version);

	return (uint32_t)random_below(&random, LANGUAGES);
}

size_t chunk_padding(uint32_t id, uint32_t version)
{
	struct random random = random_of(version, id);

	return random_below(&random, 12) ? 0 : random_below(&random, 12000);
}

void chunk_vector(uint32_t id, uint32_t version, float ret[DIM])
{
	struct random random = random_of(id, version);

	for (size_t i = 0; i < DIM; i++)
		ret[i] = random_signed(&random);
}

/* --- operations --- */

void state_apply(struct state *state, const struct op *op)
{
	switch (op->kind) {
	case OP_CREATE:
	case OP_DROP:
		memset(state, 0, sizeof *state);
		state->exists = op->kind == OP_CREATE;
		return;
	case OP_UPSERT:
	case OP_DELETE:
		for (size_t i = 0; i < op->n; i++)
			state->versions[op->ids[i]] = op->kind == OP_UPSERT ? op->version : 0;
		return;
	case OP_DELETE_LANGUAGE:
		for (uint32_t id = 0; id < IDS_MAX; id++) {
			uint32_t *version = &state->versions[id];

			if (*version && chunk_language(id, *version) == op->language)
				*version = 0;
		}
		return;
	}
}

size_t state_count(const struct state *state)
{
	size_t n = 0;

	for (size_t id = 0; id < IDS_MAX; id++)
		n += state->versions[id] != 0;
	return n;
}

/* Some ids side by side, or spread; all different. */
static void draw_ids(const struct plan *plan, struct random *random, struct op *op)
{
	size_t max = plan->ids < BATCH_MAX ? plan->ids : BATCH_MAX;
	size_t first = random_below(random, plan->ids);
	size_t step =
		random_below(random, 3) ? 1 : 7; /* no plan's ids are a multiple of 7 but one */

	if (plan->ids % step == 0)
		step = 1;
	op->n = 1 + random_below(random, random_below(random, 4) ? max : 4);
	for (size_t i = 0; i < op->n; i++)
		op->ids[i] = (uint16_t)((first + i * step) % plan->ids);
}

void model_draw(struct model *model, struct random *random, struct op *ret)
{
	const struct plan *plan = model->plan;
	size_t choice = random_below(random, 100);

	*ret = (struct op){.version = ++model->last_version};
	if (!model->sent.exists) {
		ret->kind = OP_CREATE;
	} else if (random_below(random, plan->drop_every) == 0) {
		ret->kind = OP_DROP;
	} else if (choice < 3) {
		ret->kind = OP_DELETE_LANGUAGE;
		ret->language = (uint32_t)random_below(random, LANGUAGES);
	} else {
		ret->kind = choice < 15 ? OP_DELETE : OP_UPSERT;
		draw_ids(plan, random, ret);
	}
}

void model_send(struct model *model, const struct op *op)
{
	model->pending[model->n_pending++] = *op;
	state_apply(&model->sent, op);
}

void model_acknowledge(struct model *model)
{
	state_apply(&model->state, &model->pending[0]);
	model->n_pending--;
	memmove(model->pending, model->pending + 1, model->n_pending * sizeof *model->pending);
	model->n_acknowledged++;
}

/* --- after a crash --- */

static bool state_equal(const struct state *a, const struct state *b)
{
	return a->exists == b->exists && memcmp(a->versions, b->versions, sizeof a->versions) == 0;
}

static void describe(const struct model *model, const struct state *found, char *ret, size_t size)
{
	const struct state *wanted = &model->state;
	size_t n = 0, first = IDS_MAX;

	for (size_t id = 0; id < IDS_MAX; id++) {
		if (wanted->versions[id] == found->versions[id])
			continue;
		first = n == 0 ? id : first;
		n++;
	}
	snprintf(ret, size,
		 "%s: %s and should %s, with %zu operations pending; %zu of %zu chunks differ from "
		 "what was acknowledged, the first is %zu: version %u instead of %u",
		 model->plan->name, found->exists ? "is there" : "is not there",
		 wanted->exists ? "be" : "not be", model->n_pending, n, state_count(wanted),
		 first == IDS_MAX ? 0 : first, first == IDS_MAX ? 0 : found->versions[first],
		 first == IDS_MAX ? 0 : wanted->versions[first]);
}

bool model_settle(struct model *model, const struct state *found, char *ret_why, size_t size)
{
	struct state may = model->state;
	bool right = state_equal(&may, found);

	for (size_t i = 0; !right && i < model->n_pending; i++) {
		state_apply(&may, &model->pending[i]);
		right = state_equal(&may, found);
	}
	if (!right) {
		describe(model, found, ret_why, size);
		return false;
	}
	model->state = model->sent = *found;
	model->n_pending = 0;
	return true;
}
