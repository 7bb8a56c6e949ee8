#include "grpc/health/v1/health.pb-c.h"
#include "service/rpc/protobuf_arena.h"
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>

typedef Grpc__Health__V1__HealthCheckRequest check_request;
typedef Grpc__Health__V1__HealthCheckResponse check_response;
typedef Grpc__Health__V1__HealthListResponse list_response;

#define HEALTH(method) "/grpc.health.v1.Health/" method

enum { UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN };

static struct toy toy;
static struct grpc_client *client;

static void setup(void)
{
	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
}

static void teardown(void)
{
	grpc_client_close(client);
	toy_close(&toy);
}

TestSuite(health, .init = setup, .fini = teardown, .timeout = 60);

static struct buffer ask_for(const char *service)
{
	check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct buffer bytes = {0};

	request.service = (char *)service;
	buffer_pack(&bytes, &request.base);
	return bytes;
}

static int state_of(const struct buffer *message)
{
	check_response *response =
		grpc__health__v1__health_check_response__unpack(NULL, message->size, message->data);
	int state;

	cr_assert_not_null(response);
	state = (int)response->status;
	grpc__health__v1__health_check_response__free_unpacked(response, NULL);
	return state;
}

static struct grpc_stream *watch(const char *service)
{
	struct buffer request = ask_for(service);
	struct grpc_stream *stream = grpc_stream_open_server(
		client, HEALTH("Watch"), bytes_of(request.data, request.size), 50);

	buffer_finish(&request);
	return stream;
}

Test(health, knows_every_service_and_no_other)
{
	static const struct {
		const char *service;
		int code;
	} cases[] = {
		{"", 0},
		{"toy.Toy", 0},
		{"grpc.health.v1.Health", 0},
		{"grpc.reflection.v1.ServerReflection", 0},
		{"grpc.reflection.v1alpha.ServerReflection", 0},
		{"toy.To", STATUS_NOT_FOUND},
		{"toy.Toy ", STATUS_NOT_FOUND},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buffer request = ask_for(cases[i].service);
		struct grpc_reply reply;

		grpc_client_unary(client, HEALTH("Check"), bytes_of(request.data, request.size), 20,
				  &reply);
		cr_assert_eq(reply.code, cases[i].code, "%s", cases[i].service);
		if (reply.code == 0)
			cr_assert_eq(state_of(&reply.message), SERVING);
		grpc_reply_finish(&reply);
		buffer_finish(&request);
	}
}

Test(health, refuses_what_does_not_parse)
{
	static const char *const methods[] = {HEALTH("Check"), HEALTH("Watch"), HEALTH("List")};

	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
		struct grpc_reply reply;

		grpc_client_unary(client, methods[i], bytes_of("\x0A\x7Fx", 3), 20, &reply);
		cr_assert_eq(reply.code, STATUS_INVALID_ARGUMENT, "%s: %s", methods[i],
			     reply.detail);
		grpc_reply_finish(&reply);
	}
}

Test(health, lists_all_services)
{
	struct grpc_reply reply;
	list_response *list;
	bool has_toy = false, has_whole = false;

	cr_assert_eq(grpc_client_unary(client, HEALTH("List"), bytes_of(NULL, 0), 20, &reply), 0);
	list = grpc__health__v1__health_list_response__unpack(NULL, reply.message.size,
							      reply.message.data);
	cr_assert_not_null(list);
	cr_assert_eq(list->n_statuses, 8);
	for (size_t i = 0; i < list->n_statuses; i++) {
		has_toy |= strcmp(list->statuses[i]->key, "toy.Toy") == 0;
		has_whole |= list->statuses[i]->key[0] == 0;
		cr_assert_eq((int)list->statuses[i]->value->status, SERVING);
	}
	cr_assert(has_toy && has_whole);
	grpc__health__v1__health_list_response__free_unpacked(list, NULL);
	grpc_reply_finish(&reply);
}

static void *drain(void *arg)
{
	(void)arg;
	rpc_server_drain(toy.server, 30);
	return NULL;
}

Test(health, tells_its_watchers_of_the_drain_and_lets_them_go)
{
	struct grpc_stream *known = watch("toy.Toy"), *unknown = watch("toy.To");
	struct buffer message = {0};
	pthread_t thread;
	bool late;

	cr_assert(grpc_stream_next(known, &message));
	cr_assert_eq(state_of(&message), SERVING);
	cr_assert(grpc_stream_next(unknown, &message));
	cr_assert_eq(state_of(&message), SERVICE_UNKNOWN);
	cr_assert_not(grpc_stream_next_within(known, 0.05, &message, &late));
	cr_assert(late);

	cr_assert_eq(pthread_create(&thread, NULL, drain, NULL), 0);
	cr_assert(grpc_stream_next(known, &message));
	cr_assert_eq(state_of(&message), NOT_SERVING);
	cr_assert_not(grpc_stream_next(known, &message));
	cr_assert_eq(grpc_stream_finish(known, NULL), STATUS_UNAVAILABLE);
	cr_assert_not(grpc_stream_next(unknown, &message));
	cr_assert_eq(grpc_stream_finish(unknown, NULL), STATUS_UNAVAILABLE);
	grpc_stream_close(known);
	grpc_stream_close(unknown);
	pthread_join(thread, NULL);
	buffer_finish(&message);
}
