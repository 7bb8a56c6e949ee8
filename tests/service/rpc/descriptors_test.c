#include "proto/descriptor_set.h"
#include "service/rpc/descriptors.h"

#include <criterion/criterion.h>

static struct descriptors *open_all(void)
{
	struct descriptors *descriptors = NULL;

	cr_assert(!status_failed(descriptors_open(
		bytes_of(sluice_descriptor_set, sluice_descriptor_set_size), &descriptors)));
	return descriptors;
}

Test(descriptors, gives_the_bytes_of_the_set_themselves)
{
	SCOPED(descriptors) descriptors = open_all();
	const struct descriptor_file *file = descriptors_file(descriptors, "sluice/v1/chunk.proto");

	cr_assert_not_null(file);
	cr_assert_geq((uintptr_t)file->bytes.data, (uintptr_t)sluice_descriptor_set);
	cr_assert_leq((uintptr_t)(file->bytes.data + file->bytes.size),
		      (uintptr_t)(sluice_descriptor_set + sluice_descriptor_set_size));
}

Test(descriptors, tells_messages_from_other_symbols)
{
	SCOPED(descriptors) descriptors = open_all();

	cr_assert(descriptors_is_message(descriptors, "grpc.health.v1.HealthCheckRequest"));
	cr_assert_not(descriptors_is_message(descriptors, "grpc.health.v1.Health"));
	cr_assert_not(descriptors_is_message(descriptors, "no.Message"));
	cr_assert_not_null(descriptors_symbol(descriptors, "grpc.health.v1.Health"));
}

Test(descriptors, refuses_what_is_no_set)
{
	static const struct {
		const char *bytes;
		size_t size;
	} cases[] = {
		{"\x0A\x05"
		 "a",
		 3}, /* cut */
		{"\x12\x01"
		 "a",
		 3},                     /* another field */
		{"\x0A\x02\xFF\xFF", 4}, /* no file in it */
		{"\x0A\x00", 2},         /* a file without a name */
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct descriptors *descriptors = NULL;
		status opened =
			descriptors_open(bytes_of(cases[i].bytes, cases[i].size), &descriptors);

		cr_assert_eq(opened.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
		cr_assert_null(descriptors);
	}
}

Test(descriptors, of_nothing_have_nothing)
{
	SCOPED(descriptors) descriptors = NULL;
	const int32_t *numbers;

	cr_assert(!status_failed(descriptors_open(bytes_of(NULL, 0), &descriptors)));
	cr_assert_null(descriptors_file(descriptors, ""));
	cr_assert_null(descriptors_symbol(descriptors, ""));
	cr_assert_null(descriptors_extension(descriptors, "", 0));
	cr_assert_eq(descriptors_extension_numbers(descriptors, "", &numbers), 0);
	cr_assert_eq(descriptors_n_files(descriptors), 0);
}
