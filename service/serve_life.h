/* serve_life - from the first probe to the last call: signals, health, drain.
 *
 *	before anything is opened    life_begin: signals are blocked, so that threads made later block them
 *	before collections are read  the health listener answers NOT_SERVING
 *	life_run                     serving; ready once all collections are there, until SIGTERM or SIGINT; SIGHUP reads the configuration again
 *	then                         NOT_SERVING and a wait, the drain, the end
 */
#ifndef SLUICE_SERVICE_SERVE_LIFE_H
#define SLUICE_SERVICE_SERVE_LIFE_H

#include "service/access/access.h"
#include "service/rpc/rpc.h"
#include "service/serve_options.h"
#include "service/telemetry/telemetry.h"

/* What life_run looks after; all borrowed. */
struct life {
	const struct serve_options *options;
	struct server_config *config; /* changed by a reload */
	struct access *access;        /* NULL: nobody needs a credential */
	struct tracing *tracing;
	struct database *database;
	struct rpc_server *health; /* NULL: there is no listener for health alone */
	struct rpc_server *server;
	struct telemetry *telemetry; /* NULL: there is no listener for metrics */
};

/* life_begin - on the main thread, before any other is made. */
void life_begin(void);

/* life_open_health - the listener for health alone, which says NOT_SERVING; NULL where the
 * configuration names none. Fails: as rpc_server_open */
status life_open_health(const struct server_config *config, struct arena *arena,
			struct rpc_server **ret);

/* life_run - prints where it listens, says SERVING, and returns when the server has drained. A second
 * SIGTERM or SIGINT ends the process. */
void life_run(struct life *life);

/* life_end - when all is closed: says what is still alive, which is a mistake of ours. Gives the exit
 * status: 0, or 70 where anything is. */
int life_end(void);

#endif
