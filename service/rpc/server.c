/* server - listens, hands arrivals to their methods, drains.
 */
#include "kernels/base/log.h"
#include "service/rpc/door.h"
#include "service/rpc/watch.h"

#include "proto/descriptor_set.h"

#include <assert.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <time.h>

/* The tables; names and addresses in them. */
#define TABLE_BYTES_MAX ((size_t)4 << 20)
/* Of the process's memory, what connections may have; with less than so much they would hardly work. */
#define QUOTA_SHARE 4
#define QUOTA_MIN ((size_t)16 << 20)
/* For last words: of a stream that is told to end now, of a connection that has none left. */
#define GRACE_SECONDS 1.0

static status out_of_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
}

/* The core's own lines, in our form; it tells us in statuses what matters. But for two: that a
 * certificate and its key, which have changed, cannot be used; and that it gives up. */
static void log_core(gpr_log_func_args *args)
{
	enum log_level level = LOG_DEBUG;

	if (strncmp(args->message, "Handshaker factory creation failed", 34) == 0)
		level = LOG_WARNING;
	else if (strncmp(args->message, "assertion failed", 16) == 0)
		level = LOG_ERROR;
	else if (strncmp(args->message, "Failed accept", 13) == 0)
		watch_note_failure();
	log_write(level,
		  level == LOG_WARNING ? "tls: certificate and key do not fit: %s" : "grpc: %s",
		  args->message);
}

/* --- tables --- */

