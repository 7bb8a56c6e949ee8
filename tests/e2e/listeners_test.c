/* listeners - several addresses, each as it should be: sockets, TLS, health alone; and what does not
 * start. */
#include "tests/e2e/command.h"
#include "tests/e2e/health.h"
#include "tests/e2e/rows.h"
#include "tests/e2e/served.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The world's own server is there for its folder and its session's arena. */
TestSuite(listeners, .init = world_open, .fini = world_close, .timeout = 120);

/* --- help --- */

static const char *path_of(const char *name)
{
	return text_of("%s/%s", world.scratch.path, name);
}

/* The folder's own path is too long for one. */
static const char *socket_path(void)
{
	return text_of("/tmp/sluice-listeners-%d", (int)getpid());
}

/* serve with this configuration, on these addresses and over a folder of its own. */
static void start(struct served *served, const char *config, const char *one, const char *other,
		  size_t n_lines)
{
	const char *path = path_of("l.yaml");
	const char *const arguments[] = {
		"serve", "--config", path,       "--data", path_of("own"),
		"--gpu", "off",      "--listen", one,      other ? "--listen" : NULL,
		other,   NULL};

	file_write(path, config);
	served_start(served, arguments, n_lines);
}

/* One call, in plaintext where ca is NULL. */
static int code_at(const char *address, const struct method *method, const char *ca,
		   const char *client)
{
	struct grpc_client_options options = {.ca_file = ca};
	struct session session;
	struct answer answer;

	if (client) {
		options.certificate_file = tls_file(text_of("%s.pem", client));
		options.key_file = tls_file(text_of("%s.key", client));
	}
	session_open_with(&session, address, &options);
	answer = session_call_bytes(&session, method, (struct bytes){0});
	session_close(&session);
	return answer.code;
}

static const char *tls_config(const char *more)
{
	return text_of("tls: {certificate_file: %s, key_file: %s%s}\n", tls_file("server.pem"),
		       tls_file("server.key"), more);
}

/* --- several at once --- */

Test(listeners, serve_several_addresses_each_in_its_way)
{
	const char *socket = text_of("unix:%s", socket_path());
	struct served served;
	struct stat file;
	const char *tcp, *health;

	start(&served,
	      text_of("%sunix_socket: {mode: \"0600\", group: \"%u\"}\nhealth_listen: "
		      "127.0.0.1:0\n",
		      tls_config(""), (unsigned)getgid()),
	      "127.0.0.1:0", socket, 3);
	tcp = served_address(&served, "listening on 127");
	tcp = text_of("127%s", tcp);
	health = served_address(&served, "health on ");
	cr_assert_eq(stat(socket_path(), &file), 0);
	cr_assert_eq(file.st_mode & 0777, 0600);
	cr_assert_eq(file.st_gid, getgid());

	cr_assert_eq(code_at(socket, &get_server_info, NULL, NULL), GRPC_STATUS_OK);
	cr_assert_eq(code_at(tcp, &get_server_info, tls_file("ca.pem"), NULL), GRPC_STATUS_OK);
	cr_assert_eq(code_at(tcp, &get_server_info, NULL, NULL), GRPC_STATUS_UNAVAILABLE);
	cr_assert_eq(code_at(tcp, &get_server_info, tls_file("other.pem"), NULL),
		     GRPC_STATUS_UNAVAILABLE);
	cr_assert_eq(code_at(health, &health_check, NULL, NULL), GRPC_STATUS_OK);
	cr_assert_eq(code_at(health, &get_server_info, NULL, NULL), GRPC_STATUS_UNIMPLEMENTED);
	cr_assert_eq(served_stop(&served), 0);
}

Test(listeners, give_a_socket_to_owner_and_group_alone)
{
	const char *socket = text_of("unix:%s", socket_path());
	struct served served;
	struct stat file;

	start(&served, "", socket, NULL, 1);
	cr_assert_eq(stat(socket_path(), &file), 0);
	cr_assert_eq(file.st_mode & 0777, 0660);
	cr_assert_eq(served_stop(&served), 0);
}

