/* The simulator's store against a real Redis: the same calls, and the same comes back.
 *
 * Sequences are drawn: two connections, two partitions, owners that take a partition from each other,
 * right and wrong tokens and commit numbers, subjects and timers that come and go, commits that are
 * waited for at once, behind a read, or never.  A failure names the seed: SEED=n runs that one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "processors/worker/redis_store.h"
#include "tests/sim/sim.h"
#include "tests/sim/store_model.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"

enum {
    SEQUENCES = 300,
    CALLS = 60,
    CONNECTIONS = 2,
    PARTITIONS = 2,
    NAMES = 7,
    LANES = 3,
    TEXT_SIZE = 64,
    SUBJECTS_MAX = 4,
};

/* --- what the model asks the simulator for: time that only goes by when it waits, and no fault ------ */

static int64_t now_us;
static struct rng rng;

int64_t sim_now_us(void)
{
    return now_us;
}

struct rng *sim_rng(void)
{
    return &rng;
}

int sim_self(void)
{
    return -1;
}

void sim_yield(void)
{
    now_us++;
}

void sim_sleep_us(int64_t span_us)
{
    now_us += span_us;
}

bool sim_strikes(enum sim_fault fault, const char *step)
{
    (void)fault, (void)step;
    return false;
}

bool sim_faults_are_over(void)
{
    return true;
}

int sim_fd_new(void)
{
    return 0;
}

void sim_fd_set(int fd, int64_t at_us)
{
    (void)fd, (void)at_us;
}

/* --- both sides ------------------------------------------------------------------------------------- */

static struct server *redis;

static void start(void)
{
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    redis = redis_start(NULL);
}

static void stop(void)
{
    server_stop(redis);
}

enum side { MODEL, REAL, SIDES };

struct pending { /* a commit on its way over a connection */
    bool there;
    uint64_t commit;
    struct str meta;
    struct store_subject *subjects;
    size_t count;
};

struct play {
    uint64_t seed;
    int call;
    char step[TEXT_SIZE];
    struct arena *arena;
    struct store_model *model;
    struct store *stores[SIDES][CONNECTIONS];
    struct pending pending[CONNECTIONS][PARTITIONS];
    char tokens[PARTITIONS][STORE_TOKEN_SIZE]; /* of the last claim */
    uint64_t commits[PARTITIONS];              /* as far as this play knows */
    size_t calls[8];
};

static uint64_t draw(uint64_t below)
{
    return rng_below(&rng, below);
}

#define SAME(play, condition)                                                                      \
    ck_assert_msg(condition, "model and Redis differ: SEED=%llu, call %d: %s",                     \
                  (unsigned long long)(play)->seed, (play)->call, #condition)

static struct str name_of(uint64_t number)
{
    static const struct str names[NAMES] = {{"", 0},    {"a", 1},    {"b", 1},   {"ab", 2},
                                            {"b{}", 3}, {"\xff", 1}, {"c\0d", 3}};

    return names[number];
}

static const char *token_for(struct play *p, int partition)
{
    static const char wrong[] = "ffffffffffffffffffffffffffffffff";

    return draw(12) == 0 || p->tokens[partition][0] == '\0' ? wrong : p->tokens[partition];
}

static uint64_t commit_for(struct play *p, int partition)
{
    uint64_t commit = p->commits[partition];

    return draw(12) == 0 ? commit + 1 - 2 * draw(2) : commit;
}

/* --- calls ------------------------------------------------------------------------------------------ */

static void claim(struct play *p, int connection, int partition)
{
    struct str identity = draw(10) == 0 ? STR("group other") : STR("group mine");
    struct store_claim out[SIDES];
    enum store_result results[SIDES];
    char token[STORE_TOKEN_SIZE];

    snprintf(token, sizeof token, "%016llx%016llx", (unsigned long long)rng_next(&rng),
             (unsigned long long)rng_next(&rng));
    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        results[i] =
            s->class->claim(s, p->step, partition, token, identity, p->arena, &out[i], NULL);
    }
    SAME(p, results[MODEL] == results[REAL]);
    SAME(p, out[MODEL].fresh == out[REAL].fresh && out[MODEL].commit == out[REAL].commit);
    SAME(p, str_equal(out[MODEL].meta, out[REAL].meta) && str_equal(out[MODEL].own, out[REAL].own));
    if (results[REAL] != STORE_DONE)
        return;
    memcpy(p->tokens[partition], token, sizeof token);
    p->commits[partition] = out[REAL].commit;
}

