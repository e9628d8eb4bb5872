/* A group of up to three members that come and go, commit and are refused. */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/contract/kafka/play.h"

enum { MEMBERS_MAX = 3, TAKE_MAX = 16, REST_MS = 400 };

struct seat { /* a member */
    struct kafka_consumer *consumer;
    bool mine[PARTITIONS_MAX];
    size_t count;
    bool lost;
};

struct table {
    struct play *play;
    struct board *board;
    char group[64];
    struct seat seats[MEMBERS_MAX];
    size_t count;
};

static void on_assigned(void *context, struct kafka_partition *partitions, size_t count)
{
    struct seat *s = context;

    for (size_t i = 0; i < count; i++) {
        s->mine[partitions[i].partition] = true;
        partitions[i].offset = KAFKA_OFFSET_HOLD;
    }
    s->count += count;
}

static void on_revoked(void *context, const struct kafka_partition *partitions, size_t count,
                       bool lost)
{
    struct seat *s = context;

    for (size_t i = 0; i < count; i++)
        s->mine[partitions[i].partition] = false;
    s->count -= count;
    s->lost |= lost;
}

static void on_done(void *context, bool ok)
{
    *(int *)context = ok;
}

/* --- coming and going ---------------------------------------------------------------------------- */

static void poll_all(struct table *t)
{
    struct record records[TAKE_MAX];
    struct err err = {0};
    size_t count;

    for (size_t i = 0; i < t->count; i++) {
        enum err_code code =
            kafka_consumer_poll(t->seats[i].consumer, 5, records, TAKE_MAX, &count, &err);
        if (code != ERR_NONE)
            say(t->play, "poll of a member: %s", word(code));
        kafka_consumer_release(t->seats[i].consumer);
    }
}

/* As range shares out: the numbers differ by one at most, and all are there. */
static bool is_shared_out(const struct table *t)
{
    size_t sum = 0, least = PARTITIONS_MAX, most = 0;

    for (size_t i = 0; i < t->count; i++) {
        sum += t->seats[i].count;
        least = t->seats[i].count < least ? t->seats[i].count : least;
        most = t->seats[i].count > most ? t->seats[i].count : most;
    }
    return sum == (size_t)t->board->partitions && most - least <= 1;
}

static void settle(struct table *t)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS, rest_ms = 0, now_ms;

    while ((now_ms = clock_mono_ms()) < until_ms) {
        poll_all(t);
        if (!is_shared_out(t))
            rest_ms = now_ms;
        else if (rest_ms != 0 && now_ms - rest_ms >= REST_MS)
            break;
        else if (rest_ms == 0)
            rest_ms = now_ms;
    }
    say(t->play, "%zu members: %s", t->count, is_shared_out(t) ? "shared out" : "not shared out");
}

static void sit_down(struct table *t)
{
    struct seat *s = &t->seats[t->count];
    const struct kafka_listener listener = {s, on_assigned, on_revoked};
    const char *topic = t->board->topic;
    struct err err = {0};

    *s = (struct seat){0};
    must(
        t->play,
        kafka_consumer_open(&t->play->settings, t->group, &topic, 1, &listener, &s->consumer, &err),
        "join", &err);
    t->count++;
}

static void stand_up(struct table *t)
{
    struct seat *s = &t->seats[--t->count];

    kafka_consumer_close(s->consumer);
    say(t->play, "a member left with %zu partitions%s", s->count, s->lost ? ", lost some" : "");
}

/* --- what members do ------------------------------------------------------------------------------- */

static struct seat *owner_of(struct table *t, int32_t partition)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->seats[i].mine[partition])
            return &t->seats[i];
    return &t->seats[0];
}

static struct seat *other_than(struct table *t, const struct seat *s)
{
    return s == &t->seats[0] ? &t->seats[1] : &t->seats[0];
}

static int64_t draw_place(struct table *t, int32_t partition)
{
    return (int64_t)draw(t->play, (uint64_t)stable_end(&t->board->spots[partition]) + 1);
}

static void commit_plainly(struct table *t, int32_t partition)
{
    struct play *p = t->play;
    const struct kafka_partition at = {t->board->topic, partition, draw_place(t, partition)};
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    int done = -1;
    bool sent =
        kafka_consumer_commit_async(owner_of(t, partition)->consumer, &at, 1, on_done, &done);

    while (done < 0 && sent && clock_mono_ms() < until_ms)
        poll_all(t);
    say(p, "commit of %d@%lld: %s", partition, (long long)at.offset, done == 1 ? "ok" : "not ok");
}

