/* backup_manifest - written by printf, and read back line by line with nothing taken on trust. */
#include "index/backup_manifest.h"

#include "index/catalogue.h"
#include "index/directory.h"
#include "index/store/store.h"
#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"

#include <inttypes.h>
#include <stdio.h>

#define FIRST_WORD "sluice-snapshot"
/* A line a file, of which a collection has two a segment. */
#define MANIFEST_BYTES_MAX ((size_t)16 << 20)
#define FILES_MAX ((size_t)1 << 18)
#define LINE_MAX 160

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a snapshot's manifest");
}

/* --- writing --- */

static void put(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct buffer *out, const char *format, ...)
{
	char line[LINE_MAX];
	va_list values;

	va_start(values, format);
	vsnprintf(line, sizeof line, format, values);
	va_end(values);
	buffer_append(out, line, strlen(line));
}

static void put_all(struct buffer *out, const struct backup *backup)
{
	put(out, FIRST_WORD " %d\n", BACKUP_FORMAT);
	put(out, "version %s\n", backup->version);
	put(out, "collection %s\n", backup->collection);
	put(out, "id %s\n", backup->id);
	put(out, "incarnation ");
	for (size_t i = 0; i < sizeof backup->incarnation; i++)
		put(out, "%02x", backup->incarnation[i]);
	put(out, "\nstore-format %" PRIu32 "\n", backup->store_format);
	put(out, "created %" PRId64 "\n", backup->create_time_ns);
	put(out, "generation %" PRIu64 "\n", backup->generation);
	put(out, "chunks %" PRIu64 "\n", backup->chunks);
	for (size_t i = 0; i < backup->n_files; i++)
		put(out, "file %s %" PRIu64 " %08" PRIx32 "\n", backup->files[i].name,
		    backup->files[i].bytes, backup->files[i].checksum);
	put(out, "end %08" PRIx32 "\n", checksum_crc32c(0, bytes_of(out->data, out->size)));
}

status backup_manifest_write(const char *directory, const struct backup *backup,
			     struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/" BACKUP_MANIFEST, directory);
	SCOPED(buffer) out = &(struct buffer){0};

	put_all(out, backup);
	if (!path || out->failed)
		return no_memory();
	return directory_write_file(path, bytes_of(out->data, out->size), arena);
}

/* --- reading --- */

struct parsing {
	const char *at, *end;
	bool failed;
};

/* The characters up to the one that ends a word, which is gone past; "" fails. */
static struct bytes take_word(struct parsing *in, char end)
{
	const char *from = in->at;

	while (in->at < in->end && *in->at > ' ' && *in->at <= '~')
		in->at++;
	if (in->at == from || in->at == in->end || *in->at != end)
		in->failed = true;
	if (in->failed)
		return (struct bytes){0};
	in->at++;
	return bytes_of(from, (size_t)(in->at - 1 - from));
}

static void take_exactly(struct parsing *in, const char *word)
{
	if (!bytes_equal(take_word(in, ' '), bytes_of_string(word)))
		in->failed = true;
}

static void take_text(struct parsing *in, char end, char *ret, size_t room)
{
	struct bytes word = take_word(in, end);

	if (word.size >= room)
		in->failed = true;
	if (in->failed)
		return;
	memcpy(ret, word.data, word.size);
	ret[word.size] = '\0';
}

static unsigned digit_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10U : 16;
}

static uint64_t number_of(struct parsing *in, struct bytes word, unsigned base, uint64_t max)
{
	uint64_t number = 0;

	for (size_t i = 0; i < word.size && !in->failed; i++) {
		unsigned digit = digit_of(word.data[i]);

		if (digit >= base || number > (max - digit) / base)
			in->failed = true;
		else
			number = number * base + digit;
	}
	return in->failed ? 0 : number;
}

static uint64_t take_number(struct parsing *in, char end, uint64_t max)
{
	return number_of(in, take_word(in, end), 10, max);
}

static uint32_t take_checksum(struct parsing *in)
{
	struct bytes word = take_word(in, '\n');

	if (word.size != 8)
		in->failed = true;
	return (uint32_t)number_of(in, word, 16, UINT32_MAX);
}

static void take_incarnation(struct parsing *in, uint8_t ret[16])
{
	struct bytes word = take_word(in, '\n');

	if (word.size != 32)
		in->failed = true;
	for (size_t i = 0; i < 16 && !in->failed; i++)
		ret[i] = (uint8_t)number_of(in, bytes_of(word.data + 2 * i, 2), 16, 255);
}

/* No other name is ever put behind a directory's. */
static bool file_name_is_valid(const char *name)
{
	size_t digits = strspn(name, "0123456789abcdef");

	if (strcmp(name, "data.mdb") == 0 || strcmp(name, "token.key") == 0)
		return true;
	return digits == 16 &&
	       (strcmp(name + 16, ".segment") == 0 || strcmp(name + 16, ".ann") == 0);
}

static bool next_is_file(const struct parsing *in)
{
	return in->end - in->at > 5 && memcmp(in->at, "file ", 5) == 0;
}

static void take_file(struct parsing *in, struct backup_file *ret)
{
	take_exactly(in, "file");
	take_text(in, ' ', ret->name, sizeof ret->name);
	ret->bytes = take_number(in, ' ', INT64_MAX);
	ret->checksum = take_checksum(in);
	if (!file_name_is_valid(ret->name))
		in->failed = true;
}

