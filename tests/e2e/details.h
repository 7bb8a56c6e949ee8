/* details - what a failed call says in grpc-status-details-bin. */
#ifndef SLUICE_TESTS_E2E_DETAILS_H
#define SLUICE_TESTS_E2E_DETAILS_H

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "tests/e2e/session.h"

/* Each is NULL where it did not come. */
struct details {
	const Google__Rpc__Status *status;
	const Google__Rpc__BadRequest *bad_request;
	const Google__Rpc__ErrorInfo *info;
	const Google__Rpc__ResourceInfo *resource;
	const Google__Rpc__RetryInfo *retry;
};

/* details_of - in the session's arena. Wants the status within to be the call's own, the domain to
 * be ours, and no detail of another type. */
struct details details_of(struct session *session, struct answer answer);

/* details_value - of a key in the info's metadata; "" where there is none. */
const char *details_value(const struct details *details, const char *key);

/* WANT_REASON - details_of, with an ErrorInfo of that reason. */
#define WANT_REASON(session, answer, reason) want_reason_at(__LINE__, (session), (answer), (reason))
struct details want_reason_at(int line, struct session *session, struct answer answer,
			      const char *reason);

#endif
