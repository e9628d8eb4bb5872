/* An event is looked up by its own time (CloudEvents time, never later than its record).  One with
 * which the alias stops being its owner's is looked up at the moment before.
 *
 * What waits is looked at again at each change of the owners, in the order in which it came; so a
 * late binding releases what belongs to it and leaves the rest.
 */
#include "processors/identify/identify.h"

#include <inttypes.h>

#include "core/check.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "core/when.h"
#include "processors/identify/alias.h"
#include "schemas/binding.h"
#include "schemas/event.h"
#include "schemas/watermark.h"

enum {
    HEADERS_MORE = 12, /* of a dead letter or an identified event, at most */
};
#define GONE_MS ((int64_t)30 * WHEN_DAY_MS) /* bindings on their way take seconds; a replay days */

struct step {
    const struct identify_config *config;
    int32_t partition;
    char active[HASH128_HEX_SIZE]; /* the rule set in force; empty: none yet */
    const struct identity *identity;
};

struct turn { /* one record or timer */
    struct step *step;
    struct alias *alias;
    const struct alias_kind *kind;
    int64_t now_ms;
    struct arena *arena;
    struct outputs *out;
    bool *changed;
};

static const struct identity no_identity;

const char *identify_happening_text(enum identify_happening happening)
{
    static const char *const texts[] = {
#define HAPPENING(name, text) text,
        IDENTIFY_HAPPENINGS
#undef HAPPENING
    };

    CHECK(happening < IDENTIFY_HAPPENING_COUNT);
    return texts[happening];
}

static void happened(const struct step *step, enum identify_happening happening)
{
    if (step->config->happened != NULL)
        step->config->happened(step->config->context, happening);
}

/* --- what goes out -------------------------------------------------------------------------------- */

struct headers {
    struct header *items;
    size_t count;
};

static void add(struct headers *headers, const char *name, struct str value)
{
    headers->items[headers->count++] = (struct header){str_of(name), value};
}

/* Those of the event; without what was said to this step, unless it may come here again. */
static struct headers headers_of(const struct turn *t, const struct record *event, bool letter)
{
    struct headers headers = {
        ARENA_ARRAY(t->arena, struct header, event->header_count + HEADERS_MORE), 0};

    for (size_t i = 0; i < event->header_count; i++) {
        struct str name = event->headers[i].name;

        if (letter || (!str_is(name, IDENTIFY_HEADER) && !str_is(name, ORIGIN_HEADER)))
            headers.items[headers.count++] = event->headers[i];
    }
    return headers;
}

/* The event as its source would have written it, had it known the customer. */
static void send_event(const struct turn *t, const struct record *event, struct str customer)
{
    struct headers headers = headers_of(t, event, false);

    add(&headers, "ce_subject", customer);
    add(&headers, "ce_partitionkey", customer);
    outputs_add(t->out, IDENTIFY_TOPIC_EVENTS, event->timestamp_ms, customer, event->value,
                headers.items, headers.count);
}

static const struct {
    const char *code, *text;
    enum identify_happening happening;
} reasons[] = {
#define REASON(name, code, text) {code, text, IDENTIFY_HAPPENED_##name},
#include "processors/identify/reasons.def"
#undef REASON
};
enum reason {
#define REASON(name, code, text) REASON_##name,
#include "processors/identify/reasons.def"
#undef REASON
};

/* Where it came from, as ingest says it: TOPIC/PARTITION/OFFSET. */
static void add_origin(struct headers *headers, struct str origin)
{
    struct str topic, rest, partition, offset;

    if (!str_cut(origin, '/', &topic, &rest) || !str_cut(rest, '/', &partition, &offset))
        return;
    add(headers, "__connect.errors.topic", topic);
    add(headers, "__connect.errors.partition", partition);
    add(headers, "__connect.errors.offset", offset);
}

