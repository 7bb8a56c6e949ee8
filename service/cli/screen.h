/* screen - text of others on the user's terminal: no control character of theirs gets there. */
#ifndef SLUICE_SERVICE_CLI_SCREEN_H
#define SLUICE_SERVICE_CLI_SCREEN_H

#include "kernels/base/bytes.h"

#include <stdbool.h>
#include <stdio.h>

/* screen_colours - whether out is a terminal and NO_COLOR is not set. */
bool screen_colours(FILE *out);

/* screen_line - appends the first line of text that is not blank, at most columns characters, the
 * last of them an ellipsis where more was there. Control characters become blanks. */
void screen_line(struct buffer *buffer, const char *text, size_t columns);

/* screen_block - appends the whole text, each line behind indent and with a line end. */
void screen_block(struct buffer *buffer, const char *text, const char *indent);

#endif
