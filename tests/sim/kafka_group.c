/* Groups.  A rebalance is eager: all members give up what they have and join again; when the last
 * has joined, the generation is counted up and the partitions are shared out by range, members in the
 * order of their ids.  A member that is silent for its session is out, and learns of it when it asks.
 */
#include "tests/sim/kafka_clients.h"

enum { REBALANCE_MS = 300000 };

struct group *group_find(struct str name)
{
    for (size_t i = 0; i < cluster->group_count; i++)
        if (str_equal(cluster->groups[i]->name, name))
            return cluster->groups[i];
    return NULL;
}

struct group *group_of(struct str name)
{
    struct group *g = group_find(name);

    if (g != NULL)
        return g;
    g = MODEL_NEW(struct group);
    g->name = model_copy(name);
    MODEL_RESERVE(cluster->groups, cluster->group_count, cluster->group_capacity);
    return cluster->groups[cluster->group_count++] = g;
}

/* --- sharing out ------------------------------------------------------------------------------- */

static bool subscribes(const struct member *m, struct str topic)
{
    for (size_t i = 0; i < m->topic_count; i++)
        if (str_equal(m->topics[i], topic))
            return true;
    return false;
}

static struct share share_of(const struct group *g, const struct member *m, struct str name)
{
    struct topic *t = topic_find(name);
    int32_t members = 0, place = 0, each, more;

    if (t == NULL)
        return (struct share){0};
    for (size_t i = 0; i < g->count; i++) {
        if (!subscribes(g->members[i], name))
            continue;
        place += g->members[i]->id < m->id;
        members++;
    }
    each = t->partitions / members;
    more = t->partitions % members;
    return (struct share){t, place * each + (place < more ? place : more),
                          (place + 1) * each + (place + 1 < more ? place + 1 : more)};
}

static void share_out(struct group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        struct member *m = g->members[i];

        m->shares = model_alloc((m->topic_count + 1) * sizeof *m->shares);
        for (size_t k = 0; k < m->topic_count; k++)
            m->shares[k] = share_of(g, m, m->topics[k]);
    }
}

/* Have all joined? */
static void complete(struct group *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (!g->members[i]->joined)
            return;
    if (!g->preparing)
        return;
    g->preparing = false;
    g->generation++;
    g->stable_at_us = model_now_us() + latency_us() + latency_us();
    share_out(g);
    for (size_t i = 0; i < g->count; i++)
        cluster_wake(g->members[i]->process);
}

void group_rebalance(struct group *g)
{
    if (g->preparing)
        return;
    g->preparing = true;
    g->prepared_at_us = model_now_us();
    for (size_t i = 0; i < g->count; i++)
        g->members[i]->joined = false;
}

/* --- members ----------------------------------------------------------------------------------- */

static void take_out(struct group *g, struct member *m)
{
    for (size_t i = 0; i < g->count; i++) {
        if (g->members[i] != m)
            continue;
        memmove(&g->members[i], &g->members[i + 1], (g->count - i - 1) * sizeof g->members[0]);
        g->count--;
        m->id = 0;
        m->joined = false;
        return;
    }
}

void group_join(struct group *g, struct member *m)
{
    group_look(g);
    group_rebalance(g);
    if (m->id == 0) {
        m->id = rng_next(sim_rng()) | 1;
        MODEL_RESERVE(g->members, g->count, g->capacity);
        g->members[g->count++] = m;
        if (m->silent_at_us != NEVER_US) /* of a session before */
            m->silent_at_us = model_now_us() < m->speaks_at_us ? model_now_us() : NEVER_US;
    }
    m->joined = true;
    complete(g);
}

void group_leave(struct group *g, struct member *m)
{
    if (m->id == 0)
        return;
    take_out(g, m);
    group_rebalance(g);
    complete(g);
}

static bool has_expired(struct member *m, int64_t now_us)
{
    int64_t ends_us;

    if (m->silent_at_us == NEVER_US)
        return false;
    ends_us = m->silent_at_us + m->session_us;
    if (now_us >= ends_us && m->speaks_at_us > ends_us)
        return true;
    if (now_us >= m->speaks_at_us)
        m->silent_at_us = NEVER_US;
    return false;
}

void group_look(struct group *g)
{
    int64_t now_us = model_now_us();

    for (size_t i = g->count; i > 0; i--)
        if (has_expired(g->members[i - 1], now_us))
            group_leave(g, g->members[i - 1]);
    if (!g->preparing || now_us < g->prepared_at_us + (int64_t)REBALANCE_MS * MS)
        return;
    for (size_t i = g->count; i > 0; i--)
        if (!g->members[i - 1]->joined)
            take_out(g, g->members[i - 1]);
    complete(g);
}

enum answer group_heartbeat(struct group *g, const struct member *m, int32_t generation)
{
    group_look(g);
    if (m->id == 0)
        return ANSWER_UNKNOWN_MEMBER;
    if (g->preparing)
        return ANSWER_REBALANCE;
    return generation == g->generation ? ANSWER_OK : ANSWER_OLD_GENERATION;
}

static void rebalance_later(void *what)
{
    group_rebalance(what);
}

void group_topic_changed(struct str topic)
{
    for (size_t i = 0; i < cluster->group_count; i++) {
        struct group *g = cluster->groups[i];
        bool any = false;

        for (size_t k = 0; k < g->count; k++)
            any = any || subscribes(g->members[k], topic);
        if (any) /* their clients look at the topics now and then */
            cluster_at(model_now_us() + draw_us(100 * MS, 3000 * MS), rebalance_later, g);
    }
}

/* --- offsets ----------------------------------------------------------------------------------- */

struct group_offset *group_offset_of(struct group *g, struct str topic, int32_t partition)
{
    struct group_offset *o;

    for (size_t i = 0; i < g->offset_count; i++)
        if (g->offsets[i].partition == partition && str_equal(g->offsets[i].topic, topic))
            return &g->offsets[i];
    MODEL_RESERVE(g->offsets, g->offset_count, g->offset_capacity);
    o = &g->offsets[g->offset_count++];
    *o = (struct group_offset){.topic = model_copy(topic),
                               .partition = partition,
                               .offset = -1,
                               .pending = -1,
                               .producer_id = NO_PRODUCER};
    return o;
}

enum answer group_admits(struct group *g, uint64_t member_id, int32_t generation,
                         bool in_transaction)
{
    bool known = false;

    group_look(g);
    for (size_t i = 0; i < g->count; i++)
        known = known || g->members[i]->id == member_id;
    if (generation < 0 && member_id == 0)
        return g->count == 0 ? ANSWER_OK : ANSWER_UNKNOWN_MEMBER;
    if (!known)
        return ANSWER_UNKNOWN_MEMBER;
    if (!in_transaction && !g->preparing && model_now_us() < g->stable_at_us)
        return ANSWER_REBALANCE;
    return generation == g->generation ? ANSWER_OK : ANSWER_OLD_GENERATION;
}

void group_end_transaction(struct group *g, int64_t producer_id, bool commit)
{
    for (size_t i = 0; i < g->offset_count; i++) {
        struct group_offset *o = &g->offsets[i];

        if (o->producer_id != producer_id)
            continue;
        if (commit && o->pending >= 0 && o->pending_order > o->order) {
            o->offset = o->pending;
            o->order = o->pending_order;
        }
        o->pending = -1;
        o->producer_id = NO_PRODUCER;
    }
}
