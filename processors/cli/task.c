/* attent task: what dispatch did with one task, from the view of the ledger in Redis. */
#include <stdio.h>

#include "core/json.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/dispatch/ledger.h"
#include "processors/dispatch/ledger_view.h"

static const char *words_of(enum ledger_state state)
{
    static const char *const words[] = {
#define STATE(name, code, text) text,
#include "processors/dispatch/states.def"
#undef STATE
    };

    return words[state];
}

static struct str text_of(struct value entry, const char *key)
{
    struct value v = value_map_get(entry, str_of(key));

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

static void put_line(struct buf *out, const char *name, struct str value)
{
    if (value.len != 0)
        buf_put_format(out, "  %-10s %.*s\n", name, STR_ARG(value));
}

/* False: it is of another version. */
static bool print(struct str id, struct str json, struct arena *arena)
{
    static const char *const shown[] = {"reason",  "customer", "moment",
                                        "channel", "queue",    "reference"};
    struct value entry, attempt;
    enum ledger_state state;
    struct buf out = {0};

    if (json_parse(json, arena, &entry, NULL) != JSON_FINE || entry.kind != VALUE_MAP ||
        !ledger_state_find(text_of(entry, "state"), &state))
        return false;
    buf_put_format(&out, "task %.*s is %s: %s\n", STR_ARG(id), ledger_state_code(state),
                   words_of(state));
    put_line(&out, "since", text_of(entry, "at"));
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        put_line(&out, shown[i], text_of(entry, shown[i]));
    attempt = value_map_get(entry, STR("attempt"));
    if (attempt.kind == VALUE_INT)
        buf_put_format(&out, "  %-10s %lld\n", "attempts", (long long)attempt.i);
    put_line(&out, "next", text_of(entry, "next"));
    put_line(&out, "until", text_of(entry, "due"));
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    return true;
}

static enum err_code find(const struct command *c, struct str id, struct str *json, struct err *err)
{
    const struct redis_settings settings = config_redis(c->conf);
    const struct str args[] = {
        STR("GET"), ledger_view_task_key(config_view_prefix(c->conf, c->arena), id, c->arena)};
    struct redis *redis = NULL;
    struct redis_reply *reply = NULL;
    enum err_code code = redis_open(&settings, &redis, err);

    *json = STR_EMPTY;
    if (code == ERR_NONE)
        code = redis_command(redis, args, 2, &reply, err);
    if (code == ERR_NONE && redis_reply_kind(reply) == REDIS_TEXT)
        *json = arena_str(c->arena, redis_reply_text(reply));
    redis_reply_free(reply);
    redis_close(redis);
    return code;
}

static int show(const struct command *c, struct str id, struct str json)
{
    if (json.len == 0) {
        fprintf(
            stderr,
            "attent: dispatch has no task %.*s: it never got one, or it has been over for longer "
            "than dispatch.keep (`attent why CUSTOMER` shows what was decided)\n",
            STR_ARG(id));
        return EXIT_FINDINGS;
    }
    if (options_has(&c->options, "json")) {
        printf("%.*s\n", STR_ARG(json));
        return EXIT_FINE;
    }
    if (!print(id, json, c->arena)) {
        fprintf(stderr, "attent: what stands in Redis of this task is of another version\n");
        return EXIT_FINDINGS;
    }
    return EXIT_FINE;
}

int verb_task(int argc, char **argv)
{
    struct err err = {0};
    struct command c;
    struct str id, json;
    int code;

    if (!command_open(&c, "task", argc, argv, 1, 1, &code))
        return command_close(&c, code);
    id = str_of(c.options.arguments[0]);
    if (!ledger_is_id(id)) {
        err_set(&err, ERR_USAGE, "\"%.*s\" is no id of a task: 32 hex digits", STR_ARG(id));
        return command_close(&c, cli_fail(&err));
    }
    if (find(&c, id, &json, &err) != ERR_NONE)
        return command_close(&c, cli_fail(&err));
    return command_close(&c, show(&c, id, json));
}
