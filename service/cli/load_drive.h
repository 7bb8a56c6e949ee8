/* load_drive - one step of a load run, from its warm-up until its last call has ended. */
#ifndef SLUICE_SERVICE_CLI_LOAD_DRIVE_H
#define SLUICE_SERVICE_CLI_LOAD_DRIVE_H

#include "service/cli/load_flights.h"

/* load_drive - rate  a second of this process; 0: a closed loop with all flights.
 * ret  zeroed by the caller. How calls end is in it. Fails: RESOURCE_EXHAUSTED */
status load_drive(struct load_flights *flights, double rate, struct load_step *ret);

#endif
