/* core/httpd.h - a small HTTP server: the console's pages, and what channels report back.
 *
 * Bounded: so many connections at once, a body of at most so many bytes (more is 413), 10 s without
 * a byte ends a connection, and so does a request that has not come whole within 20 s, however
 * steadily it drips.  It knows no TLS: it listens on loopback or behind a proxy.  `answer` runs on
 * the server's threads; with one thread it shall not wait for anything slow.  The only file that
 * includes microhttpd.h.
 */
#ifndef ATTENT_CORE_HTTPD_H
#define ATTENT_CORE_HTTPD_H

#include "core/buf.h"
#include "core/err.h"
#include "core/record.h"

struct http_request {  /* borrowed while answer runs */
    struct str method; /* "GET" */
    struct str path;   /* without the query, percent signs decoded */
    struct str target; /* path and query as they were sent */
    struct str body;
    const struct header *fields; /* in the order they came */
    size_t field_count;
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

struct httpd_options {    /* 0: as it stands behind each */
    unsigned threads;     /* 1; more: `answer` runs on several at once */
    unsigned connections; /* LIMIT_HTTP_CONNECTIONS */
    size_t body_bytes;    /* LIMIT_HTTP_BODY_BYTES */
    int64_t whole_ms;     /* 20 s: until a request has come whole */
};

struct httpd;

/* Listen on "HOST:PORT", "[::1]:PORT" or ":PORT" (every address); port 0: any free one.  options
 * NULL: all as they stand. */
enum err_code httpd_open(const char *address, const struct httpd_options *options,
                         const struct http_handler *handler, struct httpd **out, struct err *err);
int httpd_port(const struct httpd *httpd);
void httpd_close(
    struct httpd *httpd); /* waits for the request that is being answered; NULL allowed */

#endif
