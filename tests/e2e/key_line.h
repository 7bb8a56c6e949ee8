/* key_line - lines of a file of API keys. */
#ifndef SLUICE_TESTS_E2E_KEY_LINE_H
#define SLUICE_TESTS_E2E_KEY_LINE_H

/* key_line - of the key, which is named after itself; in the session's arena.
 * rest  SCOPES[:COLLECTIONS[:RATE]] */
const char *key_line(const char *key, const char *rest);

#endif
