#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "tests/contract/kafka/play.h"

enum { TAKE_MAX = 16, POLL_MS = 5 };

/* --- records as text ------------------------------------------------------------------------------- */

static void print_text(struct str s)
{
    if (s.data == NULL)
        printf(" none");
    else
        printf(" \"%.*s\"", (int)(s.len < 40 ? s.len : 40), s.data);
}

static void print_record(const struct play *p, const struct record *r)
{
    printf("%llu/%d record %.*s/%d@%lld %lld", (unsigned long long)p->seed, p->sequence,
           STR_ARG(r->topic), r->partition, (long long)r->offset, (long long)r->timestamp_ms);
    print_text(r->key);
    print_text(r->value);
    printf(" %zu", r->value.len);
    for (size_t i = 0; i < r->header_count; i++) {
        printf(" %.*s=", STR_ARG(r->headers[i].name));
        print_text(r->headers[i].value);
    }
    putchar('\n');
}

/* --- reading to the end ---------------------------------------------------------------------------- */

/* Poll, or the parts of it. */
static enum err_code take(struct play *p, struct kafka_consumer *c, const struct board *b,
                          int32_t partition, struct record *out, size_t *count)
{
    enum err_code code;

    if (p->sequence % 2 == 0)
        return kafka_consumer_poll(c, POLL_MS, out, TAKE_MAX, count, NULL);
    code = kafka_consumer_serve(c, NULL);
    *count = kafka_consumer_take(c, b->topic, partition, out, 1 + TAKE_MAX / 4);
    if (code == ERR_NONE && *count == 0)
        kafka_consumer_wait(c, NULL, 0, POLL_MS);
    return code;
}

static void give_back(struct play *p, struct kafka_consumer *c, const struct board *b,
                      int32_t partition)
{
    if (p->sequence % 2 == 0)
        kafka_consumer_release(c);
    else
        kafka_consumer_release_one(c, b->topic, partition);
}

/* Where the log ends is known with the fetches. */
static void print_high(struct play *p, struct kafka_consumer *c, const struct board *b,
                       int32_t partition)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS, want = b->spots[partition].next;
    struct record records[TAKE_MAX];
    size_t count;

    while (kafka_consumer_end(c, b->topic, partition) != want && clock_mono_ms() < until_ms) {
        kafka_consumer_poll(c, POLL_MS, records, TAKE_MAX, &count, NULL);
        kafka_consumer_release(c);
    }
    say(p, "the log ends at %lld", (long long)kafka_consumer_end(c, b->topic, partition));
}

/* Poll until partition is read to `end`, print what comes of it; other partitions go by. */
static void read_to(struct play *p, struct kafka_consumer *c, const struct board *b,
                    int32_t partition, int64_t end)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    struct record records[TAKE_MAX];
    enum err_code code = ERR_NONE;
    size_t count;

    while (!(kafka_consumer_at_end(c, b->topic, partition) &&
             kafka_consumer_read_to(c, b->topic, partition) >= end) &&
           code == ERR_NONE && clock_mono_ms() < until_ms) {
        code = take(p, c, b, partition, records, &count);
        for (size_t i = 0; i < count; i++)
            if (str_is(records[i].topic, b->topic) && records[i].partition == partition)
                print_record(p, &records[i]);
        give_back(p, c, b, partition);
    }
    say(p, "read to %lld of %lld: %s%s", (long long)kafka_consumer_read_to(c, b->topic, partition),
        (long long)end, word(code),
        kafka_consumer_at_end(c, b->topic, partition) ? ", at the end" : "");
}

static int64_t draw_offset(struct play *p, const struct spot *s)
{
    int64_t end = stable_end(s);

    return draw(p, 4) == 0 ? KAFKA_OFFSET_BEGIN
                           : (int64_t)draw(p, (uint64_t)end + 1) / (draw(p, 3) == 0 ? 2 : 1);
}

