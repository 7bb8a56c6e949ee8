/* server_start - what the program says of its command line, and whom it leaves a socket to. */
#include "tests/e2e/world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_SECONDS 60.0

TestSuite(server_start, .timeout = 120);

/* Runs it to its end. output  [size] what it prints. */
static int run(const char *const *arguments, char *output, size_t size)
{
	size_t n = 0;
	ssize_t got;
	int fd;
	pid_t pid = program_start(arguments, &fd);

	while (n < size - 1 && (got = read(fd, output + n, size - 1 - n)) > 0)
		n += (size_t)got;
	output[n] = 0;
	close(fd);
	return program_await(pid, ANSWER_SECONDS);
}

static const struct {
	const char *arguments[3];
	int exit;
	const char *output; /* how it begins */
} commands[] = {
	{{"help"}, 0, "usage: sluice COMMAND"},
	{{"--help"}, 0, "usage: sluice COMMAND"},
	{{"-h"}, 0, "usage: sluice COMMAND"},
	{{"help", "serve"}, 0, "usage: sluice serve"},
	{{"help", "version"}, 0, "usage: sluice version"},
	{{"help", "help"}, 0, "usage: sluice help"},
	{{"help", "--help"}, 0, "usage: sluice help"},
	{{"help", "search"}, 0, "usage: sluice search"},
	{{"help", "nonsense"}, 2, ""},
	{{"version"}, 0, "sluice "},
	{{"--version"}, 0, "sluice "},
	{{"version", "--help"}, 0, "usage: sluice version"},
	{{"version", "extra"}, 2, ""},
	{{"serve", "--listen=127.0.0.1:99999"}, 2, ""},
	{{"serve", "--listen=nonsense"}, 2, ""},
	{{"serve", "--listen=unix:"}, 2, ""},
};

Test(server_start, every_command_explains_itself)
{
	char output[4096];

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const char *const *words = commands[i].arguments;
		const char *const arguments[] = {words[0], words[1], NULL};
		const char *want = commands[i].output;
		int exit_status = run(arguments, output, sizeof output);

		cr_assert_eq(exit_status, commands[i].exit, "%s %s: %d", words[0],
			     words[1] ? words[1] : "", exit_status);
		cr_assert_eq(strncmp(output, want, strlen(want)), 0, "%s %s: %s", words[0],
			     words[1] ? words[1] : "", output);
		cr_assert(*want || !*output, "%s", output);
	}
}

/* A server on a socket, over a folder of its own.
 * line  [size] its first; empty: it ended without. */
static pid_t serve(const char *address, const char *data, int *ret_output, char *line, size_t size)
{
	const char *const arguments[] = {"serve", "--listen", address, "--data",
					 data,    "--gpu",    "off",   NULL};
	pid_t pid = program_start(arguments, ret_output);
	size_t n = 0;

	while (n < size - 1 && read(*ret_output, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = 0;
	return pid;
}

static void assert_serves(const char *address)
{
	const Sluice__V1__GetServerInfoRequest request = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;
	struct session session = {0};
	struct answer answer;

	session_open(&session, address);
	answer = session_call(&session, &get_server_info, &request.base);
	cr_assert_eq(answer.code, 0, "%s", answer.detail);
	session_close(&session);
}

Test(server_start, a_second_server_leaves_the_socket_to_the_first)
{
	struct scratch scratch;
	char address[300], first_data[300], second_data[300], line[400], want[400];
	int first_output, second_output;
	pid_t first, second;

	scratch_open(&scratch);
	snprintf(address, sizeof address, "unix:/tmp/sluice-e2e-%d", (int)getpid());
	snprintf(first_data, sizeof first_data, "%s/first", scratch.path);
	snprintf(second_data, sizeof second_data, "%s/second", scratch.path);
	snprintf(want, sizeof want, "listening on %s", address);

	first = serve(address, first_data, &first_output, line, sizeof line);
	cr_assert_str_eq(line, want);
	second = serve(address, second_data, &second_output, line, sizeof line);
	close(second_output);
	cr_assert_str_eq(line, "");
	cr_assert_eq(program_await(second, ANSWER_SECONDS), 1);
	assert_serves(address);

	/* Killed, it leaves its socket behind: that one may be replaced. */
	kill(first, SIGKILL);
	cr_assert_eq(program_await(first, ANSWER_SECONDS), 128 + SIGKILL);
	close(first_output);
	cr_assert_eq(access(address + 5, F_OK), 0);
	second = serve(address, second_data, &second_output, line, sizeof line);
	cr_assert_str_eq(line, want);
	assert_serves(address);
	kill(second, SIGTERM);
	cr_assert_eq(program_await(second, ANSWER_SECONDS), 0);
	close(second_output);
	scratch_close(&scratch);
}
