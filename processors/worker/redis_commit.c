/* Commits on their way: sent, answered in order, sent again when the connection broke or a cluster
 * turned them away.
 *
 * A script that fails half-way leaves half a commit behind, so every check, and everything that
 * can fail (a key of a wrong type), comes before the first write.  What else can fail half-way is a
 * slot that is being moved: the server that it leaves refuses a script each key that is not there, also
 * one that the script itself has just emptied.  So it looks for a key that is never there, and fails at
 * once if that is refused.
 */
#include "processors/worker/redis_store_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/mem.h"

enum {
    TRIES_MAX = 2,
    OVERDUE_MS = 5000,   /* then commit_wait does wait, and sends it again when that is in vain */
    TURNED_AWAY_MS = 20, /* before it is sent again, from the second time on */
};

/* While somebody copies the partition (redis_copy.c), what is overwritten is kept for him first.
 *
 * ARGV: token, commit, new commit, meta, bytes before a subject's name in its key; then per
 * subject blob ('' = forget) and due time ('' = as it was, '-' = none); then per timer in a lane
 * that changed the lane, due time ('-' = none) and subject.  MSET and ZADD take many
 * at once; 1000 arguments are well below what Lua can unpack. */
const char redis_commit_text[] =
    "local m = redis.call('HMGET', KEYS[1], 'token', 'commit', 'copying')\n"
    "if m[1] ~= ARGV[1] then return {'FENCED', ''} end\n"
    "if (m[2] or '0') ~= ARGV[2] then return {'GAP', m[2] or '0'} end\n"
    "redis.call('EXISTS', KEYS[1] .. ':none')\n"
    "redis.call('ZCARD', KEYS[2])\n"
    "local waits = 2 * #KEYS + 2\n"
    "for i = waits, #ARGV, 3 do redis.call('ZCARD', KEYS[2] .. ':' .. ARGV[i]) end\n"
    "local set, add, name = {}, {}, tonumber(ARGV[5]) + 1\n"
    "local before = string.sub(KEYS[1], 1, -5) .. 'before'\n"
    "if m[3] and redis.call('EXISTS', before) == 0 then\n"
    "  redis.call('HDEL', KEYS[1], 'copying')\n"
    "elseif m[3] then\n"
    "  for i = 3, #KEYS do\n"
    "    redis.call('HSETNX', before, 's:' .. string.sub(KEYS[i], name), redis.call('GET', KEYS[i]) "
    "or '')\n"
    "  end\n"
    "end\n"
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

/* --- commits that are on their way ---------------------------------------------------------------- */

struct commit *redis_commit_find(struct redis_store *s, const char *step, int32_t partition)
{
    for (size_t i = 0; i < s->commit_count; i++) {
        struct commit *c = &s->commits[i];

        if (!c->dropped && c->partition == partition && strcmp(c->step, step) == 0)
            return c;
    }
    return NULL;
}

/* Its answer will come over this connection. */
static bool is_waiting(const struct commit *c)
{
    return !c->answered && c->connection != 0 && c->connection == redis_link_connection(c->link);
}

size_t redis_commits_waiting(const struct redis_store *s, const struct redis_link *link)
{
    size_t count = 0;

    for (size_t i = 0; i < s->commit_count; i++)
        count += s->commits[i].link == link && is_waiting(&s->commits[i]);
    return count;
}

static void remove_commit(struct redis_store *s, struct commit *c)
{
    size_t at = (size_t)(c - s->commits);

    mem_free(c->step);
    s->commit_count--;
    memmove(c, c + 1, (s->commit_count - at) * sizeof *c);
}

static void send_commit(struct redis_store *s, struct commit *c, struct redis_link *link,
                        bool whole);

