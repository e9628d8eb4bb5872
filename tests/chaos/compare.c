#include "tests/chaos/compare.h"

#include "core/mem.h"
#include "tests/chaos/findings.h"
#include "tests/chaos/hashed.h"

struct comparison {
    struct site *site;
    struct accounts *accounts;
    struct figures *figures;
    struct hashed expected; /* struct expectation by hash of "CUSTOMER MOMENT ABOUT" */
    struct hashed out;      /* bool by hash of "CUSTOMER MOMENT": it has a task */
};

struct expectation {
    bool told;
    enum expected expected;
    unsigned taken;
    bool withdrawn;
    const char *what;
};

/* --- outputs and states ----------------------------------------------------------------------- */

static void compare_list(struct comparison *c, const char *name, int from, int to,
                         const struct outputs *live, const struct output *must, size_t must_count)
{
    size_t same = 0;

    while (same < live->count && same < must_count &&
           memcmp(&live->items[same].chain, &must[same].chain, sizeof must->chain) == 0)
        same++;
    if (same == live->count && same == must_count)
        return;
    if (same == live->count)
        c->figures->lost += must_count - same;
    else if (same == must_count)
        c->figures->doubled += live->count - same;
    else
        c->figures->different += live->count - same;
    finding("%s from %d to %d: %zu taken, %zu in the undisturbed run, the first %zu are the same",
            name, from, to, live->count, must_count, same);
}

static void compare_outputs(struct comparison *c, enum outputs_of what, const char *name, int from,
                            const struct undisturbed *u)
{
    for (int to = 0; to < CHAOS_PARTITIONS; to++) {
        struct output *must = MEM_NEW_ARRAY(struct output, u->count + 1);
        size_t count = 0;

        for (size_t i = 0; i < u->count; i++)
            if (u->what[i] == what && u->to[i] == to)
                must[count++] = u->outputs[i];
        compare_list(c, name, from, to, accounts_outputs(c->accounts, what, from, to), must, count);
        mem_free(must);
    }
}

static void compare_state(struct comparison *c, const char *step, int partition,
                          const struct undisturbed *u)
{
    char state[HASH128_HEX_SIZE] = "";

    if (!offline_redis_state(c->site, step, partition, state) || strcmp(state, u->state) != 0) {
        c->figures->different++;
        finding("the state of %s/%d is %s, after the undisturbed run %s", step, partition, state,
                u->state);
    }
}

static void compare_partition(struct comparison *c, int p)
{
    struct undisturbed u;

    if (!offline_identify(c->site, p, &u))
        c->figures->different++;
    compare_outputs(c, OUTPUTS_IDENTIFIED, "identified events", p, &u);
    compare_state(c, "identify", p, &u);
    undisturbed_free(&u);
    if (!offline_decide(c->site, p, &u))
        c->figures->different++;
    compare_outputs(c, OUTPUTS_TASKS, "tasks", p, &u);
    compare_outputs(c, OUTPUTS_DECISIONS, "decisions", p, &u);
    compare_state(c, "decide", p, &u);
    undisturbed_free(&u);
    c->figures->tasks += accounts_outputs(c->accounts, OUTPUTS_TASKS, p, p)->count;
    c->figures->decisions += accounts_outputs(c->accounts, OUTPUTS_DECISIONS, p, p)->count;
    if (accounts_taken(c->accounts, p) !=
        accounts_outputs(c->accounts, OUTPUTS_TASKS, p, p)->count) {
        c->figures->different++;
        finding("the ledger has taken %llu of decide/%d",
                (unsigned long long)accounts_taken(c->accounts, p), p);
    }
}

/* --- truth ---------------------------------------------------------------------------------- */

static void expect(void *context, struct str what, enum expected expected)
{
    struct comparison *c = context;
    struct expectation *e = hashed_at(&c->expected, hash_bytes(what, 0), NULL);

    e->told = true;
    e->expected = expected;
    if (e->what == NULL)
        e->what = arena_str(c->site->arena, what).data;
}

/* "CUSTOMER MOMENT" of what stands behind such words. */
static bool *is_out(struct comparison *c, const char *what, const char *moment)
{
    struct str customer, rest, name = str_of(moment);
    struct buf key = {0};
    bool *out;

    str_cut(str_of(what), ' ', &customer, &rest);
    if (moment == NULL)
        str_cut(rest, ' ', &name, &rest);
    buf_put_format(&key, "%.*s %.*s", STR_ARG(customer), STR_ARG(name));
    out = hashed_at(&c->out, hash_bytes(buf_str(&key), 0), NULL);
    buf_free(&key);
    return out;
}

/* Not decided yet, and rightly: the action that it waits behind is out. */
static bool waits(struct comparison *c, const struct expectation *e)
{
    const char *behind = accounts_behind(c->accounts, e->what);

    return behind != NULL && *is_out(c, e->what, behind);
}

