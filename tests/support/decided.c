#include "tests/support/decided.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/mem.h"

static const char *const names[DECIDED_TOPIC_COUNT] = {"tasks", "decisions"};

void decided_open(struct decided *d, struct field *field)
{
    *d = (struct decided){.arena = arena_new(0)};
    for (int topic = 0; topic < DECIDED_TOPIC_COUNT; topic++)
        d->topics[topic] = field_topic(field, names[topic]);
}

void decided_close(struct decided *d)
{
    for (int topic = 0; topic < DECIDED_TOPIC_COUNT; topic++)
        for (int p = 0; p < FIELD_PARTITIONS; p++) {
            mem_free(d->lists[topic][p].items);
            taken_free(&d->lists[topic][p].taken);
        }
    buf_free(&d->scratch);
    arena_free(d->arena);
}

static void append(struct decided_list *list, struct decided_output output)
{
    MEM_RESERVE(list->items, list->count, list->capacity);
    list->items[list->count++] = output;
}

static struct decided_list *list_of(struct decided *d, struct str topic, int32_t partition)
{
    ck_assert_int_ge(partition, 0);
    ck_assert_int_lt(partition, FIELD_PARTITIONS);
    for (int i = 0; i < DECIDED_TOPIC_COUNT; i++)
        if (str_is(topic, d->topics[i]))
            return &d->lists[i][partition];
    ck_abort_msg("a record of another topic: %.*s", STR_ARG(topic));
}

/* --- as a reader --------------------------------------------------------------------------------- */

static void take(struct decided_list *list, const struct record *record,
                 const struct taken_source *source)
{
    char own[32];

    snprintf(own, sizeof own, "decide/%d", (int)record->partition);
    ck_assert_msg(str_is(source->from, own), "%.*s wrote to partition %d", STR_ARG(source->from),
                  (int)record->partition);
    if (source->number == 1)
        list->count = 0; /* a newer generation: what was before is given up */
    taken_advance(&list->taken, source);
    append(list, (struct decided_output){
                     .key = record->key,
                     .id = record_header(record, STR("ce_id")),
                     .seq = record_header(record, STR(CHAIN_SEQ_HEADER)),
                     .chain = record_header(record, STR(CHAIN_HASH_HEADER)),
                 });
}

/* More than a reader asks: whatever comes again is the same again, or somebody has decided from a
 * state that was not his. */
static void check_repeat(const struct decided_list *list, const struct record *record)
{
    struct str seq = record_header(record, STR(CHAIN_SEQ_HEADER)), generation, number;
    struct str chain = record_header(record, STR(CHAIN_HASH_HEADER));
    size_t index = 0;

    if (str_cut(seq, '.', &generation, &number))
        index = strtoul(number.data, NULL, 10) - 1;
    ck_assert_uint_lt(index, list->count);
    ck_assert_msg(str_equal(list->items[index].seq, seq) &&
                      str_equal(list->items[index].chain, chain),
                  "%.*s/%d: %.*s comes again with another content (of %.*s, was of %.*s)",
                  STR_ARG(record->topic), (int)record->partition, STR_ARG(seq),
                  STR_ARG(record->key), STR_ARG(list->items[index].key));
}

bool decided_take(struct decided *d, const struct record *record)
{
    struct decided_list *list = list_of(d, record->topic, record->partition);
    struct taken_source source;
    struct err err = {0};

    switch (taken_look(&list->taken, record, &d->scratch, &source, &err)) {
    case TAKEN_NEXT: take(list, record, &source); return true;
    case TAKEN_REPEAT:
        check_repeat(list, record);
        d->repeats++;
        return false;
    case TAKEN_GAP: d->gaps++; return false;
    case TAKEN_PLAIN: ck_abort_msg("an output without a number");
    case TAKEN_OLD: ck_abort_msg("an output of another generation");
    case TAKEN_JUNK:
    case TAKEN_BROKEN: break;
    }
    ck_abort_msg("%.*s/%d at %" PRId64 ": %s", STR_ARG(record->topic), (int)record->partition,
                 record->offset, err.text);
}

void decided_read(struct decided *d, struct field *field)
{
    const char *const topics[] = {d->topics[DECIDED_TASKS], d->topics[DECIDED_DECISIONS], NULL};
    struct watch *watch = watch_open(&field->kafka, topics);

    watch_to_end(watch);
    for (size_t i = 0; i < watch_count(watch); i++) {
        struct record *kept = arena_copy(d->arena, watch_at(watch, i), sizeof *kept);
        struct header *headers = ARENA_ARRAY(d->arena, struct header, kept->header_count + 1);

        for (size_t h = 0; h < kept->header_count; h++)
            headers[h] = (struct header){arena_str(d->arena, kept->headers[h].name),
                                         arena_str(d->arena, kept->headers[h].value)};
        kept->headers = headers;
        kept->key = arena_str(d->arena, kept->key);
        decided_take(d, kept);
    }
    watch_close(watch);
}

/* --- as replay says --------------------------------------------------------------------------- */

