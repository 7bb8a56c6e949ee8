/* door - the core's server of an address, and arrivals. */
#include "service/rpc/door.h"

#include "service/rpc/tls.h"

#include <assert.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdlib.h>

#define N_SLOTS 128
#define N_SLOTS_A_STREAM (4 * QUEUES_STREAMS)
#define MESSAGE_BYTES_MAX ((size_t)4 << 20)
#define STREAMS_MAX ((size_t)1024)
#define METADATA_BYTES_MAX (16 << 10)

/* Waits for an arrival. */
struct slot {
	struct rpc_op on_arrival;
	struct door *door;
	const struct route *route;    /* whose slot it is; NULL: everybody else's */
	void *name;                   /* the core's, of the route */
	grpc_completion_queue *queue; /* of the call */
	grpc_call *core;              /* the core's until on_arrival, as the rest */
	grpc_call_details details;    /* of a slot of a route, the deadline alone */
	grpc_metadata_array metadata;
};

static status out_of_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
}

/* --- arrivals --- */

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

static void slot_post(struct slot *slot)
{
	struct door *door = slot->door;
	struct queues *queues = &door->server->queues;
	grpc_completion_queue *queue = slot->route ? queues_choose(queues) : queues->main;
	grpc_call_error error;

	slot->core = NULL;
	grpc_call_details_init(&slot->details);
	grpc_metadata_array_init(&slot->metadata);
	slot->queue = queue;
	/* After a shutdown these come back as a failure. */
	if (slot->route)
		error = grpc_server_request_registered_call(
			door->core, slot->name, &slot->core, &slot->details.deadline,
			&slot->metadata, NULL, queue, queues->main, op_tag(&slot->on_arrival));
	else
		error = grpc_server_request_call(door->core, &slot->core, &slot->details,
						 &slot->metadata, queue, queues->main,
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

static bool is_pressed(const struct rpc_server *server, struct bytes path)
{
	return atomic_load(&server->host.pressed) && !is_health(path);
}

static struct bytes slot_path(const struct slot *slot)
{
	return slot->route ? bytes_of_string(slot->route->path)
			   : bytes_of(GRPC_SLICE_START_PTR(slot->details.method),
				      GRPC_SLICE_LENGTH(slot->details.method));
}

static bool may_shed(const struct route *route)
{
	return route && route->sheds && route->method->is_long;
}

static int64_t slot_late_ns(struct slot *slot, const struct route *route)
{
	struct call_host *host = &slot->door->server->host;

	return may_shed(route) ? call_host_late_ns(host, slot->details.deadline) : 0;
}

/* Refuses the call of a slot with as little as can be: nothing of it is read, and none of our calls is made. */
static bool slot_sheds(struct slot *slot)
{
	struct rpc_server *server = slot->door->server;
	const struct route *route;
	struct traffic *traffic;
	int64_t wait_ns;

	if (!call_host_is_swamped(&server->host) || atomic_load(&server->host.phase) != RPC_SERVING)
		return false;
	route = slot->route ? slot->route : find_route(server, slot_path(slot));
	if (!may_shed(route))
		return false;
	wait_ns = call_host_surplus_ns(&server->host, slot->details.deadline);
	if (!wait_ns)
		return false;
	traffic = &server->traffic[route - server->routes];
	traffic_started(traffic);
	traffic_handled(traffic, STATUS_RESOURCE_EXHAUSTED, 0);
	call_refuse(&server->host, slot->core, wait_ns);
	return true;
}

static struct rpc_call *slot_open_call(struct slot *slot)
{
	struct rpc_server *server = slot->door->server;
	struct bytes path = slot_path(slot);
	bool draining = is_refused(server, path);
	bool crowded = !draining && is_crowded(server, path);
	bool pressed = !draining && !crowded && is_pressed(server, path);
	const struct route *known = slot->route ? slot->route : find_route(server, path);
	int64_t late_ns = draining || crowded || pressed ? 0 : slot_late_ns(slot, known);
	bool refused = draining || crowded || pressed || late_ns;
	const struct route *route = refused ? NULL : known;
	bool on_main = slot->queue == server->queues.main;
	struct call_arrival arrival = {
		.traffic = &server->traffic[known ? (size_t)(known - server->routes)
						  : server->n_routes],
		.core = slot->core,
		.method = route ? route->method : NULL,
		.context = route ? route->context : NULL,
		.deadline = slot->details.deadline,
		.path = path,
		.metadata = &slot->metadata,
		.on_main = on_main,
		.n_streams = on_main && slot->route ? &server->queues.n_on_main : NULL,
		.sheds = route && route->sheds,
		.draining = draining,
		.crowded = crowded,
		.pressed = pressed,
		.late_ns = late_ns,
	};

	return call_open(&server->host, &arrival);
}

static void slot_arrived(void *owner, bool ok)
{
	struct slot *slot = owner;
	struct door *door = slot->door;
	struct call_host *host = &door->server->host;
	struct rpc_call *call = ok && !slot_sheds(slot) ? slot_open_call(slot) : NULL;

	grpc_call_details_destroy(&slot->details);
	grpc_metadata_array_destroy(&slot->metadata);
	if (ok) {
		slot_post(slot);
		if (call)
			call_start(call);
		return;
	}
	/* The door is shut. It may be gone right after this. */
	pthread_mutex_lock(&host->lock);
	door->n_slots_posted--;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
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

static grpc_server *create_core(const struct rpc_server *server)
{
	const struct rpc_server_options *options = &server->options;
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
		int_arg(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
			either_ms(options->handshake_ns, 20000)),
		/* A client that vanished without a word frees its streams after a while; one that
		 * itself asks every ten seconds is welcome. */
		int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, either_ms(options->keepalive_ns, 60000)),
		int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
			either_ms(options->keepalive_timeout_ns, 20000)),
		int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
		/* Without an interval pings are answered, however many: sending a client away
		 * costs the core 20 us and 7 KB for each ping that it has read by then, so
		 * 3 MB of pings on one connection would cost a gigabyte. */
		int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
			either_ms(options->ping_interval_ns, 1)),
		int_arg(GRPC_ARG_HTTP2_MAX_PING_STRIKES, options->ping_interval_ns ? 2 : 0),
		int_arg(GRPC_ARG_ENABLE_CHANNELZ, options->channelz),
		{
			.type = GRPC_ARG_POINTER,
			.key = (char *)GRPC_ARG_RESOURCE_QUOTA,
			.value.pointer = {server->quota, grpc_resource_quota_arg_vtable()},
		},
	};
	grpc_channel_args all = {sizeof args / sizeof *args - !server->quota, args};

	return grpc_server_create(&all, NULL);
}

