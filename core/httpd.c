#include "core/httpd.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "core/limit.h"
#include "core/mem.h"

enum { IDLE_SECONDS = 10, HOST_BYTES_MAX = 255 };

struct httpd {
    struct MHD_Daemon *daemon;
    struct http_handler handler;
};

/* A request whose body is coming in. */
struct exchange {
    struct buf body;
    bool too_large;
};

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

/* MHD calls this once with the head (*state NULL), once per piece of the body, once at the end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *piece,
                                  size_t *piece_bytes, void **state)
{
    struct httpd *httpd = context;
    struct exchange *x = *state;
    struct http_answer answer = {.status = 200, .content_type = "text/plain; charset=utf-8"};
    enum MHD_Result result;

    (void)version;
    if (x == NULL) {
        *state = MEM_NEW(struct exchange);
        return MHD_YES;
    }
    if (*piece_bytes != 0) {
        x->too_large |= x->body.len + *piece_bytes > LIMIT_HTTP_BODY_BYTES;
        if (!x->too_large)
            buf_put(&x->body, (struct str){piece, *piece_bytes});
        *piece_bytes = 0;
        return MHD_YES;
    }
    if (x->too_large) {
        answer.status = 413;
        buf_put_text(&answer.body, "the body is too large\n");
    } else {
        struct http_request request = {str_of(method), str_of(url), buf_str(&x->body)};
        httpd->handler.answer(httpd->handler.context, &request, &answer);
    }
    result = reply(connection, &answer);
    buf_free(&answer.body);
    return result;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *x = *state;

    (void)context, (void)connection, (void)why;
    if (x == NULL)
        return;
    buf_free(&x->body);
    mem_free(x);
    *state = NULL;
}

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

enum err_code httpd_open(const char *address, const struct http_handler *handler,
                         struct httpd **out, struct err *err)
{
    const unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;
    struct addrinfo *where;
    struct httpd *httpd;
    enum err_code code;

    *out = NULL;
    code = look_up(address, &where, err);
    if (code != ERR_NONE)
        return code;
    httpd = MEM_NEW(struct httpd);
    httpd->handler = *handler;
    errno = 0;
    httpd->daemon = MHD_start_daemon(
        where->ai_family == AF_INET6 ? flags | MHD_USE_IPv6 : flags, 0, NULL, NULL, on_request,
        httpd, MHD_OPTION_SOCK_ADDR, where->ai_addr, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)LIMIT_HTTP_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    freeaddrinfo(where);
    if (httpd->daemon == NULL) {
        code = err_set(err, ERR_IO, "cannot listen on %s: %s", address,
                       errno != 0 ? strerror(errno) : "the HTTP server did not start");
        mem_free(httpd);
        return code;
    }
    *out = httpd;
    return ERR_NONE;
}

int httpd_port(const struct httpd *httpd)
{
    return MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void httpd_close(struct httpd *httpd)
{
    if (httpd == NULL)
        return;
    MHD_stop_daemon(httpd->daemon);
    mem_free(httpd);
}
