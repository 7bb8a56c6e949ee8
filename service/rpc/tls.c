/* tls - certificates from files, looked at again at every handshake. */
#include "service/rpc/tls.h"

#include "kernels/base/log.h"
#include "service/file_print.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)

enum { CERTIFICATE, KEY, CLIENT_CA, N_FILES };

static const char *const labels[N_FILES] = {"CERTIFICATE-----", "PRIVATE KEY-----",
					    "CERTIFICATE-----"};

struct tls {
	const char *paths[N_FILES]; /* the last may be NULL */
	grpc_ssl_client_certificate_request_type request;
	pthread_mutex_t lock; /* of all below */
	struct file_print prints[N_FILES];
	bool loaded; /* prints is of what the core has been given */
};

/* NULL, with errno, where it cannot be read. To be freed. */
static char *file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? malloc(FILE_BYTES_MAX + 1) : NULL;
	size_t n = 0;
	ssize_t got = text ? 1 : -1;

	while (got > 0 && n < FILE_BYTES_MAX) {
		got = read(fd, text + n, FILE_BYTES_MAX - n);
		n += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0) {
		int failed = errno;

		close(fd);
		errno = failed;
	}
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[n] = 0;
	return text;
}

/* A key is not left in memory that is given back. */
static void file_forget(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* What is wrong with the files; NULL: nothing. texts  [N_FILES] to be forgotten. */
static const char *read_all(const struct tls *tls, char *texts[N_FILES], const char **ret_path)
{
	for (int i = 0; i < N_FILES; i++) {
		if (!tls->paths[i])
			continue;
		*ret_path = tls->paths[i];
		texts[i] = file_read(tls->paths[i]);
		if (!texts[i])
			return strerror(errno);
		if (!strstr(texts[i], labels[i]))
			return i == KEY ? "holds no private key in PEM"
					: "holds no certificate in PEM";
	}
	return NULL;
}

static void forget_all(char *texts[N_FILES])
{
	for (int i = 0; i < N_FILES; i++)
		file_forget(texts[i]);
}

/* Asked by the core: when a listener is made, and before each handshake. */
static grpc_ssl_certificate_config_reload_status fetch(void *context,
						       grpc_ssl_server_certificate_config **ret)
{
	struct tls *tls = context;
	grpc_ssl_certificate_config_reload_status result = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
	struct file_print now[N_FILES];
	char *texts[N_FILES] = {0};
	const char *path = "", *wrong;
	grpc_ssl_pem_key_cert_pair pair;

	pthread_mutex_lock(&tls->lock);
	/* Before they are read: what is written meanwhile is seen next time. */
	file_prints_take(tls->paths, now, N_FILES);
	if (tls->loaded && file_prints_equal(now, tls->prints, N_FILES)) {
		pthread_mutex_unlock(&tls->lock);
		return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
	}
	wrong = read_all(tls, texts, &path);
	if (wrong) {
		log_write(LOG_WARNING, "tls: %s: %s; what was there before goes on", path, wrong);
		result = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
	} else {
		pair = (grpc_ssl_pem_key_cert_pair){texts[KEY], texts[CERTIFICATE]};
		/* The core wants a CA in any case, and aborts without; where no client is asked for
		 * a certificate it makes no use of it. */
		*ret = grpc_ssl_server_certificate_config_create(
			texts[CLIENT_CA] ? texts[CLIENT_CA] : texts[CERTIFICATE], &pair, 1);
		if (tls->loaded)
			log_write(LOG_INFO, "tls: %s was read again", tls->paths[CERTIFICATE]);
	}
	forget_all(texts);
	/* A file that cannot be used is said so once, not at every handshake. */
	memcpy(tls->prints, now, sizeof now);
	tls->loaded = true;
	pthread_mutex_unlock(&tls->lock);
	return result;
}

status tls_open(const struct rpc_tls *files, struct arena *arena, struct tls **ret)
{
	SCOPED(tls) tls = calloc(1, sizeof *tls);
	char *texts[N_FILES] = {0};
	const char *path = "", *wrong;

	if (!tls)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for certificates");
	tls->paths[CERTIFICATE] = files->certificate_file;
	tls->paths[KEY] = files->key_file;
	tls->paths[CLIENT_CA] = files->client_ca_file;
	tls->request = GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
	if (files->client_ca_file)
		tls->request = files->client_optional
				       ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
				       : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
	pthread_mutex_init(&tls->lock, NULL);
	wrong = read_all(tls, texts, &path);
	forget_all(texts);
	if (wrong)
		return status_format(arena, STATUS_INVALID_ARGUMENT, "tls: %s: %s", path, wrong);
	*ret = TAKE(tls);
	return status_ok();
}

void tls_close(struct tls *tls)
{
	if (!tls)
		return;
	pthread_mutex_destroy(&tls->lock);
	free(tls);
}

grpc_server_credentials *tls_credentials(struct tls *tls)
{
	/* Takes the options. What it accepts at least is TLS 1.2. */
	return grpc_ssl_server_credentials_create_with_options(
		grpc_ssl_server_credentials_create_options_using_config_fetcher(tls->request, fetch,
										tls));
}
