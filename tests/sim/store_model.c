/* A commit that was sent waits until its time has come, and is done then by whoever looks at the server
 * next: nobody needs to wait for it.  Those of one connection keep their order; so do their answers.
 *
 * All that is asked with an answer (claim, load, ...) waits for the commits before it, takes its
 * time, is done in one instant, and may fail on the way there or back.
 */
#include "tests/sim/store_model.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "tests/sim/sim.h"
#include "tests/sim/store_model_parts.h"

enum {
    WAY_US_MIN = 20,
    WAY_US_MAX = 250, /* to the server, and back */
    SLOW_US_MAX = 20000,
    TIMEOUT_US = 5000000,     /* after which a process gives up, or sends once more */
    AWAY_US_MAX = 3000000,    /* while it fails over */
    FULL_US_MAX = 5000000,    /* without memory */
    FAILOVER_WRITES_MAX = 12, /* lost by it */
    RESEND_US_MAX = 1000000,
};

struct sent {
    struct server_commit commit;
    struct connection *connection;
    int64_t done_us;     /* when the server does it; INT64_MAX: never */
    int64_t answered_us; /* when the answer is there */
    bool done, dropped;
    bool unheard; /* its answer does not come: DOWN */
    enum store_result result;
};

struct connection {
    struct store store;
    struct store_model *model;
    int owner, fd;
    int64_t last_done_us, last_answered_us; /* of what was sent last */
    struct sent **sent;                     /* in order */
    size_t count, capacity;
};

struct store_model {
    struct server server;
    struct sent **waiting; /* not done, of all connections, in the order in which they were sent */
    size_t waiting_count, waiting_capacity;
    struct connection **connections;
    size_t connection_count, connection_capacity;
    int64_t away_until_us, full_until_us;
};

static int64_t drawn_us(int64_t least, int64_t most)
{
    return least + (int64_t)rng_below(sim_rng(), (uint64_t)(most - least + 1));
}

static bool is_likely(unsigned percent)
{
    return rng_below(sim_rng(), 100) < percent;
}

static int64_t way_us(void)
{
    return is_likely(4) ? drawn_us(WAY_US_MAX, SLOW_US_MAX) : drawn_us(WAY_US_MIN, WAY_US_MAX);
}

/* --- the server's side ---------------------------------------------------------------------------- */

static bool is_away(const struct store_model *m)
{
    return sim_now_us() < m->away_until_us && !sim_faults_are_over();
}

static bool is_full(const struct store_model *m)
{
    return sim_now_us() < m->full_until_us && !sim_faults_are_over();
}

static void do_commit(struct store_model *m, struct sent *sent)
{
    uint64_t now_commit;

    sent->done = true;
    if (is_away(m) || is_full(m)) {
        sent->result = STORE_DOWN;
        return;
    }
    sent->result = server_commit(&m->server, &sent->commit, &now_commit);
    /* my token and my new number: for a connection it was sent before, and had landed */
    if (sent->result == STORE_GAP && now_commit == sent->commit.number + 1)
        sent->result = STORE_DONE;
}

static struct sent *earliest(const struct store_model *m)
{
    struct sent *first = NULL;

    for (size_t i = 0; i < m->waiting_count; i++)
        if (first == NULL || m->waiting[i]->done_us < first->done_us)
            first = m->waiting[i];
    return first;
}

static void stop_waiting(struct store_model *m, const struct sent *sent)
{
    size_t at = 0;

    while (m->waiting[at] != sent)
        at++;
    m->waiting_count--;
    memmove(&m->waiting[at], &m->waiting[at + 1], (m->waiting_count - at) * sizeof(struct sent *));
}

/* Whatever has come to the server by now. */
static void go_on(struct store_model *m)
{
    struct sent *sent;

    while ((sent = earliest(m)) != NULL && sent->done_us <= sim_now_us()) {
        stop_waiting(m, sent);
        do_commit(m, sent);
    }
}

/* What was on its way is lost with the server that it was on its way to. */
static void fail_over(struct store_model *m)
{
    size_t lost = 1 + (size_t)rng_below(sim_rng(), FAILOVER_WRITES_MAX);
    size_t writes = m->server.writes;

    server_go_back(&m->server, writes > lost ? writes - lost : 0);
    m->away_until_us = sim_now_us() + drawn_us(10000, AWAY_US_MAX);
    for (size_t i = 0; i < m->waiting_count; i++)
        m->waiting[i]->unheard |= is_likely(50);
}

