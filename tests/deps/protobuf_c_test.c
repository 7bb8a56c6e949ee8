/* protobuf-c - our messages keep what is set, know what is not, and refuse broken bytes. */
#include "proto/descriptor_set.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

Test(protobuf_c, tells_a_zero_from_an_absent_optional)
{
	static char collection[] = "books", chunk[] = "c-1";
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT, *got;
	uint8_t bytes[64];
	size_t size;

	request.collection = collection;
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID;
	request.chunk_id = chunk;
	request._min_score_case = SLUICE__V1__SEARCH_REQUEST___MIN_SCORE_MIN_SCORE;
	request.min_score = 0.0F;

	size = sluice__v1__search_request__pack(&request, bytes);
	cr_assert_eq(size, sluice__v1__search_request__get_packed_size(&request));
	got = sluice__v1__search_request__unpack(NULL, size, bytes);

	cr_assert_not_null(got);
	cr_assert_str_eq(got->collection, "books");
	cr_assert_str_eq(got->chunk_id, "c-1");
	cr_assert_eq(got->_min_score_case, SLUICE__V1__SEARCH_REQUEST___MIN_SCORE_MIN_SCORE);
	cr_assert_eq(got->_limit_case, SLUICE__V1__SEARCH_REQUEST___LIMIT__NOT_SET);
	sluice__v1__search_request__free_unpacked(got, NULL);
	cr_assert_null(sluice__v1__search_request__unpack(NULL, size - 1, bytes));
}

static const Google__Protobuf__FileDescriptorProto *
file_find(const Google__Protobuf__FileDescriptorSet *set, const char *name)
{
	for (size_t i = 0; i < set->n_file; i++)
		if (strcmp(set->file[i]->name, name) == 0)
			return set->file[i];
	return NULL;
}

/* The number that buf.validate's field rules are kept under. */
enum { field_rules = 1159 };

Test(protobuf_c, carries_the_contract_with_its_imports_and_rules)
{
	static const char *const names[] = {
		"google/protobuf/descriptor.proto",
		"google/protobuf/duration.proto",
		"buf/validate/validate.proto",
		"sluice/v1/retrieval_service.proto",
		"grpc/reflection/v1/reflection.proto",
		"grpc/health/v1/health.proto",
		"grpc/reflection/v1alpha/reflection.proto",
		"google/rpc/error_details.proto",
	};
	Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
		NULL, sluice_descriptor_set_size, sluice_descriptor_set);
	const Google__Protobuf__FileDescriptorProto *file;
	const ProtobufCMessage *options;

	cr_assert_not_null(set);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		cr_assert_not_null(file_find(set, names[i]), "%s", names[i]);

	/* SearchRequest.collection has a pattern; protobuf-c keeps it as an unknown field. */
	file = file_find(set, "sluice/v1/retrieval_service.proto");
	cr_assert_str_eq(file->message_type[0]->name, "SearchRequest");
	options = &file->message_type[0]->field[0]->options->base;
	cr_assert_eq(options->n_unknown_fields, 1);
	cr_assert_eq(options->unknown_fields[0].tag, field_rules);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}
