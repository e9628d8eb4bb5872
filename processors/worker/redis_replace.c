/* A copy in the place of what is there.
 *
 * The token is taken first, so that the owner cannot commit any more, and the commit number written
 * last; in between the state belongs to nobody (its identity says why). */
#include "processors/worker/redis_copy.h"

#include <inttypes.h>

#include "connectors/redis/scan.h"
#include "core/buf.h"

enum { KEYS_AT_ONCE = 1000, BYTES_AT_ONCE = 4 << 20 };

#define BROKEN_OFF "a restore that was broken off (do it again)"

/* The mark goes as well: whoever copies meanwhile has the states of two moments. */
static const char take_text[] =
    "local there = redis.call('HGET', KEYS[1], 'commit') or '0'\n"
    "if there ~= ARGV[1] then return {'GAP', there} end\n"
    "redis.call('HSET', KEYS[1], 'token', ARGV[2], 'identity', ARGV[3], 'commit', '0')\n"
    "redis.call('HDEL', KEYS[1], 'meta', 'copying')\n"
    "redis.call('UNLINK', KEYS[2])\n"
    "return {'DONE', ''}\n";

static const char give_text[] =
    "local m = redis.call('HMGET', KEYS[1], 'token', 'commit')\n"
    "if m[1] ~= ARGV[1] or m[2] ~= '0' then return {'GAP', m[2] or '0'} end\n"
    "redis.call('HSET', KEYS[1], 'identity', ARGV[2], 'commit', ARGV[3], 'meta', ARGV[4])\n"
    "redis.call('HDEL', KEYS[1], 'token')\n"
    "return {'DONE', ''}\n";

struct replacing {
    struct redis_store *s;
    const char *step;
    int32_t partition;
    char id[HASH128_HEX_SIZE];
    struct arena *arena;
    struct buf gone; /* keys to unlink, each with its length in front */
    size_t gone_count;
};

static enum store_result said(struct redis_reply *reply, const struct replacing *r, struct err *err)
{
    bool done = str_is(redis_reply_text(redis_reply_at(reply, 0)), "DONE");

    if (!done)
        err_set(err, ERR_STATE, "%s/%d has moved to commit %.*s meanwhile", r->step, r->partition,
                STR_ARG(redis_reply_text(redis_reply_at(reply, 1))));
    redis_reply_free(reply);
    return done ? STORE_DONE : STORE_GAP;
}

static enum store_result take_away(struct replacing *r, uint64_t there, struct err *err)
{
    struct str args[5] = {redis_key(r->arena, r->step, r->partition, "meta"),
                          redis_key(r->arena, r->step, r->partition, "before"),
                          redis_number(r->arena, there), str_of(r->id), STR(BROKEN_OFF)};
    struct redis_reply *reply;
    enum store_result result = redis_copy_run(r->s, take_text, args, 2, 5, &reply, err);

    return result == STORE_DONE ? said(reply, r, err) : result;
}

static enum store_result give_back(struct replacing *r, const struct store_copy *copy,
                                   struct err *err)
{
    struct str args[5] = {redis_key(r->arena, r->step, r->partition, "meta"), str_of(r->id),
                          copy->identity, redis_number(r->arena, copy->commit), copy->meta};
    struct redis_reply *reply;
    enum store_result result = redis_copy_run(r->s, give_text, args, 1, 5, &reply, err);

    return result == STORE_DONE ? said(reply, r, err) : result;
}

/* One command whose answer is nothing but an acknowledgement. */
static enum err_code command(struct redis_store *s, const struct str *args, size_t count,
                             struct err *err)
{
    struct redis_reply *reply;
    enum err_code code = redis_command(s->redis, args, count, &reply, err);

    if (code != ERR_NONE)
        return code;
    if (redis_reply_kind(reply) == REDIS_ERROR) {
        redis_trouble(reply, "restore", err);
        code = ERR_REDIS;
    }
    redis_reply_free(reply);
    return code;
}

static enum err_code unlink_gone(struct replacing *r, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct str *args = ARENA_ARRAY(arena, struct str, r->gone_count + 1);
    struct reader reader = reader_of(buf_str(&r->gone));
    enum err_code code = ERR_NONE;

    args[0] = STR("UNLINK");
    for (size_t i = 1; i <= r->gone_count; i++)
        args[i] = reader_bytes(&reader);
    if (r->gone_count > 0)
        code = command(r->s, args, r->gone_count + 1, err);
    buf_clear(&r->gone);
    r->gone_count = 0;
    arena_free(arena);
    return code;
}

static enum err_code note_gone(struct replacing *r, const char *kind, struct str name,
                               struct err *err)
{
    struct str prefix = arena_format(r->arena, "{%s:%d}:%s", r->step, r->partition, kind);

    buf_put_varint(&r->gone, prefix.len + name.len);
    buf_put(&r->gone, prefix);
    buf_put(&r->gone, name);
    return ++r->gone_count < KEYS_AT_ONCE ? ERR_NONE : unlink_gone(r, err);
}

static enum err_code note_state(void *context, struct str name, struct str value, struct err *err)
{
    (void)value;
    return note_gone(context, "s:", name, err);
}

static enum err_code note_order(void *context, struct str name, struct str value, struct err *err)
{
    (void)value;
    return note_gone(context, "due", name, err);
}

