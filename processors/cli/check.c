/* Verbs about a folder of rules: check, explain, schema.  (list: list.c) */
#include <stdio.h>

#include "core/file.h"
#include "core/mem.h"
#include "processors/cli/check_cost.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/findings.h"
#include "processors/cli/infer.h"
#include "processors/cli/rules_check.h"
#include "processors/cli/rules_named.h"
#include "processors/cli/rules_verb.h"
#include "processors/cli/test_schema.h"
#include "rules/moment/explain.h"
#include "rules/moment/form.h"
#include "rules/moment/interlock_gap.h"
#include "rules/moment/sentence.h"

/* --- the folder --------------------------------------------------------------------------------- */

static int no_rules(struct rules_verb *v, int code)
{
    rules_verb_close(v);
    return code;
}

int rules_verb_read(struct rules_verb *v, const struct options *options, size_t argument)
{
    const struct conf *conf = NULL;
    struct err err = {0};
    int code = EXIT_FINE;

    *v = (struct rules_verb){.arena = arena_new(0)};
    if (options->argument_count > argument)
        v->dir = options->arguments[argument];
    if (v->dir == NULL || options_has(options, "config") || options_has(options, "set"))
        conf = config_load(options, v->arena, &code);
    if (code != EXIT_FINE)
        return no_rules(v, code);
    if (v->dir == NULL)
        v->dir = conf_text(conf, "rules.folder").data;
    if (rules_folder_read(v->dir, v->arena, &v->bundle, &err) != ERR_NONE)
        return no_rules(v, cli_fail(&err));
    return EXIT_FINE;
}

int rules_verb_open(struct rules_verb *v, const struct options *options, size_t argument)
{
    int code = rules_verb_read(v, options, argument);

    if (code != EXIT_FINE)
        return code;
    v->set = rules_folder_compile(v->dir, &v->bundle, &v->diags);
    diags_sort(&v->diags);
    return EXIT_FINE;
}

void rules_verb_close(struct rules_verb *v)
{
    ruleset_free(v->set);
    diags_free(&v->diags);
    arena_free(v->arena);
    *v = (struct rules_verb){0};
}

int rules_verb_need_set(struct rules_verb *v)
{
    struct buf out = {0};

    if (v->set != NULL)
        return EXIT_FINE;
    findings_put(&out, &v->diags);
    fputs(buf_text(&out), stderr);
    buf_free(&out);
    return no_rules(v, EXIT_FINDINGS);
}

/* --- check -------------------------------------------------------------------------------------- */

static void put_count(struct buf *out, size_t count, const char *what, const char *before)
{
    buf_put_format(out, "%s%zu %s%s", before, count, what, count == 1 ? "" : "s");
}

/* Of what is commercial: the interlocks that do not keep it back, each with a state in which it goes out
 * while they hold. */
static void put_gaps(struct buf *out, const struct ruleset *set, const struct moment *moment)
{
    for (size_t i = 0; i < set->policy.interlock_count; i++) {
        const struct interlock *lock = &set->policy.interlocks[i];
        struct buf state = {0};

        if (interlock_gap(set, moment, lock, &state))
            buf_put_format(out, "%.*s (%.*s) can go out while %.*s holds%s%s\n",
                           STR_ARG(moment->name), STR_ARG(set->policy.tiers[moment->tier].name),
                           STR_ARG(lock->name), state.len != 0 ? ", with " : "", buf_text(&state));
        buf_free(&state);
    }
}

/* The tiers that a moment's actions are stopped in are what the funnel asks: what is said here holds
 * for each of its actions, on every channel. */
