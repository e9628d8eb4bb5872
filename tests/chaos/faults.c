#include "tests/chaos/faults.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "tests/chaos/servers.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    AT_ONCE_MAX = 2,
    GAP_MS_MIN = 500,
    STORM = 5,
    STORM_MS_MAX = 1500,
    MORE_PERCENT = 40,
    DELAY_MS_MAX = 400,
    SETTLE_MS = 4000, /* until the next fault of Kafka or Redis: copies come in step again */
    WELL_MS_MAX = 180 * 1000, /* from the end of a fault until its server is itself again */
    LOOK_MS = 300,
};

enum domain { DOMAIN_PROCESS, DOMAIN_KAFKA, DOMAIN_REDIS, DOMAIN_SOURCE, DOMAIN_RECEIVER, DOMAINS };

struct active { /* a fault that is there */
    size_t span;
    enum fault_kind kind;
    int64_t until_ms; /* its end; then, how long its server may take */
    int target;
    bool over; /* but its server is not itself again yet */
};

struct faults {
    const struct chaos *chaos;
    struct site *site;
    struct load *load;
    struct rng order, rng; /* which kinds, and how long between; of one fault: whom it hits */
    enum fault_kind bag[FAULT_KIND_COUNT];
    int bag_count;
    uint64_t drawn;
    struct active active[AT_ONCE_MAX];
    int active_count;
    struct fault_span *spans;
    size_t span_count, span_capacity;
    int64_t next_ms, free_ms[DOMAINS], look_ms;
};

static uint64_t draw(struct faults *f, uint64_t bound)
{
    return rng_below(&f->rng, bound);
}

static void nothing(struct faults *f, struct active *a)
{
    (void)f, (void)a;
}

/* --- processes ------------------------------------------------------------------------------ */

static bool signal_one(struct faults *f, struct active *a, enum site_role role, int signal_number)
{
    a->target = site_pick(f->site, role, draw(f, 1000));
    site_kill(f->site, a->target, signal_number);
    return true;
}

static bool kill_ingest(struct faults *f, struct active *a)
{
    return signal_one(f, a, SITE_INGEST, SIGKILL);
}

static bool kill_decide(struct faults *f, struct active *a)
{
    return signal_one(f, a, SITE_DECIDE, SIGKILL);
}

static bool kill_dispatch(struct faults *f, struct active *a)
{
    return signal_one(f, a, SITE_DISPATCH, SIGKILL);
}

static bool pause_ingest(struct faults *f, struct active *a)
{
    return signal_one(f, a, SITE_INGEST, SIGSTOP);
}

static bool pause_decide(struct faults *f, struct active *a)
{
    return signal_one(f, a, SITE_DECIDE, SIGSTOP);
}

static bool pause_dispatch(struct faults *f, struct active *a)
{
    return signal_one(f, a, SITE_DISPATCH, SIGSTOP);
}

static bool kill_by_event(struct faults *f, const char *role)
{
    bool asked = load_lethal(f->load, role);

    f->site->lethal = f->site->lethal || asked;
    return asked;
}

static bool kill_by_event_ingest(struct faults *f, struct active *a)
{
    (void)a;
    return kill_by_event(f, "ingest");
}

static bool kill_by_event_decide(struct faults *f, struct active *a)
{
    (void)a;
    return kill_by_event(f, "decide");
}

static void go_on(struct faults *f, struct active *a)
{
    site_kill(f->site, a->target, SIGCONT);
}

static bool roll_all(struct faults *f, struct active *a)
{
    (void)a;
    for (int i = 0; i < f->site->member_count; i++) {
        site_roll(f->site, i);
        wait_pause_ms((int)draw(f, 500));
    }
    return true;
}

/* One more of a role, and away again, several times: some by SIGKILL, so that the group misses them only
 * when their session ends. */
static bool storm(struct faults *f, struct active *a)
{
    (void)a;
    for (int i = 0; i < STORM; i++) {
        int member = site_add(f->site, (enum site_role)draw(f, SITE_ROLES));

        wait_pause_ms((int)draw(f, STORM_MS_MAX));
        if (draw(f, 2) == 0)
            site_roll(f->site, member);
        site_remove(f->site, member);
    }
    return true;
}

