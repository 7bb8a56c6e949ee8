/* http - libmicrohttpd over a socket that is bound here, so that a failure has a reason. */
#include "service/telemetry/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IDLE_SECONDS 10U
#define CONNECTION_BYTES ((size_t)16 << 10)
#define BACKLOG 32
#define ADDRESS_MAX 512
#define UNIX_PREFIX "unix:"
/* Whoever may is of the process's group. */
#define SOCKET_MODE 0660

struct http {
	struct MHD_Daemon *daemon;
	const struct http_page *pages;
	size_t n_pages;
	void *context;
	char address[ADDRESS_MAX + 8];
	const char *path; /* in address, of a socket of the file system; NULL: there is none */
};

/* --- answers --- */

/* Nothing of these pages is for another site, a cache or a script. */
static const char *const headers[][2] = {
	{"Cache-Control", "no-store"},
	{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "
				    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
};

/* body  its memory is taken. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *type,
			      struct buffer *body)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result queued;

	if (!response)
		return MHD_NO;
	*body = (struct buffer){0};
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	queued = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result answer_words(struct MHD_Connection *connection, unsigned code,
				    const char *words)
{
	SCOPED(buffer) body = &(struct buffer){0};

	buffer_append(body, words, strlen(words));
	return answer(connection, code, "text/plain; charset=utf-8", body);
}

static enum MHD_Result answer_page(struct http *http, struct MHD_Connection *connection,
				   const struct http_page *page)
{
	SCOPED(buffer) body = &(struct buffer){0};
	status made = page->make(http->context, body);

	if (status_failed(made) || body->failed)
		return answer_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
				    "there is no memory for it now\n");
	return answer(connection, MHD_HTTP_OK, page->type, body);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload_data,
			      size_t *upload_size, void **state)
{
	struct http *http = cls;

	(void)version;
	(void)upload_data;
	/* At once, since there may be a body: the connection is closed behind the answer. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	/* The first time there are only headers; an answer to those would close the connection. */
	if (!*state) {
		*state = http;
		return MHD_YES;
	}
	*upload_size = 0;
	for (size_t i = 0; i < http->n_pages; i++)
		if (strcmp(url, http->pages[i].path) == 0)
			return answer_page(http, connection, &http->pages[i]);
	return answer_words(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
}

/* --- the socket --- */

/* "HOST:PORT" in two; brackets go. */
static bool split(const char *address, char host[ADDRESS_MAX], const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	size_t size = colon ? (size_t)(colon - address) : 0;

	if (size == 0 || size >= ADDRESS_MAX)
		return false;
	if (address[0] == '[' && address[size - 1] == ']') {
		address++;
		size -= 2;
	}
	memcpy(host, address, size);
	host[size] = 0;
	*ret_port = colon + 1;
	return true;
}

static int bind_one(const struct addrinfo *info)
{
	const int yes = 1;
	int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			info->ai_protocol);

	if (fd < 0)
		return -1;
	/* So that a server that was just stopped does not keep the next one out. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static const char *path_of(const char *address)
{
	size_t size = sizeof UNIX_PREFIX - 1;

	return strncmp(address, UNIX_PREFIX, size) == 0 ? address + size : NULL;
}

/* What a server left behind goes; what somebody answers on, or is no socket, stays. */
static void remove_stale(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)to, sizeof *to) && errno == ECONNREFUSED)
		unlink(to->sun_path);
	close(fd);
}

/* Nobody can connect before listen, when it has its mode. */
static status bind_path(const char *path, struct arena *arena, int *ret)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (!*path || strlen(path) >= sizeof to.sun_path)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "unix:%s: a path of 1 to %zu bytes is needed", path,
				     sizeof to.sun_path - 1);
	memcpy(to.sun_path, path, strlen(path));
	remove_stale(&to);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof to) == 0) {
		if (chmod(path, SOCKET_MODE) == 0 && listen(fd, BACKLOG) == 0) {
			*ret = fd;
			return status_ok();
		}
		unlink(path);
	}
	if (fd >= 0)
		close(fd);
	return status_format(arena, STATUS_UNAVAILABLE, "unix:%s: cannot listen: %s", path,
			     strerror(errno));
}

static status bind_socket(const char *address, struct arena *arena, int *ret)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char host[ADDRESS_MAX];
	const char *port;
	int error, fd = -1;

	if (!split(address, host, &port))
		return status_format(arena, STATUS_INVALID_ARGUMENT, "%s: HOST:PORT is needed",
				     address);
	error = getaddrinfo(host, port, &hints, &found);
	if (error)
		return status_format(arena, STATUS_UNAVAILABLE, "%s: %s", address,
				     gai_strerror(error));
	errno = 0;
	for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
		fd = bind_one(info);
	freeaddrinfo(found);
	if (fd < 0)
		return status_format(arena, STATUS_UNAVAILABLE, "%s: cannot listen: %s", address,
				     strerror(errno));
	*ret = fd;
	return status_ok();
}

/* The address as it was given, with the port that the socket has. */
static void name_address(struct http *http, const char *address, int fd)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof bound;
	char port[16] = "0";

	if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0)
		getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof port,
			    NI_NUMERICSERV);
	snprintf(http->address, sizeof http->address, "%.*s:%s",
		 (int)(strrchr(address, ':') - address), address, port);
}

status http_open(const char *address, const struct http_page *pages, size_t n, void *context,
		 struct arena *arena, struct http **ret)
{
	SCOPED(http) http = calloc(1, sizeof *http);
	int fd = -1;

	if (!http)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a listener");
	http->pages = pages;
	http->n_pages = n;
	http->context = context;
	if (path_of(address)) {
		TRY(bind_path(path_of(address), arena, &fd));
		snprintf(http->address, sizeof http->address, "%s", address);
		http->path = path_of(http->address);
	} else {
		TRY(bind_socket(address, arena, &fd));
		name_address(http, address, fd);
	}
	http->daemon =
		MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, http,
				 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				 (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
				 IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES,
				 MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (!http->daemon) {
		close(fd);
		return status_format(arena, STATUS_RESOURCE_EXHAUSTED, "%s: a thread for it",
				     address);
	}
	*ret = TAKE(http);
	return status_ok();
}

const char *http_address(const struct http *http)
{
	return http->address;
}

void http_close(struct http *http)
{
	if (!http)
		return;
	/* Closes the socket too. */
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	if (http->path)
		unlink(http->path);
	free(http);
}
