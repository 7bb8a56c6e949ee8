/* access - who gets in: every method there is, without a credential, with a wrong one, with each scope;
 * credentials for some collections; files that change under a running server.
 */
#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "service/access/methods.h"
#include "tests/e2e/command.h"
#include "tests/e2e/details.h"
#include "tests/e2e/iterating.h"
#include "tests/e2e/key_line.h"
#include "tests/e2e/served.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(access, .init = world_open, .fini = world_close, .timeout = 120);

typedef Grpc__Reflection__V1__ServerReflectionRequest question;
typedef Grpc__Reflection__V1__ServerReflectionResponse reply;

#define QUESTION(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define HEALTH "/grpc.health.v1.Health/"

static const struct method reflection = {
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	&grpc__reflection__v1__server_reflection_response__descriptor};

/* --- keys --- */

static const char *keys_path(void)
{
	return text_of("%s/keys", world.scratch.path);
}

/* The world's server again, with these keys. */
static void restart_with(const char *keys, const char *more)
{
	file_write(keys_path(), keys);
	world_restart_with(&(struct server_options){0},
			   text_of("access: {api_keys_file: %s%s}\n", keys_path(), more));
}

/* From here on the world's session shows it. key  NULL: none. */
static void show(const char *key)
{
	char header[128];
	struct grpc_client_options options = {.authorization = key ? header : NULL};

	snprintf(header, sizeof header, "Bearer %s", key ? key : "");
	session_close(&world.session);
	session_open_with(&world.session, world.server.address, &options);
}

static const char *one_key_a_scope(void)
{
	return text_of("%s%s%s%s", key_line("reader", "read"), key_line("writer", "write"),
		       key_line("chief", "admin"), key_line("all", "read,write,admin"));
}

/* --- every method --- */

#define METHODS_MAX 64

struct listed {
	char paths[METHODS_MAX][128];
	size_t n;
};

static const reply *ask(int what, const char *text)
{
	question q = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	SCOPED(grpc_stream) stream = session_stream(&world.session, &reflection, NULL);
	const reply *r;

	q.message_request_case =
		(Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)what;
	q.list_services = text_of("%s", text); /* one union of strings */
	cr_assert(stream_send(stream, &q.base));
	r = session_next(&world.session, &reflection, stream, NULL);
	cr_assert_not_null(r);
	return r;
}

static void add_methods(const char *name, const ProtobufCBinaryData *encoded, struct listed *ret)
{
	Google__Protobuf__FileDescriptorProto *file =
		google__protobuf__file_descriptor_proto__unpack(NULL, encoded->len, encoded->data);

	cr_assert_not_null(file);
	for (size_t i = 0; i < file->n_service; i++) {
		const char *full = text_of("%s.%s", file->package, file->service[i]->name);

		for (size_t j = 0; strcmp(full, name) == 0 && j < file->service[i]->n_method; j++) {
			cr_assert_lt(ret->n, METHODS_MAX);
			snprintf(ret->paths[ret->n++], sizeof ret->paths[0], "/%s/%s", full,
				 file->service[i]->method[j]->name);
		}
	}
	google__protobuf__file_descriptor_proto__free_unpacked(file, NULL);
}

