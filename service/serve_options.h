/* serve_options - the command line of sluice serve. */
#ifndef SLUICE_SERVICE_SERVE_OPTIONS_H
#define SLUICE_SERVICE_SERVE_OPTIONS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "service/config/server_config.h"

#include <stdio.h>

/* What was given; the rest is as the configuration has it. */
struct serve_options {
	const char *config; /* NULL: not given, as the others */
	const char *data;
	const char *listen[LISTEN_MAX];
	size_t n_listen;
	bool has_gpu, has_drain;
	enum gpu_mode gpu;
	double drain_seconds;
	const char *tls_certificate, *tls_key, *tls_client_ca, *api_keys;
	bool insecure; /* plaintext beyond loopback is meant */
	bool help;     /* nothing is to be run */
	const char *metrics;
};

/* serve_options_parse - argv[0] is "serve". Strings are borrowed from argv.
 * Fails: INVALID_ARGUMENT, with a sentence for the user */
status serve_options_parse(struct arena *arena, int argc, char **argv, struct serve_options *ret);

/* serve_options_apply - what was given, over what is configured; then the addresses are looked at.
 * Fails: INVALID_ARGUMENT (an address beyond this machine, and neither TLS nor insecure is set; or
 * another conflict) */
status serve_options_apply(const struct serve_options *given, struct arena *arena,
			   struct server_config *config);

void serve_options_help(FILE *out);

#endif
