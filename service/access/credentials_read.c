/* credentials_read - the two files, line by line. What is wrong is named with its line; a key's digest is
 * not repeated. */
#include "service/access/credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES_MAX 4096
#define NAME_BYTES_MAX 64
#define COLLECTION_BYTES_MAX 63
#define LISTED_MAX 256

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";

/* One line under way. */
struct line {
	struct credentials *credentials;
	struct arena *arena; /* of details */
	const char *wrong;   /* NULL: nothing */
};

static bool is_made_of(const char *text, size_t size_max, const char *more)
{
	size_t size = strlen(text);

	if (size == 0 || size > size_max)
		return false;
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= '0' && *text <= '9') &&
		    !strchr(more, *text))
			return false;
	return true;
}

/* A name, or what names begin with and *. */
static bool is_pattern(const char *text)
{
	char name[COLLECTION_BYTES_MAX + 2];
	size_t size = strlen(text);

	if (strcmp(text, "*") == 0)
		return true;
	if (size == 0 || size > COLLECTION_BYTES_MAX + 1)
		return false;
	memcpy(name, text, size + 1);
	if (name[size - 1] == '*')
		name[size - 1] = 0;
	return strchr(lower, name[0]) && is_made_of(name, COLLECTION_BYTES_MAX, "_-");
}

static bool read_scopes(struct line *line, char *text, struct credential *ret)
{
	char *rest = text, *part;

	while ((part = strsep(&rest, ","))) {
		unsigned scope = scope_of(bytes_of_string(part));

		if (!scope) {
			line->wrong = arena_printf(line->arena,
						   "\"%.64s\" is no scope: read, write or admin "
						   "is needed",
						   part);
			return false;
		}
		ret->scopes |= scope;
	}
	return true;
}

static bool read_collections(struct line *line, char *text, struct credential *ret)
{
	struct arena *arena = &line->credentials->arena;
	const char **all = ARENA_ARRAY(arena, const char *, LISTED_MAX);
	char *rest = text, *part;

	while (all && (part = strsep(&rest, ","))) {
		if (ret->n_collections == LISTED_MAX) {
			line->wrong = "more than 256 collections";
			return false;
		}
		if (!is_pattern(part)) {
			line->wrong = arena_printf(line->arena,
						   "\"%.64s\" is no name of a collection, nor "
						   "what names begin with and *",
						   part);
			return false;
		}
		all[ret->n_collections++] = arena_copy(arena, part, strlen(part));
	}
	ret->collections = all;
	return true;
}

