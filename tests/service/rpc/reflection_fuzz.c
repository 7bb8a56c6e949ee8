/* Any bytes as a question to reflection; and what is answered must itself parse. */
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "proto/descriptor_set.h"
#include "service/rpc/builtin.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"a.Service", "b.Service"};
	static struct builtin builtin = {.names = names, .n_names = 2};
	static struct descriptors *descriptors;
	struct arena scratch;
	struct buffer answer = {0};

	if (!descriptors &&
	    status_failed(descriptors_open(
		    bytes_of(sluice_descriptor_set, sluice_descriptor_set_size), &descriptors)))
		abort();
	builtin.descriptors = descriptors;
	arena_init(&scratch, 1 << 20);
	if (!status_failed(reflection_answer(&builtin, bytes_of(data, size), &scratch, &answer))) {
		Grpc__Reflection__V1__ServerReflectionResponse *response =
			grpc__reflection__v1__server_reflection_response__unpack(NULL, answer.size,
										 answer.data);

		if (!response)
			abort();
		grpc__reflection__v1__server_reflection_response__free_unpacked(response, NULL);
	}
	buffer_finish(&answer);
	arena_finish(&scratch);
	return 0;
}
