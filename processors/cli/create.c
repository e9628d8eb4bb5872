/* attent create moment NAME: a first moment that runs, made of what the folder has, so that a person
 * changes something that works instead of filling in a form.
 *
 * Both files are made in memory and tried there before anything is written: what is written checks.
 * Its test fails on purpose: only a person can say what is expected, and the report of `attent test`
 * shows what to write.
 */
#include <ctype.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/mem.h"
#include "processors/cli/cli.h"
#include "processors/cli/rules_verb.h"

struct draft { /* what the files are made of */
    struct arena *arena;
    const struct ruleset *set;
    struct str name;
    const struct event_type *type;
    const struct event_type
        *other;              /* what may come after it; the same one, if there is nothing better */
    const struct schema *id; /* text field that tells things apart; NULL: none */
    const struct schema *number; /* field for a condition; NULL: none */
    const struct schema *time;   /* field that names a time; NULL: none */
    struct str tier, channel, queue;
    const struct fact *address; /* that the channel needs; NULL: none */
};

/* --- what the folder has ---------------------------------------------------------------------------- */

static bool is_builtin(const struct ruleset *set, const struct event_type *type)
{
    size_t index = (size_t)(type - set->types);

    return index == set->builtin.task_outcome || index == set->builtin.consent_given ||
           index == set->builtin.consent_withdrawn || index == set->builtin.customer_erased ||
           index == set->builtin.customer_merged;
}

/* A field that is required is better than one that is not, `order` of order.placed better still. */
static int fitness(const struct event_type *type, const struct schema *field)
{
    return (schema_requires(type->schema, field->name) ? 1 : 0) +
           (str_starts(type->name, field->name) ? 2 : 0);
}

static const struct schema *find_field(const struct event_type *type, bool number)
{
    const struct schema *found = NULL;

    for (size_t i = 0; i < type->schema->property_count; i++) {
        const struct schema *field = type->schema->properties[i];
        bool fits = number ? field->type == SCHEMA_NUMBER || field->type == SCHEMA_INTEGER
                           : field->type == SCHEMA_STRING;

        if (fits && (found == NULL || fitness(type, field) > fitness(type, found)))
            found = field;
    }
    return found;
}

static struct str subject_of(const struct event_type *type)
{
    struct str subject, rest;

    return str_cut(type->name, '.', &subject, &rest) ? subject : type->name;
}

/* `contract-ending` is about contract.started rather than about order.placed. */
static bool is_named_after(const struct event_type *type, struct str moment)
{
    struct str word;

    for (struct str rest = moment; rest.len != 0;) {
        if (!str_cut(rest, '-', &word, &rest)) {
            word = rest;
            rest = STR_EMPTY;
        }
        if (str_equal(word, subject_of(type)))
            return true;
    }
    return false;
}

/* A time that every such event names; NULL: none. */
static const struct schema *find_time(const struct event_type *type)
{
    for (size_t i = 0; i < type->schema->property_count; i++) {
        const struct schema *field = type->schema->properties[i];

        if (field->type == SCHEMA_TIME && schema_requires(type->schema, field->name))
            return field;
    }
    return NULL;
}

/* Rather one that the name speaks of, that no moment begins with yet, and that has a number or a
 * time to ask for. */
static int appeal_of(const struct event_type *type, struct str moment)
{
    return (is_named_after(type, moment) ? 16 : 0) + (type->moment_count == 0 ? 8 : 0) +
           (find_field(type, true) != NULL ? 4 : 0) + (find_time(type) != NULL ? 2 : 0) +
           (find_field(type, false) != NULL ? 1 : 0);
}

/* contract.renewed after contract.started: of the same subject, and of the same one of them. */
static const struct event_type *find_other(const struct draft *d)
{
    for (size_t i = 0; i < d->set->type_count; i++) {
        const struct event_type *type = &d->set->types[i];
        const struct schema *id = find_field(type, false);

        if (type != d->type && str_equal(subject_of(type), subject_of(d->type)) && d->id != NULL &&
            id != NULL && str_equal(id->name, d->id->name))
            return type;
    }
    return d->type;
}

