/* server - listens, hands arrivals to their methods, drains.
 *
 * Arrivals come to slots that are always posted, for every method there is or is not: so an unknown
 * one is answered at once. Methods whose client streams have slots of their own besides, since a call
 * goes to the queue that its slot names.
 */
#include "kernels/base/log.h"
#include "service/rpc/builtin.h"
#include "service/rpc/call.h"
#include "service/rpc/listen.h"
#include "service/rpc/queues.h"
#include "service/rpc/tls.h"

#include "proto/descriptor_set.h"

#include <assert.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/log.h>
#include <stdlib.h>
#include <time.h>

#define N_SLOTS 128
#define N_SLOTS_A_STREAM (4 * QUEUES_STREAMS)
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)
#define STREAMS_MAX ((size_t)1024)
#define METADATA_BYTES_MAX (16 << 10)
/* The tables; names and addresses in them. */
#define TABLE_BYTES_MAX ((size_t)4 << 20)
/* For last words: of a stream that is told to end now, of a connection that has none left. */
#define GRACE_SECONDS 1.0

struct route {
	const char *path;
	const struct rpc_method *method;
	void *context;
	void *core; /* the core's name of it; NULL: it has no slots of its own */
};

/* Waits for an arrival. */
struct slot {
	struct rpc_op on_arrival;
	struct rpc_server *server;
	const struct route *route;    /* whose slot it is; NULL: everybody else's */
	grpc_completion_queue *queue; /* of the call */
	grpc_call *core;              /* the core's until on_arrival, as the rest */
	grpc_call_details details;    /* of a slot of a route, the deadline alone */
	grpc_metadata_array metadata;
};

struct rpc_server {
	struct arena arena;
	struct call_host host;
	struct descriptors *descriptors;
	struct builtin builtin;
	struct rpc_service *services; /* [n_services] those of the options and our own */
	size_t n_services;
	struct route *routes; /* [n_routes] by path */
	size_t n_routes;
	struct traffic *traffic; /* [n_routes + 1] owned; the last one is of unknown methods */
	const char **addresses;  /* [n_addresses] with real ports */
	struct tls **tls;        /* [n_addresses] NULL where it is plaintext */
	size_t n_addresses;

	struct queues queues;
	grpc_server *core;
	struct slot *slots; /* [n_slots] */
	size_t n_slots;
	struct rpc_op on_shutdown;
	bool drained;

	/* Under host.lock. */
	size_t n_slots_posted;
	bool is_shut_down;
};

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

static const struct route *find_route(const struct rpc_server *server, struct bytes path)
{
	size_t low = 0, high = server->n_routes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct route *route = &server->routes[middle];
		int order = bytes_compare(path, bytes_of_string(route->path));

		if (order == 0)
			return route;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- arrivals --- */

static void slot_post(struct slot *slot)
{
	struct rpc_server *server = slot->server;
	grpc_call_error error;

	slot->core = NULL;
	grpc_call_details_init(&slot->details);
	grpc_metadata_array_init(&slot->metadata);
	/* After a shutdown these come back as a failure. */
	if (slot->route)
		error = grpc_server_request_registered_call(
			server->core, slot->route->core, &slot->core, &slot->details.deadline,
			&slot->metadata, NULL, slot->queue, server->queues.main,
			op_tag(&slot->on_arrival));
	else
		error = grpc_server_request_call(server->core, &slot->core, &slot->details,
						 &slot->metadata, slot->queue, server->queues.main,
						 op_tag(&slot->on_arrival));
	assert(error == GRPC_CALL_OK);
	(void)error;
}

static bool is_health(struct bytes path)
{
	static const char health[] = "/" HEALTH_SERVICE "/";

	return path.size >= sizeof health - 1 && memcmp(path.data, health, sizeof health - 1) == 0;
}

/* In a drain, all but a question after the server's health. */
static bool is_refused(const struct rpc_server *server, struct bytes path)
{
	return atomic_load(&server->host.phase) != RPC_SERVING && !is_health(path);
}

static bool is_crowded(struct rpc_server *server, struct bytes path)
{
	return server->host.calls_max && call_host_is_full(&server->host) && !is_health(path);
}

static struct rpc_call *slot_open_call(struct slot *slot)
{
	struct rpc_server *server = slot->server;
	struct bytes path = slot->route ? bytes_of_string(slot->route->path)
					: bytes_of(GRPC_SLICE_START_PTR(slot->details.method),
						   GRPC_SLICE_LENGTH(slot->details.method));
	bool draining = is_refused(server, path);
	bool crowded = !draining && is_crowded(server, path);
	bool refused = draining || crowded;
	const struct route *known = slot->route ? slot->route : find_route(server, path);
	const struct route *route = refused ? NULL : known;
	struct call_arrival arrival = {
		.traffic = &server->traffic[known ? (size_t)(known - server->routes)
						  : server->n_routes],
		.core = slot->core,
		.method = route ? route->method : NULL,
		.context = route ? route->context : NULL,
		.deadline = slot->details.deadline,
		.path = path,
		.metadata = &slot->metadata,
		.draining = draining,
		.crowded = crowded,
	};

	return call_open(&server->host, &arrival);
}

static void slot_arrived(void *owner, bool ok)
{
	struct slot *slot = owner;
	struct rpc_server *server = slot->server;
	struct rpc_call *call = ok ? slot_open_call(slot) : NULL;

	grpc_call_details_destroy(&slot->details);
	grpc_metadata_array_destroy(&slot->metadata);
	if (ok) {
		slot_post(slot);
		if (call)
			call_start(call);
		return;
	}
	/* The server shuts down. */
	pthread_mutex_lock(&server->host.lock);
	server->n_slots_posted--;
	pthread_cond_broadcast(&server->host.changed);
	pthread_mutex_unlock(&server->host.lock);
}

/* --- opening --- */

static grpc_arg int_arg(const char *key, size_t value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER,
		.key = (char *)key, /* only read */
		.value.integer = value > INT32_MAX ? INT32_MAX : (int)value,
	};
}