static void commit_in_transaction(struct table *t, int32_t partition)
{
    struct play *p = t->play;
    size_t sender = (size_t)draw(p, SENDERS);
    struct kafka_partition at = {t->board->topic, partition, draw_place(t, partition)};
    bool fatal = true, mine = draw(p, 3) > 0 || t->count == 1;
    struct seat *s = mine ? owner_of(t, partition) : other_than(t, owner_of(t, partition));
    enum err_code code;

    if (p->senders[sender].open)
        end_transaction(p, sender, true);
    kafka_begin(p->senders[sender].producer, NULL);
    code = kafka_commit(p->senders[sender].producer, s->consumer, &at, 1, &fatal, NULL);
    say(p, "commit of %d@%lld with a transaction of %s: %s%s", partition, (long long)at.offset,
        mine ? "its owner" : "another", word(code), fatal ? " fatal" : "");
}

static void say_committed(struct table *t)
{
    for (int i = 0; i < t->board->partitions; i++) {
        int64_t offset = 7;
        enum err_code code =
            kafka_consumer_committed(t->seats[0].consumer, t->board->topic, i, &offset, NULL);

        say(t->play, "committed of %d: %s, %lld", i, word(code), (long long)offset);
    }
}

/* A newcomer waits; who has been told nothing yet may still commit. */
static void commit_untold(struct table *t)
{
    struct seat *first = &t->seats[0];
    int64_t until_ms = clock_mono_ms() + REST_MS;
    struct kafka_partition at = {t->board->topic, 0, 0};
    bool fatal = true;
    size_t sender = 0;
    enum err_code code;

    if (t->count != 1)
        return;
    if (t->play->senders[sender].open)
        end_transaction(t->play, sender, true);
    sit_down(t);
    while (clock_mono_ms() < until_ms) {
        struct record records[TAKE_MAX];
        size_t count;

        kafka_consumer_poll(t->seats[1].consumer, 5, records, TAKE_MAX, &count, NULL);
    }
    kafka_begin(t->play->senders[sender].producer, NULL);
    code = kafka_commit(t->play->senders[sender].producer, first->consumer, &at, 1, &fatal, NULL);
    say(t->play, "commit of a member that waits for a rebalance: %s%s", word(code),
        fatal ? " fatal" : "");
    settle(t);
}

static void seek_group(struct table *t, int32_t partition)
{
    struct seat *s = owner_of(t, partition);
    enum err_code code =
        kafka_consumer_seek(s->consumer, t->board->topic, partition, KAFKA_OFFSET_GROUP, NULL);
    int64_t offset = kafka_consumer_read_to(s->consumer, t->board->topic, partition);
    say(t->play, "back to the group: %d, %s, %lld", partition, word(code), (long long)offset);
}

static void act(struct table *t)
{
    int32_t partition = (int32_t)draw(t->play, (uint64_t)t->board->partitions);

    switch (draw(t->play, 4)) {
    case 0: commit_plainly(t, partition); break;
    case 1:
    case 2: commit_in_transaction(t, partition); break;
    default: seek_group(t, partition); break;
    }
}

/* Who has no listener begins where the group committed. */
static void read_as_group(struct table *t)
{
    struct play *p = t->play;
    const char *topic = t->board->topic;
    struct kafka_consumer *c;
    struct err err = {0};

    must(p, kafka_consumer_open(&p->settings, t->group, &topic, 1, NULL, &c, &err), "join", &err);
    read_rest(p, c, t->board, (int32_t)draw(p, (uint64_t)t->board->partitions));
    kafka_consumer_close(c);
}

void group_play(struct play *p)
{
    struct table t = {.play = p, .board = &p->boards[draw(p, 2)]};

    snprintf(t.group, sizeof t.group, "play.%llu.%d", (unsigned long long)p->seed, p->names++);
    sit_down(&t);
    settle(&t);
    for (uint64_t acts = 2 + draw(p, 4); acts > 0; acts--)
        act(&t);
    if (draw(p, 2) == 0)
        commit_untold(&t);
    while (t.count < MEMBERS_MAX && draw(p, 2) == 0) {
        sit_down(&t);
        settle(&t);
    }
    for (uint64_t acts = 2 + draw(p, 4); acts > 0; acts--)
        act(&t);
    say_committed(&t);
    while (t.count > 0) {
        stand_up(&t);
        if (t.count > 0 && draw(p, 2) == 0)
            settle(&t);
    }
    read_as_group(&t);
}
