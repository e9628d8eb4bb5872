#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "tests/contract/kafka/play.h"

enum { FLUSH_MS = 15000, TEXT_BYTES = 24, HEADERS_MAX = 3, RECORDS_MAX = 5 };

static char large[1000100];

/* --- records ----------------------------------------------------------------------------------- */

struct drawn { /* a record and its bytes */
    struct record record;
    struct header headers[HEADERS_MAX];
    char texts[2 + 2 * HEADERS_MAX][TEXT_BYTES];
};

/* None, empty, or a word. */
static struct str draw_text(struct play *p, char text[TEXT_BYTES])
{
    uint64_t kind = draw(p, 8);

    snprintf(text, TEXT_BYTES, "%llx", (unsigned long long)draw(p, 1u << 30));
    if (kind == 0)
        return STR_EMPTY;
    return (struct str){text, kind == 1 ? 0 : strlen(text)};
}

static void draw_record(struct play *p, const struct board *b, struct drawn *out)
{
    size_t headers = (size_t)draw(p, HEADERS_MAX + 1);

    out->record = (struct record){.topic = str_of(b->topic),
                                  .partition = (int32_t)draw(p, (uint64_t)b->partitions),
                                  .timestamp_ms = 1600000000000 + (int64_t)draw(p, 1000000),
                                  .key = draw_text(p, out->texts[0]),
                                  .value = draw_text(p, out->texts[1]),
                                  .headers = out->headers,
                                  .header_count = headers};
    for (size_t i = 0; i < headers; i++) {
        char *name = out->texts[2 + 2 * i];

        snprintf(name, TEXT_BYTES, "h%zu", i);
        out->headers[i] = (struct header){str_of(name), draw_text(p, out->texts[3 + 2 * i])};
    }
    if (out->record.key.data != NULL && draw(p, 3) == 0)
        out->record.partition = -1; /* by key */
}

static struct spot *spot_of(struct board *b, const struct record *r)
{
    return &b->spots[r->partition >= 0 ? r->partition
                                       : hash_kafka_partition(r->key, b->partitions)];
}

/* --- producers --------------------------------------------------------------------------------- */

static struct kafka_producer *open_producer(struct play *p, const char *id)
{
    struct kafka_producer *producer;
    struct err err = {0};

    must(p, kafka_producer_open(&p->settings, id, &producer, &err), "open a producer", &err);
    return producer;
}

void write_open(struct play *p)
{
    memset(large, 'x', sizeof large);
    p->plain = open_producer(p, NULL);
    for (int i = 0; i < SENDERS; i++) {
        snprintf(p->senders[i].id, sizeof p->senders[i].id, "play.%llu.%d",
                 (unsigned long long)p->seed, i);
        p->senders[i].producer = open_producer(p, p->senders[i].id);
    }
}

void write_close(struct play *p)
{
    kafka_producer_close(p->plain);
    for (int i = 0; i < SENDERS; i++)
        kafka_producer_close(p->senders[i].producer);
}

static void new_plain(struct play *p)
{
    kafka_producer_close(p->plain);
    p->plain = open_producer(p, NULL);
}

/* --- without transactions ------------------------------------------------------------------------ */

/* As the worker does: woken by the producer, without a flush. */
static enum err_code hear_all(struct play *p, const struct kafka_receipt *receipt, bool *fatal,
                              bool *lost)
{
    const int fds[] = {kafka_producer_fd(p->plain), -1};
    int64_t until_ms = clock_mono_ms() + FLUSH_MS;
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && !kafka_receipt_is_complete(receipt) && clock_mono_ms() < until_ms) {
        code = kafka_hear(p->plain, fatal, lost, NULL);
        if (code == ERR_NONE && !kafka_receipt_is_complete(receipt))
            kafka_consumer_wait(p->reader, fds, 2, 50);
    }
    return code;
}

