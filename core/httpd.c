/* Connections are kept in a list, each with the time at which its request began.  A thread looks
 * through them once in a while and shuts down the socket of one that takes too long: libmicrohttpd
 * ends a connection on which nothing comes, but not one on which something comes slowly. */
#include "core/httpd.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/limit.h"
#include "core/mem.h"

enum {
    IDLE_SECONDS = 10,
    HOST_BYTES_MAX = 255,
    WHOLE_MS = 20000,
    LOOK_MS = 200, /* how often a connection's time is looked at */
    FIELDS_MAX = 100,
};

struct guest { /* an open connection */
    int socket;
    int64_t since_ms; /* monotonic: its request began; INT64_MAX: it is being answered */
    struct guest *next, **link;
};

struct httpd {
    struct MHD_Daemon *daemon;
    struct http_handler handler;
    size_t body_bytes_max;
    int64_t whole_ms;
    pthread_t porter;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t closing_said;
    bool closing, has_porter;
    struct guest *guests;
};

/* A request whose body is coming in. */
struct exchange {
    char *target;
    struct buf body;
    bool begun, too_large;
    struct header fields[FIELDS_MAX];
    size_t field_count;
};

/* --- who is here ---------------------------------------------------------------------------------- */

static void welcome(struct httpd *httpd, struct MHD_Connection *connection, void **of_connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct guest *guest = MEM_NEW(struct guest);

    guest->socket = info->connect_fd;
    guest->since_ms = clock_mono_ms();
    pthread_mutex_lock(&httpd->lock);
    guest->next = httpd->guests;
    guest->link = &httpd->guests;
    if (guest->next != NULL)
        guest->next->link = &guest->next;
    httpd->guests = guest;
    pthread_mutex_unlock(&httpd->lock);
    *of_connection = guest;
}

static void see_off(struct httpd *httpd, struct guest *guest)
{
    pthread_mutex_lock(&httpd->lock);
    *guest->link = guest->next;
    if (guest->next != NULL)
        guest->next->link = guest->link;
    pthread_mutex_unlock(&httpd->lock);
    mem_free(guest);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **of_connection,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        welcome(context, connection, of_connection);
    else if (*of_connection != NULL)
        see_off(context, *of_connection);
}

static void set_since(struct httpd *httpd, struct MHD_Connection *connection, int64_t since_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct guest *guest = info->socket_context;

    pthread_mutex_lock(&httpd->lock);
    guest->since_ms = since_ms;
    pthread_mutex_unlock(&httpd->lock);
}

/* Show those the door whose request has not come whole in time.  The socket is shut down, not
 * closed: it is the server's, which then sees its end.  It cannot be closed meanwhile, because the
 * server says so first, and waits for the lock. */
static void *watch_guests(void *of)
{
    struct httpd *httpd = of;

    pthread_mutex_lock(&httpd->lock);
    while (!httpd->closing) {
        int64_t now_ms = clock_mono_ms();
        const struct timespec until = {(now_ms + LOOK_MS) / 1000,
                                       (now_ms + LOOK_MS) % 1000 * 1000000};
        for (struct guest *guest = httpd->guests; guest != NULL; guest = guest->next)
            if (guest->since_ms < now_ms - httpd->whole_ms)
                shutdown(guest->socket, SHUT_RDWR);
        pthread_cond_timedwait(&httpd->closing_said, &httpd->lock, &until);
    }
    pthread_mutex_unlock(&httpd->lock);
    return NULL;
}

/* --- requests ------------------------------------------------------------------------------------- */

static enum MHD_Result reply(struct MHD_Connection *connection, struct http_answer *answer)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.len, answer->body.data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_NO;

    if (response == NULL)
        return MHD_NO;
    if (MHD_add_response_header(response, "Content-Type", answer->content_type) == MHD_YES &&
        MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES)
        result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result take_field(void *of, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct exchange *x = of;

    (void)kind;
    if (x->field_count == FIELDS_MAX)
        return MHD_NO;
    x->fields[x->field_count++] = (struct header){str_of(name), str_of(value)};
    return MHD_YES;
}

static void take_body(struct exchange *x, struct str piece, size_t bytes_max)
{
    x->too_large |= x->body.len + piece.len > bytes_max;
    if (!x->too_large)
        buf_put(&x->body, piece);
}

static enum MHD_Result answer_request(struct httpd *httpd, struct MHD_Connection *connection,
                                      struct exchange *x, const char *method, const char *url)
{
    struct http_answer answer = {.status = 200, .content_type = "text/plain; charset=utf-8"};
    enum MHD_Result result;

    set_since(httpd, connection, INT64_MAX);
    if (x->too_large) {
        answer.status = 413;
        buf_put_text(&answer.body, "the body is too large\n");
    } else {
        MHD_get_connection_values(connection, MHD_HEADER_KIND, take_field, x);
        const struct http_request request = {.method = str_of(method),
                                             .path = str_of(url),
                                             .target = str_of(x->target),
                                             .body = buf_str(&x->body),
                                             .fields = x->fields,
                                             .field_count = x->field_count};
        httpd->handler.answer(httpd->handler.context, &request, &answer);
    }
    result = reply(connection, &answer);
    buf_free(&answer.body);
    return result;
}

