/* shimmed - the world's server, with a shim that has one of its calls fail. */
#ifndef SLUICE_TESTS_FAULTS_SHIMMED_H
#define SLUICE_TESTS_FAULTS_SHIMMED_H

#include "tests/faults/shim.h"

#include <stdbool.h>

/* shimmed_open - its files are in the directory: a configuration that seals early, and "data". Asserts. */
void shimmed_open(const char *directory);

/* shimmed_start - world.server, not its session; false: it ended before it listened. */
bool shimmed_start(void);
const char *shimmed_data(void);

/* shimmed_arm - the nth call of the kind from now on fails, in the server that runs or starts; below 0:
 * none does, they are counted. */
void shimmed_arm(enum shim_kind kind, int error, long nth);
void shimmed_disarm(void);
long shimmed_calls(void);
long shimmed_struck(void);

/* shimmed_number - of an environment variable. */
long shimmed_number(const char *name, long otherwise);

#endif
