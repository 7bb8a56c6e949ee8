/* serve_life - signals, health, drain. */
#include "service/serve_life.h"

#include "index/database.h"
#include "kernels/base/gauge.h"
#include "kernels/base/log.h"
#include "service/serve_config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))
/* How late it may be said that the collections are there. */
#define LOOK_NS 20000000
#define DETAIL_BYTES ((size_t)64 << 10)

static const int our_signals[] = {SIGTERM, SIGINT, SIGHUP};
static pthread_t main_thread;

/* A library has made threads before main began, which block no signal: what one of them gets is the
 * main thread's, who waits for it. */
static void hand_to_main(int signal_number)
{
	pthread_kill(main_thread, signal_number);
}

static sigset_t signal_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < LENGTH(our_signals); i++)
		sigaddset(&set, our_signals[i]);
	return set;
}

void life_begin(void)
{
	sigset_t set = signal_set();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	main_thread = pthread_self();
	for (size_t i = 0; i < LENGTH(our_signals); i++)
		signal(our_signals[i], hand_to_main);
	signal(SIGPIPE, SIG_IGN);
}

/* The next one ends the process at once: what was acknowledged is on disk. */
static void let_signals_end_us(void)
{
	sigset_t set = signal_set();

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

status life_open_health(const struct server_config *config, struct arena *arena,
			struct rpc_server **ret)
{
	/* By name: what they do is not served there. */
	static const struct rpc_service names[] = {
		{.name = "sluice.v1.RetrievalService"},
		{.name = "sluice.v1.IngestService"},
		{.name = "sluice.v1.CollectionService"},
		{.name = "sluice.v1.AdminService"},
	};
	const struct rpc_server_options options = {
		.addresses = &config->health_listen,
		.n_addresses = 1,
		.services = names,
		.n_services = LENGTH(names),
		.n_pollers = 1,
		.metadata_bytes_max = config->limits.metadata_bytes_max,
		.streams_max = config->limits.streams_per_connection_max,
		.handshake_ns = config->limits.handshake_timeout_ns,
		.request_ns = config->limits.request_timeout_ns,
		.keepalive_ns = config->keepalive.time_ns,
		.keepalive_timeout_ns = config->keepalive.timeout_ns,
		.ping_interval_ns = config->keepalive.client_interval_min_ns,
		.socket_owner = serve_config_socket_owner(config),
		.health_alone = true,
		.starting = true,
	};

	*ret = NULL;
	return *config->health_listen ? rpc_server_open(&options, arena, ret) : status_ok();
}

static void announce(const struct life *life)
{
	for (size_t i = 0; i < life->config->n_listen; i++)
		printf("listening on %s\n", rpc_server_address(life->server, i));
	if (life->health)
		printf("health on %s\n", rpc_server_address(life->health, 0));
	if (life->telemetry)
		printf("metrics on %s\n", telemetry_address(life->telemetry));
	fflush(stdout);
}

/* Who is told by the one is not to find the other behind. */
static void set_health(const struct life *life, enum rpc_health health)
{
	if (life->health)
		rpc_server_set_health(life->health, health);
	rpc_server_set_health(life->server, health);
}

static void reload(struct life *life)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	status done = status_ok();

	log_write(LOG_INFO, "reload: the configuration is read again");
	serve_config_reload(life->options, life->config);
	arena_init(arena, DETAIL_BYTES);
	if (life->access) {
		access_set_rate(life->access, serve_config_rate(life->config));
		done = access_reload(life->access, arena);
	}
	if (status_failed(done))
		log_write(LOG_ERROR, "reload: %s; the credentials from before go on", done.detail);
}

/* The next one; 0 where none has come after a while. */
static int await_signal(bool for_ever)
{
	const struct timespec a_while = {0, LOOK_NS};
	const sigset_t set = signal_set();
	int signal_number;

	do {
		signal_number =
			for_ever ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &a_while);
	} while (signal_number < 0 && errno == EINTR);
	return signal_number < 0 ? 0 : signal_number;
}

/* Until a signal to end comes, which it gives. */
static int await_end(struct life *life)
{
	bool ready = false;

	for (;;) {
		int signal_number;

		if (!ready && database_is_warm(life->database)) {
			ready = true;
			set_health(life, RPC_READY);
		}
		signal_number = await_signal(ready);
		if (signal_number == SIGHUP)
			reload(life);
		else if (signal_number)
			return signal_number;
	}
}

static void pause_ns(int64_t ns)
{
	struct timespec left = {ns / 1000000000, ns % 1000000000};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

void life_run(struct life *life)
{
	const struct server_config *config = life->config;
	int signal_number;
	double seconds;

	/* Who reads the line may ask at once. */
	set_health(life, database_is_warm(life->database) ? RPC_READY : RPC_RECOVERING);
	announce(life);
	signal_number = await_end(life);
	seconds = (double)config->drain_timeout_ns / 1e9;
	set_health(life, RPC_LEAVING);
	let_signals_end_us();
	if (config->drain_wait_ns) {
		log_write(LOG_INFO, "%s: not serving; new calls are taken for %g seconds more",
			  strsignal(signal_number), (double)config->drain_wait_ns / 1e9);
		pause_ns(config->drain_wait_ns);
	}
	log_write(LOG_INFO, "%s: draining for at most %g seconds", strsignal(signal_number),
		  seconds);
	rpc_server_drain(life->server, seconds);
	if (life->health)
		rpc_server_drain(life->health, 0);
}

int life_end(void)
{
	int result = 0;

	for (enum gauge gauge = 0; gauge < GAUGE_N; gauge++) {
		if (gauge_read(gauge) == 0)
			continue;
		log_write(LOG_ERROR, "%s: %lld still alive at exit", gauge_name(gauge),
			  (long long)gauge_read(gauge));
		result = EX_SOFTWARE;
	}
	log_write(LOG_INFO, result ? "drained, but not of all" : "drained");
	return result;
}
