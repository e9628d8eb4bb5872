#include "processors/identify/alias.h"

#include "core/limit.h"
#include "processors/worker/step.h"

enum { ALIAS_VERSION = 1, CHANGE_BYTES_MIN = 3, PARKED_BYTES_MIN = 4, HEADER_BYTES_MIN = 2 };

size_t parked_bytes(const struct parked *p)
{
    size_t bytes = p->record.value.len;

    for (size_t i = 0; i < p->record.header_count; i++)
        bytes += p->record.headers[i].name.len + p->record.headers[i].value.len;
    return bytes;
}

int64_t alias_due_ms(const struct alias *a)
{
    int64_t due_ms = a->gone_ms != INT64_MIN ? a->gone_until_ms : STEP_NO_TIMER;

    for (size_t i = 0; i < a->parked_count; i++)
        if (a->parked[i].until_ms < due_ms)
            due_ms = a->parked[i].until_ms;
    return due_ms;
}

void alias_park(struct alias *a, const struct record *record, int64_t until_ms, struct arena *arena)
{
    struct parked *all = ARENA_ARRAY(arena, struct parked, a->parked_count + 1);
    struct header *headers = ARENA_ARRAY(arena, struct header, record->header_count);
    struct parked *p = &all[a->parked_count];

    if (a->parked_count != 0)
        memcpy(all, a->parked, a->parked_count * sizeof *all);
    for (size_t i = 0; i < record->header_count; i++)
        headers[i] = (struct header){arena_str(arena, record->headers[i].name),
                                     arena_str(arena, record->headers[i].value)};
    *p = (struct parked){until_ms,
                         {.timestamp_ms = record->timestamp_ms,
                          .key = a->subject,
                          .value = arena_str(arena, record->value),
                          .headers = headers,
                          .header_count = record->header_count}};
    a->parked = all;
    a->parked_count++;
}

bool alias_add_name(struct alias *a, struct str name, int64_t at_ms, struct arena *arena)
{
    struct known_alias *all;

    for (size_t i = 0; i < a->name_count; i++)
        if (str_equal(a->names[i].name, name))
            return false;
    if (a->name_count == LIMIT_CUSTOMER_ALIASES)
        memmove(a->names, a->names + 1, --a->name_count * sizeof *a->names);
    all = ARENA_ARRAY(arena, struct known_alias, a->name_count + 1);
    if (a->name_count != 0)
        memcpy(all, a->names, a->name_count * sizeof *all);
    all[a->name_count++] = (struct known_alias){arena_str(arena, name), at_ms};
    a->names = all;
    return true;
}

/* --- as bytes ------------------------------------------------------------------------------------ */

static bool is_empty(const struct alias *a)
{
    return a->owners.count == 0 && a->owners.known_from_ms == INT64_MIN && a->parked_count == 0 &&
           a->name_count == 0 && a->gone_ms == INT64_MIN;
}

static void put_owners(struct buf *out, const struct owners *o)
{
    buf_put_zigzag(out, o->known_from_ms);
    buf_put_varint(out, o->count);
    for (size_t i = 0; i < o->count; i++) {
        buf_put_zigzag(out, o->items[i].at_ms);
        buf_put_u8(out, o->items[i].bound);
        buf_put_bytes(out, o->items[i].customer);
    }
}

static void put_parked(struct buf *out, const struct parked *p)
{
    buf_put_zigzag(out, p->until_ms);
    buf_put_zigzag(out, p->record.timestamp_ms);
    buf_put_bytes(out, p->record.value);
    buf_put_varint(out, p->record.header_count);
    for (size_t i = 0; i < p->record.header_count; i++) {
        buf_put_bytes(out, p->record.headers[i].name);
        buf_put_bytes(out, p->record.headers[i].value);
    }
}

