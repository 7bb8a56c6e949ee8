/* shim - symbols in the place of libc's and LMDB's, in a server. */
#undef _FORTIFY_SOURCE
#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where a call may come from: the program, and liblmdb.so. */
struct range {
	uintptr_t begin, end;
};

static struct shim *shared;
static struct range ranges[2];

static int note_range(struct dl_phdr_info *info, size_t size, void *context)
{
	bool is_program = !info->dlpi_name[0], is_lmdb = strstr(info->dlpi_name, "liblmdb");

	(void)size, (void)context;
	for (int i = 0; i < info->dlpi_phnum && (is_program || is_lmdb); i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		struct range *range = &ranges[is_lmdb];
		uintptr_t begin = info->dlpi_addr + part->p_vaddr;

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		if (!range->begin || begin < range->begin)
			range->begin = begin;
		if (begin + part->p_memsz > range->end)
			range->end = begin + part->p_memsz;
	}
	return 0;
}

/* Where no file is named the server is as ever. */
static __attribute__((constructor)) void open_shared(void)
{
	const char *path = getenv(SHIM_VARIABLE);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	dl_iterate_phdr(note_range, NULL);
	if (page != MAP_FAILED)
		shared = page;
}

static bool is_ours(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	return (at >= ranges[0].begin && at < ranges[0].end) ||
	       (at >= ranges[1].begin && at < ranges[1].end);
}

/* What a call is to fail with; 0: it goes on. */
static int now(enum shim_kind kind, const void *caller)
{
	long n, nth;

	if (!shared || atomic_load(&shared->kind) != (int)kind || !is_ours(caller))
		return 0;
	n = atomic_fetch_add(&shared->calls, 1);
	nth = atomic_load(&shared->nth);
	if (nth < 0 || n != nth)
		return 0;
	atomic_fetch_add(&shared->struck, 1);
	return atomic_load(&shared->error);
}

/* The real one, found at its first use. dlsym gives an object's address, and ISO C has no cast of it to a
 * function's. */
#define REAL(name)                                                                                 \
	__extension__({                                                                            \
		static __typeof__(&(name)) real_;                                                  \
		if (!real_) {                                                                      \
			void *found_ = dlsym(RTLD_NEXT, #name);                                    \
			memcpy(&real_, &found_, sizeof found_);                                    \
		}                                                                                  \
		real_;                                                                             \
	})

/* --- memory: glibc's own names for what is real, since dlsym may allocate --- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

#define CALLER __builtin_return_address(0)

static bool no_memory(const void *caller)
{
	if (!now(SHIM_MEMORY, caller))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return no_memory(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return no_memory(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
	return no_memory(CALLER) ? NULL : __libc_realloc(at, size);
}

void *reallocarray(void *at, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all) || no_memory(CALLER)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(at, all);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return no_memory(CALLER) ? NULL : __libc_memalign(alignment, size);
}

char *strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = no_memory(CALLER) ? NULL : __libc_malloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

/* --- threads --- */

int pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument)
{
	if (now(SHIM_THREAD, CALLER))
		return EAGAIN;
	return REAL(pthread_create)(ret, attributes, run, argument);
}

/* --- files --- */

static bool fails(const void *caller)
{
	int error = now(SHIM_FILE, caller);

	if (error)
		errno = error;
	return error;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return fails(CALLER) ? -1 : REAL(open)(path, flags, mode);
}

/* Of files alone: descriptors of the log and of sockets are not what is asked. */
static bool file_fails(int fd, const void *caller)
{
	struct stat about;

	return shared && atomic_load(&shared->kind) == SHIM_FILE && is_ours(caller) &&
	       fstat(fd, &about) == 0 && (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)) &&
	       fails(caller);
}

ssize_t pread(int fd, void *ret, size_t size, off_t offset)
{
	return file_fails(fd, CALLER) ? -1 : REAL(pread)(fd, ret, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return file_fails(fd, CALLER) ? -1 : REAL(pwrite)(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
	return file_fails(fd, CALLER) ? -1 : REAL(writev)(fd, parts, n);
}

int fsync(int fd)
{
	return file_fails(fd, CALLER) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	return file_fails(fd, CALLER) ? -1 : REAL(fdatasync)(fd);
}

int ftruncate(int fd, off_t size)
{
	return file_fails(fd, CALLER) ? -1 : REAL(ftruncate)(fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
	return file_fails(fd, CALLER) ? -1 : REAL(fallocate)(fd, mode, offset, size);
}

int rename(const char *from, const char *to)
{
	return fails(CALLER) ? -1 : REAL(rename)(from, to);
}

int link(const char *from, const char *to)
{
	return fails(CALLER) ? -1 : REAL(link)(from, to);
}

int unlink(const char *path)
{
	return fails(CALLER) ? -1 : REAL(unlink)(path);
}

int mkdir(const char *path, mode_t mode)
{
	return fails(CALLER) ? -1 : REAL(mkdir)(path, mode);
}

int rmdir(const char *path)
{
	return fails(CALLER) ? -1 : REAL(rmdir)(path);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fails(CALLER) ? MAP_FAILED : REAL(mmap)(at, size, protection, flags, fd, offset);
}

/* --- LMDB --- */

#define IN_PLACE_OF(name, parameters, arguments)                                                   \
	int name parameters                                                                        \
	{                                                                                          \
		int error = now(SHIM_LMDB, CALLER);                                                \
                                                                                                   \
		return error ? error : REAL(name) arguments;                                       \
	}

IN_PLACE_OF(mdb_env_create, (MDB_env * *ret), (ret))
IN_PLACE_OF(mdb_env_set_mapsize, (MDB_env * env, size_t size), (env, size))
IN_PLACE_OF(mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
	    (env, path, flags, mode))
IN_PLACE_OF(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **ret),
	    (env, parent, flags, ret))
IN_PLACE_OF(mdb_txn_renew, (MDB_txn * txn), (txn))
IN_PLACE_OF(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *ret),
	    (txn, name, flags, ret))
IN_PLACE_OF(mdb_stat, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *ret), (txn, dbi, ret))
IN_PLACE_OF(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *ret), (txn, dbi, key, ret))
IN_PLACE_OF(mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
	    (txn, dbi, key, data, flags))
IN_PLACE_OF(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
	    (txn, dbi, key, data))
IN_PLACE_OF(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **ret), (txn, dbi, ret))
IN_PLACE_OF(mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *ret, MDB_cursor_op op),
	    (cursor, key, ret, op))

int mdb_txn_commit(MDB_txn *txn)
{
	int error = now(SHIM_LMDB, CALLER);

	if (!error)
		return REAL(mdb_txn_commit)(txn);
	mdb_txn_abort(txn);
	return error;
}
