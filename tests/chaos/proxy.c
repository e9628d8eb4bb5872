/* One thread polls everything.  A connection is two pipes, one for each direction; a pipe is a queue
 * of pieces, each with the time at which it may go on.  A pipe that holds much reads no more, so
 * that a delay does not become memory.
 */
#include "tests/chaos/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    PIECE_BYTES = 64 << 10,
    PIPE_BYTES_MAX = 4 << 20, /* held for one direction */
    WAIT_MS = 1000,
    BACKLOG = 256,
};

struct piece {
    struct piece *next;
    int64_t due_ms;
    size_t bytes, sent;
    char data[];
};

struct pipe {
    int from, to; /* sockets */
    struct piece *first, *last;
    size_t held_bytes;
    bool ended; /* nothing more comes from `from` */
};

struct connection {
    struct connection *next;
    int lane;
    struct pipe pipes[2];
    bool broken;
};

struct lane {
    int listener, target_port;
    enum proxy_mode mode;
    int delay_ms;
    bool cut;
};

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock; /* of lanes and closing */
    struct lane lanes[PROXY_LANES_MAX];
    int lane_count;
    bool closing;
    int wake;
    /* of the thread alone: */
    struct lane now[PROXY_LANES_MAX];
    int now_count;
    struct connection *connections;
    struct pollfd *polled;
    size_t polled_count, polled_capacity;
};

