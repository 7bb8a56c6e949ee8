/* ownership - one server a data directory: a second is refused while the first lives, and by nothing
 * that a dead one left. */
#include "tests/e2e/command.h"
#include "tests/e2e/served.h"
#include "tests/e2e/world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TestSuite(ownership, .init = world_open, .fini = world_close, .timeout = 120);

static void want_served(void)
{
	const Sluice__V1__GetServerInfoRequest request = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;

	WANT(session_call(&world.session, &get_server_info, &request.base), GRPC_STATUS_OK, "");
}

Test(ownership, a_second_server_fails_and_names_the_process_of_the_first)
{
	const char *const arguments[] = {
		"serve", "--listen", "127.0.0.1:0", "--data", world.scratch.path,
		"--gpu", "off",      NULL,
	};
	char process[64];
	struct said said;

	snprintf(process, sizeof process, "process %d ", (int)world.server.pid);
	said = command_run(arguments);
	cr_assert_eq(said.result, 1, "%s", said.err);
	cr_assert_str_eq(said.out, "");
	cr_assert(strstr(said.err, process), "no \"%s\" in: %s", process, said.err);
	cr_assert(strstr(said.err, world.scratch.path), "%s", said.err);
	want_served();
}

Test(ownership, what_a_killed_server_leaves_is_in_nobodys_way)
{
	server_kill(&world.server);
	cr_assert_eq(access(text_of("%s/lock", world.scratch.path), F_OK), 0);
	world_restart(&(struct server_options){0});
	want_served();
}

/* Its number may be another process's by now, or the file may be damaged. */
Test(ownership, what_the_lock_file_says_does_not_count)
{
	const char *const texts[] = {text_of("%d\n", (int)getpid()), text_of("1\n"),
				     text_of("rubbish"), text_of("%s", "")};
	char path[300], copies[4][32];

	snprintf(path, sizeof path, "%s/lock", world.scratch.path);
	for (size_t i = 0; i < 4; i++)
		snprintf(copies[i], sizeof copies[i], "%s", texts[i]);
	for (size_t i = 0; i < 4; i++) {
		server_kill(&world.server);
		file_write(path, copies[i]);
		world_restart(&(struct server_options){0});
		want_served();
	}
}
