/* Claim and commit are scripts; load and due are transactions of plain reads (MULTI ... EXEC), which
 * cost half of what the same reads cost inside a script.  In all of them token and commit number
 * are read in the same atomic step.
 *
 * A script that fails half-way leaves half a commit behind, so every check, and everything that
 * can fail (a key of a wrong type), comes before the first write.
 *
 * Commits of several partitions are on their way together; their answers come in the order in
 * which they were sent, and whoever waits for one takes the others down for their owners.  When the
 * connection breaks, all that are unanswered are sent again once: one that had landed answers GAP
 * with its own new number.
 */
#include "processors/worker/redis_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/redis/scan.h"
#include "core/check.h"
#include "core/mem.h"

#define NO_TIMER INT64_MAX

enum {
    LOAD_KEYS_MAX = 4000, /* keys of one MGET: Redis serves others in between */
    NUMBER_SIZE = 24,
};

/* A sorted set keeps its scores as doubles: beyond this milliseconds would be rounded. */
static const int64_t DUE_MAX_MS = INT64_C(1) << 53;

/* An identity counts once something has been committed under it. */
static const char claim_text[] =
    "local m = redis.call('HMGET', KEYS[1], 'identity', 'commit', 'meta')\n"
    "local own = redis.call('GET', KEYS[2])\n"
    "if m[1] and m[2] and m[1] ~= ARGV[2] then return {'REFUSED', m[1]} end\n"
    "redis.call('HSET', KEYS[1], 'token', ARGV[1], 'identity', ARGV[2])\n"
    "return {'DONE', m[2] or '', m[3] or '', own or ''}\n";

/* ARGV: token, commit, new commit, meta, bytes before a subject's name in its key; then per
 * subject blob ('' = forget) and due time ('' = as it was, '-' = none); then per timer in a lane
 * that changed the lane, due time ('-' = none) and subject.  MSET and ZADD take many
 * at once; 1000 arguments are well below what Lua can unpack. */
static const char commit_text[] =
    "local m = redis.call('HMGET', KEYS[1], 'token', 'commit')\n"
    "if m[1] ~= ARGV[1] then return {'FENCED', ''} end\n"
    "if (m[2] or '0') ~= ARGV[2] then return {'GAP', m[2] or '0'} end\n"
    "redis.call('ZCARD', KEYS[2])\n"
    "local waits = 2 * #KEYS + 2\n"
    "for i = waits, #ARGV, 3 do redis.call('ZCARD', KEYS[2] .. ':' .. ARGV[i]) end\n"
    "local set, add, name = {}, {}, tonumber(ARGV[5]) + 1\n"
    "for i = 3, #KEYS do\n"
    "  local blob, due = ARGV[2 * i], ARGV[2 * i + 1]\n"
    "  if blob == '' then redis.call('DEL', KEYS[i])\n"
    "  else set[#set + 1] = KEYS[i]; set[#set + 1] = blob end\n"
    "  if due == '-' then redis.call('ZREM', KEYS[2], string.sub(KEYS[i], name))\n"
    "  elseif due ~= '' then add[#add + 1] = due; add[#add + 1] = string.sub(KEYS[i], name) end\n"
    "  if #set == 1000 then redis.call('MSET', unpack(set)); set = {} end\n"
    "  if #add == 1000 then redis.call('ZADD', KEYS[2], unpack(add)); add = {} end\n"
    "end\n"
    "if #set > 0 then redis.call('MSET', unpack(set)) end\n"
    "if #add > 0 then redis.call('ZADD', KEYS[2], unpack(add)) end\n"
    "for i = waits, #ARGV, 3 do\n"
    "  local key = KEYS[2] .. ':' .. ARGV[i]\n"
    "  if ARGV[i + 1] == '-' then redis.call('ZREM', key, ARGV[i + 2])\n"
    "  else redis.call('ZADD', key, ARGV[i + 1], ARGV[i + 2]) end\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'commit', ARGV[3], 'meta', ARGV[4])\n"
    "return {'DONE', ''}\n";

struct commit { /* on its way */
    char *step;
    int32_t partition;
    char token[STORE_TOKEN_SIZE];
    uint64_t number; /* before it */
    struct str meta; /* borrowed, as are the subjects */
    const struct store_subject *subjects;
    size_t count;
    bool answered;
    enum store_result result;
    struct err err;
};

struct redis_store {
    struct store store;
    struct redis *redis;
    struct redis_script claim, commit;
    struct commit *commits;
    size_t commit_count, commit_capacity;
    struct arena *arena; /* arguments of one call */
};