/* --- Kafka ---------------------------------------------------------------------------------- */

static bool kill_one_broker(struct faults *f, struct active *a, int index)
{
    a->target = index;
    server_kill(f->site->kafka, a->target, SIGKILL);
    return true;
}

static bool kill_broker(struct faults *f, struct active *a)
{
    return kill_one_broker(f, a, (int)draw(f, CHAOS_BROKERS));
}

static bool kill_controller(struct faults *f, struct active *a)
{
    int controller = servers_kafka_controller(f->site->kafka);

    return controller >= 0 && kill_one_broker(f, a, controller);
}

static void restart_broker(struct faults *f, struct active *a)
{
    server_begin_restart(f->site->kafka, a->target);
}

static bool pause_broker(struct faults *f, struct active *a)
{
    a->target = (int)draw(f, CHAOS_BROKERS);
    server_kill(f->site->kafka, a->target, SIGSTOP);
    return true;
}

static void continue_broker(struct faults *f, struct active *a)
{
    server_kill(f->site->kafka, a->target, SIGCONT);
}

static bool cut_kafka(struct faults *f, struct active *a)
{
    (void)a;
    for (int i = 0; i < CHAOS_BROKERS; i++)
        proxy_cut(f->site->proxy, f->site->kafka_lanes[i]);
    return true;
}

static bool delay_kafka(struct faults *f, struct active *a)
{
    a->target = (int)draw(f, CHAOS_BROKERS);
    proxy_set(f->site->proxy, f->site->kafka_lanes[a->target], PROXY_DELAY,
              50 + (int)draw(f, DELAY_MS_MAX));
    return true;
}

static bool hold_kafka(struct faults *f, struct active *a)
{
    a->target = (int)draw(f, CHAOS_BROKERS);
    proxy_set(f->site->proxy, f->site->kafka_lanes[a->target], PROXY_HOLD, 0);
    return true;
}

static void pass_kafka(struct faults *f, struct active *a)
{
    proxy_set(f->site->proxy, f->site->kafka_lanes[a->target], PROXY_PASS, 0);
}

/* --- Redis ---------------------------------------------------------------------------------- */

static bool kill_redis(struct faults *f, struct active *a)
{
    a->target = servers_redis_primary(f->site, draw(f, 1000));
    if (a->target >= 0)
        server_kill(f->site->redis, a->target, SIGKILL);
    return a->target >= 0;
}

static bool stop_redis(struct faults *f, struct active *a)
{
    a->target = -1;
    for (int i = 0; i < f->site->redis_count; i++)
        server_kill(f->site->redis, i, draw(f, 2) == 0 ? SIGKILL : SIGTERM);
    return true;
}

static void restart_redis(struct faults *f, struct active *a)
{
    for (int i = 0; i < f->site->redis_count; i++)
        if (a->target < 0 || i == a->target)
            servers_redis_restart(f->site, i);
}

static bool pause_redis(struct faults *f, struct active *a)
{
    a->target = servers_redis_primary(f->site, draw(f, 1000));
    if (a->target >= 0)
        server_kill(f->site->redis, a->target, SIGSTOP);
    return a->target >= 0;
}

static void continue_redis(struct faults *f, struct active *a)
{
    server_kill(f->site->redis, a->target, SIGCONT);
}

static bool move_slot(struct faults *f, struct active *a)
{
    (void)a;
    return servers_redis_move_slot(f->site, draw(f, 1000));
}

static bool cut_redis(struct faults *f, struct active *a)
{
    (void)a;
    for (int i = 0; i < f->site->redis_count; i++)
        proxy_cut(f->site->proxy, f->site->redis_lanes[i]);
    return true;
}

static bool delay_redis(struct faults *f, struct active *a)
{
    int delay_ms = 20 + (int)draw(f, DELAY_MS_MAX);

    (void)a;
    for (int i = 0; i < f->site->redis_count; i++)
        proxy_set(f->site->proxy, f->site->redis_lanes[i], PROXY_DELAY, delay_ms);
    return true;
}

static void pass_redis(struct faults *f, struct active *a)
{
    (void)a;
    for (int i = 0; i < f->site->redis_count; i++)
        proxy_set(f->site->proxy, f->site->redis_lanes[i], PROXY_PASS, 0);
}