/* v1alpha is served and not in any file: its methods are v1's. */
static void list_methods(struct listed *ret)
{
	const reply *services = ask(QUESTION(LIST_SERVICES), "");
	size_t n = services->list_services_response->n_service;

	*ret = (struct listed){0};
	cr_assert_geq(n, 7);
	for (size_t i = 0; i < n; i++) {
		const char *name = services->list_services_response->service[i]->name;
		const reply *r;
		size_t before = ret->n;

		if (strcmp(name, "grpc.reflection.v1alpha.ServerReflection") == 0)
			continue;
		r = ask(QUESTION(FILE_CONTAINING_SYMBOL), name);
		for (size_t j = 0; j < r->file_descriptor_response->n_file_descriptor_proto; j++)
			add_methods(name, &r->file_descriptor_response->file_descriptor_proto[j],
				    ret);
		cr_assert_gt(ret->n, before, "%s", name);
	}
	snprintf(ret->paths[ret->n++], sizeof ret->paths[0],
		 "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
}

/* With an empty request; 0 where a message comes back. */
static int code_of(const char *path)
{
	SCOPED(buffer) message = &(struct buffer){0};
	SCOPED(grpc_stream) stream = grpc_stream_open_server(world.session.client, path,
							     bytes_of(NULL, 0), CALL_SECONDS);

	if (grpc_stream_next(stream, message))
		return 0;
	return grpc_stream_finish(stream, NULL);
}

static bool is_health(const char *path)
{
	return strncmp(path, HEALTH, strlen(HEALTH)) == 0;
}

static void want_all(const struct listed *listed, int code)
{
	for (size_t i = 0; i < listed->n; i++)
		if (is_health(listed->paths[i]))
			cr_assert_eq(code_of(listed->paths[i]), 0, "%s", listed->paths[i]);
		else
			cr_assert_eq(code_of(listed->paths[i]), code, "%s", listed->paths[i]);
}

Test(access, lets_nobody_in_without_a_key_or_with_a_wrong_one)
{
	static struct listed listed;

	restart_with(one_key_a_scope(), "");
	show("all");
	list_methods(&listed);
	cr_assert_geq(listed.n, 20);
	show(NULL);
	want_all(&listed, GRPC_STATUS_UNAUTHENTICATED);
	show("reade");
	want_all(&listed, GRPC_STATUS_UNAUTHENTICATED);
	show("");
	want_all(&listed, GRPC_STATUS_UNAUTHENTICATED);
}

Test(access, lets_each_scope_into_its_methods_alone)
{
	static const struct {
		const char *key;
		enum scope scope;
	} keys[] = {{"reader", SCOPE_READ}, {"writer", SCOPE_WRITE}, {"chief", SCOPE_ADMIN}};
	static struct listed listed;

	restart_with(one_key_a_scope(), "");
	show("all");
	list_methods(&listed);
	for (size_t k = 0; k < 3; k++) {
		show(keys[k].key);
		for (size_t i = 0; i < listed.n; i++) {
			const char *path = listed.paths[i];
			int code = code_of(path);

			cr_assert(access_method_is_known(path), "%s is in no table", path);
			cr_assert_neq(code, GRPC_STATUS_UNAUTHENTICATED, "%s", path);
			cr_assert_eq(code != GRPC_STATUS_PERMISSION_DENIED,
				     is_health(path) || access_method(path)->scope == keys[k].scope,
				     "%s with %s: %d", path, keys[k].key, code);
		}
	}
}

Test(access, says_why)
{
	struct details details;
	struct answer answer;

	restart_with(one_key_a_scope(), "");
	answer = session_call_bytes(&world.session, &get_server_info, (struct bytes){0});
	WANT(answer, GRPC_STATUS_UNAUTHENTICATED, "authorization: Bearer");
	details = WANT_REASON(&world.session, answer, "CREDENTIAL_MISSING");
	cr_assert_str_eq(details_value(&details, "method"), get_server_info.path);
	show("nobody");
	answer = session_call_bytes(&world.session, &get_server_info, (struct bytes){0});
	WANT(answer, GRPC_STATUS_UNAUTHENTICATED, "");
	WANT_REASON(&world.session, answer, "CREDENTIAL_UNKNOWN");
	cr_assert_null(strstr(answer.detail, "nobody"));
	show("writer");
	answer = session_call_bytes(&world.session, &get_server_info, (struct bytes){0});
	WANT(answer, GRPC_STATUS_PERMISSION_DENIED, "\"read\"");
	details = WANT_REASON(&world.session, answer, "SCOPE_MISSING");
	cr_assert_str_eq(details_value(&details, "scope"), "read");
}

Test(access, opens_reflection_where_it_is_told_to)
{
	restart_with(one_key_a_scope(), ", open_reflection: true");
	cr_assert_neq(ask(QUESTION(LIST_SERVICES), "")->message_response_case, 0);
	cr_assert_eq(code_of(get_server_info.path), GRPC_STATUS_UNAUTHENTICATED);
}

/* --- some collections --- */

static void want_not_allowed(struct answer answer, const char *collection)
{
	struct details details;

	WANT(answer, GRPC_STATUS_PERMISSION_DENIED, collection);
	details = WANT_REASON(&world.session, answer, "COLLECTION_NOT_ALLOWED");
	cr_assert_str_eq(details_value(&details, "collection"), collection);
}

static struct answer count_in(const char *collection)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;

	request.collection = text_of("%s", collection);
	return session_call(&world.session, &count_chunks, &request.base);
}

