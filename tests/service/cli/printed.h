/* printed - what a command prints, run in the test's process. */
#ifndef SLUICE_TESTS_SERVICE_CLI_PRINTED_H
#define SLUICE_TESTS_SERVICE_CLI_PRINTED_H

#include <stdio.h>

#define PRINTED_WORDS_MAX 8

/* printed_by - runs a command with what goes to the stream in ret, cut at its size.
 * words  behind "sluice", up to NULL; PRINTED_WORDS_MAX at most.
 * stream  stdout or stderr; the other goes where it goes.
 * Returns the exit status. */
int printed_by(const char *const *words, FILE *stream, char *ret, size_t size);

#endif