/* --- sources, receivers --------------------------------------------------------------------- */

static bool more_poison(struct faults *f, struct active *a)
{
    (void)a;
    load_more(f->load, LOAD_POISON, MORE_PERCENT);
    return true;
}

static bool more_twice(struct faults *f, struct active *a)
{
    (void)a;
    load_more(f->load, LOAD_TWICE, MORE_PERCENT);
    return true;
}

static bool more_late(struct faults *f, struct active *a)
{
    (void)a;
    load_more(f->load, LOAD_LATE, MORE_PERCENT);
    return true;
}

static bool refuse(struct faults *f, struct active *a)
{
    (void)a;
    receivers_set_mood(f->site->receivers, MOOD_500);
    return true;
}

static bool say_nothing(struct faults *f, struct active *a)
{
    (void)a;
    receivers_set_mood(f->site->receivers, MOOD_SILENT);
    return true;
}

static bool close_middle(struct faults *f, struct active *a)
{
    (void)a;
    receivers_set_mood(f->site->receivers, MOOD_CLOSES);
    return true;
}

static void please(struct faults *f, struct active *a)
{
    (void)a;
    receivers_set_mood(f->site->receivers, MOOD_FINE);
}

static bool kill_mail(struct faults *f, struct active *a)
{
    (void)a;
    receivers_kill_mail(f->site->receivers);
    return true;
}

static bool pause_mail(struct faults *f, struct active *a)
{
    (void)a;
    receivers_pause_mail(f->site->receivers);
    return true;
}

static void mend_mail(struct faults *f, struct active *a)
{
    (void)a;
    receivers_mend_mail(f->site->receivers);
}

/* --- the table ------------------------------------------------------------------------------ */

