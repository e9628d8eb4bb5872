/* tests/bench/identify.c - `identify` alone: the workload's events when they name only an alias.
 *
 * Each customer has a few aliases (workload.h).  One process takes a binding for each, a second one,
 * which has nothing in memory, the events; the second is measured.  What comes out goes to a topic of
 * its own, so that attent.events stays as it is, and is compared with the workload event by event.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/mem.h"
#include "tests/bench/common.h"
#include "tests/bench/workload.h"

enum { SAY_MAX = 10 };

struct check {
    const struct bench *b;
    struct ref_event *events; /* by number */
    unsigned char *seen;
    struct buf customer, data;
    uint64_t records, right;
};

static const char *fault_of(struct check *c, const struct record *record, const struct ref_event *e)
{
    buf_clear(&c->customer);
    buf_clear(&c->data);
    ref_put_customer(&c->customer, e->customer);
    ref_put_data(&c->data, e);
    if (c->seen[e->number]++ != 0)
        return "comes again";
    if (!str_equal(record->key, buf_str(&c->customer)) ||
        !str_equal(record_header(record, STR("ce_subject")), buf_str(&c->customer)))
        return "is not under its customer";
    if (!str_is(record_header(record, STR("ce_type")), ref_type_name(e->type)) ||
        record->timestamp_ms != e->at_ms || !str_equal(record->value, buf_str(&c->data)))
        return "has changed";
    return NULL;
}

static void take(void *context, const struct record *record)
{
    struct check *c = context;
    struct str id = record_header(record, STR("ce_id"));
    const char *fault = "is none of the workload";
    uint64_t number;
    char text[32];

    snprintf(text, sizeof text, "%.*s", STR_ARG(id));
    if (sscanf(text, BENCH_ID_PREFIX "%" SCNu64, &number) == 1 && number < c->b->events)
        fault = fault_of(c, record, &c->events[number]);
    c->right += fault == NULL;
    if (fault != NULL && c->records - c->right < SAY_MAX)
        printf("  event %.*s, key %.*s, %s\n", STR_ARG(id), STR_ARG(record->key), fault);
    c->records++;
}

/* Has each event come out once, under its customer? */
static bool events_are_right(const struct bench *b)
{
    struct workload *w = workload_new(b->seed, b->customers, b->events);
    struct check c = {
        .b = b, .events = MEM_NEW_ARRAY(struct ref_event, b->events), .seen = mem_alloc(b->events)};
    bool right;

    for (uint64_t i = 0; i < b->events; i++)
        workload_next(w, &c.events[i]);
    bench_read_topic(b, BENCH_IDENTIFIED, take, &c);
    right = c.right == b->events && c.records == b->events;
    printf("  identified          %llu of %llu, each once under its customer: %s\n",
           (unsigned long long)c.right, (unsigned long long)b->events, right ? "yes" : "NO");
    buf_free(&c.customer);
    buf_free(&c.data);
    mem_free(c.events);
    mem_free(c.seen);
    workload_free(w);
    return right;
}

/* Each makes a record of what its customer has, which comes back. */
static void bind_all(struct bench *b)
{
    uint64_t bindings = bench_fill(b, BENCH_BINDINGS, b->seed, b->events, 0);
    struct buf metrics = {0};
    int64_t first_us;

    bench_start_identify(b);
    bench_run_until(b, 2 * bindings, BENCH_WORKER_RECORDS, BENCH_WORKER_LAG, clock_mono_us(),
                    &metrics, &first_us);
    bench_stop(b);
    buf_free(&metrics);
}

bool identify_run(struct bench *b, double r)
{
    puts("\nidentify ...");
    bind_all(b);
    bench_fill(b, BENCH_ALIASED, b->seed, b->events, 0);
    bench_start_identify(b);
    bench_measure(b, "identify", "attent_identify_happened_total", BENCH_WORKER_LAG, r);
    bench_stop(b);
    return events_are_right(b);
}
