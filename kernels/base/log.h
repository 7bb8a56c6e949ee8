/* log - one line an event to standard error: time, level, message.
 *
 * Errors are logged once, where a call ends. Past so many lines a second lines are dropped and the
 * next second says how many. Safe from any thread; never fails, never allocates.
 *
 * Nothing that a client stores, asks with or shows as a credential belongs into a line: no vector, no
 * text, no key, no token.
 */
#ifndef SLUICE_KERNELS_BASE_LOG_H
#define SLUICE_KERNELS_BASE_LOG_H

#include <stddef.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* log_set_level - lines below level are not written. LOG_INFO from the start. */
void log_set_level(enum log_level level);

/* log_set_format - LOG_TEXT from the start; LOG_JSON makes each line an object: time, level, message, all
 * strings, and the fields of log_event. */
enum log_format { LOG_TEXT, LOG_JSON };
void log_set_format(enum log_format format);

/* log_set_rate - lines a second at most. 1,000 from the start. */
void log_set_rate(unsigned lines_per_second);

/* log_write - printf; control characters in the result are written as \xNN, and it is cut at
 * 1,000 bytes, so that no input can forge a line. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log_field {
	const char *name; /* a to z and _ */
	const char *text; /* NULL: the number is the value */
	double number;
};

/* log_event - a line with values of their own: "message name=value ..." as text, members of the object in
 * JSON. Texts are escaped as a message is, in "" where they hold a space; what is beyond 1,000 bytes is
 * left out from the first field on that has no room. */
void log_event(enum log_level level, const char *message, const struct log_field *fields, size_t n);

#endif
