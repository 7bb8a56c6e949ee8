/* health - see health.h. */
#include "tests/e2e/health.h"

const struct method health_check = {"/grpc.health.v1.Health/Check",
				    &grpc__health__v1__health_check_response__descriptor};
const struct method health_watch = {"/grpc.health.v1.Health/Watch",
				    &grpc__health__v1__health_check_response__descriptor};

struct grpc_stream *health_watch_open(struct session *session)
{
	const check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct grpc_stream *stream = session_stream(session, &health_watch, &request.base);
	const check_response *response = session_next(session, &health_watch, stream, NULL);

	cr_assert_not_null(response);
	cr_assert_eq(response->status, STATE(SERVING));
	return stream;
}