static void take_head(struct parsing *in, struct backup *ret)
{
	take_exactly(in, "version");
	take_text(in, '\n', ret->version, sizeof ret->version);
	take_exactly(in, "collection");
	take_text(in, '\n', ret->collection, sizeof ret->collection);
	take_exactly(in, "id");
	take_text(in, '\n', ret->id, sizeof ret->id);
	take_exactly(in, "incarnation");
	take_incarnation(in, ret->incarnation);
	take_exactly(in, "store-format");
	ret->store_format = (uint32_t)take_number(in, '\n', UINT32_MAX);
	take_exactly(in, "created");
	ret->create_time_ns = (int64_t)take_number(in, '\n', INT64_MAX);
	take_exactly(in, "generation");
	ret->generation = take_number(in, '\n', UINT64_MAX);
	take_exactly(in, "chunks");
	ret->chunks = take_number(in, '\n', UINT64_MAX);
	if (!catalogue_name_valid(bytes_of_string(ret->collection)))
		in->failed = true;
}

/* At least as many as will be read, the one where it breaks off among them. */
static size_t count_files(const struct parsing *in)
{
	size_t n = 1;

	for (const char *at = in->at; at < in->end && n <= FILES_MAX; at++)
		n += *at == '\n';
	return n;
}

/* Written in order of name, so that none comes twice. */
static status take_files(struct parsing *in, struct arena *arena, struct backup *ret)
{
	size_t n_max = count_files(in);

	ret->files = ARENA_ARRAY(arena, struct backup_file, n_max);
	if (!ret->files)
		return no_memory();
	while (!in->failed && ret->n_files < n_max && next_is_file(in)) {
		struct backup_file *file = &ret->files[ret->n_files];

		take_file(in, file);
		if (ret->n_files > 0 && strcmp(file[-1].name, file->name) >= 0)
			in->failed = true;
		if (ret->bytes > (uint64_t)INT64_MAX - file->bytes)
			in->failed = true;
		ret->bytes += file->bytes;
		ret->n_files++;
	}
	return status_ok();
}

static status damaged(const char *path, struct arena *arena, const char *how)
{
	return status_as(status_format(arena, STATUS_DATA_LOSS, "%s: %s", path, how),
			 REASON_DATA_CORRUPT);
}

static status check_format(const char *path, struct arena *arena, uint32_t found, uint32_t known,
			   const char *what)
{
	if (found <= known)
		return status_ok();
	return status_format(arena, STATUS_FAILED_PRECONDITION,
			     "%s: %s has version %" PRIu32
			     ", and this program reads those up to %" PRIu32
			     ": it takes a newer program",
			     path, what, found, known);
}

status backup_manifest_parse(struct bytes text, const char *path, struct arena *arena,
			     struct backup *ret)
{
	struct parsing parsing = {(const char *)text.data, (const char *)text.data + text.size,
				  false};
	struct parsing *in = &parsing;
	struct backup backup = {0};
	uint32_t checksum;

	take_exactly(in, FIRST_WORD);
	backup.format = (uint32_t)take_number(in, '\n', UINT32_MAX);
	if (in->failed || backup.format == 0)
		return damaged(path, arena, "it is no manifest of a snapshot");
	TRY(check_format(path, arena, backup.format, BACKUP_FORMAT, "the snapshot's format"));
	take_head(in, &backup);
	if (!in->failed)
		TRY(take_files(in, arena, &backup));
	checksum =
		checksum_crc32c(0, bytes_of(text.data, (size_t)(in->at - (const char *)text.data)));
	take_exactly(in, "end");
	if (take_checksum(in) != checksum || in->failed || in->at != in->end)
		return damaged(path, arena, "it is damaged or cut off");
	TRY(check_format(path, arena, backup.store_format, STORE_FORMAT,
			 "the collection's format"));
	*ret = backup;
	return status_ok();
}

const char *backup_file_judge(const struct backup_file *wanted, const struct backup_file *found)
{
	if (found->bytes != wanted->bytes)
		return found->bytes < wanted->bytes ? "the file is cut off"
						    : "the file is longer than it was";
	return found->checksum != wanted->checksum ? "the file is damaged: its checksum is another"
						   : NULL;
}

static status read_all(const char *path, struct arena *arena, struct buffer *ret)
{
	size_t size = 0;
	void *room;

	for (size_t asked = (size_t)64 << 10; asked <= MANIFEST_BYTES_MAX; asked *= 4) {
		ret->size = 0;
		room = buffer_reserve(ret, asked);
		if (!room)
			return no_memory();
		TRY(directory_read_file(path, room, asked, &size, arena));
		if (size < asked) {
			ret->size = size;
			return status_ok();
		}
	}
	return damaged(path, arena, "it is too long for a manifest");
}

status backup_manifest_read(const char *directory, struct arena *arena, struct backup *ret)
{
	const char *path = arena_printf(arena, "%s/" BACKUP_MANIFEST, directory);
	SCOPED(buffer) text = &(struct buffer){0};

	if (!path)
		return no_memory();
	TRY(read_all(path, arena, text));
	return backup_manifest_parse(bytes_of(text->data, text->size), path, arena, ret);
}
