/* tests/support/peer.h - an HTTP server that does what a test tells it, also what none should.
 *
 *   struct peer *peer = peer_open((struct peer_step[]){{PEER_SILENT}, {.status = 200}}, 2, PEER_TLS);
 *   ... peer_url(peer), peer_ca_file(peer) ...
 *   ck_assert_uint_eq(peer_count(peer), 2);
 *   peer_close(peer);
 *
 * Each request takes the next step; the last one stays.  A step that reads nothing is taken by the
 * connection.  It listens on a free port of 127.0.0.1 and has threads of its own, which end with
 * peer_close; open it in the test that uses it.
 */
#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include "core/str.h"

struct peer;

enum peer_act {
    PEER_ANSWER = 0,    /* status, headers, body */
    PEER_CLOSE_UNREAD,  /* accept and close; with TLS: in the middle of the handshake */
    PEER_SILENT_UNREAD, /* accept and read nothing */
    PEER_SILENT,        /* read the request and say nothing */
    PEER_CLOSE,         /* read the request and close */
    PEER_CLOSE_MIDDLE,  /* close after half of the body */
    PEER_GARBAGE,       /* answer what is no HTTP */
    PEER_DRIP,          /* the answer, a byte every 50 ms */
    PEER_DRIP_BODY,     /* the head at once, the body so */
    PEER_BIG,           /* status with a body of 4 MiB */
};

struct peer_step {
    enum peer_act act;
    int status;          /* 0: 200 */
    const char *headers; /* lines with \r\n; NULL: none */
    const char *body;    /* NULL: empty */
};

enum peer_mode { PEER_PLAIN, PEER_TLS };

struct peer_request {
    struct str method, target; /* "POST", "/hook?x=1" */
    struct str head;           /* the header lines */
    struct str body;
};

/* The steps are copied, their texts borrowed.  Never NULL. */
struct peer *peer_open(const struct peer_step *steps, size_t count, enum peer_mode mode);

/* A server that thinks: answer is called for each request, by one thread at a time. */
struct peer *peer_open_with(struct peer_step (*answer)(void *context,
                                                       const struct peer_request *request),
                            void *context, enum peer_mode mode);

/* Ends all threads, closes all connections; NULL allowed. */
void peer_close(struct peer *peer);

int peer_port(const struct peer *peer);
const char *peer_url(const struct peer *peer);     /* "https://localhost:PORT", without a path */
const char *peer_ca_file(const struct peer *peer); /* of TLS; "" for a plain one */

/* What has come so far.  A request stays valid until peer_close. */
size_t peer_count(struct peer *peer);       /* whole requests */
size_t peer_connections(struct peer *peer); /* connections accepted */
const struct peer_request *peer_request(struct peer *peer, size_t index);

/* The value of a header, whatever its case; STR_EMPTY: not there. */
struct str peer_header(const struct peer_request *request, const char *name);

#endif
