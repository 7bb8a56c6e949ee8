#include "service/serve_options.h"

#include "service/config/config_load.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 16);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(serve_options, .init = setup, .fini = teardown);

/* Parses the words of a line. getopt moves them about, so each call has its own. */
static status parse_only(const char *line, struct serve_options *ret)
{
	char *words = arena_copy(&arena, line, strlen(line));
	char *argv[16] = {0};
	int argc = 0;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return serve_options_parse(&arena, argc, argv, ret);
}

/* What a configuration says without any option. */
static struct server_config configured(void)
{
	return (struct server_config){
		.data_directory = "/configured",
		.listen = {"127.0.0.1:7700", "unix:/c"},
		.n_listen = 2,
		.gpu.mode = GPU_OFF,
		.drain_timeout_ns = 20000000000,
	};
}

/* And what the server makes of it. */
static status parse(const char *line, struct serve_options *ret)
{
	struct server_config config = configured();

	TRY(parse_only(line, ret));
	return serve_options_apply(ret, &arena, &config);
}

Test(serve_options, leave_the_configuration_as_it_is)
{
	struct server_config config = configured(), before = config;
	struct serve_options options = {0};

	cr_assert(!status_failed(parse_only("serve", &options)));
	cr_assert_null(options.config);
	cr_assert(!status_failed(serve_options_apply(&options, &arena, &config)));
	cr_assert_eq(memcmp(&config, &before, sizeof config), 0);
}

Test(serve_options, go_before_the_configuration)
{
	struct server_config config = configured();
	struct serve_options options = {0};

	cr_assert(!status_failed(parse_only("serve --config f --data /d --listen 0.0.0.0:1 "
					    "--gpu auto --drain-seconds 0.5 --insecure",
					    &options)));
	cr_assert_str_eq(options.config, "f");
	cr_assert(!status_failed(serve_options_apply(&options, &arena, &config)));
	cr_assert_str_eq(config.data_directory, "/d");
	cr_assert_eq(config.n_listen, 1);
	cr_assert_str_eq(config.listen[0], "0.0.0.0:1");
	cr_assert_eq(config.gpu.mode, GPU_AUTO);
	cr_assert_eq(config.drain_timeout_ns, 500000000);
	cr_assert(config.insecure);
}

Test(serve_options, refuse_a_configured_address_beyond_this_machine)
{
	struct server_config config = configured();
	struct serve_options options = {0};
	status applied;

	config.listen[1] = "0.0.0.0:1";
	applied = serve_options_apply(&options, &arena, &config);
	cr_assert_eq(applied.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(applied.detail, "listen 0.0.0.0:1"), "%s", applied.detail);
	config.insecure = true;
	cr_assert(!status_failed(serve_options_apply(&options, &arena, &config)));
}

Test(serve_options, take_files_of_certificates_and_keys)
{
	struct server_config config = configured();
	struct serve_options options = {0};

	cr_assert(!status_failed(parse_only("serve --listen 0.0.0.0:1 --tls-cert c --tls-key=k "
					    "--tls-client-ca a --api-keys f",
					    &options)));
	cr_assert(!status_failed(serve_options_apply(&options, &arena, &config)));
	cr_assert_str_eq(config.tls.certificate_file, "c");
	cr_assert_str_eq(config.tls.key_file, "k");
	cr_assert_str_eq(config.tls.client_ca_file, "a");
	cr_assert_str_eq(config.access.api_keys_file, "f");
}

Test(serve_options, takes_values_behind_a_space_or_an_equals_sign)
{
	struct serve_options options = {0};

	cr_assert(!status_failed(parse("serve --data=/d --listen unix:/s --listen=127.0.0.1:0 "
				       "--gpu software --drain-seconds 1.5",
				       &options)));
	cr_assert_str_eq(options.data, "/d");
	cr_assert_eq(options.n_listen, 2);
	cr_assert_str_eq(options.listen[0], "unix:/s");
	cr_assert_str_eq(options.listen[1], "127.0.0.1:0");
	cr_assert_eq(options.gpu, GPU_SOFTWARE);
	cr_assert_float_eq(options.drain_seconds, 1.5, 0);
}

