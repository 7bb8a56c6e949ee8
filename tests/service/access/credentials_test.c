/* credentials - digests, lines, and what they grant. */
#include "service/access/credentials.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;
static struct credentials credentials;
static struct scratch scratch;

static void setup(void)
{
	arena_init(&arena, (size_t)1 << 20);
	credentials_init(&credentials);
	scratch_open(&scratch);
}

static void teardown(void)
{
	credentials_finish(&credentials);
	arena_finish(&arena);
	scratch_close(&scratch);
}

TestSuite(credentials, .init = setup, .fini = teardown);

/* --- the digest --- */

/* Of FIPS 180-4's examples, and lengths around a block's end. */
static const struct {
	const char *text;
	size_t times;
	const char *digest;
} digests[] = {
	{"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
	{"a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
	{"a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
	{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static const char *hex_of(struct bytes message)
{
	uint8_t digest[SHA256_BYTES];
	char *text = arena_calloc(&arena, 2 * SHA256_BYTES + 1, 1);

	sha256(message, digest);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

Test(credentials, digests_as_the_standard_says)
{
	for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
		struct buffer memory = {0};
		SCOPED(buffer) text = &memory;

		for (size_t j = 0; j < digests[i].times; j++)
			buffer_append(text, digests[i].text, strlen(digests[i].text));
		cr_assert_str_eq(hex_of(bytes_of(text->data, text->size)), digests[i].digest,
				 "%zu of \"%s\"", digests[i].times, digests[i].text);
	}
}

/* --- the files --- */

static const char *file_of(const char *text)
{
	const char *path = arena_printf(&arena, "%s/file", scratch.path);
	FILE *out = fopen(path, "we");

	cr_assert_not_null(out);
	cr_assert_geq(fputs(text, out), 0);
	cr_assert_eq(fclose(out), 0);
	return path;
}

static status read_keys(const char *text)
{
	return credentials_read_keys(&credentials, file_of(text), &arena);
}

#define DIGEST "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" /* "secret" */

static const struct {
	const char *text, *says;
} bad_keys[] = {
	{"nonsense\n", ":1: NAME:SHA256HEX"},
	{"# fine\n\nreader:" DIGEST "\n", ":3: NAME:SHA256HEX"},
	{":" DIGEST ":read\n", ":1: a name is"},
	{"a b:" DIGEST ":read\n", ":1: a name is"},
	{"reader:abc:read\n", ":1: a SHA-256 is"},
	{"reader:g" DIGEST ":read\n", ":1: a SHA-256 is"},
	{"reader:" DIGEST ":\n", ":1: \"\" is no scope"},
	{"reader:" DIGEST ":read,all\n", ":1: \"all\" is no scope"},
	{"reader:" DIGEST ":read:\n", ":1: \"\" is no name of a collection"},
	{"reader:" DIGEST ":read:do*cs\n", ":1: \"do*cs\" is no name"},
	{"reader:" DIGEST ":read:1docs\n", ":1: \"1docs\" is no name"},
	{"reader:" DIGEST ":read:docs,\n", ":1: \"\" is no name"},
	{"reader:" DIGEST ":read:*:\n", ":1: \"\" is no rate"},
	{"reader:" DIGEST ":read:*:fast\n", ":1: \"fast\" is no rate"},
	{"reader:" DIGEST ":read:*:5:5\n", ":1: \"5:5\" is no rate"},
	{"reader:" DIGEST ":read::5\n", ":1: \"\" is no name of a collection"},
};

Test(credentials, say_which_line_of_the_keys_is_wrong)
{
	for (size_t i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++) {
		status done = read_keys(bad_keys[i].text);

		cr_assert_eq(done.code, STATUS_INVALID_ARGUMENT, "%s", bad_keys[i].text);
		cr_assert_not_null(strstr(done.detail, bad_keys[i].says), "%s: %s",
				   bad_keys[i].text, done.detail);
		cr_assert_null(strstr(done.detail, DIGEST));
	}
	cr_assert_eq(credentials_read_keys(&credentials, "/nowhere", &arena).code,
		     STATUS_INVALID_ARGUMENT);
}

static const char *const bad_names[] = {
	"dns:a read b 5 5\n", "dns:a read b c\n", "dns:a\n",    "dns: read\n",
	"a.example read\n",   "cn:a read\n",      "dns:a no\n",
};

Test(credentials, say_which_line_of_the_certificates_is_wrong)
{
	for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
		status done =
			credentials_read_certificates(&credentials, file_of(bad_names[i]), &arena);

		cr_assert_eq(done.code, STATUS_INVALID_ARGUMENT, "%s", bad_names[i]);
		cr_assert_not_null(strstr(done.detail, "file:1: "), "%s", done.detail);
	}
}

/* --- what they grant --- */

static struct grant grant_of(const char *key, enum scope scope)
{
	struct grant grant;

	cr_assert_not(status_failed(
		credentials_of_key(&credentials, bytes_of_string(key), scope, &arena, &grant)));
	return grant;
}

Test(credentials, grant_what_the_lines_of_a_key_say)
{
	struct grant grant;

	cr_assert_not(status_failed(read_keys("# keys\n"
					      "reader:" DIGEST ":read:docs,web-*\r\n"
					      "writer:" DIGEST ":write,read:notes\n"
					      "\n"
					      "root:" DIGEST ":admin")));
	cr_assert_eq(credentials.n, 3);
	cr_assert_not(grant_of("Secret", SCOPE_READ).known);
	cr_assert_not(grant_of("", SCOPE_READ).known);
	grant = grant_of("secret", SCOPE_READ);
	cr_assert(grant.known && grant.scoped && !grant.everything);
	cr_assert_eq(grant.n, 3);
	grant = grant_of("secret", SCOPE_WRITE);
	cr_assert(grant_allows(&grant, bytes_of_string("notes")));
	cr_assert_not(grant_allows(&grant, bytes_of_string("docs")));
	cr_assert(grant_of("secret", SCOPE_ADMIN).everything);
}

Test(credentials, have_the_highest_rate_of_the_lines_of_a_key)
{
	struct grant grant;

	cr_assert_not(status_failed(read_keys("a:" DIGEST ":read:docs\n")));
	cr_assert_not(grant_of("secret", SCOPE_READ).rated);
	cr_assert_not(status_failed(read_keys("b:" DIGEST ":read:docs:5/50\n"
					      "c:" DIGEST ":write:notes:9\n")));
	grant = grant_of("secret", SCOPE_READ);
	cr_assert(grant.rated);
	cr_assert_eq(grant.rate.per_second, 9);
	cr_assert_eq(grant.rate.burst, 0);
	cr_assert_not(status_failed(read_keys("d:" DIGEST ":read:*:0\n")));
	grant = grant_of("secret", SCOPE_READ);
	cr_assert(grant.rated);
	cr_assert_eq(grant.rate.per_second, 0);
}

static const struct {
	const char *collection;
	bool allowed;
} collections[] = {
	{"docs", true}, {"docs2", false},  {"doc", false}, {"web-", true},    {"web-a", true},
	{"web", false}, {"xweb-a", false}, {"", false},    {"docs\n", false},
};

Test(credentials, cover_names_and_what_names_begin_with)
{
	struct grant grant;

	cr_assert_not(status_failed(read_keys("reader:" DIGEST ":read:docs,web-*\n")));
	grant = grant_of("secret", SCOPE_READ);
	for (size_t i = 0; i < sizeof collections / sizeof *collections; i++)
		cr_assert_eq(grant_allows(&grant, bytes_of_string(collections[i].collection)),
			     collections[i].allowed, "%s", collections[i].collection);
}

static const struct {
	const char *kind, *name;
	bool known;
} names[] = {
	{"dns", "app.example", true},
	{"dns", "app.example.evil", false},
	{"dns", "pp.example", false},
	{"email", "app.example", false},
	{"uri", "spiffe://example.org/ns/prod/reader", true},
	{"uri", "spiffe://example.org/ns/prod/", false},
	{"uri", "spiffe://example.org/ns/production", false},
	{"dns", "spiffe://example.org/ns/prod/reader", false},
	{"uri", "https://one.example/a", true},
	{"uri", "https://one.example/ab", false},
	{"ip", "192.0.2.7", true},
};

Test(credentials, know_certificates_by_kind_and_name)
{
	const char *file = file_of("dns:app.example read\n"
				   "spiffe://example.org/ns/prod/* read,write docs\n"
				   "uri:https://one.example/a\tread\n"
				   "ip:192.0.2.7 read\n");

	cr_assert_not(status_failed(credentials_read_certificates(&credentials, file, &arena)));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct rpc_caller caller = {
			.names = {{"dns", bytes_of_string("other")},
				  {names[i].kind, bytes_of_string(names[i].name)}},
			.n_names = 2,
		};
		struct grant grant;

		cr_assert_not(status_failed(
			credentials_of_names(&credentials, &caller, SCOPE_READ, &arena, &grant)));
		cr_assert_eq(grant.known, names[i].known, "%s:%s", names[i].kind, names[i].name);
	}
}

/* --- the methods --- */

static bool visit(void *context, struct bytes collection)
{
	char *all = context;

	strncat(all, (const char *)collection.data, collection.size);
	strcat(all, ";");
	return true;
}

static const struct {
	const char *path, *message;
	size_t size;
	const char *found;
} requests[] = {
	{"/sluice.v1.RetrievalService/Search",
	 "\x0A\x04"
	 "docs",
	 6, "docs;"},
	{"/sluice.v1.RetrievalService/Search",
	 "\x0A\x01"
	 "a\x28\x05\x0A\x01"
	 "b",
	 8, "a;b;"},
	{"/sluice.v1.RetrievalService/Search", "\x28\x05", 2, ""},
	{"/sluice.v1.RetrievalService/Iterate",
	 "\x0A\x06\x0A\x04"
	 "docs",
	 8, "docs;"},
	{"/sluice.v1.RetrievalService/Iterate", "\x12\x02\x08\x05", 4, ""},
	{"/sluice.v1.RetrievalService/Iterate",
	 "\x0A\x03\x0A\x01"
	 "a\x0A\x03\x0A\x01"
	 "b",
	 10, "a;b;"},
	{"/sluice.v1.CollectionService/CreateCollection",
	 "\x0A\x03\x0A\x01"
	 "a",
	 5, "a;"},
	{"/sluice.v1.RetrievalService/Search",
	 "\x0A\x7F"
	 "docs",
	 6, ""},
	{"/sluice.v1.AdminService/GetServerInfo",
	 "\x0A\x01"
	 "a",
	 3, ""},
};

Test(credentials, find_every_collection_that_a_request_names)
{
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		char all[64] = "";

		cr_assert(access_collections(access_method(requests[i].path),
					     bytes_of(requests[i].message, requests[i].size), visit,
					     all));
		cr_assert_str_eq(all, requests[i].found, "%zu", i);
	}
}

Test(credentials, need_admin_for_a_method_that_nobody_knows)
{
	cr_assert_eq(access_method("/sluice.v1.AdminService/New")->scope, SCOPE_ADMIN);
	cr_assert_not(access_method("/sluice.v1.AdminService/New")->open);
	cr_assert_not(access_method_is_known("/sluice.v1.AdminService/New"));
}
