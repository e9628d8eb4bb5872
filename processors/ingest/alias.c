/* Of several aliases in an event the first that is there is looked up: fields of `looks_up` come
 * first, then those that it would bind, then those that it unbinds. */
#include "processors/ingest/alias.h"

#include <inttypes.h>

#include "schemas/binding.h"

enum { EVENT_HEADERS_MORE = 2 };

bool alias_may_stand(const struct identity *identity, struct str type)
{
    const struct alias_use *use = identity != NULL ? identity_use(identity, type) : NULL;

    return use != NULL && use->binds.count + use->looks_up.count + use->unbinds.count != 0;
}

/* --- bindings ---------------------------------------------------------------------------------------- */

/* For so many more. */
static struct record *make_room(const struct converted *out, size_t count, struct arena *arena)
{
    struct record *more = ARENA_ARRAY(arena, struct record, out->more_count + count);

    if (out->more_count != 0)
        memcpy(more, out->more, out->more_count * sizeof *more);
    return more;
}

static void tell(const struct ingest_config *config, enum identify_kind kind, struct str key,
                 const struct binding *binding, struct arena *arena, struct converted *out)
{
    struct header *header = ARENA_NEW(arena, struct header);
    struct buf json = {0};

    binding_put_json(&json, binding);
    *header = (struct header){STR(IDENTIFY_HEADER), str_of(identify_kind_text(kind))};
    out->more[out->more_count++] = (struct record){.topic = str_of(config->identify_topic),
                                                   .partition = -1,
                                                   .timestamp_ms = out->record.timestamp_ms,
                                                   .key = arena_str(arena, key),
                                                   .value = arena_str(arena, buf_str(&json)),
                                                   .headers = header,
                                                   .header_count = 1};
    buf_free(&json);
}

/* The alias in a field.  False: the field is not there, or (*bad) no alias. */
static bool find(const struct identity *identity, const struct alias_field *field,
                 const struct event *event, struct buf *out, bool *bad)
{
    struct value v = json_at(event->data_value, field->pointer);

    buf_clear(out);
    if (v.kind == VALUE_ABSENT || v.kind == VALUE_NULL)
        return false;
    if (alias_put(out, &identity->kinds[field->kind], v))
        return true;
    *bad = true;
    return false;
}

static void tell_fields(const struct ingest_config *config, const struct alias_fields *fields,
                        enum identify_kind kind, const struct event *event, struct arena *arena,
                        struct converted *out)
{
    struct binding binding = {.customer = event->subject, .at_ms = event->time_ms};
    struct buf alias = {0};

    if (fields->count == 0)
        return;
    out->more = make_room(out, fields->count, arena);
    for (size_t i = 0; i < fields->count; i++) {
        bool bad = false;

        if (find(config->identity, &fields->items[i], event, &alias, &bad))
            tell(config, kind, buf_str(&alias), &binding, arena, out);
        out->bad_aliases += bad;
    }
    buf_free(&alias);
}

/* Who is erased or merged leaves aliases behind. */
static void tell_gone(const struct ingest_config *config, const struct event *event,
                      struct arena *arena, struct converted *out)
{
    struct binding binding = {.customer = event->subject, .at_ms = event->time_ms};
    bool merged = str_is(event->type, "customer.merged");

    if (!merged && !str_is(event->type, "customer.erased"))
        return;
    if (merged) {
        struct value from = json_at(event->data_value, STR("/from"));
        struct value into = json_at(event->data_value, STR("/into"));

        if (from.kind != VALUE_STRING || into.kind != VALUE_STRING || into.n == 0)
            return;
        binding.customer = value_str(from);
        binding.to = value_str(into);
    }
    out->more = make_room(out, 1, arena);
    tell(config, merged ? IDENTIFY_MERGED : IDENTIFY_ERASED,
         binding_customer_key(binding.customer, arena), &binding, arena, out);
}

/* --- an event without a customer ----------------------------------------------------------------------- */

/* The first alias that is there. */
static const struct alias_field *first_of(const struct identity *identity,
                                          const struct alias_fields *fields,
                                          const struct event *event, struct buf *alias, bool *bad)
{
    for (size_t i = 0; i < fields->count; i++)
        if (find(identity, &fields->items[i], event, alias, bad))
            return &fields->items[i];
    return NULL;
}

static void send_by_alias(const struct ingest_config *config, const struct record *from,
                          struct str alias, enum identify_kind kind, struct arena *arena,
                          struct record *out)
{
    struct header *headers =
        ARENA_ARRAY(arena, struct header, out->header_count + EVENT_HEADERS_MORE);

    memcpy(headers, out->headers, out->header_count * sizeof *headers);
    headers[out->header_count++] =
        (struct header){STR(IDENTIFY_HEADER), str_of(identify_kind_text(kind))};
    headers[out->header_count++] = (struct header){
        STR(ORIGIN_HEADER), arena_format(arena, "%.*s/%" PRId32 "/%" PRId64, STR_ARG(from->topic),
                                         from->partition, from->offset)};
    out->headers = headers;
    out->topic = str_of(config->identify_topic);
    out->key = arena_str(arena, alias);
}

static enum event_fault say_none(const struct event *event, bool bad, struct err *err)
{
    if (bad)
        err_set(err, ERR_PARSE,
                "%.*s names no customer (subject), and the alias in its data is none",
                STR_ARG(event->type));
    else
        err_set(err, ERR_PARSE,
                "%.*s names no customer (subject), and no alias that identity.yaml knows",
                STR_ARG(event->type));
    return bad ? EVENT_BAD_ALIAS : EVENT_NO_SUBJECT;
}

static enum event_fault route_alias(const struct ingest_config *config, const struct alias_use *use,
                                    const struct event *event, const struct record *from,
                                    struct arena *arena, struct converted *out, struct err *err)
{
    const struct alias_fields *lists[] = {&use->looks_up, &use->binds, &use->unbinds};
    const struct alias_field *field = NULL;
    struct buf alias = {0};
    bool bad = false, last = false;

    for (size_t i = 0; i < 3 && field == NULL; i++) {
        field = first_of(config->identity, lists[i], event, &alias, &bad);
        last = lists[i] == &use->unbinds;
    }
    for (size_t i = 0; field != NULL && i < use->unbinds.count; i++)
        last |= use->unbinds.items[i].kind == field->kind &&
                str_equal(use->unbinds.items[i].pointer, field->pointer);
    if (field != NULL)
        send_by_alias(config, from, buf_str(&alias), last ? IDENTIFY_LAST_EVENT : IDENTIFY_EVENT,
                      arena, &out->record);
    if (field != NULL) /* of the alias that it went by, this says nothing new */
        tell_fields(config, &use->unbinds, IDENTIFY_UNBIND, event, arena, out);
    buf_free(&alias);
    return field != NULL ? EVENT_FINE : say_none(event, bad, err);
}

enum event_fault alias_route(const struct ingest_config *config, const struct event *event,
                             const struct record *from, struct arena *arena, struct converted *out,
                             struct err *err)
{
    const struct alias_use *use;

    if (config->identity == NULL || config->identity->use_count == 0)
        return EVENT_FINE;
    use = identity_use(config->identity, event->type);
    if (use != NULL && event->subject.len == 0)
        return route_alias(config, use, event, from, arena, out, err);
    if (use != NULL) {
        tell_fields(config, &use->binds, IDENTIFY_BIND, event, arena, out);
        tell_fields(config, &use->unbinds, IDENTIFY_UNBIND, event, arena, out);
    }
    tell_gone(config, event, arena, out);
    return EVENT_FINE;
}
