/* otlp_options - the environment, as OpenTelemetry's own programs read it. */
#include "service/telemetry/otlp_options.h"
#include "service/telemetry/otlp_pairs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct variable {
	const char *name, *value;
};

/* Of the test; the last one has no name. */
static const struct variable *environment;
static struct arena arena;

static const char *get(const char *name)
{
	for (const struct variable *at = environment; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return at->value;
	return NULL;
}

static void open_arena(void)
{
	arena_init(&arena, (size_t)16 << 20);
}

static void close_arena(void)
{
	arena_finish(&arena);
}

TestSuite(otlp_options, .init = open_arena, .fini = close_arena);

static struct otlp_options read_from(const struct variable *variables)
{
	struct otlp_options options;

	environment = variables;
	otlp_options_read(get, &arena, &options);
	return options;
}

#define ENDPOINT "OTEL_EXPORTER_OTLP_ENDPOINT"
#define SOMEWHERE {ENDPOINT, "http://collector"}

static const char *attribute(const struct otlp_options *options, const char *name)
{
	for (size_t i = 0; i < options->n_attributes; i++)
		if (strcmp(options->attributes[i].name, name) == 0)
			return options->attributes[i].value;
	return "";
}

Test(otlp_options, are_off_without_an_endpoint)
{
	struct otlp_options options = read_from((struct variable[]){{NULL, NULL}});

	cr_assert_not(options.sends);
	cr_assert(options.takes_up);
}

Test(otlp_options, have_the_defaults_of_opentelemetry)
{
	struct otlp_options options = read_from((struct variable[]){SOMEWHERE, {NULL, NULL}});

	cr_assert(options.sends);
	cr_assert_str_eq(options.peer.target, "dns:///collector:4317");
	cr_assert_not(options.peer.tls);
	cr_assert_not(options.peer.gzip);
	cr_assert_eq(options.peer.n_headers, 0);
	cr_assert_eq(options.sampler, SAMPLE_ALL);
	cr_assert(options.asks_parent);
	cr_assert_eq(options.timeout_ns, 10000000000);
	cr_assert_eq(options.delay_ns, 5000000000);
	cr_assert_eq(options.queue_max, 2048);
	cr_assert_eq(options.batch_max, 512);
	cr_assert_str_eq(attribute(&options, "service.name"), "sluice");
}

/* What an endpoint becomes; NULL: nothing is sent. */
static const struct {
	const char *endpoint, *insecure, *target;
	bool tls;
} endpoints[] = {
	{"http://127.0.0.1:4000", NULL, "dns:///127.0.0.1:4000", false},
	{"HTTP://host:4000/v1/traces?x", NULL, "dns:///host:4000", false},
	{"https://host", NULL, "dns:///host:4317", true},
	{"https://[::1]:9", NULL, "dns:///[::1]:9", true},
	{"http://[::1]", NULL, "dns:///[::1]:4317", false},
	{"host:4317", NULL, "dns:///host:4317", true},
	{"host:4317", "true", "dns:///host:4317", false},
	{"https://host", "true", "dns:///host:4317", true},
	{"unix:/run/otel.sock", NULL, "unix:/run/otel.sock", false},
	{"http://", NULL, NULL, false},
	{"http://host:", NULL, NULL, false},
	{"http://user:word@host", NULL, NULL, false},
	{"ftp://host", NULL, NULL, false},
};

Test(otlp_options, make_a_target_of_an_endpoint)
{
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
		struct otlp_options options = read_from(
			(struct variable[]){{ENDPOINT, endpoints[i].endpoint},
					    {"OTEL_EXPORTER_OTLP_INSECURE", endpoints[i].insecure},
					    {NULL, NULL}});

		cr_assert_eq(options.sends, endpoints[i].target != NULL, "%s",
			     endpoints[i].endpoint);
		if (!endpoints[i].target)
			continue;
		cr_assert_str_eq(options.peer.target, endpoints[i].target);
		cr_assert_eq(options.peer.tls, endpoints[i].tls, "%s", endpoints[i].endpoint);
	}
}