static void put_interlocks(struct buf *out, const struct ruleset *set)
{
    const struct policy *policy = &set->policy;

    for (size_t i = 0; i < set->moment_count; i++) {
        const struct moment *moment = &set->moments[i];
        const struct tier *tier = &policy->tiers[moment->tier];
        size_t count = 0;

        for (size_t k = 0; k < policy->interlock_count; k++) {
            if ((policy->interlocks[k].tiers & 1u << moment->tier) == 0)
                continue;
            if (count++ == 0)
                buf_put_format(out, "%.*s (%.*s) never goes out while one of these holds:",
                               STR_ARG(moment->name), STR_ARG(tier->name));
            buf_put_format(out, "%s %.*s", count > 1 ? "," : "",
                           STR_ARG(policy->interlocks[k].name));
        }
        if (count != 0)
            buf_put_char(out, '\n');
        if (tier->consent == CONSENT_OPT_IN)
            put_gaps(out, set, moment);
        if (count == 0 && policy->given && tier->consent == CONSENT_OPT_IN)
            buf_put_format(out, "%.*s (%.*s) is stopped by no interlock\n", STR_ARG(moment->name),
                           STR_ARG(tier->name));
    }
}

static bool is_commercial(const struct ruleset *set, const struct moment *moment)
{
    return set->policy.given && set->policy.tiers[moment->tier].consent == CONSENT_OPT_IN;
}

/* None of its actions goes out while any interlock holds. */
static bool is_proved(const struct ruleset *set, const struct moment *moment)
{
    const struct policy *policy = &set->policy;
    bool proved = policy->interlock_count != 0;

    for (size_t i = 0; i < policy->interlock_count && proved; i++) {
        struct buf state = {0};

        proved = !interlock_gap(set, moment, &policy->interlocks[i], &state);
        buf_free(&state);
    }
    return proved;
}

static void put_proved(struct buf *out, const struct ruleset *set)
{
    size_t actions = 0, proved = 0;

    for (size_t i = 0; i < set->moment_count; i++) {
        const struct moment *moment = &set->moments[i];

        actions += is_commercial(set, moment) ? moment->act_count : 0;
        proved += is_commercial(set, moment) && is_proved(set, moment) ? moment->act_count : 0;
    }
    if (actions != 0)
        buf_put_format(out, "interlocks: proved to stop %zu of %zu commercial action%s\n", proved,
                       actions, actions == 1 ? "" : "s");
}

static void put_interlock_json(struct json_writer *w, const struct ruleset *set,
                               const struct moment *moment, const struct interlock *lock)
{
    struct buf state = {0};
    bool stops = !interlock_gap(set, moment, lock, &state);

    json_open(w, '{');
    json_key(w, "interlock");
    json_str(w, lock->name);
    json_key(w, "stops");
    json_bool(w, stops);
    if (!stops && state.len != 0) {
        json_key(w, "goes_out_with");
        json_str(w, buf_str(&state));
    }
    json_close(w, '}');
    buf_free(&state);
}

/* For each commercial action, interlock by interlock: it stops it, or a state in which it goes out. */
static void put_proof_json(struct json_writer *w, const struct ruleset *set)
{
    json_open(w, '[');
    for (size_t i = 0; i < set->moment_count; i++) {
        const struct moment *moment = &set->moments[i];

        for (size_t a = 0; is_commercial(set, moment) && a < moment->act_count; a++) {
            json_open(w, '{');
            json_key(w, "moment");
            json_str(w, moment->name);
            json_key(w, "action");
            json_int(w, (int64_t)a + 1);
            json_key(w, "channel");
            json_str(w, moment->acts[a].channel);
            json_key(w, "interlocks");
            json_open(w, '[');
            for (size_t k = 0; k < set->policy.interlock_count; k++)
                put_interlock_json(w, set, moment, &set->policy.interlocks[k]);
            json_close(w, ']');
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static void put_summary(struct buf *out, const struct rules_verb *v)
{
    size_t errors = v->diags.error_count, warnings = v->diags.count - errors;

    if (errors == 0) {
        put_count(out, v->set->moment_count, "moment", "");
        put_count(out, v->set->fact_count, "fact", ", ");
        put_count(out, v->set->type_count, "event type", ", ");
        buf_put_text(out, ": fine");
    } else {
        put_count(out, errors, "error", "");
    }
    if (warnings != 0)
        put_count(out, warnings, "warning", ", ");
    buf_put_char(out, '\n');
    if (v->set == NULL)
        return;
    buf_put_format(out, "rule set %s\n", v->set->hash_hex);
    put_interlocks(out, v->set);
    put_proved(out, v->set);
}

static void put_json_summary(struct buf *out, const struct rules_verb *v)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "errors");
    json_int(&w, (int64_t)v->diags.error_count);
    json_key(&w, "warnings");
    json_int(&w, (int64_t)(v->diags.count - v->diags.error_count));
    if (v->set != NULL) {
        json_key(&w, "rule_set");
        json_str(&w, str_of(v->set->hash_hex));
        json_key(&w, "moments");
        json_int(&w, (int64_t)v->set->moment_count);
        json_key(&w, "facts");
        json_int(&w, (int64_t)v->set->fact_count);
        json_key(&w, "event_types");
        json_int(&w, (int64_t)v->set->type_count);
        json_key(&w, "commercial_actions");
        put_proof_json(&w, v->set);
    }
    json_close(&w, '}');
    buf_put_char(out, '\n');
}

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_SARIF };

