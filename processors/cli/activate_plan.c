#include "processors/cli/activate_plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "connectors/redis/scan.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/when.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_change.h"
#include "processors/cli/rules_diff.h"
#include "processors/cli/rules_topic.h"
#include "processors/decide/adopt.h"
#include "processors/worker/blob.h"

enum { PROGRESS_MS = 2000 };

struct counts {
    uint64_t fates[FATE_COUNT];
    uint64_t tasks_back; /* of those that end */
};

struct plan {
    const struct command *c;
    const char *name;
    const struct bundle *bundle;
    struct activation_history history;
    struct bundle active; /* nothing in it: none is in force */
    struct ruleset *before, *after;
    struct rules_file *files;
    struct moment_change *changes;
    struct counts *counts; /* of each of them */
    size_t file_count, change_count;
    struct counts unknown; /* of moments that neither has */
    uint64_t customers, unreadable;
    struct err unreadable_err; /* of the first */
    struct arena *arena;       /* of one state */
    int64_t said_mono_ms;
    int64_t now_ms; /* tasks with an earlier deadline are over; `time: log`: not known, none is */
    struct buf out;
};

/* --- counting in Redis ------------------------------------------------------------------------------ */

static struct counts *counts_of(struct plan *p, uint32_t moment, const struct moment **after)
{
    *after = NULL;
    for (size_t i = 0; i < p->change_count; i++) {
        const struct moment_change *c = &p->changes[i];

        if ((c->before != NULL ? c->before : c->after)->id == moment) {
            *after = c->after;
            return &p->counts[i];
        }
    }
    return &p->unknown;
}

static void count_instance(struct plan *p, const struct instance *in)
{
    const struct moment *after;
    struct counts *counts = counts_of(p, in->moment, &after);
    enum fate fate = adopt_fate(after, in);

    counts->fates[fate]++;
    if (fate_ends(fate) && in->phase == PHASE_OUT && p->now_ms < in->task_deadline_ms)
        counts->tasks_back++;
}

static enum err_code read_state(struct plan *p, struct str customer, struct str blob,
                                struct state **out, struct err *err)
{
    struct blob_timers timers;
    struct str inner;
    enum err_code code = blob_unwrap(customer, blob, p->arena, &timers, &inner, err);

    return code == ERR_NONE ? state_decode(customer, inner, p->arena, out, err) : code;
}

static void say_progress(struct plan *p)
{
    int64_t now_ms = clock_mono_ms();

    if (now_ms - p->said_mono_ms < PROGRESS_MS)
        return;
    p->said_mono_ms = now_ms;
    fprintf(stderr, "attent: %" PRIu64 " customers looked at\n", p->customers);
}

/* "3}:s:CUSTOMER", behind the prefix; empty: the partition's own, or no state at all. */
static struct str customer_of(struct str name)
{
    struct str partition, rest;

    if (!str_cut(name, '}', &partition, &rest) || !str_starts(rest, STR(":s:")))
        return STR_EMPTY;
    return str_slice(rest, 3, rest.len);
}

static enum err_code count_state(void *context, struct str name, struct str value, struct err *err)
{
    struct plan *p = context;
    struct str customer = customer_of(name);
    struct err why = {0};
    struct state *state;

    (void)err;
    if (customer.len == 0 || value.len == 0)
        return ERR_NONE;
    arena_reset(p->arena);
    p->customers++;
    if (read_state(p, customer, value, &state, &why) != ERR_NONE) {
        if (p->unreadable++ == 0)
            p->unreadable_err = why;
        return ERR_NONE;
    }
    for (uint32_t i = 0; i < state->instance_count; i++)
        count_instance(p, state->instances[i]);
    say_progress(p);
    return ERR_NONE;
}

static enum err_code count_all(struct plan *p, struct err *err)
{
    struct redis_settings settings = config_redis(p->c->conf);
    const struct redis_walk walk = {STR("{decide:"), p, count_state};
    struct redis *redis = NULL;
    enum err_code code = redis_open(&settings, &redis, err);

    p->arena = arena_new(0);
    p->said_mono_ms = clock_mono_ms();
    p->now_ms = str_is(conf_text(p->c->conf, "time"), "log") ? INT64_MIN : clock_wall_ms();
    if (code == ERR_NONE)
        code = redis_walk(redis, &walk, err);
    if (code != ERR_NONE)
        err_prefix(err, "who is under way cannot be counted");
    redis_close(redis);
    arena_free(p->arena);
    return code;
}

/* --- sums ------------------------------------------------------------------------------------------ */

enum { GO_ON, BEGIN_AGAIN, END, WAYS };

static int way_of(enum fate fate)
{
    return fate_ends(fate) ? END : fate == FATE_RESTARTED ? BEGIN_AGAIN : GO_ON;
}

struct sums {
    uint64_t all, ways[WAYS], tasks_back;
};

