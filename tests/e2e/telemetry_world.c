/* telemetry_world - one more line of the server's output. */
#include "tests/e2e/telemetry_world.h"

#include "tests/service/telemetry/metrics.h"
#include "tests/support/http_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_SECONDS 20.0

static char address[128];

/* Standard output's next line: "metrics on ADDRESS". */
static void read_address(int output)
{
	char line[sizeof address] = "";
	size_t n = 0;

	while (n < sizeof line - 1 && read(output, &line[n], 1) == 1 && line[n] != '\n')
		n++;
	line[n] = 0;
	cr_assert_eq(sscanf(line, "metrics on %127s", address), 1, "%s", line);
}

void telemetry_restart_with(const char *settings)
{
	world_restart_with(&(struct server_options){0},
			   text_of("metrics_listen: 127.0.0.1:0\n%s", settings));
	read_address(world.server.output);
}

void telemetry_restart(const char *logging)
{
	telemetry_restart_with(text_of("logging: {%s}\n", logging));
}

const char *telemetry_address(void)
{
	return address;
}

char *telemetry_get(const char *path)
{
	char *body = http_get(address, path);

	cr_assert_not_null(body, "%s", path);
	return body;
}

double telemetry_value(const char *series)
{
	char *text = telemetry_get("/metrics");
	double value = metrics_value(text, series);

	free(text);
	cr_assert_geq(value, 0, "%s is not there", series);
	return value;
}

void telemetry_await(const char *series, double wanted)
{
	double until = seconds_now() + WAIT_SECONDS;

	while (telemetry_value(series) != wanted && seconds_now() < until)
		pause_ms(5);
	cr_assert_eq(telemetry_value(series), wanted, "%s: %g, not %g", series,
		     telemetry_value(series), wanted);
}
