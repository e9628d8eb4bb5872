/* What counts against a breaker is what says that nobody is there: DOWN and UNKNOWN.  RETRY (a busy
 * receiver, 429) and REFUSED come from one that lives.
 *
 * Addresses are remembered from their first failure to their next success, the hundred most
 * recent ones; an address that is forgotten is tried as any other.
 */
#include "processors/dispatch/gate.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"

enum { ADDRESSES_MAX = 128 };

struct breaker {
    uint32_t failures;  /* in a row */
    int64_t open_until; /* 0: closed */
    bool probing;       /* half open, and the one attempt is under way */
    bool gone;
};

struct address {
    uint64_t hash;
    int64_t used_ms;
    struct breaker breaker;
};

struct gate {
    struct gate_options options;
    uint32_t under_way;
    int64_t second_ms; /* when the present second of the rate began */
    uint32_t begun;    /* in it */
    struct breaker breaker;
    struct address addresses[ADDRESSES_MAX];
    size_t address_count;
};

/* --- options ---------------------------------------------------------------------------------- */

enum err_code gate_options_read(const struct conf *conf, struct gate_options *out, struct err *err)
{
    *out = (struct gate_options){
        .timeout_ms = (int)conf_int(conf, "timeout"),
        .concurrency = (uint32_t)conf_int(conf, "concurrency"),
        .rate = (uint32_t)conf_int(conf, "rate"),
        .breaker_failures = (uint32_t)conf_int(conf, "breaker.failures"),
        .breaker_pause_ms = conf_int(conf, "breaker.pause"),
    };
    if (conf_count(conf, "retries") > GATE_RETRIES_MAX)
        return err_set(err, ERR_CONFIG, "more than %d retries", GATE_RETRIES_MAX);
    for (size_t i = 0; i < conf_count(conf, "retries"); i++) {
        struct str pause = conf_item_text(conf, "retries", i);
        if (!when_parse_span_ms(pause, &out->pauses_ms[i]))
            return err_set(err, ERR_CONFIG, "retries holds \"%.*s\", wants durations (30s, 5m)",
                           STR_ARG(pause));
        out->pause_count++;
    }
    return ERR_NONE;
}

bool gate_next_ms(const struct gate_options *o, uint32_t attempt, int64_t wish_ms, int64_t now_ms,
                  struct rng *rng, int64_t *next_ms)
{
    int64_t pause_ms;

    if (attempt == 0 || attempt > o->pause_count)
        return false;
    pause_ms = o->pauses_ms[attempt - 1];
    pause_ms = pause_ms * 3 / 4 + (int64_t)rng_below(rng, (uint64_t)(pause_ms / 2) + 1);
    *next_ms = now_ms + (pause_ms > wish_ms ? pause_ms : wish_ms);
    return true;
}

/* --- breakers ---------------------------------------------------------------------------------- */

static bool breaker_lets(const struct breaker *b, int64_t now_ms)
{
    return b->open_until == 0 || (now_ms >= b->open_until && !b->probing);
}

static void breaker_begin(struct breaker *b)
{
    b->probing = b->open_until != 0;
}

static void breaker_end(const struct gate *g, struct breaker *b, bool failed, int64_t now_ms)
{
    bool probe = b->probing;

    b->probing = false;
    if (!failed) {
        b->failures = 0;
        b->open_until = 0;
        return;
    }
    b->failures++;
    if (probe || (b->open_until == 0 && b->failures >= g->options.breaker_failures))
        b->open_until = now_ms + g->options.breaker_pause_ms;
}

static struct address *find_address(struct gate *g, struct str address)
{
    uint64_t hash = hash_bytes(address, 0);

    for (size_t i = 0; address.len != 0 && i < g->address_count; i++)
        if (g->addresses[i].hash == hash)
            return &g->addresses[i];
    return NULL;
}

/* In place of the one not used for longest, if there is no room; those that are gone stay. */
static struct address *add_address(struct gate *g, struct str address)
{
    struct address *oldest = NULL;

    if (g->address_count < ADDRESSES_MAX) {
        oldest = &g->addresses[g->address_count++];
    } else {
        oldest = &g->addresses[0];
        for (size_t i = 1; i < g->address_count; i++)
            if (oldest->breaker.gone > g->addresses[i].breaker.gone ||
                (oldest->breaker.gone == g->addresses[i].breaker.gone &&
                 g->addresses[i].used_ms < oldest->used_ms))
                oldest = &g->addresses[i];
    }
    *oldest = (struct address){.hash = hash_bytes(address, 0)};
    return oldest;
}

/* --- the gate ---------------------------------------------------------------------------------- */

static enum gate_answer ask_channel(struct gate *g, int64_t now_ms, int64_t *until_ms)
{
    if (g->breaker.gone)
        return GATE_GONE;
    if (g->under_way >= g->options.concurrency || g->breaker.probing)
        return GATE_FULL;
    if (!breaker_lets(&g->breaker, now_ms)) {
        *until_ms = g->breaker.open_until;
        return GATE_LATER;
    }
    if (now_ms - g->second_ms >= 1000) {
        g->second_ms = now_ms;
        g->begun = 0;
    }
    if (g->options.rate != 0 && g->begun >= g->options.rate) {
        *until_ms = g->second_ms + 1000;
        return GATE_LATER;
    }
    return GATE_OPEN;
}

enum gate_answer gate_ask(struct gate *g, struct str address, int64_t now_ms, int64_t *until_ms)
{
    enum gate_answer answer = ask_channel(g, now_ms, until_ms);
    const struct address *a = find_address(g, address);

    if (answer != GATE_OPEN || a == NULL)
        return answer;
    if (a->breaker.gone)
        return GATE_GONE;
    if (breaker_lets(&a->breaker, now_ms))
        return GATE_OPEN;
    *until_ms =
        a->breaker.open_until > now_ms ? a->breaker.open_until : now_ms + g->options.timeout_ms;
    return GATE_ADDRESS;
}

void gate_begin(struct gate *g, struct str address, int64_t now_ms)
{
    struct address *a = find_address(g, address);

    g->under_way++;
    g->begun++;
    breaker_begin(&g->breaker);
    if (a == NULL)
        return;
    breaker_begin(&a->breaker);
    a->used_ms = now_ms;
}

void gate_cancel(struct gate *g, struct str address)
{
    struct address *a = find_address(g, address);

    CHECK(g->under_way > 0);
    g->under_way--;
    g->breaker.probing = false;
    if (a != NULL)
        a->breaker.probing = false;
}

void gate_end(struct gate *g, struct str address, enum delivery result, bool gone, int64_t now_ms)
{
    bool failed = result == DELIVERY_DOWN || result == DELIVERY_UNKNOWN;
    struct address *a = find_address(g, address);

    CHECK(g->under_way > 0);
    g->under_way--;
    breaker_end(g, &g->breaker, failed, now_ms);
    if (gone && address.len == 0)
        g->breaker.gone = true;
    if (a == NULL && address.len != 0 && (failed || gone))
        a = add_address(g, address);
    if (a == NULL)
        return;
    a->used_ms = now_ms;
    breaker_end(g, &a->breaker, failed, now_ms);
    a->breaker.gone |= gone;
}

bool gate_is_broken(const struct gate *g)
{
    return g->breaker.open_until != 0 || g->breaker.gone;
}

uint32_t gate_under_way(const struct gate *g)
{
    return g->under_way;
}

struct gate *gate_new(const struct gate_options *options)
{
    struct gate *g = MEM_NEW(struct gate);

    g->options = *options;
    return g;
}

void gate_free(struct gate *g)
{
    mem_free(g);
}
