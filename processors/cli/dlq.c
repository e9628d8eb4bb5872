/* attent dlq: what was put aside, why, and back again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/when.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/dlq_replay.h"
#include "processors/cli/dlq_show.h"

enum { ASK_FROM = 1000 }; /* letters at once: more than a person has looked at */

struct dlq {
    const struct command *c;
    struct kafka_settings kafka;
    struct dlq_filter filter;
    struct buf out;
    size_t found; /* letters, of all topics */
};

/* --- what is asked for -------------------------------------------------------------------------- */

/* "2026-03-04T08:00:00Z", or a span: so long ago. */
static enum err_code read_time(const struct command *c, const char *option, int64_t *out,
                               struct err *err)
{
    const char *text = options_value(&c->options, option);
    int64_t span_ms;

    if (text == NULL || when_parse_ms(str_of(text), out))
        return ERR_NONE;
    if (!when_parse_span_ms(str_of(text), &span_ms))
        return err_set(err, ERR_USAGE,
                       "--%s: \"%s\" is no time (2026-03-04T08:00:00Z) and no span (2h, 7d)",
                       option, text);
    *out = clock_wall_ms() - span_ms;
    return ERR_NONE;
}

static enum err_code read_filter(struct dlq *d, struct err *err)
{
    const struct options *options = &d->c->options;
    enum err_code code;

    d->filter = (struct dlq_filter){.reason = options_value(options, "reason"),
                                    .topic = options_value(options, "topic"),
                                    .since_ms = INT64_MIN,
                                    .until_ms = INT64_MAX};
    code = read_time(d->c, "since", &d->filter.since_ms, err);
    if (code == ERR_NONE)
        code = read_time(d->c, "until", &d->filter.until_ms, err);
    if (code == ERR_NONE && options->argument_count == 2 &&
        !spot_read(str_of(options->arguments[1]), &d->filter.at))
        code =
            err_set(err, ERR_USAGE, "\"%s\" is no TOPIC/PARTITION/OFFSET", options->arguments[1]);
    return code;
}

/* Each topic, or the one that is named. */
static enum err_code for_topics(struct dlq *d,
                                enum err_code (*call)(struct dlq *, const char *, struct err *),
                                struct err *err)
{
    enum err_code code = ERR_NONE;
    const char **topics;
    size_t count;

    if (d->filter.at.topic.len != 0)
        return call(d, arena_str(d->c->arena, d->filter.at.topic).data, err);
    topics = dlq_topics(d->c->conf, d->c->arena, &count);
    for (size_t i = 0; i < count && d->filter.topic != NULL; i++)
        if (strcmp(topics[i], d->filter.topic) == 0)
            return call(d, topics[i], err);
    for (size_t i = 0; i < count && code == ERR_NONE; i++)
        code = call(d, topics[i], err);
    return code;
}

/* --- list --------------------------------------------------------------------------------------- */

static struct str example_of(struct dlq *d, const char *topic, const struct dlq_kind *kind)
{
    return arena_format(d->c->arena, "%s/%" PRId32 "/%" PRId64, topic, kind->newest.partition,
                        kind->newest.offset);
}

static void put_kind_json(struct dlq *d, const char *topic, const struct dlq_kind *kind)
{
    struct json_writer w = json_writer_to(&d->out);

    json_open(&w, '{');
    json_key(&w, "topic");
    json_str(&w, str_of(topic));
    json_key(&w, "reason");
    json_str(&w, kind->reason);
    json_key(&w, "from");
    json_str(&w, kind->from);
    json_key(&w, "count");
    json_int(&w, (int64_t)kind->count);
    json_key(&w, "replayed");
    json_int(&w, (int64_t)kind->replayed);
    json_key(&w, "newest");
    json_time(&w, kind->newest.at_ms);
    json_key(&w, "example");
    json_str(&w, example_of(d, topic, kind));
    json_key(&w, "message");
    json_str(&w, buf_str(&kind->message));
    json_close(&w, '}');
    buf_put_char(&d->out, '\n');
}

static void put_kind(struct dlq *d, const char *topic, const struct dlq_kind *kind)
{
    enum { MESSAGE_BYTES = 100 };

    buf_put_format(&d->out, "  %-18.*s %7zu", STR_ARG(kind->reason), kind->count);
    if (kind->from.len != 0)
        buf_put_format(&d->out, "  from %.*s", STR_ARG(kind->from));
    buf_put_text(&d->out, ", newest ");
    when_put_rfc3339(&d->out, kind->newest.at_ms);
    if (kind->replayed == kind->count)
        buf_put_text(&d->out, ", all sent again");
    else if (kind->replayed != 0)
        buf_put_format(&d->out, ", %zu sent again", kind->replayed);
    buf_put_format(&d->out, "\n      %.*s  ", STR_ARG(example_of(d, topic, kind)));
    buf_put_utf8(&d->out, str_head(buf_str(&kind->message), MESSAGE_BYTES));
    buf_put_char(&d->out, '\n');
}

/* One by one, as `show` and `replay` take them. */
static void put_each(struct dlq *d, const char *topic, const struct dlq_letters *l)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct dlq_entry *entry = &l->entries[i];

        buf_put_format(&d->out, "  %s/%" PRId32 "/%" PRId64 "  ", topic, entry->partition,
                       entry->offset);
        when_put_rfc3339(&d->out, entry->at_ms);
        buf_put_format(&d->out, "  %.*s%s\n", STR_ARG(l->kinds[entry->kind].reason),
                       entry->replayed ? ", sent again" : "");
    }
}

static enum err_code list_topic(struct dlq *d, const char *topic, struct err *err)
{
    bool json = options_has(&d->c->options, "json");
    struct dlq_letters letters;
    enum err_code code = dlq_letters_read(&d->kafka, topic, &d->filter, d->c->arena, &letters, err);

