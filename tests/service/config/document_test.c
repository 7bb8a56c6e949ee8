/* document - YAML to messages: what is read, and every kind of mistake with its place. */
#include "service/config/document.h"

#include "service/schema/contract.h"
#include "sluice/config/v1/server_config.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, (size_t)64 << 20);
	cr_assert_not(status_failed(contract_init(&arena)));
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(document, .init = setup, .fini = teardown);

static bool read_bytes(struct bytes text, const char *message, struct problems *problems,
		       struct document *document)
{
	*problems = (struct problems){.arena = &arena};
	return document_read(text, contract_message(message), problems, document);
}

static bool read_text(const char *text, const char *message, struct problems *problems,
		      struct document *document)
{
	return read_bytes(bytes_of_string(text), message, problems, document);
}

/* --- what is read --- */

static void *unpack(const struct document *document, const ProtobufCMessageDescriptor *descriptor)
{
	void *message = protobuf_c_message_unpack(descriptor, NULL, document->message.size,
						  document->message.data);

	cr_assert_not_null(message);
	return message;
}

Test(document, reads_a_configuration)
{
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;
	Sluice__Config__V1__ServerConfig *config;

	cr_assert(read_text("# a comment\n"
			    "data_directory: /var/lib/sluice\n"
			    "listen:\n"
			    "  - 127.0.0.1:0\n"
			    "  - \"unix:/run/sluice.sock\"\n"
			    "insecure: true\n"
			    "limits: {message_bytes_max: 8MiB, calls_max: 1_000,\n"
			    "         stalled_write_timeout: 1m30s}\n"
			    "gpu:\n"
			    "  mode: off\n"
			    "threads:\n",
			    "sluice.config.v1.ServerConfig", &problems, document));
	config = unpack(document, &sluice__config__v1__server_config__descriptor);
	cr_assert_str_eq(config->data_directory, "/var/lib/sluice");
	cr_assert_eq(config->n_listen, 2);
	cr_assert_str_eq(config->listen[1], "unix:/run/sluice.sock");
	cr_assert(config->insecure);
	cr_assert_eq(config->limits->message_bytes_max, 8 << 20);
	cr_assert_eq(config->limits->calls_max, 1000);
	cr_assert_eq(config->limits->stalled_write_timeout->seconds, 90);
	cr_assert_eq(config->gpu->mode, SLUICE__CONFIG__V1__GPU_MODE__GPU_MODE_OFF);
	cr_assert_null(config->threads);
	protobuf_c_message_free_unpacked(&config->base, NULL);
}

/* Lists of messages, maps, oneofs, floats: what a configuration has none of. */
Test(document, reads_any_message)
{
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;
	Sluice__V1__UpsertChunksRequest *request;
	Sluice__V1__Chunk *chunk;

	cr_assert(read_text("collection: docs\n"
			    "sequence: 7\n"
			    "chunks:\n"
			    "- id: a\n"
			    "  ordinal: 3\n"
			    "  metadata:\n"
			    "    lang: {string_value: de}\n"
			    "    \"n_2\": {int_value: -5}\n"
			    "    share: {double_value: 2.5e-1}\n"
			    "  vector: {values: [1, -0.5, 2e3]}\n"
			    "- {id: b, text: 'null', vector: {values: [0, 0, 1]}}\n",
			    "sluice.v1.UpsertChunksRequest", &problems, document),
		  "%s", problems.n ? problems.list[0].sentence : "");
	request = unpack(document, &sluice__v1__upsert_chunks_request__descriptor);
	cr_assert_eq(request->sequence, 7);
	cr_assert_eq(request->n_chunks, 2);
	chunk = request->chunks[0];
	cr_assert_eq(chunk->ordinal, 3);
	cr_assert_eq(chunk->n_metadata, 3);
	cr_assert_str_eq(chunk->metadata[0]->key, "lang");
	cr_assert_str_eq(chunk->metadata[0]->value->string_value, "de");
	cr_assert_str_eq(chunk->metadata[1]->key, "n_2");
	cr_assert_eq(chunk->metadata[1]->value->int_value, -5);
	cr_assert_float_eq(chunk->metadata[2]->value->double_value, 0.25, 0);
	cr_assert_eq(chunk->vector->n_values, 3);
	cr_assert_float_eq(chunk->vector->values[2], 2000, 0);
	cr_assert_str_eq(request->chunks[1]->text, "null");
	protobuf_c_message_free_unpacked(&request->base, NULL);
}

