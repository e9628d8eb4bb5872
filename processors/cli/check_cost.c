#include "processors/cli/check_cost.h"

#include "core/json.h"
#include "core/limit.h"
#include "processors/decide/cost.h"

struct table {
    struct buf *out;
    bool json;
    struct cost sum;
};

static void put_row(struct table *t, const char *kind, struct str name, struct cost cost)
{
    struct json_writer w = json_writer_to(t->out);

    if (!t->json) {
        buf_put_format(t->out, "  %-7s  %-32.*s %8llu  %12llu\n", kind, STR_ARG(name),
                       (unsigned long long)cost.one, (unsigned long long)cost.worst);
        return;
    }
    json_open(&w, '{');
    json_key(&w, "cost");
    json_str(&w, str_of(kind));
    json_key(&w, "name");
    json_str(&w, name);
    json_key(&w, "one_bytes");
    json_int(&w, (int64_t)cost.one);
    json_key(&w, "worst_bytes");
    json_int(&w, (int64_t)cost.worst);
    json_close(&w, '}');
    buf_put_char(t->out, '\n');
}

static void add(struct table *t, const char *kind, struct str name, struct cost cost)
{
    t->sum.one += cost.one;
    t->sum.worst += cost.worst;
    put_row(t, kind, name, cost);
}

void check_cost_put(struct buf *out, const struct ruleset *set, bool json)
{
    struct table t = {.out = out, .json = json};

    if (!json)
        buf_put_format(out, "bytes per customer%*s       one         worst\n", 24, "");
    for (size_t i = 0; i < set->fact_count; i++)
        add(&t, "fact", set->facts[i].name, cost_of_fact(set, i));
    for (size_t i = 0; i < set->moment_count; i++)
        add(&t, "moment", set->moments[i].name, cost_of_moment(set, i));
    add(&t, "always", STR("recent ids, contacts, consents"), cost_of_rest());
    put_row(&t, "sum", STR_EMPTY, t.sum);
    if (json)
        return;
    buf_put_format(
        out,
        "  one: each fact after its first event, each moment with one task out.\n"
        "  worst: every limit reached, every text as long as is kept.  Beyond %d bytes a customer\n"
        "         opens no new moment and facts forget their oldest.\n",
        LIMIT_CUSTOMER_BYTES);
}