static void choose_type(struct draft *d)
{
    for (size_t i = 0; i < d->set->type_count; i++) {
        const struct event_type *type = &d->set->types[i];

        if (is_builtin(d->set, type) || schema_sample(type->schema, d->arena).kind == VALUE_ABSENT)
            continue;
        if (d->type == NULL || appeal_of(type, d->name) > appeal_of(d->type, d->name))
            d->type = type;
    }
    if (d->type == NULL)
        return;
    d->id = find_field(d->type, false);
    d->number = find_field(d->type, true);
    d->time = find_time(d->type);
    d->other = find_other(d);
}

/* The least urgent tier for which nobody has to be asked first. */
static void choose_tier(struct draft *d)
{
    const struct policy *policy = &d->set->policy;

    d->tier = policy->tiers[0].name;
    for (size_t i = 0; i < policy->tier_count; i++)
        if (policy->tiers[i].consent == CONSENT_OPT_OUT)
            d->tier = policy->tiers[i].name;
}

static const struct fact *find_address(const struct ruleset *set, struct str kind)
{
    for (size_t i = 0; i < set->fact_count; i++)
        if (set->facts[i].role == ROLE_ADDRESS && str_equal(set->facts[i].address_kind, kind))
            return &set->facts[i];
    return NULL;
}

/* A channel that calls, else the last in order that a customer can be reached on. */
static void choose_channel(struct draft *d)
{
    const struct policy *policy = &d->set->policy;

    d->channel = STR("phone");
    for (size_t i = 0; i < policy->channel_count; i++) {
        const struct channel_rule *channel = &policy->channels[i];
        const struct fact *address = find_address(d->set, channel->address);

        if (i != 0 && channel->address.len != 0 && address == NULL)
            continue;
        d->channel = channel->name;
        d->address = address;
        if (str_is(channel->name, "phone"))
            break;
    }
}

/* The one to which others of this tier go on this channel. */
static void choose_queue(struct draft *d)
{
    const struct ruleset *set = d->set;

    if (set->policy.queue_count != 0)
        d->queue = set->policy.queues[0].name;
    for (size_t i = 0; i < set->moment_count; i++) {
        const struct moment *moment = &set->moments[i];

        if (!str_equal(set->policy.tiers[moment->tier].name, d->tier))
            continue;
        for (size_t k = 0; k < moment->act_count; k++)
            if (str_equal(moment->acts[k].channel, d->channel) && moment->acts[k].queue.len != 0)
                d->queue = moment->acts[k].queue;
    }
}

/* --- the moment --------------------------------------------------------------------------------------- */

static struct str title_of(struct draft *d)
{
    char *title = arena_copy(d->arena, d->name.data, d->name.len);

    for (size_t i = 0; i < d->name.len; i++)
        title[i] = title[i] == '-' || title[i] == '_' || title[i] == '.' ? ' ' : title[i];
    title[0] = (char)toupper((unsigned char)title[0]);
    return (struct str){title, d->name.len};
}

/* A text, or one for each of the policy's languages; what is not Dutch is English, to be translated. */
static void put_text(struct buf *out, const struct draft *d, const char *indent, const char *key,
                     struct str text, struct str dutch)
{
    const struct policy *policy = &d->set->policy;

    buf_put_format(out, "%s%s:", indent, key);
    if (policy->language_count < 2)
        buf_put_format(out, " %.*s\n", STR_ARG(text));
    else
        buf_put_char(out, '\n');
    for (size_t i = 0; policy->language_count > 1 && i < policy->language_count; i++) {
        struct str one = str_is(policy->languages[i], "nl") ? dutch : text;

        buf_put_format(out, "%s  %.*s: %.*s\n", indent, STR_ARG(policy->languages[i]),
                       STR_ARG(one));
    }
}

