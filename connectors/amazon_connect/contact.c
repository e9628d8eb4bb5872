#include "connectors/amazon_connect/contact.h"

#include "connectors/agent/words.h"
#include "core/when.h"

enum { /* what the API takes */
       NAME_BYTES_MAX = 512,
       DESCRIPTION_BYTES_MAX = 4096,
       ATTRIBUTES_BYTES_MAX = 32768, /* of all keys and values of a contact */
       VALUE_BYTES_MAX = 1024,       /* ours, so that one fact does not crowd out the others */
};

static void put_member(struct json_writer *w, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    json_key(w, key);
    json_str(w, value);
}

/* --- attributes --------------------------------------------------------------------------------- */

struct attributes {
    struct json_writer *w;
    size_t bytes;
};

/* Left out if it would be too much for all of them. */
static void put_attribute(struct attributes *a, const char *prefix, struct str name,
                          struct str value)
{
    struct buf key = {0};

    buf_put_text(&key, prefix);
    agent_put_key(&key, name);
    value = str_head(value, VALUE_BYTES_MAX);
    if (value.len != 0 && a->bytes + key.len + value.len <= ATTRIBUTES_BYTES_MAX) {
        a->bytes += key.len + value.len;
        put_member(a->w, buf_text(&key), value);
    }
    buf_free(&key);
}

static bool has_earlier_key(const struct task *task, size_t index)
{
    struct buf key = {0}, other = {0};
    bool found = false;

    agent_put_key(&key, task->facts[index].name);
    for (size_t i = 0; i < index && !found; i++) {
        buf_clear(&other);
        agent_put_key(&other, task->facts[i].name);
        found = str_equal(buf_str(&key), buf_str(&other));
    }
    buf_free(&key);
    buf_free(&other);
    return found;
}

static void put_attributes(struct json_writer *w, const struct task *task, struct str deadline)
{
    const struct {
        const char *name;
        struct str value;
    } own[] = {
        {"task", task->id},           {"moment", task->moment},   {"customer", task->customer},
        {"about", task->about},       {"tier", task->tier},       {"purpose", task->purpose},
        {"queue", task->queue},       {"address", task->address}, {"language", task->language},
        {"decision", task->decision}, {"deadline", deadline}};
    struct attributes a = {.w = w};

    json_key(w, "Attributes");
    json_open(w, '{');
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        put_attribute(&a, "attent_", str_of(own[i].name), own[i].value);
    for (size_t i = 0; i < task->fact_count; i++) {
        struct buf value = {0};
        agent_put_fact(&value, &task->facts[i]);
        if (!has_earlier_key(task, i))
            put_attribute(&a, "fact_", task->facts[i].name, buf_str(&value));
        buf_free(&value);
    }
    json_close(w, '}');
}

/* --- references: what the agent sees beside the description -------------------------------------- */

static void put_reference(struct json_writer *w, struct str key, struct str value)
{
    struct buf name = {0};

    if (value.len == 0)
        return;
    buf_put(&name, key);
    json_key(w, buf_text(&name));
    json_open(w, '{');
    put_member(w, "Type", STR("STRING"));
    put_member(w, "Value", str_head(value, VALUE_BYTES_MAX));
    json_close(w, '}');
    buf_free(&name);
}

static const char *const own_labels[] = {"Customer", "Address", "Deadline"};

static bool has_earlier_label(const struct task *task, size_t index)
{
    for (size_t i = 0; i < sizeof own_labels / sizeof own_labels[0]; i++)
        if (str_is(task->facts[index].label, own_labels[i]))
            return true;
    for (size_t i = 0; i < index; i++)
        if (str_equal(task->facts[index].label, task->facts[i].label))
            return true;
    return false;
}

static void put_references(struct json_writer *w, const struct task *task, struct str deadline)
{
    const struct str own[] = {task->customer, task->address, deadline};

    json_key(w, "References");
    json_open(w, '{');
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        put_reference(w, str_of(own_labels[i]), own[i]);
    for (size_t i = 0; i < task->fact_count; i++) {
        struct buf value = {0};
        agent_put_fact(&value, &task->facts[i]);
        if (task->facts[i].label.len != 0 && !has_earlier_label(task, i))
            put_reference(w, task->facts[i].label, buf_str(&value));
        buf_free(&value);
    }
    json_close(w, '}');
}

/* --- requests ------------------------------------------------------------------------------------ */

void contact_put_start(struct buf *out, const struct contact_place *place, const struct task *task)
{
    struct json_writer w = json_writer_to(out);
    struct buf description = {0}, deadline = {0};

    agent_put_task(&description, task, DESCRIPTION_BYTES_MAX);
    when_put_rfc3339(&deadline, task->deadline_ms);
    json_open(&w, '{');
    put_member(&w, "InstanceId", place->instance);
    put_member(&w, "ContactFlowId", place->flow);
    put_member(&w, "TaskTemplateId", place->template);
    put_member(&w, "ClientToken", task->id);
    put_member(&w, "Name", str_head(task->title, NAME_BYTES_MAX));
    put_member(&w, "Description", buf_str(&description));
    put_attributes(&w, task, buf_str(&deadline));
    put_references(&w, task, buf_str(&deadline));
    json_close(&w, '}');
    buf_free(&description);
    buf_free(&deadline);
}

void contact_put_stop(struct buf *out, const struct contact_place *place, struct str contact)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    put_member(&w, "InstanceId", place->instance);
    put_member(&w, "ContactId", contact);
    json_close(&w, '}');
}

void contact_put_notice(struct buf *out, const struct task *task, const struct withdrawal *w)
{
    struct json_writer json = json_writer_to(out);
    struct buf name = {0};

    buf_put_text(&name, "WITHDRAWN");
    if (w->because.len != 0) {
        buf_put_text(&name, " (");
        buf_put(&name, w->because);
        buf_put_char(&name, ')');
    }
    buf_put_text(&name, ": ");
    buf_put(&name, task->title);
    json_open(&json, '{');
    put_member(&json, "Name", str_head(buf_str(&name), NAME_BYTES_MAX));
    json_close(&json, '}');
    buf_free(&name);
}
