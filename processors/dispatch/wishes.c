#include "processors/dispatch/wishes.h"

#include "core/limit.h"
#include "core/mem.h"
#include "core/when.h"

enum { KEPT_MS = WHEN_MINUTE_MS };

struct wish {
    struct permission permission; /* its texts are in `text` */
    char *text;
    int64_t until_ms;
};

struct wishes {
    struct wish items[LIMIT_DISPATCH_WISHES]; /* oldest first */
    size_t count;
};

struct wishes *wishes_new(void)
{
    return MEM_NEW(struct wishes);
}

static void drop(struct wishes *wishes, size_t index)
{
    mem_free(wishes->items[index].text);
    wishes->count--;
    memmove(&wishes->items[index], &wishes->items[index + 1],
            (wishes->count - index) * sizeof *wishes->items);
}

void wishes_free(struct wishes *wishes)
{
    if (wishes == NULL)
        return;
    while (wishes->count != 0)
        drop(wishes, wishes->count - 1);
    mem_free(wishes);
}

static struct str keep(char **at, struct str text)
{
    struct str kept = {*at, text.len};

    if (text.len != 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return kept;
}

void wishes_add(struct wishes *wishes, const struct permission *p, int64_t now_ms)
{
    struct wish *wish;
    char *at;

    wishes_settle(wishes, p); /* read again after a transaction that was given up */
    if (wishes->count == LIMIT_DISPATCH_WISHES)
        drop(wishes, 0);
    wish = &wishes->items[wishes->count++];
    *wish = (struct wish){
        .permission = *p,
        .text = mem_alloc(p->customer.len + p->purpose.len + p->channel.len + p->because.len + 1),
        .until_ms = now_ms + KEPT_MS};
    at = wish->text;
    wish->permission.customer = keep(&at, p->customer);
    wish->permission.purpose = keep(&at, p->purpose);
    wish->permission.channel = keep(&at, p->channel);
    wish->permission.because = keep(&at, p->because);
}

static bool is_same(const struct permission *a, const struct permission *b)
{
    return a->erased == b->erased && str_equal(a->customer, b->customer) &&
           str_equal(a->purpose, b->purpose) && str_equal(a->channel, b->channel);
}

void wishes_settle(struct wishes *wishes, const struct permission *permission)
{
    for (size_t i = wishes->count; i > 0; i--)
        if (is_same(&wishes->items[i - 1].permission, permission))
            drop(wishes, i - 1);
}

size_t wishes_count(struct wishes *wishes, int64_t now_ms)
{
    while (wishes->count != 0 && wishes->items[0].until_ms <= now_ms)
        drop(wishes, 0);
    return wishes->count;
}

const struct permission *wishes_at(const struct wishes *wishes, size_t index)
{
    return &wishes->items[index].permission;
}