static const struct kind {
    const char *code, *text;
    enum domain domain;
    bool (*begin)(struct faults *f, struct active *a);
    void (*end)(struct faults *f, struct active *a);
    int seconds;
} kinds[FAULT_KIND_COUNT] = {
#define FAULT(name, code, domain, begin, end, seconds, text)                                       \
    [FAULT_##name] = {code, text, domain, begin, end, seconds},
#include "tests/chaos/faults.def"
#undef FAULT
};

const char *faults_code(enum fault_kind kind)
{
    return kinds[kind].code;
}

bool faults_find(struct str code, enum fault_kind *out)
{
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        if (str_is(code, kinds[i].code)) {
            *out = (enum fault_kind)i;
            return true;
        }
    return false;
}

/* --- going on ------------------------------------------------------------------------------- */

struct faults *faults_new(const struct chaos *chaos, struct site *site, struct load *load)
{
    struct faults *f = MEM_NEW(struct faults);

    *f = (struct faults){.chaos = chaos,
                         .site = site,
                         .load = load,
                         .order = rng_seeded(chaos->seed ^ 0x6661756cu),
                         .next_ms = wait_now_ms() + chaos->fault_ms / 2};
    return f;
}

void faults_free(struct faults *f)
{
    if (f == NULL)
        return;
    mem_free(f->spans);
    mem_free(f);
}

static bool is_wanted(const struct faults *f, enum fault_kind kind)
{
    struct str rest = str_of(f->chaos->only), code;

    if ((kind == FAULT_LETHAL_INGEST || kind == FAULT_LETHAL_DECIDE) && !f->site->mortal)
        return false;
    while (str_cut(rest, ',', &code, &rest))
        if (str_is(code, kinds[kind].code))
            return true;
    return f->chaos->only == NULL || str_is(rest, kinds[kind].code);
}

static void fill_bag(struct faults *f)
{
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        if (is_wanted(f, (enum fault_kind)i)) {
            int at = (int)rng_below(&f->order, (uint64_t)f->bag_count + 1);

            f->bag[f->bag_count++] = f->bag[at];
            f->bag[at] = (enum fault_kind)i;
        }
}

static bool is_taken(const struct faults *f, enum domain domain)
{
    for (int i = 0; i < f->active_count; i++)
        if (kinds[f->active[i].kind].domain == domain)
            return true;
    return wait_now_ms() < f->free_ms[domain];
}

/* False: nothing of it has happened. */
static bool begin(struct faults *f, enum fault_kind kind)
{
    struct active a = {.span = f->span_count, .kind = kind, .target = -1};

    MEM_RESERVE(f->spans, f->span_count, f->span_capacity);
    f->spans[f->span_count++] = (struct fault_span){.kind = kind, .begin_ms = wait_now_ms()};
    f->rng = rng_seeded(f->chaos->seed + ++f->drawn * FAULT_KIND_COUNT);
    if (!kinds[kind].begin(f, &a)) {
        f->span_count--;
        return false;
    }
    f->spans[a.span].target = a.target;
    a.until_ms = wait_now_ms() + (int64_t)kinds[kind].seconds * 1000;
    f->active[f->active_count++] = a;
    return true;
}

/* The next of the bag, when its time has come; what cannot happen now is the last of its bag. */
static void begin_next(struct faults *f)
{
    int64_t gap_ms = f->chaos->fault_ms, now_ms = wait_now_ms();
    enum fault_kind kind;

    if (f->bag_count == 0)
        fill_bag(f);
    kind = f->bag[f->bag_count - 1];
    if (is_taken(f, kinds[kind].domain))
        return;
    f->bag_count--;
    f->next_ms = now_ms + gap_ms / 4 + (int64_t)rng_below(&f->order, (uint64_t)gap_ms * 3 / 2 + 1);
    if (!begin(f, kind)) {
        memmove(f->bag + 1, f->bag, (size_t)f->bag_count++ * sizeof *f->bag);
        f->bag[0] = kind;
        f->next_ms = now_ms;
    }
    if (f->next_ms < wait_now_ms() + GAP_MS_MIN)
        f->next_ms = wait_now_ms() + GAP_MS_MIN;
}

static bool is_well(struct faults *f, const struct active *a)
{
    switch (kinds[a->kind].domain) {
    case DOMAIN_KAFKA: return a->target < 0 || server_answers(f->site->kafka, a->target);
    case DOMAIN_REDIS: return servers_redis_is_whole(f->site);
    case DOMAIN_PROCESS: return load_lethals_are_over(f->load);
    case DOMAIN_SOURCE:
    case DOMAIN_RECEIVER:
    case DOMAINS: break;
    }
    return true;
}

static void end(struct faults *f, struct active *a)
{
    kinds[a->kind].end(f, a);
    a->over = true;
    a->until_ms = wait_now_ms() + WELL_MS_MAX;
}

/* True: it is gone. */
static bool end_wholly(struct faults *f, int index)
{
    struct active a = f->active[index];

    if (!is_well(f, &a)) {
        if (wait_now_ms() >= a.until_ms)
            scratch_fail("after %s its server does not come back", kinds[a.kind].code);
        return false;
    }
    f->spans[a.span].end_ms = wait_now_ms();
    if (kinds[a.kind].domain == DOMAIN_KAFKA || kinds[a.kind].domain == DOMAIN_REDIS)
        f->free_ms[kinds[a.kind].domain] = wait_now_ms() + SETTLE_MS;
    f->active[index] = f->active[--f->active_count];
    return true;
}

static void end_what_is_due(struct faults *f, bool all)
{
    bool looks = wait_now_ms() >= f->look_ms;

    if (looks)
        f->look_ms = wait_now_ms() + LOOK_MS;
    for (int i = 0; i < f->active_count; i++) {
        struct active *a = &f->active[i];
        bool fresh = !a->over && (all || wait_now_ms() >= a->until_ms);

        if (fresh)
            end(f, a);
        if (a->over && (looks || fresh) && end_wholly(f, i))
            i--;
    }
}

void faults_go_on(struct faults *f)
{
    end_what_is_due(f, false);
    if (wait_now_ms() >= f->next_ms && f->active_count < AT_ONCE_MAX)
        begin_next(f);
}

bool faults_heal(struct faults *f)
{
    end_what_is_due(f, true);
    return f->active_count == 0;
}

size_t faults_count(const struct faults *f)
{
    return f->span_count;
}

const struct fault_span *faults_at(const struct faults *f, size_t index)
{
    return &f->spans[index];
}
