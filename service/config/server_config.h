/* server_config - what sluice serve runs with, as plain data.
 *
 * Every member has a field of sluice.config.v1.ServerConfig: its name, default and range are there
 * alone. A config is made by server_config_defaults and then told more, the last word holding.
 */
#ifndef SLUICE_SERVICE_CONFIG_SERVER_CONFIG_H
#define SLUICE_SERVICE_CONFIG_SERVER_CONFIG_H

#include "kernels/base/log.h"
#include "kernels/vulkan/scanner_vulkan.h"
#include "service/config/problem.h"
#include "service/schema/schema.h"

#define LISTEN_MAX 16

enum client_certificates { CLIENTS_REQUIRED, CLIENTS_OPTIONAL };

struct server_config {
	const char *data_directory;
	const char *listen[LISTEN_MAX];
	size_t n_listen;
	bool insecure;

	struct {
		uint64_t message_bytes_max, metadata_bytes_max;
		uint64_t call_arena_factor, call_arena_bytes_min, call_arena_bytes_max;
		uint64_t memory_bytes_max; /* 0: what the cgroup has */
		uint64_t calls_max, streams_per_connection_max, cursors_max;
		int64_t stalled_write_timeout_ns, cursor_idle_timeout_ns, snapshot_age_max_ns;
		int64_t queue_time_max_ns, handshake_timeout_ns;
		int64_t request_timeout_ns, stream_idle_timeout_ns;
	} limits;
	struct {
		uint64_t pollers, workers; /* 0: by processors_count(); queues_open, serve */
		uint64_t writers, inline_scan_bytes_max;
	} threads;
	struct {
		uint64_t commit_writes_max, commit_bytes_max;
	} durability;
	struct {
		enum gpu_mode mode;
		uint64_t memory_bytes_max; /* 0: what the device has */
		uint64_t scan_bytes_min;   /* 0: what is measured */
	} gpu;
	struct {
		uint64_t head_rows_max, page_hits, dead_rows_max, dead_bytes_max, seal_rows;
		int64_t dead_rows_retention_ns;
	} index;
	int64_t drain_timeout_ns, drain_wait_ns;
	struct {
		enum log_level level;
		enum log_format format;
		uint64_t lines_per_second_max, calls_one_in;
	} logging;
	struct {
		int64_t time_ns, timeout_ns, client_interval_min_ns;
	} keepalive;
	/* Paths and names: "" where there is none. */
	const char *health_listen, *metrics_listen;
	struct {
		const char *mode, *group; /* mode in octal digits */
	} unix_socket;
	struct {
		const char *certificate_file, *key_file, *client_ca_file;
		enum client_certificates client_certificates;
	} tls;
	struct {
		const char *api_keys_file, *certificates_file;
		bool open_reflection;
		uint64_t calls_per_second_max, calls_burst_max;
	} access;
};

/* server_config_message - the schema of ServerConfig, compiled. arena  for a failure's detail. */
status server_config_message(struct arena *arena, const struct schema_message **ret);

/* server_config_defaults - every default of the .proto. Strings are in the arena.
 * Fails: INTERNAL (a default is missing or breaks its own rules: a mistake in the .proto)
 * RESOURCE_EXHAUSTED */
status server_config_defaults(const struct schema_message *message, struct arena *arena,
			      struct server_config *ret);

/* server_config_merge - what the bytes of a ServerConfig say, which have passed the check.
 * Fails: RESOURCE_EXHAUSTED INTERNAL (a field that no member has) */
status server_config_merge(const struct schema_message *message, struct bytes encoded,
			   struct arena *arena, struct server_config *config);

/* server_config_set - one field from its texts, as a document would have them.
 * path   "gpu.mode", a single value or a list of them.
 * texts  [n]
 * problems  takes what is wrong, nowhere in a document; the config is then as it was. */
status server_config_set(const struct schema_message *message, const char *path,
			 const char *const *texts, size_t n, struct problems *problems,
			 struct server_config *config);

/* server_config_conflict - what no annotation can say, since it is about several fields: plaintext beyond
 * this machine has to be meant, a certificate has a key, and so on.
 * ret_path  the field that is at fault, in the arena; ret_sentence  why, likewise.
 * Gives the name of the rule; NULL: there is none. */
const char *server_config_conflict(const struct server_config *config, struct arena *arena,
				   const char **ret_path, const char **ret_sentence);

/* server_config_differences - visits the path of every field in which they differ. */
void server_config_differences(const struct server_config *a, const struct server_config *b,
			       void (*visit)(void *context, const char *path), void *context);

/* server_config_defaults_of - the texts of the default of a field: [ret_n] in the arena. */
const char **server_config_defaults_of(const struct schema_field *field, struct arena *arena,
				       size_t *ret_n);

#endif
