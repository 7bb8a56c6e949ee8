/* health - grpc.health.v1: what probes and balancers ask. A server is well from its start until it
 * drains; what an orchestrator should do about one that is not depends on which question it asks. */
#include "kernels/base/error_info.h"
#include "service/rpc/builtin.h"
#include "service/rpc/protobuf_arena.h"

#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest check_request;
typedef Grpc__Health__V1__HealthCheckResponse check_response;
typedef Grpc__Health__V1__HealthListRequest list_request;
typedef Grpc__Health__V1__HealthListResponse list_response;
typedef Grpc__Health__V1__HealthListResponse__StatusesEntry list_entry;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus serving_status;

#define STATE_IS(what) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##what

struct health {
	const char *name; /* of the service asked for; NULL: there is none */
	bool told;        /* Watch has sent a state, which was: */
	serving_status state;
};

static const char *const probes[] = {HEALTH_LIVENESS, HEALTH_READINESS, HEALTH_STARTUP};

#define N_PROBES (sizeof probes / sizeof *probes)

static bool is_known(const struct builtin *builtin, const char *name)
{
	if (name[0] == 0)
		return true;
	for (size_t i = 0; i < N_PROBES; i++)
		if (strcmp(probes[i], name) == 0)
			return true;
	for (size_t i = 0; i < builtin->n_names; i++) {
		if (strcmp(builtin->names[i], name) == 0)
			return true;
	}
	return false;
}

static serving_status state_now(struct rpc_call *call, const char *name)
{
	enum rpc_health health = rpc_health_now(call);
	bool well = health == RPC_READY;

	if (strcmp(name, HEALTH_LIVENESS) == 0)
		well = true;
	else if (strcmp(name, HEALTH_STARTUP) == 0)
		well = health != RPC_STARTING;
	return well ? STATE_IS(SERVING) : STATE_IS(NOT_SERVING);
}

static void write_state(serving_status state, struct buffer *ret)
{
	check_response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

	response.status = state;
	buffer_pack(ret, &response.base);
}

static status read_request(struct rpc_call *call, struct bytes message, const char **ret_name)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(rpc_arena(call));
	check_request *request = grpc__health__v1__health_check_request__unpack(
		&allocator, message.size, message.data);

	if (!request)
		return protobuf_status(rpc_arena(call), "grpc.health.v1.HealthCheckRequest",
				       rpc_arena(call));
	*ret_name = request->service;
	return status_ok();
}

/* --- Check --- */

static status check_request_one(struct rpc_call *call, struct bytes message)
{
	struct health *health = rpc_state(call);
	const char *name = "";

	TRY(read_request(call, message, &name));
	health->name = name;
	if (!is_known(rpc_context(call), name))
		return status_reason(
			status_format(rpc_arena(call), STATUS_NOT_FOUND, "no service %s", name),
			rpc_arena(call), REASON_SERVICE_UNKNOWN, "service", name, NULL);
	return status_ok();
}

static enum rpc_step check_next(struct rpc_call *call, struct buffer *ret)
{
	const struct health *health = rpc_state(call);

	write_state(state_now(call, health->name), ret);
	return RPC_LAST;
}

/* --- List --- */

static status list_request_one(struct rpc_call *call, struct bytes message)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(rpc_arena(call));

	if (!grpc__health__v1__health_list_request__unpack(&allocator, message.size, message.data))
		return protobuf_status(rpc_arena(call), "grpc.health.v1.HealthListRequest",
				       rpc_arena(call));
	return status_ok();
}

static void write_entry(const char *name, serving_status state, struct buffer *ret)
{
	const uint32_t statuses_field = 1;
	check_response value = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	list_entry entry = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__STATUSES_ENTRY__INIT;

	value.status = state;
	entry.key = (char *)name; /* only read */
	entry.value = &value;
	buffer_append_message(ret, statuses_field, &entry.base);
}

static enum rpc_step list_next(struct rpc_call *call, struct buffer *ret)
{
	const struct builtin *builtin = rpc_context(call);

	write_entry("", state_now(call, ""), ret);
	for (size_t i = 0; i < builtin->n_names; i++)
		write_entry(builtin->names[i], state_now(call, builtin->names[i]), ret);
	for (size_t i = 0; i < N_PROBES; i++)
		write_entry(probes[i], state_now(call, probes[i]), ret);
	return RPC_LAST;
}

/* --- Watch --- */

static status watch_request_one(struct rpc_call *call, struct bytes message)
{
	struct health *health = rpc_state(call);
	const char *name = "";

	TRY(read_request(call, message, &name));
	health->name = is_known(rpc_context(call), name) ? name : NULL;
	return status_ok();
}

static enum rpc_step watch_next(struct rpc_call *call, struct buffer *ret)
{
	struct health *health = rpc_state(call);
	serving_status now =
		health->name ? state_now(call, health->name) : STATE_IS(SERVICE_UNKNOWN);

	if (!health->told || health->state != now) {
		health->told = true;
		health->state = now;
		write_state(now, ret);
		return RPC_MESSAGE;
	}
	if (rpc_drain_phase(call) != RPC_SERVING)
		return rpc_fail(call, rpc_draining());
	return RPC_WAIT;
}

static const struct rpc_method health_methods[] = {
	{
		.path = "/" HEALTH_SERVICE "/Check",
		.state_size = sizeof(struct health),
		.request = check_request_one,
		.next = check_next,
	},
	{
		.path = "/" HEALTH_SERVICE "/List",
		.request = list_request_one,
		.next = list_next,
	},
	{
		.path = "/" HEALTH_SERVICE "/Watch",
		.state_size = sizeof(struct health),
		.request = watch_request_one,
		.next = watch_next,
	},
};

struct rpc_service health_service(struct builtin *builtin)
{
	return (struct rpc_service){
		.name = HEALTH_SERVICE,
		.methods = health_methods,
		.n_methods = sizeof health_methods / sizeof *health_methods,
		.context = builtin,
	};
}
