/* access - who is admitted, and files that change. */
#include "service/access/access.h"

#include "kernels/base/error_info.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECRET "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
#define OTHER "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa" /* "other" */

#define SEARCH "/sluice.v1.RetrievalService/Search"
#define UPSERT "/sluice.v1.IngestService/UpsertChunks"
#define REFLECTION "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
#define HEALTH "/grpc.health.v1.Health/Check"

static struct arena arena;
static struct scratch scratch;
static struct access *access_;
static const char *file;

static void write_file(const char *text)
{
	const char *fresh = arena_printf(&arena, "%s/fresh", scratch.path);
	FILE *out = fopen(fresh, "we");

	cr_assert_not_null(out);
	cr_assert_geq(fputs(text, out), 0);
	cr_assert_eq(fclose(out), 0);
	cr_assert_eq(rename(fresh, file), 0);
}

static void open_with(bool open_reflection)
{
	status opened = access_open(
		&(struct access_options){.keys_file = file, .open_reflection = open_reflection},
		&arena, &access_);

	cr_assert_not(status_failed(opened), "%s", opened.detail);
}

static void setup(void)
{
	arena_init(&arena, (size_t)1 << 20);
	scratch_open(&scratch);
	file = arena_printf(&arena, "%s/keys", scratch.path);
	write_file("reader:" SECRET ":read:docs*\n");
	access_ = NULL;
}

static void teardown(void)
{
	access_close(access_);
	arena_finish(&arena);
	scratch_close(&scratch);
}

TestSuite(access, .init = setup, .fini = teardown);

static status admit(const char *header, const char *path, const void **ret_grant)
{
	const struct rpc_guard *guard = access_guard(access_);
	struct rpc_caller caller = {0};

	if (header) {
		caller.authorization = bytes_of_string(header);
		caller.n_authorizations = 1;
	}
	return guard->admit(guard->context, &caller, path, &arena, ret_grant);
}

static const struct {
	const char *header, *path;
	enum status_code code;
	enum error_reason reason;
} calls[] = {
	{NULL, SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_MISSING},
	{"", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Bearer", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Bearer ", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Bearer secre", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Bearer secret ", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Basic secret", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"secret", SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Bearer " SECRET, SEARCH, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_UNKNOWN},
	{"Bearer secret", SEARCH, STATUS_OK, REASON_UNSPECIFIED},
	{"bearer secret", SEARCH, STATUS_OK, REASON_UNSPECIFIED},
	{"Bearer secret", UPSERT, STATUS_PERMISSION_DENIED, REASON_SCOPE_MISSING},
	{"Bearer secret", "/sluice.v1.AdminService/New", STATUS_PERMISSION_DENIED,
	 REASON_SCOPE_MISSING},
	{NULL, HEALTH, STATUS_OK, REASON_UNSPECIFIED},
	{"Bearer wrong", HEALTH, STATUS_OK, REASON_UNSPECIFIED},
	{NULL, REFLECTION, STATUS_UNAUTHENTICATED, REASON_CREDENTIAL_MISSING},
	{"Bearer secret", REFLECTION, STATUS_OK, REASON_UNSPECIFIED},
};

Test(access, admits_whom_the_file_names)
{
	const void *grant;

	open_with(false);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		status admitted = admit(calls[i].header, calls[i].path, &grant);

		cr_assert_eq(admitted.code, calls[i].code, "%zu: %s", i, admitted.detail);
		if (admitted.code != STATUS_OK)
			cr_assert_eq(admitted.info->reason, calls[i].reason, "%zu", i);
	}
}

Test(access, opens_reflection_where_it_is_told_to)
{
	const void *grant;

	open_with(true);
	cr_assert_eq(admit(NULL, REFLECTION, &grant).code, STATUS_OK);
	cr_assert_eq(admit(NULL, SEARCH, &grant).code, STATUS_UNAUTHENTICATED);
}