/* --- sockets -------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listen_on(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0)
        scratch_fail("the proxy cannot listen on port %d", port);
    return fd;
}

/* On loopback the kernel accepts or refuses at once. */
static int connect_to(int port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Not an orderly end: the peers see a connection that broke. */
static void close_hard(int fd)
{
    struct linger hard = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

/* --- connections ---------------------------------------------------------------------------- */

static void accept_one(struct proxy *p, int lane)
{
    int from = accept4(p->now[lane].listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int to =
        from >= 0 && p->now[lane].mode != PROXY_REFUSE ? connect_to(p->now[lane].target_port) : -1;
    struct connection *c;

    if (from < 0)
        return;
    if (to < 0) {
        close_hard(from);
        return;
    }
    c = MEM_NEW(struct connection);
    *c = (struct connection){.next = p->connections,
                             .lane = lane,
                             .pipes = {{.from = from, .to = to}, {.from = to, .to = from}}};
    p->connections = c;
}

static void free_connection(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        for (struct piece *next, *piece = c->pipes[i].first; piece != NULL; piece = next) {
            next = piece->next;
            mem_free(piece);
        }
    }
    close_hard(c->pipes[0].from);
    close_hard(c->pipes[0].to);
    mem_free(c);
}

static bool is_over(const struct connection *c)
{
    const struct pipe *there = &c->pipes[0], *back = &c->pipes[1];

    return c->broken ||
           (there->ended && there->first == NULL && back->ended && back->first == NULL);
}

static void drop_those_that_are_over(struct proxy *p)
{
    struct connection **at = &p->connections;

    while (*at != NULL) {
        struct connection *c = *at;

        if (!is_over(c) && !p->now[c->lane].cut) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        free_connection(c);
    }
}

/* --- bytes ---------------------------------------------------------------------------------- */

static void take_in(struct connection *c, struct pipe *pipe, const struct lane *lane)
{
    struct piece *piece = mem_alloc(sizeof *piece + PIECE_BYTES);
    ssize_t got = recv(pipe->from, piece->data, PIECE_BYTES, 0);

    if (got <= 0) {
        mem_free(piece);
        if (got == 0)
            pipe->ended = true;
        else if (errno != EAGAIN && errno != EINTR)
            c->broken = true;
        return;
    }
    piece = mem_resize(piece, 1, sizeof *piece + (size_t)got);
    piece->bytes = (size_t)got;
    piece->due_ms = wait_now_ms() + (lane->mode == PROXY_DELAY ? lane->delay_ms : 0);
    if (pipe->first == NULL)
        pipe->first = piece;
    else
        pipe->last->next = piece;
    pipe->last = piece;
    pipe->held_bytes += piece->bytes;
}

static bool may_go(const struct pipe *pipe, const struct lane *lane, int64_t now_ms)
{
    return pipe->first != NULL && lane->mode != PROXY_HOLD && pipe->first->due_ms <= now_ms;
}

static void pass_on(struct connection *c, struct pipe *pipe, const struct lane *lane)
{
    int64_t now_ms = wait_now_ms();

    while (may_go(pipe, lane, now_ms)) {
        struct piece *piece = pipe->first;
        ssize_t sent = send(pipe->to, piece->data + piece->sent, piece->bytes - piece->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0) {
            c->broken = c->broken || (errno != EAGAIN && errno != EINTR);
            return;
        }
        piece->sent += (size_t)sent;
        if (piece->sent < piece->bytes)
            return;
        pipe->first = piece->next;
        pipe->held_bytes -= piece->bytes;
        mem_free(piece);
    }
    if (pipe->ended && pipe->first == NULL)
        shutdown(pipe->to, SHUT_WR);
}

/* --- the thread ----------------------------------------------------------------------------- */

static void watch(struct proxy *p, int fd, short events)
{
    MEM_RESERVE(p->polled, p->polled_count, p->polled_capacity);
    p->polled[p->polled_count++] = (struct pollfd){.fd = fd, .events = events};
}

/* What to wait for: of each pipe two entries, in the order of the list.  Returns for how long. */
static int arrange(struct proxy *p)
{
    int64_t now_ms = wait_now_ms(), until_ms = now_ms + WAIT_MS;

    p->polled_count = 0;
    watch(p, p->wake, POLLIN);
    for (int i = 0; i < p->now_count; i++)
        watch(p, p->now[i].listener, POLLIN);
    for (struct connection *c = p->connections; c != NULL; c = c->next) {
        const struct lane *lane = &p->now[c->lane];

        for (int i = 0; i < 2; i++) {
            const struct pipe *pipe = &c->pipes[i];
            bool reads = !pipe->ended && pipe->held_bytes < PIPE_BYTES_MAX;

            watch(p, reads ? pipe->from : -1, POLLIN);
            watch(p, may_go(pipe, lane, now_ms) ? pipe->to : -1, POLLOUT);
            if (pipe->first != NULL && lane->mode != PROXY_HOLD && pipe->first->due_ms < until_ms)
                until_ms = pipe->first->due_ms > now_ms ? pipe->first->due_ms : until_ms;
        }
    }
    return (int)(until_ms - now_ms);
}

static void serve(struct proxy *p)
{
    size_t at = 1 + (size_t)p->now_count;

    for (struct connection *c = p->connections; c != NULL; c = c->next)
        for (int i = 0; i < 2; i++, at += 2) {
            if (p->polled[at].revents != 0)
                take_in(c, &c->pipes[i], &p->now[c->lane]);
            if (!c->broken)
                pass_on(c, &c->pipes[i], &p->now[c->lane]);
        }
    for (int i = 0; i < p->now_count; i++)
        if (p->polled[1 + i].revents != 0)
            accept_one(p, i);
}

/* What the calls have changed. */
static bool look(struct proxy *p)
{
    uint64_t count;
    bool on;

    pthread_mutex_lock(&p->lock);
    if (read(p->wake, &count, sizeof count) < 0)
        count = 0;
    for (int i = 0; i < p->lane_count; i++) {
        p->now[i] = p->lanes[i];
        p->lanes[i].cut = false;
    }
    p->now_count = p->lane_count;
    on = !p->closing;
    pthread_mutex_unlock(&p->lock);
    return on;
}

static void *run(void *context)
{
    struct proxy *p = context;

    while (look(p)) {
        int wait_ms;

        drop_those_that_are_over(p);
        wait_ms = arrange(p);
        if (poll(p->polled, p->polled_count, wait_ms) >= 0)
            serve(p);
    }
    return NULL;
}

/* --- calls ---------------------------------------------------------------------------------- */

struct proxy *proxy_open(void)
{
    struct proxy *p = MEM_NEW(struct proxy);

    pthread_mutex_init(&p->lock, NULL);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (pthread_create(&p->thread, NULL, run, p) != 0)
        scratch_fail("the proxy gets no thread");
    return p;
}

static void wake(struct proxy *p)
{
    uint64_t one = 1;

    if (write(p->wake, &one, sizeof one) < 0)
        scratch_fail("the proxy cannot be woken");
}

void proxy_close(struct proxy *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    pthread_join(p->thread, NULL);
    for (struct connection *next, *c = p->connections; c != NULL; c = next) {
        next = c->next;
        free_connection(c);
    }
    for (int i = 0; i < p->lane_count; i++)
        close(p->lanes[i].listener);
    close(p->wake);
    pthread_mutex_destroy(&p->lock);
    mem_free(p->polled);
    mem_free(p);
}

int proxy_add(struct proxy *p, int listen_port, int target_port)
{
    int lane;

    if (p->lane_count == PROXY_LANES_MAX)
        scratch_fail("more than %d lanes of a proxy", PROXY_LANES_MAX);
    pthread_mutex_lock(&p->lock);
    lane = p->lane_count;
    p->lanes[lane] = (struct lane){.listener = listen_on(listen_port), .target_port = target_port};
    p->lane_count++;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    return lane;
}

void proxy_set(struct proxy *p, int lane, enum proxy_mode mode, int delay_ms)
{
    pthread_mutex_lock(&p->lock);
    p->lanes[lane].mode = mode;
    p->lanes[lane].delay_ms = delay_ms;
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

void proxy_cut(struct proxy *p, int lane)
{
    pthread_mutex_lock(&p->lock);
    p->lanes[lane].cut = true;
    pthread_mutex_unlock(&p->lock);
    wake(p);
}
