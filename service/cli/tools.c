/* tools - the tools command: definitions for language models, without a server. */
#include "service/schema/tools.h"

#include "service/cli/commands.h"

static status tools_run(struct cli *cli)
{
	const char *word = arguments_value(cli->arguments, "dialect");
	enum tools_dialect dialect = TOOLS_JSON_SCHEMA;
	struct buffer memory = {0};
	SCOPED(buffer) text = &memory;

	if (word && !tools_dialect_named(word, &dialect))
		return arguments_misuse(cli->arguments,
					"--dialect must be json-schema, openai, anthropic or mcp, "
					"not \"%.64s\"",
					word);
	TRY(tools_print(dialect, cli->arena, text));
	fwrite(text->data, 1, text->size, stdout);
	return status_ok();
}

static const struct option tools_options[] = {
	{"dialect", OPTION_VALUE, "D  json-schema, openai, anthropic or mcp (json-schema)"},
};

const struct command tools_command = {
	.name = "tools",
	.usage = "[--dialect D]",
	.summary = "print definitions of the reading calls as tools for a language model",
	.details = "The definitions come from the contract in this program: no server is asked.",
	.options = OPTION_LIST(tools_options),
	.offline = true,
	.run = tools_run,
};