static bool read_rate(struct line *line, const char *text, struct credential *ret)
{
	ret->rated = rate_read(text, &ret->rate);
	if (!ret->rated)
		line->wrong = arena_printf(line->arena,
					   "\"%.64s\" is no rate: calls a second are needed, as "
					   "50, or with how many at once, as 50/200; at most %d",
					   text, RATE_PER_SECOND_MAX);
	return ret->rated;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_digest(const char *text, uint8_t ret[SHA256_BYTES])
{
	if (strlen(text) != (size_t)2 * SHA256_BYTES)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Whether the line is one; else wrong says why. */
static bool read_key(struct line *line, char *text, struct credential *ret)
{
	char *name = strsep(&text, ":"), *digest = strsep(&text, ":");
	char *scopes = strsep(&text, ":"), *collections = strsep(&text, ":"), *rate = text;

	if (!scopes)
		line->wrong = "NAME:SHA256HEX:SCOPES[:COLLECTIONS[:RATE]] is needed";
	else if (!is_made_of(name, NAME_BYTES_MAX, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-"))
		line->wrong = "a name is of 1 to 64 letters, digits, dots, dashes and underscores";
	else if (!read_digest(digest, ret->digest))
		line->wrong = "a SHA-256 is of 64 hexadecimal digits: sluice key makes a line";
	if (line->wrong || !read_scopes(line, scopes, ret))
		return false;
	ret->name = arena_copy(&line->credentials->arena, name, strlen(name));
	return (!collections || read_collections(line, collections, ret)) &&
	       (!rate || read_rate(line, rate, ret));
}

static const char *const kinds[] = {"dns", "uri", "email", "ip"};

static bool read_name(struct line *line, const char *text, struct credential *ret)
{
	size_t size = strcspn(text, ":");
	const char *value = text[size] ? text + size + 1 : text + size;

	if (strncmp(text, "spiffe://", 9) == 0) {
		ret->kind = "uri";
		value = text;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !ret->kind; i++)
		if (strlen(kinds[i]) == size && memcmp(kinds[i], text, size) == 0)
			ret->kind = kinds[i];
	size = strlen(value);
	if (!ret->kind || size == 0) {
		line->wrong =
			"a name is dns:NAME, uri:URI, email:ADDRESS, ip:ADDRESS or spiffe://ID";
		return false;
	}
	ret->below =
		strcmp(ret->kind, "uri") == 0 && size > 2 && strcmp(value + size - 2, "/*") == 0;
	ret->name = arena_copy(&line->credentials->arena, value, size - ret->below);
	return true;
}

static bool read_certificate(struct line *line, char *text, struct credential *ret)
{
	static const char blanks[] = " \t";
	char *rest = NULL, *name = strtok_r(text, blanks, &rest);
	char *scopes = strtok_r(NULL, blanks, &rest), *collections = strtok_r(NULL, blanks, &rest);
	char *rate = strtok_r(NULL, blanks, &rest);

	if (!scopes || strtok_r(NULL, blanks, &rest)) {
		line->wrong = "NAME SCOPES [COLLECTIONS [RATE]] is needed";
		return false;
	}
	return read_name(line, name, ret) && read_scopes(line, scopes, ret) &&
	       (!collections || read_collections(line, collections, ret)) &&
	       (!rate || read_rate(line, rate, ret));
}

static status add(struct credentials *credentials, const struct credential *credential)
{
	if (credentials->n == credentials->capacity) {
		size_t capacity = credentials->capacity ? 2 * credentials->capacity : 16;
		struct credential *list =
			ARENA_ARRAY(&credentials->arena, struct credential, capacity);

		if (!list)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for credentials");
		if (credentials->n)
			memcpy(list, credentials->list, credentials->n * sizeof *list);
		credentials->list = list;
		credentials->capacity = capacity;
	}
	credentials->list[credentials->n++] = *credential;
	return status_ok();
}

static status read_lines(struct credentials *credentials, FILE *in, const char *file,
			 struct arena *arena,
			 bool (*read)(struct line *line, char *text, struct credential *ret))
{
	char text[LINE_BYTES_MAX];

	for (size_t number = 1; fgets(text, sizeof text, in); number++) {
		struct line line = {credentials, arena, NULL};
		struct credential credential = {0};
		size_t size = strlen(text);
		bool whole = size > 0 && (text[size - 1] == '\n' || size < sizeof text - 1);

		text[strcspn(text, "\r\n")] = 0;
		if (text[strspn(text, " \t")] == 0 || text[0] == '#')
			continue;
		if (!whole || !read(&line, text, &credential))
			return status_format(arena, STATUS_INVALID_ARGUMENT, "%s:%zu: %s", file,
					     number,
					     line.wrong ? line.wrong : "a line is too long");
		if (credentials->arena.exhausted)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for credentials");
		TRY(add(credentials, &credential));
	}
	if (ferror(in))
		return status_format(arena, STATUS_INVALID_ARGUMENT, "cannot read %s: %s", file,
				     strerror(errno));
	return status_ok();
}

static status read_file(struct credentials *credentials, const char *file, struct arena *arena,
			bool (*read)(struct line *line, char *text, struct credential *ret))
{
	FILE *in = fopen(file, "re");
	status done;

	if (!in)
		return status_format(arena, STATUS_INVALID_ARGUMENT, "cannot read %s: %s", file,
				     strerror(errno));
	done = read_lines(credentials, in, file, arena, read);
	fclose(in);
	return done;
}

status credentials_read_keys(struct credentials *credentials, const char *file, struct arena *arena)
{
	return read_file(credentials, file, arena, read_key);
}

status credentials_read_certificates(struct credentials *credentials, const char *file,
				     struct arena *arena)
{
	return read_file(credentials, file, arena, read_certificate);
}

status credential_line_check(const char *text, struct arena *arena)
{
	struct credentials memory;
	SCOPED(credentials) credentials = &memory;
	struct line line = {credentials, arena, NULL};
	struct credential credential = {0};
	char *copy = arena_copy(arena, text, strlen(text));

	credentials_init(credentials);
	if (!copy)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a line");
	if (!read_key(&line, copy, &credential))
		return status_make(STATUS_INVALID_ARGUMENT, line.wrong);
	return status_ok();
}
