/* One thread accepts; each connection has a thread of its own, so that one that is silent on
 * purpose holds up no other.  Whoever closes the peer shuts all sockets down, which wakes every
 * thread, and waits until the last is gone. */
#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/mem.h"
#include "tests/support/certificate.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum { DRIP_MS = 50, BIG_BYTES = 4 << 20, HEAD_BYTES_MAX = 64 << 10, BACKLOG = 128 };

struct peer {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t idle;  /* the last connection is gone */
    struct peer_step *steps;
    size_t step_count, next_step;
    struct peer_step (*answer)(void *, const struct peer_request *); /* instead of steps */
    void *context;
    struct peer_request **requests;
    size_t request_count, request_capacity;
    struct arena *arena; /* of the requests */
    struct line **open;
    size_t open_count, open_capacity, accepted;
    bool closing;
    /* not changed any more: */
    int listener, port;
    SSL_CTX *tls; /* NULL: plain */
    pthread_t acceptor;
    const char *url, *ca_file;
};

/* One connection. */
struct line {
    struct peer *peer;
    int fd;
    SSL *tls;
};

/* --- bytes ---------------------------------------------------------------------------------- */

static int line_read(struct line *line, char *to, int bytes)
{
    return line->tls != NULL ? SSL_read(line->tls, to, bytes)
                             : (int)recv(line->fd, to, (size_t)bytes, 0);
}