static void count_taken(struct comparison *c)
{
    const struct task_account *t;

    for (size_t at = 0; (t = accounts_next_task(c->accounts, &at)) != NULL;) {
        struct expectation *e;

        if (t->what == NULL || strstr(t->what, " probe ") != NULL)
            continue;
        e = hashed_at(&c->expected, hash_bytes(str_of(t->what), 0), NULL);
        e->what = t->what;
        e->taken++;
        *is_out(c, t->what, NULL) = true;
        e->withdrawn = e->withdrawn || t->withdrawn;
    }
}

static void judge(struct comparison *c, const struct expectation *e)
{
    const char *fault = NULL;

    if (e->taken > 1) {
        c->figures->doubled += e->taken - 1;
        fault = "decided more than once";
    } else if (!e->told && e->taken == 1) {
        c->figures->different++;
        fault = "decided without a reason";
    } else if (e->told && e->expected == EXPECTED_ONCE && e->taken == 0 && waits(c, e)) {
        c->figures->waiting++;
    } else if (e->told && e->expected == EXPECTED_ONCE && e->taken == 0) {
        c->figures->lost++;
        fault = "never decided";
    } else if (e->told && e->expected == EXPECTED_NOT && e->taken == 1 && !e->withdrawn) {
        c->figures->different++;
        fault = "decided, called off, and not taken back";
    }
    if (fault != NULL)
        finding("task \"%s\": %s", e->what, fault);
}

static void compare_truth(struct comparison *c, struct load *load)
{
    findings_next_kind();
    load_expected(load, expect, c);
    count_taken(c);
    for (size_t at = 0; at < c->expected.capacity; at++) {
        const struct expectation *e = hashed_slot(&c->expected, at);

        if (e != NULL)
            judge(c, e);
    }
}

/* --- deliveries ----------------------------------------------------------------------------- */

enum promise { EXACTLY_ONCE, EFFECT_ONCE, AT_MOST_ONCE, AT_LEAST_ONCE };

static const struct {
    const char *channel;
    enum promise promise;
} promises[] = {{"phone", EXACTLY_ONCE},
                {"garage", EFFECT_ONCE},
                {"email", AT_MOST_ONCE},
                {"letter", AT_LEAST_ONCE}};

static enum promise promise_of(const char *channel)
{
    size_t at = 0;

    while (strcmp(promises[at].channel, channel) != 0)
        at++;
    return promises[at].promise;
}

static const char *delivery_fault(struct comparison *c, const struct task_account *t)
{
    enum promise promise = promise_of(t->channel);
    unsigned times = t->queued + t->posted + t->mailed;
    bool sent = t->state == LEDGER_SENT;

    if (!t->in_ledger || !t->over) {
        c->figures->lost++;
        return "has no end in the ledger";
    }
    if (times > 1 && (promise == EXACTLY_ONCE || promise == AT_MOST_ONCE)) {
        c->figures->doubled += times - 1;
        return "came more than once";
    }
    if (sent && times == 0) {
        c->figures->lost++;
        return "was sent, says the ledger, and did not come";
    }
    if (t->state == LEDGER_UNKNOWN && promise == AT_MOST_ONCE) {
        c->figures->in_doubt++;
        return NULL;
    }
    if (!sent && !(t->state == LEDGER_WITHDRAWN && t->withdrawn)) {
        c->figures->lost++;
        return "was not sent";
    }
    return NULL;
}

static void compare_deliveries(struct comparison *c)
{
    const struct task_account *t;

    findings_next_kind();
    for (size_t at = 0; (t = accounts_next_task(c->accounts, &at)) != NULL;) {
        const char *fault;

        if (!t->taken) {
            c->figures->different++;
            fault = "nobody decided it";
        } else {
            fault = delivery_fault(c, t);
        }
        if (fault != NULL)
            finding("task %s (%s, %s): %s; %s, came %u times", t->id,
                    t->what != NULL ? t->what : "?", t->channel != NULL ? t->channel : "?", fault,
                    t->in_ledger ? ledger_state_code(t->state) : "not in the ledger",
                    t->queued + t->posted + t->mailed);
    }
}

void compare_all(struct site *site, struct load *load, struct accounts *accounts,
                 struct figures *out)
{
    struct comparison c = {.site = site,
                           .accounts = accounts,
                           .figures = out,
                           .expected = hashed_of(sizeof(struct expectation)),
                           .out = hashed_of(sizeof(bool))};

    accounts_compare_sources(accounts, &out->lost, &out->doubled);
    out->different += accounts_wrong(accounts);
    findings_next_kind();
    for (int p = 0; p < CHAOS_PARTITIONS; p++)
        compare_partition(&c, p);
    compare_truth(&c, load);
    receivers_tell(site->receivers, accounts);
    compare_deliveries(&c);
    hashed_free(&c.expected);
    hashed_free(&c.out);
}
