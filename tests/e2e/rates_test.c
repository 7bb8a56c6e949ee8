/* rates - what SIGHUP changes of them holds for calls that come after it: the server's own, which is each
 * caller's whose line has none, and that of a line. */
#include "tests/e2e/key_line.h"
#include "tests/e2e/served.h"
#include "tests/e2e/world.h"

#include <signal.h>
#include <stdio.h>

TestSuite(rates, .init = world_open, .fini = world_close, .timeout = 200);

/* At one a second, with five at once, so many in a row take minutes. */
#define CALLS 300
#define CALLS_SMALL 5

/* own_rate  of the line of the key "own"; that of the key "plain" has none. */
static void write_keys(const char *own_rate)
{
	file_write(text_of("%s/keys", world.scratch.path),
		   text_of("%s%s", key_line("plain", "read"),
			   key_line("own", text_of("read:*:%s", own_rate))));
}

static char *config_with(const char *rates)
{
	return text_of("access: {api_keys_file: %s/keys, %s}\n", world.scratch.path, rates);
}

static void start_with(const char *rates, const char *own_rate)
{
	char text[1024]; /* the session's arena goes */

	write_keys(own_rate);
	snprintf(text, sizeof text, "%s", config_with(rates));
	world_restart_with(&(struct server_options){0}, text);
}

static void reload_with(const char *rates, const char *own_rate)
{
	write_keys(own_rate);
	file_write(text_of("%s/config.yaml", world.scratch.path), config_with(rates));
	cr_assert_eq(kill(world.server.pid, SIGHUP), 0);
}

static void open_with_key(struct session *session, const char *key)
{
	session_open_with(
		session, world.server.address,
		&(struct grpc_client_options){.authorization = text_of("Bearer %s", key)});
}

static int ask(struct session *session)
{
	return session_call_bytes(session, &get_server_info, (struct bytes){0}).code;
}

/* How many calls begin in a row, up to CALLS. */
static size_t served_in_a_row(struct session *session)
{
	size_t n = 0;

	while (n < CALLS && ask(session) == GRPC_STATUS_OK)
		n++;
	return n;
}

/* The signal is handled beside the calls: until they go as they are to. */
static bool come_to_be(struct session *session, bool bounded)
{
	for (int i = 0; i < 500; i++) {
		if ((served_in_a_row(session) < CALLS) == bounded)
			return true;
		pause_ms(10);
	}
	return false;
}

static const char small[] = "calls_per_second_max: 1, calls_burst_max: 5";

Test(rates, of_the_server_are_raised_and_lowered_by_a_signal)
{
	static const char *const larger[] = {
		"calls_per_second_max: 100000, calls_burst_max: 100000",
		"calls_per_second_max: 0",
	};
	struct session plain;

	start_with(small, "0");
	open_with_key(&plain, "plain");
	for (size_t i = 0; i < sizeof larger / sizeof *larger; i++) {
		size_t n = served_in_a_row(&plain);

		cr_assert(n >= (i ? 0 : CALLS_SMALL) && n < CALLS, "%zu", n);
		reload_with(larger[i], "0");
		cr_assert(come_to_be(&plain, false), "%s", larger[i]);
		reload_with(small, "0");
		cr_assert(come_to_be(&plain, true), "%s", larger[i]);
	}
	session_close(&plain);
}

Test(rates, of_a_key_are_raised_and_lowered_by_a_signal)
{
	struct session plain, own;

	start_with("calls_per_second_max: 0", "1/5");
	open_with_key(&plain, "plain");
	open_with_key(&own, "own");
	cr_assert_lt(served_in_a_row(&own), CALLS);
	reload_with("calls_per_second_max: 0", "0");
	cr_assert(come_to_be(&own, false));
	reload_with("calls_per_second_max: 0", "1/5");
	cr_assert(come_to_be(&own, true));
	/* The others have nothing to do with it. */
	cr_assert_eq(served_in_a_row(&plain), CALLS);
	session_close(&plain);
	session_close(&own);
}

Test(rates, of_the_server_change_nothing_for_a_key_that_has_its_own)
{
	struct session plain, own;

	start_with("calls_per_second_max: 0", "0");
	open_with_key(&plain, "plain");
	open_with_key(&own, "own");
	reload_with(small, "0");
	cr_assert(come_to_be(&plain, true));
	cr_assert_eq(served_in_a_row(&own), CALLS);
	session_close(&plain);
	session_close(&own);
}
