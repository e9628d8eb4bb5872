/* Which record has killed: told by notes, of which there are few.
 *
 * Kafka's part, the offsets of a group with a text beside each, is played by this file.
 */
#include <stdio.h>

#include "core/alone.h"
#include "core/arena.h"
#include "core/limit.h"
#include "connectors/kafka/suspects.h"
#include "tests/support/suite.h"

enum { PARTITIONS = 3, RECORDS = 900, LETHAL = 7, ROUNDS_MAX = 200, ONE = 30 };

static struct {
    int64_t offset;
    char note[32];
} group[PARTITIONS];
static int commits;

static struct suspects *owner;
static struct record records[RECORDS]; /* of the partitions in turn */

/* --- Kafka ------------------------------------------------------------------------------------ */

enum err_code kafka_consumer_notes(struct kafka_consumer *c, struct kafka_partition *partitions,
                                   size_t count, struct arena *arena, struct str *notes,
                                   struct err *err)
{
    (void)c, (void)err;
    for (size_t i = 0; i < count; i++) {
        partitions[i].offset = group[partitions[i].partition].offset;
        notes[i] = arena_str(arena, str_of(group[partitions[i].partition].note));
    }
    return ERR_NONE;
}

enum err_code kafka_consumer_commit_notes(struct kafka_consumer *c,
                                          const struct kafka_partition *offsets,
                                          const struct str *notes, size_t count, struct err *err)
{
    (void)c, (void)err;
    commits++;
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(offsets[i].offset, group[offsets[i].partition].offset);
        snprintf(group[offsets[i].partition].note, sizeof group[0].note, "%.*s", STR_ARG(notes[i]));
    }
    return ERR_NONE;
}

enum err_code kafka_consumer_bounds(struct kafka_consumer *c, const char *topic, int32_t partition,
                                    int64_t *first, int64_t *next, struct err *err)
{
    (void)c, (void)topic, (void)partition, (void)err;
    *first = 0;
    *next = RECORDS / PARTITIONS;
    return ERR_NONE;
}

/* --- owners ----------------------------------------------------------------------------------- */

static enum err_code no_skips(void *context, const char *topic, struct skip_list *out,
                              struct err *err)
{
    (void)context, (void)topic, (void)out, (void)err;
    return ERR_NONE;
}

/* One that comes after another which has said nothing. */
static void begin_owner(void)
{
    static const struct skip_store skips = {.read = no_skips};
    static const char *const topics[] = {"crm"};
    static const struct suspects_config config = {.skips = &skips,
                                                  .part = "ingest",
                                                  .topics = topics,
                                                  .topic_count = 1,
                                                  .in_hand_max = RECORDS};
    static const struct kafka_partition mine[PARTITIONS] = {
        {"crm", 0, 0}, {"crm", 1, 0}, {"crm", 2, 0}};

    owner = suspects_new(&config);
    suspects_assigned(owner, mine, PARTITIONS);
    ck_assert_uint_lt(suspects_records(owner, RECORDS, ONE), RECORDS); /* nobody knows yet */
    ck_assert_int_eq(suspects_look(owner, NULL, NULL), ERR_NONE);
}

static void set_up(void)
{
    for (int i = 0; i < RECORDS; i++)
        records[i] = (struct record){
            .topic = STR("crm"), .partition = i % PARTITIONS, .offset = i / PARTITIONS};
    for (int p = 0; p < PARTITIONS; p++)
        group[p].offset = 0, group[p].note[0] = '\0';
    begin_owner();
    commits = 0;
}

static void tear_down(void)
{
    suspects_free(owner);
}

/* The transaction with the first `count` records: it clears the texts. */
static void commit_round(size_t count)
{
    struct kafka_partition offsets[PARTITIONS];

    for (int p = 0; p < PARTITIONS; p++) {
        group[p].offset = (int64_t)(count / PARTITIONS);
        group[p].note[0] = '\0';
        offsets[p] = (struct kafka_partition){"crm", p, group[p].offset};
    }
    suspects_committed(owner, offsets, PARTITIONS);
}

/* A process that dies of one record of partition 1.  False: it has put it aside. */
static bool dies(void)
{
    for (size_t from = (size_t)group[0].offset * PARTITIONS; from < RECORDS;) {
        size_t most = suspects_records(owner, RECORDS, ONE) / PARTITIONS * PARTITIONS;
        size_t until = from + most < RECORDS ? from + most : RECORDS;

        suspects_begin(owner, (struct kafka_consumer *)&group, &records[from], until - from);
        for (size_t i = from; i < until; i++) {
            enum suspects_verdict verdict = suspects_record(owner, &records[i]);
            bool lethal = records[i].partition == 1 && records[i].offset == LETHAL;

            ck_assert_int_eq(verdict,
                             lethal && verdict != SUSPECTS_TAKE ? SUSPECTS_POISON : SUSPECTS_TAKE);
            if (lethal) {
                alone_end(); /* in the next process nobody is */
                return verdict == SUSPECTS_TAKE;
            }
        }
        suspects_end(owner);
        commit_round(until);
        from = until;
    }
    ck_abort_msg("it was not met");
}

/* --- tests ------------------------------------------------------------------------------------ */

START_TEST(many_records_take_few_notes)
{
    size_t done = 0;
    int rounds = 0;

    for (; done < RECORDS && rounds < ROUNDS_MAX; rounds++) {
        size_t most = suspects_records(owner, RECORDS, ONE) / PARTITIONS * PARTITIONS;
        size_t count = done + most < RECORDS ? most : RECORDS - done;

        suspects_begin(owner, (struct kafka_consumer *)&group, &records[done], count);
        for (size_t i = done; i < done + count; i++)
            ck_assert_int_eq(suspects_record(owner, &records[i]), SUSPECTS_TAKE);
        suspects_end(owner);
        for (int p = 0; p < PARTITIONS; p++)
            ck_assert_str_eq(group[p].note, "");
        commit_round(done += count);
    }
    ck_assert_uint_eq(done, RECORDS);
    ck_assert_int_lt(commits, RECORDS / 100); /* two a round, whatever the number of partitions */
}
END_TEST

/* One death is before anybody watches; one tells that it is one of many; one that it is this one. */
START_TEST(one_of_many_that_kills_is_found)
{
    int deaths = 1;

    for (; dies(); deaths++) {
        ck_assert_int_le(deaths, LIMIT_POISON_DEATHS);
        suspects_free(owner);
        begin_owner();
    }
    ck_assert_int_eq(deaths, LIMIT_POISON_DEATHS);
}
END_TEST

SUITE_MAIN_AROUND("suspects", set_up, tear_down, many_records_take_few_notes,
                  one_of_many_that_kills_is_found)
