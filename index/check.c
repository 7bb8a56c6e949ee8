/* check - the directory, and a child for each collection in it. */
#include "index/check.h"

#include "index/backup_file.h"
#include "index/backup_manifest.h"
#include "index/catalogue.h"
#include "index/check_report.h"
#include "index/directory.h"
#include "index/file/file_io.h"
#include "index/resume_token.h"
#include "kernels/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_ARENA_BYTES ((size_t)256 << 20)
#define HEARD_ARENA_BYTES ((size_t)4 << 20)

struct directory_check {
	const char *directory, *root;
	const struct check_listener *listener;
	struct arena *arena;
	int lock; /* -1: none */
	char (*names)[COLLECTION_NAME_MAX + 1];
	size_t n, n_max;
};

static void directory_check_finish(struct directory_check *check)
{
	if (check->lock >= 0)
		close(check->lock);
	free(check->names);
}

SCOPE_DEFINE(directory_check, directory_check_finish)

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to check a directory");
}

/* --- one collection --- */

struct hearing {
	const struct directory_check *check;
	struct check_collection *collection;
	char file[256], part[128]; /* what was read last */
};

static void find(struct hearing *hearing, bool damage, const char *file, const char *what)
{
	const struct check_listener *listener = hearing->check->listener;

	hearing->collection->n_damages += damage;
	listener->finding(listener->context, &(struct check_finding){
						     .damage = damage,
						     .collection = hearing->collection->name,
						     .file = file,
						     .what = what,
					     });
}

static void copy_text(char *ret, size_t room, const char *text)
{
	size_t size = strnlen(text, room - 1);

	memcpy(ret, text, size);
	ret[size] = '\0';
}

static void hear(struct hearing *hearing, const struct check_said *said)
{
	char what[512];

	switch (said->kind) {
	case CHECK_DAMAGE:
	case CHECK_NOTE:
		find(hearing, said->kind == CHECK_DAMAGE, said->file, said->what);
		return;
	case CHECK_PART:
		copy_text(hearing->file, sizeof hearing->file, said->file);
		copy_text(hearing->part, sizeof hearing->part, said->what);
		return;
	case CHECK_FAILED:
		copy_text(what, sizeof what, "it cannot be read: ");
		copy_text(what + strlen(what), sizeof what - strlen(what), said->what);
		find(hearing, true, hearing->file, what);
		return;
	case CHECK_COUNTS:
		hearing->collection->counts = said->counts;
		return;
	}
}

/* In the child, which is not to outlive its parent, nor to leave a core or LMDB's last words. */
static _Noreturn void child_run(int descriptor, const char *directory, const char *name)
{
	const struct rlimit none = {0, 0};
	int nowhere = file_open("/dev/null", O_WRONLY);
	struct arena arena;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	if (nowhere >= 0)
		dup2(nowhere, STDERR_FILENO);
	arena_init(&arena, CHILD_ARENA_BYTES);
	check_collection_run(descriptor, directory, name, &arena);
	_exit(0);
}

static void tell_death(struct hearing *hearing, int how)
{
	char what[256];

	if (WIFSIGNALED(how))
		snprintf(what, sizeof what,
			 "reading it (%s) ended in signal %d: it is damaged in a way that LMDB "
			 "does not bear, and what is behind was not looked at",
			 hearing->part, WTERMSIG(how));
	else
		snprintf(what, sizeof what, "reading it (%s) ended with status %d", hearing->part,
			 WEXITSTATUS(how));
	find(hearing, true, hearing->file, what);
}

static void hear_child(struct hearing *hearing, int descriptor, pid_t child)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct check_said said;
	int how = 0;

	arena_init(arena, HEARD_ARENA_BYTES);
	while (check_hear(descriptor, arena, &said)) {
		hear(hearing, &said);
		arena_reset(arena);
	}
	while (waitpid(child, &how, 0) < 0 && errno == EINTR)
		;
	if (how != 0)
		tell_death(hearing, how);
}

static status check_collection(const struct directory_check *check, const char *name)
{
	const char *path = arena_printf(check->arena, "%s/%s", check->root, name);
	struct check_collection collection = {.name = name};
	struct hearing hearing = {.check = check, .collection = &collection};
	const struct check_listener *listener = check->listener;
	int ends[2];
	pid_t child;

	if (!path)
		return no_memory();
	if (pipe2(ends, O_CLOEXEC))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "no pipe can be made");
	fflush(NULL);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		child_run(ends[1], path, name);
	}
	close(ends[1]);
	if (child > 0)
		hear_child(&hearing, ends[0], child);
	close(ends[0]);
	if (child < 0)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "no process can be made");
	listener->collection(listener->context, &collection);
	return status_ok();
}

/* --- the directory --- */

