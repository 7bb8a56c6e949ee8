/* serve - the command that runs the server: assemble, run, drain.
 *
 * Everything is opened in the order in which it is used and closed in the reverse order, by its
 * scope. Signals are blocked before the first thread starts, so that the main thread alone takes
 * them, in sigwait.
 */
#include "service/serve.h"

#include "index/database.h"
#include "kernels/base/gauge.h"
#include "kernels/base/log.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/vulkan/scanner_vulkan.h"
#include "service/admin/admin.h"
#include "service/collections/collections.h"
#include "service/config/config_load.h"
#include "service/cursors.h"
#include "service/ingest/ingest.h"
#include "service/retrieval/retrieval.h"
#include "service/serve_options.h"
#include "service/version.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Below what LMDB callocs for each environment, 2 MiB of which it touches a little. */
#define MMAP_THRESHOLD_BYTES 2000000

static size_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}

/* Serves until a signal comes, then drains. */
static status run(const struct server_config *config, const struct services *services,
		  struct pool *workers, struct arena *arena)
{
	const struct rpc_method retrieval[] = {
		search_method,       get_chunks_method, list_chunks_method,
		count_chunks_method, iterate_method,
	};
	const struct rpc_method ingest[] = {upsert_chunks_method, delete_chunks_method};
	const struct rpc_method collections[] = {
		create_collection_method,
		get_collection_method,
		list_collections_method,
		delete_collection_method,
		UNSERVED_METHOD("/sluice.v1.CollectionService/OptimizeCollection"),
	};
	const struct rpc_method admin[] = {
		get_server_info_method,
		list_cursors_method,
		cancel_cursor_method,
		get_tool_schemas_method,
	};
	/* Borrowed by the server, which only reads it. */
	void *context = (void *)services;
	const struct rpc_service table[] = {
		{"sluice.v1.RetrievalService", retrieval, LENGTH(retrieval), context},
		{"sluice.v1.IngestService", ingest, LENGTH(ingest), context},
		{"sluice.v1.CollectionService", collections, LENGTH(collections), context},
		{"sluice.v1.AdminService", admin, LENGTH(admin), context},
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
		.stall_ns = config->limits.stalled_write_timeout_ns,
		.arena_factor = config->limits.call_arena_factor,
		.arena_bytes_min = config->limits.call_arena_bytes_min,
		.arena_bytes_max = config->limits.call_arena_bytes_max,
		.keepalive_ns = config->keepalive.time_ns,
		.keepalive_timeout_ns = config->keepalive.timeout_ns,
		.ping_interval_ns = config->keepalive.client_interval_min_ns,
	};
	const double drain_seconds = (double)config->drain_timeout_ns / 1e9;
	SCOPED(rpc_server) server = NULL;
	sigset_t signals;
	int signal_number = 0;

	TRY(rpc_server_open(&server_options, arena, &server));
	for (size_t i = 0; i < config->n_listen; i++)
		printf("listening on %s\n", rpc_server_address(server, i));
	fflush(stdout);

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigwait(&signals, &signal_number);
	log_write(LOG_INFO, "%s: draining for at most %g seconds", strsignal(signal_number),
		  drain_seconds);
	/* A second signal ends the process at once: what was acknowledged is on disk. */
	signal(signal_number, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	rpc_server_drain(server, drain_seconds);
	return status_ok();
}

static void log_gpus(const struct gpu_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		log_write(LOG_INFO, "gpu %s (%s): %s", list->devices[i].name,
			  list->devices[i].driver,
			  list->devices[i].in_use ? "in use" : list->devices[i].reason);
}

static size_t either(uint64_t given, size_t otherwise)
{
	return given ? (size_t)given : otherwise;
}

static status assemble(const struct server_config *config, struct arena *arena)
{
	struct gpu_list gpus = {0};
	SCOPED(scanner) scanner_cpu = NULL;
	SCOPED(scanner) gpu = NULL;
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
		.retention_ns = config->index.dead_rows_retention_ns,
	};