static struct str words_of(struct draft *d, const char *about, const char *unknown,
                           const char *words)
{
    if (d->id == NULL)
        return str_of(words);
    return arena_format(d->arena, "%s {{it.data.%.*s | %s}}. %s", about, STR_ARG(d->id->name),
                        unknown, words);
}

static void put_steps(struct buf *out, const struct draft *d)
{
    buf_put_text(out, "when:                             # its steps, in order\n");
    buf_put_format(out, "  - event: %.*s", STR_ARG(d->type->name));
    if (d->type->schema->title.len != 0)
        buf_put_format(out, "    # %.*s", STR_ARG(d->type->schema->title));
    if (d->number != NULL)
        buf_put_format(out, "\n    # if: event.data.%.*s > 10   # only some of them%s%.*s",
                       STR_ARG(d->number->name), d->number->unit.len != 0 ? "; in " : "",
                       STR_ARG(d->number->unit));
    buf_put_text(out,
                 "\n    as: it                        # the name by which texts below read it\n"
                 "  # and then something that does not happen for some time:\n");
    buf_put_format(out, "  # - absent: %.*s\n  #   for: 14d\n", STR_ARG(d->other->name));
    if (d->time != NULL)
        buf_put_format(out, "  # or a time that has come:\n  # - at: it.data.%.*s - days(30)\n",
                       STR_ARG(d->time->name));
    buf_put_char(out, '\n');
}

static void put_gates(struct buf *out, const struct draft *d)
{
    int mark = 0;

    while ((size_t)mark < d->set->fact_count && d->set->facts[mark].kind != FACT_MARK)
        mark++;
    buf_put_text(
        out, "# eligible: may this customer ever get it?   relevant: does it make sense now?\n");
    if ((size_t)mark < d->set->fact_count)
        buf_put_format(
            out,
            "# suitable: \"!customer.%.*s\"    # is it decent now?  A leading ! needs the "
            "quotes\n",
            STR_ARG(d->set->facts[mark].name));
    buf_put_text(
        out, "# withdraw:                     # ends it at any time, also the task that is out\n");
    buf_put_format(out, "#   - event: %.*s\n", STR_ARG(d->other->name));
    buf_put_text(out,
                 "# again: 30d                    # not sooner than this after its last task\n\n");
}

static void put_moment(struct buf *out, struct draft *d)
{
    buf_put_text(out, "# yaml-language-server: $schema=../../schemas/moment.schema.json\n#\n"
                      "# What each key means: docs/moments.md.  Which events and facts there are:\n"
                      "# attent list events, attent list facts.\n");
    buf_put_format(out, "moment: %.*s\n", STR_ARG(d->name));
    put_text(out, d, "", "title", title_of(d), title_of(d));
    buf_put_format(out, "tier: %.*s                        # ", STR_ARG(d->tier));
    for (size_t i = 0; i < d->set->policy.tier_count; i++)
        buf_put_format(out, "%s%.*s", i != 0 ? " > " : "", STR_ARG(d->set->policy.tiers[i].name));
    buf_put_char(out, '\n');
    if (d->id != NULL && schema_requires(d->type->schema, d->id->name))
        buf_put_format(out,
                       "about: event.data.%.*s          # one run for each; leave it out for one "
                       "per customer\n",
                       STR_ARG(d->id->name));
    buf_put_char(out, '\n');
    put_steps(out, d);
    put_gates(out, d);
    buf_put_format(out,
                   "act:                              # what is done; the next when this brought "
                   "nothing\n  - channel: %.*s\n",
                   STR_ARG(d->channel));
    if (d->queue.len != 0)
        buf_put_format(out, "    queue: %.*s\n", STR_ARG(d->queue));
    put_text(out, d, "    ", "say",
             words_of(d, "It is about", "something", "Write here what the customer hears."),
             words_of(d, "Het gaat over", "iets", "Schrijf hier wat de klant hoort."));
    buf_put_text(out, "    # outcomes: {done: end, not_reached: next}   # what an answer means\n"
                      "    wait: 3d                      # so long it may bring something\n");
}