static const char *const good[] = {
	"",
	"# nothing\n",
	"---\n",
	"~",
	"{}",
	"%YAML 1.1\n---\ninsecure: false\n...\n",
	"\xEF\xBB\xBFinsecure: true",
	"limits:\n",
	"limits: {}\nlisten: []\n",
	"listen: null\n",
	"data_directory: 12\n",
	"data_directory: \"null\"\n",
	"data_directory: >\n  /a/b\n",
	"gpu: {mode: GPU_MODE_AUTO}",
	"gpu: {mode: \"auto\"}",
	"drain: {timeout: 0s}",
	"drain: {timeout: 24h}",
	"listen: [\"[::1]:7700\", 10.0.0.1:65535, host-1.example.org:1, unix:s]",
};

Test(document, takes_every_form_of_what_is_right)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct problems problems;
		struct document read = {0};
		SCOPED(document) document = &read;

		cr_assert(read_text(good[i], "sluice.config.v1.ServerConfig", &problems, document),
			  "%s: %s", good[i], problems.n ? problems.list[0].sentence : "");
	}
}

Test(document, takes_no_text_at_all)
{
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;

	cr_assert(read_bytes((struct bytes){0}, "sluice.config.v1.ServerConfig", &problems,
			     document));
	cr_assert_eq(read.message.size, 0);
}

/* --- what is refused --- */

#define CONFIG "sluice.config.v1.ServerConfig"
#define UPSERT "sluice.v1.UpsertChunksRequest"

