/* reference - every key of the configuration, from the descriptors and the comments of the .proto. */
#ifndef SLUICE_SERVICE_CONFIG_REFERENCE_H
#define SLUICE_SERVICE_CONFIG_REFERENCE_H

#include "kernels/base/arena.h"
#include "service/schema/schema.h"

#include <stdio.h>

/* reference_print - as Markdown: a section for each message, a table of its keys, the values of its
 * enums; then the variables of the environment.
 * message  of the configuration, compiled. */
void reference_print(FILE *out, const struct schema_message *message, struct arena *arena);

#endif
