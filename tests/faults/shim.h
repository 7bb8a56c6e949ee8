/* shim - has the nth call of a kind fail in a server, from outside.
 *
 * The shim is a library that is loaded before libc (LD_PRELOAD) and shares a page with the test: the file
 * that SLUICE_SHIM names. Memory and threads are those that our own program asks for, and LMDB: gRPC
 * ends the process where it has no memory, and says so. Files are those of LMDB and of index/.
 */
#ifndef SLUICE_TESTS_FAULTS_SHIM_H
#define SLUICE_TESTS_FAULTS_SHIM_H

#include <stdatomic.h>

enum shim_kind { SHIM_NONE, SHIM_MEMORY, SHIM_THREAD, SHIM_FILE, SHIM_LMDB };

/* Shared. kind is written last, and stops all as SHIM_NONE. */
struct shim {
	_Atomic int kind;
	_Atomic int error;  /* an errno, or a result of LMDB's */
	_Atomic long nth;   /* below 0: none */
	_Atomic long calls; /* so far */
	_Atomic long struck;
};

#define SHIM_VARIABLE "SLUICE_SHIM"

#endif
