/* config_load - where the server's configuration comes from: defaults, then a file, then the
 * environment; the flags of the command line, told by the caller, come last.
 */
#ifndef SLUICE_SERVICE_CONFIG_CONFIG_LOAD_H
#define SLUICE_SERVICE_CONFIG_CONFIG_LOAD_H

#include "service/config/server_config.h"

/* For all that a configuration needs while it is read, and for as long as it is used. */
#define CONFIG_ARENA_BYTES ((size_t)64 << 20)

/* The variables that containers set. SLUICE_CONFIG names the file where --config does not. */
struct config_variable {
	const char *name;
	const char *path; /* of the field; NULL: SLUICE_CONFIG */
	bool is_list;     /* parted by commas */
};

#define CONFIG_VARIABLES 5
extern const struct config_variable config_variables[CONFIG_VARIABLES];

/* config_load_file - reads FILE over the config.
 * problems  takes what is wrong with it, with places; the config is then as it was. Also addresses
 *           that need `insecure` where the config has none.
 * Fails: NOT_FOUND PERMISSION_DENIED UNAVAILABLE (the file cannot be read; it is named)
 * RESOURCE_EXHAUSTED */
status config_load_file(const char *file, struct problems *problems, struct server_config *config);

/* config_load_text - the same, of a text. */
status config_load_text(struct bytes text, struct problems *problems, struct server_config *config);

/* config_load_environment - the variables over the config. An empty one is none.
 * Fails: INVALID_ARGUMENT (the variable, and what is wrong) RESOURCE_EXHAUSTED */
status config_load_environment(struct arena *arena, struct server_config *config);

/* config_address_is_local - a unix socket, or a loopback host: 127.x.x.x, [::1], localhost. */
bool config_address_is_local(const char *address);

#endif