static struct redis_store *of(struct store *s)
{
    return (struct redis_store *)s;
}

/* --- words ---------------------------------------------------------------------------------- */

static struct str key_of(struct arena *arena, const char *step, int32_t partition, const char *kind)
{
    return arena_format(arena, "{%s:%d}:%s", step, partition, kind);
}

static struct str subject_key(struct arena *arena, struct str prefix, struct str subject)
{
    char *text = arena_alloc_raw(arena, prefix.len + subject.len);

    memcpy(text, prefix.data, prefix.len);
    if (subject.len > 0)
        memcpy(text + prefix.len, subject.data, subject.len);
    return (struct str){text, prefix.len + subject.len};
}

static struct str number_text(struct arena *arena, uint64_t number)
{
    return arena_format(arena, "%" PRIu64, number);
}

static uint64_t number_of(struct str text)
{
    char copy[NUMBER_SIZE];

    snprintf(copy, sizeof copy, "%.*s", STR_ARG(text));
    return strtoull(copy, NULL, 10);
}

/* Wrong type, out of memory, read-only replica, no permission: not our state's fault, and it may
 * pass. */
static enum store_result trouble(const struct redis_reply *reply, const char *what, struct err *err)
{
    struct str text = reply != NULL ? redis_reply_text(reply) : STR_EMPTY;

    err_set(err, ERR_REDIS, "Redis: %s: %.*s", what,
            STR_ARG(text.len > 0 ? text : STR("an answer that makes no sense")));
    return STORE_DOWN;
}

static bool list_of(const struct redis_reply *reply, size_t count)
{
    return reply != NULL && redis_reply_kind(reply) == REDIS_LIST &&
           redis_reply_count(reply) == count;
}

/* The pair {token, commit} of a transaction's HMGET. */
static enum store_result check_owner(const struct redis_reply *pair, const char *token,
                                     uint64_t commit, struct err *err)
{
    struct str now;

    if (!list_of(pair, 2))
        return trouble(NULL, "token", err);
    now = redis_reply_text(redis_reply_at(pair, 1));
    if (!str_is(redis_reply_text(redis_reply_at(pair, 0)), token)) {
        err_set(err, ERR_FENCED, "another process owns the partition");
        return STORE_FENCED;
    }
    if (now.len == 0 ? commit == 0 : number_of(now) == commit)
        return STORE_DONE;
    err_set(err, ERR_FENCED, "the state is at commit %.*s, not %" PRIu64, STR_ARG(now), commit);
    return STORE_GAP;
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
    if (list_of(reply, 2)) {
        err_set(err, ERR_STATE, "the state in Redis belongs to %.*s, not to %.*s",
                STR_ARG(redis_reply_text(redis_reply_at(reply, 1))), STR_ARG(identity));
        return STORE_REFUSED;
    }
    if (!list_of(reply, 4))
        return trouble(reply, "claim", err);
    out->fresh = redis_reply_text(redis_reply_at(reply, 1)).len == 0;
    out->commit = out->fresh ? 0 : number_of(redis_reply_text(redis_reply_at(reply, 1)));
    out->meta = keep(arena, redis_reply_at(reply, 2));
    out->own = keep(arena, redis_reply_at(reply, 3));
    return STORE_DONE;
}

/* A commit that is unanswered belongs to an older claim: nobody waits for it any more. */
static void drop_commit(struct redis_store *s, const char *step, int32_t partition);

static enum store_result redis_claim(struct store *store, const char *step, int32_t partition,
                                     const char *token, struct str identity, struct arena *arena,
                                     struct store_claim *out, struct err *err)
{
    struct redis_store *s = of(store);
    struct redis_reply *reply;
    struct str args[4];
    enum store_result result;

    *out = (struct store_claim){0};
    drop_commit(s, step, partition);
    CHECK(s->commit_count == 0); /* others' answers would come before this one's */
    arena_reset(s->arena);
    args[0] = key_of(s->arena, step, partition, "meta");
    args[1] = key_of(s->arena, step, partition, "s:");
    args[2] = str_of(token);
    args[3] = identity;
    if (redis_script_run(s->redis, &s->claim, args, 2, 4, &reply, err) != ERR_NONE)
        return STORE_DOWN;
    result = read_claim(reply, identity, arena, out, err);
    redis_reply_free(reply);
    return result;
}

/* --- reads in a transaction ---------------------------------------------------------------------- */

