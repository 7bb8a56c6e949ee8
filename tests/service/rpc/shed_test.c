/* Calls that are refused since they would wait too long, and those that are not. */
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>
#include <time.h>

#define WORKERS 2 /* the toy's */
#define MS INT64_C(1000000)
#define SPIN_SECONDS 100

static struct toy toy;
static struct grpc_client *client;
static struct grpc_stream *spins[WORKERS + 1];

TestSuite(shed, .timeout = 120);

static struct grpc_stream *spin(double seconds)
{
	return grpc_stream_open_server(client, TOY("Spin"), bytes_of_string("x"), seconds);
}

/* Every worker busy and one more call that waits, for wait_ns by now. */
static void fill(int64_t queue_ns, int64_t wait_ns)
{
	const struct timespec pause = {0, MS};

	toy_open_as(&toy, NULL, &(struct rpc_server_options){.queue_ns = queue_ns});
	client = grpc_client_open(toy.address, NULL);
	for (int i = 0; i < WORKERS; i++) {
		spins[i] = spin(SPIN_SECONDS);
		cr_assert(toy_reaches(&toy.n_spinning, i + 1));
	}
	spins[WORKERS] = spin(SPIN_SECONDS);
	for (int i = 0; i < 60000 && pool_wait_ns(toy.workers) <= wait_ns; i++)
		nanosleep(&pause, NULL);
	cr_assert_gt(pool_wait_ns(toy.workers), wait_ns);
}

static void empty(void)
{
	for (int i = 0; i <= WORKERS; i++)
		grpc_stream_close(spins[i]);
	cr_assert(toy_is_idle());
	cr_assert_eq(pool_wait_ns(toy.workers), 0);
}

static void end(void)
{
	grpc_client_close(client);
	toy_close(&toy);
}

static void want_retry_info(struct bytes details)
{
	static const char name[] = "google.rpc.RetryInfo";

	cr_assert_not_null(memmem(details.data, details.size, name, sizeof name - 1));
}

static void want_refused(double seconds)
{
	struct grpc_stream *refused = spin(seconds);
	const char *detail;

	cr_assert_eq(grpc_stream_finish(refused, &detail), STATUS_RESOURCE_EXHAUSTED, "%s", detail);
	cr_assert_not_null(strstr(detail, "limits.queue_time_max"), "%s", detail);
	cr_assert_gt(grpc_stream_trailer(refused, "grpc-retry-pushback-ms").size, 0);
	want_retry_info(grpc_stream_details(refused));
	grpc_stream_close(refused);
	cr_assert_eq(atomic_load(&toy.n_spinning), WORKERS);
}

static void want_echo(void)
{
	struct grpc_reply reply;

	grpc_client_unary(client, TOY("Echo"), bytes_of_string("x"), 20, &reply);
	cr_assert_eq(reply.code, 0);
	grpc_reply_finish(&reply);
}

Test(shed, whoever_would_wait_longer_than_the_limit)
{
	fill(MS, MS);
	want_refused(SPIN_SECONDS);
	want_echo(); /* needs no worker */
	empty();
	spins[0] = spin(SPIN_SECONDS);
	cr_assert(toy_reaches(&toy.n_spinning, WORKERS + 1));
	grpc_stream_close(spins[0]);
	end();
}

Test(shed, whoever_would_wait_longer_than_half_of_the_time_it_has)
{
	fill(3600000 * MS, 2000 * MS);
	want_refused(3);
	empty();
	end();
}

Test(shed, nobody_where_there_is_no_limit)
{
	struct grpc_stream *waits;

	fill(0, 100 * MS);
	waits = spin(SPIN_SECONDS);
	for (int i = 0; i <= WORKERS; i++)
		grpc_stream_close(spins[i]);
	cr_assert(toy_reaches(&toy.n_spinning, WORKERS + 1));
	grpc_stream_close(waits);
	cr_assert(toy_is_idle());
	end();
}

#define AT_ONCE 32

/* Refuses so many at once. Whether one of them was told no figures: so many are refused. */
static bool refuse_some(double seconds)
{
	struct grpc_stream *refused[AT_ONCE];
	bool shortly = false;

	for (int i = 0; i < AT_ONCE; i++)
		refused[i] = spin(seconds);
	for (int i = 0; i < AT_ONCE; i++) {
		const char *detail;

		if (grpc_stream_finish(refused[i], &detail) == STATUS_RESOURCE_EXHAUSTED) {
			cr_assert_not_null(strstr(detail, "limits.queue_time_max"), "%s", detail);
			cr_assert_gt(grpc_stream_trailer(refused[i], "grpc-retry-pushback-ms").size,
				     0);
			want_retry_info(grpc_stream_details(refused[i]));
			shortly = shortly || !strstr(detail, "would wait");
		}
		grpc_stream_close(refused[i]);
	}
	cr_assert_eq(atomic_load(&toy.n_spinning), WORKERS);
	return shortly;
}

/* Refused calls that have little time, until they are told no figures. */
static bool swamp(double seconds)
{
	bool shortly = false;

	for (int i = 0; i < 2000 && !shortly; i++)
		shortly = refuse_some(seconds);
	return shortly;
}

/* One that has time enough, and would be let in were it alone. */
static bool is_refused_at_once(void)
{
	SCOPED(grpc_stream) stream = spin(SPIN_SECONDS);
	SCOPED(buffer) message = &(struct buffer){0};
	bool late;

	cr_assert_not(grpc_stream_next_within(stream, 1, message, &late));
	if (!late)
		cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_RESOURCE_EXHAUSTED);
	return !late;
}

Test(shed, whoever_would_stand_in_a_queue_while_many_are_refused)
{
	bool refused = false;

	fill(3600000 * MS, 1000 * MS);
	cr_assert_not(is_refused_at_once());
	/* Again, should a second have passed between the two. */
	for (int i = 0; i < 10 && !refused; i++) {
		cr_assert(swamp(1));
		refused = is_refused_at_once();
	}
	cr_assert(refused);
	empty();
	/* Where nobody waits, somebody may come in at any time. */
	spins[0] = spin(SPIN_SECONDS);
	cr_assert(toy_reaches(&toy.n_spinning, WORKERS + 1));
	grpc_stream_close(spins[0]);
	end();
}

/* Of many in a second the first are told all there is to say, the others the code, the setting, and when to
 * come again. */
Test(shed, many_with_few_words)
{
	fill(MS, MS);
	cr_assert(swamp(SPIN_SECONDS));
	/* Pollers let calls gather meanwhile; one alone is answered all the same. */
	for (int i = 0; i < 3; i++)
		refuse_some(SPIN_SECONDS);
	want_echo();
	empty();
	end();
}
