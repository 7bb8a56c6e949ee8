/* commands - what a command of the client is, and the list of them.
 *
 * A command gets its parsed arguments and a client, and answers with a status: cli.c prints the
 * detail of one that failed and makes the exit status of it.
 */
#ifndef SLUICE_SERVICE_CLI_COMMANDS_H
#define SLUICE_SERVICE_CLI_COMMANDS_H

#include "service/cli/arguments.h"
#include "service/cli/client.h"

#include <stdio.h>

struct cli {
	struct arena *arena; /* for the whole command: bounded things only */
	struct arguments *arguments;
	struct client *client;
};

struct command {
	const char *name;
	const char *usage;   /* what stands behind the name */
	const char *summary; /* what it does, in lower case and without a full stop */
	const char *details; /* more lines for its help, or NULL */
	struct option_list options;
	size_t names_min, names_max;
	bool offline; /* works without a server: cli->client is NULL */
	status (*run)(struct cli *cli);
};

#define OPTION_LIST(options) {(options), sizeof(options) / sizeof *(options)}

extern const struct command key_command, load_command, check_command, restore_command,
	repair_command;
extern const struct command create_command, import_command, export_command, search_command,
	get_command, list_command, count_command, delete_command, collections_command, drop_command,
	info_command, bench_command, tools_command, cursors_command, cancel_command,
	optimize_command, snapshot_command;

/* cli_flush - hands to standard output what was printed; a failure of any print shows here.
 * Fails: UNAVAILABLE */
status cli_flush(void);

/* cli_name - the i-th name of the arguments, as protobuf-c takes it. */
char *cli_name(const struct cli *cli, size_t i);

/* A protobuf-c message that frees itself: SCOPED(answer) answer = NULL; */
struct answer {
	ProtobufCMessage base;
};

static inline void answer_free(struct answer *answer)
{
	if (answer)
		protobuf_c_message_free_unpacked(&answer->base, NULL);
}

SCOPE_DEFINE(answer, answer_free)

/* cli_ask - client_unary into a SCOPED(answer). */
static inline status cli_ask(struct cli *cli, const struct method *method,
			     const ProtobufCMessage *request, struct answer **ret)
{
	ProtobufCMessage *message;

	TRY(client_unary(cli->client, method, request, &message));
	*ret = (struct answer *)message;
	return status_ok();
}

/* cli_receive - client_call_receive into a SCOPED(answer), which is freed first. */
static inline status cli_receive(struct client_call *call, struct answer **ret)
{
	ProtobufCMessage *message;

	answer_free(TAKE(*ret));
	TRY(client_call_receive(call, &message));
	*ret = (struct answer *)message;
	return status_ok();
}

#endif