static struct answer upsert_into(const char *collection)
{
	const struct batch_shape shape = {collection, 0, 2, 4};
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);

	stream_send(stream, &batch_make(&world.session.arena, &shape)->base);
	grpc_stream_half_close(stream);
	while (session_next(&world.session, &upsert_chunks, stream, NULL))
		;
	return session_finish(&world.session, stream);
}

static struct answer iterate_over(const char *collection)
{
	static float query[4] = {1, 0, 0, 0};
	const struct rows rows = {.collection = collection, .dim = 4};
	Sluice__V1__SearchRequest open = search_request(&rows, query, 5);
	SCOPED(grpc_stream) stream = session_stream(&world.session, &iterate, NULL);

	iterate_open(stream, &open);
	grpc_stream_half_close(stream);
	return iterate_read_all(&world.session, stream, NULL);
}

Test(access, holds_a_key_to_its_collections)
{
	const Sluice__V1__ListCollectionsResponse *list;
	struct answer answer;

	restart_with(text_of("%s%s", one_key_a_scope(), key_line("some", "read,write:docs,web-*")),
		     "");
	show("all");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	make_collection("notes", 4, SLUICE__V1__METRIC__METRIC_L2);
	make_collection("web-a", 4, SLUICE__V1__METRIC__METRIC_L2);

	show("some");
	WANT(upsert_into("docs"), GRPC_STATUS_OK, "");
	WANT(count_in("web-a"), GRPC_STATUS_OK, "");
	WANT(iterate_over("docs"), GRPC_STATUS_OK, "");
	want_not_allowed(upsert_into("notes"), "notes");
	want_not_allowed(count_in("notes"), "notes");
	want_not_allowed(iterate_over("notes"), "notes");
	/* One that is not there is no other thing. */
	want_not_allowed(count_in("nowhere"), "nowhere");

	answer = session_call_bytes(&world.session, &list_collections, (struct bytes){0});
	WANT(answer, GRPC_STATUS_OK, "");
	list = answer.message;
	cr_assert_eq(list->n_collections, 2);
	cr_assert_str_eq(list->collections[0]->name, "docs");
	cr_assert_str_eq(list->collections[1]->name, "web-a");
}

static const Sluice__V1__ListCursorsResponse *cursors_seen(void)
{
	struct answer answer = session_call_bytes(&world.session, &list_cursors, (struct bytes){0});

	WANT(answer, GRPC_STATUS_OK, "");
	return answer.message;
}

/* More than the windows of HTTP/2 let ahead, so that a search that is not read stays open. */
static struct rows long_rows = {
	.collection = "notes",
	.metric = SLUICE__V1__METRIC__METRIC_L2,
	.dim = 4,
	.n = 2000,
	.text_bytes = 16000,
};

