/* A metric keeps its series sorted by label values; a look-up takes the lock, so callers that
 * count often keep the series.  A value is a double in 64 atomic bits: adding compares and swaps.
 *
 * Label values may come from outside (a queue's name in a task).  Beyond LIMIT_METRIC_SERIES
 * series of one metric all others share one whose labels say "other".
 */
#include "core/metric.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/check.h"
#include "core/json.h"
#include "core/limit.h"
#include "core/mem.h"

enum { LABELS_MAX = 4 };

/* Upper bounds of histograms, in seconds: from a local commit to a stuck server. */
static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                0.1,    0.25,  0.5,    1,     2.5,  5,     10};
enum { BOUND_COUNT = sizeof bounds / sizeof bounds[0] };

struct metric_series {
    struct str labels; /* as printed: topic="a",partition="0"; owned */
    _Atomic uint64_t value;
    _Atomic uint64_t *buckets; /* histogram: BOUND_COUNT + 1 counts, not cumulated */
};

static const struct description {
    const char *name;
    enum metric_kind kind;
    const char *labels;
    const char *help;
} table[METRIC_COUNT] = {
#define METRIC(name, kind, prometheus_name, labels, help)                                          \
    {prometheus_name, METRIC_##kind, labels, help},
#include "core/metrics.def"
#undef METRIC
};

static struct {
    struct metric_series **items; /* sorted by labels */
    size_t count, capacity;
} all[METRIC_COUNT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- labels ---------------------------------------------------------------------------------- */

static void put_escaped(struct buf *out, struct str text, bool quote)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\n')
            buf_put_text(out, "\\n");
        else if (c == '\\' || (quote && c == '"'))
            buf_put_format(out, "\\%c", c);
        else
            buf_put_char(out, c);
    }
}

static void put_label(struct buf *out, struct str name, struct str value)
{
    struct buf clean = {0};

    buf_put_utf8(&clean, str_head(value, LIMIT_METRIC_LABEL_BYTES));
    buf_put_format(out, "%s%.*s=\"", out->len != 0 ? "," : "", STR_ARG(name));
    put_escaped(out, buf_str(&clean), true);
    buf_put_char(out, '"');
    buf_free(&clean);
}

/* values NULL: "other" for each. */
static void put_labels(struct buf *out, enum metric metric, const struct str *values, size_t count)
{
    struct str rest = str_of(table[metric].labels), name, after;
    size_t i = 0;

    while (rest.len != 0) {
        if (!str_cut(rest, ',', &name, &after)) {
            name = rest;
            after = STR_EMPTY;
        }
        CHECK(values == NULL || i < count);
        put_label(out, name, values != NULL ? values[i] : STR("other"));
        rest = after;
        i++;
    }
    CHECK(values == NULL || i == count);
    CHECK(i <= LABELS_MAX);
}

/* --- series ---------------------------------------------------------------------------------- */

