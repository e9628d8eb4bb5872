/* A member of a group, from the client's side.  Heartbeats and joins are a thread of the real client:
 * here they are made up for whenever somebody looks, listeners are called by serve only.
 *
 *     JOINING --all have joined--> STABLE --a heartbeat says so--> REVOKING --serve: revoked--> JOINING
 *                                  serve: assigned
 */
#include "tests/sim/kafka_clients.h"

enum { HEARTBEAT_MS = 300 };

static void join(void *what)
{
    struct kafka_consumer *c = what;

    if (c->dead)
        return;
    if (cluster_is_gone()) {
        cluster_at(cluster->gone_until_us + latency_us(), join, c);
        return;
    }
    c->asks_to_join = false;
    group_join(c->group, &c->member);
    c->member_id = c->member.id;
}

static void join_soon(struct kafka_consumer *c)
{
    int64_t now_us = model_now_us();

    c->state = MEMBER_JOINING;
    c->heartbeat_us = now_us + HEARTBEAT_MS * MS;
    if (c->asks_to_join)
        return;
    c->asks_to_join = true;
    cluster_at(now_us + latency_us(), join, c);
}

void member_begin(struct kafka_consumer *c)
{
    c->generation = -1;
    join_soon(c);
}

/* --- what it hears -------------------------------------------------------------------------------- */

static void hear_rebalance(struct kafka_consumer *c, bool lost)
{
    c->state = MEMBER_REVOKING;
    c->assign_due = false;
    c->lost = lost;
    if (lost) {
        c->generation = -1;
        c->member_id = 0;
    }
}

static void strike_group(struct kafka_consumer *c)
{
    int64_t now_us = model_now_us();

    if (sim_strikes(SIM_LATE_REVOKE, "heartbeat")) {
        group_leave(c->group, &c->member);
        c->learns_us = now_us + draw_us(500 * MS, 6000 * MS);
    } else if (sim_strikes(SIM_REBALANCE, "heartbeat")) {
        group_rebalance(c->group);
    }
}

static void heartbeat(struct kafka_consumer *c, int64_t now_us)
{
    c->heartbeat_us = now_us + HEARTBEAT_MS * MS;
    if (cluster_is_gone() || now_us < c->learns_us)
        return;
    strike_group(c);
    if (now_us < c->learns_us)
        return;
    switch ((int)group_heartbeat(c->group, &c->member, c->generation)) {
    case ANSWER_OK: break;
    case ANSWER_REBALANCE: hear_rebalance(c, false); break;
    default: hear_rebalance(c, true); break;
    }
}

/* All have joined, and the leader has shared out: the generation is known with that. */
static void hear_assignment(struct kafka_consumer *c, int64_t now_us)
{
    struct group *g = c->group;

    if (c->asks_to_join)
        return;
    if (now_us >= c->heartbeat_us) {
        c->heartbeat_us = now_us + HEARTBEAT_MS * MS;
        group_look(g);
        if (c->member_id != 0 && c->member.id == 0) { /* thrown out while it waited */
            c->member_id = 0;
            join_soon(c);
            return;
        }
        if (c->member_id != 0 &&
            !c->member.joined) { /* the next generation is being made already */
            join_soon(c);
            return;
        }
    }
    if (c->member.id == 0 || !c->member.joined || g->preparing || now_us < g->stable_at_us ||
        cluster_is_gone())
        return;
    c->generation = g->generation;
    c->state = MEMBER_STABLE;
    c->assign_due = true;
    c->heartbeat_us = now_us + HEARTBEAT_MS * MS;
}

void member_look(struct kafka_consumer *c)
{
    int64_t now_us = model_now_us();

    if (c->group == NULL)
        return;
    if (c->state == MEMBER_JOINING)
        hear_assignment(c, now_us);
    else if (c->state == MEMBER_STABLE && now_us >= c->heartbeat_us)
        heartbeat(c, now_us);
}

int64_t member_next_us(const struct kafka_consumer *c)
{
    if (c->group == NULL)
        return NEVER_US;
    if (c->assign_due || c->state == MEMBER_REVOKING)
        return 0;
    if (c->state == MEMBER_JOINING && !c->asks_to_join && c->member.joined &&
        !c->group->preparing && c->group->stable_at_us > model_now_us())
        return c->group->stable_at_us;
    return c->heartbeat_us;
}

/* --- what its owner hears ------------------------------------------------------------------------- */

static void give_up(struct kafka_consumer *c)
{
    struct kafka_partition *partitions = model_alloc((c->slot_count + 1) * sizeof *partitions);
    size_t count = c->slot_count;

    for (size_t i = 0; i < count; i++)
        partitions[i] = (struct kafka_partition){c->slots[i].topic.data, c->slots[i].partition,
                                                 c->slots[i].wanted};
    if (c->listener.revoked != NULL && count > 0)
        c->listener.revoked(c->listener.context, partitions, count, c->lost);
    c->slots = NULL;
    c->slot_count = 0;
}

static size_t list_shares(const struct kafka_consumer *c, struct kafka_partition **out)
{
    const struct member *m = &c->member;
    size_t count = 0;

    for (size_t i = 0; i < m->topic_count; i++)
        count += (size_t)(m->shares[i].to - m->shares[i].from);
    *out = model_alloc((count + 1) * sizeof **out);
    count = 0;
    for (size_t i = 0; i < m->topic_count; i++)
        for (int32_t p = m->shares[i].from; p < m->shares[i].to; p++)
            (*out)[count++] =
                (struct kafka_partition){m->shares[i].topic->name.data, p, KAFKA_OFFSET_GROUP};
    return count;
}

/* A question that is not answered is asked again, not guessed: the partitions are held. */
static void take_over(struct kafka_consumer *c)
{
    struct kafka_partition *partitions;
    size_t count = list_shares(c, &partitions);
    struct err err = {0};

    if (c->listener.assigned != NULL && count > 0)
        c->listener.assigned(c->listener.context, partitions, count);
    if (consumer_resolve(c, partitions, count, &err) != ERR_NONE &&
        consumer_resolve(c, partitions, count, &err) != ERR_NONE) {
        consumer_set_fault(c, err.code, err.text);
        for (size_t i = 0; i < count; i++)
            if (partitions[i].offset == KAFKA_OFFSET_GROUP)
                partitions[i].offset = KAFKA_OFFSET_HOLD;
    }
    consumer_assign(c, partitions, count);
}

void member_serve(struct kafka_consumer *c)
{
    member_look(c);
    if (c->group == NULL)
        return;
    if (c->assign_due) {
        c->assign_due = false;
        take_over(c);
        member_look(c);
    }
    if (c->state == MEMBER_REVOKING) {
        give_up(c);
        join_soon(c);
    }
}

void member_leave(struct kafka_consumer *c)
{
    if (c->group == NULL)
        return;
    c->lost = c->state == MEMBER_REVOKING && c->lost;
    give_up(c);
    c->dead = true; /* a join that is under way does not happen */
    if (!cluster_is_gone()) {
        wait_until_us(model_now_us() + latency_us());
        group_leave(c->group, &c->member);
        wait_until_us(model_now_us() + latency_us());
        return;
    }
    c->member.silent_at_us = model_now_us();
    c->member.speaks_at_us = NEVER_US;
}
