/* All that is asked with an answer (claim, load, ...) waits for the commits before it, takes its
 * time, is done in one instant, and may fail on the way there or back (store_way.c).
 */
#include "tests/sim/store_model.h"

#include "core/check.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "tests/sim/sim.h"
#include "tests/sim/store_model_parts.h"

/* --- a question and its answer ---------------------------------------------------------------------- */

static enum store_result model_claim(struct store *s, const char *step, int32_t partition,
                                     const char *token, struct str identity, struct arena *arena,
                                     struct store_claim *out, struct err *err)
{
    struct connection *c = way_of(s);
    struct server_area *area = server_area(&c->model->server, step, partition);
    enum store_result result;
    struct str own;

    *out = (struct store_claim){0};
    if (!way_reach(c, "claim", true, err))
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
    return way_come_back("claim", err) ? result : STORE_DOWN;
}

static enum store_result model_load(struct store *s, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct arena *arena,
                                    struct store_subject *subjects, size_t count, struct err *err)
{
    struct connection *c = way_of(s);
    const struct server_area *area = server_area(&c->model->server, step, partition);
    enum store_result result;

    if (count == 0)
        return STORE_DONE;
    if (!way_reach(c, "load", false, err))
        return STORE_DOWN;
    result = MUTANT(LOAD_UNCHECKED) ? STORE_DONE : server_check(area, token, commit);
    for (size_t i = 0; i < count && result == STORE_DONE; i++) {
        struct str blob = server_blob(area, subjects[i].subject);

        subjects[i].blob = blob.len > 0 ? arena_str(arena, blob) : STR_EMPTY;
    }
    return way_come_back("load", err) ? way_refused(result, err) : STORE_DOWN;
}

static enum store_result model_due(struct store *s, const char *step, int32_t partition,
                                   const char *token, uint64_t commit, struct store_lane lane,
                                   int64_t due_ms, struct str after, size_t max,
                                   struct arena *arena, struct store_subject **out, size_t *count,
                                   bool *more, struct err *err)
{
    struct connection *c = way_of(s);
    const struct server_area *area = server_area(&c->model->server, step, partition);
    enum store_result result;

    *count = 0;
    if (!way_reach(c, "due", false, err))
        return STORE_DOWN;
    result = server_check(area, token, commit);
    if (result == STORE_DONE)
        server_due(area, lane, due_ms, after, max, arena, out, count, more);
    return way_come_back("due", err) ? way_refused(result, err) : STORE_DOWN;
}

static bool model_clock(struct store *s, int64_t *at_ms)
{
    if (!way_reach(way_of(s), "clock", false, NULL))
        return false;
    *at_ms = sim_now_us() / 1000;
    return way_come_back("clock", NULL);
}

static enum store_result model_meta(struct store *s, const char *step, int32_t partition,
                                    struct arena *arena, struct str *out, struct err *err)
{
    struct connection *c = way_of(s);
    const struct server_area *area = server_area(&c->model->server, step, partition);

    *out = STR_EMPTY;
    if (!way_reach(c, "meta", false, err))
        return STORE_DOWN;
    if (area->head.meta.len > 0)
        *out = arena_str(arena, area->head.meta);
    return way_come_back("meta", err) ? STORE_DONE : STORE_DOWN;
}

static enum store_result model_list(struct store *s, const char *step, int32_t partition,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    struct err *err)
{
    struct connection *c = way_of(s);

    if (!way_reach(c, "list", false, err))
        return STORE_DOWN;
    server_list(server_area(&c->model->server, step, partition), arena, out, count);
    return way_come_back("list", err) ? STORE_DONE : STORE_DOWN;
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
    .commit_send = commits_send,
    .commit_ready = commits_ready,
    .commit_wait = commits_wait,
    .commit_drop = commits_drop,
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
    way_go_on(m);
    server_go_back(&m->server, writes);
}

void store_model_protect(struct store_model *m, bool protect)
{
    way_go_on(m);
    m->server.safe_writes = protect ? SIZE_MAX : m->server.writes;
}

bool store_model_timers_fit(struct store_model *m, const char *step, int32_t partition,
                            struct err *why)
{
    return server_timers_fit(server_area(&m->server, step, partition), why);
}

void store_model_empty(struct store_model *m)
{
    way_go_on(m);
    server_empty(&m->server);
}

struct str store_model_meta(struct store_model *m, const char *step, int32_t partition)
{
    way_go_on(m);
    return server_area(&m->server, step, partition)->head.meta;
}

static enum store_result still_list(struct store *s, const char *step, int32_t partition,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    struct err *err)
{
    (void)err;
    server_list(server_area(&way_of(s)->model->server, step, partition), arena, out, count);
    return STORE_DONE;
}

struct hash128 store_model_digest(struct store_model *m, const char *step, int32_t partition)
{
    static const struct store_class still = {.list = still_list};
    struct connection c = {.store = {&still}, .model = m};
    struct hash128 digest;

    way_go_on(m);
    CHECK(store_digest(&c.store, step, partition, &digest, NULL) == STORE_DONE);
    return digest;
}