static void send_multi(struct redis_store *s, struct str meta_key)
{
    const struct str multi[] = {STR("MULTI")};
    const struct str owner[] = {STR("HMGET"), meta_key, STR("token"), STR("commit")};

    redis_send(s->redis, multi, 1);
    redis_send(s->redis, owner, 4);
}

static void send_exec(struct redis_store *s)
{
    const struct str exec[] = {STR("EXEC")};

    redis_send(s->redis, exec, 1);
}

/* MULTI, the owner, one command, EXEC: three acknowledgements, then {owner, result}.  *out has
 * both, if the owner is right. */
static enum store_result receive_exec(struct redis_store *s, const char *token, uint64_t commit,
                                      struct redis_reply **out, struct err *err)
{
    struct redis_reply *reply;
    enum store_result result;

    *out = NULL;
    for (int i = 0; i < 4; i++) {
        if (redis_receive(s->redis, &reply, err) != ERR_NONE)
            return STORE_DOWN;
        if (i < 3)
            redis_reply_free(reply);
    }
    result = list_of(reply, 2) ? check_owner(redis_reply_at(reply, 0), token, commit, err)
                               : trouble(reply, "read", err);
    if (result == STORE_DONE)
        *out = reply;
    else
        redis_reply_free(reply);
    return result;
}

static void send_load(struct redis_store *s, const char *step, int32_t partition,
                      const struct store_subject *subjects, size_t count)
{
    struct str *args = ARENA_ARRAY(s->arena, struct str, count + 1);
    struct str prefix = key_of(s->arena, step, partition, "s:");

    args[0] = STR("MGET");
    for (size_t i = 0; i < count; i++)
        args[i + 1] = subject_key(s->arena, prefix, subjects[i].subject);
    send_multi(s, key_of(s->arena, step, partition, "meta"));
    redis_send(s->redis, args, count + 1);
    send_exec(s);
}

static enum store_result redis_load(struct store *store, const char *step, int32_t partition,
                                    const char *token, uint64_t commit, struct arena *arena,
                                    struct store_subject *subjects, size_t count, struct err *err)
{
    struct redis_store *s = of(store);
    enum store_result result = STORE_DONE;
    struct redis_reply *reply;

    if (redis_ready(s->redis, err) != ERR_NONE)
        return STORE_DOWN;
    for (size_t at = 0, n; at < count && result == STORE_DONE; at += n) {
        n = count - at < LOAD_KEYS_MAX ? count - at : LOAD_KEYS_MAX;
        arena_reset(s->arena);
        send_load(s, step, partition, subjects + at, n);
        result = receive_exec(s, token, commit, &reply, err);
        if (result == STORE_DONE && !list_of(redis_reply_at(reply, 1), n))
            result = trouble(redis_reply_at(reply, 1), "load", err);
        for (size_t i = 0; i < n && result == STORE_DONE; i++)
            subjects[at + i].blob = keep(arena, redis_reply_at(redis_reply_at(reply, 1), i));
        redis_reply_free(reply);
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
        return key_of(arena, step, partition, "due");
    return arena_format(arena, "{%s:%d}:due:%" PRIu32, step, partition, lane.id);
}

static void send_due(struct redis_store *s, const char *step, int32_t partition,
                     struct store_lane lane, int64_t from_ms, size_t skip, size_t max)
{
    const struct str args[] = {STR("ZRANGEBYSCORE"),
                               due_key(s->arena, step, partition, lane),
                               from_ms < -DUE_MAX_MS ? STR("-inf")
                                                     : arena_format(s->arena, "%" PRId64, from_ms),
                               STR("+inf"),
                               STR("WITHSCORES"),
                               STR("LIMIT"),
                               number_text(s->arena, skip),
                               number_text(s->arena, max)};

    send_multi(s, key_of(s->arena, step, partition, "meta"));
    redis_send(s->redis, args, 8);
    send_exec(s);
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
    struct redis_store *s = of(store);
    struct due_search search = {due_ms, after, NULL, 0, max + 1};
    enum store_result result = STORE_DONE;
    struct redis_reply *reply;
    bool end = false;