static void strike_server(struct store_model *m, const char *step)
{
    if (sim_strikes(SIM_STORE_FAILOVER, step))
        fail_over(m);
    if (sim_strikes(SIM_STORE_FULL, step))
        m->full_until_us = sim_now_us() + drawn_us(100000, FULL_US_MAX);
}

/* --- a question and its answer ---------------------------------------------------------------------- */

static struct connection *of(struct store *s)
{
    return (struct connection *)s;
}

static enum store_result down(struct err *err, const char *why)
{
    err_set(err, ERR_REDIS, "Redis: %s", why);
    return STORE_DOWN;
}

static void sleep_until(int64_t at_us)
{
    while (sim_now_us() < at_us)
        sim_sleep_us(at_us - sim_now_us());
}

/* On the way there.  False: nothing is done, and err says why. */
static bool reach(struct connection *c, const char *step, bool writes, struct err *err)
{
    struct store_model *m = c->model;
    int64_t behind_us = c->last_done_us == INT64_MAX ? 0 : c->last_done_us;

    sim_yield();
    sleep_until((behind_us > sim_now_us() ? behind_us : sim_now_us()) + way_us());
    strike_server(m, step);
    go_on(m);
    if (sim_strikes(SIM_STORE_TIMEOUT_NOT, step)) {
        sim_sleep_us(TIMEOUT_US);
        down(err, "no answer");
        return false;
    }
    if (is_away(m))
        down(err, "nobody is there");
    else if (writes && is_full(m))
        down(err, "out of memory");
    else
        return true;
    sim_sleep_us(way_us());
    return false;
}

/* On the way back.  False: it is done, and nobody hears of it. */
static bool come_back(const char *step, struct err *err)
{
    if (sim_strikes(SIM_STORE_TIMEOUT_DONE, step)) {
        sim_sleep_us(TIMEOUT_US);
        down(err, "no answer");
        return false;
    }
    sleep_until(sim_now_us() + way_us());
    return true;
}

static enum store_result model_claim(struct store *s, const char *step, int32_t partition,
                                     const char *token, struct str identity, struct arena *arena,
                                     struct store_claim *out, struct err *err)
{
    struct connection *c = of(s);
    struct server_area *area = server_area(&c->model->server, step, partition);
    enum store_result result;
    struct str own;

    *out = (struct store_claim){0};
    if (!reach(c, "claim", true, err))
        return STORE_DOWN;
    result = server_claim(&c->model->server, area, token, identity);
    if (result == STORE_REFUSED)
        err_set(err, ERR_STATE, "the state in Redis belongs to %.*s, not to %.*s",
                STR_ARG(area->head.identity), STR_ARG(identity));
    own = server_blob(area, STR_EMPTY);
    if (result == STORE_DONE)
        *out = (struct store_claim){
            .fresh = !area->head.committed,
            .commit = area->head.commit,
            .meta = area->head.meta.len > 0 ? arena_str(arena, area->head.meta) : STR_EMPTY,
            .own = own.len > 0 ? arena_str(arena, own) : STR_EMPTY};
    return come_back("claim", err) ? result : STORE_DOWN;
}

static enum store_result refused(enum store_result result, struct err *err)
{
    if (result != STORE_DONE)
        err_set(err, ERR_FENCED, "%s", store_result_text(result));
    return result;
}

static enum store_result model_load(struct store *s, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct arena *arena,
                                    struct store_subject *subjects, size_t count, struct err *err)
{
    struct connection *c = of(s);
    const struct server_area *area = server_area(&c->model->server, step, partition);
    enum store_result result;

    if (count == 0)
        return STORE_DONE;
    if (!reach(c, "load", false, err))
        return STORE_DOWN;
    result = MUTANT(LOAD_UNCHECKED) ? STORE_DONE : server_check(area, token, commit);
    for (size_t i = 0; i < count && result == STORE_DONE; i++) {
        struct str blob = server_blob(area, subjects[i].subject);

        subjects[i].blob = blob.len > 0 ? arena_str(arena, blob) : STR_EMPTY;
    }
    return come_back("load", err) ? refused(result, err) : STORE_DOWN;
}