static void find_here(const struct directory_check *check, bool damage, const char *file,
		      const char *what)
{
	const struct check_finding finding = {.damage = damage, .file = file, .what = what};

	check->listener->finding(check->listener->context, &finding);
}

static status note_entry(void *context, const char *name)
{
	struct directory_check *check = context;

	if (!catalogue_name_valid(bytes_of_string(name))) {
		const char *file = arena_printf(check->arena, "collections/%s", name);

		find_here(check, false, file ? file : name,
			  "no collection: what is half made or half dropped is removed at the next "
			  "start, and anything else left alone");
		return status_ok();
	}
	if (check->n == check->n_max) {
		size_t n_max = check->n_max ? 2 * check->n_max : 16;
		void *names = reallocarray(check->names, n_max, sizeof *check->names);

		if (!names)
			return no_memory();
		check->names = names;
		check->n_max = n_max;
	}
	copy_text(check->names[check->n++], sizeof *check->names, name);
	return status_ok();
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* --- snapshots --- */

static status check_snapshot_file(const struct directory_check *check, const char *name,
				  const struct backup_file *wanted)
{
	const char *file = arena_printf(check->arena, "snapshots/%s/%s", name, wanted->name);
	const char *path =
		file ? arena_printf(check->arena, "%s/%s", check->directory, file) : NULL;
	struct backup_file found = {0};
	const char *how;
	status s;

	if (!path)
		return no_memory();
	s = backup_file_copy(path, NULL, NULL, check->arena, &found);
	if (s.code == STATUS_NOT_FOUND) {
		find_here(check, true, file, "the file is not there");
		return status_ok();
	}
	TRY(s);
	how = backup_file_judge(wanted, &found);
	if (how)
		find_here(check, true, file, how);
	return status_ok();
}

static status check_snapshot(void *context, const char *name)
{
	const struct directory_check *check = context;
	const char *file = arena_printf(check->arena, "snapshots/%s", name);
	const char *path =
		file ? arena_printf(check->arena, "%s/%s", check->directory, file) : NULL;
	struct backup backup;
	status s;

	if (!path)
		return no_memory();
	if (name[0] == '.') {
		find_here(check, false, file,
			  "no snapshot: what is half made or half removed is removed at the next "
			  "start, and anything else left alone");
		return status_ok();
	}
	s = backup_manifest_read(path, check->arena, &backup);
	if (s.code == STATUS_RESOURCE_EXHAUSTED)
		return s;
	if (status_failed(s)) {
		find_here(check, true, file, s.detail);
		return status_ok();
	}
	for (size_t i = 0; i < backup.n_files; i++)
		TRY(check_snapshot_file(check, name, &backup.files[i]));
	return status_ok();
}

static status check_snapshots(struct directory_check *check)
{
	const char *path = arena_printf(check->arena, "%s/snapshots", check->directory);
	status s;

	if (!path)
		return no_memory();
	s = directory_each(path, check->arena, check_snapshot, check);
	return s.code == STATUS_NOT_FOUND ? status_ok() : s;
}

/* --- all together --- */

/* Without the key a server makes a new one. */
static status check_key(const struct directory_check *check)
{
	const char *path = arena_printf(check->arena, "%s/token.key", check->directory);
	struct resume_key key;
	status s;

	if (!path)
		return no_memory();
	if (access(path, F_OK)) {
		find_here(check, false, "token.key",
			  "not there: resume tokens that are out will not be taken");
		return status_ok();
	}
	s = resume_key_load(check->directory, check->arena, &key);
	if (s.code != STATUS_DATA_LOSS)
		return s;
	find_here(check, true, "token.key", s.detail);
	return status_ok();
}

/* A directory that no server has opened has no lock. */
static status take_lock(struct directory_check *check)
{
	const char *path = arena_printf(check->arena, "%s/lock", check->directory);
	status s;

	if (!path)
		return no_memory();
	s = directory_lock_shared(path, check->arena, &check->lock);
	return s.code == STATUS_NOT_FOUND ? status_ok() : s;
}

status check_directory(const char *directory, const struct check_listener *listener,
		       struct arena *arena)
{
	SCOPED(directory_check) check = &(struct directory_check){
		.directory = directory,
		.root = arena_printf(arena, "%s/collections", directory),
		.listener = listener,
		.arena = arena,
		.lock = -1,
	};

	if (!check->root)
		return no_memory();
	TRY(take_lock(check));
	TRY(directory_each(check->root, arena, note_entry, check));
	TRY(check_key(check));
	if (check->n > 0)
		qsort(check->names, check->n, sizeof *check->names, compare_names);
	for (size_t i = 0; i < check->n; i++)
		TRY(check_collection(check, check->names[i]));
	return check_snapshots(check);
}
