#include "connectors/redis/scan.h"

#include <stdio.h>
#include <stdlib.h>

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

/* The values of a page's keys, in one command. */
static enum err_code give_page(struct redis *r, const struct redis_walk *walk,
                               const struct redis_reply *keys, struct arena *arena, struct err *err)
{
    size_t count = redis_reply_count(keys);
    struct str *args = ARENA_ARRAY(arena, struct str, count + 1);
    struct redis_reply *values;
    enum err_code code;

    if (count == 0)
        return ERR_NONE;
    args[0] = STR("MGET");
    for (size_t i = 0; i < count; i++)
        args[i + 1] = redis_reply_text(redis_reply_at(keys, i));
    code = redis_command(r, args, count + 1, &values, err);
    if (code != ERR_NONE)
        return code;
    if (redis_reply_count(values) != count)
        code = unexpected(values, err);
    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        struct str name = str_slice(args[i + 1], walk->prefix.len, args[i + 1].len);

        code = walk->each(walk->context, name, redis_reply_text(redis_reply_at(values, i)), err);
    }
    redis_reply_free(values);
    return code;
}

enum err_code redis_walk(struct redis *r, const struct redis_walk *walk, struct err *err)
{
    struct arena *arena = arena_new(0), *page = arena_new(0);
    struct str pattern = glob_of(arena, walk->prefix);
    char cursor[24] = "0";
    struct redis_reply *reply;
    enum err_code code;

    do {
        const struct str args[] = {STR("SCAN"), str_of(cursor), STR("MATCH"),
                                   pattern,     STR("COUNT"),   STR("1000")};

        code = redis_command(r, args, 6, &reply, err);
        if (code != ERR_NONE)
            break;
        if (redis_reply_count(reply) == 2) {
            arena_reset(page);
            snprintf(cursor, sizeof cursor, "%.*s",
                     STR_ARG(redis_reply_text(redis_reply_at(reply, 0))));
            code = give_page(r, walk, redis_reply_at(reply, 1), page, err);
        } else {
            code = unexpected(reply, err);
        }
        redis_reply_free(reply);
    } while (code == ERR_NONE && strcmp(cursor, "0") != 0);
    arena_free(page);
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
