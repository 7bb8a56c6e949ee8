/* reflection - a client without .proto files learns from the server what it serves. */
#include "tests/e2e/world.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "service/rpc/protobuf_arena.h"

TestSuite(reflection, .init = world_open, .fini = world_close, .timeout = 120);

typedef Grpc__Reflection__V1__ServerReflectionRequest question;
typedef Grpc__Reflection__V1__ServerReflectionResponse reply;
typedef Google__Protobuf__FileDescriptorProto file;

#define QUESTION(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define REPLY(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

/* buf.validate.field of google.protobuf.FieldOptions. */
#define RULES_NUMBER 1159

/* The same messages under both names. */
static const struct method versions[] = {
	{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	 &grpc__reflection__v1__server_reflection_response__descriptor},
	{"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
	 &grpc__reflection__v1__server_reflection_response__descriptor},
};

#define N_VERSIONS (sizeof versions / sizeof *versions)

static question question_of(int what, const char *text)
{
	question q = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

	q.host = text_of("a-host");
	q.message_request_case =
		(Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)what;
	q.list_services = text_of("%s", text); /* one union of strings */
	return q;
}

static const reply *ask_in(const struct method *version, struct grpc_stream *stream,
			   const question *q)
{
	const reply *r;

	cr_assert(stream_send(stream, &q->base));
	r = session_next(&world.session, version, stream, NULL);
	cr_assert_not_null(r);
	cr_assert_str_eq(r->valid_host, "a-host");
	cr_assert_not_null(r->original_request);
	cr_assert_eq(r->original_request->message_request_case, q->message_request_case);
	return r;
}

static const reply *ask(const struct method *version, const question *q)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, version, NULL);
	const reply *r = ask_in(version, stream, q);

	grpc_stream_half_close(stream);
	cr_assert_null(session_next(&world.session, version, stream, NULL));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	return r;
}

/* The files of an answer; wants the first to be that one, and each import of each among them. */
static void want_files(const reply *r, const char *first)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(&world.session.arena);
	const Grpc__Reflection__V1__FileDescriptorResponse *response = r->file_descriptor_response;
	file *files[64];

	cr_assert_eq(r->message_response_case, REPLY(FILE_DESCRIPTOR_RESPONSE), "for %s: %s", first,
		     r->message_response_case == REPLY(ERROR_RESPONSE)
			     ? r->error_response->error_message
			     : "another answer");
	cr_assert_leq(response->n_file_descriptor_proto, 64);
	for (size_t i = 0; i < response->n_file_descriptor_proto; i++) {
		files[i] = google__protobuf__file_descriptor_proto__unpack(
			&allocator, response->file_descriptor_proto[i].len,
			response->file_descriptor_proto[i].data);
		cr_assert_not_null(files[i]);
	}
	cr_assert_str_eq(files[0]->name, first);
	for (size_t i = 0; i < response->n_file_descriptor_proto; i++) {
		for (size_t j = 0; j < files[i]->n_dependency; j++) {
			size_t found = 0;

			for (size_t k = 0; k < response->n_file_descriptor_proto; k++)
				found += strcmp(files[k]->name, files[i]->dependency[j]) == 0;
			cr_assert_eq(found, 1, "%s imports %s", files[i]->name,
				     files[i]->dependency[j]);
		}
	}
}

Test(reflection, lists_the_services)
{
	static const char *const wanted[] = {
		"grpc.health.v1.Health",
		"grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection",
		"sluice.v1.AdminService",
		"sluice.v1.CollectionService",
		"sluice.v1.IngestService",
		"sluice.v1.RetrievalService",
	};
	const size_t n = sizeof wanted / sizeof *wanted;

	for (size_t i = 0; i < N_VERSIONS; i++) {
		question q = question_of(QUESTION(LIST_SERVICES), "*");
		const reply *r = ask(&versions[i], &q);

		cr_assert_eq(r->message_response_case, REPLY(LIST_SERVICES_RESPONSE));
		cr_assert_eq(r->list_services_response->n_service, n);
		for (size_t j = 0; j < n; j++)
			cr_assert_str_eq(r->list_services_response->service[j]->name, wanted[j]);
	}
}

