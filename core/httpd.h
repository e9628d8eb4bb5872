/* core/httpd.h - a small HTTP server: the console's pages, and what channels report back.
 *
 * One thread of its own answers one request after the other; `answer` runs on it and shall not
 * wait for anything slow.  Bounded: LIMIT_HTTP_CONNECTIONS at once, a body of at most
 * LIMIT_HTTP_BODY_BYTES (more is 413), 10 s without a byte ends a connection.  It knows no TLS:
 * it listens on loopback or behind a proxy.  The only file that includes microhttpd.h.
 */
#ifndef ATTENT_CORE_HTTPD_H
#define ATTENT_CORE_HTTPD_H

#include "core/buf.h"
#include "core/err.h"

struct http_request {  /* borrowed while answer runs */
    struct str method; /* "GET" */
    struct str path;   /* without the query, percent signs decoded */
    struct str body;
};

struct http_answer { /* comes as 200, text/plain, empty */
    int status;
    const char *content_type; /* static */
    struct buf body;          /* filled by answer, freed by the server */
};

struct http_handler {
    void *context;
    void (*answer)(void *context, const struct http_request *request, struct http_answer *answer);
};

struct httpd;

/* Listen on "HOST:PORT", "[::1]:PORT" or ":PORT" (every address); port 0: any free one. */
enum err_code httpd_open(const char *address, const struct http_handler *handler,
                         struct httpd **out, struct err *err);
int httpd_port(const struct httpd *httpd);
void httpd_close(
    struct httpd *httpd); /* waits for the request that is being answered; NULL allowed */

#endif