static bool format_of(const struct options *options, enum format *format)
{
    static const char *const words[] = {"text", "json", "sarif"};
    const char *word = options_value(options, "format");
    struct err err;

    *format = options_has(options, "json") ? FORMAT_JSON : FORMAT_TEXT;
    if (word == NULL)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) != 0)
            continue;
        *format = (enum format)i;
        return true;
    }
    err_set(&err, ERR_USAGE, "--format is text, json or sarif, not \"%s\"", word);
    cli_fail(&err);
    return false;
}

static void report(struct buf *out, const struct rules_verb *v, enum format format)
{
    switch (format) {
    case FORMAT_TEXT:
        findings_put(out, &v->diags);
        put_summary(out, v);
        break;
    case FORMAT_JSON:
        findings_put_json(out, &v->diags);
        put_json_summary(out, v);
        break;
    case FORMAT_SARIF: findings_put_sarif(out, &v->diags); break;
    }
}

/* The rules that --against names; *before NULL: it was not given. */
static int read_before(const struct options *options, struct rules_verb *v, struct bundle *bundle,
                       const struct bundle **before)
{
    const char *name = options_value(options, "against");
    const struct conf *conf = NULL;
    struct err err = {0};
    int code = EXIT_FINE;

    *before = NULL;
    if (name == NULL)
        return EXIT_FINE;
    if (!file_is_folder(name) && (conf = config_load(options, v->arena, &code)) == NULL)
        return code;
    if (rules_named_read(conf, name, v->arena, bundle, &err) != ERR_NONE)
        return cli_fail(&err);
    *before = bundle;
    return EXIT_FINE;
}

int verb_check(int argc, char **argv)
{
    const struct bundle *before;
    struct bundle named;
    struct arena *arena = arena_new(0);
    struct options options;
    struct rules_verb v = {0};
    struct buf out = {0};
    struct err err;
    enum format format;
    int code = EXIT_USAGE;

    if (!cli_parse("check", argc, argv, 0, 1, arena, &options) || !format_of(&options, &format))
        goto out;
    code = rules_verb_read(&v, &options, 0);
    if (code != EXIT_FINE)
        goto out;
    code = read_before(&options, &v, &named, &before);
    if (code != EXIT_FINE)
        goto close;
    if (rules_check(v.dir, &v.bundle, before, options_has(&options, "strict"), &v.set, &v.diags,
                    &err) != ERR_NONE) {
        code = cli_fail(&err);
        goto close;
    }
    report(&out, &v, format);
    if (options_has(&options, "cost") && v.set != NULL && format != FORMAT_SARIF)
        check_cost_put(&out, v.set, format == FORMAT_JSON);
    fputs(buf_text(&out), stdout);
    code = v.diags.error_count == 0 ? EXIT_FINE : EXIT_FINDINGS;
close:
    rules_verb_close(&v);
out:
    buf_free(&out);
    arena_free(arena);
    return code;
}

