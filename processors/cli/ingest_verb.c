/* attent ingest: what ingest would make of records, from a file or of a topic. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/file.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/ingest_lines.h"
#include "processors/cli/role_ingest.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/scan.h"

enum { SAMPLE_DEFAULT = 100, SAMPLE_MOST = 1000 * 1000 };

struct trying {
    struct command c;
    struct ingest_config config;
    struct ingest_trial trial;
    struct arena *arena; /* of a record */
    struct buf out;
    int64_t left; /* records of the sample to come */
};

/* --- by what it is tried --------------------------------------------------------------------------------- */

static bool is_configured(const struct command *c)
{
    return options_has(&c->options, "config") || options_has(&c->options, "set") ||
           file_exists("attent.yaml");
}

static enum err_code configure(struct trying *t, struct err *err)
{
    const struct conf *conf = t->c.conf;
    struct bundle bundle;
    enum err_code code = rules_folder_read(conf_text(conf, "rules.folder").data, t->c.arena,
                                           &bundle, err);

    if (code != ERR_NONE)
        return code;
    t->config.sources = ingest_sources_of(conf, config_topics(conf, t->c.arena).outcomes,
                                          t->c.arena, &t->config.source_count);
    t->config.events_topic = config_topics(conf, t->c.arena).events;
    t->config.types = ingest_types_of(&bundle, t->c.arena, err);
    if (t->config.types == NULL)
        return err->code;
    t->trial.config = &t->config;
    return ingest_check_sources(&t->config, err);
}

/* --- from a file ----------------------------------------------------------------------------------------- */

static void say(struct trying *t)
{
    fwrite(t->out.data, 1, t->out.len, stdout);
    fflush(stdout); /* whoever asks may wait for this answer before the next line */
    buf_clear(&t->out);
    arena_reset(t->arena);
}

static bool is_blank(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (strchr(" \t\r\n", line.data[i]) == NULL)
            return false;
    return true;
}

static enum err_code try_lines(struct trying *t, const char *path, struct err *err)
{
    bool standard = path == NULL || strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t bytes;

    if (in == NULL)
        return err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
    while ((bytes = getline(&line, &capacity, in)) != -1) {
        if (is_blank((struct str){line, (size_t)bytes}))
            continue;
        ingest_trial_line(&t->trial, (struct str){line, (size_t)bytes}, t->arena, &t->out);
        say(t);
    }
    free(line);
    if (!standard)
        fclose(in);
    return ERR_NONE;
}

/* --- of a topic ------------------------------------------------------------------------------------------ */

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct trying *t = context;

    (void)err;
    if (t->left-- <= 0)
        return ERR_NONE;
    ingest_trial_record(&t->trial, record, t->arena, &t->out);
    say(t);
    return ERR_NONE;
}

static enum err_code try_topic(struct trying *t, const char *topic, struct err *err)
{
    struct kafka_settings kafka = config_kafka(t->c.conf, "sample", t->c.arena);
    struct scan scan = {.kafka = &kafka,
                        .topic = topic,
                        .partition = SCAN_ALL,
                        .context = t,
                        .record = take};
    enum err_code code = options_number(&t->c.options, "count", 1, SAMPLE_MOST, SAMPLE_DEFAULT,
                                        &scan.newest, err);

    t->left = scan.newest;
    if (code == ERR_NONE)
        code = scan_topic(&scan, err);
    if (code != ERR_NONE)
        return code;
    ingest_trial_table(&t->trial, &t->out);
    say(t);
    return ERR_NONE;
}

/* --- the verb -------------------------------------------------------------------------------------------- */

static int run(struct trying *t)
{
    const struct options *options = &t->c.options;
    const char *topic = options_value(options, "sample");
    const char *path = options->argument_count > 0 ? options->arguments[0] : NULL;
    struct err err = {0};
    enum err_code code = ERR_NONE;

    if ((topic != NULL) == options_has(options, "dry-run") || (topic != NULL && path != NULL)) {
        err_set(&err, ERR_USAGE, "either --dry-run [FILE] or --sample TOPIC");
        return cli_fail(&err);
    }
    if (is_configured(&t->c))
        code = configure(t, &err);
    if (code == ERR_NONE)
        code = topic != NULL ? try_topic(t, topic, &err) : try_lines(t, path, &err);
    return code == ERR_NONE ? EXIT_FINE : cli_fail(&err);
}

int verb_ingest(int argc, char **argv)
{
    struct trying t = {.arena = arena_new(0), .trial = {.now_ms = clock_wall_ms()}};
    int code;

    if (command_open(&t.c, "ingest", argc, argv, 0, 1, &code))
        code = run(&t);
    buf_free(&t.out);
    arena_free(t.arena);
    return command_close(&t.c, code);
}
