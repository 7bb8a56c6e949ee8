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
#include "service/ingest/ingest.h"
#include "service/retrieval/retrieval.h"
#include "service/serve_options.h"
#include "service/version.h"

#include <signal.h>
#include <unistd.h>

#define DETAIL_ARENA_BYTES ((size_t)1 << 20)
/* Writers wait for fsync most of the time: two commits of two collections can be under way while
 * a third is prepared. */
#define WRITER_THREADS 4

#define LENGTH(array) (sizeof(array) / sizeof *(array))

static size_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}

/* Serves until a signal comes, then drains. */
static status run(const struct serve_options *options, const struct services *services,
		  struct pool *workers, struct arena *arena)
{
	const struct rpc_method retrieval[] = {
		search_method,
		get_chunks_method,
		list_chunks_method,
		count_chunks_method,
		UNSERVED_STREAM("/sluice.v1.RetrievalService/Iterate"),
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
		UNSERVED_METHOD("/sluice.v1.AdminService/ListCursors"),
		UNSERVED_METHOD("/sluice.v1.AdminService/CancelCursor"),
		UNSERVED_METHOD("/sluice.v1.AdminService/GetToolSchemas"),
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
		.addresses = options->listen,
		.n_addresses = options->n_listen,
		.services = table,
		.n_services = LENGTH(table),
		.workers = workers,
	};
	SCOPED(rpc_server) server = NULL;
	sigset_t signals;
	int signal_number = 0;

	TRY(rpc_server_open(&server_options, arena, &server));
	for (size_t i = 0; i < options->n_listen; i++)
		printf("listening on %s\n", rpc_server_address(server, i));
	fflush(stdout);

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigwait(&signals, &signal_number);
	log_write(LOG_INFO, "%s: draining for at most %g seconds", strsignal(signal_number),
		  options->drain_seconds);
	/* A second signal ends the process at once: what was acknowledged is on disk. */
	signal(signal_number, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	rpc_server_drain(server, options->drain_seconds);
	return status_ok();
}

static void log_gpus(const struct gpu_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		log_write(LOG_INFO, "gpu %s (%s): %s", list->devices[i].name,
			  list->devices[i].driver,
			  list->devices[i].in_use ? "in use" : list->devices[i].reason);
}

static status assemble(const struct serve_options *options, struct arena *arena)
{
	struct gpu_list gpus = {0};
	SCOPED(scanner) scanner_cpu = NULL;
	SCOPED(scanner) gpu = NULL;
	SCOPED(pool) workers = NULL;
	SCOPED(pool) writers = NULL;
	SCOPED(database) database = NULL;
	struct services services = {.gpus = &gpus, .start_ns = clock_ns()};
	struct database_options database_options = {.directory = options->data};

	TRY(scanner_cpu_open(CPU_KERNEL_BEST, &scanner_cpu));
	TRY(scanner_vulkan_open(options->gpu, arena, &gpus, &gpu));
	log_gpus(&gpus);
	TRY(pool_open(processors(), "worker", &workers));
	TRY(pool_open(WRITER_THREADS, "writer", &writers));

	services.scanner_cpu = scanner_cpu;
	services.gpu = gpu;
	services.scanner = gpu ? gpu : scanner_cpu;
	database_options.scanner = services.scanner;
	database_options.scanner_cpu = scanner_cpu;
	database_options.writers = writers;
	TRY(database_open(&database_options, arena, &database));
	services.database = database;
	log_write(LOG_INFO, "sluice %s (%s) over %s, scanning on %s", SLUICE_VERSION, sluice_commit,
		  options->data, services.scanner->name);
	return run(options, &services, workers, arena);
}

void serve_help(FILE *out)
{
	serve_options_help(out);
}

int serve_run(int argc, char **argv)
{
	struct serve_options options = {0};
	struct arena arena __attribute__((cleanup(arena_finish)));
	sigset_t signals;
	status done;

	arena_init(&arena, DETAIL_ARENA_BYTES);
	done = serve_options_parse(&arena, argc - 1, argv + 1, &options);
	if (status_failed(done)) {
		fprintf(stderr, "sluice serve: %s\n", done.detail);
		return 2;
	}
	if (options.help) {
		serve_help(stdout);
		return 0;
	}

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	done = assemble(&options, &arena);
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
