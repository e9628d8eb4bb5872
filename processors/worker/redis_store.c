/* Claim and commit are scripts; load and due are transactions of plain reads (MULTI ... EXEC), which
 * cost half of what the same reads cost inside a script.  In all of them token and commit number
 * are read in the same atomic step.
 */
#include "processors/worker/redis_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/redis/scan.h"
#include "core/check.h"
#include "core/mem.h"
#include "processors/worker/redis_copy.h"
#include "processors/worker/redis_store_parts.h"

enum {
    LOAD_KEYS_MAX = 4000, /* keys of one MGET: Redis serves others in between */
    NUMBER_SIZE = 24,
};

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
    char copy[NUMBER_SIZE];

    snprintf(copy, sizeof copy, "%.*s", STR_ARG(text));
    return strtoull(copy, NULL, 10);
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

/* The pair {token, commit} of a transaction's HMGET. */
static enum store_result check_owner(const struct redis_reply *pair, const char *token,
                                     uint64_t commit, struct err *err)
{
    struct str now;

    if (!redis_is_list(pair, 2))
        return redis_trouble(NULL, "token", err);
    now = redis_reply_text(redis_reply_at(pair, 1));
    if (!str_is(redis_reply_text(redis_reply_at(pair, 0)), token)) {
        err_set(err, ERR_FENCED, "another process owns the partition");
        return STORE_FENCED;
    }
    if (now.len == 0 ? commit == 0 : redis_number_of(now) == commit)
        return STORE_DONE;
    err_set(err, ERR_FENCED, "the state is at commit %.*s, not %" PRIu64, STR_ARG(now), commit);
    return STORE_GAP;
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

static struct str keep(struct arena *arena, const struct redis_reply *reply)
{
    struct str text = redis_reply_text(reply);

    return text.len > 0 ? arena_str(arena, text) : STR_EMPTY;
}

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
    out->meta = keep(arena, redis_reply_at(reply, 2));
    out->own = keep(arena, redis_reply_at(reply, 3));
    out->left = redis_reply_text(redis_reply_at(reply, 4)).len != 0;
    out->note = keep(arena, redis_reply_at(reply, 5));
    out->before = keep(arena, redis_reply_at(reply, 6));
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

/* --- reads in a transaction ---------------------------------------------------------------------- */

static void send_read(struct redis_link *link, struct str meta_key, const struct str *args,
                      size_t count)
{
    const struct str multi[] = {STR("MULTI")}, exec[] = {STR("EXEC")};
    const struct str owner[] = {STR("HMGET"), meta_key, STR("token"), STR("commit")};

    redis_link_send(link, multi, 1);
    redis_link_send(link, owner, 4);
    redis_link_send(link, args, count);
    redis_link_send(link, exec, 1);
}

/* MULTI, the owner, one command, EXEC: three acknowledgements, then {owner, result}.  *out is that,
 * or the error that came first: a cluster refuses what is to be queued. */
static enum err_code receive_exec(struct redis_link *link, struct redis_reply **out,
                                  struct err *err)
{
    struct redis_reply *reply;
    bool wrong;

    *out = NULL;
    for (int i = 0; i < 4; i++) {
        if (redis_link_receive(link, &reply, err) != ERR_NONE) {
            redis_reply_free(*out);
            *out = NULL;
            return ERR_DOWN;
        }
        wrong = redis_reply_kind(reply) == REDIS_ERROR;
        if (*out == NULL && (wrong || i == 3))
            *out = reply;
        else
            redis_reply_free(reply);
    }
    return ERR_NONE;
}

/* Send it and take its reply, with those of the commits before it. */
static enum err_code read_once(struct redis_store *s, struct str meta_key, const struct str *args,
                               size_t count, struct redis_link **link, struct redis_reply **out,
                               struct err *err)
{
    enum err_code code = redis_commits_connect(s, meta_key, link, err);
    size_t before;

    *out = NULL;
    if (code != ERR_NONE)
        return code;
    before = redis_commits_waiting(s, *link);
    send_read(*link, meta_key, args, count);
    while (before-- > 0 && code == ERR_NONE)
        code = redis_commits_take(s, *link, err);
    return code == ERR_NONE ? receive_exec(*link, out, err) : code;
}

static enum store_result check_read(const struct redis_reply *reply, const char *token,
                                    uint64_t commit, struct err *err)
{
    if (!redis_is_list(reply, 2))
        return redis_trouble(reply, "read", err);
    return check_owner(redis_reply_at(reply, 0), token, commit, err);
}

/* One read behind all that was sent before.  A commit that was not taken there (an unknown script, a
 * slot on the move) is sent again behind the read, which therefore was too early: once more. */
static enum store_result read_as_owner(struct redis_store *s, const char *step, int32_t partition,
                                       const char *token, uint64_t commit, const struct str *args,
                                       size_t count, struct redis_reply **out, struct err *err)
{
    struct str meta_key = redis_key(s->arena, step, partition, "meta");
    struct redis_tries tries = {0};
    enum redis_meaning meaning;
    enum store_result result;
    const struct commit *mine;
    struct redis_link *link;

    do {
        if (read_once(s, meta_key, args, count, &link, out, err) != ERR_NONE)
            return STORE_DOWN;
        result = check_read(*out, token, commit, err);
        if (result == STORE_DONE)
            return STORE_DONE;
        meaning = redis_hear(s->redis, link, *out);
        mine = redis_commit_find(s, step, partition);
        if (result == STORE_GAP && mine != NULL && !mine->answered)
            meaning = mine->turned_away > 1 ? REDIS_NOT_YET : REDIS_ELSEWHERE;
        redis_reply_free(*out);
        *out = NULL;
    } while (redis_again(&tries, meaning));
    return result == STORE_GAP && meaning != REDIS_ANSWER ? STORE_DOWN : result;
}

static enum store_result load_some(struct redis_store *s, const char *step, int32_t partition,
                                   const char *token, uint64_t commit, struct arena *arena,
                                   struct store_subject *subjects, size_t count, struct err *err)
{
    struct str *args, prefix;
    struct redis_reply *reply;
    enum store_result result;

    arena_reset(s->arena);
    args = ARENA_ARRAY(s->arena, struct str, count + 1);
    prefix = redis_key(s->arena, step, partition, "s:");
    args[0] = STR("MGET");
    for (size_t i = 0; i < count; i++)
        args[i + 1] = redis_subject_key(s->arena, prefix, subjects[i].subject);
    result = read_as_owner(s, step, partition, token, commit, args, count + 1, &reply, err);
    if (result == STORE_DONE && !redis_is_list(redis_reply_at(reply, 1), count))
        result = redis_trouble(redis_reply_at(reply, 1), "load", err);
    for (size_t i = 0; i < count && result == STORE_DONE; i++)
        subjects[i].blob = keep(arena, redis_reply_at(redis_reply_at(reply, 1), i));
    redis_reply_free(reply);
    return result;
}

static enum store_result redis_load(struct store *store, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct arena *arena,
                                    struct store_subject *subjects, size_t count, struct err *err)
{
    enum store_result result = STORE_DONE;

    for (size_t at = 0, n; at < count && result == STORE_DONE; at += n) {
        n = count - at < LOAD_KEYS_MAX ? count - at : LOAD_KEYS_MAX;
        result = load_some(redis_store_of(store), step, partition, token, commit, arena,
                           subjects + at, n, err);
    }
    return result;
}

/* --- timers ------------------------------------------------------------------------------------- */

struct due_search { /* what lies behind an edge */
    int64_t due_ms;
    struct str after;
    struct store_subject *found; /* room for one more than asked for: it says that there is more */
    size_t count, room;
};

static struct str due_key(struct arena *arena, const char *step, int32_t partition,
                          struct store_lane lane)
{
    if (!lane.of_lane)
        return redis_key(arena, step, partition, "due");
    return arena_format(arena, "{%s:%d}:due:%" PRIu32, step, partition, lane.id);
}

/* One page of those that are due at from_ms or later. */
static enum store_result read_due(struct redis_store *s, const char *step, int32_t partition,
                                  const char *token, uint64_t commit, struct store_lane lane,
                                  int64_t from_ms, size_t skip, size_t max,
                                  struct redis_reply **out, struct err *err)
{
    arena_reset(s->arena);
    const struct str args[] = {
        STR("ZRANGEBYSCORE"),
        due_key(s->arena, step, partition, lane),
        from_ms < -REDIS_DUE_MAX_MS ? STR("-inf") : arena_format(s->arena, "%" PRId64, from_ms),
        STR("+inf"),
        STR("WITHSCORES"),
        STR("LIMIT"),
        redis_number(s->arena, skip),
        redis_number(s->arena, max)};

    return read_as_owner(s, step, partition, token, commit, args, 8, out, err);
}

/* Pairs (subject, score), in order. */
static void take_due(struct due_search *search, const struct redis_reply *pairs,
                     struct arena *arena)
{
    for (size_t i = 0; i + 1 < redis_reply_count(pairs) && search->count < search->room; i += 2) {
        struct str subject = redis_reply_text(redis_reply_at(pairs, i));
        struct str score = redis_reply_text(redis_reply_at(pairs, i + 1));
        int64_t due_ms = (int64_t)strtod(score.data, NULL);

        if (due_ms == search->due_ms && str_compare(subject, search->after) <= 0)
            continue;
        search->found[search->count++] =
            (struct store_subject){.subject = arena_str(arena, subject), .due_ms = due_ms};
    }
}

static enum store_result redis_due(struct store *store, const char *step, int32_t partition,
                                   const char *token, uint64_t commit, struct store_lane lane,
                                   int64_t due_ms, struct str after, size_t max,
                                   struct arena *arena, struct store_subject **out, size_t *count,
                                   bool *more, struct err *err)
{
    struct redis_store *s = redis_store_of(store);
    struct due_search search = {due_ms, after, NULL, 0, max + 1};
    enum store_result result = STORE_DONE;
    struct redis_reply *reply;
    bool end = false;

    search.found = ARENA_ARRAY(arena, struct store_subject, max + 1);
    /* those that are due with the edge and stand before it are skipped here, not by Redis */
    for (size_t skip = 0; !end && search.count <= max; skip += max + 1) {
        result =
            read_due(s, step, partition, token, commit, lane, due_ms, skip, max + 1, &reply, err);
        if (result != STORE_DONE)
            return result;
        take_due(&search, redis_reply_at(reply, 1), arena);
        end = redis_reply_count(redis_reply_at(reply, 1)) < 2 * (max + 1);
        redis_reply_free(reply);
    }
    *out = search.found;
    *more = search.count > max;
    *count = *more ? max : search.count;
    return STORE_DONE;
}

static int redis_store_fd(const struct store *store)
{
    return redis_fd(((const struct redis_store *)store)->redis);
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
        *out = keep(arena, reply);
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
