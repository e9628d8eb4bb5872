/* Claim, mark and commit (redis_commit.c) are scripts, load and due (redis_read.c) transactions of plain
 * reads.  In all of them token and commit number are read in the same atomic step.
 */
#include "processors/worker/redis_store.h"

#include <inttypes.h>
#include <string.h>

#include "connectors/redis/scan.h"
#include "core/check.h"
#include "core/mem.h"
#include "processors/worker/redis_copy.h"
#include "processors/worker/redis_store_parts.h"

/* An identity counts once something has been committed under it. */
static const char claim_text[] =
    "local m = redis.call('HMGET', KEYS[1], 'identity', 'commit', 'meta', 'left', 'note', 'token')\n"
    "local own = redis.call('GET', KEYS[2])\n"
    "if m[1] and m[2] and m[1] ~= ARGV[2] then return {'REFUSED', m[1]} end\n"
    "redis.call('HSET', KEYS[1], 'token', ARGV[1], 'identity', ARGV[2], 'left', '')\n"
    "return {'DONE', m[2] or '', m[3] or '', own or '', m[4] or '', m[5] or '', m[6] or ''}\n";

/* A field of meta that is the owner's alone. */
static const char mark_text[] =
    "if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 'FENCED' end\n"
    "redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])\n"
    "return 'DONE'\n";

struct redis_store *redis_store_of(struct store *s)
{
    return (struct redis_store *)s;
}

/* --- words ---------------------------------------------------------------------------------- */

struct str redis_key(struct arena *arena, const char *step, int32_t partition, const char *kind)
{
    return arena_format(arena, "{%s:%d}:%s", step, partition, kind);
}

struct str redis_subject_key(struct arena *arena, struct str prefix, struct str subject)
{
    char *text = arena_alloc_raw(arena, prefix.len + subject.len);

    memcpy(text, prefix.data, prefix.len);
    if (subject.len > 0)
        memcpy(text + prefix.len, subject.data, subject.len);
    return (struct str){text, prefix.len + subject.len};
}

struct str redis_number(struct arena *arena, uint64_t number)
{
    return arena_format(arena, "%" PRIu64, number);
}

uint64_t redis_number_of(struct str text)
{
    uint64_t number;

    str_read_number(text, &number);
    return number;
}

/* Wrong type, out of memory, read-only replica, no permission: not our state's fault, and it may
 * pass. */
enum store_result redis_trouble(const struct redis_reply *reply, const char *what, struct err *err)
{
    struct str text = reply != NULL ? redis_reply_text(reply) : STR_EMPTY;

    err_set(err, ERR_REDIS, "Redis: %s: %.*s", what,
            STR_ARG(text.len > 0 ? text : STR("an answer that makes no sense")));
    return STORE_DOWN;
}

bool redis_is_list(const struct redis_reply *reply, size_t count)
{
    return reply != NULL && redis_reply_kind(reply) == REDIS_LIST &&
           redis_reply_count(reply) == count;
}

struct str redis_keep(struct arena *arena, const struct redis_reply *reply)
{
    struct str text = redis_reply_text(reply);

    return text.len > 0 ? arena_str(arena, text) : STR_EMPTY;
}

/* --- one question --------------------------------------------------------------------------- */

/* How it is sent; whole: the server does not know the script. */
typedef void send_question(struct redis_store *s, struct redis_link *link, const struct str *args,
                           size_t count, bool whole);

static void send_command(struct redis_store *s, struct redis_link *link, const struct str *args,
                         size_t count, bool whole)
{
    (void)s;
    (void)whole;
    redis_link_send(link, args, count);
}

/* Behind the commits that are on their way there, whose answers are taken. */
static enum err_code ask(struct redis_store *s, struct str key, send_question *send,
                         const struct str *args, size_t count, struct redis_reply **out,
                         struct err *err)
{
    struct redis_tries tries = {0};
    struct redis_link *link;
    bool whole = false, again;

    do {
        enum err_code code = redis_commits_connect(s, key, &link, err);

        *out = NULL;
        if (code != ERR_NONE)
            return code;
        redis_commits_take_link(s, link);
        send(s, link, args, count, whole);
        code = redis_link_receive(link, out, err);
        if (code != ERR_NONE)
            return code;
        again = redis_again(&tries, redis_hear(s->redis, link, *out));
        if (!again && !whole && redis_reply_is_no_script(*out))
            again = whole = true;
        if (again)
            redis_reply_free(*out);
    } while (again);
    return ERR_NONE;
}

