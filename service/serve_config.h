/* serve_config - what the server is to run with: at its start, and again when it is told to look. */
#ifndef SLUICE_SERVICE_SERVE_CONFIG_H
#define SLUICE_SERVICE_SERVE_CONFIG_H

#include "service/access/rate.h"
#include "service/serve_options.h"
#include "service/socket_owner.h"

/* serve_config_read - defaults, then the file, then the environment, then the options. What is wrong
 * with the file goes to standard error, a line each.
 * Fails: INVALID_ARGUMENT and as config_load_file */
status serve_config_read(const struct serve_options *options, struct arena *arena,
			 struct server_config *ret);

/* serve_config_apply_log - level, form and rate of the log, from now on. */
void serve_config_apply_log(const struct server_config *config);

/* serve_config_rate - of calls, of each caller whose credential has none of its own. */
struct rate_limit serve_config_rate(const struct server_config *config);

/* serve_config_socket_owner - of every socket of the file system. */
struct socket_owner serve_config_socket_owner(const struct server_config *config);

/* serve_config_reload - reads all of it again, and takes over what a running server can take: the log,
 * the drain and the rate of calls. Says in the log what else is different, and needs another start; and what is wrong,
 * and then nothing changes. */
void serve_config_reload(const struct serve_options *options, struct server_config *config);

#endif
