/* server - fork, exec, one line of output, signals. */
#include "tests/e2e/server.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_SECONDS 60.0
#define ARGUMENTS_MAX 32

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void pause_ms(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static const char *program_path(void)
{
	const char *path = getenv("SLUICE_BINARY");

	return path ? path : "service/sluice";
}

/* In the child, where only what is safe after a fork of a threaded program may be called. */
static _Noreturn void program_become(const char *path, char *const *argv, int output)
{
	static const char sorry[] = "cannot start the program: is SLUICE_BINARY right?\n";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (output >= 0)
		dup2(output, STDOUT_FILENO);
	execv(path, argv);
	(void)!write(STDERR_FILENO, sorry, sizeof sorry - 1);
	_exit(127);
}

pid_t program_start(const char *const *arguments, int *ret_output)
{
	const char *path = program_path();
	char *argv[ARGUMENTS_MAX] = {(char *)(size_t)path};
	int ends[2] = {-1, -1};
	pid_t pid;

	for (size_t i = 0; arguments[i] && i < ARGUMENTS_MAX - 2; i++)
		argv[i + 1] = (char *)(size_t)arguments[i];
	if (ret_output && pipe2(ends, O_CLOEXEC) != 0)
		abort();
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		program_become(path, argv, ends[1]);
	if (pid < 0)
		abort();
	if (ret_output) {
		close(ends[1]);
		*ret_output = ends[0];
	}
	return pid;
}

int program_await(pid_t pid, double seconds)
{
	double end = seconds_now() + seconds;
	int status;

	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (done < 0 && errno != EINTR)
			return -1;
		if (seconds_now() > end)
			break;
		pause_ms(2);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* One line, without its end; false where the output ends before. */
static bool read_line(int fd, char *line, size_t size)
{
	double end = seconds_now() + START_SECONDS;
	size_t n = 0;

	while (n < size - 1 && seconds_now() < end) {
		struct pollfd readable = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (poll(&readable, 1, 100) <= 0)
			continue;
		got = read(fd, &line[n], 1);
		if (got <= 0)
			return false;
		if (line[n] == '\n') {
			line[n] = 0;
			return true;
		}
		n++;
	}
	return false;
}

/* Mesa's software driver leaks a little in a module that is unloaded by the end, so that no suppression
 * can name it (see tests/support/lavapipe.c): a server over it is not searched for leaks. */
static pid_t program_start_over_driver(const char *const *arguments, int *ret_output)
{
	const char *before = getenv("ASAN_OPTIONS");
	char own[512], with[600];
	pid_t pid;

	snprintf(own, sizeof own, "%s", before ? before : "");
	snprintf(with, sizeof with, "%s:detect_leaks=0", own);
	setenv("ASAN_OPTIONS", with, 1);
	pid = program_start(arguments, ret_output);
	setenv("ASAN_OPTIONS", own, 1);
	return pid;
}

bool server_start(struct server *server, const struct server_options *options)
{
	static const char announcement[] = "listening on ";
	const char *const arguments[] = {
		"serve",
		"--listen",
		"127.0.0.1:0",
		"--data",
		options->data,
		"--gpu",
		options->gpu ? options->gpu : "off",
		"--drain-seconds",
		options->drain_seconds ? options->drain_seconds : "5",
		options->config ? "--config" : NULL,
		options->config,
		NULL,
	};
	char line[sizeof announcement - 1 + sizeof server->address];

	*server = (struct server){.output = -1};
	server->pid = options->gpu ? program_start_over_driver(arguments, &server->output)
				   : program_start(arguments, &server->output);
	if (!read_line(server->output, line, sizeof line) ||
	    strncmp(line, announcement, sizeof announcement - 1) != 0) {
		server_kill(server);
		return false;
	}
	snprintf(server->address, sizeof server->address, "%s", line + sizeof announcement - 1);
	return true;
}

static void server_forget(struct server *server)
{
	if (server->output >= 0)
		close(server->output);
	server->output = -1;
	server->pid = 0;
	server->terminated = false;
}

void server_terminate(struct server *server)
{
	if (server->pid)
		kill(server->pid, SIGTERM);
	server->terminated = true;
}

int server_await(struct server *server, double seconds)
{
	int status = server->pid ? program_await(server->pid, seconds) : -1;

	server_forget(server);
	return status;
}

int server_stop(struct server *server, double seconds)
{
	if (!server->terminated)
		server_terminate(server);
	return server_await(server, seconds);
}

void server_kill(struct server *server)
{
	if (!server->pid)
		return;
	kill(server->pid, SIGKILL);
	server_await(server, START_SECONDS);
}

size_t server_own_bytes(const struct server *server)
{
	char path[64], line[256];
	size_t kilobytes = 0;
	FILE *status;

	snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
	status = fopen(path, "re");
	if (!status)
		return 0;
	while (fgets(line, sizeof line, status))
		if (sscanf(line, "RssAnon: %zu", &kilobytes) == 1)
			break;
	fclose(status);
	return kilobytes << 10;
}

bool server_has_software_gpu(void)
{
	static const char *const patterns[] = {"/usr/share/vulkan/icd.d/lvp_icd*.json",
					       "/etc/vulkan/icd.d/lvp_icd*.json"};
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		glob_t paths;

		found |= glob(patterns[i], 0, NULL, &paths) == 0;
		globfree(&paths);
	}
	return found;
}