/* --- claim ---------------------------------------------------------------------------------- */

static enum store_result read_claim(const struct redis_reply *reply, struct str identity,
                                    struct arena *arena, struct store_claim *out, struct err *err)
{
    if (redis_is_list(reply, 2)) {
        err_set(err, ERR_STATE,
                "the state in Redis belongs to %.*s, not to %.*s: put the configuration right "
                "(another number of partitions: attent repartition)",
                STR_ARG(redis_reply_text(redis_reply_at(reply, 1))), STR_ARG(identity));
        return STORE_REFUSED;
    }
    if (!redis_is_list(reply, 7))
        return redis_trouble(reply, "claim", err);
    out->fresh = redis_reply_text(redis_reply_at(reply, 1)).len == 0;
    out->commit = out->fresh ? 0 : redis_number_of(redis_reply_text(redis_reply_at(reply, 1)));
    out->meta = redis_keep(arena, redis_reply_at(reply, 2));
    out->own = redis_keep(arena, redis_reply_at(reply, 3));
    out->left = redis_reply_text(redis_reply_at(reply, 4)).len != 0;
    out->note = redis_keep(arena, redis_reply_at(reply, 5));
    out->before = redis_keep(arena, redis_reply_at(reply, 6));
    return STORE_DONE;
}

static void send_claim(struct redis_store *s, struct redis_link *link, const struct str *args,
                       size_t count, bool whole)
{
    redis_script_send(link, &s->claim, args, 2, count, whole);
}

static enum store_result redis_claim(struct store *store, const char *step, int32_t partition,
                                     const char *token, struct str identity, struct arena *arena,
                                     struct store_claim *out, struct err *err)
{
    struct redis_store *s = redis_store_of(store);
    struct redis_reply *reply;
    struct str args[4];
    enum store_result result;

    *out = (struct store_claim){0};
    arena_reset(s->arena);
    args[0] = redis_key(s->arena, step, partition, "meta");
    args[1] = redis_key(s->arena, step, partition, "s:");
    args[2] = str_of(token);
    args[3] = identity;
    if (ask(s, args[0], send_claim, args, 4, &reply, err) != ERR_NONE)
        return STORE_DOWN;
    result = read_claim(reply, identity, arena, out, err);
    redis_reply_free(reply);
    return result;
}

/* --- marks --------------------------------------------------------------------------------------- */

static void send_mark(struct redis_store *s, struct redis_link *link, const struct str *args,
                      size_t count, bool whole)
{
    redis_script_send(link, &s->mark, args, 1, count, whole);
}

static enum store_result mark(struct store *store, const char *step, int32_t partition,
                              const char *token, const char *field, struct str text,
                              struct err *err)
{
    struct redis_store *s = redis_store_of(store);
    struct redis_reply *reply;
    struct str args[4], answer;
    enum store_result result = STORE_DONE;

    arena_reset(s->arena);
    args[0] = redis_key(s->arena, step, partition, "meta");
    args[1] = str_of(token);
    args[2] = str_of(field);
    args[3] = text;
    if (ask(s, args[0], send_mark, args, 4, &reply, err) != ERR_NONE)
        return STORE_DOWN;
    answer = redis_reply_text(reply);
    if (str_is(answer, "FENCED")) {
        err_set(err, ERR_FENCED, "another process owns the partition");
        result = STORE_FENCED;
    } else if (!str_is(answer, "DONE")) {
        result = redis_trouble(reply, "note", err);
    }
    redis_reply_free(reply);
    return result;
}

static enum store_result redis_note(struct store *store, const char *step, int32_t partition,
                                    const char *token, struct str text, struct err *err)
{
    return mark(store, step, partition, token, "note", text, err);
}

static enum store_result redis_leave(struct store *store, const char *step, int32_t partition,
                                     const char *token, struct err *err)
{
    return mark(store, step, partition, token, "left", STR("yes"), err);
}

/* --- of others -------------------------------------------------------------------------------- */

