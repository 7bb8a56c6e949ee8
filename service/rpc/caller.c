/* caller - what a caller has shown, put before the guard. */
#include "service/rpc/call.h"
#include "service/rpc/guard.h"

#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/slice.h>

/* How the core names what a certificate says, and how we do. A common name is no name of a client: it
 * is free text, which some authorities do not look at. */
static const struct {
	const char *property, *kind;
} kinds[] = {
	{GRPC_PEER_DNS_PROPERTY_NAME, "dns"},
	{GRPC_PEER_URI_PROPERTY_NAME, "uri"},
	{GRPC_PEER_EMAIL_PROPERTY_NAME, "email"},
	{GRPC_PEER_IP_PROPERTY_NAME, "ip"},
};

static void take_headers(const grpc_metadata_array *metadata, struct rpc_caller *ret)
{
	for (size_t i = 0; i < metadata->count; i++) {
		const grpc_metadata *entry = &metadata->metadata[i];

		if (grpc_slice_str_cmp(entry->key, "authorization") != 0)
			continue;
		if (ret->n_authorizations++ == 0)
			ret->authorization = bytes_of(GRPC_SLICE_START_PTR(entry->value),
						      GRPC_SLICE_LENGTH(entry->value));
	}
}

static void take_names(const grpc_auth_context *context, size_t kind, struct rpc_caller *ret)
{
	grpc_auth_property_iterator at =
		grpc_auth_context_find_properties_by_name(context, kinds[kind].property);
	const grpc_auth_property *property;

	while (ret->n_names < RPC_NAMES_MAX && (property = grpc_auth_property_iterator_next(&at)))
		ret->names[ret->n_names++] = (struct rpc_name){
			kinds[kind].kind,
			bytes_of(property->value, property->value_length),
		};
}

status call_admit(struct rpc_call *call, const struct call_arrival *arrival)
{
	const struct rpc_guard *guard = call->host->guard;
	struct rpc_caller caller = {0};
	grpc_auth_context *context;
	status admitted;

	if (!guard)
		return status_ok();
	take_headers(arrival->metadata, &caller);
	context = grpc_call_auth_context(call->core);
	/* Only a certificate that was verified makes a peer authenticated. */
	if (context && grpc_auth_context_peer_is_authenticated(context))
		for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
			take_names(context, kind, &caller);
	admitted = guard->admit(guard->context, &caller, call->method->path, &call->arena,
				&call->grant);
	grpc_auth_context_release(context);
	return admitted;
}

status call_examine(struct rpc_call *call, struct bytes message)
{
	if (!call->grant)
		return status_ok();
	return call->host->guard->examine(call->grant, call->method->path, message, &call->arena);
}

bool rpc_allows(struct rpc_call *call, struct bytes collection)
{
	return !call->grant || call->host->guard->allows(call->grant, collection);
}
