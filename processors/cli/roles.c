/* A thread per role (decide: as many as worker.threads), all running the same loop: open, poll,
 * on errors wait and go on.  All are told to stop at once and drain side by side, because what one
 * leaves in Kafka the next start takes up. */
#include "processors/cli/roles.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "connectors/geoip/geoip.h"
#include "connectors/redis/redis.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/readiness.h"
#include "core/zone.h"
#include "processors/cli/activate.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/topics.h"

enum {
    BACK_OFF_MIN_MS = 100,
    BACK_OFF_MAX_MS = 5000,
    SAME_ERROR_MS = 10 * 1000,         /* an error that comes again and again is logged so often */
    THREADS_MAX = 64 + ROLE_COUNT + 2, /* decide's, one of each other, role_kafka, role_redis */
};

#define NEED_REDIS (1u << ROLE_DECIDE | 1u << ROLE_IDENTIFY)

static const struct role_class *const classes[ROLE_COUNT] = {
    [ROLE_INGEST] = &role_ingest,   [ROLE_IDENTIFY] = &role_identify,
    [ROLE_DECIDE] = &role_decide,   [ROLE_DISPATCH] = &role_dispatch,
    [ROLE_CONSOLE] = &role_console,
};

struct role_thread {
    const struct role_class *class;
    struct roles *roles;
    struct role_context context;
    pthread_t thread;
    atomic_bool stop;
    char said[sizeof((struct err *)0)->text]; /* the error logged last */
    int64_t said_ms;
};

struct roles {
    struct arena *arena;
    struct kafka_settings kafka;
    struct rules_topic *rules;
    struct geoip *geo;
    struct role_thread *threads[THREADS_MAX];
    size_t thread_count;
    pthread_mutex_t lock; /* of failure */
    bool failed;
    struct err failure;
};

/* --- names -------------------------------------------------------------------------------------- */

const char *role_name(enum role role)
{
    return classes[role]->name;
}

static enum err_code parse_name(struct str name, unsigned *set, struct err *err)
{
    struct str names[ROLE_COUNT], near;

    for (int i = 0; i < ROLE_COUNT; i++) {
        names[i] = str_of(classes[i]->name);
        if (str_equal(names[i], name)) {
            *set |= 1u << i;
            return ERR_NONE;
        }
    }
    near = str_nearest(name, names, ROLE_COUNT);
    if (near.len != 0)
        return err_set(err, ERR_USAGE, "there is no role \"%.*s\"; did you mean %.*s?",
                       STR_ARG(name), STR_ARG(near));
    return err_set(err, ERR_USAGE,
                   "there is no role \"%.*s\", but ingest, identify, decide, dispatch and console",
                   STR_ARG(name));
}

enum err_code roles_parse(const char *list, unsigned *set, struct err *err)
{
    struct str rest = str_of(list), name;
    enum err_code code = ERR_NONE;

    *set = 0;
    for (bool more = true; more && code == ERR_NONE;) {
        name = rest;
        more = str_cut(rest, ',', &name, &rest);
        code = parse_name(str_trim(name), set, err);
    }
    return code;
}

unsigned roles_of_conf(const struct conf *conf)
{
    unsigned set = 0;

    for (size_t i = 0; i < conf_count(conf, "roles"); i++)
        parse_name(conf_item_text(conf, "roles", i), &set, NULL);
    return set;
}

/* --- what is needed -------------------------------------------------------------------------------- */

static enum err_code check_redis(const struct conf *conf, bool lasting, struct err *err)
{
    struct redis_settings settings = config_redis(conf);
    struct redis *redis = NULL;
    enum err_code code = redis_open(&settings, &redis, err);

    if (code == ERR_NONE && lasting && redis_advice(redis)[0] != '\0')
        log_warn("redis", redis_advice(redis), LOG_END);
    redis_close(redis);
    return code;
}

enum err_code roles_check(const struct conf *conf, unsigned set, bool lasting, struct err *err)
{
    struct arena *arena = arena_new(0);
    enum err_code code = ERR_NONE;

    if (set == 1u << ROLE_CONSOLE) /* looks at nothing but its own process */
        goto out;
    if (zone_find(STR("Europe/Amsterdam")) == NULL) {
        code = err_set(err, ERR_CONFIG, "there is no time zone data: install the package tzdata");
        goto out;
    }
    code = topics_check(conf, arena, err);
    if (code == ERR_NONE && (set & NEED_REDIS) != 0)
        code = check_redis(conf, lasting, err);
    if (code == ERR_NONE)
        code = activate_at_start(conf, err);
out:
    arena_free(arena);
    return code;
}

/* --- one thread --------------------------------------------------------------------------------------- */

static bool needs_person(enum err_code code)
{
    return code == ERR_CONFIG || code == ERR_STATE || code == ERR_USAGE;
}

static void fail(struct role_thread *t, const struct err *err)
{
    struct roles *roles = t->roles;

    readiness_set(t->class->name, false, err->text);
    pthread_mutex_lock(&roles->lock);
    if (!roles->failed) {
        roles->failed = true;
        roles->failure = *err;
        err_prefix(&roles->failure, "%s", t->class->name);
    }
    pthread_mutex_unlock(&roles->lock);
}

/* The same error again and again is one line from time to time. */
static void say(struct role_thread *t, const struct err *err)
{
    int64_t now_ms = clock_mono_ms();

    if (strcmp(t->said, err->text) == 0 && now_ms < t->said_ms + SAME_ERROR_MS)
        return;
    snprintf(t->said, sizeof t->said, "%s", err->text);
    t->said_ms = now_ms;
    log_warn(t->class->name, err->text, LOG_TEXT("kind", err_code_text(err->code)), LOG_END);
}

