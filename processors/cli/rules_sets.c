/* attent rules: the rule sets that are or were in force, from the rules topic: which, what is in one,
 * what differs between two, and back to an earlier one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/json.h"
#include "core/when.h"
#include "processors/cli/activate.h"
#include "processors/cli/activate_plan.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_diff.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/rules_named.h"
#include "processors/cli/rules_topic.h"

struct sets {
    const struct command *c;
    struct kafka_settings kafka;
    struct rules_topic *topic;
    struct activation_history history;
    struct buf out;
    struct err err;
    int exit_code;
};

/* One that the user named: an activation, or a folder. */
struct named {
    const struct activation_entry *entry; /* NULL: a folder */
    const char *name;                     /* "3", "rules" */
    struct bundle bundle;
};

static bool is_json(const struct sets *s)
{
    return options_has(&s->c->options, "json");
}

static const char *argument(const struct sets *s, size_t i)
{
    return i < s->c->options.argument_count ? s->c->options.arguments[i] : NULL;
}

static const struct activation_entry *in_force(const struct sets *s)
{
    return activation_in_force(&s->history);
}

static int64_t whole_seconds(int64_t at_ms)
{
    return at_ms - at_ms % WHEN_SECOND_MS;
}

/* --- which one? ---------------------------------------------------------------------------------- */

static const struct activation_entry *find_entry(struct sets *s, const char *text)
{
    return activation_find(&s->history, text, &s->err);
}

/* The newest one before it with other rules. */
static const struct activation_entry *one_before(struct sets *s,
                                                 const struct activation_entry *entry)
{
    for (; entry > s->history.entries; entry--)
        if (strcmp(entry[-1].hash, entry->hash) != 0)
            return &entry[-1];
    err_set(&s->err, ERR_USAGE, "no other rules were in force before");
    return NULL;
}

static enum err_code read_entry(struct sets *s, const struct activation_entry *entry,
                                struct named *out)
{
    if (entry == NULL)
        return s->err.code;
    out->entry = entry;
    out->name = arena_format(s->c->arena, "%" PRId64, entry->number).data;
    return rules_topic_bundle(s->topic, str_of(entry->hash), s->c->arena, &out->bundle, &s->err);
}

static enum err_code read_named(struct sets *s, const char *text, struct named *out)
{
    if (!file_is_folder(text))
        return read_entry(s, find_entry(s, text), out);
    out->entry = NULL;
    out->name = text;
    return rules_folder_read(text, s->c->arena, &out->bundle, &s->err);
}

/* --- list ------------------------------------------------------------------------------------------- */

static void list_json(struct sets *s, const struct activation_entry *entry)
{
    struct json_writer w = json_writer_to(&s->out);

    json_open(&w, '{');
    activation_entry_put(entry, &w);
    json_key(&w, "in_force");
    json_bool(&w, entry == in_force(s));
    json_close(&w, '}');
    buf_put_char(&s->out, '\n');
}

static enum err_code run_list(struct sets *s)
{
    for (size_t i = s->history.count; i > 0; i--) {
        const struct activation_entry *entry = &s->history.entries[i - 1];
        struct buf at = {0};

        if (is_json(s)) {
            list_json(s, entry);
            continue;
        }
        when_put_rfc3339(&at, whole_seconds(entry->at_ms));
        buf_put_format(&s->out, "%4" PRId64 "  %s  %s%s\n", entry->number, buf_text(&at),
                       entry->hash, entry == in_force(s) ? "  in force" : "");
        buf_free(&at);
    }
    return ERR_NONE;
}

/* --- show ------------------------------------------------------------------------------------------- */

static void put_title(struct sets *s, const struct named *set)
{
    buf_put_format(&s->out, "%s since ",
                   set->entry == in_force(s) ? "in force" : "was put in force");
    when_put_rfc3339(&s->out, whole_seconds(set->entry->at_ms));
    buf_put_format(&s->out, "\nnumber %" PRId64 ", hash %s\n\n", set->entry->number,
                   set->entry->hash);
}