Test(access, hides_cursors_over_other_collections)
{
	const struct grpc_client_options options = {.authorization = "Bearer all"};
	SCOPED(buffer) message = &(struct buffer){0};
	static float query[4] = {1, 0, 0, 0};
	Sluice__V1__SearchRequest request;
	struct grpc_stream *stream;
	struct session reader;
	char id[64];

	restart_with(text_of("%s%s", one_key_a_scope(), key_line("some", "admin:docs")), "");
	show("all");
	rows_create(&long_rows, 1);
	request = search_request(&long_rows, query, UINT64_MAX);
	session_open_with(&reader, world.server.address, &options);
	stream = session_stream(&reader, &search, &request.base);
	cr_assert(grpc_stream_next(stream, message));
	cr_assert_eq(cursors_seen()->n_cursors, 1);
	snprintf(id, sizeof id, "%s", cursors_seen()->cursors[0]->cursor_id);

	show("some");
	cr_assert_eq(cursors_seen()->n_cursors, 0);
	WANT(iterate_cancel(id), GRPC_STATUS_NOT_FOUND, id);
	show("all");
	WANT(iterate_cancel(id), GRPC_STATUS_OK, "");
	grpc_stream_close(stream);
	session_close(&reader);
}

/* --- changes --- */

static void want_soon(int code)
{
	int now = -1;

	for (int i = 0; i < 2000 && now != code; i++) {
		now = code_of(get_server_info.path);
		if (now != code)
			pause_ms(10);
	}
	cr_assert_eq(now, code);
}

Test(access, takes_up_a_file_that_has_changed)
{
	restart_with(key_line("old", "read"), "");
	show("new");
	cr_assert_eq(code_of(get_server_info.path), GRPC_STATUS_UNAUTHENTICATED);
	file_write(keys_path(), key_line("new", "read"));
	want_soon(0);
	show("old");
	cr_assert_eq(code_of(get_server_info.path), GRPC_STATUS_UNAUTHENTICATED);
	/* What cannot be read changes nothing. */
	file_write(keys_path(), "nonsense\n");
	kill(world.server.pid, SIGHUP);
	show("new");
	cr_assert_eq(code_of(get_server_info.path), 0);
}

Test(access, does_not_start_with_keys_that_cannot_be_read)
{
	const char *const arguments[] = {"serve",
					 "--listen",
					 "127.0.0.1:0",
					 "--data",
					 text_of("%s/other", world.scratch.path),
					 "--api-keys",
					 "/nowhere",
					 NULL};
	struct said said = command_run(arguments);

	cr_assert_eq(said.result, 1);
	cr_assert_not_null(strstr(said.err, "/nowhere"), "%s", said.err);
}

/* --- the commands --- */

static struct said say(const char *command, const char *file)
{
	const char *const arguments[] = {command,          "--server", world.server.address,
					 "--api-key-file", file,       NULL};

	return command_run(arguments);
}

Test(access, makes_keys_that_its_commands_can_show)
{
	const char *out = text_of("%s/key", world.scratch.path);
	const char *const arguments[] = {
		"key",   "app",   "--scopes", "read,admin", "--collections",
		"docs*", "--out", out,        NULL};
	struct said made = command_run(arguments), said;
	char *file = strdup(out), *wrong = strdup(text_of("%s/wrong", world.scratch.path));
	struct said again = command_run(arguments);

	cr_assert_eq(made.result, 0, "%s", made.err);
	cr_assert_eq(strncmp(made.out, "app:", 4), 0, "%s", made.out);
	cr_assert_not_null(strstr(made.out, ":read,admin:docs*\n"), "%s", made.out);
	cr_assert_str_eq(made.err, "");
	/* A key that is there is not lost. */
	cr_assert_eq(again.result, 1);
	restart_with(made.out, "");
	file_write(wrong, "sluice_0\n");
	said = say("info", file);
	cr_assert_eq(said.result, 0, "%s", said.err);
	said = say("info", wrong);
	cr_assert_eq(said.result, 1);
	cr_assert_not_null(strstr(said.err, "UNAUTHENTICATED"), "%s", said.err);
	free(file);
	free(wrong);
}