static void add(struct sums *sums, const struct counts *counts)
{
    for (int f = 0; f < FATE_COUNT; f++) {
        sums->all += counts->fates[f];
        sums->ways[way_of((enum fate)f)] += counts->fates[f];
    }
    sums->tasks_back += counts->tasks_back;
}

static struct sums sums_of(const struct counts *counts)
{
    struct sums sums = {0};

    add(&sums, counts);
    return sums;
}

/* Of what changes, or of the rest. */
static struct sums sums_where(const struct plan *p, bool changes)
{
    struct sums sums = {0};

    for (size_t i = 0; i < p->change_count; i++)
        if ((p->changes[i].change != CHANGE_NONE) == changes)
            add(&sums, &p->counts[i]);
    if (changes)
        add(&sums, &p->unknown);
    return sums;
}

/* --- as text --------------------------------------------------------------------------------------- */

static const char *const way_words[WAYS] = {"go on", "begin again", "end"};

/* "12 under way: 9 go on, 3 end; 2 tasks are taken back" */
static void put_sums(struct plan *p, const struct sums *sums)
{
    const char *before = ": ";

    buf_put_format(&p->out, "%" PRIu64 " under way", sums->all);
    for (int way = 0; way < WAYS; way++)
        if (sums->ways[way] != 0) {
            buf_put_format(&p->out, "%s%" PRIu64 " %s", before, sums->ways[way], way_words[way]);
            before = ", ";
        }
    if (sums->tasks_back != 0)
        buf_put_format(&p->out, "; %" PRIu64 " task%s taken back", sums->tasks_back,
                       sums->tasks_back == 1 ? " is" : "s are");
    buf_put_char(&p->out, '\n');
}

static void put_counts(struct plan *p, const struct counts *counts)
{
    struct sums sums = sums_of(counts);

    buf_put_text(&p->out, "  ");
    put_sums(p, &sums);
    for (int f = 0; f < FATE_COUNT; f++)
        if (counts->fates[f] != 0)
            buf_put_format(&p->out, "  %8" PRIu64 "  %s: %s\n", counts->fates[f],
                           way_words[way_of((enum fate)f)], fate_text((enum fate)f));
}

static void put_head(struct plan *p)
{
    const struct activation_entry *active = activation_in_force(&p->history);

    if (active == NULL) {
        buf_put_text(&p->out, "nothing is in force yet\n");
    } else {
        buf_put_format(&p->out, "in force: number %" PRId64 ", hash %s, since ", active->number,
                       active->hash);
        when_put_rfc3339(&p->out, active->at_ms - active->at_ms % WHEN_SECOND_MS);
        buf_put_char(&p->out, '\n');
    }
    buf_put_format(&p->out, "%s: hash %s\n\n", p->name, p->after->hash_hex);
}

static void put_changes(struct plan *p)
{
    for (size_t i = 0; i < p->file_count; i++)
        buf_put_format(&p->out, "%c %.*s\n", p->files[i].mark, STR_ARG(p->files[i].name));
    if (p->file_count == 0)
        buf_put_text(&p->out, "these rules are in force already\n");
    for (size_t i = 0; i < p->change_count; i++) {
        if (p->changes[i].change == CHANGE_NONE)
            continue;
        buf_put_char(&p->out, '\n');
        rules_change_put(&p->out, &p->changes[i]);
        if (p->changes[i].change != CHANGE_ADDED)
            put_counts(p, &p->counts[i]);
    }
    if (sums_of(&p->unknown).all != 0) {
        buf_put_text(&p->out, "\nmoments of earlier rules\n");
        put_counts(p, &p->unknown);
    }
}

static void put_text(struct plan *p)
{
    struct sums changed = sums_where(p, true), same = sums_where(p, false);

    put_head(p);
    put_changes(p);
    buf_put_format(&p->out,
                   "\n%" PRIu64 " customer%s a state\n  moments that change: ", p->customers,
                   p->customers == 1 ? " has" : "s have");
    put_sums(p, &changed);
    buf_put_text(&p->out, "  all others:          ");
    put_sums(p, &same);
    buf_put_text(&p->out, "nothing was written\n");
}

/* --- as JSON --------------------------------------------------------------------------------------- */

static void write_int(struct json_writer *w, const char *key, uint64_t n)
{
    json_key(w, key);
    json_int(w, (int64_t)n);
}

static void write_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_str(w, str_of(text));
}

static void write_sums(struct json_writer *w, struct sums sums)
{
    write_int(w, "under_way", sums.all);
    write_int(w, "go_on", sums.ways[GO_ON]);
    write_int(w, "begin_again", sums.ways[BEGIN_AGAIN]);
    write_int(w, "end", sums.ways[END]);
    write_int(w, "tasks_taken_back", sums.tasks_back);
}