static void load(struct play *p, int connection, int partition)
{
    size_t count = 1 + (size_t)draw(SUBJECTS_MAX);
    struct store_subject subjects[SIDES][SUBJECTS_MAX];
    enum store_result results[SIDES];
    const char *token = token_for(p, partition);
    uint64_t commit = commit_for(p, partition);

    for (size_t i = 0; i < count; i++)
        subjects[MODEL][i] = subjects[REAL][i] =
            (struct store_subject){.subject = name_of(draw(NAMES))};
    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        results[i] = s->class->load(s, p->step, partition, token, commit, p->arena, subjects[i],
                                    count, NULL);
    }
    SAME(p, results[MODEL] == results[REAL]);
    for (size_t i = 0; i < count && results[REAL] == STORE_DONE; i++)
        SAME(p, str_equal(subjects[MODEL][i].blob, subjects[REAL][i].blob));
}

static void due(struct play *p, int connection, int partition)
{
    struct store_lane lane = {.of_lane = draw(2) == 0, .id = (uint32_t)draw(LANES)};
    int64_t from_ms = draw(4) == 0 ? INT64_MIN : (int64_t)draw(40) - 10;
    struct str after = name_of(draw(NAMES));
    size_t max = 1 + (size_t)draw(5), counts[SIDES];
    struct store_subject *found[SIDES];
    enum store_result results[SIDES];
    bool more[SIDES] = {false, false};
    const char *token = token_for(p, partition);
    uint64_t commit = commit_for(p, partition);

    if (!lane.of_lane)
        lane.id = 0;
    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        results[i] = s->class->due(s, p->step, partition, token, commit, lane, from_ms, after, max,
                                   p->arena, &found[i], &counts[i], &more[i], NULL);
    }
    SAME(p, results[MODEL] == results[REAL]);
    if (results[REAL] != STORE_DONE)
        return;
    SAME(p, counts[MODEL] == counts[REAL] && more[MODEL] == more[REAL]);
    for (size_t i = 0; i < counts[REAL]; i++)
        SAME(p, found[MODEL][i].due_ms == found[REAL][i].due_ms &&
                    str_equal(found[MODEL][i].subject, found[REAL][i].subject));
}

static struct store_subject draw_subject(struct play *p, struct str name)
{
    struct store_subject subject = {.subject = name, .due_ms = STEP_NO_TIMER};
    struct step_wait *waits = ARENA_ARRAY(p->arena, struct step_wait, LANES);

    if (draw(5) != 0)
        subject.blob = arena_format(p->arena, "blob %llu", (unsigned long long)draw(1000));
    subject.due_changed = draw(2) == 0;
    if (draw(3) != 0)
        subject.due_ms = (int64_t)draw(40) - 10;
    for (uint32_t lane = 0; lane < LANES; lane++)
        if (draw(4) == 0)
            waits[subject.wait_count++] =
                (struct step_wait){lane, draw(3) == 0 ? STEP_NO_TIMER : (int64_t)draw(40) - 10};
    subject.waits = waits;
    return subject;
}

static void finish(struct play *p, int connection, int partition)
{
    struct pending *pending = &p->pending[connection][partition];
    enum store_result results[SIDES];

    if (!pending->there)
        return;
    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        results[i] = s->class->commit_wait(s, p->step, partition, NULL);
    }
    pending->there = false;
    SAME(p, results[MODEL] == results[REAL]);
}

static void send(struct play *p, int connection, int partition)
{
    struct pending *pending = &p->pending[connection][partition];
    const char *token = token_for(p, partition);

    finish(p, connection, partition);
    *pending = (struct pending){.there = true, .commit = commit_for(p, partition)};
    pending->meta = arena_format(p->arena, "meta %llu", (unsigned long long)draw(1000));
    pending->subjects = ARENA_ARRAY(p->arena, struct store_subject, NAMES);
    for (uint64_t i = 0; i < NAMES; i++)
        if (draw(3) == 0)
            pending->subjects[pending->count++] = draw_subject(p, name_of(i));
    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        s->class->commit_send(s, p->step, partition, token, pending->commit, pending->meta,
                              pending->subjects, pending->count);
    }
    if (strcmp(token, p->tokens[partition]) == 0 && pending->commit == p->commits[partition])
        p->commits[partition]++;
}