static enum store_result redis_meta(struct store *store, const char *step, int32_t partition,
                                    struct arena *arena, struct str *out, struct err *err)
{
    struct redis_store *s = redis_store_of(store);
    const struct str args[] = {STR("HGET"), redis_key(arena, step, partition, "meta"), STR("meta")};
    struct redis_reply *reply;
    enum redis_kind kind;

    *out = STR_EMPTY;
    if (ask(s, args[1], send_command, args, 3, &reply, err) != ERR_NONE)
        return STORE_DOWN;
    kind = redis_reply_kind(reply);
    if (kind == REDIS_TEXT)
        *out = redis_keep(arena, reply);
    redis_reply_free(reply);
    return kind == REDIS_TEXT || kind == REDIS_NIL ? STORE_DONE : redis_trouble(NULL, "meta", err);
}

/* --- all subjects ----------------------------------------------------------------------------- */

static enum store_result redis_list(struct store *store, const char *step, int32_t partition,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    struct err *err)
{
    struct str prefix = redis_key(arena, step, partition, "s:");
    struct redis_pair *pairs;

    redis_commits_take_all(redis_store_of(store));
    if (redis_scan(redis_store_of(store)->redis, prefix, arena, &pairs, count, err) != ERR_NONE)
        return STORE_DOWN;
    *out = ARENA_ARRAY(arena, struct store_subject, *count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct store_subject){.subject = pairs[i].name, .blob = pairs[i].value};
    return STORE_DONE;
}

/* --- open and close ----------------------------------------------------------------------------- */

static void redis_store_close(struct store *store)
{
    struct redis_store *s = redis_store_of(store);

    if (s == NULL)
        return;
    redis_close(s->redis);
    for (size_t i = 0; i < s->commit_count; i++)
        mem_free(s->commits[i].step);
    mem_free(s->commits);
    arena_free(s->arena);
    arena_free(s->commit_arena);
    arena_free(s->key_arena);
    mem_free(s);
}

static int redis_store_fd(const struct store *store)
{
    return redis_fd(((const struct redis_store *)store)->redis);
}

static bool redis_store_clock(struct store *store, int64_t *at_ms)
{
    struct redis_store *s = redis_store_of(store);
    const struct str args[] = {STR("TIME")};
    struct redis_reply *reply;
    bool told;

    if (ask(s, STR_EMPTY, send_command, args, 1, &reply, NULL) != ERR_NONE)
        return false;
    told = redis_is_list(reply, 2);
    if (told)
        *at_ms = (int64_t)redis_number_of(redis_reply_text(redis_reply_at(reply, 0))) * 1000 +
                 (int64_t)redis_number_of(redis_reply_text(redis_reply_at(reply, 1))) / 1000;
    redis_reply_free(reply);
    return told;
}

static const struct store_class redis_store_class = {
    .close = redis_store_close,
    .claim = redis_claim,
    .load = redis_load,
    .due = redis_due,
    .commit_send = redis_commit_send,
    .commit_ready = redis_commit_ready,
    .commit_wait = redis_commit_wait,
    .commit_drop = redis_commit_drop,
    .fd = redis_store_fd,
    .clock = redis_store_clock,
    .meta = redis_meta,
    .note = redis_note,
    .leave = redis_leave,
    .list = redis_list,
    .copy = redis_copy,
    .commit_number = redis_commit_number,
    .replace = redis_replace,
};

enum err_code redis_store_open(const struct redis_settings *settings, struct store **out,
                               struct err *err)
{
    struct redis_store *s = MEM_NEW(struct redis_store);
    enum err_code code;

    *out = NULL;
    s->store.class = &redis_store_class;
    s->claim.text = claim_text;
    s->commit.text = redis_commit_text;
    s->mark.text = mark_text;
    s->arena = arena_new(0);
    s->commit_arena = arena_new(0);
    s->key_arena = arena_new(0);
    code = redis_open(settings, &s->redis, err);
    if (code == ERR_NONE)
        code = redis_script_learn(s->redis, &s->claim, err);
    if (code == ERR_NONE)
        code = redis_script_learn(s->redis, &s->commit, err);
    if (code == ERR_NONE)
        code = redis_script_learn(s->redis, &s->mark, err);
    if (code != ERR_NONE) {
        redis_store_close(&s->store);
        return code;
    }
    *out = &s->store;
    return ERR_NONE;
}
