/* model - what a server that is killed must have afterwards, collection by collection.
 *
 * A collection's writer sends one operation after the other and notes each before it is sent; the first
 * that are pending may be acknowledged later. So after a crash the collection is what the acknowledged
 * operations made of it, or that with some of the pending ones, from the first on, each whole: no
 * other world is right. What a chunk holds follows from its number and the operation that wrote it.
 * Nothing in here asserts.
 */
#ifndef SLUICE_TESTS_CRASH_MODEL_H
#define SLUICE_TESTS_CRASH_MODEL_H

#include "sluice/v1/collection_service.pb-c.h"
#include "tests/e2e/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PLANS = 4,
	IDS_MAX = 2000,
	DIM = 8,
	BATCH_MAX = 160,
	PENDING_MAX = 8,
	LANGUAGES = 5, /* values of the field "lang", by which a filter deletes */
	DOCUMENT_CHUNKS = 9,
};

/* What a collection is like. */
struct plan {
	const char *name;
	size_t ids; /* chunks 0 .. ids - 1 come and go */
	Sluice__V1__Metric metric;
	Sluice__V1__IndexKind kind;
	Sluice__V1__VectorEncoding encoding;
	const char *factory;
	size_t drop_every; /* of so many operations one drops it */
};

extern const struct plan plans[PLANS];

/* versions  the operation that wrote each chunk; 0: it is not there. All zero: no collection. */
struct state {
	bool exists;
	uint32_t versions[IDS_MAX];
};

enum op_kind { OP_CREATE, OP_DROP, OP_UPSERT, OP_DELETE, OP_DELETE_LANGUAGE };

struct op {
	enum op_kind kind;
	uint32_t version;  /* operations count from 1 */
	uint32_t language; /* OP_DELETE_LANGUAGE */
	size_t n;
	uint16_t ids[BATCH_MAX];
};

struct model {
	const struct plan *plan;
	struct state state;             /* of what was acknowledged */
	struct state sent;              /* with all that is pending */
	struct op pending[PENDING_MAX]; /* [n_pending], the oldest first */
	size_t n_pending;
	uint32_t last_version;
	uint64_t n_acknowledged;
};

void state_apply(struct state *state, const struct op *op);
size_t state_count(const struct state *state);

/* model_draw - the next operation that makes sense, which is not pending yet. */
void model_draw(struct model *model, struct random *random, struct op *ret);
/* model_send - it is pending; model_acknowledge - the oldest is done. */
void model_send(struct model *model, const struct op *op);
void model_acknowledge(struct model *model);

/* model_settle - what is found becomes the state, if it is one of those that may be; else false, and
 * ret_why says where it is nearest to the acknowledged one. Nothing is pending then. */
bool model_settle(struct model *model, const struct state *found, char *ret_why, size_t size);

/* --- what a chunk holds --- */

uint32_t chunk_language(uint32_t id, uint32_t version);
/* chunk_padding - spaces behind its text: of a few chunks so many that LMDB gives them pages of their
 * own. */
size_t chunk_padding(uint32_t id, uint32_t version);
/* chunk_vector - as it is sent. No two are alike. */
void chunk_vector(uint32_t id, uint32_t version, float ret[DIM]);

#endif