/* Every call of a key that is known counts, whatever becomes of it; others and health have no part. */
Test(access, lets_each_key_begin_so_many_calls)
{
	const void *grant;
	status refused;
	size_t n;

	write_file("reader:" SECRET ":read:docs*\nother:" OTHER ":read:*:1000000\n");
	open_with(false);
	access_set_rate(access_, (struct rate_limit){1, 3});
	for (n = 0; n < 1000 && admit("Bearer secret", SEARCH, &grant).code == STATUS_OK; n++)
		;
	/* A second may have passed, or several. */
	cr_assert(n >= 3 && n < 1000, "%zu", n);
	refused = admit("Bearer secret", UPSERT, &grant);
	cr_assert_eq(refused.code, STATUS_RESOURCE_EXHAUSTED);
	cr_assert_eq(refused.info->reason, REASON_LIMIT_REACHED);
	cr_assert(refused.info->retry_ms >= 1 && refused.info->retry_ms <= 1000);
	cr_assert_not_null(strstr(refused.detail, "1 a second, 3 at once"), "%s", refused.detail);
	cr_assert_eq(admit("Bearer secret", HEALTH, &grant).code, STATUS_OK);
	cr_assert_eq(admit("Bearer wrong", SEARCH, &grant).code, STATUS_UNAUTHENTICATED);
	for (n = 0; n < 1000 && admit("Bearer other", SEARCH, &grant).code == STATUS_OK; n++)
		;
	cr_assert_eq(n, 1000);
	access_set_rate(access_, (struct rate_limit){0, 0});
	cr_assert_eq(admit("Bearer secret", SEARCH, &grant).code, STATUS_OK);
}

Test(access, takes_no_two_headers_and_no_certificate_beside_a_wrong_key)
{
	struct rpc_caller caller = {
		.authorization = bytes_of_string("Bearer secret"),
		.n_authorizations = 2,
	};
	const struct rpc_guard *guard;
	const void *grant;

	open_with(false);
	guard = access_guard(access_);
	cr_assert_eq(guard->admit(guard->context, &caller, SEARCH, &arena, &grant).code,
		     STATUS_UNAUTHENTICATED);
}

Test(access, holds_messages_against_the_grant)
{
	const struct rpc_guard *guard;
	const void *grant;
	status examined;

	open_with(false);
	guard = access_guard(access_);
	cr_assert_eq(admit("Bearer secret", SEARCH, &grant).code, STATUS_OK);
	cr_assert_not_null(grant);
	cr_assert_eq(guard->examine(grant, SEARCH,
				    bytes_of("\x0A\x05"
					     "docs2",
					     7),
				    &arena)
			     .code,
		     STATUS_OK);
	examined = guard->examine(grant, SEARCH,
				  bytes_of("\x0A\x04"
					   "docs\x0A\x04"
					   "note",
					   12),
				  &arena);
	cr_assert_eq(examined.code, STATUS_PERMISSION_DENIED);
	cr_assert_eq(examined.info->reason, REASON_COLLECTION_NOT_ALLOWED);
	cr_assert_str_eq(examined.info->resource_name, "note");
	cr_assert(guard->allows(grant, bytes_of_string("docs")));
	cr_assert_not(guard->allows(grant, bytes_of_string("note")));
}

Test(access, reads_again_and_keeps_what_there_was_where_it_cannot)
{
	const void *grant;

	open_with(false);
	write_file("other:" OTHER ":read\n");
	cr_assert_not(status_failed(access_reload(access_, &arena)));
	cr_assert_eq(admit("Bearer secret", SEARCH, &grant).code, STATUS_UNAUTHENTICATED);
	cr_assert_eq(admit("Bearer other", SEARCH, &grant).code, STATUS_OK);
	cr_assert_null(grant);
	write_file("nonsense\n");
	cr_assert_eq(access_reload(access_, &arena).code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(admit("Bearer other", SEARCH, &grant).code, STATUS_OK);
}

Test(access, sees_a_change_by_itself)
{
	const void *grant;

	open_with(false);
	write_file("other:" OTHER ":read\n");
	for (int i = 0; i < 2000 && admit("Bearer other", SEARCH, &grant).code != STATUS_OK; i++)
		usleep(10000);
	cr_assert_eq(admit("Bearer other", SEARCH, &grant).code, STATUS_OK);
	cr_assert_eq(admit("Bearer secret", SEARCH, &grant).code, STATUS_UNAUTHENTICATED);
}

Test(access, does_not_start_with_a_file_that_is_wrong)
{
	status opened;

	write_file("nonsense\n");
	opened = access_open(&(struct access_options){.keys_file = file}, &arena, &access_);
	cr_assert_eq(opened.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(opened.detail, "keys:1: "), "%s", opened.detail);
}
