/* unserved - what the contract has and this server has not, or what is in no contract: it is named. */
#include "tests/e2e/rows.h"

TestSuite(unserved, .init = world_open, .fini = world_close, .timeout = 120);

Test(unserved, methods_that_are_not_served_say_which)
{
	static const char *const paths[] = {
		"/sluice.v1.CollectionService/Nonsense",
		"/sluice.v1.AdminService/Nonsense",
		"/sluice.v2.AdminService/GetServerInfo",
		"/nonsense",
		"/",
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct method method = {paths[i], get_server_info.response};

		WANT(session_call_bytes(&world.session, &method, (struct bytes){0}),
		     GRPC_STATUS_UNIMPLEMENTED, paths[i]);
	}
}

/* A client that streams and waits must be told before it has sent anything. */
Test(unserved, methods_that_are_not_served_answer_a_stream_at_once)
{
	static const struct method paths[] = {
		{"/sluice.v1.RetrievalService/Nonsense", NULL},
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		SCOPED(grpc_stream) stream = session_stream(&world.session, &paths[i], NULL);

		WANT(session_finish(&world.session, stream), GRPC_STATUS_UNIMPLEMENTED,
		     paths[i].path);
	}
}
