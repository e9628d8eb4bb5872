/* attent restore: what `attent snapshot` has saved, back into Redis.  The workers go on from the
 * snapshot's `next` and give their outputs the numbers they had. */
#include <stdio.h>

#include "core/file.h"
#include "processors/cli/change.h"
#include "processors/worker/meta.h"
#include "processors/worker/snapshot.h"

/* Numbers go on only if the output topics are as they were. */
static bool fits(struct changes *changes, const struct cli_step *step,
                 const struct snapshot *snapshot)
{
    struct str mine = steps_identity(changes->steps, step);
    struct err why = {0};
    struct meta meta;
    bool fine;

    if (!str_equal(snapshot->copy.identity, mine)) {
        changes_refuse(changes, step, snapshot->partition, "the snapshot is of %.*s, this is %.*s",
                       STR_ARG(snapshot->copy.identity), STR_ARG(mine));
        return false;
    }
    fine =
        meta_decode(snapshot->copy.meta, step->counts, step->output_count, &meta, &why) == ERR_NONE;
    if (!fine)
        changes_refuse(changes, step, snapshot->partition, "%s", why.text);
    meta_free(&meta);
    return fine;
}

static enum err_code add_one(struct changes *changes, const char *dir, const struct cli_step *step,
                             int32_t partition, struct err *err)
{
    struct arena *arena = changes->steps->arena;
    struct str path = snapshot_path(arena, dir, step->class->name, partition);
    struct snapshot snapshot;
    enum err_code code;

    if (!file_exists(path.data))
        return ERR_NONE;
    code = snapshot_read(path.data, arena, &snapshot, err);
    if (code != ERR_NONE)
        return code;
    if (!str_is(snapshot.step, step->class->name) || snapshot.partition != partition)
        return err_set(err, ERR_STATE, "%s is of %.*s/%d", path.data, STR_ARG(snapshot.step),
                       snapshot.partition);
    return fits(changes, step, &snapshot)
               ? changes_add(changes, step, partition, &snapshot.copy, "", err)
               : ERR_NONE;
}

static int run(const struct command *c, const char *dir, struct err *err)
{
    struct steps steps = {0};
    struct changes changes = {
        .steps = &steps, .verb = "restore", .over = options_has(&c->options, "force")};
    enum err_code code = steps_open(&steps, c, true, err);
    int exit_code;

    for (size_t i = 0; i < STEPS_COUNT && code == ERR_NONE; i++)
        for (int32_t p = steps.first; p < steps.end && code == ERR_NONE; p++)
            if (steps.items[i].chosen)
                code = add_one(&changes, dir, &steps.items[i], p, err);
    if (code == ERR_NONE && changes.count == 0 && changes.refused == 0)
        code = err_set(err, ERR_STATE, "%s holds no snapshot of these partitions", dir);
    exit_code = code != ERR_NONE ? cli_fail(err)
                                 : changes_finish(&changes, options_has(&c->options, "yes"), err);
    changes_free(&changes);
    steps_close(&steps);
    return exit_code;
}

int verb_restore(int argc, char **argv)
{
    struct err err = {0};
    struct command c;
    const char *dir;
    int code;

    if (!command_open(&c, "restore", argc, argv, 1, 1, &code))
        return command_close(&c, code);
    dir = c.options.arguments[0];
    if (!file_is_folder(dir)) {
        err_set(&err, ERR_USAGE, "%s is not a folder", dir);
        code = cli_fail(&err);
    } else {
        code = run(&c, dir, &err);
    }
    return command_close(&c, code);
}
