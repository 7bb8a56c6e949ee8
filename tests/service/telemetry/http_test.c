/* http - answers, refusals, and addresses that cannot be had. */
#include "service/telemetry/http.h"
#include "tests/support/http_client.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static status make_good(void *context, struct buffer *body)
{
	buffer_append(body, context, strlen(context));
	return status_ok();
}

static status make_bad(void *context, struct buffer *body)
{
	(void)context;
	buffer_append(body, "half", 4);
	return status_make(STATUS_RESOURCE_EXHAUSTED, "none");
}

static const struct http_page pages[] = {
	{"/", "text/html", make_good},
	{"/good", "text/plain", make_good},
	{"/bad", "text/plain", make_bad},
};

static char context[] = "what there is";
static struct arena arena;
static struct http *http;

static void setup(void)
{
	status opened;

	arena_init(&arena, 1 << 16);
	opened = http_open("127.0.0.1:0", pages, 3, context, &arena, &http);
	cr_assert_not(status_failed(opened), "%s", opened.detail);
}

static void teardown(void)
{
	http_close(http);
	arena_finish(&arena);
}

TestSuite(http, .init = setup, .fini = teardown, .timeout = 60);

/* As a server that was killed leaves it. */
static void leave_socket(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
	close(fd);
}

/* A request, how the answer begins, and what is in it. */
static const struct {
	const char *request, *begins, *has;
} exchanges[] = {
	{"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200", "what there is"},
	{"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
	 "X-Content-Type-Options: nosniff"},
	{"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200",
	 "default-src 'none'"},
	{"GET /good?x=1 HTTP/1.0\r\n\r\n", "HTTP/1.", "Content-Type: text/plain"},
	{"GET /bad HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 503", "memory"},
	{"GET /good/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404", "no such"},
	{"GET /../good HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404", ""},
	{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405",
	 "Allow: GET, HEAD"},
	{"DELETE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405", ""},
	{"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", ""},
	{"nonsense\r\n\r\n", "", ""},
};

Test(http, answers_with_pages_and_refuses_all_else)
{
	for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
		char *answer = http_exchange(http_address(http), exchanges[i].request);

		cr_assert_not_null(answer);
		cr_assert_eq(strncmp(answer, exchanges[i].begins, strlen(exchanges[i].begins)), 0,
			     "%s: %s", exchanges[i].request, answer);
		cr_assert_not_null(strstr(answer, exchanges[i].has), "%s: %s", exchanges[i].request,
				   answer);
		cr_assert_null(strstr(answer, "half"));
		free(answer);
	}
}

Test(http, answers_head_without_a_body)
{
	char *answer = http_exchange(http_address(http), "HEAD / HTTP/1.1\r\nHost: x\r\n"
							 "Connection: close\r\n\r\n");

	cr_assert_not_null(strstr(answer, "Content-Length: 13"), "%s", answer);
	cr_assert_null(strstr(answer, context));
	free(answer);
}

/* Prometheus asks again over the same connection. */
Test(http, answers_twice_on_a_connection)
{
	char *answer = http_exchange(http_address(http),
				     "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
				     "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	const char *first = strstr(answer, context);

	cr_assert_not_null(first, "%s", answer);
	cr_assert_not_null(strstr(first + 1, context), "%s", answer);
	free(answer);
}

/* Not under the test's own folder, whose path may be longer than an address. */
Test(http, serves_on_a_path_with_its_mode_and_leaves_nothing)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	char folder[] = "/tmp/sluice-http-XXXXXX", address[64];
	struct http *own = NULL, *second = NULL;
	struct stat found;
	char *answer;
	status s;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(address, sizeof address, "unix:%s/socket", folder);
	for (int i = 0; i < 2; i++) {
		s = http_open(address, pages, 3, context, &arena, &own);
		cr_assert_not(status_failed(s), "%s", s.detail);
		cr_assert_str_eq(http_address(own), address);
		cr_assert_eq(stat(address + 5, &found), 0);
		cr_assert_eq(found.st_mode & 0777, 0660);
		/* One that is alive is not replaced. */
		s = http_open(address, pages, 3, context, &arena, &second);
		cr_assert_eq(s.code, STATUS_UNAVAILABLE);
		answer = http_exchange(address, request);
		cr_assert_not_null(strstr(answer, context));
		free(answer);
		http_close(own);
		cr_assert_neq(stat(address + 5, &found), 0);
		/* What was left behind, for the next round. */
		leave_socket(address + 5);
	}
	unlink(address + 5);
	rmdir(folder);
}

Test(http, names_an_address_that_it_cannot_have)
{
	static const struct {
		const char *address;
		enum status_code code;
	} refused[] = {
		{"no port", STATUS_INVALID_ARGUMENT},
		{":9", STATUS_INVALID_ARGUMENT},
		{"unix:", STATUS_INVALID_ARGUMENT},
		{"unix:/proc/none/socket", STATUS_UNAVAILABLE},
		{"192.0.2.1:0", STATUS_UNAVAILABLE},
	};
	struct http *second = NULL;
	status s = http_open(http_address(http), pages, 3, context, &arena, &second);

	cr_assert_eq(s.code, STATUS_UNAVAILABLE);
	cr_assert_not_null(strstr(s.detail, http_address(http)), "%s", s.detail);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		s = http_open(refused[i].address, pages, 3, context, &arena, &second);
		cr_assert_eq(s.code, refused[i].code, "%s", refused[i].address);
		cr_assert_not_null(strstr(s.detail, refused[i].address), "%s", s.detail);
	}
	cr_assert_null(second);
}
