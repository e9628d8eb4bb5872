/* Does Redis answer?  Roles ask it only when there is something to commit, so in a quiet hour nobody
 * would say that it is gone. */
#include "connectors/redis/redis.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/readiness.h"
#include "processors/cli/config.h"
#include "processors/cli/role.h"

enum { ASK_MS = 2000 };

struct redis_state {
    struct redis_settings settings;
    struct redis *redis; /* NULL: not connected */
    int64_t next_mono_ms;
};

static void close_redis(void *state)
{
    struct redis_state *s = state;

    redis_close(s->redis);
    mem_free(s);
}

static enum err_code open_redis(const struct role_context *context, void **out, struct err *err)
{
    struct redis_state *s = MEM_NEW(struct redis_state);

    (void)err;
    s->settings = config_redis(context->conf);
    *out = s;
    return ERR_NONE;
}

static enum err_code ask(struct redis_state *s, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (s->redis == NULL)
        code = redis_open(&s->settings, &s->redis, err);
    if (code == ERR_NONE)
        code = redis_check(s->redis, err);
    return code == ERR_CONFIG ? ERR_REDIS : code; /* whose work it is says whether it ends */
}

static enum err_code poll_redis(void *state, bool *again, struct err *err)
{
    struct redis_state *s = state;
    enum err_code code;

    (void)again;
    clock_sleep_ms(ROLE_POLL_MS);
    if (clock_mono_ms() < s->next_mono_ms)
        return ERR_NONE;
    code = ask(s, err);
    s->next_mono_ms = clock_mono_ms() + ASK_MS;
    readiness_set("redis", code == ERR_NONE, code == ERR_NONE ? NULL : err->text);
    return code;
}

const struct role_class role_redis = {
    .name = "redis",
    .open = open_redis,
    .poll = poll_redis,
    .close = close_redis,
};