static int compare_routes(const void *a, const void *b)
{
	return strcmp(((const struct route *)a)->path, ((const struct route *)b)->path);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static status build_services(struct rpc_server *server, const struct rpc_server_options *options)
{
	/* All have their names in health, and those who are served their methods. */
	struct rpc_service own[] = {
		health_service(&server->builtin),
		reflection_service(&server->builtin),
		reflection_service_v1alpha(&server->builtin),
	};
	size_t n_own = sizeof own / sizeof *own, n = options->n_services;
	const char **names;

	server->services = ARENA_ARRAY(&server->arena, struct rpc_service, n + n_own);
	names = ARENA_ARRAY(&server->arena, const char *, n + n_own);
	if (!server->services || !names)
		return out_of_memory();
	if (n)
		memcpy(server->services, options->services, n * sizeof *server->services);
	memcpy(server->services + n, own, sizeof own);
	server->n_services = n + n_own;
	for (size_t i = 0; i < server->n_services; i++)
		names[i] = server->services[i].name;
	qsort((void *)names, server->n_services, sizeof *names, compare_names);
	server->builtin.names = names;
	server->builtin.n_names = server->n_services;
	server->builtin.descriptors = server->descriptors;
	return status_ok();
}

static status build_routes(struct rpc_server *server, const struct rpc_server_options *options)
{
	size_t n = 0;

	if (options->health_alone)
		for (size_t i = 0; i < server->n_services; i++)
			if (strcmp(server->services[i].name, HEALTH_SERVICE) != 0)
				server->services[i].n_methods = 0;
	for (size_t i = 0; i < server->n_services; i++)
		n += server->services[i].n_methods;
	server->routes = ARENA_ARRAY(&server->arena, struct route, n);
	if (!server->routes)
		return out_of_memory();
	for (size_t i = 0; i < server->n_services; i++) {
		const struct rpc_service *service = &server->services[i];

		for (size_t j = 0; j < service->n_methods; j++)
			server->routes[server->n_routes++] = (struct route){
				.path = service->methods[j].path,
				.method = &service->methods[j],
				.context = service->context,
				.sheds = service->sheds,
			};
	}
	qsort(server->routes, n, sizeof *server->routes, compare_routes);
	for (size_t i = 1; i < n; i++)
		assert(compare_routes(&server->routes[i - 1], &server->routes[i]) != 0);
	return status_ok();
}

static status build_traffic(struct rpc_server *server)
{
	server->traffic = traffic_new(server->n_routes + 1);
	if (!server->traffic)
		return out_of_memory();
	for (size_t i = 0; i < server->n_routes; i++)
		traffic_describe(&server->traffic[i], server->routes[i].method,
				 server->descriptors);
	return status_ok();
}

/* --- opening --- */

static size_t either(size_t given, size_t otherwise)
{
	return given ? given : otherwise;
}

static void set_limits(struct call_host *host, const struct rpc_server_options *options)
{
	host->calls_max = options->calls_max;
	host->queue_ns = options->queue_ns;
	host->stall_ns = options->stall_ns;
	host->request_ns = options->request_ns;
	host->idle_ns = options->idle_ns;
	host->memory_bytes_max = options->memory_bytes_max;
	host->handled = options->handled;
	host->handled_context = options->handled_context;
	host->tracer = options->tracer;
	host->guard = options->guard;
	if (options->starting)
		atomic_store(&host->health, RPC_STARTING);
	host->arena_factor = either(options->arena_factor, CALL_ARENA_FACTOR);
	host->arena_bytes_min = either(options->arena_bytes_min, CALL_ARENA_MIN);
	host->arena_bytes_max = either(options->arena_bytes_max, CALL_ARENA_MAX);
}

static status make_quota(struct rpc_server *server)
{
	uint64_t bytes = server->options.memory_bytes_max / QUOTA_SHARE;

	if (!bytes)
		return status_ok();
	server->quota = grpc_resource_quota_create("server");
	if (!server->quota)
		return out_of_memory();
	grpc_resource_quota_resize(server->quota, bytes < QUOTA_MIN ? QUOTA_MIN : (size_t)bytes);
	return status_ok();
}

static status open_doors(struct rpc_server *server, struct arena *arena)
{
	const struct rpc_server_options *options = &server->options;

	server->addresses = ARENA_ARRAY(&server->arena, const char *, options->n_addresses);
	server->doors = ARENA_ARRAY(&server->arena, struct door *, options->n_addresses);
	if (!server->addresses || !server->doors)
		return out_of_memory();
	for (size_t i = 0; i < options->n_addresses; i++) {
		struct door *door = NULL;

		TRY(door_open(server, options->addresses[i], arena, &door));
		server->doors[server->n_addresses++] = door;
		server->addresses[i] =
			listen_address(&server->arena, options->addresses[i], door->listens.port);
		if (!server->addresses[i])
			return out_of_memory();
	}
	return status_ok();
}

status rpc_server_open(const struct rpc_server_options *options, struct arena *arena,
		       struct rpc_server **ret)
{
	SCOPED(rpc_server) server = calloc(1, sizeof *server);

	if (!server)
		return out_of_memory();
	gpr_set_log_function(log_core);
	/* Up until the process ends: taking the core down waits for its own backup poller, up to ten
	 * seconds after the last write that had to wait, and a drained server should be gone. */
	grpc_init();
	arena_init(&server->arena, TABLE_BYTES_MAX);
	server->options = *options;
	call_host_init(&server->host, &server->queues, options->workers);
	set_limits(&server->host, options);
	TRY(stall_watch_open(&server->host, &server->host.watch));
	TRY(descriptors_open(bytes_of(sluice_descriptor_set, sluice_descriptor_set_size),
			     &server->descriptors));
	TRY(build_services(server, options));
	TRY(build_routes(server, options));
	TRY(build_traffic(server));

	TRY(queues_open(&server->queues, options->n_pollers, options->workers, &server->arena));
	TRY(make_quota(server));
	TRY(open_doors(server, arena));
	if (options->watch_ns >= 0 || options->memory_bytes_max)
		TRY(watch_open(server, &server->watch));
	*ret = TAKE(server);
	return status_ok();
}

void rpc_server_set_health(struct rpc_server *server, enum rpc_health health)
{
	call_host_set_health(&server->host, health);
}

const char *rpc_server_address(const struct rpc_server *server, size_t i)
{
	assert(i < server->n_addresses);
	return server->addresses[i];
}

size_t rpc_server_n_methods(const struct rpc_server *server)
{
	return server->n_routes;
}

void rpc_server_traffic(const struct rpc_server *server, size_t i, struct rpc_traffic *ret)
{
	assert(i <= server->n_routes);
	traffic_read(&server->traffic[i], ret);
}

size_t rpc_server_n_replaced(const struct rpc_server *server)
{
	return atomic_load(&server->n_replaced);
}

bool rpc_server_is_serving(const struct rpc_server *server)
{
	return atomic_load(&server->host.phase) == RPC_SERVING;
}

/* --- the end --- */

static bool has_no_calls(const struct rpc_server *server)
{
	return server->host.n_calls == 0;
}

static bool has_ended(const struct rpc_server *server)
{
	bool ended = has_no_calls(server);

	for (size_t i = 0; i < server->n_addresses && ended; i++)
		ended = door_has_ended(server->doors[i]);
	for (const struct door *door = server->retired; door && ended; door = door->next)
		ended = door_has_ended(door);
	return ended;
}

/* Until is, or seconds are over; negative: as long as it takes. Gives what is came to. */
static bool wait_until(struct rpc_server *server, bool (*is)(const struct rpc_server *),
		       double seconds)
{
	const double day = 86400.0;
	struct timespec until;
	bool reached;
	int64_t at;

	at = clock_ns() + (int64_t)((seconds > day ? day : seconds) * 1e9);
	until.tv_sec = at / 1000000000;
	until.tv_nsec = at % 1000000000;
	pthread_mutex_lock(&server->host.lock);
	for (;;) {
		reached = is(server);
		if (reached)
			break;
		if (seconds < 0)
			pthread_cond_wait(&server->host.changed, &server->host.lock);
		else if (pthread_cond_timedwait(&server->host.changed, &server->host.lock, &until))
			break;
	}
	pthread_mutex_unlock(&server->host.lock);
	return reached;
}

static void cancel_all(struct rpc_server *server)
{
	for (size_t i = 0; i < server->n_addresses; i++)
		grpc_server_cancel_all_calls(server->doors[i]->core);
	for (struct door *door = server->retired; door; door = door->next)
		grpc_server_cancel_all_calls(door->core);
}

void rpc_server_drain(struct rpc_server *server, double seconds)
{
	bool idle;

	if (server->drained)
		return;
	server->drained = true;
	watch_close(TAKE(server->watch));
	call_host_set_phase(&server->host, RPC_DRAINING);
	idle = wait_until(server, has_no_calls, seconds < 0 ? 0 : seconds);
	if (!idle) {
		call_host_set_phase(&server->host, RPC_ENDING);
		idle = wait_until(server, has_no_calls, GRACE_SECONDS);
	}
	/* Not before: once told to shut down, the core closes a connection as soon as its last stream
	 * is written, and what the client has not read yet is lost if the client sends a word. */
	for (size_t i = 0; i < server->n_addresses; i++)
		door_shut(server->doors[i]);
	for (struct door *door = server->retired; door; door = door->next)
		door_shut(door);
	/* The last bytes may still be on their way, and connections open that have nothing to say.
	 */
	if (!idle || !wait_until(server, has_ended, GRACE_SECONDS))
		cancel_all(server);
	wait_until(server, has_ended, -1);
}

void rpc_server_close(struct rpc_server *server)
{
	if (!server)
		return;
	rpc_server_drain(server, 0);
	for (size_t i = 0; i < server->n_addresses; i++)
		door_close(server->doors[i]);
	for (struct door *door = server->retired, *next; door; door = next) {
		next = door->next;
		door_close(door);
	}
	if (server->quota)
		grpc_resource_quota_unref(server->quota);
	queues_close(&server->queues);
	descriptors_close(server->descriptors);
	stall_watch_close(server->host.watch);
	call_host_finish(&server->host);
	arena_finish(&server->arena);
	free(server->traffic);
	free(server);
}