static void send_letter(const struct turn *t, const struct record *event, enum reason reason)
{
    struct headers headers = headers_of(t, event, true);

    add_origin(&headers, record_header(event, STR(ORIGIN_HEADER)));
    add(&headers, "__connect.errors.connector.name", STR("attent-identify"));
    add(&headers, "__connect.errors.stage", STR("TRANSFORMATION"));
    add(&headers, "__connect.errors.exception.class.name",
        arena_format(t->arena, "attent.%s", reasons[reason].code));
    add(&headers, "__connect.errors.exception.message", str_of(reasons[reason].text));
    add(&headers, "attent-reason", str_of(reasons[reason].code));
    outputs_add(t->out, IDENTIFY_TOPIC_DLQ, event->timestamp_ms, t->alias->subject, event->value,
                headers.items, headers.count);
    happened(t->step, reasons[reason].happening);
}

/* To another subject of this step. */
static void send_own(const struct turn *t, enum identify_kind kind, struct str subject,
                     const struct binding *binding)
{
    const struct header header = {STR(IDENTIFY_HEADER), str_of(identify_kind_text(kind))};
    struct buf json = {0};

    binding_put_json(&json, binding);
    outputs_add(t->out, IDENTIFY_TOPIC_OWN, t->now_ms, subject, buf_str(&json), &header, 1);
    buf_free(&json);
}

/* About a customer, or somebody who was one. */
static void send_about(const struct turn *t, enum identify_kind kind, const struct binding *binding)
{
    send_own(t, kind, binding_customer_key(binding->customer, t->arena), binding);
}

/* --- events ---------------------------------------------------------------------------------------- */

/* The time at which its owner counts. */
static int64_t time_of(const struct record *event)
{
    enum identify_kind kind = IDENTIFY_EVENT;
    struct event read = {0};
    int64_t written_ms;

    if (!when_parse_ms(record_header(event, STR("ce_time")), &written_ms))
        written_ms = event->timestamp_ms;
    event_set_time(&read, written_ms, event->timestamp_ms);
    identify_kind_of(event, &kind);
    return kind == IDENTIFY_LAST_EVENT ? read.time_ms - 1 : read.time_ms;
}

static void remove_parked(struct alias *a, size_t at)
{
    a->parked_count--;
    memmove(&a->parked[at], &a->parked[at + 1], (a->parked_count - at) * sizeof *a->parked);
}

/* False: it is not known whose it is. */
static bool settle(const struct turn *t, const struct record *event,
                   enum identify_happening happening)
{
    struct str customer;

    switch (owners_at(&t->alias->owners, time_of(event), t->kind->park_ms, &customer)) {
    case OWNER_FOUND:
        send_event(t, event, customer);
        happened(t->step, happening);
        return true;
    case OWNER_FORGOTTEN: send_letter(t, event, REASON_FORGOTTEN); return true;
    case OWNER_UNKNOWN: break;
    }
    return false;
}

static bool is_over(const struct alias *a, const struct alias_kind *kind)
{
    size_t bytes = 0;

    for (size_t i = 0; i < a->parked_count; i++)
        bytes += parked_bytes(&a->parked[i]);
    return a->parked_count > kind->park_events || bytes > kind->park_bytes;
}

static void take_event(const struct turn *t, const struct record *event)
{
    struct alias *a = t->alias;

    if (settle(t, event, IDENTIFY_HAPPENED_IDENTIFIED))
        return;
    alias_park(a, event, t->now_ms + t->kind->park_ms, t->arena);
    happened(t->step, IDENTIFY_HAPPENED_PARKED);
    while (is_over(a, t->kind)) {
        send_letter(t, &a->parked[0].record, REASON_FULL);
        remove_parked(a, 0);
    }
    *t->changed = true;
}

/* After the owners have changed. */
static void release(const struct turn *t)
{
    struct alias *a = t->alias;

    for (size_t i = 0; i < a->parked_count;)
        if (settle(t, &a->parked[i].record, IDENTIFY_HAPPENED_RELEASED) && !MUTANT(PARKED_TWICE))
            remove_parked(a, i);
        else
            i++;
}

/* --- owners ---------------------------------------------------------------------------------------- */

static void change_owners(const struct turn *t, bool changed, enum identify_happening happening)
{
    if (!changed)
        return;
    *t->changed = true;
    happened(t->step, happening);
    release(t);
}