static enum store_result model_due(struct store *s, const char *step, int32_t partition,
                                   const char *token, uint64_t commit, struct store_lane lane,
                                   int64_t due_ms, struct str after, size_t max,
                                   struct arena *arena, struct store_subject **out, size_t *count,
                                   bool *more, struct err *err)
{
    struct connection *c = of(s);
    const struct server_area *area = server_area(&c->model->server, step, partition);
    enum store_result result;

    *count = 0;
    if (!reach(c, "due", false, err))
        return STORE_DOWN;
    result = server_check(area, token, commit);
    if (result == STORE_DONE)
        server_due(area, lane, due_ms, after, max, arena, out, count, more);
    return come_back("due", err) ? refused(result, err) : STORE_DOWN;
}

static bool model_clock(struct store *s, int64_t *at_ms)
{
    if (!reach(of(s), "clock", false, NULL))
        return false;
    *at_ms = sim_now_us() / 1000;
    return come_back("clock", NULL);
}

static enum store_result model_meta(struct store *s, const char *step, int32_t partition,
                                    struct arena *arena, struct str *out, struct err *err)
{
    struct connection *c = of(s);
    const struct server_area *area = server_area(&c->model->server, step, partition);

    *out = STR_EMPTY;
    if (!reach(c, "meta", false, err))
        return STORE_DOWN;
    if (area->head.meta.len > 0)
        *out = arena_str(arena, area->head.meta);
    return come_back("meta", err) ? STORE_DONE : STORE_DOWN;
}

static enum store_result model_list(struct store *s, const char *step, int32_t partition,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    struct err *err)
{
    struct connection *c = of(s);

    if (!reach(c, "list", false, err))
        return STORE_DOWN;
    server_list(server_area(&c->model->server, step, partition), arena, out, count);
    return come_back("list", err) ? STORE_DONE : STORE_DOWN;
}

/* --- commits ------------------------------------------------------------------------------------ */

static struct sent *find_sent(const struct connection *c, const char *step, int32_t partition)
{
    for (size_t i = 0; i < c->count; i++)
        if (!c->sent[i]->dropped && c->sent[i]->commit.partition == partition &&
            strcmp(c->sent[i]->commit.step, step) == 0)
            return c->sent[i];
    return NULL;
}

static int64_t later(int64_t a_us, int64_t b_us)
{
    return a_us > b_us ? a_us : b_us;
}

/* When its answer does not come, a connection sends it once more; that it had landed is seen by its own
 * number. */
static void draw_fate(struct connection *c, struct sent *sent)
{
    bool again = is_likely(60);

    sent->done_us = later(sim_now_us() + way_us(), c->last_done_us + 1);
    sent->answered_us = sent->done_us + way_us();
    if (sim_strikes(SIM_STORE_TIMEOUT_DONE, "commit")) {
        sent->answered_us = sent->done_us + TIMEOUT_US + drawn_us(0, RESEND_US_MAX);
        sent->unheard = !again;
    } else if (sim_strikes(SIM_STORE_TIMEOUT_NOT, "commit")) {
        sent->answered_us = sent->done_us + TIMEOUT_US + drawn_us(0, RESEND_US_MAX);
        sent->unheard = !again;
        if (again)
            sent->done_us = sent->answered_us - WAY_US_MIN;
        else
            sent->done_us = INT64_MAX;
    }
    sent->answered_us = later(sent->answered_us, c->last_answered_us + 1);
    if (sent->done_us != INT64_MAX)
        c->last_done_us = sent->done_us;
    c->last_answered_us = sent->answered_us;
}

static void model_commit_send(struct store *s, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct str meta,
                              const struct store_subject *subjects, size_t count)
{
    struct connection *c = of(s);
    struct store_model *m = c->model;
    struct arena *arena = m->server.arena;
    struct sent *sent = ARENA_NEW(arena, struct sent);

    CHECK(find_sent(c, step, partition) == NULL);
    strike_server(m, "commit");
    sent->connection = c;
    sent->commit = (struct server_commit){.step = arena_str(arena, str_of(step)).data,
                                          .partition = partition,
                                          .number = commit,
                                          .meta = arena_str(arena, meta),
                                          .subjects = server_copy_subjects(arena, subjects, count),
                                          .count = count};
    snprintf(sent->commit.token, sizeof sent->commit.token, "%s", token);
    draw_fate(c, sent);
    MEM_RESERVE(c->sent, c->count, c->capacity);
    c->sent[c->count++] = sent;
    sim_fd_set(c->fd, c->sent[0]->answered_us);
    if (sent->done_us == INT64_MAX)
        return;
    MEM_RESERVE(m->waiting, m->waiting_count, m->waiting_capacity);
    m->waiting[m->waiting_count++] = sent;
}

