/* serve - the command that runs the server: assemble, run, drain.
 *
 * Everything is opened in the order in which it is used and closed in the reverse order, by its
 * scope. Signals are blocked before the first thread starts, so that the main thread alone takes
 * them, in sigwait.
 */
#include "service/serve.h"

#include "index/database.h"
#include "kernels/base/log.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/vulkan/scanner_vulkan.h"
#include "service/access/access.h"
#include "service/admin/admin.h"
#include "service/collections/collections.h"
#include "service/config/config_load.h"
#include "service/cursors.h"
#include "service/ingest/ingest.h"
#include "service/memory.h"
#include "service/processors.h"
#include "service/retrieval/retrieval.h"
#include "service/retrieval/shared_scans.h"
#include "service/serve_config.h"
#include "service/serve_life.h"
#include "service/telemetry/telemetry.h"
#include "service/version.h"

#include <malloc.h>
#include <string.h>
#include <sys/resource.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Below what LMDB callocs for each environment, 2 MiB of which it touches a little. */
#define MMAP_THRESHOLD_BYTES 2000000

#define FILES_MIN 4096

static size_t either(uint64_t given, size_t otherwise)
{
	return given ? (size_t)given : otherwise;
}

/* NULL stands for what is not given. */
static const char *given(const char *text)
{
	return *text ? text : NULL;
}

/* Something is left for what comes before the next look. */
static uint64_t memory_limit(const struct server_config *config)
{
	return config->limits.memory_bytes_max ? config->limits.memory_bytes_max
					       : memory_max() / 10 * 9;
}

/* As every other socket of the file system. */
static status give_metrics(const struct server_config *config, struct arena *arena)
{
	static const char unix_prefix[] = "unix:";
	const size_t n = sizeof unix_prefix - 1;
	const struct socket_owner owner = serve_config_socket_owner(config);

	if (strncmp(config->metrics_listen, unix_prefix, n) != 0)
		return status_ok();
	return socket_give(config->metrics_listen + n, &owner, config->metrics_listen, arena);
}

/* Serves until a signal comes, then drains. */
static status run(struct life *life, const struct services *services, struct pool *workers,
		  struct arena *arena)
{
	const struct server_config *config = life->config;
	const struct rpc_tls tls = {
		.certificate_file = config->tls.certificate_file,
		.key_file = config->tls.key_file,
		.client_ca_file = given(config->tls.client_ca_file),
		.client_optional = config->tls.client_certificates == CLIENTS_OPTIONAL,
	};
	SCOPED(rpc_server) server = NULL;
	SCOPED(telemetry) telemetry = NULL;
	const struct rpc_method retrieval[] = {
		search_method,       get_chunks_method, list_chunks_method,
		count_chunks_method, iterate_method,
	};
	const struct rpc_method ingest[] = {upsert_chunks_method, delete_chunks_method};
	const struct rpc_method collections[] = {
		create_collection_method, get_collection_method,      list_collections_method,
		delete_collection_method, optimize_collection_method,
	};
	const struct rpc_method admin[] = {
		get_server_info_method,  list_cursors_method,      cancel_cursor_method,
		get_tool_schemas_method, create_snapshot_method,   list_snapshots_method,
		delete_snapshot_method,  download_snapshot_method,
	};
	/* Borrowed by the server, which only reads it. */
	void *context = (void *)services;
	const struct rpc_service table[] = {
		{"sluice.v1.RetrievalService", retrieval, LENGTH(retrieval), context,
		 .sheds = true},
		{.name = "sluice.v1.IngestService", ingest, LENGTH(ingest), context},
		{.name = "sluice.v1.CollectionService", collections, LENGTH(collections), context},
		{.name = "sluice.v1.AdminService", admin, LENGTH(admin), context},
	};
	const struct rpc_server_options server_options = {
		.addresses = config->listen,
		.n_addresses = config->n_listen,
		.services = table,
		.n_services = LENGTH(table),
		.workers = workers,
		.n_pollers = config->threads.pollers,
		.message_bytes_max = config->limits.message_bytes_max,
		.metadata_bytes_max = config->limits.metadata_bytes_max,
		.streams_max = config->limits.streams_per_connection_max,
		.calls_max = config->limits.calls_max,
		.memory_bytes_max = memory_limit(config),
		.stall_ns = config->limits.stalled_write_timeout_ns,
		.request_ns = config->limits.request_timeout_ns,
		.idle_ns = config->limits.stream_idle_timeout_ns,
		.queue_ns = config->limits.queue_time_max_ns,
		.handshake_ns = config->limits.handshake_timeout_ns,
		.arena_factor = config->limits.call_arena_factor,
		.arena_bytes_min = config->limits.call_arena_bytes_min,
		.arena_bytes_max = config->limits.call_arena_bytes_max,
		.keepalive_ns = config->keepalive.time_ns,
		.keepalive_timeout_ns = config->keepalive.timeout_ns,
		.ping_interval_ns = config->keepalive.client_interval_min_ns,
		.tls = given(config->tls.certificate_file) ? &tls : NULL,
		.socket_owner = serve_config_socket_owner(config),
		.guard = life->access ? access_guard(life->access) : NULL,
		.channelz = given(config->metrics_listen) != NULL,
		.handled = telemetry_handled,
		.handled_context = life->tracing,
		.tracer = tracing_tracer(life->tracing),
	};