static void bind(const struct turn *t, const struct binding *b)
{
    struct alias *a = t->alias;
    bool changed = owners_bind(&a->owners, b->customer, b->at_ms, t->kind->owners, t->arena);

    if (changed)
        send_about(t, IDENTIFY_OWNED,
                   &(struct binding){b->customer, a->subject, STR_EMPTY, b->at_ms});
    change_owners(t, changed, IDENTIFY_HAPPENED_BOUND);
}

static void unbind(const struct turn *t, struct str customer, int64_t at_ms)
{
    change_owners(t, owners_unbind(&t->alias->owners, customer, at_ms, t->kind->owners, t->arena),
                  IDENTIFY_HAPPENED_UNBOUND);
}

/* --- customers ------------------------------------------------------------------------------------- */

/* Tell one of the aliases of a customer who is gone, or the mark of one who was merged into him. */
static void tell_gone(const struct turn *t, struct str customer, struct str name, int64_t at_ms)
{
    const struct alias *a = t->alias;
    struct binding b = {.customer = customer, .to = a->gone_to, .at_ms = a->gone_ms};

    send_own(t, b.to.len != 0 ? IDENTIFY_RENAME : IDENTIFY_FORGET, name, &b);
    if (b.to.len != 0)
        send_about(t, IDENTIFY_OWNED, &(struct binding){b.to, name, STR_EMPTY, at_ms});
}

static void take_owned(const struct turn *t, const struct binding *b)
{
    struct alias *a = t->alias;

    if (a->gone_ms != INT64_MIN && (a->gone_to.len != 0 || b->at_ms <= a->gone_ms))
        tell_gone(t, b->customer, b->alias, b->at_ms);
    else
        *t->changed |= alias_add_name(a, b->alias, b->at_ms, t->arena);
}

/* Erased under an id that was merged: so is the other. */
static void erase_other(const struct turn *t, int64_t at_ms)
{
    if (t->alias->gone_to.len != 0)
        send_about(t, IDENTIFY_ERASED,
                   &(struct binding){.customer = t->alias->gone_to, .at_ms = at_ms});
}

static void take_gone(const struct turn *t, const struct binding *b)
{
    struct alias *a = t->alias;

    if (str_equal(b->customer, b->to))
        return;
    if (b->to.len == 0)
        erase_other(t, b->at_ms);
    a->gone_ms = b->at_ms;
    a->gone_until_ms = t->now_ms + GONE_MS;
    a->gone_to = arena_str(t->arena, b->to);
    for (size_t i = 0; i < a->name_count; i++)
        tell_gone(t, b->customer, a->names[i].name, a->names[i].at_ms);
    a->name_count = 0;
    if (b->to.len != 0) /* so that this mark can be found, too */
        send_about(t, IDENTIFY_OWNED, &(struct binding){b->to, a->subject, STR_EMPTY, b->at_ms});
    *t->changed = true;
    happened(t->step, IDENTIFY_HAPPENED_GONE);
}

/* Whoever this one was merged into is gone.  Merged back into this one: then this one is not gone any
 * more, or the two would tell each other for ever. */
static void take_other_gone(const struct turn *t, const struct binding *b)
{
    struct alias *a = t->alias;
    bool back = b->to.len != 0 && str_equal(binding_customer_key(b->to, t->arena), a->subject);

    if (a->gone_to.len == 0 || !str_equal(a->gone_to, b->customer))
        return;
    a->gone_to = back ? STR_EMPTY : arena_str(t->arena, b->to);
    a->gone_ms = back ? INT64_MIN : b->to.len == 0 && b->at_ms > a->gone_ms ? b->at_ms : a->gone_ms;
    *t->changed = true;
}

/* --- records --------------------------------------------------------------------------------------- */

static bool is_customer(const struct alias *a)
{
    return str_starts(a->subject, STR(ALIAS_CUSTOMER ":")) &&
           a->subject.len > sizeof ALIAS_CUSTOMER;
}

