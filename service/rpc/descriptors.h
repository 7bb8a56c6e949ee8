/* descriptors - an index over a FileDescriptorSet: which file declares a name or an extension.
 *
 * Names are full ones, "google.protobuf.FieldOptions", without a dot in front. Immutable once it is
 * open: any number of threads may read.
 */
#ifndef SLUICE_SERVICE_RPC_DESCRIPTORS_H
#define SLUICE_SERVICE_RPC_DESCRIPTORS_H

#include "kernels/base/bytes.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct descriptors;

struct descriptor_file {
	const char *name;   /* "google/protobuf/descriptor.proto" */
	struct bytes bytes; /* its FileDescriptorProto, in the set */
	size_t n_imports;
	const struct descriptor_file **imports; /* [n_imports]; those that the set has */
};

/* descriptors_open - set  borrowed as long as the index lives.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status descriptors_open(struct bytes set, struct descriptors **ret);

/* descriptors_close - NULL is fine. */
void descriptors_close(struct descriptors *descriptors);

SCOPE_DEFINE(descriptors, descriptors_close)

/* Each gives NULL where there is none. */
const struct descriptor_file *descriptors_file(const struct descriptors *descriptors,
					       const char *file_name);
/* descriptors_symbol - of a message, field, oneof, enum, enum value, service, method or extension.
 */
const struct descriptor_file *descriptors_symbol(const struct descriptors *descriptors,
						 const char *name);
const struct descriptor_file *descriptors_extension(const struct descriptors *descriptors,
						    const char *message_name, int32_t number);

/* descriptors_extension_numbers - of a message's extensions, ascending.
 * ret  numbers, borrowed from the index; gives how many. */
size_t descriptors_extension_numbers(const struct descriptors *descriptors,
				     const char *message_name, const int32_t **ret);

/* descriptors_is_message - whether a message of that name is declared. */
bool descriptors_is_message(const struct descriptors *descriptors, const char *name);

/* descriptors_server_streams - of a method, "sluice.v1.RetrievalService.Search"; false where there is none. */
bool descriptors_server_streams(const struct descriptors *descriptors, const char *name);

/* descriptors_with_imports - file and all it imports, directly or not, each once, file first.
 * ret  room for descriptors_n_files; gives how many. */
size_t descriptors_with_imports(const struct descriptor_file *file,
				const struct descriptor_file **ret);
size_t descriptors_n_files(const struct descriptors *descriptors);

#endif