void read_open(struct play *p)
{
    struct kafka_partition from[TOPICS * PARTITIONS_MAX];
    struct err err = {0};
    size_t count = 0;

    for (size_t i = 0; i < TOPICS; i++)
        for (int k = 0; k < p->boards[i].partitions; k++)
            from[count++] = (struct kafka_partition){p->boards[i].topic, k, KAFKA_OFFSET_HOLD};
    must(p, kafka_consumer_open_alone(&p->settings, from, count, &p->reader, &err), "open a reader",
         &err);
}

static void seek(struct play *p, const struct board *b, int32_t partition, int64_t offset)
{
    enum err_code code = kafka_consumer_seek(p->reader, b->topic, partition, offset, NULL);

    say(p, "seek %s/%d to %lld: %s, read to %lld%s", b->topic, partition, (long long)offset,
        word(code), (long long)kafka_consumer_read_to(p->reader, b->topic, partition),
        kafka_consumer_at_end(p->reader, b->topic, partition) ? ", at the end" : "");
}

/* From wherever it stands. */
void read_rest(struct play *p, struct kafka_consumer *c, struct board *b, int32_t partition)
{
    read_to(p, c, b, partition, stable_end(&b->spots[partition]));
}

void read_some(struct play *p)
{
    struct board *b = draw_board(p);
    int32_t partition = (int32_t)draw(p, (uint64_t)b->partitions);
    struct spot *s = &b->spots[partition];

    seek(p, b, partition, draw_offset(p, s));
    read_to(p, p->reader, b, partition, stable_end(s));
    print_high(p, p->reader, b, partition);
}

void read_afresh(struct play *p)
{
    struct board *b = draw_board(p);
    int32_t partition = (int32_t)draw(p, (uint64_t)b->partitions);
    struct kafka_partition from = {b->topic, partition,
                                   draw(p, 4) == 0 ? KAFKA_OFFSET_GROUP
                                                   : draw_offset(p, &b->spots[partition])};
    struct kafka_consumer *c;
    struct err err = {0};

    must(p, kafka_consumer_open_alone(&p->settings, &from, 1, &c, &err), "open a reader", &err);
    say(p, "afresh from %lld: read to %lld, %s", (long long)from.offset,
        (long long)kafka_consumer_read_to(c, b->topic, partition),
        kafka_consumer_read_to(c, "play.other", 0) == -1 ? "no other" : "another");
    read_to(p, c, b, partition, stable_end(&b->spots[partition]));
    kafka_consumer_close(c);
}

/* --- seeks to the edges ---------------------------------------------------------------------------- */

static enum err_code await_fault(struct kafka_consumer *c)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS;
    struct record records[TAKE_MAX];
    enum err_code code = ERR_NONE;
    size_t count;

    while (code == ERR_NONE && clock_mono_ms() < until_ms) {
        code = kafka_consumer_poll(c, POLL_MS, records, TAKE_MAX, &count, NULL);
        kafka_consumer_release(c);
    }
    return code;
}

void read_nowhere(struct play *p)
{
    struct board *b = draw_board(p);
    int32_t partition = (int32_t)draw(p, (uint64_t)b->partitions), at = -1;
    int64_t beyond = b->spots[partition].next + 1 + (int64_t)draw(p, 1000);
    const char *topic = NULL;
    enum err_code code;
    bool of_one;

    say(p, "seek another: %s", word(kafka_consumer_seek(p->reader, b->topic, 77, 0, NULL)));
    seek(p, b, partition, beyond);
    code = await_fault(p->reader);
    of_one = kafka_consumer_fault(p->reader, &topic, &at);
    say(p, "fault: %s of %s/%d", word(code), of_one ? topic : "all", of_one ? at : -1);
    seek(p, b, partition, draw_offset(p, &b->spots[partition]));
    read_to(p, p->reader, b, partition, stable_end(&b->spots[partition]));
}

