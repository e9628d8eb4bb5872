#include "processors/dispatch/links.h"

#include "connectors/callback/reference.h"
#include "connectors/unsubscribe/token.h"
#include "core/when.h"

/* Providers report for days; longer than any of them keeps a message. */
enum { REPORTS_DAYS = 60 };

/* Plain HTTP only to this machine: for tests, and for a look around. */
static bool is_loopback(struct str url)
{
    return str_starts(url, STR("http://127.0.0.1:")) || str_starts(url, STR("http://localhost:"));
}

enum err_code links_check(const struct links *links, struct err *err)
{
    struct str url = links->public_url;

    if (url.len == 0)
        return ERR_NONE;
    if (!str_starts(url, STR("https://")) && !is_loopback(url))
        return err_set(err, ERR_CONFIG,
                       "receiver.public_url has to begin with https:// (RFC 8058 and the providers "
                       "ask for it)");
    if (str_ends(url, STR("/")))
        return err_set(err, ERR_CONFIG, "receiver.public_url has no / at its end");
    for (size_t i = 0; i < url.len; i++)
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f || strchr("<>\"?#", url.data[i]) != NULL)
            return err_set(err, ERR_CONFIG,
                           "receiver.public_url: scheme, host and perhaps a path, nothing else");
    if (links->key.len < LINKS_KEY_BYTES_MIN)
        return err_set(err, ERR_CONFIG, "receiver.key needs %d characters or more",
                       LINKS_KEY_BYTES_MIN);
    return ERR_NONE;
}

static struct str take(struct arena *arena, struct buf *text)
{
    struct str kept = arena_str(arena, buf_str(text));

    buf_free(text);
    return kept;
}

static void put_callback(const struct links *links, struct arena *arena, struct sending *s)
{
    struct buf text = {0};

    reference_put(&text, links->key, s->task, s->now_ms + INT64_C(1) * REPORTS_DAYS * WHEN_DAY_MS);
    s->callback_mark = take(arena, &text);
    s->callback_url = arena_format(arena, "%.*s/callback/%.*s/%.*s", STR_ARG(links->public_url),
                                   STR_ARG(s->task->channel), STR_ARG(s->callback_mark));
}

static void put_unsubscribe(const struct links *links, struct arena *arena, struct sending *s)
{
    const struct unsubscribe u = {.customer = s->task->customer,
                                  .purpose = s->task->purpose,
                                  .channel = s->task->channel,
                                  .expires_ms = s->now_ms + links->unsubscribe_valid_ms};
    struct buf text = {0};

    buf_put(&text, links->public_url);
    buf_put_text(&text, "/unsubscribe/");
    unsubscribe_put_token(&text, links->key, &u);
    s->unsubscribe_url = take(arena, &text);
}

void links_put(const struct links *links, struct arena *arena, struct sending *sending)
{
    if (links == NULL || links->public_url.len == 0)
        return;
    put_callback(links, arena, sending);
    if (!sending->task->needs_no_consent)
        put_unsubscribe(links, arena, sending);
}
