/* probe - whether anybody answers at a listener of our own.
 *
 * A connection alone says nothing, since the kernel makes it: it counts when whoever accepts it says a
 * word or ends it. The probe says that it will send nothing, which a server answers in plaintext, with
 * its settings, and under TLS, with the end.
 */
#ifndef SLUICE_SERVICE_RPC_PROBE_H
#define SLUICE_SERVICE_RPC_PROBE_H

#include "service/rpc/listen.h"

enum probe_answer {
	PROBE_ANSWERED,
	PROBE_SILENT,  /* nobody takes connections there, or takes them in time */
	PROBE_UNKNOWN, /* it could not be asked */
};

/* probe_listening - asks at each socket; takes timeout_ms for each at most, which is the whole wait. */
enum probe_answer probe_listening(const struct listening *listening, int timeout_ms);

/* probe_has_room - whether there are descriptors for a probe and then some: where there are none, a
 * listener that asks for one gives up. */
bool probe_has_room(void);

#endif
