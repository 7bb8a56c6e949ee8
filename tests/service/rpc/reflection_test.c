#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "service/rpc/protobuf_arena.h"
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;
typedef Grpc__Reflection__V1__ExtensionRequest extension_request;
typedef Google__Protobuf__FileDescriptorProto file_proto;

#define ASKS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define ANSWERS(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

static struct toy toy;
static struct grpc_client *client;
static struct grpc_stream *stream;

static void setup(void)
{
	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
	stream = grpc_stream_open(client,
				  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 50);
}

static void teardown(void)
{
	struct buffer none = {0};

	cr_assert(grpc_stream_half_close(stream));
	cr_assert_not(grpc_stream_next(stream, &none));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	grpc_stream_close(stream);
	grpc_client_close(client);
	toy_close(&toy);
}

TestSuite(reflection, .init = setup, .fini = teardown, .timeout = 60);

/* One question over the stream; to be freed by answer_free. */
static reflection_response *ask(const reflection_request *request)
{
	struct buffer bytes = {0}, message = {0};
	reflection_response *response;

	buffer_pack(&bytes, &request->base);
	cr_assert(grpc_stream_send(stream, bytes_of(bytes.data, bytes.size)));
	cr_assert(grpc_stream_next(stream, &message));
	response = grpc__reflection__v1__server_reflection_response__unpack(NULL, message.size,
									    message.data);
	cr_assert_not_null(response);
	cr_assert_not_null(response->original_request);
	cr_assert_eq(response->original_request->message_request_case,
		     request->message_request_case);
	buffer_finish(&bytes);
	buffer_finish(&message);
	return response;
}

/* All questions but the one for an extension carry one string in the same place. */
static reflection_response *ask_name(int what, const char *name)
{
	reflection_request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

	request.message_request_case =
		(Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)what;
	request.list_services = (char *)name;
	return ask(&request);
}

static reflection_response *ask_extension(const char *message_name, int32_t number)
{
	reflection_request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	extension_request extension = GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;

	extension.containing_type = (char *)message_name;
	extension.extension_number = number;
	request.message_request_case = ASKS(FILE_CONTAINING_EXTENSION);
	request.file_containing_extension = &extension;
	return ask(&request);
}

static void answer_free(reflection_response *response)
{
	grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
}

static void assert_error(reflection_response *response, int code)
{
	cr_assert_eq(response->message_response_case, ANSWERS(ERROR_RESPONSE));
	cr_assert_eq(response->error_response->error_code, code);
	cr_assert_gt(strlen(response->error_response->error_message), 0);
	answer_free(response);
}

static bool has_file(file_proto **files, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(files[i]->name, name) == 0)
			return true;
	}
	return false;
}

/* The first is file_name; whatever one imports is there; none is there twice. */
static void assert_files(reflection_response *response, const char *file_name)
{
	Grpc__Reflection__V1__FileDescriptorResponse *got = response->file_descriptor_response;
	file_proto *files[64] = {0};
	size_t n = 0;

	cr_assert_eq(response->message_response_case, ANSWERS(FILE_DESCRIPTOR_RESPONSE), "%s",
		     file_name);
	cr_assert_leq(got->n_file_descriptor_proto, 64);
	for (; n < got->n_file_descriptor_proto; n++) {
		files[n] = google__protobuf__file_descriptor_proto__unpack(
			NULL, got->file_descriptor_proto[n].len,
			got->file_descriptor_proto[n].data);
		cr_assert_not_null(files[n]);
		cr_assert_not(has_file(files, n, files[n]->name), "%s twice", files[n]->name);
	}
	cr_assert_gt(n, 0);
	cr_assert_str_eq(files[0]->name, file_name);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < files[i]->n_dependency; j++)
			cr_assert(has_file(files, n, files[i]->dependency[j]), "%s imports %s",
				  files[i]->name, files[i]->dependency[j]);
	}
	for (size_t i = 0; i < n; i++)
		google__protobuf__file_descriptor_proto__free_unpacked(files[i], NULL);
	answer_free(response);
}

Test(reflection, lists_the_services_in_order)
{
	static const char *const want[] = {
		"grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
		"toy.Toy",
	};
	reflection_response *response = ask_name(ASKS(LIST_SERVICES), "*");
	Grpc__Reflection__V1__ListServiceResponse *list = response->list_services_response;

	cr_assert_eq(response->message_response_case, ANSWERS(LIST_SERVICES_RESPONSE));
	cr_assert_eq(list->n_service, sizeof want / sizeof *want);
	for (size_t i = 0; i < list->n_service; i++)
		cr_assert_str_eq(list->service[i]->name, want[i]);
	answer_free(response);
}