	TRY(rpc_server_open(&server_options, arena, &server));
	life->server = server;
	if (given(config->metrics_listen)) {
		TRY(telemetry_open(config->metrics_listen, services, server, arena, &telemetry));
		TRY(give_metrics(config, arena));
	}
	life->telemetry = telemetry;
	life_run(life);
	return status_ok();
}

static void log_gpus(const struct gpu_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		log_write(LOG_INFO, "gpu %s (%s): %s", list->devices[i].name,
			  list->devices[i].driver,
			  list->devices[i].in_use ? "in use" : list->devices[i].reason);
}

/* Nobody needs a credential where no file has any. */
static status open_access(const struct server_config *config, struct arena *arena,
			  struct access **ret)
{
	const struct access_options options = {
		.keys_file = given(config->access.api_keys_file),
		.certificates_file = given(config->access.certificates_file),
		.open_reflection = config->access.open_reflection,
		.rate = serve_config_rate(config),
	};

	if (!options.keys_file && !options.certificates_file)
		return status_ok();
	return access_open(&options, arena, ret);
}

static status assemble(struct life *life, struct arena *arena)
{
	const struct server_config *config = life->config;
	struct gpu_list gpus = {0};
	SCOPED(access) access = NULL;
	SCOPED(tracing) tracing = NULL;
	SCOPED(rpc_server) health = NULL;
	SCOPED(scanner) scanner_cpu = NULL;
	SCOPED(scanner) gpu = NULL;
	SCOPED(shared_scans) shared_scans = NULL;
	SCOPED(pool) workers = NULL;
	SCOPED(pool) writers = NULL;
	SCOPED(database) database = NULL;
	SCOPED(cursors) cursors = NULL;
	struct services services = {
		.gpus = &gpus,
		.start_ns = clock_ns(),
		.page_hits = config->index.page_hits,
		.inline_scan_bytes = config->threads.inline_scan_bytes_max,
	};
	struct database_options database_options = {
		.directory = config->data_directory,
		.commit_writes_max = config->durability.commit_writes_max,
		.commit_bytes_max = config->durability.commit_bytes_max,
		.head_rows_max = config->index.head_rows_max,
		.dead_rows_max = config->index.dead_rows_max,
		.dead_bytes_max = config->index.dead_bytes_max,
		.retention_ns = config->index.dead_rows_retention_ns,
	};

	TRY(open_access(config, arena, &access));
	TRY(tracing_open_from_environment(&tracing));
	TRY(life_open_health(config, arena, &health));
	life->access = access;
	life->tracing = tracing;
	life->health = health;
	TRY(cursors_open(
		&(struct cursors_limits){
			.max = config->limits.cursors_max,
			.idle_ns = config->limits.cursor_idle_timeout_ns,
			.age_ns = config->limits.snapshot_age_max_ns,
		},
		&cursors));
	services.cursors = cursors;
	TRY(scanner_cpu_open(CPU_KERNEL_BEST, &scanner_cpu));
	TRY(scanner_vulkan_open(
		&(struct gpu_options){
			.mode = config->gpu.mode,
			.memory_bytes_max = config->gpu.memory_bytes_max,
			.cache_directory = config->data_directory,
			.processor = scanner_cpu,
			.scan_bytes_min = config->gpu.scan_bytes_min,
		},
		arena, &gpus, &gpu));
	log_gpus(&gpus);
	TRY(pool_open(either(config->threads.workers, processors_count()), "worker", &workers));
	TRY(shared_scans_open(workers, &shared_scans));
	TRY(pool_open(config->threads.writers, "writer", &writers));
	pool_time_queue(workers, TIMER_WORKER_QUEUE);
	pool_time_queue(writers, TIMER_WRITER_QUEUE);

	services.workers = workers;
	services.shared_scans = shared_scans;
	services.writers = writers;
	services.scanner_cpu = scanner_cpu;
	services.gpu = gpu;
	services.scanner = gpu ? gpu : scanner_cpu;
	database_options.scanner = services.scanner;
	database_options.scanner_cpu = scanner_cpu;
	database_options.writers = writers;
	database_options.seal_rows = config->index.seal_rows;
	database_options.builders = either(config->threads.workers, processors_count());
	TRY(database_open(&database_options, arena, &database));
	services.database = database;
	life->database = database;
	database_warm(database);
	log_write(LOG_INFO, "sluice %s (%s) over %s, scanning on %s", SLUICE_VERSION, sluice_commit,
		  config->data_directory, services.scanner->name);
	return run(life, &services, workers, arena);
}

