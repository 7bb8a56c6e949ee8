/* otlp_options - one variable after the other. */
#include "service/telemetry/otlp_options.h"

#include "kernels/base/log.h"
#include "service/telemetry/otlp_pairs.h"
#include "service/version.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HEADERS_MAX 32
#define PEM_BYTES_MAX ((size_t)1 << 20)
#define PORT "4317"

struct reading {
	const char *(*get)(const char *name);
	struct arena *arena;
	struct otlp_options *to;
};

/* NULL where it is not there, or empty. */
static const char *value_of(const struct reading *reading, const char *name)
{
	const char *value = reading->get(name);

	return value && *value ? value : NULL;
}

/* OTEL_EXPORTER_OTLP_TRACES_x before OTEL_EXPORTER_OTLP_x. ret_name  of the one that is there. */
static const char *exporter_value(const struct reading *reading, const char *word,
				  const char **ret_name)
{
	static const char *const prefixes[] = {"OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"};

	for (size_t i = 0; i < 2; i++) {
		const char *name = arena_printf(reading->arena, "%s%s", prefixes[i], word);
		const char *value = name ? value_of(reading, name) : NULL;

		if (value) {
			*ret_name = name;
			return value;
		}
	}
	return NULL;
}

static void warn(const char *name, const char *why)
{
	log_write(LOG_WARNING, "%s: %s", name, why);
}

/* Whole and positive, else the default. */
static uint64_t count_of(const char *name, const char *value, uint64_t otherwise)
{
	char *end;
	unsigned long long number;

	if (!value)
		return otherwise;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*value) || number == 0 || number > INT32_MAX) {
		warn(name, "a whole number above 0 is needed; the default holds");
		return otherwise;
	}
	return number;
}

static uint64_t batching(const struct reading *reading, const char *name, uint64_t otherwise)
{
	return count_of(name, value_of(reading, name), otherwise);
}

static int64_t ns_of_ms(uint64_t ms)
{
	return (int64_t)ms * 1000000;
}

/* --- where to --- */

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* "HOST", "HOST:PORT", "[::1]" with what a path, which gRPC has no use for, leaves. */
static const char *target_of(const struct reading *reading, const char *authority)
{
	int size = (int)strcspn(authority, "/?#");
	const char *end = authority + size, *bracket = memchr(authority, ']', (size_t)size);
	const char *colon = bracket ? bracket + 1 : memchr(authority, ':', (size_t)size);
	bool has_port = colon && colon < end && *colon == ':';

	if (size == 0 || memchr(authority, '@', (size_t)size) || (has_port && colon + 1 == end))
		return NULL;
	return arena_printf(reading->arena, "dns:///%.*s%s", size, authority,
			    has_port ? "" : ":" PORT);
}

static bool read_endpoint(struct reading *reading)
{
	const char *name = NULL, *endpoint = exporter_value(reading, "ENDPOINT", &name);
	const char *unused, *insecure;
	struct peer_options *peer = &reading->to->peer;

	if (!endpoint)
		return false;
	if (begins(endpoint, "unix:")) {
		peer->target = arena_printf(reading->arena, "%s", endpoint);
		return peer->target;
	}
	if (begins(endpoint, "http://")) {
		peer->target = target_of(reading, endpoint + 7);
	} else if (begins(endpoint, "https://")) {
		peer->target = target_of(reading, endpoint + 8);
		peer->tls = true;
	} else if (!strstr(endpoint, "://")) {
		insecure = exporter_value(reading, "INSECURE", &unused);
		peer->target = target_of(reading, endpoint);
		peer->tls = !insecure || strcasecmp(insecure, "true") != 0;
	}
	if (!peer->target)
		warn(name, "http://HOST:PORT or https://HOST:PORT is needed; no span is sent");
	return peer->target;
}

/* Only gRPC is spoken. */
static bool read_protocol(const struct reading *reading)
{
	const char *name = NULL, *protocol = exporter_value(reading, "PROTOCOL", &name);

	if (!protocol || strcmp(protocol, "grpc") == 0)
		return true;
	warn(name, "only grpc is spoken here; no span is sent");
	return false;
}

