/* tests/bench/topics.c - what the benchmarks write to topics, and reading one to its end. */
#include <stdio.h>

#include "core/mem.h"
#include "core/when.h"
#include "schemas/binding.h"
#include "tests/bench/common.h"
#include "tests/bench/workload.h"

enum { FLUSH_EVERY = 100000, PROGRESS_EVERY = 500000, RECORDS_PER_POLL = 4096, ID_SIZE = 32 };

struct filler {
    const struct bench *b;
    struct kafka_producer *producer;
    struct buf key, value, time, customer;
    int64_t start_ms;     /* of the log */
    unsigned char *bound; /* by alias; of bindings only */
    uint64_t records, bytes;
};

static void produce(struct filler *f, struct str topic, int64_t at_ms, const struct header *headers,
                    size_t header_count)
{
    const struct record record = {.topic = topic,
                                  .partition = -1,
                                  .timestamp_ms = at_ms,
                                  .key = buf_str(&f->key),
                                  .value = buf_str(&f->value),
                                  .headers = headers,
                                  .header_count = header_count};
    struct err err;

    bench_must(kafka_produce(f->producer, &record, &err), "produce", &err);
    f->bytes += record.value.len;
    if (++f->records % FLUSH_EVERY == 0)
        bench_must(kafka_flush(f->producer, BENCH_STEP_MS_MAX, NULL, NULL, &err), "flush", &err);
    if (f->records % PROGRESS_EVERY == 0)
        printf("  %llu records written\n", (unsigned long long)f->records);
}

/* --- what is written ------------------------------------------------------------------------------ */

/* In binary mode.  more: to go behind the event's own headers. */
static void put_binary(struct filler *f, const struct ref_event *e, struct str topic,
                       const struct header *more, size_t more_count)
{
    enum { OWN = 6, MORE_MAX = 2 };
    char id[ID_SIZE];

    ref_put_data(&f->value, e);
    buf_clear(&f->time);
    when_put_rfc3339(&f->time, e->at_ms);
    snprintf(id, sizeof id, BENCH_ID_PREFIX "%llu", (unsigned long long)e->number);
    struct header headers[OWN + MORE_MAX] = {
        {STR("ce_specversion"), STR("1.0")}, {STR("ce_id"), str_of(id)},
        {STR("ce_source"), STR("/ref/gen")}, {STR("ce_type"), str_of(ref_type_name(e->type))},
        {STR("ce_time"), buf_str(&f->time)}, {STR("content-type"), STR("application/json")}};
    for (size_t i = 0; i < more_count; i++)
        headers[OWN + i] = more[i];
    produce(f, topic, e->at_ms, headers, OWN + more_count);
}

static void put_event(struct filler *f, const struct ref_event *e)
{
    ref_put_customer(&f->key, e->customer);
    if (f->b->binary) {
        put_binary(f, e, STR("attent.events"), NULL, 0);
        return;
    }
    ref_put_envelope(&f->value, e);
    produce(f, STR("attent.events"), e->at_ms, NULL, 0);
}

/* As ingest writes an event that names no customer. */
static void put_aliased(struct filler *f, const struct ref_event *e)
{
    const struct header more[] = {
        {STR(IDENTIFY_HEADER), str_of(identify_kind_text(IDENTIFY_EVENT))},
        {STR(ORIGIN_HEADER), STR("ref/0/1234567")},
    };

    ref_put_alias(&f->key, e);
    put_binary(f, e, STR("attent.identify"), more, sizeof more / sizeof more[0]);
}

/* Of each alias once, as of the log's begin. */
static void put_binding(struct filler *f, const struct ref_event *e)
{
    const struct header header = {STR(IDENTIFY_HEADER), str_of(identify_kind_text(IDENTIFY_BIND))};
    unsigned char *bound = &f->bound[ref_alias(e)];

    if (*bound)
        return;
    *bound = 1;
    ref_put_alias(&f->key, e);
    buf_clear(&f->customer);
    ref_put_customer(&f->customer, e->customer);
    binding_put_json(&f->value,
                     &(struct binding){.customer = buf_str(&f->customer), .at_ms = f->start_ms});
    produce(f, STR("attent.identify"), f->start_ms, &header, 1);
}

uint64_t bench_fill(const struct bench *b, enum bench_records what, uint64_t seed, uint64_t events,
                    int64_t later_ms)
{
    static const struct {
        void (*put)(struct filler *f, const struct ref_event *e);
        const char *name;
    } kinds[] = {[BENCH_EVENTS] = {put_event, "events"},
                 [BENCH_ALIASED] = {put_aliased, "events that name an alias"},
                 [BENCH_BINDINGS] = {put_binding, "bindings"}};
    struct workload *w = workload_new(seed, b->customers, events);
    struct filler f = {.b = b, .bound = mem_alloc((size_t)b->customers * REF_ALIASES)};
    struct ref_event e;
    struct err err;

    bench_must(kafka_producer_open(&b->settings, NULL, &f.producer, &err), "producer", &err);
    while (workload_next(w, &e)) {
        e.at_ms += later_ms;
        if (e.number == 0)
            f.start_ms = e.at_ms;
        buf_clear(&f.key);
        buf_clear(&f.value);
        kinds[what].put(&f, &e);
    }
    bench_must(kafka_flush(f.producer, BENCH_STEP_MS_MAX, NULL, NULL, &err), "flush", &err);
    printf("  %llu %s, %llu bytes each on average\n", (unsigned long long)f.records,
           kinds[what].name, (unsigned long long)(f.bytes / f.records));
    buf_free(&f.key);
    buf_free(&f.value);
    buf_free(&f.time);
    buf_free(&f.customer);
    mem_free(f.bound);
    kafka_producer_close(f.producer);
    workload_free(w);
    return f.records;
}

/* --- what is read -------------------------------------------------------------------------------- */

void bench_read_topic(const struct bench *b, const char *topic,
                      void (*take)(void *context, const struct record *record), void *context)
{
    struct kafka_partition from[BENCH_PARTITIONS];
    struct kafka_consumer *consumer;
    static struct record records[RECORDS_PER_POLL];
    struct err err;
    bool end = false;
    size_t count;

    for (int p = 0; p < BENCH_PARTITIONS; p++)
        from[p] = (struct kafka_partition){topic, p, KAFKA_OFFSET_BEGIN};
    bench_must(kafka_consumer_open_alone(&b->settings, from, BENCH_PARTITIONS, &consumer, &err),
               topic, &err);
    while (!end) {
        bench_must(kafka_consumer_poll(consumer, 200, records, RECORDS_PER_POLL, &count, &err),
                   topic, &err);
        for (size_t i = 0; i < count; i++)
            take(context, &records[i]);
        kafka_consumer_release(consumer);
        end = count == 0;
        for (int p = 0; p < BENCH_PARTITIONS; p++)
            end = end && kafka_consumer_at_end(consumer, topic, p);
    }
    kafka_consumer_close(consumer);
}