void serve_help(FILE *out)
{
	serve_options_help(out);
}

/* A collection holds three files open and a connection one. What a shell allows at first is soon
 * used up, and is only a proposal. gRPC's listeners do not come back from a day without: what there is
 * has to be enough. */
static status raise_file_limit(struct arena *arena)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return status_ok();
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max >= FILES_MIN)
		return status_ok();
	return status_format(arena, STATUS_FAILED_PRECONDITION,
			     "this process may have %llu files open, and needs %d: raise the hard "
			     "limit of open files (ulimit -Hn, LimitNOFILE)",
			     (unsigned long long)limit.rlim_max, FILES_MIN);
}

int serve_run(int argc, char **argv)
{
	struct serve_options options = {0};
	struct server_config config = {0};
	struct arena arena __attribute__((cleanup(arena_finish)));
	struct life life = {.options = &options, .config = &config};
	status done;

	arena_init(&arena, CONFIG_ARENA_BYTES);
	done = serve_options_parse(&arena, argc - 1, argv + 1, &options);
	if (status_failed(done)) {
		fprintf(stderr, "sluice serve: %s\n", done.detail);
		return 2;
	}
	if (options.help) {
		serve_help(stdout);
		return 0;
	}
	done = serve_config_read(&options, &arena, &config);
	if (status_failed(done)) {
		fprintf(stderr, "sluice serve: %s\n", done.detail);
		return done.code == STATUS_INVALID_ARGUMENT ? 2 : 1;
	}
	serve_config_apply_log(&config);
	life_begin();
	/* Fresh pages cost nothing until they are touched. malloc raises this limit on its own, and
	 * then clears used memory instead: an empty collection took 2 MiB. */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
	done = raise_file_limit(&arena);
	if (!status_failed(done))
		done = assemble(&life, &arena);
	if (status_failed(done)) {
		fprintf(stderr, "sluice serve: %s: %s\n", status_code_name(done.code), done.detail);
		return 1;
	}
	return life_end();
}
