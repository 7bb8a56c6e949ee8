/* long_values - metadata strings above what a server takes, while importing.
 *
 * Files made elsewhere hold a navigation bar as a title now and then. One such value in a hundred
 * thousand chunks should not keep the rest out, nor be altered in silence: it is cut at the end of
 * a character, counted, and the first is named when the import ends.
 */
#ifndef SLUICE_SERVICE_CLI_LONG_VALUES_H
#define SLUICE_SERVICE_CLI_LONG_VALUES_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "sluice/v1/chunk.pb-c.h"

#include <stdio.h>

/* MetadataValue.string_value of the contract. */
#define METADATA_STRING_MAX ((size_t)4096)

struct long_values {
	bool stop; /* refuse rather than cut */
	uint64_t n_cut;
	struct {
		uint64_t line;
		char key[64];
		size_t size_bytes;
	} first;
};

/* long_values_parse - word  "cut", "stop" or NULL, which is cut. Fails: INVALID_ARGUMENT */
status long_values_parse(struct arena *arena, const char *word, struct long_values *ret);

/* long_values_apply - to the chunk of a line, in place. Fails: INVALID_ARGUMENT, naming the field,
 * where they are to stop the import. */
status long_values_apply(struct long_values *values, struct arena *arena, uint64_t line,
			 Sluice__V1__Chunk *chunk);

/* long_values_report - one line, or nothing where nothing was cut. */
void long_values_report(const struct long_values *values, FILE *out);

#endif
