/* Whatever is read from a document passes the check, and reads nothing that libyaml does not bound.
 *
 * The first byte chooses the message, and whether the rest is text or a word for each byte: random
 * bytes are hardly ever YAML.
 */
#include "service/config/document.h"
#include "service/schema/check.h"
#include "service/schema/contract.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const messages[] = {
	"sluice.config.v1.ServerConfig",
	"sluice.v1.UpsertChunksRequest",
	"sluice.v1.SearchRequest",
	"sluice.v1.CreateCollectionRequest",
};

static const char *const words[] = {
	"\n",        "\n  ",     "\n    ",    "- ",       ": ",        "{",      "}",
	"[",         "]",        ", ",        "#",        "\"",        "'",      "|",
	">",         "&a ",      "*a",        "!!str ",   "---\n",     "...\n",  "%YAML 1.1\n",
	"? ",        "<<",       "~",         "true",     "1",         "-1",     "4MiB",
	"1m30s",     "1e3",      "auto",      "unix:a",   "limits",    "listen", "gpu",
	"mode",      "drain",    "timeout",   "insecure", "calls_max", "chunks", "id",
	"metadata",  "vector",   "values",    "k",        "int_value", "limit",  "collection",
	"read_mask", "chunk_id", "dimension", "fields",   "\\0",       "\xff",   "\xc3\xa4",
};

static bool refuse(void *context, const struct violation *violation)
{
	(void)violation;
	*(bool *)context = true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct buffer owned = {0};
	SCOPED(buffer) text = &owned;
	struct document read = {0};
	SCOPED(document) document = &read;
	struct problems problems = {.arena = arena};
	const struct schema_message *message;
	bool refused = false;
	const struct check_options options = {
		.limits = &check_limits_strict, .report = refuse, .context = &refused};

	arena_init(arena, (size_t)64 << 20);
	if (size == 0)
		return 0;
	if (status_failed(contract_init(arena)))
		abort();
	message = contract_message(messages[data[0] / 2 % 4]);
	for (size_t i = 1; i < size; i++) {
		const char *word = words[data[i] % (sizeof words / sizeof *words)];

		if (data[0] % 2)
			buffer_append_u8(text, data[i]);
		else
			buffer_append(text, word, strlen(word));
	}
	if (!document_read(bytes_of(text->data, text->size), message, &problems, document))
		return problems.n ? 0 : (abort(), 0);
	if (status_failed(check_message(message,
					bytes_of(document->message.data, document->message.size),
					&options, arena)) ||
	    refused)
		abort();
	return 0;
}