static enum err_code forget_all(struct replacing *r, struct err *err)
{
    const struct redis_walk states = {redis_key(r->arena, r->step, r->partition, "s:"), r,
                                      note_state};
    const struct redis_walk orders = {redis_key(r->arena, r->step, r->partition, "due"), r,
                                      note_order};
    enum err_code code = redis_walk(r->s->redis, &states, err);

    if (code == ERR_NONE)
        code = redis_walk(r->s->redis, &orders, err);
    return code == ERR_NONE ? unlink_gone(r, err) : code;
}

static size_t put_wait(struct replacing *r, struct arena *arena, const char *kind, int64_t due_ms,
                       struct str subject)
{
    const struct str args[] = {STR("ZADD"), redis_key(arena, r->step, r->partition, kind),
                               arena_format(arena, "%" PRId64, due_ms), subject};

    redis_send(r->s->redis, args, 4);
    return 1;
}

/* Returns how many commands were sent. */
static size_t put_timers(struct replacing *r, struct arena *arena,
                         const struct store_subject *subject)
{
    size_t sent = 0;

    if (subject->due_changed)
        sent += put_wait(r, arena, "due", subject->due_ms, subject->subject);
    for (size_t i = 0; i < subject->wait_count; i++)
        sent += put_wait(r, arena, arena_format(arena, "due:%" PRIu32, subject->waits[i].lane).data,
                         subject->waits[i].due_ms, subject->subject);
    return sent;
}

static enum err_code receive_all(struct replacing *r, size_t count, struct err *err)
{
    enum err_code code = ERR_NONE;
    struct redis_reply *reply;

    for (; count > 0; count--) {
        enum err_code got = redis_receive(r->s->redis, &reply, code == ERR_NONE ? err : NULL);

        if (got != ERR_NONE)
            return code == ERR_NONE ? got : code;
        if (redis_reply_kind(reply) == REDIS_ERROR && code == ERR_NONE) {
            redis_trouble(reply, "restore", err);
            code = ERR_REDIS;
        }
        redis_reply_free(reply);
    }
    return code;
}

/* As many as go at once: their states in one command, their timers behind it. */
static enum err_code put_some(struct replacing *r, const struct store_subject *subjects,
                              size_t count, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct str *args = ARENA_ARRAY(arena, struct str, 2 * count + 1);
    struct str prefix = redis_key(arena, r->step, r->partition, "s:");
    size_t sent = 1;
    enum err_code code;

    args[0] = STR("MSET");
    for (size_t i = 0; i < count; i++) {
        args[2 * i + 1] = redis_subject_key(arena, prefix, subjects[i].subject);
        args[2 * i + 2] = subjects[i].blob;
    }
    redis_send(r->s->redis, args, 2 * count + 1);
    for (size_t i = 0; i < count; i++)
        sent += put_timers(r, arena, &subjects[i]);
    code = receive_all(r, sent, err);
    arena_free(arena);
    return code;
}

static enum err_code put_all(struct replacing *r, const struct store_subject *subjects,
                             size_t count, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t at = 0, n, bytes; at < count && code == ERR_NONE; at += n) {
        for (n = bytes = 0; at + n < count && n < KEYS_AT_ONCE && bytes < BYTES_AT_ONCE; n++)
            bytes += subjects[at + n].blob.len;
        code = put_some(r, subjects + at, n, err);
    }
    return code;
}

static bool fits(int64_t due_ms)
{
    return due_ms < REDIS_DUE_MAX_MS && due_ms > -REDIS_DUE_MAX_MS;
}

/* With their timers; refused before anything is written. */
static enum store_result read_timers(const struct store_copy *copy, struct arena *arena,
                                     struct store_subject **out, struct err *err)
{
    enum store_result result = STORE_DONE;

    *out = ARENA_ARRAY(arena, struct store_subject, copy->count);
    for (size_t i = 0; i < copy->count && result == STORE_DONE; i++) {
        bool right = true;

        (*out)[i] = copy->subjects[i];
        result = store_timers(&(*out)[i], arena, err);
        if (result != STORE_DONE)
            break;
        right = !(*out)[i].due_changed || fits((*out)[i].due_ms);
        for (size_t k = 0; k < (*out)[i].wait_count; k++)
            right = right && fits((*out)[i].waits[k].due_ms);
        if (!right) {
            err_set(err, ERR_STATE, "a subject of the copy has a timer beyond all time");
            result = STORE_REFUSED;
        }
    }
    return result;
}

enum store_result redis_replace(struct store *store, const char *step, int32_t partition,
                                uint64_t there, const struct store_copy *copy, struct err *err)
{
    struct replacing r = {
        .s = redis_store_of(store), .step = step, .partition = partition, .arena = arena_new(0)};
    struct store_subject *subjects;
    enum store_result result = read_timers(copy, r.arena, &subjects, err);

    redis_copy_id(r.id);
    if (result == STORE_DONE) {
        redis_commits_take_all(r.s);
        result = take_away(&r, there, err);
    }
    if (result == STORE_DONE &&
        (forget_all(&r, err) != ERR_NONE || put_all(&r, subjects, copy->count, err) != ERR_NONE))
        result = STORE_DOWN;
    if (result == STORE_DONE && copy->commit != 0)
        result = give_back(&r, copy, err);
    buf_free(&r.gone);
    arena_free(r.arena);
    return result;
}