/* --- the test ------------------------------------------------------------------------------------------- */

/* A Monday morning: most queues are open. */
#define START_LOCAL "2026-03-02T10:00:00"

static void put_scalar(struct buf *out, struct value v)
{
    json_put_value(out, v); /* YAML takes JSON */
}

/* {order: "O1", amount: 100}: the event's fields that are required, and those that are read. */
static void put_data(struct buf *out, struct draft *d)
{
    struct value v = schema_sample(d->type->schema, d->arena);
    bool any = false;

    buf_put_char(out, '{');
    for (size_t i = 0; v.kind == VALUE_MAP && i < v.n; i++) {
        struct str key = value_str(v.map[i].key);

        if (!schema_requires(d->type->schema, key) &&
            !(d->id != NULL && str_equal(key, d->id->name)))
            continue;
        buf_put_format(out, "%s%.*s: ", any ? ", " : "", STR_ARG(key));
        put_scalar(out, v.map[i].value);
        any = true;
    }
    buf_put_char(out, '}');
}

static void put_given(struct buf *out, const struct draft *d)
{
    if (d->address == NULL)
        return;
    buf_put_format(out, "    given: {%.*s: \"%s\"}    # facts, older than any event\n",
                   STR_ARG(d->address->name),
                   str_is(d->address->address_kind, "email") ? "a@example.com" : "+31201234567");
}

static void put_test(struct buf *out, struct draft *d)
{
    bool zone = zone_find(STR("Europe/Amsterdam")) != NULL; /* no zone data: UTC */

    buf_put_text(out,
                 "# yaml-language-server: $schema=../../schemas/test.schema.json\n#\n"
                 "# Cases that show when it speaks and when it keeps silent, on a virtual clock.\n"
                 "# attent test --timeline draws them.  All keys: docs/testing-moments.md.\n");
    buf_put_format(out, "test: %.*s\ntime_zone: %s\nstart: " START_LOCAL "%s # a Monday; at: 0d\n",
                   STR_ARG(d->name), zone ? "Europe/Amsterdam" : "UTC", zone ? "+01:00" : "Z");
    buf_put_text(out, "cases:\n  - name: it speaks\n");
    put_given(out, d);
    buf_put_format(out, "    events:\n      - {at: 0d, type: %.*s, data: ", STR_ARG(d->type->name));
    put_data(out, d);
    buf_put_text(out, "}\n    until: 1d\n");
    buf_put_format(
        out,
        "    hint: >-\n      That is what %.*s does as it was created. Change "
        "moments/%.*s.yaml to what you\n      want, write under expect what has to come, as "
        "\"- {at: 0d, task: %.*s}\", and delete this hint.\n",
        STR_ARG(d->name), STR_ARG(d->name), STR_ARG(d->channel));
    buf_put_text(out, "    expect: []\n\n  - name: it keeps silent\n");
    put_given(out, d);
    buf_put_text(out,
                 "    events: []                    # write what happens when it must not speak\n"
                 "    until: 1d\n    expect: []\n");
}

/* --- trying and writing ----------------------------------------------------------------------------------- */

/* The folder's rules with the new moment compile.  False: the findings have been printed. */
static bool compiles(const struct rules_verb *v, struct str file, struct str text)
{
    struct bundle with = {.files = ARENA_ARRAY(v->arena, struct bundle_file, v->bundle.count + 1)};
    struct diags diags = {0};
    struct ruleset *set;
    struct buf out = {0};
    bool put = false;

    for (size_t i = 0; i <= v->bundle.count; i++) {
        if (!put && (i == v->bundle.count || str_compare(file, v->bundle.files[i].name) < 0)) {
            with.files[with.count++] = (struct bundle_file){file, text};
            put = true;
        }
        if (i < v->bundle.count)
            with.files[with.count++] = v->bundle.files[i];
    }
    set = rules_folder_compile(v->dir, &with, &diags);
    for (size_t i = 0; set == NULL && i < diags.count; i++)
        diag_print(&out, &diags.items[i], text);
    fputs(buf_text(&out), stderr);
    buf_free(&out);
    diags_free(&diags);
    ruleset_free(set);
    return set != NULL;
}

