/* serve_options - the command line of sluice serve. */
#include "service/serve_options.h"

#include "service/config/config_load.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define INVALID(...) status_format(arena, STATUS_INVALID_ARGUMENT, __VA_ARGS__)

enum option_id {
	OPTION_CONFIG = 1,
	OPTION_DATA,
	OPTION_LISTEN,
	OPTION_GPU,
	OPTION_DRAIN_SECONDS,
	OPTION_INSECURE,
	OPTION_TLS_CERT,
	OPTION_TLS_KEY,
	OPTION_TLS_CLIENT_CA,
	OPTION_API_KEYS,
	OPTION_METRICS,
	OPTION_HELP,
};

static const struct option options[] = {
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"data", required_argument, NULL, OPTION_DATA},
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"gpu", required_argument, NULL, OPTION_GPU},
	{"drain-seconds", required_argument, NULL, OPTION_DRAIN_SECONDS},
	{"insecure", no_argument, NULL, OPTION_INSECURE},
	{"help", no_argument, NULL, OPTION_HELP},
	{"tls-cert", required_argument, NULL, OPTION_TLS_CERT},
	{"tls-key", required_argument, NULL, OPTION_TLS_KEY},
	{"tls-client-ca", required_argument, NULL, OPTION_TLS_CLIENT_CA},
	{"api-keys", required_argument, NULL, OPTION_API_KEYS},
	{"metrics", required_argument, NULL, OPTION_METRICS},
	{0},
};

static const struct {
	const char *name;
	enum gpu_mode mode;
} gpu_modes[] = {
	{"auto", GPU_AUTO},
	{"off", GPU_OFF},
	{"required", GPU_REQUIRED},
	{"software", GPU_SOFTWARE},
};

void serve_options_help(FILE *out)
{
	fputs("usage: sluice serve [--config FILE] [--data DIR] [--listen ADDRESS]... [options]\n"
	      "\n"
	      "Runs the server until SIGTERM or SIGINT, then drains and exits 0. Prints one line\n"
	      "\"listening on ADDRESS\" an address to standard output when ready; logs to "
	      "standard\n"
	      "error.\n"
	      "\n"
	      "  --config FILE      a configuration (SLUICE_CONFIG); SLUICE_DATA, SLUICE_LISTEN,\n"
	      "                     SLUICE_GPU and SLUICE_LOG_LEVEL go before it, options before\n"
	      "                     all; sluice check-config --reference lists every key\n"
	      "  --data DIR         where collections are kept (./sluice-data)\n"
	      "  --listen ADDRESS   HOST:PORT, HOST:0 for a free port, or unix:PATH; may be given\n"
	      "                     several times (127.0.0.1:7700)\n"
	      "  --gpu MODE         auto: a real GPU where there is one; off; required: no start\n"
	      "                     without one; software: a Vulkan device on the CPU, for tests\n"
	      "                     (auto)\n"
	      "  --drain-seconds N  how long calls may go on after SIGTERM (20)\n"
	      "  --insecure         allow plaintext on an address beyond this machine\n"
	      "  --tls-cert FILE    TLS on every HOST:PORT with this certificate, in PEM, and\n"
	      "  --tls-key FILE     its key; both are read again when they change\n"
	      "  --tls-client-ca FILE\n"
	      "                     clients need a certificate of this CA\n"
	      "  --api-keys FILE    calls need a key: lines that sluice key makes\n"
	      "  --metrics ADDRESS\n"
	      "                     /metrics for Prometheus and a status page at /, over HTTP\n",
	      out);
}

static status parse_gpu(struct arena *arena, const char *text, enum gpu_mode *ret)
{
	for (size_t i = 0; i < sizeof gpu_modes / sizeof *gpu_modes; i++)
		if (strcmp(text, gpu_modes[i].name) == 0) {
			*ret = gpu_modes[i].mode;
			return status_ok();
		}
	return INVALID("--gpu %s: auto, off, required or software is needed", text);
}

static status parse_seconds(struct arena *arena, const char *text, double *ret)
{
	char *end = NULL;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0 && seconds <= 86400))
		return INVALID("--drain-seconds %s: a number of 0 to 86400 is needed", text);
	*ret = seconds;
	return status_ok();
}