/* Does what it says fit its kind and its subject? */
static bool fits(const struct alias *a, enum identify_kind kind, const struct binding *b)
{
    switch (kind) {
    case IDENTIFY_BIND: return !is_customer(a) && b->customer.len != 0;
    case IDENTIFY_FORGET: return b->customer.len != 0;
    case IDENTIFY_RENAME: return b->customer.len != 0 && b->to.len != 0;
    case IDENTIFY_UNBIND: return !is_customer(a);
    case IDENTIFY_OWNED: return is_customer(a) && b->customer.len != 0 && b->alias.len != 0;
    case IDENTIFY_MERGED: return is_customer(a) && b->customer.len != 0 && b->to.len != 0;
    case IDENTIFY_ERASED: return is_customer(a) && b->customer.len != 0 && b->to.len == 0;
    case IDENTIFY_EVENT:
    case IDENTIFY_LAST_EVENT: return !is_customer(a);
    case IDENTIFY_KIND_COUNT: break;
    }
    return false;
}

static void take_record(const struct turn *t, const struct record *record, enum identify_kind kind,
                        const struct binding *b)
{
    struct owners *owners = &t->alias->owners;

    switch (kind) {
    case IDENTIFY_EVENT: take_event(t, record); return;
    case IDENTIFY_LAST_EVENT:
        unbind(t, STR_EMPTY, time_of(record) + 1);
        take_event(t, record);
        return;
    case IDENTIFY_BIND: bind(t, b); return;
    case IDENTIFY_UNBIND: unbind(t, b->customer, b->at_ms); return;
    case IDENTIFY_FORGET:
        take_other_gone(t, b);
        change_owners(t, owners_forget(owners, b->customer, b->at_ms), IDENTIFY_HAPPENED_UNBOUND);
        return;
    case IDENTIFY_RENAME:
        take_other_gone(t, b);
        change_owners(t, owners_rename(owners, b->customer, b->to, t->arena),
                      IDENTIFY_HAPPENED_BOUND);
        return;
    case IDENTIFY_OWNED: take_owned(t, b); return;
    case IDENTIFY_ERASED:
    case IDENTIFY_MERGED: take_gone(t, b); return;
    case IDENTIFY_KIND_COUNT: break;
    }
    CHECK_NEVER("a kind of record that there is not");
}

static struct turn turn_of(struct step *step, void *state, int64_t now_ms, struct arena *arena,
                           struct outputs *out, bool *changed)
{
    struct alias *a = state;

    return (struct turn){step, a,      identity_kind(step->identity, a->subject), now_ms, arena,
                         out,  changed};
}

static void identify_record(struct step *step, void *state, const struct record *record,
                            int64_t now_ms, struct arena *arena, struct outputs *out, bool *changed)
{
    struct turn t = turn_of(step, state, now_ms, arena, out, changed);
    enum identify_kind kind = IDENTIFY_EVENT;
    struct binding b = {0};
    bool good = identify_kind_of(record, &kind);

    if (good && kind != IDENTIFY_EVENT && kind != IDENTIFY_LAST_EVENT)
        good = binding_read_json(record->value, arena, &b);
    if (good && fits(t.alias, kind, &b))
        take_record(&t, record, kind, &b);
    else
        happened(step, IDENTIFY_HAPPENED_JUNK);
}

static void identify_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                           struct arena *arena, struct outputs *out, bool *changed)
{
    struct turn t = turn_of(step, state, now_ms, arena, out, changed);
    struct alias *a = t.alias;

    for (size_t i = 0; i < a->parked_count;) {
        if (a->parked[i].until_ms > due_ms) {
            i++;
            continue;
        }
        send_letter(&t, &a->parked[i].record, REASON_UNKNOWN);
        remove_parked(a, i);
    }
    if (a->gone_until_ms <= due_ms)
        a->gone_ms = INT64_MIN;
    *changed = true;
}

/* --- what the worker asks --------------------------------------------------------------------------- */

static enum err_code activate(struct step *step, struct str hash_hex, struct err *err)
{
    const struct identity *identity = NULL;

