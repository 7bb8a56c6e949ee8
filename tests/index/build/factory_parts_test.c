/* What a factory string is made of. */
#include "index/build/factory_parts.h"

#include <criterion/criterion.h>

#define DIM 96
#define COUNT(array) (sizeof(array) / sizeof *(array))

Test(factory_parts, have_a_core_and_its_codes)
{
	static const struct {
		const char *factory, *core;
		size_t n_steps;
		uint32_t dim;
		bool coded, residual;
		struct codebooks_shape shape;
	} cases[] = {
		{"Flat", "Flat", 0, DIM, false, false, {0}},
		{"SQ8", "SQ8", 0, DIM, false, false, {0}},
		{"HNSW32", "HNSW32", 0, DIM, false, false, {0}},
		{"HNSW32,SQ8", "HNSW32,SQ8", 0, DIM, false, false, {0}},
		{"PQ48", "PQ48", 0, DIM, true, false, {DIM, 48, 8}},
		{"PQ48x12np", "PQ48x12np", 0, DIM, true, false, {DIM, 48, 12}},
		{"PQ48x4fs_64", "PQ48x4fs_64", 0, DIM, true, false, {DIM, 48, 4}},
		{"HNSW16,PQ24", "HNSW16,PQ24", 0, DIM, true, false, {DIM, 24, 8}},
		{"IVF64,PQ48", "IVF64,PQ48", 0, DIM, true, true, {DIM, 48, 8}},
		{"IVF64,PQ48x6", "IVF64,PQ48x6", 0, DIM, true, true, {DIM, 48, 6}},
		{"IVF64,PQ48x4fs", "IVF64,PQ48x4fs", 0, DIM, true, false, {DIM, 48, 4}},
		{"IVF64,PQ48x4fsr", "IVF64,PQ48x4fsr", 0, DIM, true, true, {DIM, 48, 4}},
		{"IVF64_HNSW16,PQ8,RFlat", "IVF64_HNSW16,PQ8", 0, DIM, true, true, {DIM, 8, 8}},
		{"IVF64,SQ8,Refine(PQ48)", "IVF64,SQ8", 0, DIM, false, false, {0}},
		{"PCA64,IVF64,PQ32", "IVF64,PQ32", 1, 64, true, true, {64, 32, 8}},
		{"OPQ16_64,PQ16x4fs,RFlat", "PQ16x4fs", 1, 64, true, false, {64, 16, 4}},
		{"Pad128,L2norm,RR,HNSW32", "HNSW32", 3, 128, false, false, {0}},
		{"ITQ,SQ8", "SQ8", 3, DIM, false, false, {0}},
		{"ITQ48,SQ8", "SQ8", 4, 48, false, false, {0}},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		SCOPED(factory_parts) parts = &(struct factory_parts){0};

		cr_assert(!status_failed(factory_parts_init(parts, cases[i].factory, DIM)));
		cr_assert_str_eq(parts->core, cases[i].core);
		cr_assert_eq(parts->n_steps, cases[i].n_steps, "%s", cases[i].factory);
		cr_assert_eq(parts->dim, cases[i].dim, "%s", cases[i].factory);
		cr_assert_eq(parts->coded, cases[i].coded, "%s", cases[i].factory);
		cr_assert_eq(parts->residual, cases[i].residual, "%s", cases[i].factory);
		cr_assert_eq(parts->shape.dim, cases[i].shape.dim, "%s", cases[i].factory);
		cr_assert_eq(parts->shape.groups, cases[i].shape.groups, "%s", cases[i].factory);
		cr_assert_eq(parts->shape.bits, cases[i].shape.bits, "%s", cases[i].factory);
	}
}

Test(factory_parts, have_transforms_in_their_order)
{
	static const struct factory_step wanted[] = {
		{.kind = FACTORY_PAD, .from = DIM, .to = 128},
		{.kind = FACTORY_PCA, .from = 128, .to = 80, .white = true, .turned = true},
		{.kind = FACTORY_CODES, .from = 80, .to = 64, .groups = 16},
		{.kind = FACTORY_RANDOM, .from = 64, .to = 32},
		{.kind = FACTORY_UNIT, .from = 32, .to = 32},
		{.kind = FACTORY_CENTRE, .from = 32, .to = 32},
		{.kind = FACTORY_UNIT, .from = 32, .to = 32},
		{.kind = FACTORY_PCA, .from = 32, .to = 16},
		{.kind = FACTORY_SIGNS, .from = 16, .to = 16},
	};
	SCOPED(factory_parts) parts = &(struct factory_parts){0};

	cr_assert(!status_failed(
		factory_parts_init(parts, "Pad128,PCAWR80,OPQ16_64,RR32,L2norm,ITQ16,Flat", DIM)));
	cr_assert_eq(parts->n_steps, COUNT(wanted));
	for (size_t i = 0; i < COUNT(wanted); i++) {
		const struct factory_step *step = &parts->steps[i];

		cr_assert_eq(step->kind, wanted[i].kind, "%zu", i);
		cr_assert_eq(step->from, wanted[i].from, "%zu", i);
		cr_assert_eq(step->to, wanted[i].to, "%zu", i);
		cr_assert_eq(step->groups, wanted[i].groups, "%zu", i);
		cr_assert_eq(step->white, wanted[i].white, "%zu", i);
		cr_assert_eq(step->turned, wanted[i].turned, "%zu", i);
	}
}
