/* http_client - what a listener answers to bytes, over a connection of its own. */
#ifndef SLUICE_TESTS_SUPPORT_HTTP_CLIENT_H
#define SLUICE_TESTS_SUPPORT_HTTP_CLIENT_H

/* http_exchange - sends the request as it is and reads until the other end closes, or is silent for ten
 * seconds. address  "127.0.0.1:PORT" or "unix:PATH". The caller frees what comes; NULL: no connection. */
char *http_exchange(const char *address, const char *request);

/* http_get - the body of a 200; NULL: it was another. The caller frees it. */
char *http_get(const char *address, const char *path);

#endif