/* Once more, behind all that was sent meanwhile: it stands elsewhere then. */
static void send_behind(struct redis_store *s, struct commit *c, struct redis_link *link,
                        bool whole)
{
    struct commit moved = *c;
    size_t at = (size_t)(c - s->commits);

    memmove(c, c + 1, (s->commit_count - 1 - at) * sizeof *c);
    s->commits[s->commit_count - 1] = moved;
    send_commit(s, &s->commits[s->commit_count - 1], link, whole);
    redis_link_push(link);
}

/* The server has done nothing of it. */
static void turn_away(struct commit *c, const struct redis_reply *reply)
{
    int64_t now_ms = clock_mono_ms();

    c->connection = 0;
    c->tries--;
    c->again_mono_ms = c->turned_away++ == 0 ? 0 : now_ms + TURNED_AWAY_MS;
    err_set(&c->err, ERR_REDIS, "Redis: commit: %.*s", STR_ARG(redis_reply_text(reply)));
}

static void read_answer(struct commit *c, const struct redis_reply *reply)
{
    struct str word, number;

    c->answered = true;
    if (!redis_is_list(reply, 2)) {
        c->result = redis_trouble(reply, "commit", &c->err);
        return;
    }
    word = redis_reply_text(redis_reply_at(reply, 0));
    number = redis_reply_text(redis_reply_at(reply, 1));
    /* my token and my new number: it was sent before, and had landed */
    if (str_is(word, "DONE") || (str_is(word, "GAP") && redis_number_of(number) == c->number + 1)) {
        c->result = STORE_DONE;
        return;
    }
    c->result = str_is(word, "GAP") ? STORE_GAP : STORE_FENCED;
    err_set(&c->err, ERR_FENCED, "%s/%d: %s", c->step, c->partition, store_result_text(c->result));
}

/* The next answer of a link belongs to the first that waits there.  Takes reply. */
static void give_answer(struct redis_store *s, struct redis_link *link, struct redis_reply *reply)
{
    enum redis_meaning meaning = redis_hear(s->redis, link, reply);
    struct commit *c = s->commits;

    while (c->link != link || !is_waiting(c))
        c++;
    if (c->dropped)
        remove_commit(s, c);
    else if (redis_reply_is_no_script(reply))
        send_behind(s, c, link, true);
    else if (meaning != REDIS_ANSWER)
        turn_away(c, reply);
    else
        read_answer(c, reply);
    redis_reply_free(reply);
}

enum err_code redis_commits_take(struct redis_store *s, struct redis_link *link, struct err *err)
{
    struct redis_reply *reply;

    if (redis_link_receive(link, &reply, err) != ERR_NONE)
        return ERR_DOWN;
    give_answer(s, link, reply);
    return ERR_NONE;
}

static struct commit *first_waiting(struct redis_store *s, const struct redis_link *link)
{
    for (size_t i = 0; i < s->commit_count; i++)
        if (is_waiting(&s->commits[i]) && (link == NULL || s->commits[i].link == link))
            return &s->commits[i];
    return NULL;
}

void redis_commits_take_link(struct redis_store *s, struct redis_link *link)
{
    for (struct commit *c = first_waiting(s, link); c != NULL; c = first_waiting(s, link))
        redis_commits_take(s, c->link, NULL); /* in vain: none waits there any more */
}

void redis_commits_take_all(struct redis_store *s)
{
    redis_commits_take_link(s, NULL);
}

static void give_up(struct commit *c, const struct err *why)
{
    if (c->answered)
        return;
    c->answered = true;
    c->result = STORE_DOWN;
    c->err = *why;
}

static struct str key_of(struct redis_store *s, const struct commit *c)
{
    arena_reset(s->commit_arena);
    return redis_key(s->commit_arena, c->step, c->partition, "meta");
}

static struct redis_link *home_of(struct redis_store *s, const struct commit *c)
{
    return redis_link_of(s->redis, key_of(s, c));
}

static bool is_lost(const struct commit *c)
{
    return !c->answered && !c->dropped && !is_waiting(c);
}

