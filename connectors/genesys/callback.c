#include "connectors/genesys/callback.h"

#include "connectors/agent/words.h"
#include "core/when.h"

enum { VALUE_BYTES_MAX = 4000 /* ours: an agent's screen is not a letter */ };

static void put_member(struct json_writer *w, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    json_key(w, key);
    json_str(w, str_head(value, VALUE_BYTES_MAX));
}

static bool has_earlier_name(const struct task *task, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (str_equal(task->facts[index].name, task->facts[i].name))
            return true;
    return false;
}

static void put_facts(struct json_writer *w, const struct task *task)
{
    for (size_t i = 0; i < task->fact_count; i++) {
        struct buf key = {0}, value = {0};
        buf_put_text(&key, "fact_");
        buf_put(&key, task->facts[i].name);
        agent_put_fact(&value, &task->facts[i]);
        if (!has_earlier_name(task, i))
            put_member(w, buf_text(&key), buf_str(&value));
        buf_free(&key);
        buf_free(&value);
    }
}

/* Each becomes an attribute of the customer's participant, which scripts and flows can read. */
static void put_data(struct json_writer *w, const struct task *task)
{
    struct buf deadline = {0};

    when_put_rfc3339(&deadline, task->deadline_ms);
    json_key(w, "data");
    json_open(w, '{');
    put_member(w, "attent_task", task->id);
    put_member(w, "attent_moment", task->moment);
    put_member(w, "attent_customer", task->customer);
    put_member(w, "attent_about", task->about);
    put_member(w, "attent_title", task->title);
    put_member(w, "attent_reason", task->reason);
    put_member(w, "attent_say", task->say.len != 0 ? task->say : task->text);
    put_member(w, "attent_language", task->language);
    put_member(w, "attent_deadline", buf_str(&deadline));
    put_facts(w, task);
    json_close(w, '}');
    buf_free(&deadline);
}

void callback_put_create(struct buf *out, const struct task *task, struct str queue,
                         struct str script)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    put_member(&w, "queueId", queue);
    put_member(&w, "scriptId", script);
    put_member(&w, "callbackUserName", task->customer);
    json_key(&w, "callbackNumbers");
    json_open(&w, '[');
    json_str(&w, task->address);
    json_close(&w, ']');
    put_data(&w, task);
    json_close(&w, '}');
}

void callback_put_notice(struct buf *out, const struct withdrawal *w)
{
    struct json_writer json = json_writer_to(out);

    json_open(&json, '{');
    json_key(&json, "attributes");
    json_open(&json, '{');
    put_member(&json, "attent_withdrawn", w->because.len != 0 ? w->because : w->reason);
    json_close(&json, '}');
    json_close(&json, '}');
}

/* --- what it says --------------------------------------------------------------------------------- */

static bool is_one_of(struct value v, const char *one, const char *other)
{
    return v.kind == VALUE_STRING && (str_is(value_str(v), one) || str_is(value_str(v), other));
}

enum callback_stage callback_stage_of(struct value conversation, struct str *customer)
{
    struct value list = json_at(conversation, STR("/participants"));
    bool over = true, with_agent = false;

    *customer = STR_EMPTY;
    for (size_t i = 0; list.kind == VALUE_LIST && i < list.n; i++) {
        struct value purpose = json_at(list.list[i], STR("/purpose"));
        struct value state = json_at(list.list[i], STR("/state"));
        struct value id = json_at(list.list[i], STR("/id"));
        over &= is_one_of(state, "disconnected", "terminated");
        with_agent |= is_one_of(purpose, "agent", "user") && is_one_of(state, "connected", "");
        if (is_one_of(purpose, "customer", "external") && id.kind == VALUE_STRING)
            *customer = value_str(id);
    }
    if (with_agent)
        return CALLBACK_WITH_AGENT;
    return over && list.kind == VALUE_LIST && list.n != 0 ? CALLBACK_OVER : CALLBACK_WAITING;
}
