/* attent ingest: what ingest would make of records, from a file or of a topic. */
#include <stdio.h>

#include "core/clock.h"
#include "processors/cli/sample.h"

struct trying {
    struct command c;
    struct ingest_trial trial;
    struct arena *arena; /* of a record */
    struct buf out;
};

/* --- from a file ----------------------------------------------------------------------------------------- */

static void say(struct trying *t)
{
    fwrite(t->out.data, 1, t->out.len, stdout);
    fflush(stdout); /* whoever asks may wait for this answer before the next line */
    buf_clear(&t->out);
    arena_reset(t->arena);
}

static void try_line(void *context, struct str line)
{
    struct trying *t = context;

    ingest_trial_line(&t->trial, line, t->arena, &t->out);
    say(t);
}

/* --- of a topic ------------------------------------------------------------------------------------------ */

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct trying *t = context;

    (void)err;
    ingest_trial_record(&t->trial, record, t->arena, &t->out);
    say(t);
    return ERR_NONE;
}

static enum err_code try_topic(struct trying *t, const char *topic, struct err *err)
{
    enum err_code code = sample_topic(&t->c, topic, take, t, err);

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
    enum err_code code;

    if ((topic != NULL) == options_has(options, "dry-run") || (topic != NULL && path != NULL)) {
        err_set(&err, ERR_USAGE, "either --dry-run [FILE] or --sample TOPIC");
        return cli_fail(&err);
    }
    code = sample_configure(&t->c, &t->trial, &err);
    if (code == ERR_NONE)
        code =
            topic != NULL ? try_topic(t, topic, &err) : ingest_lines_each(path, try_line, t, &err);
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