/* The first that is heard of a request: its target as it was sent. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection)
{
    struct exchange *x = MEM_NEW(struct exchange);

    (void)context, (void)connection;
    x->target = mem_copy_text(target, strlen(target));
    return x;
}

/* MHD calls this once with the head, once per piece of the body, once at the end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_bytes, void **state)
{
    struct httpd *httpd = context;
    struct exchange *x = *state;

    (void)version;
    if (!x->begun) {
        x->begun = true;
        return MHD_YES;
    }
    if (*piece_bytes != 0) {
        take_body(x, (struct str){piece, *piece_bytes}, httpd->body_bytes_max);
        *piece_bytes = 0;
        return MHD_YES;
    }
    return answer_request(httpd, connection, x, method, url);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *state;

    (void)why;
    if (x == NULL)
        return;
    set_since(context, connection, clock_mono_ms());
    mem_free(x->target);
    buf_free(&x->body);
    mem_free(x);
    *state = NULL;
}

/* --- life ----------------------------------------------------------------------------------------- */

/* Split "HOST:PORT" at its last colon and look it up; the caller frees *out. */
static enum err_code look_up(const char *address, struct addrinfo **out, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    const char *colon = strrchr(address, ':');
    struct str host = {address, colon != NULL ? (size_t)(colon - address) : 0};
    char name[HOST_BYTES_MAX + 1];
    int failed;

    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = str_slice(host, 1, host.len - 1);
    if (colon == NULL || colon[1] == '\0' || host.len > HOST_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "\"%s\" is not HOST:PORT", address);
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    failed = getaddrinfo(host.len != 0 ? name : NULL, colon + 1, &hints, out);
    if (failed != 0)
        return err_set(err, ERR_CONFIG, "address \"%s\": %s", address, gai_strerror(failed));
    return ERR_NONE;
}

static enum err_code start(struct httpd *httpd, const struct httpd_options *options,
                           const struct addrinfo *where)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;
    struct MHD_OptionItem more[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    if (options->threads <= 1)
        more[0] = more[1];
    if (where->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    errno = 0;
    httpd->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, httpd, MHD_OPTION_SOCK_ADDR, where->ai_addr,
        MHD_OPTION_CONNECTION_LIMIT,
        options->connections != 0 ? options->connections : (unsigned)LIMIT_HTTP_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, httpd, MHD_OPTION_NOTIFY_CONNECTION, on_connection, httpd,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, httpd, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
    return httpd->daemon != NULL ? ERR_NONE : ERR_IO;
}

static void start_porter(struct httpd *httpd)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&httpd->closing_said, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&httpd->lock, NULL);
    httpd->has_porter = pthread_create(&httpd->porter, NULL, watch_guests, httpd) == 0;
}

enum err_code httpd_open(const char *address, const struct httpd_options *options,
                         const struct http_handler *handler, struct httpd **out, struct err *err)
{
    static const struct httpd_options as_they_stand;
    struct addrinfo *where;
    struct httpd *httpd;
    enum err_code code;

    *out = NULL;
    options = options != NULL ? options : &as_they_stand;
    code = look_up(address, &where, err);
    if (code != ERR_NONE)
        return code;
    httpd = MEM_NEW(struct httpd);
    httpd->handler = *handler;
    httpd->body_bytes_max = options->body_bytes != 0 ? options->body_bytes : LIMIT_HTTP_BODY_BYTES;
    httpd->whole_ms = options->whole_ms != 0 ? options->whole_ms : WHOLE_MS;
    start_porter(httpd);
    if (!httpd->has_porter)
        code = err_set(err, ERR_DOWN, "the system gives no thread");
    else if (start(httpd, options, where) != ERR_NONE)
        code = err_set(err, ERR_IO, "cannot listen on %s: %s", address,
                       errno != 0 ? strerror(errno) : "the HTTP server did not start");
    freeaddrinfo(where);
    if (code != ERR_NONE)
        httpd_close(httpd);
    else
        *out = httpd;
    return code;
}

int httpd_port(const struct httpd *httpd)
{
    return MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void httpd_close(struct httpd *httpd)
{
    if (httpd == NULL)
        return;
    if (httpd->daemon != NULL)
        MHD_stop_daemon(httpd->daemon);
    pthread_mutex_lock(&httpd->lock);
    httpd->closing = true;
    pthread_cond_signal(&httpd->closing_said);
    pthread_mutex_unlock(&httpd->lock);
    if (httpd->has_porter)
        pthread_join(httpd->porter, NULL);
    CHECK(httpd->guests == NULL);
    pthread_cond_destroy(&httpd->closing_said);
    pthread_mutex_destroy(&httpd->lock);
    mem_free(httpd);
}