	TRY(cursors_open(
		&(struct cursors_limits){
			.max = config->limits.cursors_max,
			.idle_ns = config->limits.cursor_idle_timeout_ns,
			.age_ns = config->limits.snapshot_age_max_ns,
		},
		&cursors));
	services.cursors = cursors;
	TRY(scanner_cpu_open(CPU_KERNEL_BEST, &scanner_cpu));
	TRY(scanner_vulkan_open(config->gpu.mode, arena, &gpus, &gpu));
	if (gpu)
		scanner_vulkan_limit(gpu, config->gpu.memory_bytes_max);
	log_gpus(&gpus);
	TRY(pool_open(either(config->threads.workers, processors()), "worker", &workers));
	TRY(pool_open(config->threads.writers, "writer", &writers));

	services.scanner_cpu = scanner_cpu;
	services.gpu = gpu;
	services.scanner = gpu ? gpu : scanner_cpu;
	database_options.scanner = services.scanner;
	database_options.scanner_cpu = scanner_cpu;
	database_options.writers = writers;
	/* A device scans vectors in memory, and faster than a processor their codes. */
	database_options.seal_rows = gpu ? 0 : config->index.seal_rows;
	TRY(database_open(&database_options, arena, &database));
	services.database = database;
	log_write(LOG_INFO, "sluice %s (%s) over %s, scanning on %s", SLUICE_VERSION, sluice_commit,
		  config->data_directory, services.scanner->name);
	return run(config, &services, workers, arena);
}

void serve_help(FILE *out)
{
	serve_options_help(out);
}

/* Defaults, then the file, then the environment, then the options. What is wrong with the file goes
 * to standard error, a line each. */
static status configure(const struct serve_options *options, struct arena *arena,
			struct server_config *ret)
{
	const char *file = options->config ? options->config : getenv("SLUICE_CONFIG");
	struct problems problems = {.arena = arena};
	const struct schema_message *message;

	TRY(server_config_message(arena, &message));
	TRY(server_config_defaults(message, arena, ret));
	if (file && *file) {
		TRY(config_load_file(file, &problems, ret));
		problems_print(stderr, file, &problems);
		if (problems.n)
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "%s: %zu violations; nothing was started", file,
					     problems.n + problems.n_dropped);
	}
	TRY(config_load_environment(arena, ret));
	return serve_options_apply(options, arena, ret);
}

static void configure_log(const struct server_config *config)
{
	log_set_level(config->logging.level);
	log_set_format(config->logging.format);
	log_set_rate((unsigned)config->logging.lines_per_second_max);
}

/* A collection holds three files open and a connection one. What a shell allows at first is soon
 * used up, and is only a proposal. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static pthread_t main_thread;

/* A library has made threads before main began, which block no signal: what one of them gets is the
 * main thread's, who waits for it. */
static void hand_to_main(int signal_number)
{
	pthread_kill(main_thread, signal_number);
}

int serve_run(int argc, char **argv)
{
	struct serve_options options = {0};
	struct server_config config = {0};
	struct arena arena __attribute__((cleanup(arena_finish)));
	sigset_t signals;
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
	done = configure(&options, &arena, &config);
	if (status_failed(done)) {
		fprintf(stderr, "sluice serve: %s\n", done.detail);
		return done.code == STATUS_INVALID_ARGUMENT ? 2 : 1;
	}
	configure_log(&config);

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	main_thread = pthread_self();
	signal(SIGTERM, hand_to_main);
	signal(SIGINT, hand_to_main);
	signal(SIGPIPE, SIG_IGN);
	/* Fresh pages cost nothing until they are touched. malloc raises this limit on its own, and
	 * then clears used memory instead: an empty collection took 2 MiB. */
	mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
	raise_file_limit();
	done = assemble(&config, &arena);
	if (status_failed(done)) {
		fprintf(stderr, "sluice serve: %s: %s\n", status_code_name(done.code), done.detail);
		return 1;
	}
	for (enum gauge gauge = 0; gauge < GAUGE_N; gauge++)
		if (gauge_read(gauge) != 0)
			log_write(LOG_ERROR, "%s: %lld still alive at exit", gauge_name(gauge),
				  (long long)gauge_read(gauge));
	log_write(LOG_INFO, "drained");
	return 0;
}
