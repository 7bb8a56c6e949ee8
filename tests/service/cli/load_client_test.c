/* load_client - that a look at what has come is no wait.
 *
 * gRPC's core knows milliseconds and rounds up, so that "until now" lets a call's answer lie for one. How
 * long the core means to wait is what it tells the kernel, and epoll_wait below stands in front of the
 * one of libc.
 */
#include "service/cli/load_client.h"

#include "kernels/base/deadline.h"

#include <criterion/criterion.h>
#include <grpc/grpc.h>

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

/* Of this thread: how often it has asked the kernel, and meant to wait. The core has threads of its own. */
static _Thread_local int n_looks, n_waits;

int epoll_wait(int epoll, struct epoll_event *ret, int n_max, int timeout_ms)
{
	n_looks++;
	n_waits += timeout_ms != 0;
	return (int)syscall(SYS_epoll_pwait, epoll, ret, n_max, timeout_ms, NULL, 8);
}

static struct arena arena;
static struct load_client *client;

static void open_client(void)
{
	/* Nobody listens there. */
	struct client_options options = {.arena = &arena, .address = "unix:/nonexistent/socket"};

	arena_init(&arena, (size_t)1 << 20);
	grpc_init();
	cr_assert(!status_failed(load_client_open(&options, 1, &client)));
	n_looks = n_waits = 0;
}

static void close_client(void)
{
	load_client_close(client);
	grpc_shutdown_blocking();
	arena_finish(&arena);
}

TestSuite(load_client, .init = open_client, .fini = close_client, .timeout = 60);

Test(load_client, does_not_wait_until_what_has_passed)
{
	const int64_t now_ns = clock_ns();
	const int64_t past_ns[] = {0, now_ns - SECOND_NS, now_ns};

	for (size_t i = 0; i < sizeof past_ns / sizeof *past_ns; i++)
		for (int times = 0; times < 100; times++)
			cr_assert_null(load_client_wait(client, past_ns[i]).tag);
	cr_assert_eq(n_waits, 0, "%d of %d looks were waits", n_waits, n_looks);
}

/* Or the test above would have nothing to see. */
Test(load_client, waits_until_what_is_to_come)
{
	cr_assert_null(load_client_wait(client, clock_ns() + SECOND_NS / 50).tag);
	cr_assert_gt(n_waits, 0);
}

/* The next call is due before the core would be back. */
Test(load_client, leaves_no_millisecond_to_the_core_before_a_moment)
{
	for (int64_t ahead_ns = 0; ahead_ns < 2000000; ahead_ns += 100000) {
		const int64_t until_ns = clock_ns() + ahead_ns;

		cr_assert_null(load_client_wait(client, until_ns).tag);
		cr_assert_geq(clock_ns(), until_ns);
	}
	cr_assert_eq(n_waits, 0, "%d of %d looks were waits", n_waits, n_looks);
}

static void count_end(void *owner, enum status_code code, struct bytes detail)
{
	int *n_ended = owner;

	(void)detail;
	*n_ended += code == STATUS_UNAVAILABLE;
}

static bool want_no_answer(void *owner, struct bytes message)
{
	(void)owner;
	(void)message;
	cr_assert_fail("an answer of nobody");
	return false;
}

Test(load_client, gives_what_has_come_without_a_wait)
{
	static const struct load_call_events events = {want_no_answer, count_end};
	struct load_call *call = NULL;
	int n_ended = 0;
	const struct load_start start = {
		.path = "/sluice.v1.RetrievalService/Search",
		.deadline_ns = clock_ns() + 50 * SECOND_NS,
		.only = true,
		.events = &events,
		.owner = &n_ended,
	};

	cr_assert(!status_failed(load_client_start(client, &start, &call)));
	for (struct load_event event; n_ended == 0;) {
		event = load_client_wait(client, 0);
		if (event.tag)
			load_client_take(event);
	}
	cr_assert_eq(n_waits, 0, "%d of %d looks were waits", n_waits, n_looks);
}