static void add_slot(struct door *door, struct slot slot)
{
	struct slot *added = &door->slots[door->n_slots++];

	*added = slot;
	added->door = door;
	added->on_arrival = (struct rpc_op){slot_arrived, added};
}

/* Before the core starts, which then knows the methods that have slots of their own. */
static status make_slots(struct door *door)
{
	struct rpc_server *server = door->server;

	door->slots = calloc(N_SLOTS + server->n_routes * N_SLOTS_A_STREAM, sizeof *door->slots);
	if (!door->slots)
		return out_of_memory();
	for (size_t i = 0; i < N_SLOTS; i++)
		add_slot(door, (struct slot){0});
	for (size_t i = 0; i < server->n_routes; i++) {
		struct slot slot = {.route = &server->routes[i]};

		if (!slot.route->method->client_streams)
			continue;
		slot.name = grpc_server_register_method(door->core, slot.route->path, NULL,
							GRPC_SRM_PAYLOAD_NONE, 0);
		if (!slot.name)
			return out_of_memory();
		for (size_t j = 0; j < N_SLOTS_A_STREAM; j++)
			add_slot(door, slot);
	}
	return status_ok();
}

static status listen_there(struct door *door, const char *address, struct arena *arena)
{
	const struct rpc_server_options *options = &door->server->options;
	struct listener listener = {.address = address, .owner = options->socket_owner};

	if (options->tls && !listen_is_socket(address))
		TRY(tls_open(options->tls, arena, &door->tls));
	listener.tls = door->tls;
	return listen_on(door->core, &listener, arena, &door->listens);
}

static void start(struct door *door)
{
	grpc_server_start(door->core);
	door->n_slots_posted = door->n_slots;
	for (size_t i = 0; i < door->n_slots; i++)
		slot_post(&door->slots[i]);
}

static status prepare(struct door *door, const char *address, struct arena *arena)
{
	door->core = create_core(door->server);
	if (!door->core)
		return out_of_memory();
	grpc_server_register_completion_queue(door->core, door->server->queues.main, NULL);
	TRY(make_slots(door));
	return listen_there(door, address, arena);
}

/* One that may listen already, and has no slots out. */
static void give_up(struct door *door)
{
	struct call_host *host = &door->server->host;

	if (door->core) {
		door_shut(door);
		pthread_mutex_lock(&host->lock);
		while (!door_has_ended(door))
			pthread_cond_wait(&host->changed, &host->lock);
		pthread_mutex_unlock(&host->lock);
	}
	door_close(door);
}

status door_open(struct rpc_server *server, const char *address, struct arena *arena,
		 struct door **ret)
{
	struct door *door = calloc(1, sizeof *door);
	status prepared;

	if (!door)
		return out_of_memory();
	door->server = server;
	prepared = prepare(door, address, arena);
	if (status_failed(prepared)) {
		give_up(door);
		return prepared;
	}
	start(door);
	*ret = door;
	return status_ok();
}

/* --- the end --- */

static void shutdown_done(void *owner, bool ok)
{
	struct door *door = owner;
	struct call_host *host = &door->server->host;

	(void)ok;
	pthread_mutex_lock(&host->lock);
	door->is_shut_down = true;
	pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

void door_shut(struct door *door)
{
	if (door->is_shut)
		return;
	door->is_shut = true;
	listening_end(&door->listens);
	door->on_shutdown = (struct rpc_op){shutdown_done, door};
	grpc_server_shutdown_and_notify(door->core, door->server->queues.main,
					op_tag(&door->on_shutdown));
}

bool door_has_ended(const struct door *door)
{
	return door->n_slots_posted == 0 && door->is_shut_down;
}

void door_close(struct door *door)
{
	if (!door)
		return;
	if (door->core)
		grpc_server_destroy(door->core);
	tls_close(door->tls);
	free(door->slots);
	free(door);
}