Test(listeners, give_every_socket_to_the_group_that_is_configured)
{
	const char *socket = text_of("unix:%s", socket_path());
	const char *metrics = text_of("%s-metrics", socket_path());
	const char *health = text_of("%s-health", socket_path());
	const char *const paths[] = {socket_path(), metrics, health};
	struct served served;
	struct stat file;

	start(&served,
	      text_of("unix_socket: {mode: \"0620\", group: \"%u\"}\n"
		      "metrics_listen: unix:%s\nhealth_listen: unix:%s\n",
		      (unsigned)getgid(), metrics, health),
	      socket, NULL, 3);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		cr_assert_eq(stat(paths[i], &file), 0, "%s", paths[i]);
		cr_assert_eq(file.st_mode & 0777, 0620, "%s", paths[i]);
		cr_assert_eq(file.st_gid, getgid(), "%s", paths[i]);
	}
	cr_assert_eq(served_stop(&served), 0);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		cr_assert_neq(stat(paths[i], &file), 0, "%s is left behind", paths[i]);
}

/* --- certificates --- */

Test(listeners, take_clients_whose_certificate_the_ca_has_signed)
{
	const char *ca = tls_file("ca.pem");
	struct served served;
	const char *address;

	start(&served, tls_config(text_of(", client_ca_file: %s", ca)), "127.0.0.1:0", NULL, 1);
	address = served_address(&served, "listening on ");
	cr_assert_eq(code_at(address, &get_server_info, ca, "client"), GRPC_STATUS_OK);
	cr_assert_eq(code_at(address, &get_server_info, ca, NULL), GRPC_STATUS_UNAVAILABLE);
	cr_assert_eq(code_at(address, &get_server_info, ca, "stranger"), GRPC_STATUS_UNAVAILABLE);
	cr_assert_eq(code_at(address, &health_check, ca, NULL), GRPC_STATUS_UNAVAILABLE);
	cr_assert_eq(served_stop(&served), 0);
}

static const struct {
	const char *line;
	int read, list_cursors;
} names[] = {
	{"spiffe://example.org/ns/prod/* read", GRPC_STATUS_OK, GRPC_STATUS_PERMISSION_DENIED},
	{"uri:spiffe://example.org/ns/prod/reader admin", GRPC_STATUS_PERMISSION_DENIED,
	 GRPC_STATUS_OK},
	{"dns:client.example read,admin", GRPC_STATUS_OK, GRPC_STATUS_OK},
	{"email:client@example.org read", GRPC_STATUS_OK, GRPC_STATUS_PERMISSION_DENIED},
	{"ip:192.0.2.7 read", GRPC_STATUS_OK, GRPC_STATUS_PERMISSION_DENIED},
	{"dns:server.example read,admin", GRPC_STATUS_UNAUTHENTICATED, GRPC_STATUS_UNAUTHENTICATED},
};

Test(listeners, know_clients_by_the_names_in_their_certificates)
{
	const char *ca = tls_file("ca.pem"), *file = path_of("names");

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct served served;
		const char *address;

		file_write(file, names[i].line);
		start(&served,
		      text_of("%saccess: {certificates_file: %s}\n",
			      tls_config(text_of(", client_ca_file: %s, client_certificates: "
						 "optional",
						 ca)),
			      file),
		      "127.0.0.1:0", NULL, 1);
		address = served_address(&served, "listening on ");
		cr_assert_eq(code_at(address, &get_server_info, ca, "client"), names[i].read, "%s",
			     names[i].line);
		cr_assert_eq(code_at(address, &list_cursors, ca, "client"), names[i].list_cursors,
			     "%s", names[i].line);
		cr_assert_eq(code_at(address, &get_server_info, ca, NULL),
			     GRPC_STATUS_UNAUTHENTICATED);
		cr_assert_eq(code_at(address, &health_check, ca, NULL), GRPC_STATUS_OK);
		cr_assert_eq(served_stop(&served), 0);
	}
}