void write_plain(struct play *p)
{
    struct kafka_receipt *receipt = draw(p, 2) == 0 ? kafka_receipt_new() : NULL;
    uint64_t count = 1 + draw(p, RECORDS_MAX);
    bool fatal = false, lost = false;
    enum err_code code;
    struct drawn d;

    for (uint64_t i = 0; i < count; i++) {
        struct board *b =
            &p->boards[draw(p, SMALL)]; /* a batch is larger than the small one takes */

        draw_record(p, b, &d);
        code = kafka_produce_counted(p->plain, &d.record, receipt, NULL);
        if (code != ERR_NONE)
            say(p, "produce: %s", word(code));
        spot_of(b, &d.record)->next++;
    }
    code = receipt != NULL ? hear_all(p, receipt, &fatal, &lost)
                           : kafka_flush(p->plain, FLUSH_MS, &fatal, &lost, NULL);
    say(p, "flush: %s%s%s%s", word(code), fatal ? " fatal" : "", lost ? " lost" : "",
        receipt != NULL && kafka_receipt_is_complete(receipt) ? " complete" : "");
    kafka_receipt_drop(receipt);
}

void write_one(struct play *p, struct board *b, int32_t partition)
{
    struct drawn d;

    draw_record(p, b, &d);
    d.record.partition = partition;
    b->spots[partition].next++;
    kafka_produce(p->plain, &d.record, NULL);
    say(p, "flush one: %s", word(kafka_flush(p->plain, FLUSH_MS, NULL, NULL, NULL)));
}

/* What is about as large as the small topic takes; too large for it; for the client; for no partition. */
void write_refused(struct play *p)
{
    struct board *b = &p->boards[SMALL];
    struct kafka_receipt *receipt = kafka_receipt_new();
    uint64_t kind = draw(p, 4);
    bool fatal = false, lost = true;
    enum err_code code;
    struct drawn d;

    draw_record(p, b, &d);
    d.record.header_count = 0;
    d.record.key = STR_EMPTY;
    d.record.value = (struct str){large, kind == 0   ? SMALL_BYTES - 73 + (size_t)draw(p, 6)
                                         : kind == 1 ? 3000
                                                     : sizeof large - 1};
    d.record.partition = 0;
    if (kind == 3) {
        d.record.value.len = 10;
        d.record.partition = 99;
    }
    code = kafka_produce_counted(p->plain, &d.record, receipt, NULL);
    if (kind == 2)
        say(p, "produce %zu bytes: %s", d.record.value.len, word(code));
    code = kafka_flush(p->plain, FLUSH_MS, &fatal, &lost, NULL);
    say(p, "flush of %zu bytes to %d: %s%s%s", d.record.value.len, d.record.partition, word(code),
        fatal ? " fatal" : "", lost ? " lost" : "");
    if (kind == 2 || kind == 3) /* refused at once or with the report */
        kafka_receipt_drop(receipt);
    else {
        say(p, "receipt: %s", kafka_receipt_is_complete(receipt) ? "complete" : "not complete");
        kafka_receipt_drop(receipt);
    }
    b->spots[0].next += code == ERR_NONE;
    if (fatal)
        new_plain(p);
}

/* --- transactions ------------------------------------------------------------------------------ */

/* Markers are written after the end of a transaction was answered, and what is written meanwhile may
 * come before or behind them.  Nothing of the next transaction is taken before they are there. */
static void await_markers(struct play *p, size_t sender)
{
    struct sender *s = &p->senders[sender];
    const struct record r = {.topic = str_of(p->shadow), .value = STR("x")};
    bool fatal = true;

    kafka_begin(s->producer, NULL);
    kafka_produce(s->producer, &r, NULL);
    say(p, "next: %s", word(kafka_flush(s->producer, FLUSH_MS, &fatal, NULL, NULL)));
    say(p, "ends: %s", word(kafka_abort(s->producer, &fatal, NULL)));
}

static void marked(struct play *p, size_t sender)
{
    for (size_t i = 0; i < TOPICS; i++) {
        for (int k = 0; k < p->boards[i].partitions; k++) {
            struct spot *s = &p->boards[i].spots[k];

            s->next += s->in_transaction[sender];
            s->in_transaction[sender] = false;
            s->open_at[sender] = -1;
        }
    }
    p->senders[sender].open = false;
}

void end_transaction(struct play *p, size_t sender, bool commit)
{
    struct sender *s = &p->senders[sender];
    bool fatal = true;
    enum err_code code = commit ? kafka_commit(s->producer, NULL, NULL, 0, &fatal, NULL)
                                : kafka_abort(s->producer, &fatal, NULL);

    say(p, "%s: %s%s", commit ? "commit" : "abort", word(code), fatal ? " fatal" : "");
    marked(p, sender);
    await_markers(p, sender);
}