Test(otlp_options, prefer_what_is_said_of_traces)
{
	struct otlp_options options = read_from((struct variable[]){
		SOMEWHERE,
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=general"},
		{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=special"},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "1"},
		{"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"},
		{NULL, NULL},
	});

	cr_assert_str_eq(options.peer.target, "dns:///traces:1");
	cr_assert_eq(options.peer.n_headers, 1);
	cr_assert_str_eq(options.peer.headers[0].name, "b");
	cr_assert_eq(options.timeout_ns, 2500000000);
}

/* What switches sending off, and whether traceparents are taken up then. */
static const struct {
	struct variable variable;
	bool sends, takes_up;
} switches[] = {
	{{"OTEL_SDK_DISABLED", "true"}, false, true},
	{{"OTEL_SDK_DISABLED", "TRUE"}, false, true},
	{{"OTEL_SDK_DISABLED", "1"}, true, true},
	{{"OTEL_SDK_DISABLED", "false"}, true, true},
	{{"OTEL_TRACES_EXPORTER", "none"}, false, true},
	{{"OTEL_TRACES_EXPORTER", "zipkin"}, false, true},
	{{"OTEL_TRACES_EXPORTER", "console,otlp"}, true, true},
	{{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}, true, true},
	{{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}, false, true},
	{{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}, false, true},
	{{"OTEL_PROPAGATORS", "baggage"}, true, false},
	{{"OTEL_PROPAGATORS", "none"}, true, false},
	{{"OTEL_PROPAGATORS", "baggage, tracecontext"}, true, true},
};

Test(otlp_options, can_be_switched_off)
{
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
		struct otlp_options options = read_from(
			(struct variable[]){switches[i].variable, SOMEWHERE, {NULL, NULL}});

		cr_assert_eq(options.sends, switches[i].sends, "%s=%s", switches[i].variable.name,
			     switches[i].variable.value);
		cr_assert_eq(options.takes_up, switches[i].takes_up, "%s=%s",
			     switches[i].variable.name, switches[i].variable.value);
	}
}

static const struct {
	const char *sampler, *argument;
	enum otlp_sampler wanted;
	bool asks_parent;
	double ratio;
} samplers[] = {
	{"always_on", NULL, SAMPLE_ALL, false, 1},
	{"always_off", NULL, SAMPLE_NONE, false, 1},
	{"traceidratio", "0.25", SAMPLE_RATIO, false, 0.25},
	{"traceidratio", NULL, SAMPLE_RATIO, false, 1},
	{"traceidratio", "0", SAMPLE_RATIO, false, 0},
	{"traceidratio", "1.5", SAMPLE_RATIO, false, 1},
	{"traceidratio", "nan", SAMPLE_RATIO, false, 1},
	{"traceidratio", "half", SAMPLE_RATIO, false, 1},
	{"parentbased_always_on", NULL, SAMPLE_ALL, true, 1},
	{"parentbased_always_off", NULL, SAMPLE_NONE, true, 1},
	{"parentbased_traceidratio", "0.5", SAMPLE_RATIO, true, 0.5},
	{"jaeger_remote", NULL, SAMPLE_ALL, true, 1},
};

Test(otlp_options, know_the_samplers)
{
	for (size_t i = 0; i < sizeof samplers / sizeof *samplers; i++) {
		struct otlp_options options = read_from(
			(struct variable[]){SOMEWHERE,
					    {"OTEL_TRACES_SAMPLER", samplers[i].sampler},
					    {"OTEL_TRACES_SAMPLER_ARG", samplers[i].argument},
					    {NULL, NULL}});

		cr_assert_eq(options.sampler, samplers[i].wanted, "%s", samplers[i].sampler);
		cr_assert_eq(options.asks_parent, samplers[i].asks_parent, "%s",
			     samplers[i].sampler);
		cr_assert_eq(options.ratio, samplers[i].ratio, "%s %s", samplers[i].sampler,
			     samplers[i].argument);
	}
}