static void back_off(struct role_thread *t, int64_t *wait_ms)
{
    int64_t until_ms = clock_mono_ms() + *wait_ms;

    while (!atomic_load(&t->stop) && clock_mono_ms() < until_ms)
        clock_sleep_ms(BACK_OFF_MIN_MS);
    *wait_ms = *wait_ms * 2 < BACK_OFF_MAX_MS ? *wait_ms * 2 : BACK_OFF_MAX_MS;
}

/* False: the role has ended. */
static bool open_role(struct role_thread *t, void **state, int64_t *wait_ms)
{
    struct err err = {0};
    enum err_code code = t->class->open(&t->context, state, &err);

    if (code == ERR_NONE) {
        *wait_ms = BACK_OFF_MIN_MS;
        return true;
    }
    *state = NULL;
    if (needs_person(code)) {
        fail(t, &err);
        return false;
    }
    readiness_set(t->class->name, false, err.text);
    say(t, &err);
    back_off(t, wait_ms);
    return true;
}

static bool poll_role(struct role_thread *t, void **state)
{
    struct err err = {0};
    bool again = false;
    enum err_code code = t->class->poll(*state, &again, &err);

    if (code == ERR_CONFIG) {
        fail(t, &err);
        return false;
    }
    if (code != ERR_NONE)
        say(t, &err);
    if (again) {
        t->class->close(*state);
        *state = NULL;
    }
    return true;
}

static void *run_thread(void *argument)
{
    struct role_thread *t = argument;
    int64_t wait_ms = BACK_OFF_MIN_MS;
    void *state = NULL;
    bool going = true;

    while (going && !atomic_load(&t->stop))
        going = state == NULL ? open_role(t, &state, &wait_ms) : poll_role(t, &state);
    if (state != NULL)
        t->class->close(state);
    return NULL;
}

/* --- all of them ------------------------------------------------------------------------------------- */

static enum err_code start_thread(struct roles *roles, const struct role_class *class, int index,
                                  int count, const struct conf *conf, struct err *err)
{
    struct role_thread *t = ARENA_NEW(roles->arena, struct role_thread);

    CHECK(roles->thread_count < THREADS_MAX);
    t->class = class;
    t->roles = roles;
    t->context = (struct role_context){.conf = conf,
                                       .rules = roles->rules,
                                       .geo = roles->geo,
                                       .arena = arena_new(0),
                                       .thread = index,
                                       .threads = count};
    if (pthread_create(&t->thread, NULL, run_thread, t) != 0) {
        arena_free(t->context.arena);
        return err_set(err, ERR_DOWN, "%s: the system gives no thread", class->name);
    }
    roles->threads[roles->thread_count++] = t;
    return ERR_NONE;
}

/* Here, not when ingest opens: that happens again when other rules are activated. */
static enum err_code open_geo(struct roles *roles, const struct conf *conf, unsigned set,
                              struct err *err)
{
    struct str path = conf_text(conf, "geo.database");
    enum err_code code;

    if (path.len == 0 || (set & 1u << ROLE_INGEST) == 0)
        return ERR_NONE;
    code = geoip_open(path.data, &roles->geo, err);
    if (code != ERR_NONE)
        err_prefix(err, "geo.database");
    return code;
}

enum err_code roles_start(const struct conf *conf, unsigned set, struct roles **out,
                          struct err *err)
{
    struct roles *roles = MEM_NEW(struct roles);
    enum err_code code;

    *out = NULL;
    roles->arena = arena_new(0);
    roles->kafka = config_kafka(conf, "rules", roles->arena);
    roles->rules = rules_topic_open(&roles->kafka, config_topics(conf, roles->arena).rules);
    pthread_mutex_init(&roles->lock, NULL);
    code = open_geo(roles, conf, set, err);
    for (int i = 0; i < ROLE_COUNT && code == ERR_NONE; i++) {
        int count = (set & 1u << i) == 0          ? 0
                    : classes[i]->threads == NULL ? 1
                                                  : classes[i]->threads(conf);
        if (count != 0)
            readiness_set(classes[i]->name, false, "starting");
        for (int n = 0; n < count && code == ERR_NONE; n++)
            code = start_thread(roles, classes[i], n, count, conf, err);
    }
    if (code == ERR_NONE && set != 1u << ROLE_CONSOLE)
        code = start_thread(roles, &role_kafka, 0, 1, conf, err);
    if (code == ERR_NONE && (set & NEED_REDIS) != 0)
        code = start_thread(roles, &role_redis, 0, 1, conf, err);
    if (code != ERR_NONE) {
        roles_stop(roles);
        return code;
    }
    *out = roles;
    return ERR_NONE;
}

bool roles_failed(struct roles *roles, struct err *err)
{
    bool failed;

    pthread_mutex_lock(&roles->lock);
    failed = roles->failed;
    if (failed)
        *err = roles->failure;
    pthread_mutex_unlock(&roles->lock);
    return failed;
}

void roles_stop(struct roles *roles)
{
    if (roles == NULL)
        return;
    for (size_t i = 0; i < roles->thread_count; i++)
        atomic_store(&roles->threads[i]->stop, true);
    for (size_t i = 0; i < roles->thread_count; i++) {
        pthread_join(roles->threads[i]->thread, NULL);
        arena_free(roles->threads[i]->context.arena);
    }
    geoip_close(roles->geo);
    rules_topic_close(roles->rules);
    pthread_mutex_destroy(&roles->lock);
    arena_free(roles->arena);
    mem_free(roles);
}