/* --- explain ------------------------------------------------------------------------------------ */

static int no_moment(const struct rules_verb *v, struct str name)
{
    struct str *names = MEM_NEW_ARRAY(struct str, v->set->moment_count + 1), near;
    struct err err;

    for (size_t i = 0; i < v->set->moment_count; i++)
        names[i] = v->set->moments[i].name;
    near = str_nearest(name, names, v->set->moment_count);
    mem_free(names);
    if (near.len != 0)
        err_set(&err, ERR_USAGE, "there is no moment \"%.*s\"; did you mean %.*s?", STR_ARG(name),
                STR_ARG(near));
    else
        err_set(&err, ERR_USAGE, "there is no moment \"%.*s\"; `attent list moments` lists all",
                STR_ARG(name));
    return cli_fail(&err);
}

static void put_sentence(struct buf *out, const struct ruleset *set, const struct moment *moment,
                         enum tongue tongue)
{
    size_t unworded = moment_sentence(out, set, moment, tongue);
    struct arena *arena = arena_new(0);
    struct words count = {{arena_format(arena, "%zu", unworded)}};

    buf_put_char(out, '\n');
    buf_put(out, wording_say(arena, tongue,
                             unworded == 0   ? WORDING_UNWORDED_NONE
                             : unworded == 1 ? WORDING_UNWORDED_ONE
                                             : WORDING_UNWORDED,
                             count));
    buf_put_char(out, '\n');
    arena_free(arena);
}

static int explain(const struct rules_verb *v, const struct options *options)
{
    struct str name = str_of(options->arguments[0]);
    const char *language = options_value(options, "lang");
    int moment = ruleset_find_moment(v->set, name);
    enum tongue tongue = TONGUE_EN;
    struct buf out = {0};
    struct err err;

    if (moment < 0)
        return no_moment(v, name);
    if (language != NULL && !tongue_of(str_of(language), &tongue)) {
        err_set(&err, ERR_USAGE, "--lang %s is not spoken here: en or nl", language);
        return cli_fail(&err);
    }
    if (options_has(options, "code") || options_has(options, "detail"))
        moment_explain(&out, v->set, &v->set->moments[moment], options_has(options, "code"));
    else
        put_sentence(&out, v->set, &v->set->moments[moment], tongue);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    return EXIT_FINE;
}

int verb_explain(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    struct options options;
    struct rules_verb v = {0};
    int code = EXIT_USAGE;

    if (!cli_parse("explain", argc, argv, 1, 2, arena, &options))
        goto out;
    code = rules_verb_open(&v, &options, 1);
    if (code == EXIT_FINE)
        code = rules_verb_need_set(&v);
    if (code != EXIT_FINE)
        goto out;
    code = explain(&v, &options);
    rules_verb_close(&v);
out:
    arena_free(arena);
    return code;
}

/* --- schema ------------------------------------------------------------------------------------- */

int verb_schema(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    struct options options;
    struct buf out = {0};
    struct err err;
    int code = EXIT_USAGE;

    if (!cli_parse("schema", argc, argv, 1, 2, arena, &options))
        goto out;
    if (str_is(str_of(options.arguments[0]), "infer")) {
        code = verb_schema_infer(argc, argv);
        goto out;
    }
    if (options.argument_count > 1) {
        err_set(&err, ERR_USAGE, "\"%s\" is too much", options.arguments[1]);
        code = cli_fail(&err);
        goto out;
    }
    if (str_is(str_of(options.arguments[0]), "test"))
        test_schema_write(&out);
    else
        form_schema_write(&out, str_of(options.arguments[0]));
    if (out.len != 0) {
        fputs(buf_text(&out), stdout);
        code = EXIT_FINE;
    } else {
        err_set(&err, ERR_USAGE,
                "there is no schema of \"%s\": moment, test, facts or policy (or: infer TOPIC)",
                options.arguments[0]);
        code = cli_fail(&err);
    }
out:
    buf_free(&out);
    arena_free(arena);
    return code;
}
