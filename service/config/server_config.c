/* server_config - the fields of ServerConfig and the members of the struct, one row each. */
#include "service/config/server_config.h"

#include "service/config/scalar.h"
#include "service/schema/contract.h"
#include "service/schema/wire.h"

#include <stddef.h>
#include <string.h>

#define NS_PER_SECOND 1000000000

enum member_kind {
	MEMBER_STRING,
	MEMBER_LISTEN,
	MEMBER_BOOL,
	MEMBER_NUMBER,
	MEMBER_DURATION,
	MEMBER_ENUM, /* wire numbers are one more than ours, 0 being what is not specified */
};

struct member {
	const char *path;
	enum member_kind kind;
	size_t offset;
};

#define MEMBER(path, kind, name) {path, MEMBER_##kind, offsetof(struct server_config, name)}

static const struct member members[] = {
	MEMBER("data_directory", STRING, data_directory),
	MEMBER("listen", LISTEN, listen),
	MEMBER("insecure", BOOL, insecure),
	MEMBER("limits.message_bytes_max", NUMBER, limits.message_bytes_max),
	MEMBER("limits.metadata_bytes_max", NUMBER, limits.metadata_bytes_max),
	MEMBER("limits.call_arena_factor", NUMBER, limits.call_arena_factor),
	MEMBER("limits.call_arena_bytes_min", NUMBER, limits.call_arena_bytes_min),
	MEMBER("limits.call_arena_bytes_max", NUMBER, limits.call_arena_bytes_max),
	MEMBER("limits.calls_max", NUMBER, limits.calls_max),
	MEMBER("limits.streams_per_connection_max", NUMBER, limits.streams_per_connection_max),
	MEMBER("limits.cursors_max", NUMBER, limits.cursors_max),
	MEMBER("limits.stalled_write_timeout", DURATION, limits.stalled_write_timeout_ns),
	MEMBER("limits.cursor_idle_timeout", DURATION, limits.cursor_idle_timeout_ns),
	MEMBER("limits.snapshot_age_max", DURATION, limits.snapshot_age_max_ns),
	MEMBER("limits.memory_bytes_max", NUMBER, limits.memory_bytes_max),
	MEMBER("limits.queue_time_max", DURATION, limits.queue_time_max_ns),
	MEMBER("limits.handshake_timeout", DURATION, limits.handshake_timeout_ns),
	MEMBER("limits.request_timeout", DURATION, limits.request_timeout_ns),
	MEMBER("limits.stream_idle_timeout", DURATION, limits.stream_idle_timeout_ns),
	MEMBER("threads.pollers", NUMBER, threads.pollers),
	MEMBER("threads.workers", NUMBER, threads.workers),
	MEMBER("threads.writers", NUMBER, threads.writers),
	MEMBER("threads.inline_scan_bytes_max", NUMBER, threads.inline_scan_bytes_max),
	MEMBER("durability.commit_writes_max", NUMBER, durability.commit_writes_max),
	MEMBER("durability.commit_bytes_max", NUMBER, durability.commit_bytes_max),
	MEMBER("gpu.mode", ENUM, gpu.mode),
	MEMBER("gpu.memory_bytes_max", NUMBER, gpu.memory_bytes_max),
	MEMBER("gpu.scan_bytes_min", NUMBER, gpu.scan_bytes_min),
	MEMBER("index.head_rows_max", NUMBER, index.head_rows_max),
	MEMBER("index.page_hits", NUMBER, index.page_hits),
	MEMBER("index.dead_rows_max", NUMBER, index.dead_rows_max),
	MEMBER("index.dead_bytes_max", NUMBER, index.dead_bytes_max),
	MEMBER("index.seal_rows", NUMBER, index.seal_rows),
	MEMBER("index.dead_rows_retention", DURATION, index.dead_rows_retention_ns),
	MEMBER("drain.timeout", DURATION, drain_timeout_ns),
	MEMBER("drain.wait", DURATION, drain_wait_ns),
	MEMBER("health_listen", STRING, health_listen),
	MEMBER("metrics_listen", STRING, metrics_listen),
	MEMBER("unix_socket.mode", STRING, unix_socket.mode),
	MEMBER("unix_socket.group", STRING, unix_socket.group),
	MEMBER("tls.certificate_file", STRING, tls.certificate_file),
	MEMBER("tls.key_file", STRING, tls.key_file),
	MEMBER("tls.client_ca_file", STRING, tls.client_ca_file),
	MEMBER("tls.client_certificates", ENUM, tls.client_certificates),
	MEMBER("access.api_keys_file", STRING, access.api_keys_file),
	MEMBER("access.certificates_file", STRING, access.certificates_file),
	MEMBER("access.open_reflection", BOOL, access.open_reflection),
	MEMBER("access.calls_per_second_max", NUMBER, access.calls_per_second_max),
	MEMBER("access.calls_burst_max", NUMBER, access.calls_burst_max),
	MEMBER("logging.level", ENUM, logging.level),
	MEMBER("logging.format", ENUM, logging.format),
	MEMBER("logging.lines_per_second_max", NUMBER, logging.lines_per_second_max),
	MEMBER("logging.calls_one_in", NUMBER, logging.calls_one_in),
	MEMBER("keepalive.time", DURATION, keepalive.time_ns),
	MEMBER("keepalive.timeout", DURATION, keepalive.timeout_ns),
	MEMBER("keepalive.client_interval_min", DURATION, keepalive.client_interval_min_ns),
};

_Static_assert(sizeof(enum gpu_mode) == sizeof(int) && sizeof(enum log_level) == sizeof(int) &&
		       sizeof(enum log_format) == sizeof(int),
	       "enums are stored as int");