    search.found = ARENA_ARRAY(arena, struct store_subject, max + 1);
    if (redis_ready(s->redis, err) != ERR_NONE)
        return STORE_DOWN;
    /* those that are due with the edge and stand before it are skipped here, not by Redis */
    for (size_t skip = 0; !end && search.count <= max; skip += max + 1) {
        arena_reset(s->arena);
        send_due(s, step, partition, lane, due_ms, skip, max + 1);
        result = receive_exec(s, token, commit, &reply, err);
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

/* --- commit ------------------------------------------------------------------------------------- */

static struct str due_text(struct arena *arena, int64_t due_ms)
{
    if (due_ms == NO_TIMER)
        return STR("-");
    CHECK(due_ms < DUE_MAX_MS && due_ms > -DUE_MAX_MS);
    return arena_format(arena, "%" PRId64, due_ms);
}

static size_t wait_count(const struct commit *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->count; i++)
        count += c->subjects[i].wait_count;
    return count;
}

static void put_waits(struct redis_store *s, const struct commit *c, struct str *argv)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct store_subject *subject = &c->subjects[i];

        for (size_t k = 0; k < subject->wait_count; k++) {
            *argv++ = number_text(s->arena, subject->waits[k].lane);
            *argv++ = due_text(s->arena, subject->waits[k].due_ms);
            *argv++ = subject->subject;
        }
    }
}

static void send_commit(struct redis_store *s, const struct commit *c, bool whole)
{
    size_t keys = c->count + 2, count = keys + 5 + 2 * c->count + 3 * wait_count(c);
    struct str *args, *argv, prefix;

    arena_reset(s->arena);
    args = ARENA_ARRAY(s->arena, struct str, count);
    argv = args + keys;
    prefix = key_of(s->arena, c->step, c->partition, "s:");
    args[0] = key_of(s->arena, c->step, c->partition, "meta");
    args[1] = key_of(s->arena, c->step, c->partition, "due");
    argv[0] = str_of(c->token);
    argv[1] = number_text(s->arena, c->number);
    argv[2] = number_text(s->arena, c->number + 1);
    argv[3] = c->meta;
    argv[4] = number_text(s->arena, prefix.len);
    for (size_t i = 0; i < c->count; i++) {
        args[2 + i] = subject_key(s->arena, prefix, c->subjects[i].subject);
        argv[5 + 2 * i] = c->subjects[i].blob;
        argv[6 + 2 * i] =
            c->subjects[i].due_changed ? due_text(s->arena, c->subjects[i].due_ms) : STR_EMPTY;
    }
    put_waits(s, c, argv + 5 + 2 * c->count);
    if (whole)
        redis_script_send_whole(s->redis, &s->commit, args, keys, count);
    else
        redis_script_send(s->redis, &s->commit, args, keys, count);
}

static struct commit *find_commit(struct redis_store *s, const char *step, int32_t partition)
{
    for (size_t i = 0; i < s->commit_count; i++)
        if (s->commits[i].partition == partition && strcmp(s->commits[i].step, step) == 0)
            return &s->commits[i];
    return NULL;
}

static void redis_commit_send(struct store *store, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct str meta,
                              const struct store_subject *subjects, size_t count)
{
    struct redis_store *s = of(store);
    struct commit *c;

    CHECK(find_commit(s, step, partition) == NULL);
    MEM_RESERVE(s->commits, s->commit_count, s->commit_capacity);
    c = &s->commits[s->commit_count++];
    *c = (struct commit){.step = mem_copy_text(step, strlen(step)),
                         .partition = partition,
                         .number = commit,
                         .meta = meta,
                         .subjects = subjects,
                         .count = count};
    snprintf(c->token, sizeof c->token, "%s", token);
    if (redis_ready(s->redis, NULL) == ERR_NONE)
        send_commit(s, c, false);
}

static void read_answer(struct commit *c, const struct redis_reply *reply)
{
    struct str word, number;

    c->answered = true;
    if (!list_of(reply, 2)) {
        c->result = trouble(reply, "commit", &c->err);
        return;
    }
    word = redis_reply_text(redis_reply_at(reply, 0));
    number = redis_reply_text(redis_reply_at(reply, 1));
    /* my token and my new number: it was sent before, and had landed */
    if (str_is(word, "DONE") || (str_is(word, "GAP") && number_of(number) == c->number + 1)) {
        c->result = STORE_DONE;
        return;
    }
    c->result = str_is(word, "GAP") ? STORE_GAP : STORE_FENCED;
    err_set(&c->err, ERR_FENCED, "%s/%d: %s", c->step, c->partition, store_result_text(c->result));
}

/* Take down one answer after the other, those without one again as a whole script. */
static enum err_code receive_answers(struct redis_store *s, struct err *err)
{
    struct redis_reply *reply;