static status apply(struct arena *arena, int id, const char *name, struct serve_options *ret)
{
	switch (id) {
	case OPTION_CONFIG:
		ret->config = optarg;
		return status_ok();
	case OPTION_DATA:
		ret->data = optarg;
		return status_ok();
	case OPTION_LISTEN:
		if (ret->n_listen == LISTEN_MAX)
			return INVALID("--listen: at most %d addresses", LISTEN_MAX);
		ret->listen[ret->n_listen++] = optarg;
		return status_ok();
	case OPTION_GPU:
		ret->has_gpu = true;
		return parse_gpu(arena, optarg, &ret->gpu);
	case OPTION_DRAIN_SECONDS:
		ret->has_drain = true;
		return parse_seconds(arena, optarg, &ret->drain_seconds);
	case OPTION_INSECURE:
		ret->insecure = true;
		return status_ok();
	case OPTION_TLS_CERT:
		ret->tls_certificate = optarg;
		return status_ok();
	case OPTION_TLS_KEY:
		ret->tls_key = optarg;
		return status_ok();
	case OPTION_TLS_CLIENT_CA:
		ret->tls_client_ca = optarg;
		return status_ok();
	case OPTION_API_KEYS:
		ret->api_keys = optarg;
		return status_ok();
	case OPTION_HELP:
		ret->help = true;
		return status_ok();
	case OPTION_METRICS:
		ret->metrics = optarg;
		return status_ok();
	default:
		return INVALID("%s: no such option, or its value is missing", name);
	}
}

static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 5 && !text[n] && strtol(text, NULL, 10) <= 65535;
}

/* A name or number in the letters that such have; an IPv6 one in brackets. */
static bool is_host(const char *host, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";

	if (host[0] == '[')
		return size > 2 && strcspn(host, "]") == size - 1;
	return size > 0 && strspn(host, letters) == size;
}

static bool is_address(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (strncmp(address, "unix:", 5) == 0)
		return address[5] != 0;
	return colon && is_host(address, (size_t)(colon - address)) && is_port(colon + 1);
}

static status check_addresses(struct arena *arena, const struct serve_options *serve)
{
	for (size_t i = 0; i < serve->n_listen; i++)
		if (!is_address(serve->listen[i]))
			return INVALID("--listen %s: HOST:PORT or unix:PATH is needed",
				       serve->listen[i]);
	return status_ok();
}

status serve_options_parse(struct arena *arena, int argc, char **argv, struct serve_options *ret)
{
	struct serve_options serve = {0};

	optind = 0; /* glibc: forget an earlier scan */
	for (;;) {
		int index = -1;
		int id = getopt_long(argc, argv, ":", options, &index);
		const char *name = optind >= 1 && optind <= argc ? argv[optind - 1] : "";

		if (id < 0)
			break;
		TRY(apply(arena, id, index >= 0 ? options[index].name : name, &serve));
	}
	if (optind < argc)
		return INVALID("%s: serve takes options only", argv[optind]);
	TRY(check_addresses(arena, &serve));
	if (serve.metrics && !is_address(serve.metrics))
		return INVALID("--metrics %s: HOST:PORT or unix:PATH is needed", serve.metrics);
	*ret = serve;
	return status_ok();
}

static void apply_files(const struct serve_options *given, struct server_config *config)
{
	if (given->tls_certificate)
		config->tls.certificate_file = given->tls_certificate;
	if (given->tls_key)
		config->tls.key_file = given->tls_key;
	if (given->tls_client_ca)
		config->tls.client_ca_file = given->tls_client_ca;
	if (given->api_keys)
		config->access.api_keys_file = given->api_keys;
}

/* The first that reaches beyond this machine. */
static const char *plain_address(const struct server_config *config)
{
	for (size_t i = 0; i < config->n_listen; i++)
		if (!config_address_is_local(config->listen[i]))
			return config->listen[i];
	return "";
}

status serve_options_apply(const struct serve_options *given, struct arena *arena,
			   struct server_config *config)
{
	const char *path = "", *sentence = "", *rule;

	if (given->data)
		config->data_directory = given->data;
	if (given->n_listen) {
		memcpy(config->listen, given->listen, sizeof config->listen);
		config->n_listen = given->n_listen;
	}
	if (given->has_gpu)
		config->gpu.mode = given->gpu;
	if (given->has_drain)
		config->drain_timeout_ns = (int64_t)(given->drain_seconds * 1e9);
	if (given->metrics)
		config->metrics_listen = given->metrics;
	config->insecure |= given->insecure;
	apply_files(given, config);
	rule = server_config_conflict(config, arena, &path, &sentence);
	if (rule && strcmp(rule, "insecure") == 0)
		return INVALID(
			"%s%s: plaintext beyond this machine needs --insecure, or --tls-cert",
			given->n_listen ? "--listen " : "listen ", plain_address(config));
	return rule ? INVALID("%s: %s", path, sentence) : status_ok();
}
