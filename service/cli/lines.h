/* lines - the lines of a file, one at a time, each of bounded length.
 *
 *	while ((step = lines_next(lines, &line)) == LINES_LINE) ...
 *
 * Lines that hold nothing but blanks are passed over, but counted in the line number.
 */
#ifndef SLUICE_SERVICE_CLI_LINES_H
#define SLUICE_SERVICE_CLI_LINES_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <stdint.h>

/* More than any chunk that a server takes, with a vector written out in decimal. */
#define LINE_MAX_BYTES (4U << 20)

struct lines;

/* lines_open - arena  owns details, of this and of later calls. path  is borrowed.
 * Fails: UNAVAILABLE where the file cannot be opened */
status lines_open(struct arena *arena, const char *path, struct lines **ret);
void lines_close(struct lines *lines);

SCOPE_DEFINE(lines, lines_close)

enum lines_step { LINES_LINE, LINES_END, LINES_FAIL };

/* lines_next - ret  the line without its end, borrowed until the next call, with a NUL behind it.
 * LINES_FAIL: a line that is too long, or a read that failed; see lines_failure. */
enum lines_step lines_next(struct lines *lines, struct bytes *ret);
status lines_failure(const struct lines *lines);

/* lines_number - of the line that lines_next gave last, from 1. */
uint64_t lines_number(const struct lines *lines);
/* lines_read_bytes - how far the file was read; lines_size_bytes - its size, 0 if unknown. */
uint64_t lines_read_bytes(const struct lines *lines);
uint64_t lines_size_bytes(const struct lines *lines);
const char *lines_path(const struct lines *lines);

/* lines_complain - failed's code and detail, with the file and the line in front. */
status lines_complain(const struct lines *lines, status failed);

#endif
