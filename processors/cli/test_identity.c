#include "processors/cli/test_identity.h"

#include "core/mem.h"
#include "processors/identify/identify.h"
#include "processors/ingest/alias.h"
#include "processors/worker/offline.h"

#define IDENTIFY_TOPIC STR("attent.identify")

struct written { /* by the step, and not passed on yet */
    struct written *next;
    int topic;
    struct record record;
};

struct test_identity {
    const struct test_identity_setup *setup;
    struct identify_config config;
    struct offline *offline;
    struct written *written, **last;
};

static const struct identity *find_identity(void *context, struct str hash_hex, struct err *err)
{
    const struct test_identity *t = context;

    (void)hash_hex;
    (void)err;
    return &t->setup->set->identity;
}

/* It lives until the batch is over; the copy as long as the case. */
static void take_output(void *context, int topic, const struct record *record)
{
    struct test_identity *t = context;
    struct arena *arena = t->setup->arena;
    struct written *w = ARENA_NEW(arena, struct written);
    struct header *headers = ARENA_ARRAY(arena, struct header, record->header_count + 1);

    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct header){arena_str(arena, record->headers[i].name),
                                     arena_str(arena, record->headers[i].value)};
    w->topic = topic;
    w->record = *record;
    w->record.key = arena_str(arena, record->key);
    w->record.value = arena_str(arena, record->value);
    w->record.headers = headers;
    *t->last = w;
    t->last = &w->next;
}

static enum err_code feed(struct test_identity *t, struct record record, struct err *err)
{
    record.topic = IDENTIFY_TOPIC;
    record.partition = 0;
    record.offset = offline_next(t->offline);
    return offline_record(t->offline, &record, err);
}

/* What the step says to itself comes back at once. */
static enum err_code pass_on(struct test_identity *t, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (; code == ERR_NONE && t->written != NULL; t->written = t->written->next) {
        if (t->written->topic == IDENTIFY_TOPIC_OWN)
            code = feed(t, t->written->record, err);
        else if (t->written->topic == IDENTIFY_TOPIC_EVENTS)
            code = t->setup->identified(t->setup->context, &t->written->record, err);
    }
    t->written = NULL;
    t->last = &t->written;
    return code;
}

enum err_code test_identity_open(const struct test_identity_setup *setup,
                                 struct test_identity **out, struct err *err)
{
    struct test_identity *t = MEM_NEW(struct test_identity);
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    const struct record activation = {.timestamp_ms = setup->start_ms,
                                      .value = str_of(setup->set->hash_hex),
                                      .headers = &header,
                                      .header_count = 1};
    struct offline_setup offline = {
        .class = &identify_class, .config = &t->config, .context = t, .output = take_output};
    enum err_code code;

    *out = NULL;
    t->setup = setup;
    t->last = &t->written;
    t->config = (struct identify_config){.find = find_identity, .context = t, .partitions = 1};
    code = offline_open(&offline, &t->offline, err);
    if (code == ERR_NONE)
        code = feed(t, activation, err);
    if (code == ERR_NONE)
        *out = t;
    else
        test_identity_close(t);
    return code;
}

void test_identity_close(struct test_identity *t)
{
    if (t == NULL)
        return;
    offline_close(t->offline);
    mem_free(t);
}

enum err_code test_identity_advance(struct test_identity *t, int64_t at_ms, struct err *err)
{
    enum err_code code = offline_advance(t->offline, at_ms, err);

    return code == ERR_NONE ? pass_on(t, err) : code;
}

enum err_code test_identity_send(struct test_identity *t, const struct event *event,
                                 const struct record *record, struct err *err)
{
    const struct ingest_config config = {.identity = &t->setup->set->identity,
                                         .identify_topic = IDENTIFY_TOPIC.data};
    const struct record from = {.topic = STR("test")};
    struct converted converted = {.record = *record};
    enum err_code code = ERR_NONE;

    if (event->subject.len == 0 && !alias_may_stand(config.identity, event->type))
        return err_set(err, ERR_PARSE, "identity.yaml says of no alias in %.*s whose it is",
                       STR_ARG(event->type));
    if (alias_route(&config, event, &from, t->setup->arena, &converted, err) != EVENT_FINE)
        return ERR_PARSE;
    if (event->subject.len == 0)
        code = feed(t, converted.record, err);
    for (size_t i = 0; i < converted.more_count && code == ERR_NONE; i++)
        code = feed(t, converted.more[i], err);
    return code == ERR_NONE ? pass_on(t, err) : code;
}
