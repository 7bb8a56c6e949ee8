/* conflict - what is wrong with fields that are each right. */
#include "service/config/config_load.h"
#include "service/config/server_config.h"

#include <string.h>

/* By the letters alone: a name that would have to be looked up is not trusted to be local. */
bool config_address_is_local(const char *address)
{
	if (strncmp(address, "127.", 4) == 0)
		return address[strspn(address, "0123456789.")] == ':';
	return strncmp(address, "unix:", 5) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
	       strncmp(address, "localhost:", 10) == 0;
}

/* NULL and "" alike, for what a test makes by hand. */
static bool is_given(const char *text)
{
	return text && *text;
}

/* Fields that need another one. */
static const char *missing(const struct server_config *config, const char **ret_path,
			   const char **ret_sentence)
{
	const struct {
		const char *path, *given, *other, *sentence;
	} needs[] = {
		{"tls.certificate_file", config->tls.certificate_file, config->tls.key_file,
		 "a certificate needs \"tls.key_file\""},
		{"tls.key_file", config->tls.key_file, config->tls.certificate_file,
		 "a key needs \"tls.certificate_file\""},
		{"tls.client_ca_file", config->tls.client_ca_file, config->tls.certificate_file,
		 "a client CA needs \"tls.certificate_file\""},
		{"access.certificates_file", config->access.certificates_file,
		 config->tls.client_ca_file,
		 "names of certificates need \"tls.client_ca_file\", by which they are verified"},
	};

	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
		if (!is_given(needs[i].given) || is_given(needs[i].other))
			continue;
		*ret_path = needs[i].path;
		*ret_sentence = needs[i].sentence;
		return "needs";
	}
	return NULL;
}

const char *server_config_conflict(const struct server_config *config, struct arena *arena,
				   const char **ret_path, const char **ret_sentence)
{
	bool encrypted = is_given(config->tls.certificate_file);

	for (size_t i = 0; i < config->n_listen && !config->insecure && !encrypted; i++) {
		const char *address = config->listen[i];

		if (config_address_is_local(address))
			continue;
		*ret_path = arena_printf(arena, "listen[%zu]", i);
		*ret_sentence = arena_printf(
			arena,
			"%s: plaintext beyond this machine needs \"insecure: true\", or \"tls\"",
			problem_quote(arena, bytes_of_string(address)));
		return "insecure";
	}
	/* It has no TLS, whatever the others have. */
	if (!config->insecure && is_given(config->metrics_listen) &&
	    !config_address_is_local(config->metrics_listen)) {
		*ret_path = "metrics_listen";
		*ret_sentence = arena_printf(
			arena, "%s: metrics beyond this machine need \"insecure: true\"",
			problem_quote(arena, bytes_of_string(config->metrics_listen)));
		return "insecure_metrics";
	}
	if (config->access.calls_per_second_max && !is_given(config->access.api_keys_file) &&
	    !is_given(config->access.certificates_file)) {
		*ret_path = "access.calls_per_second_max";
		*ret_sentence = "a rate for each credential needs \"access.api_keys_file\" or "
				"\"access.certificates_file\"";
		return "needs";
	}
	return missing(config, ret_path, ret_sentence);
}
