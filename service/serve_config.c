/* serve_config - what the server is to run with, read at its start and at each SIGHUP. */
#include "service/serve_config.h"

#include "service/config/config_load.h"
#include "service/telemetry/access_log.h"

#include <stdlib.h>
#include <string.h>

status serve_config_read(const struct serve_options *options, struct arena *arena,
			 struct server_config *ret)
{
	const char *file = options->config ? options->config : getenv("SLUICE_CONFIG");
	struct problems problems = {.arena = arena};
	const struct schema_message *message;

	TRY(server_config_message(arena, &message));
	TRY(server_config_defaults(message, arena, ret));
	if (file && *file) {
		TRY(config_load_file(file, &problems, ret));
		problems_print(stderr, file, &problems);
		if (problems.n)
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "%s: %zu violations; nothing was started", file,
					     problems.n + problems.n_dropped);
	}
	TRY(config_load_environment(arena, ret));
	return serve_options_apply(options, arena, ret);
}

void serve_config_apply_log(const struct server_config *config)
{
	log_set_level(config->logging.level);
	log_set_format(config->logging.format);
	log_set_rate((unsigned)config->logging.lines_per_second_max);
	access_log_set(config->logging.calls_one_in);
}

struct rate_limit serve_config_rate(const struct server_config *config)
{
	return (struct rate_limit){
		.per_second = (uint32_t)config->access.calls_per_second_max,
		.burst = (uint32_t)config->access.calls_burst_max,
	};
}

struct socket_owner serve_config_socket_owner(const struct server_config *config)
{
	return (struct socket_owner){
		.mode = (unsigned)strtoul(config->unix_socket.mode, NULL, 8),
		.group = config->unix_socket.group,
	};
}

/* Members of the struct that hold no strings: those die with the arena of a reload. */
static const char *const changeable[] = {"logging.", "drain.", "access.calls_"};

static void log_difference(void *context, const char *path)
{
	bool can = false;

	(void)context;
	for (size_t i = 0; i < sizeof changeable / sizeof *changeable; i++)
		can |= strncmp(path, changeable[i], strlen(changeable[i])) == 0;
	if (can)
		log_write(LOG_INFO, "reload: %s is changed", path);
	else
		log_write(LOG_WARNING, "reload: %s is different now, which needs another start",
			  path);
}

void serve_config_reload(const struct serve_options *options, struct server_config *config)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct server_config fresh = {0};
	status done;

	arena_init(arena, CONFIG_ARENA_BYTES);
	done = serve_config_read(options, arena, &fresh);
	if (status_failed(done)) {
		log_write(LOG_ERROR, "reload: %s; all stays as it was", done.detail);
		return;
	}
	server_config_differences(config, &fresh, log_difference, NULL);
	config->logging = fresh.logging;
	config->drain_timeout_ns = fresh.drain_timeout_ns;
	config->drain_wait_ns = fresh.drain_wait_ns;
	config->access.calls_per_second_max = fresh.access.calls_per_second_max;
	config->access.calls_burst_max = fresh.access.calls_burst_max;
	serve_config_apply_log(config);
}
