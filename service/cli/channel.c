/* channel - credentials and settings of a connection. */
#include "service/cli/channel.h"

#include <grpc/grpc_security.h>
#include <grpc/support/log.h>

#include <stdlib.h>

static void silence(gpr_log_func_args *args)
{
	(void)args;
}

static grpc_channel_credentials *make_credentials(const struct client_options *options)
{
	grpc_ssl_pem_key_cert_pair pair = {options->key, options->certificate};

	if (!options->tls)
		return grpc_insecure_credentials_create();
	return grpc_ssl_credentials_create_ex(options->ca, options->certificate ? &pair : NULL,
					      NULL, NULL);
}

static grpc_arg number(const char *key, int value)
{
	return (grpc_arg){
		.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

status channel_open(const struct client_options *options, bool own, grpc_channel **ret)
{
	grpc_arg settings[] = {
		/* A retry would keep copies of what an import sends. */
		number(GRPC_ARG_ENABLE_RETRIES, 0),
		/* A server is near; a proxy of the environment is for other things. */
		number(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
		number(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, own),
	};
	const grpc_channel_args args = {sizeof settings / sizeof *settings, settings};
	bool is_unix = strncmp(options->address, "unix:", 5) == 0;
	const char *target =
		arena_printf(options->arena, "%s%s", is_unix ? "" : "dns:///", options->address);
	grpc_channel_credentials *credentials;

	if (!target)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a client");
	/* Errors come as statuses; the library's own lines would only repeat them. */
	if (!getenv("GRPC_VERBOSITY"))
		gpr_set_log_function(silence);
	/* Up until the process ends: taking the core down may wait ten seconds for its own poller. */
	grpc_init();
	credentials = make_credentials(options);
	if (!credentials)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "the CA, certificate or key of TLS cannot be used");
	*ret = grpc_channel_create(target, credentials, &args);
	grpc_channel_credentials_release(credentials);
	return status_ok();
}

/* A header of every call; not the core's own credentials, which want TLS even on a socket. */
size_t channel_headers(const struct client_options *options, grpc_metadata *ret)
{
	static const char scheme[] = "Bearer ";
	size_t size = options->api_key ? strlen(options->api_key) : 0;
	grpc_slice value;

	if (!options->api_key)
		return 0;
	value = grpc_slice_malloc(sizeof scheme - 1 + size);
	memcpy(GRPC_SLICE_START_PTR(value), scheme, sizeof scheme - 1);
	memcpy(GRPC_SLICE_START_PTR(value) + sizeof scheme - 1, options->api_key, size);
	ret->key = grpc_slice_from_static_string("authorization");
	ret->value = value;
	return 1;
}
