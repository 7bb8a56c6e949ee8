/* factory_parts - from the left: transforms, then what the core begins with, then its codes. */
#include "index/build/factory_parts.h"

#include "kernels/base/error_info.h"

#include <stdlib.h>
#include <string.h>

/* FAISS's ITQ is three or four of ours. */
#define STEPS_OF_ONE 4
/* The shortest transform with its comma: "RR,". */
#define TRANSFORM_LETTERS 3

struct reading {
	const char *at;
	struct factory_parts *parts;
};

static bool take(struct reading *reading, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(reading->at, word, length) != 0)
		return false;
	reading->at += length;
	return true;
}

/* A number, or what stands for it where there is none. */
static uint32_t take_number(struct reading *reading, uint32_t otherwise)
{
	char *end = NULL;
	unsigned long number;

	if (*reading->at < '0' || *reading->at > '9')
		return otherwise;
	number = strtoul(reading->at, &end, 10);
	reading->at = end;
	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

static struct factory_step *step_add(struct reading *reading, enum factory_step_kind kind,
				     uint32_t to)
{
	struct factory_parts *parts = reading->parts;
	struct factory_step *step = &parts->steps[parts->n_steps++];

	*step = (struct factory_step){.kind = kind, .from = parts->dim, .to = to};
	parts->dim = to;
	return step;
}

static void take_pca(struct reading *reading)
{
	bool white = take(reading, "W"), turned = take(reading, "R");
	struct factory_step *step =
		step_add(reading, FACTORY_PCA, take_number(reading, reading->parts->dim));

	step->white = white;
	step->turned = turned;
}

static void take_opq(struct reading *reading)
{
	uint32_t groups = take_number(reading, 1), to = reading->parts->dim;

	if (take(reading, "_"))
		to = take_number(reading, to);
	step_add(reading, FACTORY_CODES, to)->groups = groups;
}

/* Centred and of unit length, rows are rotated, to fewer dimensions by their principal axes first. */
static void take_itq(struct reading *reading)
{
	uint32_t dim = reading->parts->dim, to = take_number(reading, dim);

	(void)step_add(reading, FACTORY_CENTRE, dim);
	(void)step_add(reading, FACTORY_UNIT, dim);
	if (to < dim)
		(void)step_add(reading, FACTORY_PCA, to);
	(void)step_add(reading, FACTORY_SIGNS, to);
}

static bool take_transform(struct reading *reading)
{
	uint32_t dim = reading->parts->dim, to;

	if (take(reading, "PCA")) {
		take_pca(reading);
	} else if (take(reading, "OPQ")) {
		take_opq(reading);
	} else if (take(reading, "ITQ")) {
		take_itq(reading);
	} else if (take(reading, "RR")) {
		(void)step_add(reading, FACTORY_RANDOM, take_number(reading, dim));
	} else if (take(reading, "L2norm")) {
		(void)step_add(reading, FACTORY_UNIT, dim);
	} else if (take(reading, "Pad")) {
		to = take_number(reading, dim);
		(void)step_add(reading, FACTORY_PAD, to > dim ? to : dim);
	} else {
		return false;
	}
	return take(reading, ",");
}

/* FAISS makes codes of 8 bits of residuals, and those of 4 that it scans fast if told to. */
static void take_codes(struct reading *reading, bool lists)
{
	struct factory_parts *parts = reading->parts;

	if (!take(reading, "PQ"))
		return;
	parts->coded = true;
	parts->shape = (struct codebooks_shape){parts->dim, take_number(reading, parts->dim), 8};
	parts->residual = lists;
	if (!take(reading, "x"))
		return;
	parts->shape.bits = take_number(reading, 8);
	if (take(reading, "fs"))
		parts->residual = take(reading, "r");
}

static void take_core(struct reading *reading)
{
	bool lists = take(reading, "IVF");

	if (lists || take(reading, "HNSW")) {
		(void)take_number(reading, 0);
		if (take(reading, "_HNSW"))
			(void)take_number(reading, 0);
		(void)take(reading, ",");
	}
	take_codes(reading, lists);
}

status factory_parts_init(struct factory_parts *parts, const char *factory, uint32_t dim)
{
	struct reading reading = {.at = factory, .parts = parts};
	char *end;

	*parts = (struct factory_parts){.dim = dim};
	parts->steps = calloc(STEPS_OF_ONE * (strlen(factory) / TRANSFORM_LETTERS + 1),
			      sizeof *parts->steps);
	if (!parts->steps)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a factory"),
				 REASON_MEMORY_LIMIT);
	while (take_transform(&reading))
		continue;
	parts->core = strdup(reading.at);
	if (!parts->core)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a factory"),
				 REASON_MEMORY_LIMIT);
	end = strstr(parts->core, ",RFlat");
	end = end ? end : strstr(parts->core, ",Refine(");
	if (end)
		*end = '\0';
	take_core(&reading);
	return status_ok();
}

void factory_parts_finish(struct factory_parts *parts)
{
	free(parts->steps);
	free(parts->core);
}