static const struct {
	const char *message, *text;
	uint32_t line, column;
	const char *path, *rule, *says;
} bad[] = {
	/* keys */
	{CONFIG, "limits:\n  mesage_bytes_max: 1MiB\n", 2, 3, "limits", "yaml.unknown_key",
	 "\"mesage_bytes_max\" is no key here; did you mean \"message_bytes_max\"?"},
	{CONFIG, "nonsense_of_all_kinds: 1\n", 1, 1, "", "yaml.unknown_key",
	 "\"nonsense_of_all_kinds\" is no key here"},
	{CONFIG, "a\\0b: 1\n\"in\\0\": {a: [b]}\n", 1, 1, "", "yaml.unknown_key", "no key"},
	{CONFIG, "insecure: true\ninsecure: false\n", 2, 1, "insecure", "yaml.doubled_key",
	 "comes twice, first in line 1"},
	{CONFIG, "[a]: 1\n", 1, 1, "", "yaml.type", "a key must be a name"},
	{CONFIG, "<<: {insecure: true}\n", 1, 1, "", "yaml.unknown_key", "\"<<\""},
	{UPSERT,
	 "collection: docs\nchunks:\n- id: a\n  metadata:\n    k: {int_value: 1}\n    k: "
	 "{int_value: 1}\n",
	 6, 5, "chunks[0].metadata[\"k\"]", "yaml.doubled_key", "comes twice"},
	{UPSERT,
	 "collection: docs\nchunks:\n- id: a\n  metadata:\n    k: {int_value: 1, bool_value: "
	 "true}\n",
	 5, 23, "chunks[0].metadata[\"k\"].bool_value", "yaml.oneof", "excludes \"int_value\""},
	/* shapes */
	{CONFIG, "- a\n", 1, 1, "", "yaml.type", "must be keys with values, found a list"},
	{CONFIG, "text\n", 1, 1, "", "yaml.type", "must be keys with values, found \"text\""},
	{CONFIG, "limits: 5\n", 1, 9, "limits", "yaml.type", "must be keys with values"},
	{CONFIG, "limits: [a]\n", 1, 9, "limits", "yaml.type", "found a list"},
	{CONFIG, "listen: unix:a\n", 1, 9, "listen", "yaml.type", "must be a list"},
	{CONFIG, "listen: {a: b}\n", 1, 9, "listen", "yaml.type", "found keys with values"},
	{CONFIG, "listen: [unix:a, [unix:b]]\n", 1, 18, "listen[1]", "yaml.type",
	 "must be a single value, found a list"},
	{CONFIG, "insecure: {a: b}\n", 1, 11, "insecure", "yaml.type", "must be a single value"},
	/* values */
	{CONFIG, "insecure: yes\n", 1, 11, "insecure", "yaml.type", "must be true or false"},
	{CONFIG, "insecure: \"true\"\n", 1, 11, "insecure", "yaml.type", "found the string"},
	{CONFIG, "insecure:\n", 1, 10, "insecure", "yaml.type", "nothing is there"},
	{CONFIG, "data_directory: ~\n", 1, 17, "data_directory", "yaml.type", "a string"},
	{CONFIG, "limits: {calls_max: many}\n", 1, 21, "limits.calls_max", "yaml.type",
	 "must be a whole number, found \"many\""},
	{CONFIG, "limits: {calls_max: 4KiB}\n", 1, 21, "limits.calls_max", "yaml.type",
	 "must be a whole number"},
	{CONFIG, "limits: {message_bytes_max: 4Mib}\n", 1, 29, "limits.message_bytes_max",
	 "yaml.type", "such as 4194304, 64KiB or 4MiB"},
	{CONFIG, "gpu: {mode: fast}\n", 1, 13, "gpu.mode", "yaml.enum",
	 "must be auto, off, required or software, found \"fast\""},
	{CONFIG, "gpu: {mode: GPU_MODE_UNSPECIFIED}\n", 1, 13, "gpu.mode", "yaml.enum", "must be"},
	{CONFIG, "drain:\n  timeout: 20\n", 2, 12, "drain.timeout", "yaml.duration",
	 "a duration with units"},
	{UPSERT, "collection: docs\nchunks: [{id: a, vector: {values: [1, x]}}]\n", 2, 39,
	 "chunks[0].vector.values[1]", "yaml.type", "must be a number, found \"x\""},
	/* rules of the .proto */
	{CONFIG, "data_directory: \"\"\n", 1, 17, "data_directory", "string.min_len", "at least 1"},
	{CONFIG, "data_directory: \"a\\0b\"\n", 1, 17, "data_directory", "wire.nul", ""},
	{CONFIG, "limits:\n  # none\n  calls_max: 0\n", 3, 14, "limits.calls_max", "uint64.gte_lte",
	 "at least 1 and at most 1000000"},
	{CONFIG, "limits:\n  message_bytes_max: 1TiB\n", 2, 22, "limits.message_bytes_max",
	 "uint64.gte_lte", "1099511627776"},
	{CONFIG, "drain: {timeout: 24h1ms}\n", 1, 18, "drain.timeout", "duration.gte_lte",
	 "86400s"},
	{CONFIG, "listen: [unix:a, nonsense]\n", 1, 18, "listen[1]", "string.pattern", ""},
	{CONFIG, "listen: [127.0.0.1:65536]\n", 1, 10, "listen[0]", "string.pattern", ""},
	{CONFIG, "listen: [unix:a, unix:a]\n", 1, 9, "listen", "repeated.unique", ""},
	{UPSERT, "collection: Docs\nchunks:\n- {id: a}\n", 1, 13, "collection", "string.pattern",
	 ""},
	{UPSERT, "collection: docs\nchunks:\n- {id: \"\"}\n", 3, 8, "chunks[0].id",
	 "string.min_len", ""},
	/* YAML */
	{CONFIG, "listen: [unix:a\n", 2, 1, "", "yaml.syntax", "not YAML"},
	{CONFIG, "limits:\n\tcalls_max: 1\n", 2, 1, "", "yaml.syntax", "not YAML"},
	{CONFIG, "data_directory: a: b\n", 1, 18, "", "yaml.syntax", "not YAML"},
	{CONFIG, "# \xc3\xa4\nab\xff: 1\n", 2, 3, "", "yaml.syntax", "not YAML"},
	{CONFIG, "data_directory: &here /a\n", 1, 17, "", "yaml.anchor", "anchors"},
	{CONFIG, "data_directory: *here\n", 1, 17, "", "yaml.anchor", "aliases"},
	{CONFIG, "data_directory: !!str /a\n", 1, 17, "", "yaml.tag", "tags"},
	{CONFIG, "limits: !x {}\n", 1, 9, "", "yaml.tag", "tags"},
	{CONFIG, "listen: &l []\n", 1, 9, "", "yaml.anchor", "anchors"},
	{CONFIG, "%TAG ! tag:example.org,2000:\n---\n{}\n", 1, 1, "", "yaml.tag", "directives"},
	{CONFIG, "insecure: true\n---\ninsecure: true\n", 2, 1, "", "yaml.documents", "second"},
};