static void put_moments(struct sets *s, const struct ruleset *rules)
{
    for (size_t i = 0; i < rules->moment_count; i++) {
        const struct moment *m = &rules->moments[i];
        struct str tier = rules->policy.tiers[m->tier].name;

        buf_put_format(&s->out, "  %-28.*s %-12.*s %s  %.*s\n", STR_ARG(m->name), STR_ARG(tier),
                       m->version, STR_ARG(m->title));
    }
}

static enum err_code show_text(struct sets *s, const struct named *set)
{
    struct diags diags = {0};
    struct ruleset *rules = ruleset_compile(&set->bundle, NULL, &diags);

    put_title(s, set);
    buf_put_text(&s->out, "moments\n");
    if (rules != NULL)
        put_moments(s, rules);
    else
        buf_put_text(&s->out, "  this version of attent cannot compile them\n");
    buf_put_text(&s->out, "files\n");
    for (size_t i = 0; i < set->bundle.count; i++)
        buf_put_format(&s->out, "  %-44.*s %6zu bytes\n", STR_ARG(set->bundle.files[i].name),
                       set->bundle.files[i].text.len);
    ruleset_free(rules);
    diags_free(&diags);
    return ERR_NONE;
}

static enum err_code show_json(struct sets *s, const struct named *set)
{
    bundle_write(&set->bundle, &s->out);
    buf_put_char(&s->out, '\n');
    return ERR_NONE;
}

/* --- show --out: back to files -------------------------------------------------------------------------- */

static enum err_code make_folders(struct sets *s, const char *path)
{
    char *copy = arena_copy(s->c->arena, path, strlen(path) + 1);

    for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            return err_set(&s->err, ERR_IO, "%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    return ERR_NONE;
}

/* Names come from a topic that others may write to: none may lead out of the folder. */
static bool is_inside(struct str name)
{
    return !str_starts(name, STR("/")) && !str_contains(name, STR(".."));
}

static enum err_code write_one(struct sets *s, const char *dir, const struct bundle_file *file)
{
    struct str path = arena_format(s->c->arena, "%s/%.*s", dir, STR_ARG(file->name));
    enum err_code code;

    if (!is_inside(file->name))
        return err_set(&s->err, ERR_STATE, "a file of the rule set is called \"%.*s\"",
                       STR_ARG(file->name));
    code = make_folders(s, path.data);
    return code == ERR_NONE ? file_write(path.data, file->text, &s->err) : code;
}

static enum err_code write_files(struct sets *s, const struct named *set, const char *dir)
{
    enum err_code code = ERR_NONE;
    size_t count = 0;

    if (file_is_folder(dir) || file_exists(dir))
        return err_set(&s->err, ERR_USAGE, "%s is there already; name a folder that is not", dir);
    for (size_t i = 0; i < set->bundle.count && code == ERR_NONE; i++)
        if (!bundle_is_note(set->bundle.files[i].name)) {
            code = write_one(s, dir, &set->bundle.files[i]);
            count++;
        }
    if (code == ERR_NONE)
        buf_put_format(&s->out, "%zu files written to %s\n", count, dir);
    return code;
}

static enum err_code run_show(struct sets *s)
{
    const char *dir = options_value(&s->c->options, "out");
    struct named set;
    enum err_code code = argument(s, 1) != NULL ? read_entry(s, find_entry(s, argument(s, 1)), &set)
                                                : read_entry(s, in_force(s), &set);

    if (code != ERR_NONE)
        return code;
    if (dir != NULL)
        return write_files(s, &set, dir);
    return is_json(s) ? show_json(s, &set) : show_text(s, &set);
}

/* --- diff ------------------------------------------------------------------------------------------- */

/* A and B as given; only one: that folder is what would come next, that rule set what was before;
 * none: what the last activation changed. */
static enum err_code choose_sides(struct sets *s, struct named *from, struct named *to)
{
    const char *a = argument(s, 1), *b = argument(s, 2);
    enum err_code code;

    if (a != NULL && b == NULL && file_is_folder(a)) {
        b = a;
        a = NULL;
        code = read_entry(s, in_force(s), from);
    } else if (a != NULL) {
        code = read_named(s, a, from);
    } else {
        code = read_entry(s, one_before(s, in_force(s)), from);
    }
    if (code != ERR_NONE)
        return code;
    return b != NULL ? read_named(s, b, to) : read_entry(s, in_force(s), to);
}

static enum err_code run_diff(struct sets *s)
{
    struct named from, to;
    enum err_code code = choose_sides(s, &from, &to);
    bool differs;