static enum err_code refuse_if_there(const char *path, struct err *err)
{
    if (file_exists(path) || file_is_folder(path))
        return err_set(err, ERR_USAGE, "%s is there already: choose another name", path);
    return ERR_NONE;
}

static enum err_code write_both(const struct rules_verb *v, struct draft *d, struct err *err)
{
    struct str moment = arena_format(d->arena, "moments/%.*s.yaml", STR_ARG(d->name));
    struct str folder = arena_format(d->arena, "%s/moments", v->dir);
    const char *path = rules_folder_path(v->dir, moment, d->arena).data;
    const char *test = arena_format(d->arena, "%.*s_test.yaml", (int)strlen(path) - 5, path).data;
    struct buf out = {0}, tested = {0};
    enum err_code code = refuse_if_there(path, err);

    if (code == ERR_NONE)
        code = refuse_if_there(test, err);
    put_moment(&out, d);
    put_test(&tested, d);
    if (code == ERR_NONE && !compiles(v, moment, buf_str(&out)))
        code = err_set(err, ERR_PARSE, "these rules do not go with a new moment, see above");
    if (code == ERR_NONE)
        mkdir(folder.data, 0777); /* there: fine; impossible: writing says so */
    if (code == ERR_NONE)
        code = file_write(path, buf_str(&out), err);
    if (code == ERR_NONE)
        code = file_write(test, buf_str(&tested), err);
    if (code == ERR_NONE)
        printf("%s\n%s\n\nNext: change them, then\n  attent check %s\n  attent explain %.*s %s\n"
               "  attent test %s\n",
               path, test, v->dir, STR_ARG(d->name), v->dir, test);
    buf_free(&out);
    buf_free(&tested);
    return code;
}

static bool is_name(struct str name)
{
    bool good = name.len != 0 && name.len <= 64 && islower((unsigned char)name.data[0]) != 0;

    for (size_t i = 0; i < name.len; i++)
        good = good && (islower((unsigned char)name.data[i]) ||
                        isdigit((unsigned char)name.data[i]) || name.data[i] == '-');
    return good && !str_ends(name, STR("_test"));
}

static int create_moment(const struct rules_verb *v, struct str name)
{
    struct draft d = {.arena = v->arena, .set = v->set, .name = name};
    struct err err = {0};

    choose_type(&d);
    if (d.type == NULL)
        err_set(&err, ERR_CONFIG,
                "%s has no event types: a moment begins with one, write schemas/events/TYPE.json",
                v->dir);
    if (d.type == NULL)
        return cli_fail(&err);
    choose_tier(&d);
    choose_channel(&d);
    choose_queue(&d);
    return write_both(v, &d, &err) == ERR_NONE ? EXIT_FINE : cli_fail(&err);
}

static int create(const struct options *options)
{
    struct str name = str_of(options->arguments[1]);
    struct rules_verb v;
    struct err err;
    int code;

    if (strcmp(options->arguments[0], "moment") != 0) {
        err_set(&err, ERR_USAGE, "\"%s\" cannot be created: attent create moment NAME",
                options->arguments[0]);
        return cli_fail(&err);
    }
    if (!is_name(name)) {
        err_set(&err, ERR_USAGE, "\"%.*s\" is no name for a moment: letters a-z, digits and -",
                STR_ARG(name));
        return cli_fail(&err);
    }
    code = rules_verb_open(&v, options, 2);
    if (code == EXIT_FINE)
        code = rules_verb_need_set(&v);
    if (code != EXIT_FINE)
        return code;
    code = create_moment(&v, name);
    rules_verb_close(&v);
    return code;
}

int verb_create(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    struct options options;
    int code = EXIT_USAGE;

    if (cli_parse("create", argc, argv, 2, 3, arena, &options))
        code = create(&options);
    arena_free(arena);
    return code;
}