void alias_encode(const struct alias *a, struct buf *out)
{
    if (is_empty(a))
        return;
    buf_put_u8(out, ALIAS_VERSION);
    put_owners(out, &a->owners);
    buf_put_varint(out, a->parked_count);
    for (size_t i = 0; i < a->parked_count; i++)
        put_parked(out, &a->parked[i]);
    buf_put_varint(out, a->name_count);
    for (size_t i = 0; i < a->name_count; i++) {
        buf_put_bytes(out, a->names[i].name);
        buf_put_zigzag(out, a->names[i].at_ms);
    }
    buf_put_u8(out, a->gone_ms != INT64_MIN);
    if (a->gone_ms == INT64_MIN)
        return;
    buf_put_zigzag(out, a->gone_ms);
    buf_put_zigzag(out, a->gone_until_ms);
    buf_put_bytes(out, a->gone_to);
}

/* Read back what was written, in order of time. */
static void get_owners(struct reader *r, struct arena *arena, struct owners *o)
{
    o->known_from_ms = reader_zigzag(r);
    o->count = reader_count(r, CHANGE_BYTES_MIN);
    o->items = ARENA_ARRAY(arena, struct owner_change, o->count);
    for (size_t i = 0; i < o->count && !r->failed; i++) {
        struct owner_change *change = &o->items[i];

        change->at_ms = reader_zigzag(r);
        change->bound = reader_u8(r) != 0;
        change->customer = reader_bytes(r);
        if ((i > 0 && change->at_ms < change[-1].at_ms) ||
            (change->bound && change->customer.len == 0))
            r->failed = true;
    }
}

static void get_parked(struct reader *r, struct arena *arena, struct str subject, struct parked *p)
{
    struct header *headers;

    p->until_ms = reader_zigzag(r);
    p->record.timestamp_ms = reader_zigzag(r);
    p->record.key = subject;
    p->record.value = reader_bytes(r);
    p->record.header_count = reader_count(r, HEADER_BYTES_MIN);
    headers = ARENA_ARRAY(arena, struct header, p->record.header_count);
    for (size_t i = 0; i < p->record.header_count && !r->failed; i++) {
        headers[i].name = reader_bytes(r);
        headers[i].value = reader_bytes(r);
    }
    p->record.headers = headers;
}

static void get_names(struct reader *r, struct arena *arena, struct alias *a)
{
    a->name_count = reader_count(r, 2);
    a->names = ARENA_ARRAY(arena, struct known_alias, a->name_count);
    for (size_t i = 0; i < a->name_count && !r->failed; i++) {
        a->names[i].name = reader_bytes(r);
        a->names[i].at_ms = reader_zigzag(r);
    }
    if (reader_u8(r) == 0)
        return;
    a->gone_ms = reader_zigzag(r);
    a->gone_until_ms = reader_zigzag(r);
    a->gone_to = reader_bytes(r);
}

enum err_code alias_decode(struct str subject, struct str blob, struct arena *arena,
                           struct alias **out, struct err *err)
{
    struct alias *a = ARENA_NEW(arena, struct alias);
    struct reader r = reader_of(blob);

    *a =
        (struct alias){.subject = subject, .owners.known_from_ms = INT64_MIN, .gone_ms = INT64_MIN};
    *out = a;
    if (blob.len == 0)
        return ERR_NONE;
    if (reader_u8(&r) != ALIAS_VERSION)
        return err_set(err, ERR_STATE, "an alias of a version that this program does not know");
    get_owners(&r, arena, &a->owners);
    a->parked_count = reader_count(&r, PARKED_BYTES_MIN);
    a->parked = ARENA_ARRAY(arena, struct parked, a->parked_count);
    for (size_t i = 0; i < a->parked_count && !r.failed; i++)
        get_parked(&r, arena, subject, &a->parked[i]);
    get_names(&r, arena, a);
    if (r.failed || r.at != r.end)
        return err_set(err, ERR_STATE, "the state of an alias is broken");
    return ERR_NONE;
}