Test(reflection, gives_a_file_with_what_it_imports)
{
	static const char *const names[] = {
		"sluice/v1/retrieval_service.proto",
		"grpc/health/v1/health.proto",
		"grpc/reflection/v1alpha/reflection.proto",
		"google/protobuf/descriptor.proto",
		"buf/validate/validate.proto",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_files(ask_name(ASKS(FILE_BY_FILENAME), names[i]), names[i]);
	assert_error(ask_name(ASKS(FILE_BY_FILENAME), "sluice/v1/none.proto"), STATUS_NOT_FOUND);
	assert_error(ask_name(ASKS(FILE_BY_FILENAME), ""), STATUS_NOT_FOUND);
}

Test(reflection, finds_the_file_of_every_kind_of_symbol)
{
	static const struct {
		const char *symbol, *file;
	} cases[] = {
		{"grpc.health.v1.Health", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.HealthCheckRequest", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.HealthCheckRequest.service", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.HealthCheckResponse.NOT_SERVING", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.HealthListResponse.StatusesEntry", "grpc/health/v1/health.proto"},
		{"grpc.health.v1.HealthListResponse.StatusesEntry.key",
		 "grpc/health/v1/health.proto"},
		{"grpc.reflection.v1.ServerReflectionRequest.message_request",
		 "grpc/reflection/v1/reflection.proto"},
		{"sluice.v1.RetrievalService.Search", "sluice/v1/retrieval_service.proto"},
		{"buf.validate.field", "buf/validate/validate.proto"},
		{"google.protobuf.FieldOptions", "google/protobuf/descriptor.proto"},
		{".sluice.v1.Chunk", "sluice/v1/chunk.proto"},
		{".grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"},
	};
	static const char *const missing[] = {"",
					      ".",
					      "..",
					      "..sluice.v1.Chunk",
					      "grpc",
					      "grpc.health.v1.Healt",
					      "grpc.health.v1.Health.watch",
					      "toy.Toy"};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_files(ask_name(ASKS(FILE_CONTAINING_SYMBOL), cases[i].symbol),
			     cases[i].file);
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		assert_error(ask_name(ASKS(FILE_CONTAINING_SYMBOL), missing[i]), STATUS_NOT_FOUND);
}

Test(reflection, finds_extensions_by_number)
{
	assert_files(ask_extension("google.protobuf.FieldOptions", 1159),
		     "buf/validate/validate.proto");
	assert_files(ask_extension(".google.protobuf.FieldOptions", 1159),
		     "buf/validate/validate.proto");
	assert_files(ask_extension("google.protobuf.FieldOptions", 50001),
		     "sluice/config/v1/options.proto");
	assert_error(ask_extension("google.protobuf.FieldOptions", 1161), STATUS_NOT_FOUND);
	assert_error(ask_extension("google.protobuf.FieldOption", 1159), STATUS_NOT_FOUND);
	assert_error(ask_extension("", -1), STATUS_NOT_FOUND);
}

Test(reflection, numbers_the_extensions_of_a_message)
{
	reflection_response *response =
		ask_name(ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE), "google.protobuf.FieldOptions");
	Grpc__Reflection__V1__ExtensionNumberResponse *numbers =
		response->all_extension_numbers_response;

	cr_assert_eq(response->message_response_case, ANSWERS(ALL_EXTENSION_NUMBERS_RESPONSE));
	cr_assert_str_eq(numbers->base_type_name, "google.protobuf.FieldOptions");
	/* (buf.validate.field), (buf.validate.predefined), (sluice.config.v1.default_value) */
	cr_assert_eq(numbers->n_extension_number, 3);
	cr_assert_eq(numbers->extension_number[0], 1159);
	cr_assert_eq(numbers->extension_number[1], 1160);
	cr_assert_eq(numbers->extension_number[2], 50001);
	answer_free(response);

	response =
		ask_name(ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE), "grpc.health.v1.HealthListRequest");
	cr_assert_eq(response->message_response_case, ANSWERS(ALL_EXTENSION_NUMBERS_RESPONSE));
	cr_assert_eq(response->all_extension_numbers_response->n_extension_number, 0);
	answer_free(response);

	response = ask_name(ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE), ".google.protobuf.FieldOptions");
	cr_assert_eq(response->message_response_case, ANSWERS(ALL_EXTENSION_NUMBERS_RESPONSE));
	cr_assert_eq(response->all_extension_numbers_response->n_extension_number, 3);
	answer_free(response);

	assert_error(ask_name(ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE), "no.Message"), STATUS_NOT_FOUND);
	assert_error(ask_name(ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE), "grpc.health.v1.Health"),
		     STATUS_NOT_FOUND);
}

Test(reflection, answers_a_request_without_a_question)
{
	reflection_request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

	assert_error(ask(&request), STATUS_INVALID_ARGUMENT);
}

Test(reflection, echoes_no_field_that_it_does_not_know)
{
	/* An extension's request with a field of number 0, which no decoder should take. */
	static const char bytes[] = "\x2A\x06\x85\x00"
				    "abcd"
				    "\x9A\x06\x01"
				    "x";
	struct buffer message = {0};
	reflection_response *response;

	cr_assert(grpc_stream_send(stream, bytes_of(bytes, sizeof bytes - 1)));
	cr_assert(grpc_stream_next(stream, &message));
	response = grpc__reflection__v1__server_reflection_response__unpack(NULL, message.size,
									    message.data);
	cr_assert_not_null(response);
	cr_assert_eq(response->original_request->base.n_unknown_fields, 0);
	assert_error(response, STATUS_NOT_FOUND);
	buffer_finish(&message);
}

Test(reflection, speaks_v1alpha_with_the_same_messages)
{
	struct grpc_stream *v1 = stream;
	reflection_response *response;

	stream = grpc_stream_open(
		client, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", 50);
	response = ask_name(ASKS(LIST_SERVICES), "");
	cr_assert_eq(response->list_services_response->n_service, 4);
	answer_free(response);
	grpc_stream_close(stream);
	stream = v1;
}

Test(reflection, ends_a_stream_that_does_not_parse)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {{"\x0A\x7Fx", 3}, {"\xFF", 1}, {"\x1A\x02\xC3\x28", 4}, {"\x18\x01", 2}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SCOPED(grpc_stream) bad = grpc_stream_open(
			client, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", 50);
		struct buffer none = {0};

		cr_assert(grpc_stream_send(bad, bytes_of(cases[i].bytes, cases[i].size)));
		cr_assert_not(grpc_stream_next(bad, &none));
		cr_assert_eq(grpc_stream_finish(bad, NULL), STATUS_INVALID_ARGUMENT, "case %zu", i);
	}
}
