/* script - every operation of the index once or more, over a house, with one call failing somewhere.
 *
 * What fails says so, with a reason; what says OK has happened, and what it gave is right; what failed has
 * happened whole or not at all. At its end the house serves as if nothing had been, and does so again
 * after a restart; nothing is left over.
 */
#ifndef SLUICE_TESTS_FAULTS_SCRIPT_H
#define SLUICE_TESTS_FAULTS_SCRIPT_H

#include "tests/faults/strike.h"

#include <stddef.h>

struct script_counts {
	size_t runs, struck, failed_operations, refused_starts;
};

/* script_run - in a directory that is there and empty, which is emptied again. Asserts; gives how many
 * calls of the strike's kind there were. */
long script_run(const char *directory, const struct strike *strike, struct script_counts *counts);

#endif