void read_from_end(struct play *p)
{
    struct board *b = draw_board(p);
    int32_t partition = (int32_t)draw(p, (uint64_t)b->partitions);
    struct spot *s = &b->spots[partition];

    seek(p, b, partition, KAFKA_OFFSET_END);
    read_to(p, p->reader, b, partition, stable_end(s));
    write_one(p, b, partition);
    read_to(p, p->reader, b, partition, stable_end(s));
}

/* What comes while it is paused comes when it is no longer. */
void read_paused(struct play *p)
{
    struct board *b = draw_board(p);
    int32_t partition = (int32_t)draw(p, (uint64_t)b->partitions);
    struct spot *s = &b->spots[partition];
    struct record records[TAKE_MAX];

    seek(p, b, partition, draw_offset(p, s));
    kafka_consumer_pause(p->reader, b->topic, partition, true);
    write_one(p, b, partition);
    say(p, "paused: %zu taken",
        kafka_consumer_take(p->reader, b->topic, partition, records, TAKE_MAX));
    kafka_consumer_pause(p->reader, b->topic, partition, false);
    read_to(p, p->reader, b, partition, stable_end(s));
}

/* --- questions ------------------------------------------------------------------------------------- */

/* Markers are written a moment after a transaction has ended. */
static void print_end(struct play *p, const struct board *b, int32_t partition)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS, want = stable_end(&b->spots[partition]);
    struct kafka_partition end = {b->topic, partition, 0};
    enum err_code code;

    while ((code = kafka_consumer_ask_ends(p->reader, &end, 1, WAIT_MS, NULL)) == ERR_NONE &&
           end.offset < want && clock_mono_ms() < until_ms)
        clock_sleep_ms(5);
    say(p, "end of %s/%d: %s, %lld", b->topic, partition, word(code), (long long)end.offset);
}

static void print_bounds(struct play *p, const struct board *b, int32_t partition)
{
    int64_t first = 0, next = 0;
    enum err_code code =
        draw(p, 8) == 0
            ? kafka_topic_bounds(&p->settings, b->topic, partition, &first, &next, NULL)
            : kafka_consumer_bounds(p->reader, b->topic, partition, &first, &next, NULL);

    say(p, "bounds of %s/%d: %s, %lld to %lld", b->topic, partition, word(code), (long long)first,
        (long long)next);
}

static void print_missing(struct play *p)
{
    struct kafka_partition end = {"play.nowhere", 0, 0};
    int64_t first = 0, next = 0;
    int count = 9;

    switch (draw(p, 4)) {
    case 0:
        say(p, "end of nothing: %s",
            word(kafka_consumer_ask_ends(p->reader, &end, 1, WAIT_MS, NULL)));
        break;
    case 1:
        say(p, "bounds of nothing: %s",
            word(kafka_consumer_bounds(p->reader, "play.nowhere", 0, &first, &next, NULL)));
        break;
    case 2:
        say(p, "bounds of no partition: %s",
            word(kafka_consumer_bounds(p->reader, p->boards[0].topic, 50, &first, &next, NULL)));
        break;
    default:
        say(p, "partitions of nothing: %s",
            word(kafka_consumer_topic_partitions(p->reader, "play.nowhere", &count, NULL)));
        say(p, "%d", count);
        break;
    }
}

void read_answers(struct play *p)
{
    struct board *b = draw_board(p);
    int32_t partition = (int32_t)draw(p, (uint64_t)b->partitions);
    int64_t committed = 7;
    int count = 9;
    enum err_code code;

    print_end(p, b, partition);
    print_bounds(p, b, partition);
    code = draw(p, 8) == 0 ? kafka_topic_partitions(&p->settings, b->topic, &count, NULL)
                           : kafka_consumer_topic_partitions(p->reader, b->topic, &count, NULL);
    say(p, "partitions of %s: %s, %d", b->topic, word(code), count);
    if (draw(p, 4) == 0)
        print_missing(p);
    if (draw(p, 8) == 0) {
        code = kafka_consumer_committed(p->reader, b->topic, partition, &committed, NULL);
        say(p, "committed by nobody: %s, %lld", word(code), (long long)committed);
    }
}