static bool model_commit_ready(struct store *s, const char *step, int32_t partition)
{
    const struct sent *sent = find_sent(of(s), step, partition);

    CHECK(sent != NULL);
    return sim_now_us() >= sent->answered_us;
}

static void forget(struct connection *c, const struct sent *sent)
{
    size_t at = 0;

    while (c->sent[at] != sent)
        at++;
    c->count--;
    memmove(&c->sent[at], &c->sent[at + 1], (c->count - at) * sizeof(struct sent *));
    sim_fd_set(c->fd, c->count > 0 ? c->sent[0]->answered_us : INT64_MAX);
}

static enum store_result model_commit_wait(struct store *s, const char *step, int32_t partition,
                                           struct err *err)
{
    struct connection *c = of(s);
    struct sent *sent = find_sent(c, step, partition);
    bool heard;

    CHECK(sent != NULL);
    sleep_until(sent->answered_us);
    go_on(c->model);
    heard = sent->done && !sent->unheard && sent->result != STORE_DOWN;
    forget(c, sent);
    if (!heard)
        return down(err, "no answer to a commit");
    return refused(sent->result, err);
}

static void model_commit_drop(struct store *s, const char *step, int32_t partition)
{
    struct sent *sent = find_sent(of(s), step, partition);

    if (sent == NULL)
        return;
    sent->dropped = true;
    forget(of(s), sent);
}

static int model_fd(const struct store *s)
{
    return ((const struct connection *)s)->fd;
}

/* --- open and close ------------------------------------------------------------------------------ */

static void model_close(struct store *s)
{
    (void)s; /* what was sent may still come to the server; the model frees it */
}

static const struct store_class store_model_class = {
    .close = model_close,
    .claim = model_claim,
    .load = model_load,
    .due = model_due,
    .commit_send = model_commit_send,
    .commit_ready = model_commit_ready,
    .commit_wait = model_commit_wait,
    .commit_drop = model_commit_drop,
    .fd = model_fd,
    .clock = model_clock,
    .meta = model_meta,
    .list = model_list,
};

struct store *store_model_connect(struct store_model *m)
{
    struct connection *c = MEM_NEW(struct connection);

    c->store.class = &store_model_class;
    c->model = m;
    c->owner = sim_self();
    c->fd = sim_fd_new();
    MEM_RESERVE(m->connections, m->connection_count, m->connection_capacity);
    m->connections[m->connection_count++] = c;
    return &c->store;
}

struct store_model *store_model_new(void)
{
    struct store_model *m = MEM_NEW(struct store_model);

    server_init(&m->server);
    m->server.safe_writes = SIZE_MAX;
    return m;
}

void store_model_free(struct store_model *m)
{
    for (size_t i = 0; i < m->connection_count; i++) {
        mem_free(m->connections[i]->sent);
        mem_free(m->connections[i]);
    }
    mem_free(m->connections);
    mem_free(m->waiting);
    server_free(&m->server);
    mem_free(m);
}

size_t store_model_writes(const struct store_model *m)
{
    return m->server.writes;
}

void store_model_go_back(struct store_model *m, size_t writes)
{
    go_on(m);
    server_go_back(&m->server, writes);
}

void store_model_protect(struct store_model *m, bool protect)
{
    go_on(m);
    m->server.safe_writes = protect ? SIZE_MAX : m->server.writes;
}

bool store_model_timers_fit(struct store_model *m, const char *step, int32_t partition,
                            struct err *why)
{
    return server_timers_fit(server_area(&m->server, step, partition), why);
}

void store_model_empty(struct store_model *m)
{
    go_on(m);
    server_empty(&m->server);
}

struct str store_model_meta(struct store_model *m, const char *step, int32_t partition)
{
    go_on(m);
    return server_area(&m->server, step, partition)->head.meta;
}

static enum store_result still_list(struct store *s, const char *step, int32_t partition,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    struct err *err)
{
    (void)err;
    server_list(server_area(&of(s)->model->server, step, partition), arena, out, count);
    return STORE_DONE;
}

struct hash128 store_model_digest(struct store_model *m, const char *step, int32_t partition)
{
    static const struct store_class still = {.list = still_list};
    struct connection c = {.store = {&still}, .model = m};
    struct hash128 digest;

    go_on(m);
    CHECK(store_digest(&c.store, step, partition, &digest, NULL) == STORE_DONE);
    return digest;
}
