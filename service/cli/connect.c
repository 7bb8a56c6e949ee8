/* connect - where the server is, how to be sure that it is the one, and what to show it. */
#include "service/cli/connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)

/* ret  stays where the option was not given. */
static status read_file(struct arguments *arguments, const char *option, const char **ret)
{
	const char *path = arguments_value(arguments, option);
	char *text = path ? arena_alloc(arguments->arena, FILE_BYTES_MAX + 1) : NULL;
	FILE *in = text ? fopen(path, "re") : NULL;
	size_t n;
	int failed;

	if (!path)
		return status_ok();
	if (!text)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a file");
	errno = in ? 0 : errno;
	n = in ? fread(text, 1, FILE_BYTES_MAX, in) : 0;
	failed = errno;
	if (in)
		fclose(in);
	if (failed)
		return status_format(arguments->arena, STATUS_INVALID_ARGUMENT,
				     "cannot read --%s %s: %s", option, path, strerror(failed));
	text[n] = 0;
	*ret = text;
	return status_ok();
}

/* The first line of the file, or what the environment has: a key on a command line is seen by all. */
static status read_api_key(struct arguments *arguments, const char **ret)
{
	const char *text = getenv("SLUICE_API_KEY");
	size_t size;

	TRY(read_file(arguments, "api-key-file", &text));
	if (!text || !*text)
		return status_ok();
	size = strcspn(text, "\r\n");
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			size = 0;
	if (!size)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "an API key is one line of letters, digits and signs");
	*ret = arena_copy(arguments->arena, text, size);
	return *ret ? status_ok() : status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a key");
}

/* What says something of TLS means TLS. */
static status read_tls(struct arguments *arguments, struct client_options *options)
{
	TRY(read_file(arguments, "tls-ca", &options->ca));
	TRY(read_file(arguments, "tls-cert", &options->certificate));
	TRY(read_file(arguments, "tls-key", &options->key));
	options->tls = arguments_has(arguments, "tls") || options->ca || options->certificate ||
		       options->key;
	if (!options->certificate != !options->key)
		return arguments_misuse(arguments, "--tls-cert and --tls-key go together");
	return status_ok();
}

status connect_client(struct arena *arena, struct arguments *arguments, struct client **ret)
{
	struct client_options options = {
		.arena = arena,
		.address = arguments_value(arguments, "server"),
	};

	TRY(arguments_number(arguments, "timeout-seconds", 0.001, 1e6, &options.timeout_seconds));
	if (!options.address)
		options.address = getenv("SLUICE_SERVER");
	if (!options.address || !options.address[0])
		options.address = CONNECT_DEFAULT_SERVER;
	if (!strchr(options.address, ':'))
		return arguments_misuse(arguments,
					"the server's address \"%.128s\" must be HOST:PORT or "
					"unix:PATH",
					options.address);
	TRY(read_tls(arguments, &options));
	TRY(read_api_key(arguments, &options.api_key));
	return client_open(&options, ret);
}
