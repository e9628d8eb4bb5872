#include "connectors/redis/scan.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/redis/slots.h"
#include "core/mem.h"

/* What begins with `text`, as a glob. */
static struct str glob_of(struct arena *arena, struct str text)
{
    char *out = arena_alloc(arena, 2 * text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (strchr("[]*?\\", text.data[i]) != NULL)
            out[len++] = '\\';
        out[len++] = text.data[i];
    }
    out[len++] = '*';
    return (struct str){out, len};
}

static enum err_code unexpected(const struct redis_reply *reply, struct err *err)
{
    return err_set(err, ERR_REDIS, "Redis: scan: %.*s", STR_ARG(redis_reply_text(reply)));
}

/* The values of a page's keys, in one go.  They may be in several slots, so not in one command; and one
 * that has moved since is asked for where it is now. */
static enum err_code give_page(struct redis *r, const struct redis_walk *walk,
                               const struct redis_reply *keys, struct err *err)
{
    size_t count = redis_reply_count(keys);
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count; i++) {
        const struct str get[] = {STR("GET"), redis_reply_text(redis_reply_at(keys, i))};

        redis_send(r, get, 2);
    }
    for (size_t i = 0; i < count; i++) {
        struct str key = redis_reply_text(redis_reply_at(keys, i));
        struct redis_reply *value;

        if (redis_receive(r, &value, code == ERR_NONE ? err : NULL) != ERR_NONE)
            return code == ERR_NONE ? ERR_DOWN : code;
        if (code == ERR_NONE)
            code = walk->each(
                walk->context, str_slice(key, walk->prefix.len, key.len),
                redis_reply_kind(value) == REDIS_TEXT ? redis_reply_text(value) : STR_EMPTY, err);
        redis_reply_free(value);
    }
    return code;
}

static enum err_code next_page(struct redis_link *link, struct str cursor, struct str pattern,
                               struct redis_reply **out, struct err *err)
{
    const struct str args[] = {STR("SCAN"), cursor,       STR("MATCH"),
                               pattern,     STR("COUNT"), STR("1000")};
    enum err_code code = redis_link_ready(link, err);

    *out = NULL;
    if (code != ERR_NONE)
        return code;
    redis_link_send(link, args, 6);
    code = redis_link_receive(link, out, err);
    if (code == ERR_NONE && redis_reply_count(*out) != 2) {
        code = unexpected(*out, err);
        redis_reply_free(*out);
        *out = NULL;
    }
    return code;
}

static enum err_code walk_server(struct redis *r, struct redis_link *link,
                                 const struct redis_walk *walk, struct str pattern, struct err *err)
{
    struct redis_reply *reply;
    char cursor[24] = "0";
    enum err_code code;

    do {
        code = next_page(link, str_of(cursor), pattern, &reply, err);
        if (code != ERR_NONE)
            break;
        snprintf(cursor, sizeof cursor, "%.*s",
                 STR_ARG(redis_reply_text(redis_reply_at(reply, 0))));
        code = give_page(r, walk, redis_reply_at(reply, 1), err);
        redis_reply_free(reply);
    } while (code == ERR_NONE && strcmp(cursor, "0") != 0);
    return code;
}

/* Whatever begins so is in one slot. */
static bool has_whole_tag(struct str prefix)
{
    return slots_hash_part(prefix).len < prefix.len;
}

enum err_code redis_walk(struct redis *r, const struct redis_walk *walk, struct err *err)
{
    struct redis_link *servers[REDIS_SERVERS_MAX];
    struct arena *arena = arena_new(0);
    struct str pattern = glob_of(arena, walk->prefix);
    enum err_code code = redis_ready(r, err);
    size_t count = 1;

    if (code == ERR_NONE && has_whole_tag(walk->prefix))
        code = redis_route(r, walk->prefix, &servers[0], err);
    else
        count = redis_servers(r, servers, REDIS_SERVERS_MAX);
    for (size_t i = 0; i < count && code == ERR_NONE; i++)
        code = walk_server(r, servers[i], walk, pattern, err);
    arena_free(arena);
    return code;
}

/* --- all of them, in order ------------------------------------------------------------------------ */

struct pairs {
    struct arena *arena;
    struct redis_pair *items;
    size_t count, capacity;
};

static enum err_code add_pair(void *context, struct str name, struct str value, struct err *err)
{
    struct pairs *pairs = context;

    (void)err;
    MEM_RESERVE(pairs->items, pairs->count, pairs->capacity);
    pairs->items[pairs->count++] =
        (struct redis_pair){arena_str(pairs->arena, name), arena_str(pairs->arena, value)};
    return ERR_NONE;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct redis_pair *)a)->name, ((const struct redis_pair *)b)->name);
}

/* One that came twice has its like for a neighbour. */
static void sort_once(struct pairs *pairs)
{
    size_t kept = 0;

    if (pairs->count > 0)
        qsort(pairs->items, pairs->count, sizeof *pairs->items, by_name);
    for (size_t i = 0; i < pairs->count; i++)
        if (i == 0 || !str_equal(pairs->items[i].name, pairs->items[i - 1].name))
            pairs->items[kept++] = pairs->items[i];
    pairs->count = kept;
}

enum err_code redis_scan(struct redis *r, struct str prefix, struct arena *arena,
                         struct redis_pair **out, size_t *count, struct err *err)
{
    struct pairs pairs = {.arena = arena};
    const struct redis_walk walk = {prefix, &pairs, add_pair};
    enum err_code code = redis_walk(r, &walk, err);

    sort_once(&pairs);
    *count = pairs.count;
    *out = arena_copy(arena, pairs.items, pairs.count * sizeof *pairs.items);
    mem_free(pairs.items);
    return code;
}
