/* iterating - an Iterate word by word, for tests that hold many of them. */
#ifndef SLUICE_TESTS_E2E_ITERATING_H
#define SLUICE_TESTS_E2E_ITERATING_H

#include "tests/e2e/rows.h"

/* What is sent; false: the call is over. */
bool iterate_open(struct grpc_stream *stream, const Sluice__V1__SearchRequest *wanted);
bool iterate_credit(struct grpc_stream *stream, uint32_t hits);
bool iterate_close(struct grpc_stream *stream);

/* iterate_await_opened - the id of the cursor, in the session's arena. */
const char *iterate_await_opened(struct session *session, struct grpc_stream *stream);

/* iterate_await_hits - until n have come, which were granted. */
void iterate_await_hits(struct session *session, struct grpc_stream *stream, size_t n);

/* iterate_read_all - to the end, and how that was. ret_stop  of the summary; NULL: not wanted. */
struct answer iterate_read_all(struct session *session, struct grpc_stream *stream,
			       Sluice__V1__StopReason *ret_stop);

/* iterate_cancel - from outside, over the world's session. */
struct answer iterate_cancel(const char *cursor_id);

/* server_entries - how many the server has of what is listed in /proc/PID/WHAT: "fd", "task". */
size_t server_entries(const char *what);

#endif
