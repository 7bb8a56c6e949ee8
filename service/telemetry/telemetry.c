/* telemetry - pages behind a listener. */
#include "service/telemetry/telemetry.h"

#include "service/telemetry/access_log.h"
#include "service/telemetry/debug_page.h"
#include "service/telemetry/families.h"
#include "service/telemetry/http.h"
#include "service/telemetry/status_page.h"

#include <stdlib.h>

/* Of the readings of a page: a thousand collections' are 6 MB. */
#define READINGS_BYTES_MAX ((size_t)32 << 20)

struct telemetry {
	const struct services *services;
	struct rpc_server *server;
	struct http *http;
};

void telemetry_handled(void *context, const struct rpc_handled *handled)
{
	access_log_handled(handled);
	tracing_handled(context, handled);
}

static status make_page(struct telemetry *telemetry,
			void (*print)(const struct readings *readings, struct buffer *out),
			struct buffer *body)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct readings readings;

	arena_init(arena, READINGS_BYTES_MAX);
	TRY(readings_take(telemetry->services, telemetry->server, arena, &readings));
	print(&readings, body);
	return status_ok();
}

static status make_metrics(void *context, struct buffer *body)
{
	return make_page(context, families_print, body);
}

static status make_status(void *context, struct buffer *body)
{
	return make_page(context, status_page_print, body);
}

static status make_debug(void *context, struct buffer *body)
{
	return make_page(context, debug_page_print, body);
}

static const struct http_page pages[] = {
	{"/debug", "application/json", make_debug},
	{"/", "text/html; charset=utf-8", make_status},
	{"/metrics", EXPOSITION_TYPE, make_metrics},
};

status telemetry_open(const char *address, const struct services *services,
		      struct rpc_server *server, struct arena *arena, struct telemetry **ret)
{
	SCOPED(telemetry) telemetry = calloc(1, sizeof *telemetry);

	if (!telemetry)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for telemetry");
	telemetry->services = services;
	telemetry->server = server;
	TRY(http_open(address, pages, sizeof pages / sizeof *pages, telemetry, arena,
		      &telemetry->http));
	*ret = TAKE(telemetry);
	return status_ok();
}

const char *telemetry_address(const struct telemetry *telemetry)
{
	return http_address(telemetry->http);
}

void telemetry_close(struct telemetry *telemetry)
{
	if (!telemetry)
		return;
	http_close(telemetry->http);
	free(telemetry);
}