static void write_into(struct play *p, size_t sender)
{
    struct sender *s = &p->senders[sender];
    uint64_t count = 1 + draw(p, RECORDS_MAX);
    bool fatal = true;
    enum err_code code;
    struct drawn d;

    for (uint64_t i = 0; i < count; i++) {
        struct board *b = &p->boards[draw(p, SMALL)];
        struct spot *spot;

        draw_record(p, b, &d);
        code = kafka_produce(s->producer, &d.record, NULL);
        if (code != ERR_NONE)
            say(p, "produce: %s", word(code));
        spot = spot_of(b, &d.record);
        if (!spot->in_transaction[sender])
            spot->open_at[sender] = spot->next;
        spot->in_transaction[sender] = true;
        spot->next++;
    }
    if (draw(p, 3) == 0) { /* the commit flushes by itself */
        end_transaction(p, sender, true);
        return;
    }
    code = kafka_flush(s->producer, FLUSH_MS, &fatal, NULL, NULL);
    say(p, "flush in a transaction: %s%s", word(code), fatal ? " fatal" : "");
}

/* A record that is too large spoils a transaction, and no more. */
static void write_too_large(struct play *p, size_t sender)
{
    struct sender *s = &p->senders[sender];
    struct spot *spot = &p->boards[SMALL].spots[0];
    bool fatal = true;
    enum err_code code;
    struct drawn d;

    draw_record(p, &p->boards[SMALL], &d);
    d.record.value = (struct str){large, 3000};
    d.record.partition = 0;
    kafka_produce(s->producer, &d.record, NULL);
    code = kafka_flush(s->producer, FLUSH_MS, &fatal, NULL, NULL);
    say(p, "too large in a transaction: %s%s", word(code), fatal ? " fatal" : "");
    spot->in_transaction[sender] = true;
    code = kafka_produce(s->producer, &d.record, NULL);
    say(p, "and again: %s", word(code));
    end_transaction(p, sender, draw(p, 2) == 0);
}

static void write_wrongly(struct play *p, size_t sender)
{
    struct sender *s = &p->senders[sender];
    bool fatal = false;
    struct drawn d;

    draw_record(p, &p->boards[0], &d);
    switch (draw(p, 3)) {
    case 0: say(p, "produce outside: %s", word(kafka_produce(s->producer, &d.record, NULL))); break;
    case 1:
        say(p, "abort nothing: %s", word(kafka_abort(s->producer, &fatal, NULL)));
        say(p, "fatal: %d", fatal);
        break;
    default:
        say(p, "commit nothing: %s", word(kafka_commit(s->producer, NULL, NULL, 0, &fatal, NULL)));
        say(p, "fatal: %d", fatal);
        break;
    }
    kafka_producer_close(s->producer);
    s->producer = open_producer(p, s->id);
}

void write_transaction(struct play *p)
{
    size_t sender = (size_t)draw(p, SENDERS);
    struct sender *s = &p->senders[sender];
    uint64_t kind = draw(p, 20);

    if (!s->open && kind == 0) {
        write_wrongly(p, sender);
        return;
    }
    if (!s->open) {
        say(p, "begin: %s", word(kafka_begin(s->producer, NULL)));
        s->open = true;
        if (kind < 3) /* empty */
            end_transaction(p, sender, draw(p, 2) == 0);
        else
            write_into(p, sender);
        return;
    }
    if (kind == 0)
        say(p, "begin again: %s", word(kafka_begin(s->producer, NULL)));
    else if (kind == 1)
        write_too_large(p, sender);
    else if (kind < 6)
        write_into(p, sender);
    else
        end_transaction(p, sender, kind < 14);
}

void write_fenced(struct play *p)
{
    size_t sender = (size_t)draw(p, SENDERS);
    struct sender *s = &p->senders[sender];
    struct kafka_producer *old = s->producer;
    bool fatal = false, open = s->open;
    enum err_code code;
    struct drawn d;

    s->producer = open_producer(p, s->id);
    marked(p, sender);
    if (open) {
        code = kafka_commit(old, NULL, NULL, 0, &fatal, NULL);
    } else {
        kafka_begin(old, NULL);
        draw_record(p, &p->boards[0], &d);
        kafka_produce(old, &d.record, NULL);
        code = kafka_flush(old, FLUSH_MS, &fatal, NULL, NULL);
    }
    say(p, "fenced %s: %s%s", open ? "commit" : "flush", word(code), fatal ? " fatal" : "");
    await_markers(p, sender);
    kafka_producer_close(old);
}