_Static_assert(GPU_AUTO == 0 && GPU_OFF == 1 && GPU_REQUIRED == 2 && GPU_SOFTWARE == 3,
	       "sluice.config.v1.GpuMode");
_Static_assert(LOG_DEBUG == 0 && LOG_INFO == 1 && LOG_WARNING == 2 && LOG_ERROR == 3,
	       "sluice.config.v1.LogLevel");
_Static_assert(sizeof(enum client_certificates) == sizeof(int) && CLIENTS_REQUIRED == 0 &&
		       CLIENTS_OPTIONAL == 1,
	       "sluice.config.v1.ClientCertificates");
_Static_assert(LOG_TEXT == 0 && LOG_JSON == 1, "sluice.config.v1.LogFormat");

static status out_of_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a configuration");
}

static const struct member *member_find(const char *path)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (strcmp(members[i].path, path) == 0)
			return &members[i];
	return NULL;
}

status server_config_message(struct arena *arena, const struct schema_message **ret)
{
	const struct schema_message *message;

	TRY(contract_init(arena));
	message = contract_message("sluice.config.v1.ServerConfig");
	if (!message)
		return status_make(STATUS_INTERNAL, "the program carries no ServerConfig");
	*ret = message;
	return status_ok();
}

/* --- bytes to members --- */

struct merge {
	struct arena *arena;
	struct server_config *config;
	bool listens; /* an address was seen: the ones from before are gone */
};

static int64_t duration_ns(struct bytes encoded)
{
	struct wire wire = wire_of(encoded);
	int64_t seconds = 0, nanos = 0;

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		int64_t value = (int64_t)wire_varint(&wire);

		if (tag.number == 1)
			seconds = value;
		else
			nanos = value;
	}
	return seconds * NS_PER_SECOND + nanos;
}

static status store_text(struct merge *merge, const struct member *member, struct bytes value)
{
	const char *text = arena_copy(merge->arena, value.data, value.size);
	struct server_config *config = merge->config;

	if (!text)
		return out_of_memory();
	if (member->kind == MEMBER_STRING) {
		*(const char **)((char *)config + member->offset) = text;
		return status_ok();
	}
	if (!merge->listens)
		config->n_listen = 0;
	merge->listens = true;
	if (config->n_listen == LISTEN_MAX)
		return status_make(STATUS_INTERNAL, "more addresses than the schema allows");
	config->listen[config->n_listen++] = text;
	return status_ok();
}

static status store(struct merge *merge, const struct member *member, struct wire *wire)
{
	char *at = (char *)merge->config + member->offset;

	switch (member->kind) {
	case MEMBER_STRING:
	case MEMBER_LISTEN:
		return store_text(merge, member, wire_length_delimited(wire));
	case MEMBER_BOOL:
		*(bool *)at = wire_varint(wire) != 0;
		break;
	case MEMBER_NUMBER:
		*(uint64_t *)at = wire_varint(wire);
		break;
	case MEMBER_DURATION:
		*(int64_t *)at = duration_ns(wire_length_delimited(wire));
		break;
	case MEMBER_ENUM:
		*(int *)at = (int)wire_varint(wire) - 1;
		break;
	}
	return status_ok();
}

/* prefix  of the message's path: "limits." */
static status merge_message(struct merge *merge, const struct schema_message *message,
			    struct bytes encoded, const char *prefix)
{
	struct wire wire = wire_of(encoded);

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		const struct schema_field *field = schema_field_by_number(message, tag.number);
		const struct member *member;
		const char *path;

		if (!field)
			return status_make(STATUS_INTERNAL, "a field that no configuration has");
		path = arena_printf(merge->arena, "%s%s%s", prefix, field->name,
				    scalar_fits(field) ? "" : ".");
		if (!path)
			return out_of_memory();
		if (!scalar_fits(field)) {
			TRY(merge_message(merge, field->message, wire_length_delimited(&wire),
					  path));
			continue;
		}
		member = member_find(path);
		if (!member)
			return status_format(merge->arena, STATUS_INTERNAL, "%s: no member", path);
		TRY(store(merge, member, &wire));
	}
	if (wire.failed)
		return status_make(STATUS_INTERNAL, wire.failed);
	return status_ok();
}

status server_config_merge(const struct schema_message *message, struct bytes encoded,
			   struct arena *arena, struct server_config *config)
{
	struct merge merge = {.arena = arena, .config = config};

	return merge_message(&merge, message, encoded, "");
}

/* --- two configurations --- */

static bool listens_alike(const struct server_config *a, const struct server_config *b)
{
	if (a->n_listen != b->n_listen)
		return false;
	for (size_t i = 0; i < a->n_listen; i++)
		if (strcmp(a->listen[i], b->listen[i]) != 0)
			return false;
	return true;
}

static bool is_alike(const struct member *member, const struct server_config *one,
		     const struct server_config *other)
{
	const char *a = (const char *)one + member->offset,
		   *b = (const char *)other + member->offset;

	switch (member->kind) {
	case MEMBER_STRING:
		return strcmp(*(const char *const *)a, *(const char *const *)b) == 0;
	case MEMBER_LISTEN:
		return listens_alike(one, other);
	case MEMBER_BOOL:
		return *(const bool *)a == *(const bool *)b;
	case MEMBER_ENUM:
		return *(const int *)a == *(const int *)b;
	case MEMBER_NUMBER:
	case MEMBER_DURATION:
		break;
	}
	return memcmp(a, b, sizeof(uint64_t)) == 0;
}

void server_config_differences(const struct server_config *a, const struct server_config *b,
			       void (*visit)(void *context, const char *path), void *context)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (!is_alike(&members[i], a, b))
			visit(context, members[i].path);
}