/* Nobody answers there: one time-out is enough for all of them. */
static void give_up_all(struct redis_store *s, const struct redis_link *home, const struct err *why)
{
    for (size_t i = 0; i < s->commit_count; i++)
        if (is_lost(&s->commits[i]) && home_of(s, &s->commits[i]) == home)
            give_up(&s->commits[i], why);
}

/* That of the key first: a link may be another than its home, this once (ASK). */
static struct commit *next_lost(struct redis_store *s, const struct redis_link *link,
                                struct str key)
{
    for (size_t i = 0; i < s->commit_count; i++)
        if (is_lost(&s->commits[i]) && str_equal(key_of(s, &s->commits[i]), key))
            return &s->commits[i];
    for (size_t i = 0; i < s->commit_count; i++)
        if (is_lost(&s->commits[i]) && home_of(s, &s->commits[i]) == link)
            return &s->commits[i];
    return NULL;
}

static void sweep_dropped(struct redis_store *s)
{
    for (size_t i = s->commit_count; i-- > 0;)
        if (s->commits[i].dropped && !is_waiting(&s->commits[i]))
            remove_commit(s, &s->commits[i]);
}

enum err_code redis_commits_connect(struct redis_store *s, struct str key, struct redis_link **out,
                                    struct err *err)
{
    const struct err why = {ERR_DOWN, "Redis: the connection broke twice during a commit"};
    enum err_code code = redis_route(s->redis, key, out, err);
    struct commit *c;

    sweep_dropped(s);
    if (code != ERR_NONE)
        return code;
    while ((c = next_lost(s, *out, key)) != NULL)
        if (c->tries == TRIES_MAX)
            give_up(c, &why);
        else
            send_behind(s, c, *out, false);
    return ERR_NONE;
}

/* --- commit ------------------------------------------------------------------------------------- */

static struct str due_text(struct arena *arena, int64_t due_ms)
{
    if (due_ms == REDIS_NO_TIMER)
        return STR("-");
    CHECK(due_ms < REDIS_DUE_MAX_MS && due_ms > -REDIS_DUE_MAX_MS);
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
            *argv++ = redis_number(s->commit_arena, subject->waits[k].lane);
            *argv++ = due_text(s->commit_arena, subject->waits[k].due_ms);
            *argv++ = subject->subject;
        }
    }
}

static void send_commit(struct redis_store *s, struct commit *c, struct redis_link *link,
                        bool whole)
{
    size_t keys = c->count + 2, count = keys + 5 + 2 * c->count + 3 * wait_count(c);
    struct str *args, *argv, prefix;

    arena_reset(s->commit_arena);
    args = ARENA_ARRAY(s->commit_arena, struct str, count);
    argv = args + keys;
    prefix = redis_key(s->commit_arena, c->step, c->partition, "s:");
    args[0] = redis_key(s->commit_arena, c->step, c->partition, "meta");
    args[1] = redis_key(s->commit_arena, c->step, c->partition, "due");
    argv[0] = str_of(c->token);
    argv[1] = redis_number(s->commit_arena, c->number);
    argv[2] = redis_number(s->commit_arena, c->number + 1);
    argv[3] = c->meta;
    argv[4] = redis_number(s->commit_arena, prefix.len);
    for (size_t i = 0; i < c->count; i++) {
        args[2 + i] = redis_subject_key(s->commit_arena, prefix, c->subjects[i].subject);
        argv[5 + 2 * i] = c->subjects[i].blob;
        argv[6 + 2 * i] = c->subjects[i].due_changed
                              ? due_text(s->commit_arena, c->subjects[i].due_ms)
                              : STR_EMPTY;
    }
    put_waits(s, c, argv + 5 + 2 * c->count);
    redis_script_send(link, &s->commit, args, keys, count, whole);
    c->link = link;
    c->connection = redis_link_connection(link);
    c->sent_mono_ms = clock_mono_ms();
    c->tries += !whole;
}

