/* server_config - every field of the .proto has a member, a default and a way in. */
#include "service/config/config_load.h"
#include "service/config/scalar.h"
#include "service/config/server_config.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static const struct schema_message *message;
static struct server_config config;

static void setup(void)
{
	status opened;

	arena_init(&arena, CONFIG_ARENA_BYTES);
	opened = server_config_message(&arena, &message);
	cr_assert_not(status_failed(opened), "%s", opened.detail);
	opened = server_config_defaults(message, &arena, &config);
	cr_assert_not(status_failed(opened), "%s", opened.detail);
	for (size_t i = 0; i < CONFIG_VARIABLES; i++)
		unsetenv(config_variables[i].name);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(server_config, .init = setup, .fini = teardown);

static void set(const char *path, const char *text)
{
	struct problems problems = {.arena = &arena};
	status done = server_config_set(message, path, &text, 1, &problems, &config);

	cr_assert_not(status_failed(done), "%s: %s", path, done.detail);
	cr_assert_eq(problems.n, 0, "%s: %s", path, problems.n ? problems.list[0].sentence : "");
}

/* The numbers that README and the design name. */
Test(server_config, has_the_defaults_that_are_promised)
{
	cr_assert_str_eq(config.data_directory, "./sluice-data");
	cr_assert_eq(config.n_listen, 1);
	cr_assert_str_eq(config.listen[0], "127.0.0.1:7700");
	cr_assert_not(config.insecure);
	cr_assert_eq(config.limits.message_bytes_max, 4 << 20);
	cr_assert_eq(config.limits.metadata_bytes_max, 16 << 10);
	cr_assert_eq(config.limits.call_arena_factor, 64);
	cr_assert_eq(config.limits.call_arena_bytes_min, 1 << 20);
	cr_assert_eq(config.limits.call_arena_bytes_max, 64 << 20);
	cr_assert_eq(config.limits.streams_per_connection_max, 1024);
	cr_assert_eq(config.threads.writers, 4);
	cr_assert_eq(config.threads.inline_scan_bytes_max, 8 << 20);
	cr_assert_eq(config.durability.commit_writes_max, 64);
	cr_assert_eq(config.durability.commit_bytes_max, 32 << 20);
	cr_assert_eq(config.gpu.mode, GPU_AUTO);
	cr_assert_eq(config.index.page_hits, 100);
	cr_assert_eq(config.drain_timeout_ns, 20000000000);
	cr_assert_eq(config.logging.level, LOG_INFO);
	cr_assert_eq(config.logging.format, LOG_TEXT);
	cr_assert_eq(config.logging.lines_per_second_max, 1000);
	cr_assert_eq(config.keepalive.time_ns, 60000000000);
}

/* Another value than the default, that the rules of every field of the kind allow. */
static const char *other_value(const struct schema_field *field)
{
	static const char *const numbers[] = {"1", "5", "77777", "1048577", "3000000"};

	switch (field->type) {
	case SCHEMA_BOOL:
		return "true";
	case SCHEMA_STRING:
		if (strcmp(field->name, "mode") == 0)
			return "0600";
		return "unix:elsewhere";
	case SCHEMA_ENUM:
		return field->enumeration->values[field->enumeration->n_values - 1].name;
	case SCHEMA_MESSAGE:
		return "77s";
	default:
		break;
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct problems problems = {.arena = &arena};
		struct server_config scratch = config;
		const char *path = NULL;

		for (size_t j = 0; j < message->n_fields && !path; j++)
			if (message->fields[j].message == field->container)
				path = arena_printf(&arena, "%s.%s", message->fields[j].name,
						    field->name);
		cr_assert_not_null(path, "%s", field->name);
		if (!status_failed(server_config_set(message, path, &numbers[i], 1, &problems,
						     &scratch)) &&
		    problems.n == 0 && memcmp(&scratch, &config, sizeof config) != 0)
			return numbers[i];
	}
	return NULL;
}

static size_t set_each(const struct schema_message *of, const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < of->n_fields; i++) {
		const struct schema_field *field = &of->fields[i];
		const char *path = arena_printf(&arena, "%s%s", prefix, field->name);
		struct server_config before = config;
		const char *other;

		if (!scalar_fits(field)) {
			n += set_each(field->message, arena_printf(&arena, "%s.", path));
			continue;
		}
		other = other_value(field);
		cr_assert_not_null(other, "%s", path);
		set(path, other);
		cr_assert_neq(memcmp(&before, &config, sizeof config), 0, "%s: %s changes nothing",
			      path, other);
		n++;
	}
	return n;
}

