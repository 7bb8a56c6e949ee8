/* health - what probes ask and watch. Its end is in drain_test. */
#include "tests/e2e/health.h"

TestSuite(health, .init = world_open, .fini = world_close, .timeout = 120);

typedef Grpc__Health__V1__HealthListResponse list_response;

static const struct method list = {"/grpc.health.v1.Health/List",
				   &grpc__health__v1__health_list_response__descriptor};

static const char *const services[] = {
	"",
	"grpc.health.v1.Health",
	"grpc.reflection.v1.ServerReflection",
	"grpc.reflection.v1alpha.ServerReflection",
	"liveness",
	"readiness",
	"sluice.v1.AdminService",
	"sluice.v1.CollectionService",
	"sluice.v1.IngestService",
	"sluice.v1.RetrievalService",
	"startup",
};

#define N_SERVICES (sizeof services / sizeof *services)

static check_request request_of(const char *service)
{
	check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

	request.service = text_of("%s", service);
	return request;
}

Test(health, checks_every_service_that_there_is)
{
	check_request request;

	for (size_t i = 0; i < N_SERVICES; i++) {
		struct answer answer;

		request = request_of(services[i]);
		answer = session_call(&world.session, &health_check, &request.base);
		WANT(answer, GRPC_STATUS_OK, "");
		cr_assert_eq(((const check_response *)answer.message)->status, STATE(SERVING));
	}
	request = request_of("sluice.v1.Nonsense");
	WANT(session_call(&world.session, &health_check, &request.base), GRPC_STATUS_NOT_FOUND,
	     "sluice.v1.Nonsense");
}

Test(health, lists_them)
{
	struct answer answer = session_call_bytes(&world.session, &list, (struct bytes){0});
	const list_response *response = answer.message;

	WANT(answer, GRPC_STATUS_OK, "");
	cr_assert_eq(response->n_statuses, N_SERVICES);
	for (size_t i = 0; i < N_SERVICES; i++) {
		size_t found = 0;

		for (size_t j = 0; j < response->n_statuses; j++) {
			if (strcmp(response->statuses[j]->key, services[i]) != 0)
				continue;
			found++;
			cr_assert_eq(response->statuses[j]->value->status, STATE(SERVING));
		}
		cr_assert_eq(found, 1, "%s", services[i]);
	}
}

Test(health, watches_and_says_the_state_at_once)
{
	static const struct {
		const char *service;
		int state;
	} cases[] = {
		{"", STATE(SERVING)},
		{"sluice.v1.RetrievalService", STATE(SERVING)},
		{"nonsense", STATE(SERVICE_UNKNOWN)},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check_request request = request_of(cases[i].service);
		SCOPED(grpc_stream) stream =
			session_stream(&world.session, &health_watch, &request.base);
		const check_response *response =
			session_next(&world.session, &health_watch, stream, NULL);

		cr_assert_not_null(response);
		cr_assert_eq(response->status, cases[i].state);
	}
	want_idle();
}

Test(health, refuses_what_it_cannot_read)
{
	const struct bytes broken = bytes_of("\x0A\x7F", 2);

	WANT(session_call_bytes(&world.session, &health_check, broken),
	     GRPC_STATUS_INVALID_ARGUMENT, "");
	WANT(session_call_bytes(&world.session, &health_watch, broken),
	     GRPC_STATUS_INVALID_ARGUMENT, "");
}