Test(otlp_options, have_batches_of_the_size_asked_for)
{
	struct otlp_options options = read_from((struct variable[]){
		SOMEWHERE,
		{"OTEL_BSP_SCHEDULE_DELAY", "200"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "400"},
		{"OTEL_BSP_EXPORT_TIMEOUT", "3000"},
		{NULL, NULL},
	});

	cr_assert_eq(options.delay_ns, 200000000);
	cr_assert_eq(options.queue_max, 100);
	cr_assert_eq(options.batch_max, 100); /* never more than wait */
	cr_assert_eq(options.timeout_ns, 3000000000);
	options = read_from((struct variable[]){
		SOMEWHERE,
		{"OTEL_BSP_SCHEDULE_DELAY", "soon"},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "-1"},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"},
		{"OTEL_BSP_EXPORT_TIMEOUT", "99999999999999999999"},
		{NULL, NULL},
	});
	cr_assert_eq(options.delay_ns, 5000000000);
	cr_assert_eq(options.queue_max, 2048);
	cr_assert_eq(options.batch_max, 512);
	cr_assert_eq(options.timeout_ns, 10000000000);
}

Test(otlp_options, name_the_service)
{
	struct otlp_options options = read_from((struct variable[]){
		SOMEWHERE,
		{"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=a%20b, service.name=other"},
		{NULL, NULL},
	});

	cr_assert_str_eq(attribute(&options, "deployment.environment"), "a b");
	cr_assert_str_eq(attribute(&options, "service.name"), "other");
	options = read_from((struct variable[]){
		SOMEWHERE,
		{"OTEL_RESOURCE_ATTRIBUTES", "service.name=other,k8s.pod.name=p,broken"},
		{"OTEL_SERVICE_NAME", "mine"},
		{NULL, NULL},
	});
	cr_assert_str_eq(attribute(&options, "service.name"), "mine");
	cr_assert_str_eq(attribute(&options, "k8s.pod.name"), "");
}

Test(otlp_options, have_headers_in_small_letters)
{
	struct otlp_options options = read_from((struct variable[]){
		SOMEWHERE,
		{"OTEL_EXPORTER_OTLP_HEADERS", "Api-Key = a%3Db ,X=1,,broken, X = 2"},
		{NULL, NULL},
	});

	cr_assert_eq(options.peer.n_headers, 2);
	cr_assert_str_eq(options.peer.headers[0].name, "api-key");
	cr_assert_str_eq(options.peer.headers[0].value, "a=b");
	cr_assert_str_eq(options.peer.headers[1].name, "x");
	cr_assert_str_eq(options.peer.headers[1].value, "2");
}

Test(otlp_options, read_the_files_of_tls_or_send_nothing)
{
	char path[] = "/tmp/otlp_options_XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct otlp_options options;

	cr_assert_not_null(file);
	fputs("PEM", file);
	fclose(file);
	options = read_from((struct variable[]){{ENDPOINT, "https://host"},
						{"OTEL_EXPORTER_OTLP_CERTIFICATE", path},
						{NULL, NULL}});
	cr_assert(options.sends);
	cr_assert_str_eq(options.peer.ca, "PEM");
	unlink(path);
	options = read_from((struct variable[]){{ENDPOINT, "https://host"},
						{"OTEL_EXPORTER_OTLP_CERTIFICATE", path},
						{NULL, NULL}});
	cr_assert_not(options.sends);
}

/* A text, whether all of it is good, and how many pairs it has. */
static const struct {
	const char *text;
	bool good;
	size_t n;
} texts[] = {
	{"", true, 0},        {"a=b", true, 1},
	{" a = b ", true, 1}, {"a=b,c=d", true, 2},
	{",a=b,", true, 1},   {"a=", true, 1},
	{"a=b=c", true, 1},   {"a", false, 0},
	{"=b", false, 0},     {"a=%4", false, 0},
	{"a=%zz", false, 0},  {"a=%00", false, 0},
	{"a=%ff", false, 0},  {"a=%C3%A4", true, 1},
	{"a=1,a=2", true, 1}, {"a=1,b=2,c=3,d=4", false, 3},
};

Test(otlp_options, take_pairs_apart)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct otlp_pair_text pairs[3];
		size_t n;

		cr_assert_eq(otlp_pairs_parse(texts[i].text, &arena, pairs, 3, &n), texts[i].good,
			     "%s", texts[i].text);
		cr_assert_eq(n, texts[i].n, "%s", texts[i].text);
	}
}
