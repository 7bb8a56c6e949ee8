/* Calls while the process has more memory than it may. */
#include "service/memory.h"
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ROOM ((size_t)256 << 20)
#define LOOKS 3000

static struct toy toy;
static struct grpc_client *client;

TestSuite(pressed, .timeout = 120);

static int echo_code(void)
{
	struct grpc_reply reply;
	int code = grpc_client_unary(client, TOY("Echo"), bytes_of_string("x"), 20, &reply);

	if (code != STATUS_OK) {
		cr_assert_not_null(strstr(reply.detail, "limits.memory_bytes_max"), "%s",
				   reply.detail);
		cr_assert_gt(reply.details.size, 0);
	}
	grpc_reply_finish(&reply);
	return code;
}

static int health_code(void)
{
	struct grpc_reply reply;
	int code = grpc_client_unary(client, "/grpc.health.v1.Health/Check", (struct bytes){0}, 20,
				     &reply);

	grpc_reply_finish(&reply);
	return code;
}

static void want_soon(int code)
{
	const struct timespec pause = {0, 10000000};
	int now = echo_code();

	for (int i = 0; i < LOOKS && now != code; i++) {
		nanosleep(&pause, NULL);
		now = echo_code();
	}
	cr_assert_eq(now, code);
}

Test(pressed, are_refused_until_there_is_room_again)
{
	void *block;

	toy_open_as(&toy, NULL,
		    &(struct rpc_server_options){
			    .watch_ns = 10000000,
			    .memory_bytes_max = memory_used() + ROOM / 2,
		    });
	client = grpc_client_open(toy.address, NULL);
	cr_assert_eq(echo_code(), STATUS_OK);
	block = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(block != MAP_FAILED);
	memset(block, 1, ROOM);
	want_soon(STATUS_RESOURCE_EXHAUSTED);
	cr_assert_eq(health_code(), STATUS_OK);
	munmap(block, ROOM);
	want_soon(STATUS_OK);
	grpc_client_close(client);
	toy_close(&toy);
}
