/* neighbours - thousands that mean no good, beside a few who do: the few are answered, memory stays
 * bounded, descriptors that ran out come back, and nothing is left alive.
 *
 * NEIGHBOURS says how many hostile connections and streams there are (3,000); tests/load/neighbours
 * has 100,000. What good clients see is counted; how long they wait is printed.
 */
#include "tests/e2e/iterating.h"
#include "tests/load/neighbours/good.h"
#include "tests/load/neighbours/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

TestSuite(neighbours, .init = world_open, .fini = world_close, .timeout = 3000);

enum {
	wanted_otherwise = SANITIZED ? 600 : 3000,
	n_good = 4,
	n_held = SANITIZED ? 96 : 256, /* hostile ones that are open at once */
	n_checks = 10,
	go_on_at_once = 8,
	spare_files = 64,
};

/* Of a hostile one that is open: the largest have ten calls, each with 15 KB of headers. */
#define CONNECTION_BYTES_MAX ((size_t)1 << 20)
/* What malloc keeps of what was freed: the server gives it back once a second. */
#define SLACK_BYTES ((size_t)64 << 20)
#define PROGRESS_SECONDS 120.0
#define SETTLE_SECONDS 120.0

static struct {
	struct rows rows;
	struct buffer message; /* a request of Search, its five bytes in front */
	struct bytes request;  /* the same without */
	struct good good[n_good];
	atomic_bool stops;
	struct hostile held[n_held];
	struct random random;
	size_t n_connections, n_streams, n_refused;
	size_t bytes_max;
} test = {
	.rows = {.collection = "docs",
		 .dim = 16,
		 .n = 500,
		 .metric = SLUICE__V1__METRIC__METRIC_COSINE},
	.random = {7},
};

/* --- those who behave --- */

static void pack_request(void)
{
	Sluice__V1__SearchRequest request =
		search_request(&test.rows, query_make(test.rows.dim, 1), 10);
	size_t size = protobuf_c_message_get_packed_size(&request.base);

	buffer_append(&test.message, "\0\0\0", 3);
	buffer_append_u8(&test.message, (uint8_t)(size >> 8));
	buffer_append_u8(&test.message, (uint8_t)size);
	protobuf_c_message_pack(&request.base, buffer_reserve(&test.message, size));
	test.message.size += size;
	test.request = bytes_of(test.message.data + 5, size);
}

static void await_progress(void)
{
	double end = seconds_now() + PROGRESS_SECONDS;

	for (size_t i = 0; i < n_good; i++) {
		size_t before = atomic_load(&test.good[i].n_answered);

		while (atomic_load(&test.good[i].n_answered) == before) {
			cr_assert_lt(seconds_now(), end, "client %zu is not answered: %s", i,
				     test.good[i].failure);
			pause_ms(1);
		}
	}
}

static void start_good(void)
{
	/* Where tests share a process. */
	atomic_store(&test.stops, false);
	memset(test.good, 0, sizeof test.good);
	rows_create(&test.rows, 1);
	pack_request();
	for (size_t i = 0; i < n_good; i++)
		cr_assert(
			good_start(&test.good[i], world.server.address, test.request, &test.stops));
	await_progress();
}

static void stop_good(const char *when)
{
	struct load_histogram all = {0};
	size_t n = 0;

	atomic_store(&test.stops, true);
	for (size_t i = 0; i < n_good; i++) {
		good_join(&test.good[i]);
		cr_assert_eq(test.good[i].n_failed, 0, "client %zu: %zu failed, the first: %s", i,
			     test.good[i].n_failed, test.good[i].failure);
		n += atomic_load(&test.good[i].n_answered);
		load_histogram_merge(&all, &test.good[i].latencies);
	}
	fprintf(stderr,
		"neighbours: %s: %zu searches of %d good clients: p50 %.1f ms, p99 %.1f ms\n", when,
		n, n_good, (double)load_histogram_at(&all, 0.5) * 1e-6,
		(double)load_histogram_at(&all, 0.99) * 1e-6);
	buffer_finish(&test.message);
}

/* --- those who do not --- */

static void close_held(void)
{
	for (size_t i = 0; i < n_held; i++)
		hostile_close(&test.held[i], &test.random);
}

/* One more, in the place of the oldest. */
static void attack_once(size_t kind)
{
	size_t place = test.n_connections % n_held;

	hostile_close(&test.held[place], &test.random);
	test.n_streams +=
		hostile_open(&test.held[place], kind, world.server.address,
			     bytes_of(test.message.data, test.message.size), &test.random);
	test.n_refused += test.held[place].http2.fd < 0;
	test.n_connections++;
	for (size_t i = 0; i < go_on_at_once; i++)
		hostile_go_on(&test.held[random_below(&test.random, n_held)]);
}

