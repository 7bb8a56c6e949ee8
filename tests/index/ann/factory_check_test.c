/* Factory strings: what is taken, and that nothing a client sends gets to FAISS as it is. */
#include "index/ann/factory_check.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DIM 96

static struct arena arena;

static void make(void)
{
	arena_init(&arena, 1 << 20);
}

static void finish(void)
{
	arena_finish(&arena);
}

TestSuite(factory_check, .init = make, .fini = finish);

Test(factory_check, takes_what_faiss_takes)
{
	static const struct {
		const char *factory;
		struct factory_traits traits;
	} cases[] = {
		{"Flat", {0, 0, 0, 256}},
		{"SQ8", {0, 0, 0, 256}},
		{"SQ4", {0, 0, 0, 256}},
		{"SQ6", {0, 0, 0, 256}},
		{"SQfp16", {0, 0, 0, 256}},
		{"PQ48", {0, 0, 256, 9984}},
		{"PQ48x4", {0, 0, 16, 624}},
		{"PQ48np", {0, 0, 256, 9984}},
		{"PQ48x4fs", {0, 0, 16, 624}},
		{"PQ48x4fs_64", {0, 0, 16, 624}},
		{"HNSW32", {0, 32, 0, 256}},
		{"HNSW32,Flat", {0, 32, 0, 256}},
		{"HNSW16,SQ8", {0, 16, 0, 256}},
		{"HNSW16,RFlat", {0, 16, 0, 256}},
		{"IVF1024,Flat", {1024, 0, 1024, 39936}},
		{"IVF64,SQ8", {64, 0, 64, 2496}},
		{"IVF64,PQ48x4fs", {64, 0, 64, 2496}},
		{"IVF64,PQ48x4fsr", {64, 0, 64, 2496}},
		{"IVF64,PQ48x4fs,RFlat", {64, 0, 64, 2496}},
		{"IVF64,PQ48x4fs,Refine(SQ8)", {64, 0, 64, 2496}},
		{"IVF4096_HNSW32,PQ48", {4096, 0, 4096, 159744}},
		{"HNSW32,PQ48", {0, 32, 256, 9984}},
		{"IVF64,SQ8,Refine(PQ48x12)", {64, 0, 4096, 159744}},
		{"PCA64,IVF64,PQ32", {64, 0, 256, 9984}},
		{"PCAR64,SQ8", {0, 0, 0, 384}},
		{"PCAWR64,SQ8", {0, 0, 0, 384}},
		{"OPQ16_64,IVF64,PQ16x4fs", {64, 0, 256, 9984}},
		{"RR,SQ8", {0, 0, 0, 384}},
		{"RR64,SQ8", {0, 0, 0, 384}},
		{"ITQ,SQ8", {0, 0, 0, 384}},
		{"L2norm,Flat", {0, 0, 0, 256}},
		{"Pad128,HNSW32", {0, 32, 0, 256}},
	};
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct factory_traits traits;
		status s = factory_parse(cases[i].factory, DIM, &arena, &traits);

		cr_assert(!status_failed(s), "%s", s.detail);
		cr_assert_eq(memcmp(&traits, &cases[i].traits, sizeof traits), 0, "%s: %u",
			     cases[i].factory, traits.rows_min);
		for (size_t k = 0; k < COUNT(metrics); k++) {
			s = factory_check(cases[i].factory, DIM, metrics[k], &arena);
			cr_assert(!status_failed(s), "%s", s.detail);
		}
	}
}

Test(factory_check, refuses_the_rest_and_says_where)
{
	static const char *const cases[] = {
		"",
		" Flat",
		"Flat ",
		"flat",
		"Flat,",
		"Flat,Flat",
		"SQ",
		"SQ16",
		"PQ",
		"PQ0",
		"PQ7",
		"PQ97",
		"PQ-1",
		"PQ99999999999999999999",
		"PQ48x0",
		"PQ48x13",
		"PQ48x4fs_0",
		"PQ48x4fs_33",
		"PQ48x4fsr",
		"HNSW",
		"HNSW0",
		"HNSW1",
		"HNSW129",
		"HNSW2000000000",
		"HNSW32,",
		"HNSW32,IVF64,Flat",
		"HNSW32,PQ48x8",
		"HNSW32,PQ48x4fs",
		"IVF64,PQ48x12",
		"IVF64,Flat,Refine(PQ48x4fsr)",
		"IVF,Flat",
		"IVF0,Flat",
		"IVF16385,Flat",
		"IVF2000000000,Flat",
		"IVF64",
		"IVF64,",
		"IVF64,HNSW32",
		"IVF64(HNSW32),Flat",
		"IVF64_HNSW,Flat",
		"IMI2x10,Flat",
		"Residual2x31,PQ8",
		"LSH",
		"ZnLattice1x1_1",
		"NSG32",
		"RQ2x8",
		"LSQ2x8",
		"PRQ2x2x8",
		"IDMap,Flat",
		"PCA0,Flat",
		"PCA97,Flat",
		"PCA64",
		"PCA64,",
		"PCA64,PQ48",
		"OPQ7,Flat",
		"OPQ16_0,Flat",
		"Pad0,Flat",
		"Pad9000,Flat",
		"RR0,Flat",
		"IVF64,PQ48,Refine(",
		"IVF64,PQ48,Refine(Flat",
		"IVF64,PQ48,Refine(Flat))",
		"IVF64,PQ48,Refine(IVF2,Flat)",
		"IVF64,PQ48,RFlat,RFlat",
		"((((((((((((((((",
		"%s%n%s",
		"Flat\nFlat",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		status s = factory_check(cases[i], DIM, METRIC_L2, &arena);

		cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "\"%s\"", cases[i]);
		cr_assert(strlen(s.detail) > 20);
	}
}

/* Pieces of strings that are right, put together at random: what passes, FAISS makes. (What it refuses
 * it leaks, in part.) */
Test(factory_check, nothing_that_passes_hurts, .timeout = 120)
{
	static const char *const pieces[] = {
		"PCA", "PCAR", "W",  "OPQ",  "RR", "ITQ",     "L2norm", "Pad",   "Flat",
		"SQ8", "SQ4",  "PQ", "x4fs", "x",  "np",      "HNSW",   "IVF",   "_HNSW",
		",",   ",",    ",",  ",",    "1",  "2",       "4",      "8",     "16",
		"48",  "64",   "96", "0",    "_",  "Refine(", ")",      "RFlat", "r",
	};
	struct random random = {1};
	uint32_t passed = 0;

	for (size_t i = 0; i < 200000; i++) {
		size_t n = 1 + random_below(&random, 8), length = 0;
		struct factory_traits traits;
		char factory[128];
		status s;

		for (size_t k = 0; k < n; k++) {
			const char *piece = pieces[random_below(&random, COUNT(pieces))];

			memcpy(factory + length, piece, strlen(piece));
			length += strlen(piece);
		}
		factory[length] = '\0';
		if (status_failed(factory_parse(factory, DIM, NULL, &traits)))
			continue;
		passed++;
		cr_assert_geq(traits.rows_min, 256);
		s = factory_check(factory, DIM, i % 2 ? METRIC_L2 : METRIC_COSINE, &arena);
		cr_assert(!status_failed(s), "%s", s.detail);
	}
	cr_assert_gt(passed, 1000, "%u", passed);
}