/* As Kubernetes lays a secret out: the files are links through a folder that is a link itself. */
static void lay_out(const char *folder, const char *certificate, const char *key)
{
	const char *path = path_of(folder);

	cr_assert_eq(mkdir(path, 0700), 0);
	cr_assert_eq(symlink(tls_file(certificate), text_of("%s/tls.crt", path)), 0);
	cr_assert_eq(symlink(tls_file(key), text_of("%s/tls.key", path)), 0);
}

static void turn_to(const char *folder)
{
	cr_assert_eq(symlink(folder, path_of("..data_tmp")), 0);
	cr_assert_eq(rename(path_of("..data_tmp"), path_of("..data")), 0);
}

Test(listeners, take_up_a_certificate_that_is_turned_and_drop_no_call)
{
	const struct grpc_client_options before = {.ca_file = tls_file("ca.pem")};
	struct session session;
	struct grpc_stream *stream;
	struct served served;
	const char *address;

	lay_out("first", "server.pem", "server.key");
	lay_out("broken", "next.pem", "server.key");
	lay_out("second", "next.pem", "next.key");
	turn_to("first");
	start(&served,
	      text_of("tls: {certificate_file: %s, key_file: %s}\n", path_of("..data/tls.crt"),
		      path_of("..data/tls.key")),
	      "127.0.0.1:0", NULL, 1);
	address = served_address(&served, "listening on ");
	session_open_with(&session, address, &before);
	stream = health_watch_open(&session);

	/* A key that is another's leaves all as it was. */
	turn_to("broken");
	cr_assert_eq(code_at(address, &health_check, tls_file("ca.pem"), NULL), GRPC_STATUS_OK);
	turn_to("second");
	cr_assert_eq(code_at(address, &health_check, tls_file("other.pem"), NULL), GRPC_STATUS_OK);
	cr_assert_eq(code_at(address, &health_check, tls_file("ca.pem"), NULL),
		     GRPC_STATUS_UNAVAILABLE);

	/* Who was there is there still. */
	WANT(session_call_bytes(&session, &health_check, (struct bytes){0}), GRPC_STATUS_OK, "");
	cr_assert_eq(kill(served.pid, SIGTERM), 0);
	cr_assert_eq(((const check_response *)session_next(&session, &health_watch, stream, NULL))
			     ->status,
		     STATE(NOT_SERVING));
	grpc_stream_close(stream);
	session_close(&session);
	cr_assert_eq(served_await(&served), 0);
}

/* A ClientHello that says how new it is in one byte: 2 is TLS 1.1, 3 is 1.2. Elliptic curves, P-256,
 * ECDSA with SHA-256. */
#define HELLO_VERSION 10
static const unsigned char hello[] = {
	0x16, 3,    1,  0,    73, 1,  0,  0,  69, 3,  3,  1,  2,  3,  4,    5,
	6,    7,    8,  9,    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,   21,
	22,   23,   24, 25,   26, 27, 28, 29, 30, 31, 32, 0,  0,  6,  0xc0, 0x2b,
	0xc0, 0x09, 0,  0x2f, 1,  0,  0,  22, 0,  10, 0,  4,  0,  2,  0,    23, /* groups */
	0,    11,   0,  2,    1,  0,                                            /* point formats */
	0,    13,   0,  4,    0,  2,  4,  3,                                    /* signatures */
};

/* The first byte of what comes back; -1 where nothing does. */
static int greet(const char *address, unsigned char version)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned char said[sizeof hello], answer = 0;
	ssize_t got;

	memcpy(said, hello, sizeof hello);
	said[HELLO_VERSION] = version;
	at.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
	cr_assert_eq(send(fd, said, sizeof said, 0), (ssize_t)sizeof said);
	got = recv(fd, &answer, 1, 0);
	close(fd);
	return got == 1 ? answer : -1;
}

Test(listeners, speak_no_tls_below_1_2)
{
	struct served served;
	const char *address;

	start(&served, tls_config(""), "127.0.0.1:0", NULL, 1);
	address = served_address(&served, "listening on ");
	cr_assert_eq(greet(address, 3), 0x16); /* its own hello */
	cr_assert_neq(greet(address, 2), 0x16);
	cr_assert_neq(greet(address, 1), 0x16);
	cr_assert_eq(served_stop(&served), 0);
}

