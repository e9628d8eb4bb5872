/* What an owner reads: states and timers, in transactions of plain reads (MULTI ... EXEC), which cost half
 * of what the same reads cost inside a script.  Token and commit number are read in the same atomic
 * step, and looked at before anything else.
 */
#include "processors/worker/redis_store_parts.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LOAD_KEYS_MAX = 4000 }; /* keys of one MGET: Redis serves others in between */

/* --- as the owner ---------------------------------------------------------------------------- */

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

/* --- states ---------------------------------------------------------------------------------- */

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
        subjects[i].blob = redis_keep(arena, redis_reply_at(redis_reply_at(reply, 1), i));
    redis_reply_free(reply);
    return result;
}

enum store_result redis_load(struct store *store, const char *step, int32_t partition,
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

enum store_result redis_due(struct store *store, const char *step, int32_t partition,
                            const char *token, uint64_t commit, struct store_lane lane,
                            int64_t due_ms, struct str after, size_t max, struct arena *arena,
                            struct store_subject **out, size_t *count, bool *more, struct err *err)
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