    if (hash_hex.len == HASH128_HEX_SIZE - 1)
        identity = step->config->find(step->config->context, hash_hex, err);
    else
        err_set(err, ERR_STATE, "it is no hash of rules");
    if (identity == NULL)
        return err_prefix(err, "rule set %.*s", STR_ARG(hash_hex)), ERR_STATE;
    step->identity = identity;
    memcpy(step->active, hash_hex.data, hash_hex.len);
    return ERR_NONE;
}

static void identify_close(struct step *step)
{
    mem_free(step);
}

static enum err_code identify_open(const void *config, int32_t partition,
                                   struct str partition_state, struct step **out, struct err *err)
{
    struct step *step = MEM_NEW(struct step);
    enum err_code code = ERR_NONE;

    *out = NULL;
    step->config = config;
    step->partition = partition;
    step->identity = &no_identity;
    if (partition_state.len != 0)
        code = activate(step, partition_state, err);
    if (code != ERR_NONE)
        identify_close(step);
    else
        *out = step;
    return code;
}

static void identify_save_partition(const struct step *step, struct buf *out)
{
    buf_put_text(out, step->active);
}

static bool identify_wants(struct step *step, const struct record *record)
{
    enum identify_kind kind;

    if (identify_kind_of(record, &kind))
        return true;
    happened(step, IDENTIFY_HAPPENED_JUNK);
    return false;
}

static struct str identify_subject(struct step *step, const struct record *record)
{
    (void)step;
    return record->key;
}

static enum err_code identify_load(struct step *step, struct str subject, struct str blob,
                                   struct arena *arena, void **state, struct err *err)
{
    struct alias *alias;
    enum err_code code = alias_decode(subject, blob, arena, &alias, err);

    (void)step;
    *state = alias;
    return code;
}

static void identify_save(const struct step *step, const void *state, struct buf *out)
{
    (void)step;
    alias_encode(state, out);
}

static int64_t identify_due_ms(const struct step *step, const void *state)
{
    (void)step;
    return alias_due_ms(state);
}

/* Partition p, by way of partition v of attent.identify, is partition v * P + p. */
static void pass_watermark(const struct step *step, const struct record *record,
                           struct arena *arena, struct outputs *out)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_WATERMARK)};
    struct watermark w;
    struct buf json = {0};
    int32_t ways = step->config->partitions;

    if (!watermark_read_json(record->value, arena, &w, NULL) ||
        (!w.follows && (int64_t)w.partitions * ways > LIMIT_SOURCE_PARTITIONS)) {
        happened(step, IDENTIFY_HAPPENED_JUNK);
        return;
    }
    for (size_t i = 0; i < w.part_count; i++)
        w.parts[i].partition += step->partition * w.partitions;
    w.partitions *= ways;
    watermark_put_json(&json, &w);
    outputs_add_all(out, IDENTIFY_TOPIC_EVENTS, record->timestamp_ms, buf_str(&json), &header, 1);
    buf_free(&json);
}

static enum err_code identify_control(struct step *step, const struct record *record,
                                      struct arena *arena, struct outputs *out, bool *changed,
                                      struct err *err)
{
    struct str kind = record_header(record, STR(CONTROL_HEADER));
    enum err_code code = ERR_NONE;

    if (str_is(kind, CONTROL_WATERMARK))
        pass_watermark(step, record, arena, out);
    if (str_is(kind, CONTROL_ACTIVATE)) {
        code = activate(step, record->value, err);
        *changed = code == ERR_NONE;
    }
    return code;
}

static const char *const topics[] = {"attent.events", "attent.identify", "attent.identify.dlq",
                                     NULL};

const struct step_class identify_class = {
    .name = "identify",
    .topics = topics,
    .open = identify_open,
    .close = identify_close,
    .save_partition = identify_save_partition,
    .wants = identify_wants,
    .subject = identify_subject,
    .load = identify_load,
    .save = identify_save,
    .due_ms = identify_due_ms,
    .record = identify_record,
    .timer = identify_timer,
    .control = identify_control,
};
