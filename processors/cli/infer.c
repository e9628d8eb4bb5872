#include "processors/cli/infer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/sample.h"
#include "schemas/schema_infer.h"

struct kind { /* events of one type */
    char *type;
    struct schema_infer *infer;
};

struct inferring {
    struct command c;
    struct ingest_trial trial;
    struct arena *arena; /* of a record */
    struct kind *kinds;
    size_t kind_count, kind_capacity;
    size_t read, left_out;
    struct err last; /* why one was left out */
};

/* --- seeing ------------------------------------------------------------------------------------------------ */

/* Of the file of a type: no way out of its folder. */
static bool is_file_name(struct str type)
{
    for (size_t i = 0; i < type.len; i++) {
        char c = type.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("._-", c) == NULL))
            return false;
    }
    return type.len > 0 && type.data[0] != '.';
}

static struct schema_infer *kind_of(struct inferring *n, struct str type)
{
    for (size_t i = 0; i < n->kind_count; i++)
        if (str_is(type, n->kinds[i].type))
            return n->kinds[i].infer;
    MEM_RESERVE(n->kinds, n->kind_count, n->kind_capacity);
    n->kinds[n->kind_count] = (struct kind){mem_copy_text(type.data, type.len), schema_infer_new()};
    return n->kinds[n->kind_count++].infer;
}

static bool see(struct inferring *n, const struct record *record)
{
    const struct ingest_source *source = ingest_trial_source(&n->trial, record->topic);
    struct message message = {0};
    struct value data;
    struct str type;

    if (source == NULL) {
        err_set(&n->last, ERR_CONFIG, "no source of the configuration reads the topic \"%.*s\"",
                STR_ARG(str_head(record->topic, 256)));
        return false;
    }
    if (source->format->decode(&source->mapping, record, n->arena, &message, &n->last) !=
            EVENT_FINE ||
        content_object(&message.data, n->arena, &data, &n->last) != EVENT_FINE)
        return false;
    type = message_attribute(&message, "type");
    if (!is_file_name(type)) {
        err_set(&n->last, ERR_PARSE, "the type %.*s cannot be the name of a file", STR_ARG(type));
        return false;
    }
    schema_infer_see(kind_of(n, type), data);
    return true;
}

static enum err_code see_record(void *context, const struct record *record, struct err *err)
{
    struct inferring *n = context;

    (void)err;
    n->read++;
    n->left_out += !see(n, record);
    arena_reset(n->arena);
    return ERR_NONE;
}

static void see_line(void *context, struct str line)
{
    struct inferring *n = context;
    struct record record;

    if (ingest_line_read(line, n->arena, &record, &n->last)) {
        see_record(n, &record, NULL);
        return;
    }
    n->read++;
    n->left_out++;
    arena_reset(n->arena);
}

/* --- writing ----------------------------------------------------------------------------------------------- */

static enum err_code make_folder(const char *path, struct err *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return ERR_NONE;
    return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* Where schemas are, or DIR/schemas/events, made now. */
static enum err_code find_folder(const struct inferring *n, struct str *out, struct err *err)
{
    const char *rules = conf_text(n->c.conf, "rules.folder").data;
    struct arena *arena = n->c.arena;
    enum err_code code = ERR_NONE;

    *out = rules_folder_path(rules, STR("schemas/events/"), arena);
    if (out->len > 1) /* "/" when there is none yet */
        return ERR_NONE;
    *out = arena_format(arena, "%s/schemas/events/", rules);
    code = make_folder(rules, err);
    if (code == ERR_NONE)
        code = make_folder(arena_format(arena, "%s/schemas", rules).data, err);
    return code == ERR_NONE ? make_folder(out->data, err) : code;
}

static enum err_code write_kind(const struct inferring *n, const struct kind *kind,
                                struct str folder, size_t *kept, struct err *err)
{
    struct str path = arena_format(n->c.arena, "%.*s%s.json", STR_ARG(folder), kind->type);
    size_t events = schema_infer_count(kind->infer), fields = schema_infer_fields(kind->infer);
    struct buf text = {0};
    enum err_code code = ERR_NONE;

    if (file_exists(path.data) && !options_has(&n->c.options, "force")) {
        ++*kept;
        printf("%s  is there already and stays as it is (--force writes it anew)\n", path.data);
        return ERR_NONE;
    }
    schema_infer_write(kind->infer, str_of(kind->type), &text);
    code = file_write(path.data, buf_str(&text), err);
    if (code == ERR_NONE)
        printf("%s  from %zu event%s, %zu field%s\n", path.data, events, events == 1 ? "" : "s",
               fields, fields == 1 ? "" : "s");
    buf_free(&text);
    return code;
}

static enum err_code write_all(const struct inferring *n, size_t *kept, struct err *err)
{
    struct str folder;
    enum err_code code = ERR_NONE;

    if (n->kind_count == 0)
        return ERR_NONE;
    code = find_folder(n, &folder, err);
    for (size_t i = 0; i < n->kind_count && code == ERR_NONE; i++)
        code = write_kind(n, &n->kinds[i], folder, kept, err);
    return code;
}

/* --- the verb ---------------------------------------------------------------------------------------------- */

static enum err_code read_sample(struct inferring *n, struct err *err)
{
    const char *from = n->c.options.arguments[1];
    enum err_code code = sample_configure(&n->c, &n->trial, err);

    if (code != ERR_NONE)
        return code;
    return strcmp(from, "-") == 0 || file_exists(from)
               ? ingest_lines_each(from, see_line, n, err)
               : sample_topic(&n->c, from, see_record, n, err);
}

static int run(struct inferring *n)
{
    struct err err = {0};
    size_t kept = 0;
    enum err_code code = read_sample(n, &err);

    if (code == ERR_NONE)
        code = write_all(n, &kept, &err);
    if (code != ERR_NONE)
        return cli_fail(&err);
    if (n->left_out > 0)
        fprintf(stderr, "attent: %zu of %zu records were left out, the last because: %s\n",
                n->left_out, n->read, n->last.text);
    if (n->read == 0)
        fputs("attent: there are no records\n", stderr);
    return n->kind_count == 0 || kept > 0 ? EXIT_FINDINGS : EXIT_FINE;
}

int verb_schema_infer(int argc, char **argv)
{
    struct inferring n = {.arena = arena_new(0), .trial = {.now_ms = clock_wall_ms()}};
    int code;

    if (command_open(&n.c, "schema", argc, argv, 2, 2, &code))
        code = run(&n);
    for (size_t i = 0; i < n.kind_count; i++) {
        schema_infer_free(n.kinds[i].infer);
        mem_free(n.kinds[i].type);
    }
    mem_free(n.kinds);
    arena_free(n.arena);
    return command_close(&n.c, code);
}