/* *ret  the file's text; NULL where none is named. False: it cannot be read. */
static bool read_pem(const struct reading *reading, const char *word, const char **ret)
{
	const char *name = NULL, *path = exporter_value(reading, word, &name);
	char *text;
	ssize_t n;
	int fd;

	if (!path)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	text = fd < 0 ? NULL : arena_alloc(reading->arena, PEM_BYTES_MAX);
	n = text ? read(fd, text, PEM_BYTES_MAX - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0) {
		warn(name, "the file cannot be read; no span is sent");
		return false;
	}
	text[n] = 0;
	*ret = text;
	return true;
}

static bool read_tls(struct reading *reading)
{
	struct peer_options *peer = &reading->to->peer;

	return !peer->tls || (read_pem(reading, "CERTIFICATE", &peer->ca) &&
			      read_pem(reading, "CLIENT_CERTIFICATE", &peer->certificate) &&
			      read_pem(reading, "CLIENT_KEY", &peer->key));
}

static char *lower_of(const struct reading *reading, const char *text)
{
	char *lower = arena_copy(reading->arena, text, strlen(text));

	for (char *at = lower; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return lower;
}

static void read_headers(struct reading *reading)
{
	const char *name = NULL, *text = exporter_value(reading, "HEADERS", &name);
	struct otlp_pair_text pairs[HEADERS_MAX];
	struct peer_options *peer = &reading->to->peer;
	struct peer_header *headers;
	size_t n;

	if (!text)
		return;
	if (!otlp_pairs_parse(text, reading->arena, pairs, HEADERS_MAX, &n))
		warn(name, "some part is not NAME=VALUE, or there are too many; it is left out");
	headers = ARENA_ARRAY(reading->arena, struct peer_header, n);
	for (size_t i = 0; headers && i < n; i++) {
		headers[i].name = lower_of(reading, pairs[i].name);
		headers[i].value = pairs[i].value;
		peer->n_headers += headers[i].name != NULL;
	}
	peer->headers = headers;
}

static void read_compression(struct reading *reading)
{
	const char *name = NULL, *value = exporter_value(reading, "COMPRESSION", &name);

	if (!value || strcmp(value, "none") == 0)
		return;
	reading->to->peer.gzip = strcmp(value, "gzip") == 0;
	if (!reading->to->peer.gzip)
		warn(name, "it is neither gzip nor none, and none holds");
}

/* --- who --- */

static void put_attribute(struct otlp_options *to, const char *name, const char *value)
{
	for (size_t i = 0; i < to->n_attributes; i++) {
		if (strcmp(to->attributes[i].name, name) == 0) {
			to->attributes[i].value = value;
			return;
		}
	}
	if (to->n_attributes < OTLP_ATTRIBUTES_MAX)
		to->attributes[to->n_attributes++] = (struct otlp_attribute){name, value};
}

static void read_resource(struct reading *reading)
{
	static const char variable[] = "OTEL_RESOURCE_ATTRIBUTES";
	struct otlp_options *to = reading->to;
	const char *text = value_of(reading, variable);
	const char *name = value_of(reading, "OTEL_SERVICE_NAME");
	struct otlp_pair_text pairs[OTLP_ATTRIBUTES_MAX];
	size_t n = 0;

	put_attribute(to, "service.name", "sluice");
	put_attribute(to, "service.version", SLUICE_VERSION);
	/* All or nothing, as OpenTelemetry wants it. */
	if (text && !otlp_pairs_parse(text, reading->arena, pairs, OTLP_ATTRIBUTES_MAX - 2, &n)) {
		warn(variable, "some part is not NAME=VALUE, or there are too many; none holds");
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		put_attribute(to, pairs[i].name, pairs[i].value);
	if (!name)
		return;
	name = arena_copy(reading->arena, name, strlen(name));
	if (name && bytes_is_utf8(bytes_of_string(name)))
		put_attribute(to, "service.name", name);
}

/* --- how many --- */

static void read_sampler(struct reading *reading)
{
	static const struct {
		const char *name;
		enum otlp_sampler sampler;
		bool asks_parent;
	} samplers[] = {
		{"parentbased_always_on", SAMPLE_ALL, true},
		{"parentbased_always_off", SAMPLE_NONE, true},
		{"parentbased_traceidratio", SAMPLE_RATIO, true},
		{"always_on", SAMPLE_ALL, false},
		{"always_off", SAMPLE_NONE, false},
		{"traceidratio", SAMPLE_RATIO, false},
	};
	const char *wanted = value_of(reading, "OTEL_TRACES_SAMPLER");
	const char *argument = value_of(reading, "OTEL_TRACES_SAMPLER_ARG");
	struct otlp_options *to = reading->to;
	size_t i = 0;
	char *end;

	while (wanted && i < sizeof samplers / sizeof *samplers &&
	       strcmp(samplers[i].name, wanted) != 0)
		i++;
	if (i == sizeof samplers / sizeof *samplers) {
		warn("OTEL_TRACES_SAMPLER", "no such sampler here; parentbased_always_on holds");
		i = 0;
	}
	to->sampler = samplers[i].sampler;
	to->asks_parent = samplers[i].asks_parent;
	to->ratio = 1;
	if (to->sampler != SAMPLE_RATIO || !argument)
		return;
	to->ratio = strtod(argument, &end);
	if (*end || !(to->ratio >= 0 && to->ratio <= 1)) {
		warn("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1 is needed; 1 holds");
		to->ratio = 1;
	}
}

static void read_batches(struct reading *reading)
{
	struct otlp_options *to = reading->to;
	const char *name = NULL, *timeout = exporter_value(reading, "TIMEOUT", &name);
	uint64_t most = batching(reading, "OTEL_BSP_EXPORT_TIMEOUT", 30000);
	uint64_t timeout_ms = count_of(name, timeout, 10000);

	to->timeout_ns = ns_of_ms(timeout_ms < most ? timeout_ms : most);
	to->delay_ns = ns_of_ms(batching(reading, "OTEL_BSP_SCHEDULE_DELAY", 5000));
	to->queue_max = batching(reading, "OTEL_BSP_MAX_QUEUE_SIZE", 2048);
	to->batch_max = batching(reading, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512);
	if (to->batch_max > to->queue_max)
		to->batch_max = to->queue_max;
}

/* "true" alone switches off, as OpenTelemetry has it for booleans. */
static bool is_disabled(const struct reading *reading)
{
	const char *value = value_of(reading, "OTEL_SDK_DISABLED");

	return value && strcasecmp(value, "true") == 0;
}

/* Whether a list with commas has a word. */
static bool has_word(const char *list, const char *word)
{
	size_t size = strlen(word);

	for (;;) {
		list += strspn(list, " ,");
		if (!*list)
			return false;
		if (strncmp(list, word, size) == 0 && strchr(" ,", list[size]))
			return true;
		list += strcspn(list, ",");
	}
}

static bool has_exporter(const struct reading *reading)
{
	static const char name[] = "OTEL_TRACES_EXPORTER";
	const char *value = value_of(reading, name);

	if (!value || has_word(value, "otlp"))
		return true;
	if (!has_word(value, "none"))
		warn(name, "only otlp is spoken here; no span is sent");
	return false;
}

void otlp_options_read(const char *(*get)(const char *name), struct arena *arena,
		       struct otlp_options *ret)
{
	struct reading reading = {.get = get, .arena = arena, .to = ret};
	const char *propagators = value_of(&reading, "OTEL_PROPAGATORS");

	*ret = (struct otlp_options){
		.takes_up = !propagators || has_word(propagators, "tracecontext"),
	};
	if (is_disabled(&reading) || !has_exporter(&reading) || !read_endpoint(&reading) ||
	    !read_protocol(&reading) || !read_tls(&reading))
		return;
	ret->sends = true;
	read_headers(&reading);
	read_compression(&reading);
	read_resource(&reading);
	read_sampler(&reading);
	read_batches(&reading);
}
