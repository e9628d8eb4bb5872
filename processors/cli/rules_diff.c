#include "processors/cli/rules_diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "processors/cli/rules_change.h"

struct diffing {
    struct rules_side from, to;
    char folder[32]; /* of the temporary files */
    struct arena *arena;
    struct buf *out;
};

/* --- the files of two bundles, side by side ----------------------------------------------------- */

struct pair {
    struct str name;
    const struct bundle_file *from, *to; /* NULL: not there */
};

/* Both bundles are sorted by name.  False: no more. */
static bool next_pair(const struct bundle *a, const struct bundle *b, size_t *i, size_t *j,
                      struct pair *out)
{
    int order;

    if (*i == a->count && *j == b->count)
        return false;
    order = *i == a->count   ? 1
            : *j == b->count ? -1
                             : str_compare(a->files[*i].name, b->files[*j].name);
    out->from = order <= 0 ? &a->files[(*i)++] : NULL;
    out->to = order >= 0 ? &b->files[(*j)++] : NULL;
    out->name = out->from != NULL ? out->from->name : out->to->name;
    return true;
}

static bool is_different(const struct pair *pair)
{
    return pair->from == NULL || pair->to == NULL || !str_equal(pair->from->text, pair->to->text);
}

size_t rules_diff_files(const struct bundle *from, const struct bundle *to, struct arena *arena,
                        struct rules_file **out)
{
    struct pair pair;
    size_t count = 0;

    *out = ARENA_ARRAY(arena, struct rules_file, from->count + to->count);
    for (size_t i = 0, j = 0; next_pair(from, to, &i, &j, &pair);)
        if (is_different(&pair))
            (*out)[count++] = (struct rules_file){pair.name, pair.from == NULL ? '+'
                                                             : pair.to == NULL ? '-'
                                                                               : '~'};
    return count;
}

static bool put_names(const struct diffing *d)
{
    struct rules_file *files;
    size_t count = rules_diff_files(d->from.bundle, d->to.bundle, d->arena, &files);

    for (size_t i = 0; i < count; i++)
        buf_put_format(d->out, "%c %.*s\n", files[i].mark, STR_ARG(files[i].name));
    return count != 0;
}

/* --- what it means for who is under way ------------------------------------------------------------ */

static struct ruleset *compile(const struct bundle *bundle)
{
    struct diags diags = {0};
    struct ruleset *set = ruleset_compile(bundle, NULL, &diags);

    diags_free(&diags);
    return set;
}

/* Nothing where one of the two does not compile: a folder may be half-way. */
static void put_meaning(const struct diffing *d)
{
    struct ruleset *from = compile(d->from.bundle), *to = compile(d->to.bundle);
    struct moment_change *changes;
    size_t count = from != NULL && to != NULL ? rules_changes(from, to, d->arena, &changes) : 0;
    size_t before = d->out->len;

    for (size_t i = 0; i < count; i++)
        rules_change_put(d->out, &changes[i]);
    if (d->out->len != before)
        buf_put_char(d->out, '\n');
    ruleset_free(from);
    ruleset_free(to);
}

/* --- diff(1) -------------------------------------------------------------------------------------- */

/* A name of a bundle goes into a command: only what cannot mean anything to the shell. */
static struct str plain(const struct diffing *d, const char *side, struct str name)
{
    struct str text = arena_format(d->arena, "%s/%.*s", side, STR_ARG(name));
    char *chars = (char *)text.data;

    for (size_t i = 0; i < text.len; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-",
                   chars[i]) == NULL)
            chars[i] = '_';
    return text;
}

static enum err_code write_side(const struct diffing *d, const char *side,
                                const struct bundle_file *file, struct err *err)
{
    struct str path = arena_format(d->arena, "%s/%s", d->folder, side);

    return file_write(path.data, file != NULL ? file->text : STR_EMPTY, err);
}

static enum err_code run(const struct diffing *d, const char *command, struct err *err)
{
    FILE *pipe = popen(command, "r");
    char chunk[4096];
    size_t bytes;
    int status;

    if (pipe == NULL)
        return err_set(err, ERR_IO, "diff: %s", strerror(errno));
    while ((bytes = fread(chunk, 1, sizeof chunk, pipe)) != 0)
        buf_put(d->out, (struct str){chunk, bytes});
    status = pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) /* 0 and 1: it compared */
        return err_set(err, ERR_IO,
                       "the command `diff` failed; it belongs to the package diffutils");
    return ERR_NONE;
}

static enum err_code put_difference(const struct diffing *d, const struct pair *pair,
                                    struct err *err)
{
    struct str command = arena_format(
        d->arena, "cd %s && exec diff -u --label %.*s --label %.*s from to", d->folder,
        STR_ARG(pair->from != NULL ? plain(d, d->from.name, pair->name) : STR("/dev/null")),
        STR_ARG(pair->to != NULL ? plain(d, d->to.name, pair->name) : STR("/dev/null")));
    enum err_code code = write_side(d, "from", pair->from, err);

    if (code == ERR_NONE)
        code = write_side(d, "to", pair->to, err);
    return code == ERR_NONE ? run(d, command.data, err) : code;
}

static enum err_code put_differences(const struct diffing *d, struct err *err)
{
    enum err_code code = ERR_NONE;
    struct pair pair;

    for (size_t i = 0, j = 0;
         code == ERR_NONE && next_pair(d->from.bundle, d->to.bundle, &i, &j, &pair);)
        if (is_different(&pair))
            code = put_difference(d, &pair, err);
    return code;
}

static void remove_folder(const struct diffing *d)
{
    unlink(arena_format(d->arena, "%s/from", d->folder).data);
    unlink(arena_format(d->arena, "%s/to", d->folder).data);
    rmdir(d->folder);
}

enum err_code rules_diff(struct rules_side from, struct rules_side to, struct buf *out,
                         bool *differs, struct err *err)
{
    struct diffing d = {.from = from,
                        .to = to,
                        .folder = "/tmp/attent-diff-XXXXXX",
                        .arena = arena_new(0),
                        .out = out};
    enum err_code code = ERR_NONE;

    *differs = put_names(&d);
    if (*differs && mkdtemp(d.folder) == NULL) {
        code = err_set(err, ERR_IO, "%s: %s", d.folder, strerror(errno));
    } else if (*differs) {
        buf_put_char(out, '\n');
        put_meaning(&d);
        code = put_differences(&d, err);
        remove_folder(&d);
    }
    arena_free(d.arena);
    return code;
}
