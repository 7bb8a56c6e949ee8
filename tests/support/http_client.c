/* http_client - a socket, and a buffer that grows. */
#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int open_path(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

static int open_port(const char *address)
{
	const struct timeval patience = {.tv_sec = 10};
	struct sockaddr_in to = {.sin_family = AF_INET};
	const char *colon = strrchr(address, ':');
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_port = htons((uint16_t)strtoul(colon ? colon + 1 : "0", NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

char *http_exchange(const char *address, const char *request)
{
	size_t size = (size_t)1 << 22, n = 0;
	int fd = strncmp(address, "unix:", 5) == 0 ? open_path(address + 5) : open_port(address);
	char *answer;
	ssize_t got;

	if (fd < 0)
		return NULL;
	answer = calloc(1, size);
	if (answer && send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
		while (n < size - 1 && (got = recv(fd, answer + n, size - 1 - n, 0)) > 0)
			n += (size_t)got;
	close(fd);
	return answer;
}

char *http_get(const char *address, const char *path)
{
	char request[512];
	char *answer, *body;

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		 path);
	answer = http_exchange(address, request);
	body = answer ? strstr(answer, "\r\n\r\n") : NULL;
	if (!body || strncmp(answer, "HTTP/1.1 200 ", 13) != 0) {
		free(answer);
		return NULL;
	}
	memmove(answer, body + 4, strlen(body + 4) + 1);
	return answer;
}
