/* A commit that was sent waits until its time has come, and is done then by whoever looks at the server
 * next: nobody needs to wait for it.  Those of one connection keep their order; so do their answers.
 */
#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/mem.h"
#include "tests/sim/sim.h"
#include "tests/sim/store_model_parts.h"

enum { RESEND_US_MAX = 1000000 };

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
    bool again = way_is_likely(60);

    sent->done_us = later(sim_now_us() + way_us(), c->last_done_us + 1);
    sent->answered_us = sent->done_us + way_us();
    if (sim_strikes(SIM_STORE_TIMEOUT_DONE, "commit")) {
        sent->answered_us = sent->done_us + WAY_TIMEOUT_US + way_drawn_us(0, RESEND_US_MAX);
        sent->unheard = !again;
    } else if (sim_strikes(SIM_STORE_TIMEOUT_NOT, "commit")) {
        sent->answered_us = sent->done_us + WAY_TIMEOUT_US + way_drawn_us(0, RESEND_US_MAX);
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

void commits_send(struct store *s, const char *step, int32_t partition, const char *token,
                  uint64_t commit, struct str meta, const struct store_subject *subjects,
                  size_t count)
{
    struct connection *c = way_of(s);
    struct store_model *m = c->model;
    struct arena *arena = m->server.arena;
    struct sent *sent = ARENA_NEW(arena, struct sent);

    CHECK(find_sent(c, step, partition) == NULL);
    way_strike(m, "commit");
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

bool commits_ready(struct store *s, const char *step, int32_t partition)
{
    const struct sent *sent = find_sent(way_of(s), step, partition);

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

enum store_result commits_wait(struct store *s, const char *step, int32_t partition,
                               struct err *err)
{
    struct connection *c = way_of(s);
    struct sent *sent = find_sent(c, step, partition);
    bool heard;

    CHECK(sent != NULL);
    way_sleep_until(sent->answered_us);
    way_go_on(c->model);
    heard = sent->done && !sent->unheard && sent->result != STORE_DOWN;
    forget(c, sent);
    if (!heard)
        return way_down(err, "no answer to a commit");
    return way_refused(sent->result, err);
}

void commits_drop(struct store *s, const char *step, int32_t partition)
{
    struct sent *sent = find_sent(way_of(s), step, partition);

    if (sent == NULL)
        return;
    sent->dropped = true;
    forget(way_of(s), sent);
}
