/* heaps - rows that lie in heaps, as those of texts do, and questions among them. */
#ifndef SLUICE_TESTS_INDEX_ANN_HEAPS_H
#define SLUICE_TESTS_INDEX_ANN_HEAPS_H

#include "index/ann/ann.h"
#include "tests/index/segment/sealed_fixture.h"

/* What a collection is made of. */
struct heaps_made_of {
	enum metric metric;
	enum vector_encoding encoding;
	uint32_t dim, n;
	enum index_kind kind;
	const char *factory; /* NULL: none */
};

struct heaps_truths;

/* heaps - a segment with its file, open; and the answers to the questions that were asked last, owned,
 * since they are asked again for another recall. */
struct heaps {
	struct room room;
	struct sealed *sealed;
	struct heaps_truths *truths;
};

void heaps_init(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed);
void heaps_finish(struct heaps *heaps);

/* heaps_begin, heaps_seal - heaps_init in two steps, for rows of another kind: in between they are drawn
 * into the room. heaps_keep - makes of a vector what is kept: of unit length, in halves. */
void heaps_begin(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed);
void heaps_seal(struct heaps *heaps);
void heaps_keep(const struct heaps *heaps, float *vector);

struct sealed_file heaps_file(const struct heaps *heaps);

/* heaps_build - the index; must succeed. */
void heaps_build(struct heaps *heaps);

/* heaps_open - must succeed and be there. */
struct ann *heaps_open(struct heaps *heaps);

/* heaps_question - near one heap and not far from another; ret [dim]. */
void heaps_question(const struct heaps *heaps, uint64_t nth, float *ret);

/* A question and its answer. */
struct heaps_probe {
	struct ann_probe probe;
	struct window window;
	struct arena memory;
};

/* heaps_probe_init - with a window for width rows, and base 5,000,000. */
void heaps_probe_init(struct heaps_probe *probe, const float *query, uint32_t depth, float recall,
		      size_t width);
void heaps_probe_finish(struct heaps_probe *probe);

#define HEAPS_BASE UINT64_C(5000000)

/* heaps_truth - the nearest depth rows among those that may be hits (NULL: all), by sorting. */
void heaps_truth(const struct heaps *heaps, const float *query, uint32_t depth,
		 bool (*visible)(const void *context, uint32_t place), uint64_t *ret_places);

/* heaps_asking - questions, and who may be a hit. */
struct heaps_asking {
	uint32_t questions, depth;
	float recall;
	bool (*visible)(const void *context, uint32_t place); /* NULL: all; the context is NULL */
	double share;
};

/* heaps_recall - the share of the truth that is in the windows. ret_read  of all rows, on average.
 * heaps_recall_of - with other questions than heaps_question's. */
double heaps_recall(const struct heaps *heaps, const struct ann *ann,
		    const struct heaps_asking *asking, double *ret_read);
double heaps_recall_of(const struct heaps *heaps, const struct ann *ann,
		       const struct heaps_asking *asking,
		       void (*question)(const struct heaps *heaps, uint64_t nth, float *ret),
		       double *ret_read);

/* heaps_want_recall - asserts that of a hundred questions' first ten a share of target is found. */
void heaps_want_recall(const struct heaps *heaps, const struct ann *ann, float target);

#endif