static struct str text_of(struct value line, const char *key)
{
    struct value v = value_map_get(line, str_of(key));

    ck_assert_msg(v.kind == VALUE_STRING, "replay: no text \"%s\" in a line", key);
    return value_str(v);
}

static void take_line(struct decided *d, int partition, struct str text)
{
    struct value line, topic;
    struct err err = {0};

    ck_assert_msg(json_parse(text, d->arena, &line, &err) == JSON_FINE, "replay: %s: %.*s",
                  err.text, STR_ARG(text));
    topic = value_map_get(line, STR("topic"));
    if (topic.kind == VALUE_ABSENT) {
        d->digests[partition] = arena_str(d->arena, text_of(line, "state")).data;
        return;
    }
    append(list_of(d, value_str(topic), partition),
           (struct decided_output){.key = text_of(line, "key"),
                                   .id = text_of(line, "ce_id"),
                                   .seq = text_of(line, "seq"),
                                   .chain = text_of(line, "chain")});
}

static void take_lines(struct decided *d, int partition, struct str text)
{
    struct str line;

    while (str_cut(text, '\n', &line, &text))
        take_line(d, partition, line);
}

static char *run_replay(struct field *field, int partition, const char *state) /* NULL: none */
{
    char number[16];

    snprintf(number, sizeof number, "%d", partition);
    return field_run(field, 0, "replay", "--partition", number, "--json", state, NULL);
}

void decided_replay(struct decided *d, struct field *field)
{
    for (int p = 0; p < FIELD_PARTITIONS; p++) {
        char *out = run_replay(field, p, NULL);

        take_lines(d, p, arena_str(d->arena, str_of(out)));
        ck_assert_msg(d->digests[p] != NULL, "replay prints no digest of partition %d", p);
        free(out);
    }
}

const char *decided_state_digest(struct field *field, int partition)
{
    struct decided d;
    const char *digest;
    char *out = run_replay(field, partition, "--state");

    decided_open(&d, field);
    take_lines(&d, partition, arena_str(d.arena, str_of(out)));
    digest = arena_str(field->arena, str_of(d.digests[partition])).data;
    decided_close(&d);
    free(out);
    return digest;
}

/* --- comparing ------------------------------------------------------------------------------------ */

static bool same(const struct decided_output *a, const struct decided_output *b)
{
    return str_equal(a->seq, b->seq) && str_equal(a->chain, b->chain) && str_equal(a->id, b->id) &&
           str_equal(a->key, b->key);
}

static void compare(const char *what, int partition, const struct decided_list *live,
                    const struct decided_list *replay, bool prefix)
{
    for (size_t i = 0; i < live->count && i < replay->count; i++) {
        const struct decided_output *a = &live->items[i], *b = &replay->items[i];

        ck_assert_msg(
            same(a, b),
            "%s/%d: output %zu is %.*s, %.*s of %.*s, chain %.*s; replay has %.*s, %.*s of "
            "%.*s, chain %.*s",
            what, partition, i, STR_ARG(a->seq), STR_ARG(a->id), STR_ARG(a->key), STR_ARG(a->chain),
            STR_ARG(b->seq), STR_ARG(b->id), STR_ARG(b->key), STR_ARG(b->chain));
    }
    ck_assert_msg(live->count == replay->count || (prefix && live->count < replay->count),
                  "%s/%d: %zu outputs taken, replay has %zu", what, partition, live->count,
                  replay->count);
}

void decided_compare(const struct decided *live, const struct decided *replay, bool prefix)
{
    for (int topic = 0; topic < DECIDED_TOPIC_COUNT; topic++)
        for (int p = 0; p < FIELD_PARTITIONS; p++)
            compare(names[topic], p, &live->lists[topic][p], &replay->lists[topic][p], prefix);
}

static struct str number_of(struct str seq)
{
    struct str generation, number;

    return str_cut(seq, '.', &generation, &number) ? number : STR_EMPTY;
}

void decided_compare_content(const struct decided *live, const struct decided *replay)
{
    for (int topic = 0; topic < DECIDED_TOPIC_COUNT; topic++)
        for (int p = 0; p < FIELD_PARTITIONS; p++) {
            const struct decided_list *l = &live->lists[topic][p], *r = &replay->lists[topic][p];

            ck_assert_msg(l->count == r->count, "%s/%d: %zu outputs taken, replay has %zu",
                          names[topic], p, l->count, r->count);
            for (size_t i = 0; i < l->count; i++)
                ck_assert_msg(str_equal(l->items[i].id, r->items[i].id) &&
                                  str_equal(l->items[i].key, r->items[i].key) &&
                                  str_equal(number_of(l->items[i].seq), number_of(r->items[i].seq)),
                              "%s/%d: output %zu is of %.*s, in replay of %.*s", names[topic], p, i,
                              STR_ARG(l->items[i].key), STR_ARG(r->items[i].key));
        }
}

size_t decided_count(const struct decided *d, enum decided_topic topic)
{
    size_t count = 0;

    for (int p = 0; p < FIELD_PARTITIONS; p++)
        count += d->lists[topic][p].count;
    return count;
}