Test(reflection, finds_the_file_of_a_symbol)
{
	static const struct {
		const char *symbol, *file;
	} cases[] = {
		{"sluice.v1.RetrievalService", "sluice/v1/retrieval_service.proto"},
		{"sluice.v1.RetrievalService.Search", "sluice/v1/retrieval_service.proto"},
		{"sluice.v1.Chunk", "sluice/v1/chunk.proto"},
		{"sluice.v1.Chunk.text", "sluice/v1/chunk.proto"},
		{"sluice.v1.Metric", "sluice/v1/collection_service.proto"},
		{"google.protobuf.FieldMask", "google/protobuf/field_mask.proto"},
		{"grpc.health.v1.Health", "grpc/health/v1/health.proto"},
		{"grpc.reflection.v1.ServerReflection", "grpc/reflection/v1/reflection.proto"},
		{"grpc.reflection.v1alpha.ServerReflection",
		 "grpc/reflection/v1alpha/reflection.proto"},
	};

	for (size_t i = 0; i < N_VERSIONS; i++) {
		for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
			question q = question_of(QUESTION(FILE_CONTAINING_SYMBOL), cases[j].symbol);

			want_files(ask(&versions[i], &q), cases[j].file);
		}
	}
}

Test(reflection, finds_files_and_extensions)
{
	Grpc__Reflection__V1__ExtensionRequest extension =
		GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;

	extension.containing_type = text_of("google.protobuf.FieldOptions");
	extension.extension_number = RULES_NUMBER;
	for (size_t i = 0; i < N_VERSIONS; i++) {
		question q = question_of(QUESTION(FILE_BY_FILENAME), "sluice/v1/filter.proto");
		const reply *r;
		bool found = false;

		want_files(ask(&versions[i], &q), "sluice/v1/filter.proto");
		q = question_of(QUESTION(FILE_CONTAINING_EXTENSION), "");
		q.file_containing_extension = &extension;
		want_files(ask(&versions[i], &q), "buf/validate/validate.proto");

		q = question_of(QUESTION(ALL_EXTENSION_NUMBERS_OF_TYPE),
				"google.protobuf.FieldOptions");
		r = ask(&versions[i], &q);
		cr_assert_eq(r->message_response_case, REPLY(ALL_EXTENSION_NUMBERS_RESPONSE));
		for (size_t j = 0; j < r->all_extension_numbers_response->n_extension_number; j++)
			found |= r->all_extension_numbers_response->extension_number[j] ==
				 RULES_NUMBER;
		cr_assert(found);
	}
}

/* One stream takes any number of questions, and an error is an answer like the others. */
Test(reflection, says_what_it_does_not_find_and_goes_on)
{
	static const struct {
		int what;
		const char *text;
	} cases[] = {
		{QUESTION(FILE_CONTAINING_SYMBOL), "sluice.v1.Nonsense"},
		{QUESTION(FILE_CONTAINING_SYMBOL), ""},
		{QUESTION(FILE_CONTAINING_SYMBOL), "sluice"},
		{QUESTION(FILE_CONTAINING_SYMBOL), ".sluice.v1.Chunk."},
		{QUESTION(FILE_BY_FILENAME), "nonsense.proto"},
		{QUESTION(FILE_BY_FILENAME), "../sluice/v1/chunk.proto"},
		{QUESTION(ALL_EXTENSION_NUMBERS_OF_TYPE), "sluice.v1.Nonsense"},
	};

	for (size_t i = 0; i < N_VERSIONS; i++) {
		SCOPED(grpc_stream) stream = session_stream(&world.session, &versions[i], NULL);
		question good = question_of(QUESTION(FILE_CONTAINING_SYMBOL), "sluice.v1.Hit");

		for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
			question q = question_of(cases[j].what, cases[j].text);
			const reply *r = ask_in(&versions[i], stream, &q);

			cr_assert_eq(r->message_response_case, REPLY(ERROR_RESPONSE), "%s",
				     cases[j].text);
			cr_assert_eq(r->error_response->error_code, GRPC_STATUS_NOT_FOUND);
			cr_assert(strstr(r->error_response->error_message, cases[j].text));
		}
		want_files(ask_in(&versions[i], stream, &good),
			   "sluice/v1/retrieval_service.proto");
	}
	want_idle();
}

Test(reflection, an_empty_question_is_an_error_and_broken_bytes_end_the_stream)
{
	for (size_t i = 0; i < N_VERSIONS; i++) {
		SCOPED(grpc_stream) stream = session_stream(&world.session, &versions[i], NULL);
		question q = question_of(0, "");
		const reply *r = ask_in(&versions[i], stream, &q);

		cr_assert_eq(r->message_response_case, REPLY(ERROR_RESPONSE));
		cr_assert_eq(r->error_response->error_code, GRPC_STATUS_INVALID_ARGUMENT);
		cr_assert(grpc_stream_send(stream, bytes_of("\x0A\x7F", 2)));
		cr_assert_null(session_next(&world.session, &versions[i], stream, NULL));
		WANT(session_finish(&world.session, stream), GRPC_STATUS_INVALID_ARGUMENT, "");
	}
}
