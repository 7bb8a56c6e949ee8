/* health - grpc.health.v1: what probes and balancers ask. A server is well until it drains. */
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
	bool known; /* the service asked for */
	bool told;  /* Watch has sent a state, which was: */
	serving_status state;
};

static bool is_known(const struct builtin *builtin, const char *name)
{
	if (name[0] == 0)
		return true;
	for (size_t i = 0; i < builtin->n_names; i++) {
		if (strcmp(builtin->names[i], name) == 0)
			return true;
	}
	return false;
}

static serving_status state_now(struct rpc_call *call)
{
	return rpc_drain_phase(call) == RPC_SERVING ? STATE_IS(SERVING) : STATE_IS(NOT_SERVING);
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
	const char *name = "";

	TRY(read_request(call, message, &name));
	if (!is_known(rpc_context(call), name))
		return status_reason(
			status_format(rpc_arena(call), STATUS_NOT_FOUND, "no service %s", name),
			rpc_arena(call), REASON_SERVICE_UNKNOWN, "service", name, NULL);
	return status_ok();
}

static enum rpc_step check_next(struct rpc_call *call, struct buffer *ret)
{
	write_state(state_now(call), ret);
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
	serving_status state = state_now(call);

	write_entry("", state, ret);
	for (size_t i = 0; i < builtin->n_names; i++)
		write_entry(builtin->names[i], state, ret);
	return RPC_LAST;
}

/* --- Watch --- */

static status watch_request_one(struct rpc_call *call, struct bytes message)
{
	struct health *health = rpc_state(call);
	const char *name = "";

	TRY(read_request(call, message, &name));
	health->known = is_known(rpc_context(call), name);
	return status_ok();
}

static enum rpc_step watch_next(struct rpc_call *call, struct buffer *ret)
{
	struct health *health = rpc_state(call);
	serving_status now = health->known ? state_now(call) : STATE_IS(SERVICE_UNKNOWN);

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
		.path = "/grpc.health.v1.Health/Check",
		.request = check_request_one,
		.next = check_next,
	},
	{
		.path = "/grpc.health.v1.Health/List",
		.request = list_request_one,
		.next = list_next,
	},
	{
		.path = "/grpc.health.v1.Health/Watch",
		.state_size = sizeof(struct health),
		.request = watch_request_one,
		.next = watch_next,
	},
};

struct rpc_service health_service(struct builtin *builtin)
{
	return (struct rpc_service){
		.name = "grpc.health.v1.Health",
		.methods = health_methods,
		.n_methods = sizeof health_methods / sizeof *health_methods,
		.context = builtin,
	};
}
