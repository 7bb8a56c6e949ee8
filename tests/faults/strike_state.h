/* strike_state - what the stand-ins ask. */
#ifndef SLUICE_TESTS_FAULTS_STRIKE_STATE_H
#define SLUICE_TESTS_FAULTS_STRIKE_STATE_H

#include "tests/faults/strike.h"

/* strike_now - counts a call of a function; what it is to fail with, 0: it goes on.
 * also  another kind that it is of, or the same. */
int strike_now(enum strike_kind kind, enum strike_kind also, const char *name);

#endif
