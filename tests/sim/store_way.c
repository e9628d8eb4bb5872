/* The way from a process to the server and back: it takes its time, and on it strikes what can happen to
 * Redis.
 */
#include "tests/sim/store_model.h"

#include <string.h>

#include "tests/sim/sim.h"
#include "tests/sim/store_model_parts.h"

enum {
    SLOW_US_MAX = 20000,
    AWAY_US_MAX = 3000000,    /* while it fails over */
    FULL_US_MAX = 5000000,    /* without memory */
    FAILOVER_WRITES_MAX = 12, /* lost by it */
};

int64_t way_drawn_us(int64_t least, int64_t most)
{
    return least + (int64_t)rng_below(sim_rng(), (uint64_t)(most - least + 1));
}

bool way_is_likely(unsigned percent)
{
    return rng_below(sim_rng(), 100) < percent;
}

int64_t way_us(void)
{
    return way_is_likely(4) ? way_drawn_us(WAY_US_MAX, SLOW_US_MAX)
                            : way_drawn_us(WAY_US_MIN, WAY_US_MAX);
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
void way_go_on(struct store_model *m)
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
    m->away_until_us = sim_now_us() + way_drawn_us(10000, AWAY_US_MAX);
    for (size_t i = 0; i < m->waiting_count; i++)
        m->waiting[i]->unheard |= way_is_likely(50);
}

void way_strike(struct store_model *m, const char *step)
{
    if (sim_strikes(SIM_STORE_FAILOVER, step))
        fail_over(m);
    if (sim_strikes(SIM_STORE_FULL, step))
        m->full_until_us = sim_now_us() + way_drawn_us(100000, FULL_US_MAX);
}

/* --- a question and its answer ---------------------------------------------------------------------- */

struct connection *way_of(struct store *s)
{
    return (struct connection *)s;
}

enum store_result way_down(struct err *err, const char *why)
{
    err_set(err, ERR_REDIS, "Redis: %s", why);
    return STORE_DOWN;
}

void way_sleep_until(int64_t at_us)
{
    while (sim_now_us() < at_us)
        sim_sleep_us(at_us - sim_now_us());
}

/* On the way there.  False: nothing is done, and err says why. */
bool way_reach(struct connection *c, const char *step, bool writes, struct err *err)
{
    struct store_model *m = c->model;
    int64_t behind_us = c->last_done_us == INT64_MAX ? 0 : c->last_done_us;

    sim_yield();
    way_sleep_until((behind_us > sim_now_us() ? behind_us : sim_now_us()) + way_us());
    way_strike(m, step);
    way_go_on(m);
    if (sim_strikes(SIM_STORE_TIMEOUT_NOT, step)) {
        sim_sleep_us(WAY_TIMEOUT_US);
        way_down(err, "no answer");
        return false;
    }
    if (is_away(m))
        way_down(err, "nobody is there");
    else if (writes && is_full(m))
        way_down(err, "out of memory");
    else
        return true;
    sim_sleep_us(way_us());
    return false;
}

/* On the way back.  False: it is done, and nobody hears of it. */
bool way_come_back(const char *step, struct err *err)
{
    if (sim_strikes(SIM_STORE_TIMEOUT_DONE, step)) {
        sim_sleep_us(WAY_TIMEOUT_US);
        way_down(err, "no answer");
        return false;
    }
    way_sleep_until(sim_now_us() + way_us());
    return true;
}

enum store_result way_refused(enum store_result result, struct err *err)
{
    if (result != STORE_DONE)
        err_set(err, ERR_FENCED, "%s", store_result_text(result));
    return result;
}