/* Where labels stand or would stand. */
static size_t position(enum metric metric, struct str labels, bool *found)
{
    size_t from = 0, to = all[metric].count;

    *found = false;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_compare(all[metric].items[middle]->labels, labels);
        *found |= order == 0;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct metric_series *insert(enum metric metric, size_t at, struct str labels)
{
    struct metric_series *s = MEM_NEW(struct metric_series);
    size_t count = all[metric].count;

    s->labels = (struct str){mem_copy_text(labels.data, labels.len), labels.len};
    if (table[metric].kind == METRIC_HISTOGRAM)
        s->buckets = mem_alloc((BOUND_COUNT + 1) * sizeof *s->buckets);
    MEM_RESERVE(all[metric].items, count, all[metric].capacity);
    memmove(&all[metric].items[at + 1], &all[metric].items[at],
            (count - at) * sizeof all[metric].items[0]);
    all[metric].items[at] = s;
    all[metric].count++;
    return s;
}

/* The series of these labels, made if it is not there.  The lock is held. */
static struct metric_series *find(enum metric metric, struct buf *labels)
{
    bool found;
    size_t at = position(metric, buf_str(labels), &found);

    if (!found && all[metric].count >= LIMIT_METRIC_SERIES) {
        buf_clear(labels);
        put_labels(labels, metric, NULL, 0);
        at = position(metric, buf_str(labels), &found);
    }
    return found ? all[metric].items[at] : insert(metric, at, buf_str(labels));
}

struct metric_series *metric_series(enum metric metric, const struct str *label_values,
                                    size_t count)
{
    struct buf labels = {0};
    struct metric_series *s;

    CHECK((unsigned)metric < METRIC_COUNT);
    if (count != 0)
        put_labels(&labels, metric, label_values, count);
    else
        CHECK(table[metric].labels[0] == '\0');
    pthread_mutex_lock(&lock);
    s = find(metric, &labels);
    pthread_mutex_unlock(&lock);
    buf_free(&labels);
    return s;
}

static double to_double(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint64_t to_bits(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return bits;
}

void metric_add(struct metric_series *s, double amount)
{
    uint64_t old = atomic_load_explicit(&s->value, memory_order_relaxed);

    while (!atomic_compare_exchange_weak(&s->value, &old, to_bits(to_double(old) + amount)))
        continue;
}

void metric_set(struct metric_series *s, double value)
{
    atomic_store(&s->value, to_bits(value));
}

void metric_observe(struct metric_series *s, double value)
{
    size_t i = 0;

    CHECK(s->buckets != NULL);
    while (i < BOUND_COUNT && value > bounds[i])
        i++;
    atomic_fetch_add(&s->buckets[i], 1);
    metric_add(s, value);
}

/* --- printing -------------------------------------------------------------------------------- */

static void put_number(struct buf *out, double d)
{
    if (isnan(d))
        buf_put_text(out, "NaN");
    else if (isinf(d))
        buf_put_text(out, d > 0 ? "+Inf" : "-Inf");
    else if (d == floor(d) && fabs(d) < 9e15) /* doubles hold whole numbers up to 2^53 */
        buf_put_format(out, "%lld", (long long)d);
    else
        json_put_double(out, d);
}

/* One line: name + suffix {labels, le="bound"} value */
static void put_sample(struct buf *out, const char *name, const char *suffix, struct str labels,
                       const char *le, double value)
{
    buf_put_format(out, "%s%s", name, suffix);
    if (labels.len != 0 || le != NULL) {
        buf_put_format(out, "{%.*s", STR_ARG(labels));
        if (le != NULL)
            buf_put_format(out, "%sle=\"%s\"", labels.len != 0 ? "," : "", le);
        buf_put_char(out, '}');
    }
    buf_put_char(out, ' ');
    put_number(out, value);
    buf_put_char(out, '\n');
}

static void put_histogram(struct buf *out, const char *name, struct metric_series *s)
{
    struct buf le = {0};
    uint64_t count = 0;

    for (size_t i = 0; i < BOUND_COUNT; i++) {
        count += atomic_load(&s->buckets[i]);
        buf_clear(&le);
        put_number(&le, bounds[i]);
        put_sample(out, name, "_bucket", s->labels, buf_text(&le), (double)count);
    }
    count += atomic_load(&s->buckets[BOUND_COUNT]);
    put_sample(out, name, "_bucket", s->labels, "+Inf", (double)count);
    put_sample(out, name, "_sum", s->labels, NULL, to_double(atomic_load(&s->value)));
    put_sample(out, name, "_count", s->labels, NULL, (double)count);
    buf_free(&le);
}

static void put_metric(struct buf *out, enum metric metric)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    const struct description *d = &table[metric];

    buf_put_format(out, "# HELP %s ", d->name);
    put_escaped(out, str_of(d->help), false);
    buf_put_format(out, "\n# TYPE %s %s\n", d->name, kinds[d->kind]);
    for (size_t i = 0; i < all[metric].count; i++) {
        struct metric_series *s = all[metric].items[i];
        if (d->kind == METRIC_HISTOGRAM)
            put_histogram(out, d->name, s);
        else
            put_sample(out, d->name, "", s->labels, NULL, to_double(atomic_load(&s->value)));
    }
}

void metric_write_all(struct buf *out)
{
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        if (table[metric].labels[0] == '\0')
            metric_series((enum metric)metric, NULL, 0); /* shown from the start */
    pthread_mutex_lock(&lock);
    for (int metric = 0; metric < METRIC_COUNT; metric++)
        put_metric(out, (enum metric)metric);
    pthread_mutex_unlock(&lock);
}
