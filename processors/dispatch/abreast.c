#include "processors/dispatch/abreast.h"

#include "core/log.h"
#include "core/mutant.h"

enum { ANSWER_MS = 1000 };

struct look {
    struct kafka_consumer *consumer;
    const char *topic;
};

static bool has_read(const struct look *look, const struct partition *p, int64_t end)
{
    return kafka_consumer_read_to(look->consumer, look->topic, p->number) >= end ||
           MUTANT(SENDS_BEHIND);
}

static bool has_something_due(const struct plan *plan, const struct partition *p)
{
    return !p->broken &&
           (ledger_due_ms(p->ledger) <= p->now_ms || plan_turn_ms(plan, p) <= plan->real_ms);
}

/* It goes as far as the log went when it asked, and no further: under load there is no end. */
static void go_on(const struct look *look, struct partition *p)
{
    p->behind = !has_read(look, p, p->look_to);
    if (!p->behind)
        p->look_to = PARTITION_LOOKS_NOWHERE;
}

static void ask(const struct look *look, struct partition *const *asking, size_t count,
                struct arena *arena)
{
    struct kafka_partition *ends = ARENA_ARRAY(arena, struct kafka_partition, count + 1);
    struct err err = {0};
    bool told;

    for (size_t i = 0; i < count; i++)
        ends[i] = (struct kafka_partition){.topic = look->topic, .partition = asking[i]->number};
    told = kafka_consumer_ask_ends(look->consumer, ends, count, ANSWER_MS, &err) == ERR_NONE;
    if (!told)
        log_warn("dispatch", "nothing goes while nobody says where the log ends",
                 LOG_TEXT("why", err.text), LOG_END);
    for (size_t i = 0; i < count; i++) {
        asking[i]->behind = true;
        if (told) {
            asking[i]->look_to = ends[i].offset;
            go_on(look, asking[i]);
        }
    }
}

void abreast_look(struct kafka_consumer *consumer, const char *topic, const struct plan *plan,
                  struct partition *partitions, size_t count)
{
    const struct look look = {consumer, topic};
    struct partition **asking = ARENA_ARRAY(plan->arena, struct partition *, count + 1);
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct partition *p = &partitions[i];
        if (p->look_to != PARTITION_LOOKS_NOWHERE)
            go_on(&look, p);
        else if (has_something_due(plan, p))
            asking[found++] = p;
        else
            p->behind = false;
    }
    if (found != 0)
        ask(&look, asking, found, plan->arena);
}