static bool line_write(struct line *line, struct str s)
{
    while (s.len > 0) {
        int sent = line->tls != NULL ? SSL_write(line->tls, s.data, (int)s.len)
                                     : (int)send(line->fd, s.data, s.len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        s = str_slice(s, (size_t)sent, s.len);
    }
    return true;
}

/* Sleep until the other side or peer_close ends the connection. */
static void line_wait(struct line *line)
{
    char byte;

    while (recv(line->fd, &byte, 1, 0) > 0)
        ;
}

static void line_wait_unread(struct line *line)
{
    struct pollfd p = {.fd = line->fd, .events = POLLRDHUP};

    while (poll(&p, 1, -1) < 0)
        ;
}

static void line_drip(struct line *line, struct str s)
{
    for (size_t i = 0; i < s.len && line_write(line, str_slice(s, i, i + 1)); i++)
        wait_pause_ms(DRIP_MS);
}

/* --- requests ------------------------------------------------------------------------------- */

struct str peer_header(const struct peer_request *request, const char *name)
{
    struct str rest = request->head, row, key, value;

    while (str_cut(rest, '\n', &row, &rest))
        if (str_cut(row, ':', &key, &value) && key.len == strlen(name) &&
            strncasecmp(key.data, name, key.len) == 0)
            return str_trim(value);
    return STR_EMPTY;
}

/* Read one request to its end.  False: the connection ended before. */
static bool read_request(struct line *line, struct buf *text, struct peer_request *out)
{
    struct str first, rest, version, length;
    char piece[4096];
    size_t head_end = 0, body_bytes = 0;

    buf_clear(text);
    for (;;) {
        int got;
        const char *end = text->len != 0 ? memmem(text->data, text->len, "\r\n\r\n", 4) : NULL;
        if (end != NULL && head_end == 0) {
            head_end = (size_t)(end - text->data) + 4;
            str_cut((struct str){text->data, head_end - 2}, '\n', &first, &out->head);
            length = peer_header(out, "Content-Length"); /* a line end follows it */
            body_bytes = length.len != 0 ? strtoul(length.data, NULL, 10) : 0;
        }
        if (head_end != 0 && text->len >= head_end + body_bytes)
            break;
        got =
            head_end == 0 && text->len > HEAD_BYTES_MAX ? 0 : line_read(line, piece, sizeof piece);
        if (got <= 0)
            return false;
        buf_put(text, (struct str){piece, (size_t)got});
    }
    str_cut((struct str){text->data, head_end - 2}, '\n', &first, &out->head);
    str_cut(first, ' ', &out->method, &rest);
    str_cut(rest, ' ', &out->target, &version);
    out->body = (struct str){text->data + head_end, body_bytes};
    return true;
}

/* With the lock. */
static struct peer_step take_step(struct peer *peer)
{
    struct peer_step step = peer->steps[peer->next_step];

    if (peer->next_step + 1 < peer->step_count)
        peer->next_step++;
    return step;
}

/* Keep the request and decide what to do. */
static struct peer_step note(struct peer *peer, const struct peer_request *from)
{
    struct peer_request *request;
    struct peer_step step;

    pthread_mutex_lock(&peer->lock);
    request = ARENA_NEW(peer->arena, struct peer_request);
    *request = (struct peer_request){
        arena_str(peer->arena, from->method), arena_str(peer->arena, from->target),
        arena_str(peer->arena, from->head), arena_str(peer->arena, from->body)};
    MEM_RESERVE(peer->requests, peer->request_count, peer->request_capacity);
    peer->requests[peer->request_count++] = request;
    step = peer->answer != NULL ? peer->answer(peer->context, request) : take_step(peer);
    pthread_mutex_unlock(&peer->lock);
    return step;
}

/* --- answers -------------------------------------------------------------------------------- */

static void put_head(struct buf *out, const struct peer_step *step, size_t body_bytes)
{
    buf_put_format(out, "HTTP/1.1 %d Scripted\r\n%sContent-Length: %zu\r\n\r\n",
                   step->status != 0 ? step->status : 200,
                   step->headers != NULL ? step->headers : "", body_bytes);
}

static bool send_big(struct line *line, const struct peer_step *step)
{
    struct buf out = {0};
    bool sent;

    put_head(&out, step, BIG_BYTES);
    memset(buf_extend(&out, BIG_BYTES), 'x', BIG_BYTES);
    sent = line_write(line, buf_str(&out));
    buf_free(&out);
    return sent;
}

/* True: the connection goes on. */
static bool do_step(struct line *line, const struct peer_step *step)
{
    struct str body = str_of(step->body);
    struct buf out = {0};
    bool on = false;

    put_head(&out, step, body.len);
    switch (step->act) {
    case PEER_ANSWER:
        buf_put(&out, body);
        on = line_write(line, buf_str(&out));
        break;
    case PEER_CLOSE_MIDDLE:
        buf_put(&out, str_slice(body, 0, body.len / 2));
        line_write(line, buf_str(&out));
        break;
    case PEER_DRIP:
        buf_put(&out, body);
        line_drip(line, buf_str(&out));
        break;
    case PEER_DRIP_BODY:
        line_write(line, buf_str(&out));
        line_drip(line, body);
        break;
    case PEER_GARBAGE: line_write(line, STR("\x15\x03\x01 *** 220 hello\r\n\r\n")); break;
    case PEER_BIG: on = send_big(line, step); break;
    case PEER_SILENT: line_wait(line); break;
    case PEER_SILENT_UNREAD: line_wait_unread(line); break;
    case PEER_CLOSE_UNREAD:
    case PEER_CLOSE: break;
    }
    buf_free(&out);
    return on;
}

/* A step that reads nothing is done before anything is read. */
static bool take_unread(struct peer *peer, struct peer_step *step)
{
    bool taken = false;

    pthread_mutex_lock(&peer->lock);
    if (peer->answer == NULL) {
        enum peer_act act = peer->steps[peer->next_step].act;
        taken = act == PEER_CLOSE_UNREAD || act == PEER_SILENT_UNREAD;
        if (taken)
            *step = take_step(peer);
    }
    pthread_mutex_unlock(&peer->lock);
    return taken;
}

static void talk(struct line *line)
{
    struct peer_request request = {0};
    struct peer_step step;
    struct buf text = {0};
    bool on = true;

    if (take_unread(line->peer, &step)) {
        do_step(line, &step);
        return;
    }
    if (line->tls != NULL && SSL_accept(line->tls) != 1)
        return;
    while (on && read_request(line, &text, &request)) {
        step = note(line->peer, &request);
        on = do_step(line, &step);
    }
    buf_free(&text);
}

/* --- threads -------------------------------------------------------------------------------- */

static void *serve(void *context)
{
    struct line *line = context;
    struct peer *peer = line->peer;

    talk(line);
    if (line->tls != NULL) {
        SSL_shutdown(line->tls);
        SSL_free(line->tls);
    }
    pthread_mutex_lock(&peer->lock);
    for (size_t i = 0; i < peer->open_count; i++)
        if (peer->open[i] == line)
            peer->open[i] = peer->open[--peer->open_count];
    close(line->fd);
    mem_free(line);
    pthread_cond_signal(&peer->idle);
    pthread_mutex_unlock(&peer->lock);
    return NULL;
}

static void accept_line(struct peer *peer, int fd)
{
    struct line *line = MEM_NEW(struct line);
    pthread_t thread;

    line->peer = peer;
    line->fd = fd;
    if (peer->tls != NULL) {
        line->tls = SSL_new(peer->tls);
        SSL_set_fd(line->tls, fd);
    }
    pthread_mutex_lock(&peer->lock);
    peer->accepted++;
    MEM_RESERVE(peer->open, peer->open_count, peer->open_capacity);
    peer->open[peer->open_count++] = line;
    if (peer->closing)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_unlock(&peer->lock);
    if (pthread_create(&thread, NULL, serve, line) != 0)
        scratch_fail("peer: no thread");
    pthread_detach(thread);
}

static void *accept_all(void *context)
{
    struct peer *peer = context;
    int fd;

    while ((fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        accept_line(peer, fd);
    return NULL;
}

static void listen_on_free_port(struct peer *peer)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;

    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(peer->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(peer->listener, BACKLOG) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&at, &bytes) != 0)
        scratch_fail("peer: cannot listen");
    peer->port = ntohs(at.sin_port);
}

static void set_up_tls(struct peer *peer)
{
    struct certificate certificate = certificate_make("localhost", 1);

    peer->tls = SSL_CTX_new(TLS_server_method());
    peer->ca_file = certificate.file;
    if (peer->tls == NULL ||
        SSL_CTX_use_certificate_file(peer->tls, certificate.file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(peer->tls, certificate.key_file, SSL_FILETYPE_PEM) != 1)
        scratch_fail("peer: no TLS");
}

static struct peer *start(struct peer *peer, enum peer_mode mode)
{
    struct buf url = {0};

    pthread_mutex_init(&peer->lock, NULL);
    pthread_cond_init(&peer->idle, NULL);
    peer->arena = arena_new(0);
    peer->ca_file = "";
    if (mode == PEER_TLS)
        set_up_tls(peer);
    listen_on_free_port(peer);
    buf_put_format(&url, "%s://localhost:%d", mode == PEER_TLS ? "https" : "http", peer->port);
    peer->url = scratch_keep(buf_text(&url));
    buf_free(&url);
    if (pthread_create(&peer->acceptor, NULL, accept_all, peer) != 0)
        scratch_fail("peer: no thread");
    return peer;
}

struct peer *peer_open(const struct peer_step *steps, size_t count, enum peer_mode mode)
{
    struct peer *peer = MEM_NEW(struct peer);

    peer->steps = mem_copy(steps, count * sizeof *steps);
    peer->step_count = count;
    return start(peer, mode);
}

struct peer *peer_open_with(struct peer_step (*answer)(void *context,
                                                       const struct peer_request *request),
                            void *context, enum peer_mode mode)
{
    struct peer *peer = MEM_NEW(struct peer);

    peer->answer = answer;
    peer->context = context;
    return start(peer, mode);
}

void peer_close(struct peer *peer)
{
    if (peer == NULL)
        return;
    pthread_mutex_lock(&peer->lock);
    peer->closing = true;
    for (size_t i = 0; i < peer->open_count; i++)
        shutdown(peer->open[i]->fd, SHUT_RDWR);
    pthread_mutex_unlock(&peer->lock);
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->acceptor, NULL);
    pthread_mutex_lock(&peer->lock);
    while (peer->open_count != 0)
        pthread_cond_wait(&peer->idle, &peer->lock);
    pthread_mutex_unlock(&peer->lock);
    close(peer->listener);
    SSL_CTX_free(peer->tls);
    arena_free(peer->arena);
    mem_free(peer->open);
    mem_free(peer->requests);
    mem_free(peer->steps);
    pthread_cond_destroy(&peer->idle);
    pthread_mutex_destroy(&peer->lock);
    mem_free(peer);
}

/* --- what came ------------------------------------------------------------------------------ */

int peer_port(const struct peer *peer)
{
    return peer->port;
}

const char *peer_url(const struct peer *peer)
{
    return peer->url;
}

const char *peer_ca_file(const struct peer *peer)
{
    return peer->ca_file;
}

size_t peer_count(struct peer *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->request_count;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

size_t peer_connections(struct peer *peer)
{
    size_t count;

    pthread_mutex_lock(&peer->lock);
    count = peer->accepted;
    pthread_mutex_unlock(&peer->lock);
    return count;
}

const struct peer_request *peer_request(struct peer *peer, size_t index)
{
    const struct peer_request *request = NULL;

    pthread_mutex_lock(&peer->lock);
    if (index < peer->request_count)
        request = peer->requests[index];
    pthread_mutex_unlock(&peer->lock);
    if (request == NULL)
        scratch_fail("peer: request %zu of %zu", index + 1, peer_count(peer));
    return request;
}
