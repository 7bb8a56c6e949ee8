/* failure - what a server's status says beside its sentence. */
#ifndef SLUICE_SERVICE_CLI_FAILURE_H
#define SLUICE_SERVICE_CLI_FAILURE_H

#include "kernels/base/bytes.h"
#include "kernels/base/error_info.h"

#include <stdio.h>

/* failure_decode - the violations of an encoded google.rpc.Status, as it comes in a trailer.
 * arena  owns what is given.
 * NULL where it lists none, does not parse, or no memory is left. */
const struct error_info *failure_decode(struct arena *arena, struct bytes status_message);

/* failure_print - a line for each violation, where there are several: one alone is in the sentence.
 * info  NULL: prints nothing. */
void failure_print(FILE *to, const struct error_info *info);

/* failure_print_text - control characters as blanks. */
void failure_print_text(FILE *to, const char *text);

#endif