Test(server_config, has_a_member_for_every_field)
{
	cr_assert_geq(set_each(message, ""), 29);
}

Test(server_config, has_a_comment_for_every_field_and_message)
{
	struct {
		const struct schema_message *of;
	} stack[32] = {{message}};
	size_t n = 1;

	while (n > 0) {
		const struct schema_message *of = stack[--n].of;

		for (size_t i = 0; i < of->n_fields; i++) {
			const struct schema_field *field = &of->fields[i];

			cr_assert_not_null(field->comment, "%s.%s", of->full_name, field->name);
			if (!scalar_fits(field))
				stack[n++].of = field->message;
		}
	}
}

Test(server_config, refuses_a_value_that_breaks_a_rule)
{
	struct problems problems = {.arena = &arena};
	struct server_config before = config;
	const char *text = "0";

	cr_assert_not(status_failed(
		server_config_set(message, "limits.calls_max", &text, 1, &problems, &config)));
	cr_assert_eq(problems.n, 1);
	cr_assert_str_eq(problems.list[0].rule, "uint64.gte_lte");
	cr_assert_eq(memcmp(&before, &config, sizeof config), 0);
}

static const struct {
	const char *text, *rule, *path;
} conflicts[] = {
	{"tls: {certificate_file: c}", "needs", "tls.certificate_file"},
	{"tls: {key_file: k}", "needs", "tls.key_file"},
	{"tls: {client_ca_file: c}", "needs", "tls.client_ca_file"},
	{"access: {certificates_file: c}", "needs", "access.certificates_file"},
	{"listen: [0.0.0.0:1]", "insecure", "listen[0]"},
	{"unix_socket: {mode: '999'}", "string.pattern", "unix_socket.mode"},
	{"health_listen: nonsense", "string.pattern", "health_listen"},
};

Test(server_config, refuses_fields_that_do_not_go_together)
{
	for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++) {
		struct problems problems = {.arena = &arena};

		cr_assert_not(status_failed(
			config_load_text(bytes_of_string(conflicts[i].text), &problems, &config)));
		cr_assert_eq(problems.n, 1, "%s", conflicts[i].text);
		cr_assert_str_eq(problems.list[0].rule, conflicts[i].rule);
		cr_assert_str_eq(problems.list[0].path, conflicts[i].path);
	}
}

Test(server_config, takes_any_address_under_tls)
{
	struct problems problems = {.arena = &arena};
	const char *text = "listen: [0.0.0.0:1]\ntls: {certificate_file: c, key_file: k}\n";

	cr_assert_not(status_failed(config_load_text(bytes_of_string(text), &problems, &config)));
	cr_assert_eq(problems.n, 0);
	cr_assert_str_eq(config.tls.key_file, "k");
}

static void note_path(void *context, const char *path)
{
	const char ***at = context;

	*(*at)++ = path;
}

Test(server_config, tells_two_apart_field_by_field)
{
	struct server_config before = config;
	const char *paths[8] = {0}, **at = paths;

	server_config_differences(&before, &config, note_path, &at);
	cr_assert_eq(at, paths);
	set("limits.calls_max", "7");
	set("listen", "unix:a");
	set("gpu.mode", "off");
	set("tls.key_file", "k");
	server_config_differences(&before, &config, note_path, &at);
	cr_assert_eq(at - paths, 4);
	cr_assert_str_eq(paths[0], "listen");
	cr_assert_str_eq(paths[1], "limits.calls_max");
	cr_assert_str_eq(paths[2], "gpu.mode");
	cr_assert_str_eq(paths[3], "tls.key_file");
}

/* --- the file --- */

static status load(const char *text, struct problems *problems)
{
	*problems = (struct problems){.arena = &arena};
	return config_load_text(bytes_of_string(text), problems, &config);
}

