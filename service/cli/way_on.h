/* way_on - how to go on with a search that broke off: said when it fails, and on Ctrl-C.
 *
 * One for the whole program, since a signal has no other way to find it.
 */
#ifndef SLUICE_SERVICE_CLI_WAY_ON_H
#define SLUICE_SERVICE_CLI_WAY_ON_H

#include "kernels/base/bytes.h"

/* way_on_watch - from here on SIGINT says it and ends the program as it would anyway. */
void way_on_watch(void);

/* way_on_note - the token behind what was printed last; empty: there is nothing to go on with. */
void way_on_note(struct bytes token);

/* way_on_say - on standard error, where there is a token. */
void way_on_say(void);

#endif