static size_t either(size_t given, size_t otherwise)
{
	return given ? given : otherwise;
}

/* In milliseconds, at least one. */
static size_t either_ms(int64_t given_ns, size_t otherwise_ms)
{
	return given_ns ? (size_t)((given_ns + 999999) / 1000000) : otherwise_ms;
}

static void set_limits(struct call_host *host, const struct rpc_server_options *options)
{
	host->calls_max = options->calls_max;
	host->handled = options->handled;
	host->handled_context = options->handled_context;
	host->guard = options->guard;
	if (options->starting)
		atomic_store(&host->health, RPC_STARTING);
	host->arena_factor = either(options->arena_factor, CALL_ARENA_FACTOR);
	host->arena_bytes_min = either(options->arena_bytes_min, CALL_ARENA_MIN);
	host->arena_bytes_max = either(options->arena_bytes_max, CALL_ARENA_MAX);
}

static grpc_server *create_core(const struct rpc_server_options *options)
{
	size_t message_max = either(options->message_bytes_max, MESSAGE_BYTES_MAX);
	size_t streams_max = either(options->streams_max, STREAMS_MAX);
	grpc_arg args[] = {
		int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, message_max),
		int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams_max),
		int_arg(GRPC_ARG_MAX_METADATA_SIZE,
			either(options->metadata_bytes_max, METADATA_BYTES_MAX)),
		/* A small compressed body can hold a thousand times its size. */
		int_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
			1U << GRPC_COMPRESS_NONE),
		/* A second server on a taken port is an error, not half of the calls. */
		int_arg(GRPC_ARG_ALLOW_REUSEPORT, 0),
		/* A client that vanished without a word frees its streams after a while; one that
		 * itself asks every ten seconds is welcome. */
		int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, either_ms(options->keepalive_ns, 60000)),
		int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
			either_ms(options->keepalive_timeout_ns, 20000)),
		int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
		int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
			either_ms(options->ping_interval_ns, 10000)),
		int_arg(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2),
		int_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
	};
	grpc_channel_args all = {sizeof args / sizeof *args, args};

	return grpc_server_create(&all, NULL);
}

static status listen_all(struct rpc_server *server, const struct rpc_server_options *options,
			 struct arena *arena)
{
	server->addresses = ARENA_ARRAY(&server->arena, const char *, options->n_addresses);
	server->tls = ARENA_ARRAY(&server->arena, struct tls *, options->n_addresses);
	if (!server->addresses || !server->tls)
		return out_of_memory();
	for (size_t i = 0; i < options->n_addresses; i++) {
		struct listener listener = {
			.address = options->addresses[i],
			.socket_mode = options->socket_mode,
			.socket_group = options->socket_group,
		};
		int port = 0;

		server->n_addresses++;
		if (options->tls && !listen_is_socket(listener.address))
			TRY(tls_open(options->tls, arena, &server->tls[i]));
		listener.tls = server->tls[i];
		TRY(listen_on(server->core, &listener, arena, &port));
		server->addresses[i] = listen_address(&server->arena, listener.address, port);
		if (!server->addresses[i])
			return out_of_memory();
	}
	return status_ok();
}

