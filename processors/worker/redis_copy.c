/* A partition as it was at one moment, read while commits go on.
 *
 * To copy is to walk, and while one walks, commits overwrite what was not seen yet.  So a copy begins
 * with a mark, the hash {STEP:N}:before (and a field of meta, so that other commits need not look for
 * it), and while that is there a commit keeps there what it overwrites, once for each subject
 * (redis_commit.c).  The walk may then see old and new mixed:
 * what stands in `before` wins, and is the state of the moment at which the mark was set.
 *
 *      mark at commit 7     commit 8: a      walk: a' b c     commit 9: b    before: a b
 *                           keeps a                           keeps b        copy:   a b c
 *
 * So one pass is enough under any load.  The mark has a time to live, which the walk renews: who dies
 * in the middle leaves nothing behind.
 */
#include "processors/worker/redis_copy.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/redis/scan.h"
#include "core/clock.h"
#include "core/mem.h"
#include "core/rng.h"
#include "processors/worker/redis_store_parts.h"

enum {
    MARK_MS = 60000, /* longer than a page of a slow Redis */
    RENEW_MS = 5000,
};

static const char begin_text[] =
    "if redis.call('EXISTS', KEYS[2]) == 1 then return {'BUSY', '', '', ''} end\n"
    "local m = redis.call('HMGET', KEYS[1], 'identity', 'commit', 'meta')\n"
    "if (m[2] or '0') == '0' then return {'NONE', '', '', ''} end\n"
    "redis.call('HSET', KEYS[2], 'copy', ARGV[1])\n"
    "redis.call('PEXPIRE', KEYS[2], ARGV[2])\n"
    "redis.call('HSET', KEYS[1], 'copying', ARGV[1])\n"
    "return {'DONE', m[1] or '', m[2], m[3] or ''}\n";

static const char end_text[] =
    "if redis.call('HGET', KEYS[2], 'copy') ~= ARGV[1] then return {'GAP', ''} end\n"
    "redis.call('UNLINK', KEYS[2])\n"
    "redis.call('HDEL', KEYS[1], 'copying')\n"
    "return {'DONE', ''}\n";

void redis_copy_id(char id[HASH128_HEX_SIZE])
{
    struct hash128 random;

    rng_system(&random, sizeof random);
    hash128_hex(random, id);
}

static struct str kept(struct arena *arena, const struct redis_reply *reply, size_t index)
{
    struct str text = redis_reply_text(redis_reply_at(reply, index));

    return text.len > 0 ? arena_str(arena, text) : STR_EMPTY;
}

enum store_result redis_copy_run(struct redis_store *s, const char *text, const struct str *args,
                                 size_t keys, size_t count, struct redis_reply **out,
                                 struct err *err)
{
    struct redis_script script = {.text = text};

    *out = NULL;
    if (redis_script_learn(s->redis, &script, err) != ERR_NONE ||
        redis_script_run(s->redis, &script, args, keys, count, out, err) != ERR_NONE)
        return STORE_DOWN;
    if (redis_reply_kind(*out) == REDIS_LIST && redis_reply_count(*out) >= 2)
        return STORE_DONE;
    redis_trouble(*out, "copy", err);
    redis_reply_free(*out);
    *out = NULL;
    return STORE_DOWN;
}

/* --- copy: the mark ---------------------------------------------------------------------------- */

struct found { /* a subject as the walk, or a commit before it, has left it */
    struct store_subject subject;
    bool before;
};

struct copying {
    struct redis_store *s;
    const char *step;
    int32_t partition;
    struct str mark; /* key */
    char id[HASH128_HEX_SIZE];
    int64_t renew_mono_ms;
    struct arena *arena; /* the caller's: what is found lives there */
    struct found *found;
    size_t count, capacity;
};

static enum store_result begin(struct copying *c, struct store_copy *out, struct err *err)
{
    struct str args[4] = {redis_key(c->arena, c->step, c->partition, "meta"), c->mark,
                          str_of(c->id), redis_number(c->arena, MARK_MS)};
    struct redis_reply *reply;
    enum store_result result = redis_copy_run(c->s, begin_text, args, 2, 4, &reply, err);

    if (result != STORE_DONE)
        return result;
    if (str_is(redis_reply_text(redis_reply_at(reply, 0)), "BUSY")) {
        err_set(err, ERR_STATE,
                "somebody else copies %s/%d at this moment (what was broken off is forgotten after "
                "a minute)",
                c->step, c->partition);
        result = STORE_GAP;
    } else if (str_is(redis_reply_text(redis_reply_at(reply, 0)), "DONE")) {
        out->identity = kept(c->arena, reply, 1);
        out->commit = redis_number_of(redis_reply_text(redis_reply_at(reply, 2)));
        out->meta = kept(c->arena, reply, 3);
    }
    redis_reply_free(reply);
    c->renew_mono_ms = clock_mono_ms() + RENEW_MS;
    return result;
}

static enum err_code renew(struct copying *c, struct err *err)
{
    char span[16];
    const struct str args[] = {STR("PEXPIRE"), c->mark, {span, 0}};
    struct str all[3] = {args[0], args[1], args[2]};
    struct redis_reply *reply;
    enum err_code code;

    if (clock_mono_ms() < c->renew_mono_ms)
        return ERR_NONE;
    all[2].len = (size_t)snprintf(span, sizeof span, "%d", MARK_MS);
    code = redis_command(c->s->redis, all, 3, &reply, err);
    if (code == ERR_NONE)
        redis_reply_free(reply);
    c->renew_mono_ms = clock_mono_ms() + RENEW_MS;
    return code;
}