static const struct {
	const char *line;
	enum status_code code;
	const char *says;
} refused[] = {
	{"serve --no-such", STATUS_INVALID_ARGUMENT, "--no-such"},
	{"serve --data", STATUS_INVALID_ARGUMENT, "--data"},
	{"serve stray", STATUS_INVALID_ARGUMENT, "stray"},
	{"serve --gpu maybe", STATUS_INVALID_ARGUMENT, "maybe"},
	{"serve --drain-seconds x", STATUS_INVALID_ARGUMENT, "x"},
	{"serve --drain-seconds -1", STATUS_INVALID_ARGUMENT, "-1"},
	{"serve --config", STATUS_INVALID_ARGUMENT, "--config"},
	{"serve --metrics=:9", STATUS_INVALID_ARGUMENT, "--metrics"},
	{"serve --metrics 0.0.0.0:9", STATUS_INVALID_ARGUMENT, "metrics_listen"},
	{"serve --tls-cert c", STATUS_INVALID_ARGUMENT, "tls.key_file"},
	{"serve --tls-client-ca c", STATUS_INVALID_ARGUMENT, "tls.certificate_file"},
	{"serve --listen 0.0.0.0:7700", STATUS_INVALID_ARGUMENT, "--insecure"},
	{"serve --listen 127.0.0.1:0 --listen [::]:1", STATUS_INVALID_ARGUMENT, "--insecure"},
};

/* Each is refused for its form, beyond this machine or not. */
static const char *const malformed[] = {
	"nonsense",        "127.0.0.1",       "127.0.0.1:",
	"127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:000080",
	"127.0.0.1:-1",    "127.0.0.1:+1",    "127.0.0.1:80x",
	"127.0.0.1:0x50",  ":7700",           "::1:7700",
	"[::1]",           "[]:7700",         "[::1:7700",
	"[::1]x:7700",     "unix:",           "unix",
	"dns:host:7700",   "a/b:7700",        "127.0.0.1:18446744073709551617",
};

Test(serve_options, wants_a_host_with_a_port_or_a_path)
{
	struct serve_options options = {0};

	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
		for (int insecure = 0; insecure < 2; insecure++) {
			status parsed =
				parse(arena_printf(&arena, "serve%s --listen %s",
						   insecure ? " --insecure" : "", malformed[i]),
				      &options);

			cr_assert_eq(parsed.code, STATUS_INVALID_ARGUMENT, "%s", malformed[i]);
			cr_assert_str_eq(parsed.detail,
					 arena_printf(&arena,
						      "--listen %s: HOST:PORT or unix:PATH is "
						      "needed",
						      malformed[i]));
		}
}

static const char *const well_formed[] = {
	"127.0.0.1:0",    "0.0.0.0:65535",       "[::1]:7700", "[fe80::1%25eth0]:1",
	"localhost:7700", "a-b.example.org:443", "unix:s",     "unix:/run/sluice:7700",
};

Test(serve_options, takes_every_form_of_an_address)
{
	for (size_t i = 0; i < sizeof well_formed / sizeof *well_formed; i++) {
		struct serve_options options = {0};
		status parsed =
			parse(arena_printf(&arena, "serve --insecure --listen %s", well_formed[i]),
			      &options);

		cr_assert(!status_failed(parsed), "%s", well_formed[i]);
		cr_assert_str_eq(options.listen[0], well_formed[i]);
	}
}

Test(serve_options, says_what_is_wrong)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct serve_options options = {0};
		status parsed = parse(refused[i].line, &options);

		cr_assert_eq(parsed.code, refused[i].code, "%s", refused[i].line);
		cr_assert_not_null(strstr(parsed.detail, refused[i].says), "%s: %s",
				   refused[i].line, parsed.detail);
	}
}

static const struct {
	const char *address;
	bool local;
} addresses[] = {
	{"127.0.0.1:7700", true},     {"127.9.9.9:0", true},
	{"[::1]:7700", true},         {"localhost:7700", true},
	{"unix:/run/s", true},        {"0.0.0.0:7700", false},
	{"[::]:7700", false},         {"10.0.0.1:1", false},
	{"127.example.org:1", false}, {"localhost.example.org:1", false},
};

Test(serve_options, knows_which_addresses_stay_on_this_machine)
{
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
		cr_assert_eq(config_address_is_local(addresses[i].address), addresses[i].local,
			     "%s", addresses[i].address);
}

Test(serve_options, needs_the_word_insecure_for_an_address_beyond_this_machine)
{
	struct serve_options options = {0};

	cr_assert(!status_failed(parse("serve --insecure --listen 0.0.0.0:0", &options)));
	cr_assert(options.insecure);
}
