/* connectors/net/http.h - one HTTP request and what became of it.
 *
 *     http_send -> TRANSFER_ANSWERED    answer has a status, whatever it is
 *               -> TRANSFER_NOT_SENT    surely: the same request may go again
 *               -> TRANSFER_IN_DOUBT    the server may have acted on it
 *               -> TRANSFER_WRONG       a malformed URL or header: never
 *
 * A status line is an answer, even when the connection breaks in the middle of the body.
 */
#ifndef ATTENT_CONNECTORS_NET_HTTP_H
#define ATTENT_CONNECTORS_NET_HTTP_H

#include "connectors/net/transfer.h"
#include "core/json.h"

struct http_header {
    const char *name;
    struct str value; /* printable; a line break in it is TRANSFER_WRONG */
};

struct http_ask { /* borrowed */
    const char *method;
    struct str url; /* https://, or http:// in a private network */
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    int64_t now_ms; /* wall clock, for a Retry-After that is a date */
    /* May the server get it twice?  Then it goes over a connection that is open already, and goes
     * again if that one was dead.  Otherwise over a new one, and libcurl repeats nothing. */
    bool repeatable;
};

struct http_reply { /* zeroed by the caller, http_reply_free at the end */
    int status;
    struct buf body;        /* at most LIMIT_HTTP_ANSWER_BYTES */
    bool cut;               /* the body is not all of it */
    int64_t retry_after_ms; /* RETRY_AFTER_NONE: none */
};

/* Can requests go to such a URL?  ERR_CONFIG: why not; err does not show it.  No network. */
enum err_code http_url_check(const struct transfer *t, struct str url, struct err *err);

enum transfer_end http_send(struct transfer *t, const struct http_ask *ask, int timeout_ms,
                            struct http_reply *reply, struct err *err);
void http_reply_free(struct http_reply *reply);

struct http_post { /* borrowed */
    struct str url, authorization, content_type, body;
    int64_t now_ms; /* as in http_ask */
};

/* The same for what most providers take a message by: a body with an Authorization, once. */
enum transfer_end http_post(struct transfer *t, const struct http_post *post, int timeout_ms,
                            struct http_reply *reply, struct err *err);

/* Its body as JSON, in arena; VALUE_ABSENT: it is none. */
struct value http_reply_json(const struct http_reply *reply, struct arena *arena);

/* Append text as it stands in a URL: all but letters, digits and -._~ as %XX. */
void http_put_escaped(struct buf *out, struct str text);

#endif
