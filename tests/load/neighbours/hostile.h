/* hostile - connections that mean no good: silent, slow, greedy, flooding, or no HTTP/2 at all.
 *
 * Plain sockets to the loopback. Each is opened with one of the attacks, which is sent at once and of
 * which nothing is read; the slow ones go on by a byte at a time. Nothing here waits for longer than
 * a fifth of a second, whatever the server does. None of these asserts.
 */
#ifndef SLUICE_TESTS_LOAD_NEIGHBOURS_HOSTILE_H
#define SLUICE_TESTS_LOAD_NEIGHBOURS_HOSTILE_H

#include "tests/e2e/http2.h"
#include "tests/e2e/random.h"

struct attack;

struct hostile {
	struct http2 http2;          /* fd -1: none */
	const struct attack *attack; /* NULL: never opened */
};

/* hostile_kinds - how many attacks there are; HOSTILE_SILENT is one. hostile_name - of one of them. */
#define HOSTILE_SILENT 0
size_t hostile_kinds(void);
const char *hostile_name(size_t kind);

/* hostile_open - gives how many streams it has begun; 0 and fd -1 where it could not connect.
 * message  a request of Search with its five bytes in front. */
size_t hostile_open(struct hostile *hostile, size_t kind, const char *address, struct bytes message,
		    struct random *random);

/* hostile_go_on - a byte more of a slow one; nothing of others. */
void hostile_go_on(struct hostile *hostile);

/* hostile_close - every other time without a goodbye. Fine on a zeroed struct, where fd is -1. */
void hostile_close(struct hostile *hostile, struct random *random);

#endif
