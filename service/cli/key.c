/* key - a new API key: a line for the server's file, and the key itself, once. */
#include "service/access/credentials.h"
#include "service/cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* 256 bits, in letters that no shell, header or URL minds. */
#define KEY_RANDOM_BYTES 32
#define KEY_PREFIX "sluice_"
#define KEY_BYTES (sizeof KEY_PREFIX + (size_t)2 * KEY_RANDOM_BYTES)

static status make_key(char ret[KEY_BYTES])
{
	uint8_t random[KEY_RANDOM_BYTES];

	if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
		return status_make(STATUS_UNAVAILABLE, "the system gives no random numbers");
	memcpy(ret, KEY_PREFIX, sizeof KEY_PREFIX);
	for (size_t i = 0; i < sizeof random; i++)
		snprintf(ret + sizeof KEY_PREFIX - 1 + 2 * i, 3, "%02x", random[i]);
	explicit_bzero(random, sizeof random);
	return status_ok();
}

static const char *make_line(struct cli *cli, const char *key)
{
	const char *scopes = arguments_value(cli->arguments, "scopes");
	const char *rate = arguments_value(cli->arguments, "rate");
	const char *collections = arguments_value(cli->arguments, "collections");
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	/* A rate stands behind them. */
	if (rate && !collections)
		collections = "*";
	sha256(bytes_of_string(key), digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return arena_printf(cli->arena, "%s:%s:%s%s%s%s%s", cli->arguments->names[0], hex, scopes,
			    collections ? ":" : "", collections ? collections : "", rate ? ":" : "",
			    rate ? rate : "");
}

/* A file that is there already holds a key that somebody uses. */
static status write_key(struct cli *cli, const char *key)
{
	const char *path = arguments_value(cli->arguments, "out");
	size_t size = strlen(key);
	char line[KEY_BYTES + 1];
	int fd;
	bool written;

	if (!path) {
		fprintf(stderr, "%s\n", key);
		return status_ok();
	}
	memcpy(line, key, size);
	line[size] = '\n';
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	written = fd >= 0 && write(fd, line, size + 1) == (ssize_t)size + 1;
	if (fd >= 0)
		written &= close(fd) == 0;
	explicit_bzero(line, sizeof line);
	return written ? status_ok()
		       : status_format(cli->arena, STATUS_UNAVAILABLE, "cannot write %s: %s", path,
				       strerror(errno));
}

static status run_key(struct cli *cli)
{
	char key[KEY_BYTES];
	const char *line;
	status done;

	if (!arguments_has(cli->arguments, "scopes"))
		return arguments_misuse(cli->arguments,
					"--scopes is needed: of read, write and admin");
	TRY(make_key(key));
	line = make_line(cli, key);
	if (!line)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a line");
	done = credential_line_check(line, cli->arena);
	if (status_failed(done))
		return arguments_misuse(cli->arguments, "%s", done.detail);
	TRY(write_key(cli, key));
	explicit_bzero(key, sizeof key);
	printf("%s\n", line);
	return status_ok();
}

static const struct option options[] = {
	{"scopes", OPTION_VALUE, "SCOPES  of read, write and admin, parted by commas"},
	{"collections", OPTION_VALUE, "NAMES  these alone, or what they begin with and * (all)"},
	{"rate", OPTION_VALUE,
	 "RATE  calls a second: 50, with how many at once 50/200; 0 is any number (the server's)"},
	{"out", OPTION_VALUE, "FILE  a new file for the key (standard error)"},
};

const struct command key_command = {
	.name = "key",
	.usage = "NAME --scopes SCOPES [--collections NAMES] [--rate RATE] [--out FILE]",
	.summary = "make an API key",
	.details = "Prints a line for the server's file of keys (access.api_keys_file, serve\n"
		   "--api-keys), which has the key's SHA-256 alone; and the key, once.",
	.options = OPTION_LIST(options),
	.names_min = 1,
	.names_max = 1,
	.offline = true,
	.run = run_key,
};