    if (code == ERR_NONE && letters.count != 0 && !json)
        buf_put_format(&d->out, "%s: %zu\n", topic, letters.count);
    for (size_t i = 0; i < letters.kind_count && code == ERR_NONE; i++)
        (json ? put_kind_json : put_kind)(d, topic, &letters.kinds[i]);
    if (code == ERR_NONE && options_has(&d->c->options, "each") && !json)
        put_each(d, topic, &letters);
    d->found += letters.count;
    dlq_letters_free(&letters);
    return code;
}

static const char *nothing(const struct dlq *d)
{
    const struct dlq_filter *f = &d->filter;
    bool all = f->reason == NULL && f->topic == NULL && f->at.topic.len == 0 &&
               f->since_ms == INT64_MIN && f->until_ms == INT64_MAX;

    return all ? "no dead letters\n" : "no such dead letters\n";
}

static enum err_code list(struct dlq *d, struct err *err)
{
    enum err_code code = for_topics(d, list_topic, err);

    if (code == ERR_NONE && d->found == 0 && !options_has(&d->c->options, "json"))
        buf_put_text(&d->out, nothing(d));
    return code;
}

/* --- show --------------------------------------------------------------------------------------- */

static enum err_code show(struct dlq *d, struct err *err)
{
    if (d->filter.at.topic.len == 0)
        return err_set(err, ERR_USAGE,
                       "which? attent dlq show TOPIC/PARTITION/OFFSET (`attent dlq "
                       "list` has an example of each reason)");
    return dlq_show(&d->kafka, &d->filter.at, options_has(&d->c->options, "json"), d->c->arena,
                    &d->out, err);
}

/* --- replay ------------------------------------------------------------------------------------- */

static bool may(void *context, const char *topic, size_t count)
{
    const struct dlq *d = context;
    char answer[8] = "";

    if (count <= ASK_FROM || options_has(&d->c->options, "yes"))
        return true;
    fprintf(stderr, "send %zu records of %s again? [y/N] ", count, topic);
    if (isatty(STDIN_FILENO) != 1) {
        fputs("\nattent: nobody is there to answer; --yes answers\n", stderr);
        return false;
    }
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static void progress(void *context, const char *topic, size_t sent, size_t of)
{
    (void)context;
    if (of > ASK_FROM || sent < of)
        fprintf(stderr, "%s: %zu of %zu sent\n", topic, sent, of);
}

static void put_replayed(struct dlq *d, const char *topic, const struct dlq_replayed *r)
{
    bool dry = options_has(&d->c->options, "dry-run");

    if (r->sent + r->before + r->poison + r->stayed_count == 0 && !r->refused)
        return;
    buf_put_format(&d->out, "%s: %zu %s", topic, r->sent,
                   dry ? "would be sent again" : "sent again");
    if (r->before != 0)
        buf_put_format(&d->out, ", %zu had been before", r->before);
    if (r->refused)
        buf_put_text(&d->out, ", as nobody said yes");
    buf_put_char(&d->out, '\n');
    for (size_t i = 0; i < r->stayed_count; i++)
        buf_put_format(&d->out, "  %zu stay: %s\n", r->stayed[i].count, r->stayed[i].why);
    if (r->poison != 0)
        buf_put_format(&d->out,
                       "  %zu stay: processes ended at them; --reason poison sends them, and they "
                       "end processes again unless this release takes them\n",
                       r->poison);
}

static enum err_code replay_topic(struct dlq *d, const char *topic, struct err *err)
{
    const struct dlq_replay replay = {.kafka = &d->kafka,
                                      .identify_topic =
                                          config_topics(d->c->conf, d->c->arena).identify,
                                      .id = config_group(d->c->conf, "dlq", d->c->arena),
                                      .filter = &d->filter,
                                      .dry = options_has(&d->c->options, "dry-run"),
                                      .may = may,
                                      .progress = progress,
                                      .context = d};
    struct dlq_replayed replayed;
    enum err_code code = dlq_replay_topic(&replay, topic, &replayed, err);

    put_replayed(d, topic, &replayed);
    d->found += replayed.refused;
    return code == ERR_NONE ? code : (err_prefix(err, "%s", topic), code);
}

static enum err_code replay(struct dlq *d, struct err *err)
{
    enum err_code code = for_topics(d, replay_topic, err);

    if (code == ERR_NONE && d->out.len == 0)
        buf_put_text(&d->out, nothing(d));
    return code;
}

/* --- the verb ----------------------------------------------------------------------------------- */

static int run_dlq(const struct command *c)
{
    struct dlq d = {.c = c, .kafka = config_kafka(c->conf, "dlq", c->arena)};
    struct str what = str_of(c->options.arguments[0]);
    struct err err = {0};
    enum err_code code = read_filter(&d, &err);

    if (code != ERR_NONE)
        return cli_fail(&err);
    if (str_is(what, "list"))
        code = list(&d, &err);
    else if (str_is(what, "show"))
        code = show(&d, &err);
    else if (str_is(what, "replay"))
        code = replay(&d, &err);
    else
        code = err_set(&err, ERR_USAGE, "there is no dlq %.*s, but list, show and replay",
                       STR_ARG(what));
    fputs(buf_text(&d.out), stdout);
    buf_free(&d.out);
    if (code != ERR_NONE)
        return cli_fail(&err);
    return str_is(what, "replay") && d.found != 0 ? EXIT_FINDINGS : EXIT_FINE;
}

int verb_dlq(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "dlq", argc, argv, 1, 2, &code))
        code = run_dlq(&c);
    return command_close(&c, code);
}
