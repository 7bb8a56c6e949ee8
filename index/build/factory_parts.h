/* factory_parts - a factory string taken apart, so that what FAISS would train in one call can be trained
 * in many: transforms, the core, and how the core's codes are made.
 *
 * The string is one that index/ann/factory_check.h has let pass; of another the parts may be wrong, and
 * FAISS then refuses the core. What refines (",RFlat", ",Refine(...)") is left out: FAISS would put the
 * candidates that it gives in another order, and their order here comes from their exact scores.
 */
#ifndef SLUICE_INDEX_BUILD_FACTORY_PARTS_H
#define SLUICE_INDEX_BUILD_FACTORY_PARTS_H

#include "index/build/codebooks.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum factory_step_kind {
	FACTORY_PCA,
	FACTORY_RANDOM, /* a rotation */
	FACTORY_CODES,  /* a rotation that is learnt for codes (OPQ) */
	FACTORY_SIGNS,  /* a rotation that is learnt for signs: what is left of ITQ */
	FACTORY_CENTRE,
	FACTORY_UNIT, /* to unit length */
	FACTORY_PAD,
};

struct factory_step {
	enum factory_step_kind kind;
	uint32_t from, to;  /* dimensions */
	uint32_t groups;    /* of OPQ */
	bool white, turned; /* of PCA */
};

struct factory_parts {
	struct factory_step *steps; /* [n_steps] owned */
	size_t n_steps;
	char *core;    /* owned */
	uint32_t dim;  /* of the core */
	bool coded;    /* by a product quantizer of this shape */
	bool residual; /* whose codes are of what lists leave of a row */
	struct codebooks_shape shape;
};

/* factory_parts_init - Fails: RESOURCE_EXHAUSTED */
status factory_parts_init(struct factory_parts *parts, const char *factory, uint32_t dim);
void factory_parts_finish(struct factory_parts *parts); /* all zero is fine */

SCOPE_DEFINE(factory_parts, factory_parts_finish)

#endif