/* It was there all the time: what was overwritten is in it, and nobody needs it any more. */
static enum store_result end(struct copying *c, struct err *err)
{
    struct str args[3] = {redis_key(c->arena, c->step, c->partition, "meta"), c->mark,
                          str_of(c->id)};
    struct redis_reply *reply;
    enum store_result result = redis_copy_run(c->s, end_text, args, 2, 3, &reply, err);

    if (result == STORE_DONE && !str_is(redis_reply_text(redis_reply_at(reply, 0)), "DONE")) {
        err_set(err, ERR_STATE, "%s/%d: it took too long to copy", c->step, c->partition);
        result = STORE_GAP;
    }
    redis_reply_free(reply);
    return result;
}

/* --- copy: the walk ------------------------------------------------------------------------------- */

static void add_found(struct copying *c, struct str subject, struct str blob, bool before)
{
    MEM_RESERVE(c->found, c->count, c->capacity);
    c->found[c->count++] =
        (struct found){{.subject = subject.len > 0 ? arena_str(c->arena, subject) : STR_EMPTY,
                        .blob = blob.len > 0 ? arena_str(c->arena, blob) : STR_EMPTY},
                       before};
}

static enum err_code add_walked(void *context, struct str name, struct str value, struct err *err)
{
    struct copying *c = context;

    add_found(c, name, value, false);
    return renew(c, err);
}

static enum store_result walk(struct copying *c, struct err *err)
{
    const struct redis_walk all = {redis_key(c->arena, c->step, c->partition, "s:"), c, add_walked};

    return redis_walk(c->s->redis, &all, err) == ERR_NONE ? STORE_DONE : STORE_DOWN;
}

/* A page of what commits have overwritten: fields s:SUBJECT. */
static void add_overwritten(struct copying *c, const struct redis_reply *pairs)
{
    for (size_t i = 0; i + 1 < redis_reply_count(pairs); i += 2) {
        struct str field = redis_reply_text(redis_reply_at(pairs, i));

        if (str_starts(field, STR("s:")))
            add_found(c, str_slice(field, 2, field.len),
                      redis_reply_text(redis_reply_at(pairs, i + 1)), true);
    }
}

/* What is added behind this look was overwritten after the walk, which has therefore seen it. */
static enum store_result read_overwritten(struct copying *c, struct err *err)
{
    char cursor[24] = "0";
    struct redis_reply *reply;

    do {
        const struct str args[] = {STR("HSCAN"), c->mark, str_of(cursor), STR("COUNT"),
                                   STR("1000")};

        if (redis_command(c->s->redis, args, 5, &reply, err) != ERR_NONE)
            return STORE_DOWN;
        if (!redis_is_list(reply, 2)) {
            redis_trouble(reply, "copy", err);
            redis_reply_free(reply);
            return STORE_DOWN;
        }
        snprintf(cursor, sizeof cursor, "%.*s",
                 STR_ARG(redis_reply_text(redis_reply_at(reply, 0))));
        add_overwritten(c, redis_reply_at(reply, 1));
        redis_reply_free(reply);
        if (renew(c, err) != ERR_NONE)
            return STORE_DOWN;
    } while (strcmp(cursor, "0") != 0);
    return STORE_DONE;
}

static int by_subject(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    int order = str_compare(x->subject.subject, y->subject.subject);

    return order != 0 ? order : (int)y->before - (int)x->before;
}

/* Of each subject the first: what a commit has kept comes before what the walk saw. */
static void settle(struct copying *c, struct store_copy *out)
{
    if (c->count > 0)
        qsort(c->found, c->count, sizeof *c->found, by_subject);
    out->subjects = ARENA_ARRAY(c->arena, struct store_subject, c->count);
    for (size_t i = 0; i < c->count; i++) {
        const struct store_subject *subject = &c->found[i].subject;

        if (i > 0 && str_equal(subject->subject, c->found[i - 1].subject.subject))
            continue;
        if (subject->blob.len > 0)
            out->subjects[out->count++] = *subject;
    }
}

enum store_result redis_copy(struct store *store, const char *step, int32_t partition,
                             struct arena *arena, struct store_copy *out, struct err *err)
{
    struct copying c = {
        .s = redis_store_of(store), .step = step, .partition = partition, .arena = arena};
    enum store_result result;

    *out = (struct store_copy){0};
    redis_commits_take_all(c.s);
    redis_copy_id(c.id);
    c.mark = redis_key(arena, step, partition, "before");
    result = begin(&c, out, err);
    if (result == STORE_DONE && out->commit != 0) {
        result = walk(&c, err);
        if (result == STORE_DONE)
            result = read_overwritten(&c, err);
        if (result == STORE_DONE)
            result = end(&c, err);
        else
            end(&c, NULL);
        if (result == STORE_DONE)
            settle(&c, out);
    }
    mem_free(c.found);
    return result;
}

enum store_result redis_commit_number(struct store *store, const char *step, int32_t partition,
                                      uint64_t *out, struct err *err)
{
    struct redis_store *s = redis_store_of(store);
    struct arena *arena = arena_new(0);
    const struct str args[] = {STR("HGET"), redis_key(arena, step, partition, "meta"),
                               STR("commit")};
    struct redis_reply *reply;
    enum store_result result = STORE_DOWN;

    *out = 0;
    redis_commits_take_all(s);
    if (redis_command(s->redis, args, 3, &reply, err) == ERR_NONE) {
        *out = redis_number_of(redis_reply_text(reply));
        result = redis_reply_kind(reply) == REDIS_ERROR ? redis_trouble(reply, "commit", err)
                                                        : STORE_DONE;
        redis_reply_free(reply);
    }
    arena_free(arena);
    return result;
}
