/* world - what most tests start from: a server over an empty folder and a session with it.
 *
 *	TestSuite(search, .init = world_open, .fini = world_close, .timeout = 120);
 *
 * world_close stops the server and wants it to exit 0: whatever a test did to it, it lived, leaked
 * nothing (under AddressSanitizer) and had no call left. All of these assert: for the test's own
 * thread alone.
 */
#ifndef SLUICE_TESTS_E2E_WORLD_H
#define SLUICE_TESTS_E2E_WORLD_H

#include "sluice/v1/admin_service.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"
#include "tests/e2e/server.h"
#include "tests/e2e/session.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <grpc/status.h>

struct world {
	struct scratch scratch;
	struct server server;
	struct session session;
};

extern struct world world;

void world_open(void);
void world_close(void);

/* world_restart - the server again, over the same folder, and a new session with it: what the old one's
 * arena held is gone. */
void world_restart(const struct server_options *options);

/* world_restart_with - the same, with a configuration file of this text. */
void world_restart_with(const struct server_options *options, const char *text);

/* WANT - the code, and in the detail each of the words, which '|' separates. "" is any detail. */
#define WANT(answer, code, words) want_at(__LINE__, (answer), (code), (words))
void want_at(int line, struct answer answer, int code, const char *words);

/* want_idle - within ten seconds nothing is alive in the server any more: calls, cursors,
 * snapshots, work of a GPU. */
void want_idle(void);

void make_collection(const char *name, uint32_t dim, Sluice__V1__Metric metric);
uint64_t count_of(const char *collection);
const Sluice__V1__GetCollectionResponse *described(const char *collection);

/* optimize_now - to its end, which is OK. */
void optimize_now(const char *collection);

/* await_indexed - until so many rows are indexed. Deletes nothing, again and again: that has the writer
 * look after sealing. */
void await_indexed(const char *collection, uint64_t rows);

/* text_of - printf into the session's arena. */
char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
