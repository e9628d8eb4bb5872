#include "connectors/agent/words.h"

#include <inttypes.h>

#define WHOLE_MAX 1e15 /* below it a double that is whole is written as an integer, exactly */

void agent_put_task(struct buf *out, const struct task *task, size_t bytes_max)
{
    struct str words = task->say.len != 0 ? task->say : task->text;
    struct buf all = {0};

    buf_put(&all, task->reason);
    if (words.len != 0) {
        buf_put_text(&all, task->reason.len != 0 ? "\n\n" : "");
        buf_put(&all, words);
    }
    buf_put(out, str_head(buf_str(&all), bytes_max));
    buf_free(&all);
}

static bool is_whole(struct value v)
{
    return v.kind == VALUE_DOUBLE && v.d > -WHOLE_MAX && v.d < WHOLE_MAX &&
           v.d == (double)(int64_t)v.d;
}

void agent_put_fact(struct buf *out, const struct task_fact *fact)
{
    if (fact->value.kind == VALUE_STRING)
        buf_put(out, value_str(fact->value));
    else if (is_whole(fact->value))
        buf_put_format(out, "%" PRId64, (int64_t)fact->value.d);
    else
        json_put_value(out, fact->value);
    if (fact->unit.len != 0) {
        buf_put_char(out, ' ');
        buf_put(out, fact->unit);
    }
}

void agent_put_key(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_';
        buf_put_char(out, fine ? c : '_');
    }
}
