/* info - what a server says about itself. */
#include "service/cli/commands.h"
#include "service/cli/methods.h"
#include "service/cli/words.h"
#include "sluice/v1/admin_service.pb-c.h"

static void uptime_print(const Google__Protobuf__Duration *uptime)
{
	long long seconds = uptime ? uptime->seconds : 0;

	printf("uptime          ");
	if (seconds >= 86400)
		printf("%lld d ", seconds / 86400);
	printf("%02lld:%02lld:%02lld\n", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
}

static void gpu_print(const Sluice__V1__GpuDevice *gpu)
{
	printf("gpu             %s (%s), %.1f of %.1f GiB used, %s%s%s\n", gpu->name, gpu->driver,
	       (double)gpu->used_bytes / 0x1p30, (double)gpu->memory_bytes / 0x1p30,
	       gpu->in_use ? "in use" : "not in use", gpu->reason[0] ? ": " : "", gpu->reason);
}

static status info_run(struct cli *cli)
{
	Sluice__V1__GetServerInfoRequest request = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;
	SCOPED(answer) answer = NULL;
	const Sluice__V1__GetServerInfoResponse *info;

	TRY(cli_ask(cli, &method_get_server_info, &request.base, &answer));
	info = (const Sluice__V1__GetServerInfoResponse *)answer;
	printf("version         %s\n", info->version);
	printf("backend         %s\n", info->backend);
	for (size_t i = 0; i < info->n_gpus; i++)
		gpu_print(info->gpus[i]);
	uptime_print(info->uptime);
	printf("open cursors    %s\n", count_format(info->open_cursors).text);
	printf("snapshots       %s\n", count_format(info->pinned_snapshots).text);
	printf("gpu objects     %s\n", count_format(info->gpu_objects_in_flight).text);
	printf("calls           %s\n", count_format(info->calls_in_flight).text);
	return status_ok();
}

const struct command info_command = {
	.name = "info",
	.usage = "",
	.summary = "print the server's version, backend, uptime and what it has open",
	.run = info_run,
};
