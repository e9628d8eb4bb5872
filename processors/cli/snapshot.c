/* attent snapshot: a file for each partition of each step, while they are worked on.  The folder has
 * its name when all of them are in it, so one that is there is whole. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "processors/cli/steps.h"
#include "processors/worker/meta.h"
#include "processors/worker/snapshot.h"

struct saving {
    struct steps *steps;
    const char *dir; /* still with .part behind its name */
    bool json;
    size_t saved, subjects;
};

/* A folder of an attempt that was broken off is used again. */
static enum err_code make_folder(struct saving *s, struct err *err)
{
    struct str *left;
    size_t count;

    if (mkdir(s->dir, 0700) == 0)
        return ERR_NONE;
    if (errno != EEXIST)
        return err_set(err, ERR_IO, "folder %s: %s", s->dir, strerror(errno));
    if (file_list(s->dir, ".snapshot", s->steps->arena, &left, &count, err) != ERR_NONE)
        return ERR_IO;
    for (size_t i = 0; i < count; i++)
        unlink(left[i].data);
    return ERR_NONE;
}

static void print_saved(struct saving *s, const struct snapshot *snapshot, const struct meta *meta)
{
    struct buf out = {0};
    struct json_writer w = json_writer_to(&out);

    if (!s->json) {
        printf("%.*s/%d: next %" PRId64 ", %zu subjects\n", STR_ARG(snapshot->step),
               snapshot->partition, meta->next, snapshot->copy.count);
        return;
    }
    json_open(&w, '{');
    json_key(&w, "step");
    json_str(&w, snapshot->step);
    json_key(&w, "partition");
    json_int(&w, snapshot->partition);
    json_key(&w, "next");
    json_int(&w, meta->next);
    json_key(&w, "commit");
    json_int(&w, (int64_t)meta->commit);
    json_key(&w, "subjects");
    json_int(&w, (int64_t)snapshot->copy.count);
    json_close(&w, '}');
    puts(buf_text(&out));
    buf_free(&out);
}

static enum err_code write_one(struct saving *s, const struct snapshot *snapshot,
                               struct arena *arena, struct err *err)
{
    struct str path =
        snapshot_path(arena, s->dir, arena_str(arena, snapshot->step).data, snapshot->partition);
    struct meta meta;
    enum err_code code = meta_decode_any(snapshot->copy.meta, &meta, err);

    if (code != ERR_NONE)
        err_prefix(err, "%.*s/%d", STR_ARG(snapshot->step), snapshot->partition);
    else
        code = snapshot_write(path.data, snapshot, err);
    if (code == ERR_NONE) {
        s->saved++;
        s->subjects += snapshot->copy.count;
        print_saved(s, snapshot, &meta);
    }
    meta_free(&meta);
    return code;
}

static enum err_code save_one(struct saving *s, const struct cli_step *step, int32_t partition,
                              struct err *err)
{
    struct store *store = s->steps->store;
    struct arena *arena = arena_new(0);
    struct snapshot snapshot = {
        .step = str_of(step->class->name), .partition = partition, .taken_ms = clock_wall_ms()};
    enum store_result result =
        store->class->copy(store, step->class->name, partition, arena, &snapshot.copy, err);
    enum err_code code = ERR_NONE;

    if (result != STORE_DONE)
        code = result == STORE_DOWN ? ERR_DOWN : ERR_STATE;
    else if (snapshot.copy.commit == 0)
        fprintf(stderr, "attent: %s/%d has no state yet\n", step->class->name, partition);
    else
        code = write_one(s, &snapshot, arena, err);
    arena_free(arena);
    return code;
}

static enum err_code save_all(struct saving *s, struct err *err)
{
    const struct steps *steps = s->steps;
    enum err_code code = make_folder(s, err);

    for (size_t i = 0; i < STEPS_COUNT; i++)
        for (int32_t p = steps->first; p < steps->end && code == ERR_NONE; p++)
            if (steps->items[i].chosen)
                code = save_one(s, &steps->items[i], p, err);
    if (code == ERR_NONE && s->saved == 0)
        code = err_set(err, ERR_STATE, "Redis holds no state of any partition: nothing to save");
    return code;
}

static enum err_code run(const struct command *c, const char *out, struct err *err)
{
    struct steps steps = {.growing = true}; /* also what has grown too early can be saved */
    struct saving saving = {.steps = &steps,
                            .dir = arena_format(c->arena, "%s.part", out).data,
                            .json = options_has(&c->options, "json")};
    enum err_code code = steps_open(&steps, c, true, err);

    if (code == ERR_NONE)
        code = save_all(&saving, err);
    if (code == ERR_NONE && rename(saving.dir, out) != 0)
        code = err_set(err, ERR_IO, "rename %s: %s", saving.dir, strerror(errno));
    if (code == ERR_NONE && !saving.json)
        printf("%s: %zu partitions, %zu subjects\n", out, saving.saved, saving.subjects);
    steps_close(&steps);
    return code;
}

int verb_snapshot(int argc, char **argv)
{
    struct err err = {0};
    struct command c;
    const char *out;
    int code;

    if (!command_open(&c, "snapshot", argc, argv, 1, 1, &code))
        return command_close(&c, code);
    out = c.options.arguments[0];
    if (file_exists(out))
        err_set(&err, ERR_USAGE, "%s is there already: a snapshot is a new folder", out);
    else
        run(&c, out, &err);
    return command_close(&c, err.code != ERR_NONE ? cli_fail(&err) : EXIT_FINE);
}