static void add_slot(struct rpc_server *server, const struct route *route,
		     grpc_completion_queue *queue)
{
	struct slot *slot = &server->slots[server->n_slots++];

	slot->server = server;
	slot->route = route;
	slot->queue = queue;
	slot->on_arrival = (struct rpc_op){slot_arrived, slot};
}

/* Before the core starts, which then knows the methods that have slots of their own. */
static status make_slots(struct rpc_server *server)
{
	size_t max = N_SLOTS + server->n_routes * N_SLOTS_A_STREAM;

	server->slots = ARENA_ARRAY(&server->arena, struct slot, max);
	if (!server->slots)
		return out_of_memory();
	for (size_t i = 0; i < N_SLOTS; i++)
		add_slot(server, NULL, server->queues.main);
	for (size_t i = 0; i < server->n_routes; i++) {
		struct route *route = &server->routes[i];

		if (!route->method->client_streams)
			continue;
		route->core = grpc_server_register_method(server->core, route->path, NULL,
							  GRPC_SRM_PAYLOAD_NONE, 0);
		if (!route->core)
			return out_of_memory();
		/* The core takes slots by turns, and so the queues. */
		for (size_t j = 0; j < N_SLOTS_A_STREAM; j++)
			add_slot(server, route, server->queues.streams[j % QUEUES_STREAMS].core);
	}
	return status_ok();
}

static void start_core(struct rpc_server *server)
{
	grpc_server_start(server->core);
	server->n_slots_posted = server->n_slots;
	for (size_t i = 0; i < server->n_slots; i++)
		slot_post(&server->slots[i]);
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
	call_host_init(&server->host, options->workers);
	set_limits(&server->host, options);
	if (options->stall_ns)
		TRY(stall_watch_open(&server->host, options->stall_ns, &server->host.watch));
	TRY(descriptors_open(bytes_of(sluice_descriptor_set, sluice_descriptor_set_size),
			     &server->descriptors));
	TRY(build_services(server, options));
	TRY(build_routes(server, options));
	TRY(build_traffic(server));

	TRY(queues_open(&server->queues, options->n_pollers, &server->arena));
	server->core = create_core(options);
	if (!server->core)
		return out_of_memory();
	grpc_server_register_completion_queue(server->core, server->queues.main, NULL);
	TRY(make_slots(server));
	TRY(listen_all(server, options, arena));
	start_core(server);
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

bool rpc_server_is_serving(const struct rpc_server *server)
{
	return atomic_load(&server->host.phase) == RPC_SERVING;
}

/* --- the end --- */

static void shutdown_done(void *owner, bool ok)
{
	struct rpc_server *server = owner;

	(void)ok;
	pthread_mutex_lock(&server->host.lock);
	server->is_shut_down = true;
	pthread_cond_broadcast(&server->host.changed);
	pthread_mutex_unlock(&server->host.lock);
}

static bool has_no_calls(const struct rpc_server *server)
{
	return server->host.n_calls == 0;
}

static bool has_ended(const struct rpc_server *server)
{
	return has_no_calls(server) && server->n_slots_posted == 0 && server->is_shut_down;
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

void rpc_server_drain(struct rpc_server *server, double seconds)
{
	bool idle;

	if (server->drained)
		return;
	server->drained = true;
	call_host_set_phase(&server->host, RPC_DRAINING);
	idle = wait_until(server, has_no_calls, seconds < 0 ? 0 : seconds);
	if (!idle) {
		call_host_set_phase(&server->host, RPC_ENDING);
		idle = wait_until(server, has_no_calls, GRACE_SECONDS);
	}
	/* Not before: once told to shut down, the core closes a connection as soon as its last stream
	 * is written, and what the client has not read yet is lost if the client sends a word. */
	server->on_shutdown = (struct rpc_op){shutdown_done, server};
	grpc_server_shutdown_and_notify(server->core, server->queues.main,
					op_tag(&server->on_shutdown));
	/* The last bytes may still be on their way, and connections open that have nothing to say.
	 */
	if (!idle || !wait_until(server, has_ended, GRACE_SECONDS))
		grpc_server_cancel_all_calls(server->core);
	wait_until(server, has_ended, -1);
}

void rpc_server_close(struct rpc_server *server)
{
	if (!server)
		return;
	if (server->core) {
		rpc_server_drain(server, 0);
		grpc_server_destroy(server->core);
	}
	for (size_t i = 0; i < server->n_addresses; i++)
		tls_close(server->tls[i]);
	queues_close(&server->queues);
	descriptors_close(server->descriptors);
	stall_watch_close(server->host.watch);
	call_host_finish(&server->host);
	arena_finish(&server->arena);
	free(server->traffic);
	free(server);
}
