/* crash - a server is killed again and again, whatever it is doing, and has to come back with all that
 * it had acknowledged.
 *
 * A round: writers change the collections and have them sealed, merged, indexed, optimized, dropped and
 * made anew until the server is killed; servers that are started are killed while they start; one that
 * may start is looked at, and `sluice check` looks before and after. CRASH_ROUNDS and CRASH_SEED say how many rounds, and which.
 */
#include "tests/crash/look.h"
#include "tests/crash/writers.h"
#include "tests/e2e/served.h"
#include "tests/e2e/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ROUNDS = SANITIZED ? 6 : 25,
	KILL_MS = 400,   /* after the first acknowledgement */
	SIGHT_MS = 1000, /* so long a trace is waited for */
	START_MS = 80,
	STARTS_MAX = 3,
};

TestSuite(crash);

/* What there was when the server died. */
static struct {
	size_t rounds, starts, optimizing, acknowledged, pending;
	size_t traces[TRACES];
} counts;

#define QUIET "logging: {level: warning}\n"

static const char *const configs[] = {
	/* Much is sealed and merged, and dead rows go at once. */
	"index: {seal_rows: 64, dead_rows_retention: 0s}\n" QUIET,
	/* Dead rows stay until there are many. */
	"index: {seal_rows: 300, dead_rows_retention: 10m, dead_rows_max: 1500}\n" QUIET,
	/* One write is one commit. */
	"index: {seal_rows: 100, dead_rows_retention: 0s}\ndurability: {commit_writes_max: "
	"1}\n" QUIET,
};

static const char still_config[] = "index: {seal_rows: 0}\n" QUIET;

static size_t number_of(const char *name, size_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

static const char *data_path(void)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/data", world.scratch.path);
	return path;
}

/* In the test's folder, under a name that its writer need not keep. */
static const char *config_path(const char *text)
{
	static char path[300];
	FILE *out;

	snprintf(path, sizeof path, "%s/config.yaml", world.scratch.path);
	out = fopen(path, "we");
	cr_assert_not_null(out);
	cr_assert_geq(fputs(text, out), 0);
	cr_assert_eq(fclose(out), 0);
	return path;
}

static void start(const char *config)
{
	const struct server_options options = {.data = data_path(), .config = config_path(config)};

	cr_assert(server_start(&world.server, &options), "the server does not start");
	session_open(&world.session, world.server.address);
}

static void end(void)
{
	session_close(&world.session);
	server_kill(&world.server);
}

/* `sluice check`, while no server runs. swept  a server has removed what was left over. */
static void want_fine(bool swept)
{
	const char *const arguments[] = {"check", data_path(), "--json", NULL};
	static char said[1 << 16];
	size_t n = 0;
	ssize_t got;
	int output;
	pid_t pid = program_start(arguments, &output);

	while (n < sizeof said - 1 && (got = read(output, said + n, sizeof said - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(output);
	cr_assert_eq(program_await(pid, 60), 0, "%s", said);
	if (swept)
		cr_assert(strstr(said, "\"notes\": []"), "left over: %s", said);
}

/* --- the ways to die --- */

static void kill_while_it_starts(struct random *random)
{
	const char *config = config_path(configs[random_below(random, 3)]);
	const char *const arguments[] = {"serve", "--listen", "127.0.0.1:0", "--data", data_path(),
					 "--gpu", "off",      "--config",    config,   NULL};
	int output;
	pid_t pid = program_start(arguments, &output);

	pause_ms((long)random_below(random, START_MS));
	kill(pid, SIGKILL);
	cr_assert_eq(program_await(pid, 60), 128 + SIGKILL, "it ended by itself");
	close(output);
	counts.starts++;
}

static void await_trace(enum trace trace)
{
	double give_up = seconds_now() + SIGHT_MS * 1e-3;
	size_t traces[TRACES] = {0};

	while (traces[trace] == 0 && seconds_now() < give_up) {
		const struct timespec moment = {.tv_nsec = 100000};

		nanosleep(&moment, NULL);
		look_for_traces(data_path(), traces);
	}
}

static void await_optimizer(const struct writers *writers)
{
	double give_up = seconds_now() + SIGHT_MS * 1e-3;

	while (!atomic_load(&writers->optimizer.runs) && seconds_now() < give_up)
		pause_ms(1);
}

/* At any moment, or some moments after something was seen to be under way. */
static void await_moment(const struct writers *writers, struct random *random)
{
	size_t choice = random_below(random, 2 * (TRACES + 1));

	if (choice < TRACES)
		await_trace((enum trace)choice);
	else if (choice == TRACES)
		await_optimizer(writers);
	pause_ms((long)random_below(random, choice <= TRACES ? 5 : KILL_MS));
}

static void write_until_it_dies(struct model *models, struct random *random)
{
	static struct writers writers;
	double give_up = seconds_now() + 60;

	cr_assert(writers_start(&writers, world.server.address, models, random));
	while (atomic_load(&writers.n_acknowledged) == 0 && seconds_now() < give_up)
		pause_ms(1);
	await_moment(&writers, random);
	counts.optimizing += atomic_load(&writers.optimizer.runs);
	atomic_store(&writers.dying, true);
	server_kill(&world.server);
	cr_assert(writers_join(&writers), "a call failed while the server lived");
	counts.acknowledged += atomic_load(&writers.n_acknowledged);
	for (size_t i = 0; i < PLANS; i++)
		counts.pending += models[i].n_pending;
	look_for_traces(data_path(), counts.traces);
}

/* --- rounds --- */

static void one_round(struct model *models, struct random *random)
{
	start(configs[random_below(random, 3)]);
	write_until_it_dies(models, random);
	end();
	want_fine(false);
	for (size_t n = random_below(random, STARTS_MAX); n > 0; n--)
		kill_while_it_starts(random);
	start(still_config);
	look_settle(models, data_path());
	end();
	want_fine(true);
	counts.rounds++;
}

static void report(size_t seed)
{
	fprintf(stderr,
		"crash: seed %zu: %zu rounds, %zu kills while starting, %zu operations "
		"acknowledged, %zu pending; killed while a collection was being optimized: %zu",
		seed, counts.rounds, counts.starts, counts.acknowledged, counts.pending,
		counts.optimizing);
	for (size_t i = 0; i < TRACES; i++)
		fprintf(stderr, ", %s: %zu", trace_names[i], counts.traces[i]);
	fputc('\n', stderr);
}

Test(crash, loses_nothing_that_was_acknowledged)
{
	static struct model models[PLANS];
	size_t rounds = number_of("CRASH_ROUNDS", ROUNDS), seed = number_of("CRASH_SEED", 1);
	struct random random = {seed};

	scratch_open(&world.scratch);
	for (size_t i = 0; i < PLANS; i++)
		models[i].plan = &plans[i];
	while (counts.rounds < rounds) {
		one_round(models, &random);
		if (counts.rounds % 50 == 0)
			report(seed);
	}
	report(seed);
	scratch_close(&world.scratch);
}
