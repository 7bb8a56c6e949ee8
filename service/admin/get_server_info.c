/* get_server_info - AdminService.GetServerInfo: version, devices, and the gauges. */
#include "google/protobuf/duration.pb-c.h"
#include "kernels/base/gauge.h"
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "service/rpc/protobuf_arena.h"
#include "service/version.h"
#include "sluice/v1/admin_service.pb-c.h"

static status get_server_info_request(struct rpc_call *call, struct bytes message)
{
	struct arena *arena = rpc_arena(call);

	ProtobufCMessage *unpacked = NULL;

	return message_unpack(arena, &sluice__v1__get_server_info_request__descriptor, message,
			      &unpacked);
}

static char *borrow(const char *text)
{
	return (char *)text; /* protobuf-c takes no const */
}

static uint64_t alive(enum gauge gauge)
{
	int64_t n = gauge_read(gauge);

	return n > 0 ? (uint64_t)n : 0;
}

static status gpus_to_message(struct arena *arena, const struct services *services,
			      Sluice__V1__GetServerInfoResponse *ret)
{
	const struct gpu_list *list = services->gpus;
	Sluice__V1__GpuDevice *gpus = ARENA_ARRAY(arena, Sluice__V1__GpuDevice, list->n);

	ret->gpus = ARENA_ARRAY(arena, Sluice__V1__GpuDevice *, list->n);
	if (!gpus || !ret->gpus)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "the call's memory is used up");
	ret->n_gpus = list->n;
	for (size_t i = 0; i < list->n; i++) {
		const struct gpu_device *device = &list->devices[i];

		sluice__v1__gpu_device__init(&gpus[i]);
		gpus[i].name = borrow(device->name);
		gpus[i].driver = borrow(device->driver);
		gpus[i].memory_bytes = device->memory_bytes;
		gpus[i].in_use = device->in_use;
		gpus[i].reason = borrow(device->reason);
		if (device->in_use && services->gpu)
			gpus[i].used_bytes = scanner_vulkan_used_bytes(services->gpu);
		ret->gpus[i] = &gpus[i];
	}
	return status_ok();
}

static enum rpc_step get_server_info_next(struct rpc_call *call, struct buffer *ret)
{
	const struct services *services = rpc_context(call);
	Sluice__V1__GetServerInfoResponse response = SLUICE__V1__GET_SERVER_INFO_RESPONSE__INIT;
	Google__Protobuf__Duration uptime = GOOGLE__PROTOBUF__DURATION__INIT;
	int64_t up_ns = clock_ns() - services->start_ns;
	uint64_t calls;
	status made = gpus_to_message(rpc_arena(call), services, &response);

	if (status_failed(made))
		return rpc_fail(call, made);
	uptime.seconds = up_ns / 1000000000;
	uptime.nanos = (int32_t)(up_ns % 1000000000);
	response.version = borrow(SLUICE_VERSION);
	response.backend = borrow(services->scanner->name);
	response.uptime = &uptime;
	response.open_cursors = alive(GAUGE_CURSORS);
	response.pinned_snapshots = alive(GAUGE_SNAPSHOTS);
	response.gpu_objects_in_flight = alive(GAUGE_GPU_OBJECTS);
	/* This call is alive and does not count itself: an idle server says zero. */
	calls = alive(GAUGE_CALLS);
	response.calls_in_flight = calls > 0 ? calls - 1 : 0;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

const struct rpc_method get_server_info_method = {
	.path = "/sluice.v1.AdminService/GetServerInfo",
	.request = get_server_info_request,
	.next = get_server_info_next,
};