/* Those that are closed here are not yet there: no faster than the server sees them go. */
static void attack_until(size_t n, size_t files)
{
	while (test.n_connections + test.n_streams < n) {
		double end = seconds_now() + PROGRESS_SECONDS;
		size_t bytes;

		attack_once(random_below(&test.random, hostile_kinds()));
		if (test.n_connections % 16)
			continue;
		while (server_entries("fd") > files + n_held + 64 && seconds_now() < end)
			pause_ms(1);
		bytes = server_own_bytes(&world.server);
		if (bytes > test.bytes_max)
			test.bytes_max = bytes;
	}
}

static size_t number_wanted(void)
{
	const char *text = getenv("NEIGHBOURS");

	return text && *text ? strtoul(text, NULL, 10) : wanted_otherwise;
}

static void want_files(size_t files)
{
	double end = seconds_now() + SETTLE_SECONDS;

	while (server_entries("fd") > files + 8 && seconds_now() < end)
		pause_ms(50);
	cr_assert_leq(server_entries("fd"), files + 8, "%zu descriptors, %zu before",
		      server_entries("fd"), files);
}

static void want_bytes(size_t most)
{
	double end = seconds_now() + SETTLE_SECONDS;

	while (server_own_bytes(&world.server) > most && seconds_now() < end)
		pause_ms(50);
	cr_assert_leq(server_own_bytes(&world.server), most, "%zu MB are left",
		      server_own_bytes(&world.server) >> 20);
}

static void world_restart_quiet(void)
{
	world_restart_with(&(struct server_options){0}, "logging: {level: error}\n");
	for (size_t i = 0; i < n_held; i++)
		test.held[i].http2.fd = -1;
}

Test(neighbours, that_mean_no_good_take_nothing_from_those_who_do)
{
	size_t wanted = number_wanted(), before, files;

	world_restart_quiet();
	start_good();
	files = server_entries("fd");
	before = server_own_bytes(&world.server);

	for (size_t i = 1; i <= n_checks; i++) {
		attack_until(wanted * i / n_checks, files);
		await_progress();
	}
	fprintf(stderr, "neighbours: %zu connections, %zu streams; %zu MB before, at most %zu MB\n",
		test.n_connections, test.n_streams, before >> 20, test.bytes_max >> 20);
	cr_assert_eq(test.n_refused, 0);
	if (!SANITIZED)
		cr_assert_lt(test.bytes_max, before + n_held * CONNECTION_BYTES_MAX + SLACK_BYTES,
			     "%zu MB more", (test.bytes_max - before) >> 20);

	close_held();
	await_progress();
	want_files(files);
	stop_good("beside them");
	want_idle();
	if (!SANITIZED)
		want_bytes(before + SLACK_BYTES);
}

/* Takes the server what it has, from outside; the limit stays. */
static void take_files(void)
{
	size_t files = server_entries("fd");
	struct rlimit limit;

	cr_assert_eq(prlimit(world.server.pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = files + spare_files;
	cr_assert_eq(prlimit(world.server.pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* A new client, who asks until it is answered. */
static void want_newcomer(void)
{
	double end = seconds_now() + SETTLE_SECONDS;
	int code = -1;

	while (code != GRPC_STATUS_OK && seconds_now() < end) {
		struct session late;

		session_open(&late, world.server.address);
		code = session_call_bytes(&late, &get_server_info, (struct bytes){0}).code;
		session_close(&late);
	}
	cr_assert_eq(code, GRPC_STATUS_OK);
}

Test(neighbours, that_take_every_descriptor_give_them_back)
{
	double end;
	size_t files, most = 0;

	world_restart_quiet();
	start_good();
	files = server_entries("fd");
	take_files();
	for (size_t i = 0; i < n_held; i++)
		attack_once(HOSTILE_SILENT);
	/* It accepts in its own time. */
	for (end = seconds_now() + SETTLE_SECONDS;
	     most < files + spare_files && seconds_now() < end; pause_ms(1))
		most = server_entries("fd");
	cr_assert_geq(most, files + spare_files);
	await_progress();
	close_held();
	want_newcomer();
	await_progress();
	want_files(files);
	stop_good("without descriptors");
	fprintf(stderr, "neighbours: %zu descriptors, %zu before\n", most, files);
	want_idle();
}