Test(server_config, takes_a_file_over_the_defaults)
{
	struct problems problems;

	cr_assert_not(status_failed(
		load("listen: [unix:a, unix:b]\nlimits: {calls_max: 7}\n", &problems)));
	cr_assert_eq(problems.n, 0);
	cr_assert_eq(config.n_listen, 2);
	cr_assert_str_eq(config.listen[0], "unix:a");
	cr_assert_eq(config.limits.calls_max, 7);
	cr_assert_eq(config.limits.cursors_max, 16384);
}

Test(server_config, wants_the_word_insecure_for_an_address_beyond_this_machine)
{
	struct problems problems;

	cr_assert_not(status_failed(load("listen:\n- unix:a\n- 0.0.0.0:1\n", &problems)));
	cr_assert_eq(problems.n, 1);
	cr_assert_str_eq(problems.list[0].path, "listen[1]");
	cr_assert_eq(problems.list[0].place.line, 3);
	cr_assert_eq(problems.list[0].place.column, 3);
	cr_assert_str_eq(config.listen[0], "127.0.0.1:7700");
	cr_assert_not(status_failed(load("insecure: true\nlisten: [0.0.0.0:1]\n", &problems)));
	cr_assert_eq(problems.n, 0);
	cr_assert_str_eq(config.listen[0], "0.0.0.0:1");
}

Test(server_config, names_a_file_that_cannot_be_read)
{
	struct problems problems = {.arena = &arena};
	struct scratch scratch;
	status done;

	scratch_open(&scratch);
	done = config_load_file(arena_printf(&arena, "%s/none", scratch.path), &problems, &config);
	cr_assert_eq(done.code, STATUS_NOT_FOUND);
	cr_assert_not_null(strstr(done.detail, "/none"));
	done = config_load_file(scratch.path, &problems, &config);
	cr_assert_eq(done.code, STATUS_UNAVAILABLE, "%s", done.detail);
	scratch_close(&scratch);
}

/* --- the environment --- */

Test(server_config, takes_the_environment_over_the_file)
{
	struct problems problems;

	setenv("SLUICE_DATA", "/env", 1);
	setenv("SLUICE_LISTEN", "unix:x,127.0.0.1:0", 1);
	setenv("SLUICE_GPU", "software", 1);
	setenv("SLUICE_LOG_LEVEL", "", 1);
	cr_assert_not(status_failed(load("data_directory: /file\nlisten: [unix:a]\n"
					 "logging: {level: error}\n",
					 &problems)));
	cr_assert_not(status_failed(config_load_environment(&arena, &config)));
	cr_assert_str_eq(config.data_directory, "/env");
	cr_assert_eq(config.n_listen, 2);
	cr_assert_str_eq(config.listen[1], "127.0.0.1:0");
	cr_assert_eq(config.gpu.mode, GPU_SOFTWARE);
	cr_assert_eq(config.logging.level, LOG_ERROR);
}

static const struct {
	const char *name, *value, *says;
} wrong_variables[] = {
	{"SLUICE_GPU", "maybe", "SLUICE_GPU: gpu.mode must be auto, off"},
	{"SLUICE_LISTEN", "unix:a,nonsense", "SLUICE_LISTEN: listen"},
	{"SLUICE_LISTEN", "unix:a,", "SLUICE_LISTEN: listen"},
	{"SLUICE_LISTEN",
	 "unix:a,unix:b,unix:c,unix:d,unix:e,unix:f,unix:g,unix:h,unix:i,unix:j,"
	 "unix:k,unix:l,unix:m,unix:n,unix:o,unix:p,unix:q,unix:r",
	 "at most 16"},
	{"SLUICE_LOG_LEVEL", "loud", "debug, info, warning or error"},
};

Test(server_config, names_the_variable_that_is_wrong)
{
	for (size_t i = 0; i < sizeof wrong_variables / sizeof *wrong_variables; i++) {
		status done;

		setenv(wrong_variables[i].name, wrong_variables[i].value, 1);
		done = config_load_environment(&arena, &config);
		unsetenv(wrong_variables[i].name);
		cr_assert_eq(done.code, STATUS_INVALID_ARGUMENT, "%s", wrong_variables[i].value);
		cr_assert_not_null(strstr(done.detail, wrong_variables[i].says), "%s", done.detail);
	}
}