    for (size_t i = 0; i < s->commit_count; i++) {
        struct commit *c = &s->commits[i];

        if (c->answered)
            continue;
        if (redis_receive(s->redis, &reply, err) != ERR_NONE)
            return ERR_DOWN;
        if (!redis_reply_is_no_script(reply))
            read_answer(c, reply);
        redis_reply_free(reply);
    }
    for (size_t i = 0; i < s->commit_count; i++) {
        struct commit *c = &s->commits[i];

        if (c->answered)
            continue;
        send_commit(s, c, true);
        if (redis_receive(s->redis, &reply, err) != ERR_NONE)
            return ERR_DOWN;
        read_answer(c, reply);
        redis_reply_free(reply);
    }
    return ERR_NONE;
}

static enum err_code send_again(struct redis_store *s, struct err *err)
{
    enum err_code code = redis_ready(s->redis, err);

    for (size_t i = 0; i < s->commit_count && code == ERR_NONE; i++)
        if (!s->commits[i].answered)
            send_commit(s, &s->commits[i], false);
    return code;
}

static void remove_commit(struct redis_store *s, struct commit *c)
{
    mem_free(c->step);
    *c = s->commits[--s->commit_count];
}

/* One that is unanswered takes the connection with it: its answer would be taken for another's. */
static void drop_commit(struct redis_store *s, const char *step, int32_t partition)
{
    struct commit *c = find_commit(s, step, partition);
    struct err err;

    if (c == NULL)
        return;
    if (!c->answered)
        receive_answers(s, &err);
    remove_commit(s, c);
}

static enum store_result redis_commit_wait(struct store *store, const char *step, int32_t partition,
                                           struct err *err)
{
    struct redis_store *s = of(store);
    struct commit *c = find_commit(s, step, partition);
    struct err why = {0};
    enum store_result result;

    CHECK(c != NULL);
    if (!c->answered && receive_answers(s, &why) != ERR_NONE &&
        (send_again(s, &why) != ERR_NONE || receive_answers(s, &why) != ERR_NONE)) {
        for (size_t i = 0; i < s->commit_count; i++) {
            if (s->commits[i].answered)
                continue;
            s->commits[i].answered = true;
            s->commits[i].result = STORE_DOWN;
            s->commits[i].err = why;
        }
    }
    result = c->result;
    if (result != STORE_DONE)
        err_set(err, c->err.code, "%s", c->err.text);
    remove_commit(s, c);
    return result;
}

/* --- all subjects ----------------------------------------------------------------------------- */

static enum store_result redis_list(struct store *store, const char *step, int32_t partition,
                                    struct arena *arena, struct store_subject **out, size_t *count,
                                    struct err *err)
{
    struct str prefix = key_of(arena, step, partition, "s:");
    struct redis_pair *pairs;

    if (redis_scan(of(store)->redis, prefix, arena, &pairs, count, err) != ERR_NONE)
        return STORE_DOWN;
    *out = ARENA_ARRAY(arena, struct store_subject, *count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (struct store_subject){.subject = pairs[i].name, .blob = pairs[i].value};
    return STORE_DONE;
}

/* --- open and close ----------------------------------------------------------------------------- */

static void redis_store_close(struct store *store)
{
    struct redis_store *s = of(store);

    if (s == NULL)
        return;
    redis_close(s->redis);
    for (size_t i = 0; i < s->commit_count; i++)
        mem_free(s->commits[i].step);
    mem_free(s->commits);
    arena_free(s->arena);
    mem_free(s);
}

static const struct store_class redis_store_class = {
    .close = redis_store_close,
    .claim = redis_claim,
    .load = redis_load,
    .due = redis_due,
    .commit_send = redis_commit_send,
    .commit_wait = redis_commit_wait,
    .list = redis_list,
};

enum err_code redis_store_open(const struct redis_settings *settings, struct store **out,
                               struct err *err)
{
    struct redis_store *s = MEM_NEW(struct redis_store);
    enum err_code code;

    *out = NULL;
    s->store.class = &redis_store_class;
    s->claim.text = claim_text;
    s->commit.text = commit_text;
    s->arena = arena_new(0);
    code = redis_open(settings, &s->redis, err);
    if (code == ERR_NONE)
        code = redis_script_learn(s->redis, &s->claim, err);
    if (code == ERR_NONE)
        code = redis_script_learn(s->redis, &s->commit, err);
    if (code != ERR_NONE) {
        redis_store_close(&s->store);
        return code;
    }
    *out = &s->store;
    return ERR_NONE;
}