/* It was turned away.  True: its time to be sent again has come, or to be given up. */
static bool has_waited(struct commit *c)
{
    int64_t now_ms = clock_mono_ms();
    struct err why = c->err;

    if (now_ms - c->first_mono_ms > OVERDUE_MS)
        give_up(c, &why);
    return now_ms >= c->again_mono_ms || c->answered;
}

/* Send it without waiting for anything.  False: that cannot be. */
static bool send_now(struct redis_store *s, struct commit *c)
{
    struct redis_link *link = redis_route_now(s->redis, key_of(s, c));

    if (link == NULL)
        return false;
    if (c->link == NULL) /* the first time: it stands behind all others */
        send_commit(s, c, link, false);
    else
        send_behind(s, c, link, false);
    redis_link_push(link);
    return true;
}

void redis_commit_send(struct store *store, const char *step, int32_t partition, const char *token,
                       uint64_t commit, struct str meta, const struct store_subject *subjects,
                       size_t count)
{
    struct redis_store *s = redis_store_of(store);
    struct commit *c;

    CHECK(redis_commit_find(s, step, partition) == NULL);
    MEM_RESERVE(s->commits, s->commit_count, s->commit_capacity);
    c = &s->commits[s->commit_count];
    *c = (struct commit){.first_mono_ms = clock_mono_ms(),
                         .step = mem_copy_text(step, strlen(step)),
                         .partition = partition,
                         .number = commit,
                         .meta = meta,
                         .subjects = subjects,
                         .count = count};
    snprintf(c->token, sizeof c->token, "%s", token);
    s->commit_count++;
    send_now(s, c); /* or whoever waits for it connects */
}

bool redis_commit_ready(struct store *store, const char *step, int32_t partition)
{
    struct redis_store *s = redis_store_of(store);
    struct commit *c;
    struct redis_reply *reply;

    for (;;) {
        c = redis_commit_find(s, step, partition); /* it may stand elsewhere now */
        CHECK(c != NULL);
        if (!c->answered && !is_waiting(c)) {
            if (c->turned_away == 0)
                return true; /* to send it again */
            if (!has_waited(c))
                return false;
            if (c->answered || !send_now(s, c))
                return true;
            continue;
        }
        if (c->answered || redis_link_try_receive(c->link, &reply, NULL) != ERR_NONE)
            return true;
        if (reply == NULL)
            return clock_mono_ms() - c->sent_mono_ms > OVERDUE_MS;
        give_answer(s, c->link, reply);
    }
}

/* Send it, connecting if need be; or give it up, with those whose server does not answer either. */
static void send_lost(struct redis_store *s, struct commit *c)
{
    struct redis_link *home = home_of(s, c), *link;
    struct err why = {0};

    if (c->turned_away > 0 && !has_waited(c))
        clock_sleep_ms(c->again_mono_ms - clock_mono_ms());
    arena_reset(s->key_arena);
    if (!c->answered &&
        redis_commits_connect(s, arena_str(s->key_arena, key_of(s, c)), &link, &why) != ERR_NONE)
        give_up_all(s, home, &why);
}

enum store_result redis_commit_wait(struct store *store, const char *step, int32_t partition,
                                    struct err *err)
{
    struct redis_store *s = redis_store_of(store);
    struct commit *c = redis_commit_find(s, step, partition);
    enum store_result result;

    CHECK(c != NULL);
    for (; !c->answered; c = redis_commit_find(s, step, partition))
        if (is_waiting(c))
            redis_commits_take(s, c->link, NULL);
        else
            send_lost(s, c);
    result = c->result;
    if (result != STORE_DONE)
        err_set(err, c->err.code, "%s", c->err.text);
    remove_commit(s, c);
    return result;
}

void redis_commit_drop(struct store *store, const char *step, int32_t partition)
{
    struct redis_store *s = redis_store_of(store);
    struct commit *c = redis_commit_find(s, step, partition);

    if (c == NULL)
        return;
    c->dropped = true;
    if (c->answered || !is_waiting(c))
        remove_commit(s, c);
}
