#include "connectors/redis/scan.h"

#include <stdlib.h>

#include "core/mem.h"

struct pairs {
    struct redis_pair *items;
    size_t count, capacity;
};

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

static void add_names(struct pairs *pairs, const struct redis_reply *keys, size_t prefix_bytes,
                      struct arena *arena)
{
    for (size_t i = 0; i < redis_reply_count(keys); i++) {
        struct str key = redis_reply_text(redis_reply_at(keys, i));

        MEM_RESERVE(pairs->items, pairs->count, pairs->capacity);
        pairs->items[pairs->count++] =
            (struct redis_pair){arena_str(arena, str_slice(key, prefix_bytes, key.len)), {0}};
    }
}

static enum err_code scan_names(struct redis *r, struct str prefix, struct arena *arena,
                                struct pairs *pairs, struct err *err)
{
    struct str cursor = STR("0"), pattern = glob_of(arena, prefix);
    struct redis_reply *reply;
    enum err_code code;

    do {
        const struct str args[] = {STR("SCAN"), cursor,       STR("MATCH"),
                                   pattern,     STR("COUNT"), STR("1000")};

        code = redis_command(r, args, 6, &reply, err);
        if (code != ERR_NONE)
            return code;
        if (redis_reply_count(reply) != 2)
            code = err_set(err, ERR_REDIS, "Redis: scan: %.*s", STR_ARG(redis_reply_text(reply)));
        if (code == ERR_NONE) {
            cursor = arena_str(arena, redis_reply_text(redis_reply_at(reply, 0)));
            add_names(pairs, redis_reply_at(reply, 1), prefix.len, arena);
        }
        redis_reply_free(reply);
    } while (code == ERR_NONE && !str_is(cursor, "0"));
    return code;
}

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct redis_pair *)a)->name, ((const struct redis_pair *)b)->name);
}

/* A key may come twice while Redis rehashes; sorted, the two are neighbours. */
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

static struct str join(struct arena *arena, struct str a, struct str b)
{
    char *text = arena_alloc_raw(arena, a.len + b.len + 1);

    memcpy(text, a.data, a.len);
    memcpy(text + a.len, b.data, b.len);
    return (struct str){text, a.len + b.len};
}

static enum err_code get_values(struct redis *r, struct str prefix, struct arena *arena,
                                struct pairs *pairs, struct err *err)
{
    struct redis_reply *reply;
    enum err_code code;

    for (size_t i = 0; i < pairs->count; i++) {
        struct redis_pair *p = &pairs->items[i];
        const struct str args[] = {STR("GET"), join(arena, prefix, p->name)};

        code = redis_command(r, args, 2, &reply, err);
        if (code != ERR_NONE)
            return code;
        if (redis_reply_kind(reply) == REDIS_TEXT)
            p->value = arena_str(arena, redis_reply_text(reply));
        redis_reply_free(reply);
    }
    return ERR_NONE;
}

enum err_code redis_scan(struct redis *r, struct str prefix, struct arena *arena,
                         struct redis_pair **out, size_t *count, struct err *err)
{
    struct pairs pairs = {0};
    enum err_code code = scan_names(r, prefix, arena, &pairs, err);

    sort_once(&pairs);
    if (code == ERR_NONE)
        code = get_values(r, prefix, arena, &pairs, err);
    *count = pairs.count;
    *out = arena_copy(arena, pairs.items, pairs.count * sizeof *pairs.items);
    mem_free(pairs.items);
    return code;
}