/* It may happen or not; here it does, before anybody else asks: a question over the same connection comes
 * behind it. */
static void drop(struct play *p, int connection, int partition)
{
    struct str meta;

    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        s->class->commit_drop(s, p->step, partition);
        ck_assert_int_eq(s->class->meta(s, p->step, partition, p->arena, &meta, NULL), STORE_DONE);
    }
    p->pending[connection][partition].there = false;
}

static void look(struct play *p, int connection, int partition)
{
    struct str meta[SIDES];
    struct hash128 digests[SIDES];

    for (int i = 0; i < SIDES; i++) {
        struct store *s = p->stores[i][connection];

        ck_assert_int_eq(s->class->meta(s, p->step, partition, p->arena, &meta[i], NULL),
                         STORE_DONE);
        ck_assert_int_eq(store_digest(s, p->step, partition, &digests[i], NULL), STORE_DONE);
    }
    SAME(p, str_equal(meta[MODEL], meta[REAL]));
    SAME(p, digests[MODEL].low == digests[REAL].low && digests[MODEL].high == digests[REAL].high);
}

/* What is on its way over the other connection would come before or after: it is waited for. */
static void settle_others(struct play *p, int connection)
{
    for (int other = 0; other < CONNECTIONS; other++)
        for (int i = 0; i < PARTITIONS && other != connection; i++)
            finish(p, other, i);
}

static void play_call(struct play *p)
{
    static void (*const calls[])(struct play * p, int connection,
                                 int partition) = {claim, load, due, send, finish, drop, look};
    static const int often[] = {1, 6, 3, 7, 3, 1, 1};
    uint64_t at = draw(22);
    int connection = (int)draw(CONNECTIONS), partition = (int)draw(PARTITIONS);
    size_t which = 0;

    while (at >= (uint64_t)often[which])
        at -= (uint64_t)often[which++];
    settle_others(p, connection);
    calls[which](p, connection, partition);
    p->calls[which]++;
}

static void play_sequence(uint64_t seed, struct store *const real[CONNECTIONS], size_t calls[8])
{
    struct play p = {.seed = seed, .arena = arena_new(0), .model = store_model_new()};

    rng = rng_seeded(seed);
    snprintf(p.step, sizeof p.step, "step%llu", (unsigned long long)seed);
    for (int i = 0; i < CONNECTIONS; i++) {
        p.stores[MODEL][i] = store_model_connect(p.model);
        p.stores[REAL][i] = real[i];
    }
    for (p.call = 0; p.call < CALLS; p.call++)
        play_call(&p);
    for (int i = 0; i < CONNECTIONS * PARTITIONS; i++)
        finish(&p, i / PARTITIONS, i % PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++)
        look(&p, 0, i);
    for (int i = 0; i < 8; i++)
        calls[i] += p.calls[i];
    store_model_free(p.model);
    arena_free(p.arena);
}

START_TEST(the_model_answers_as_redis_does)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    const char *only = getenv("SEED");
    struct store *real[CONNECTIONS];
    size_t calls[8] = {0};
    struct err err = {0};

    for (int i = 0; i < CONNECTIONS; i++)
        ck_assert_msg(redis_store_open(&settings, &real[i], &err) == ERR_NONE, "%s", err.text);
    for (uint64_t seed = 1; seed <= SEQUENCES && only == NULL; seed++)
        play_sequence(seed, real, calls);
    if (only != NULL)
        play_sequence(strtoull(only, NULL, 10), real, calls);
    printf("%zu claims, %zu loads, %zu looks for timers, %zu commits (%zu dropped)\n", calls[0],
           calls[1], calls[2], calls[3], calls[5]);
    for (int i = 0; i < CONNECTIONS; i++)
        real[i]->class->close(real[i]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_model_answers_as_redis_does};

    return suite_run_with("store model", tests, 1, 120, start, stop);
}