/* --- the commands --- */

Test(listeners, are_reached_by_the_commands)
{
	const char *ca = tls_file("ca.pem");
	struct served served;
	const char *address;

	start(&served, tls_config(text_of(", client_ca_file: %s", ca)), "127.0.0.1:0", NULL, 1);
	address = served_address(&served, "listening on ");
	{
		const char *const good[] = {"info",
					    "--server",
					    address,
					    "--tls-ca",
					    ca,
					    "--tls-cert",
					    tls_file("client.pem"),
					    "--tls-key",
					    tls_file("client.key"),
					    NULL};
		const char *const plain[] = {"info", "--server", address, "--timeout-seconds",
					     "10",   NULL};
		const char *const half[] = {
			"info", "--server", address, "--tls-cert", tls_file("client.pem"), NULL};
		struct said said = command_run(good);

		cr_assert_eq(said.result, 0, "%s", said.err);
		cr_assert_eq(command_run(plain).result, 1);
		cr_assert_eq(command_run(half).result, 2);
	}
	cr_assert_eq(served_stop(&served), 0);
}

/* --- what does not start --- */

static const struct {
	const char *config, *listen;
	int result;
	const char *says;
} refused[] = {
	{"", "0.0.0.0:0", 2, "--insecure"},
	{"insecure: false\n", "[::]:0", 2, "--insecure"},
	{"tls: {certificate_file: /nowhere, key_file: /nowhere}\n", "127.0.0.1:0", 1, "/nowhere"},
	{"tls: {certificate_file: /dev/null, key_file: /dev/null}\n", "127.0.0.1:0", 1,
	 "holds no certificate"},
	{"unix_socket: {group: no-such-group-here}\n", "unix:/tmp/sluice-none", 1,
	 "no-such-group-here"},
	{"unix_socket: {group: no-such-group-here}\nmetrics_listen: unix:/tmp/sluice-none\n",
	 "127.0.0.1:0", 1, "no-such-group-here"},
	{"access: {calls_per_second_max: 5}\n", "127.0.0.1:0", 2, "access.api_keys_file"},
};

static struct said try_to_serve(const char *config, const char *listen)
{
	const char *path = path_of("r.yaml");
	const char *const arguments[] = {"serve", "--config", path,       "--data", path_of("own"),
					 "--gpu", "off",      "--listen", listen,   NULL};

	file_write(path, config);
	return command_run(arguments);
}

Test(listeners, do_not_start_with_what_is_wrong)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct said said = try_to_serve(refused[i].config, refused[i].listen);

		cr_assert_eq(said.result, refused[i].result, "%s: %s", refused[i].config, said.err);
		cr_assert_not_null(strstr(said.err, refused[i].says), "%s", said.err);
	}
}

Test(listeners, do_not_start_with_a_key_that_is_not_the_certificates)
{
	struct said said = try_to_serve(text_of("tls: {certificate_file: %s, key_file: %s}\n",
						tls_file("server.pem"), tls_file("next.key")),
					"127.0.0.1:0");

	cr_assert_eq(said.result, 1);
	cr_assert_not_null(strstr(said.err, "cannot be used together"), "%s", said.err);
}

/* By way of a shell, since who lowers a hard limit has it for good. */
Test(listeners, need_room_for_open_files)
{
	const char *script = path_of("few"), *program = getenv("SLUICE_BINARY");
	struct said said;

	file_write(script, text_of("#!/bin/sh\nulimit -n 1024 && exec %s \"$@\"\n", program));
	cr_assert_eq(chmod(script, 0700), 0);
	program = text_of("%s", program);
	setenv("SLUICE_BINARY", script, 1);
	said = try_to_serve("", "127.0.0.1:0");
	setenv("SLUICE_BINARY", program, 1);
	cr_assert_eq(said.result, 1);
	cr_assert_not_null(strstr(said.err, "1024 files open, and needs 4096"), "%s", said.err);
}