    if (code == ERR_NONE)
        code = rules_diff((struct rules_side){&from.bundle, from.name},
                          (struct rules_side){&to.bundle, to.name}, &s->out, &differs, &s->err);
    if (code == ERR_NONE && !differs)
        buf_put_format(&s->out, "%s and %s are the same\n", from.name, to.name);
    return code;
}

/* --- rollback --------------------------------------------------------------------------------------- */

static enum err_code check_compiles(struct sets *s, const struct named *set)
{
    enum err_code code = bundle_check_semantics(&set->bundle, &s->err);
    struct diags diags = {0};
    struct ruleset *rules = ruleset_compile(&set->bundle, NULL, &diags);

    if (code == ERR_NONE && rules == NULL)
        code = err_set(&s->err, ERR_CONFIG, "this version of attent cannot compile number %s: %s",
                       set->name, diags.count != 0 ? diags.items[0].what : "no finding");
    ruleset_free(rules);
    diags_free(&diags);
    return code;
}

static enum err_code run_rollback(struct sets *s)
{
    struct named set;
    char hash[HASH128_HEX_SIZE];
    bool written, plan = options_has(&s->c->options, "plan");
    enum err_code code = read_entry(
        s, argument(s, 1) != NULL ? find_entry(s, argument(s, 1)) : one_before(s, in_force(s)),
        &set);

    if (code == ERR_NONE)
        code = check_compiles(s, &set);
    if (code == ERR_NONE && plan) {
        s->exit_code =
            activate_plan(s->c, &set.bundle, arena_format(s->c->arena, "number %s", set.name).data);
        return ERR_NONE;
    }
    if (code == ERR_NONE)
        code = activate_bundle(s->c->conf, &set.bundle, false, hash, &written, &s->err);
    if (code != ERR_NONE)
        return code;
    fprintf(stderr, "attent: %s\n",
            written ? arena_format(s->c->arena,
                                   "the rules of number %s are in force again, as number %" PRId64,
                                   set.name, in_force(s)->number + 1)
                          .data
                    : "was in force already");
    buf_put_format(&s->out, "%s\n", hash);
    return ERR_NONE;
}

/* --- the verb ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    size_t arguments_max; /* beside the name */
    enum err_code (*run)(struct sets *s);
} parts[] = {
    {"list", 0, run_list},
    {"show", 1, run_show},
    {"diff", 2, run_diff},
    {"rollback", 1, run_rollback},
};

static enum err_code run_part(struct sets *s)
{
    const char *name = argument(s, 0);

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(parts[i].name, name) == 0) {
            if (s->c->options.argument_count > parts[i].arguments_max + 1)
                return err_set(&s->err, ERR_USAGE, "attent rules %s takes at most %zu argument%s",
                               name, parts[i].arguments_max,
                               parts[i].arguments_max == 1 ? "" : "s");
            return parts[i].run(s);
        }
    return err_set(&s->err, ERR_USAGE,
                   "attent rules has no \"%s\"; it has list, show, diff and rollback", name);
}

static int run_rules(const struct command *c)
{
    struct sets s = {.c = c, .kafka = config_kafka(c->conf, "rules", c->arena)};
    enum err_code code;

    s.topic = rules_topic_open(&s.kafka, config_topics(c->conf, c->arena).rules);
    code = rules_topic_history(s.topic, c->arena, &s.history, &s.err);
    if (code == ERR_NONE && s.history.count == 0)
        code = err_set(&s.err, ERR_STATE, "no rules are in force yet: `attent activate`");
    if (code == ERR_NONE)
        code = run_part(&s);
    if (code == ERR_NONE)
        fputs(buf_text(&s.out), stdout);
    buf_free(&s.out);
    rules_topic_close(s.topic);
    return code == ERR_NONE ? s.exit_code : cli_fail(&s.err);
}

int verb_rules(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "rules", argc, argv, 1, 3, &code))
        code = run_rules(&c);
    return command_close(&c, code);
}
