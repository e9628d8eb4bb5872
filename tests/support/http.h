/* tests/support/http.h - ask an HTTP server at a port of 127.0.0.1. */
#ifndef TESTS_SUPPORT_HTTP_H
#define TESTS_SUPPORT_HTTP_H

#include <stddef.h>

/* Send one request (body NULL: none) and read to the end of the connection.  The status; *answer,
 * if answer is not NULL, is the body, to be freed by the caller.  0: no HTTP answer. */
int http_ask(int port, const char *method, const char *path, const void *body, size_t body_bytes,
             char **answer);

/* The same with header lines of its own ("A: b\r\n"; NULL: none). */
int http_ask_with(int port, const char *method, const char *path, const char *headers,
                  const void *body, size_t body_bytes, char **answer);

#endif