Test(document, tells_of_each_mistake_where_it_is)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct problems problems;
		struct document read = {0};
		SCOPED(document) document = &read;
		const struct problem *problem;

		cr_assert_not(read_text(bad[i].text, bad[i].message, &problems, document), "%s",
			      bad[i].text);
		cr_assert_geq(problems.n, 1);
		problem = &problems.list[0];
		cr_expect(problem->place.line == bad[i].line &&
				  problem->place.column == bad[i].column,
			  "%s: %u:%u %s", bad[i].text, problem->place.line, problem->place.column,
			  problem->sentence);
		cr_expect_str_eq(problem->path, bad[i].path, "%s: %s", bad[i].text, problem->path);
		cr_expect_str_eq(problem->rule, bad[i].rule, "%s: %s, %s", bad[i].text,
				 problem->rule, problem->sentence);
		cr_expect(strstr(problem->sentence, bad[i].says) != NULL, "%s: %s", bad[i].text,
			  problem->sentence);
	}
}

Test(document, tells_of_all_mistakes_in_order)
{
	static const char text[] = "nonsense: {a: [b, {c: d}]}\n"
				   "limits:\n"
				   "  calls_max: 0\n"
				   "  calls_max: 1\n"
				   "  cursors_max: x\n"
				   "gpu: {mode: fast}\n"
				   "listen: [a, b]\n";
	static const uint32_t lines[] = {1, 3, 4, 5, 6, 7, 7};
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;

	cr_assert_not(read_text(text, CONFIG, &problems, document));
	cr_assert_eq(problems.n, sizeof lines / sizeof *lines);
	for (size_t i = 0; i < problems.n; i++)
		cr_assert_eq(problems.list[i].place.line, lines[i], "%zu: %s", i,
			     problems.list[i].sentence);
}

/* What is required and missing stands where it would have to be. */
Test(document, gives_what_is_missing_the_place_of_what_it_is_missing_in)
{
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;

	cr_assert_not(read_text("# here\n\nchunks:\n- {id: a}\n", UPSERT, &problems, document));
	cr_assert_eq(problems.n, 1);
	cr_assert_str_eq(problems.list[0].path, "collection");
	cr_assert_eq(problems.list[0].place.line, 1);
}

/* --- bounds --- */

static const char *repeat(const char *head, const char *piece, size_t n)
{
	struct buffer owned = {0};
	SCOPED(buffer) text = &owned;

	buffer_append(text, head, strlen(head));
	for (size_t i = 0; i < n; i++)
		buffer_append(text, piece, strlen(piece));
	return arena_copy(&arena, text->data, text->size);
}

Test(document, refuses_what_is_too_much)
{
	const struct {
		const char *text, *says;
	} cases[] = {
		{repeat("", "# 789012345678901234567890123456\n", 40000), "above 1 MiB"},
		{repeat("listen: [", "unix:a, ", 10001), "more than 10,000 values"},
		{repeat("nonsense: ", "[", 20000), "more than 10,000 values"},
		{repeat("nonsense: ", "{a: ", 20000), "more than 10,000 values"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct problems problems;
		struct document read = {0};
		SCOPED(document) document = &read;
		bool told = false;

		cr_assert_not(read_text(cases[i].text, CONFIG, &problems, document));
		for (size_t j = 0; j < problems.n; j++)
			told |= strstr(problems.list[j].sentence, cases[i].says) != NULL;
		cr_assert(told, "%zu: %s", i, problems.list[problems.n - 1].sentence);
	}
}

/* A descriptor holds descriptors, so that a document can be as deep as it likes. */
Test(document, refuses_what_is_too_deep)
{
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;

	cr_assert_not(read_text(repeat("", "{nested_type: [", 100),
				"google.protobuf.DescriptorProto", &problems, document));
	cr_assert_eq(problems.n, 1);
	cr_assert_not_null(strstr(problems.list[0].sentence, "deeper than 32 levels"));
}

Test(document, counts_the_mistakes_that_it_does_not_list)
{
	struct problems problems;
	struct document read = {0};
	SCOPED(document) document = &read;

	cr_assert_not(read_text(repeat("", "nonsense: 1\n", 1500), CONFIG, &problems, document));
	cr_assert_eq(problems.n, PROBLEMS_MAX);
	cr_assert_eq(problems.n_dropped, 500);
}
