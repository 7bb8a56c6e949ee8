/* serve_options - the command line of sluice serve. */
#ifndef SLUICE_SERVICE_SERVE_OPTIONS_H
#define SLUICE_SERVICE_SERVE_OPTIONS_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "kernels/vulkan/scanner_vulkan.h"

#include <stdio.h>

#define LISTEN_MAX 16

struct serve_options {
	const char *data;
	const char *listen[LISTEN_MAX];
	size_t n_listen;
	enum gpu_mode gpu;
	double drain_seconds;
	bool insecure; /* plaintext beyond loopback is meant */
	bool help;     /* nothing is to be run */
};

/* serve_options_parse - argv[0] is "serve". Strings are borrowed from argv.
 * Fails: INVALID_ARGUMENT, with a sentence for the user; UNIMPLEMENTED for an option of the
 * contract that this version does not serve. */
status serve_options_parse(struct arena *arena, int argc, char **argv, struct serve_options *ret);

/* address_is_local - a unix socket, or a loopback host: 127.x.x.x, [::1], localhost. */
bool address_is_local(const char *address);

void serve_options_help(FILE *out);

#endif
