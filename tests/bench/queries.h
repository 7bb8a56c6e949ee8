/* queries - the rows of a .npy file as searches, for programs that measure: a mistake ends them. */
#ifndef SLUICE_TESTS_BENCH_QUERIES_H
#define SLUICE_TESTS_BENCH_QUERIES_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "service/cli/npy.h"
#include "sluice/v1/retrieval_service.pb-c.h"

/* Not to be moved once a request was made. */
struct queries {
	struct arena arena;
	struct npy *file;
	const char *collection; /* borrowed */
	float *values;          /* of the request made last */
	Sluice__V1__Vector vector;
};

/* queries_open - both borrowed as long as the queries live. */
void queries_open(struct queries *queries, const char *path, const char *collection);
void queries_close(struct queries *queries);

/* queries_request - a search by the i-th vector, counted round. It borrows from queries until the
 * next one is made. */
Sluice__V1__SearchRequest queries_request(struct queries *queries, size_t i);

/* message_write - the message's bytes, in place of what ret held. */
void message_write(const ProtobufCMessage *message, struct buffer *ret);

#endif
