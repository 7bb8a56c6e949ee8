/* restore - a snapshot becomes a collection of a data directory, while no server has it. */
#include "index/backup.h"
#include "service/cli/commands.h"
#include "service/cli/words.h"

static status restore_run(struct cli *cli)
{
	const char *from = cli->arguments->names[0], *to = cli->arguments->names[1];
	struct backup_restored restored;

	TRY(backup_restore(from, to, cli->arena, &restored));
	printf("restored %s as of %s: %s chunks, %.1f MiB\n", restored.backup.collection,
	       restored.backup.id, count_format(restored.backup.chunks).text,
	       (double)restored.backup.bytes / (1 << 20));
	if (restored.key_differs)
		printf("note: %s has a token.key of its own: resume tokens from before are not "
		       "taken there\n",
		       to);
	return status_ok();
}

const struct command restore_command = {
	.name = "restore",
	.usage = "SNAPSHOT DATA_DIR",
	.summary = "make a collection of a snapshot, while no server has the directory",
	.details =
		"SNAPSHOT is the directory of one (sluice help snapshot). Every file is held "
		"against\n"
		"its checksum while it is copied; the collection is there whole, or not at all. A\n"
		"collection of the name must not be there: drop it, or move it away. The first\n"
		"snapshot that comes into a new DATA_DIR brings the key of resume tokens.",
	.names_min = 2,
	.names_max = 2,
	.offline = true,
	.run = restore_run,
};