static void write_why(struct json_writer *w, const struct counts *counts)
{
    json_key(w, "why");
    json_open(w, '{');
    for (int f = 0; f < FATE_COUNT; f++)
        if (counts->fates[f] != 0)
            write_int(w, fate_word((enum fate)f), counts->fates[f]);
    json_close(w, '}');
}

static void write_moment(struct json_writer *w, const struct moment_change *c,
                         const struct counts *counts)
{
    static const char *const on_change[] = {"", "keep", "restart", "drop"};

    json_open(w, '{');
    json_key(w, "moment");
    json_str(w, c->name);
    write_text(w, "change", change_word(c->change));
    if (c->change == CHANGE_STEPS)
        write_int(w, "from_step", c->from_step + 1);
    if (c->after != NULL && c->after->on_change != ON_CHANGE_AUTO)
        write_text(w, "on_change", on_change[c->after->on_change]);
    write_sums(w, sums_of(counts));
    write_why(w, counts);
    json_close(w, '}');
}

static void put_json(struct plan *p)
{
    const struct activation_entry *active = activation_in_force(&p->history);
    struct json_writer w = json_writer_to(&p->out);

    json_open(&w, '{');
    write_text(&w, "rule_set", p->after->hash_hex);
    if (active != NULL) {
        write_int(&w, "in_force_number", (uint64_t)active->number);
        write_text(&w, "in_force", active->hash);
    }
    json_key(&w, "files");
    json_open(&w, '[');
    for (size_t i = 0; i < p->file_count; i++) {
        json_open(&w, '{');
        json_key(&w, "name");
        json_str(&w, p->files[i].name);
        json_key(&w, "change");
        json_str(&w, (struct str){&p->files[i].mark, 1});
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_key(&w, "moments");
    json_open(&w, '[');
    for (size_t i = 0; i < p->change_count; i++)
        write_moment(&w, &p->changes[i], &p->counts[i]);
    json_close(&w, ']');
    json_key(&w, "changed");
    json_open(&w, '{');
    write_sums(&w, sums_where(p, true));
    json_close(&w, '}');
    json_key(&w, "unchanged");
    json_open(&w, '{');
    write_sums(&w, sums_where(p, false));
    json_close(&w, '}');
    write_int(&w, "customers", p->customers);
    write_int(&w, "unreadable", p->unreadable);
    json_close(&w, '}');
    buf_put_char(&p->out, '\n');
}

/* --- all of it ------------------------------------------------------------------------------------- */

static struct ruleset *compile(const struct bundle *bundle)
{
    struct diags diags = {0};
    struct ruleset *set = ruleset_compile(bundle, NULL, &diags);

    diags_free(&diags);
    return set;
}

static enum err_code read_active(struct plan *p, struct err *err)
{
    struct kafka_settings kafka = config_kafka(p->c->conf, "plan", p->c->arena);
    struct rules_topic *topic =
        rules_topic_open(&kafka, config_topics(p->c->conf, p->c->arena).rules);
    enum err_code code = rules_topic_history(topic, p->c->arena, &p->history, err);
    const struct activation_entry *active =
        code == ERR_NONE ? activation_in_force(&p->history) : NULL;

    if (active != NULL)
        code = rules_topic_bundle(topic, str_of(active->hash), p->c->arena, &p->active, err);
    rules_topic_close(topic);
    return code;
}

static enum err_code make_plan(struct plan *p, struct err *err)
{
    enum err_code code = read_active(p, err);

    if (code != ERR_NONE)
        return code;
    p->before = p->active.count != 0 ? compile(&p->active) : NULL;
    p->after = compile(p->bundle);
    if (p->after == NULL || (p->active.count != 0 && p->before == NULL))
        return err_set(err, ERR_STATE, "this version of attent cannot compile %s",
                       p->after == NULL ? p->name : "the rules that are in force");
    p->file_count = rules_diff_files(&p->active, p->bundle, p->c->arena, &p->files);
    p->change_count = rules_changes(p->before, p->after, p->c->arena, &p->changes);
    p->counts = ARENA_ARRAY(p->c->arena, struct counts, p->change_count);
    return p->before != NULL ? count_all(p, err) : ERR_NONE;
}

static int print(struct plan *p)
{
    if (options_has(&p->c->options, "json"))
        put_json(p);
    else
        put_text(p);
    fputs(buf_text(&p->out), stdout);
    if (p->unreadable == 0)
        return EXIT_FINE;
    fprintf(stderr, "attent: %" PRIu64 " states cannot be read and are not counted: %s\n",
            p->unreadable, p->unreadable_err.text);
    return EXIT_FINDINGS;
}

int activate_plan(const struct command *c, const struct bundle *bundle, const char *name)
{
    struct plan p = {.c = c, .name = name, .bundle = bundle};
    struct err err = {0};
    int code = make_plan(&p, &err) == ERR_NONE ? print(&p) : cli_fail(&err);

    ruleset_free(p.before);
    ruleset_free(p.after);
    buf_free(&p.out);
    return code;
}
