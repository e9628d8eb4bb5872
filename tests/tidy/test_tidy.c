/* tests/tidy/test_tidy.c - the house rules that a machine can check.
 *
 * Reads every source file and fails with the rule as a sentence: levels of folders, who may
 * include which library, who may ask the system for time or chance, and leftovers.
 */
#include <fts.h>
#include <stdio.h>

#include "core/file.h"
#include "core/str.h"
#include "tests/support/suite.h"

/* --- the rules -------------------------------------------------------------------------------- */

/* Files in `folder` may include our headers below `allowed` only. */
static const struct {
    const char *folder;
    const char *allowed[9];
    const char *sentence;
} levels[] = {
    {"core/", {"core/"}, "level 0: core may include only core"},
    {"schemas/", {"schemas/", "core/"}, "level 1: schemas may include core"},
    {"rules/", {"rules/", "schemas/", "core/"}, "level 2: rules may include schemas and core"},
    {"connectors/",
     {"connectors/", "schemas/", "core/"},
     "level 3: connectors may include schemas and core"},
    {"processors/worker/",
     {"processors/worker/", "connectors/", "schemas/", "core/"},
     "the worker knows no step and no rules"},
    {"processors/ingest/",
     {"processors/ingest/", "connectors/geoip/", "connectors/kafka/", "schemas/", "core/"},
     "ingest includes no other processor, no rules, no channels"},
    {"processors/decide/",
     {"processors/decide/", "processors/worker/step.h", "rules/", "schemas/", "core/"},
     "a step does no I/O: decide includes no connector and of the worker only step.h"},
    {"processors/identify/",
     {"processors/identify/", "processors/worker/step.h", "schemas/", "core/"},
     "a step does no I/O: identify includes no connector, no rules and of the worker only step.h"},
    {"processors/dispatch/",
     {"processors/dispatch/", "connectors/", "schemas/", "core/"},
     "dispatch knows no rules and no other processor"},
    {"processors/console/",
     {"processors/console/", "schemas/", "core/"},
     "the console includes no other processor"},
};

/* A header of a library is included below one place; the first that fits says which. */
static const struct {
    const char *header;
    const char *place;
} libraries[] = {
    {"librdkafka/", "connectors/kafka/"},
    {"hiredis", "connectors/redis/"},
    {"maxminddb", "connectors/geoip/"},
    {"jansson", "core/json.c"},
    {"yaml.h", "core/yaml.c"},
    {"xxhash", "core/hash.c"},
    {"pcre2", "core/regex.c"},
    {"microhttpd", "core/httpd.c"},
    {"curl/", "connectors/net/"},
    {"openssl/ssl.h", "connectors/redis/tls.c"},
    {"openssl/", "core/crypto.c"},
};

/* Calls that only one file may make: an output is a function of the log. */
static const struct {
    const char *call;
    const char *place;
} system_calls[] = {
    {"clock_gettime(", "core/clock.c"}, {"gettimeofday(", "core/clock.c"},
    {" time(", "core/clock.c"},         {"localtime", "core/clock.c"},
    {"nanosleep(", "core/clock.c"},     {"usleep(", "core/clock.c"},
    {"getrandom(", "core/rng.c"},       {" rand(", "core/rng.c"},
    {" random(", "core/rng.c"},         {"setlocale(", "core/none"},
    {"drand48(", "core/rng.c"},         {"arc4random", "core/rng.c"},
};

/* --- the checks --------------------------------------------------------------------------------- */

static int findings;

static void found(const char *file, int line, const char *sentence, struct str what)
{
    fprintf(stderr, "%s:%d: %.*s: %s\n", file, line, STR_ARG(what), sentence);
    findings++;
}

static bool below(const char *file, const char *place)
{
    return str_starts(str_of(file), str_of(place));
}

static void check_level(const char *file, int line, struct str included)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        bool allowed = false;
        if (!below(file, levels[i].folder))
            continue;
        for (const char *const *a = levels[i].allowed; *a != NULL; a++)
            allowed |= str_starts(included, str_of(*a));
        if (!allowed)
            found(file, line, levels[i].sentence, included);
        return;
    }
}

/* plan_parts.h: the inside of a part whose source is several files beside it. */
static void check_inside(const char *file, int line, struct str included)
{
    size_t folder = included.len;

    if (!str_ends(included, STR("_parts.h")))
        return;
    while (folder > 0 && included.data[folder - 1] != '/')
        folder--;
    if (!str_starts(str_of(file), str_slice(included, 0, folder)))
        found(file, line, "the inside of a part is included in its own folder only", included);
}

static void check_library(const char *file, int line, struct str included)
{
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        if (!str_starts(included, str_of(libraries[i].header)))
            continue;
        if (!below(file, libraries[i].place))
            found(file, line, "the header of a library is included by one place only", included);
        return;
    }
}

static void check_include(const char *file, int line, struct str text)
{
    struct str before, rest, name;

    if (!str_starts(text, STR("#include ")))
        return;
    if (str_cut(text, '"', &before, &rest) && str_cut(rest, '"', &name, &before)) {
        check_level(file, line, name);
        check_inside(file, line, name);
    } else if (str_cut(text, '<', &before, &rest) && str_cut(rest, '>', &name, &before)) {
        check_library(file, line, name);
    }
}

static void check_line(const char *file, int line, struct str text)
{
    check_include(file, line, text);
    for (size_t i = 0; i < sizeof system_calls / sizeof system_calls[0]; i++)
        if (str_contains(text, str_of(system_calls[i].call)) && !below(file, system_calls[i].place))
            found(file, line, "only core/clock.c and core/rng.c ask the system for time or chance",
                  str_of(system_calls[i].call));
    if (str_starts(str_trim(text), STR("typedef struct")))
        found(file, line, "no typedef for structs", text);
}

static void check_file(const char *file)
{
    struct arena *arena = arena_new(0);
    struct str rest, line;
    int number = 1;

    ck_assert_int_eq(file_read(file, arena, &rest, NULL), ERR_NONE);
    for (; str_cut(rest, '\n', &line, &rest); number++)
        check_line(file, number, line);
    arena_free(arena);
}

START_TEST(every_source_file_keeps_the_house_rules)
{
    char *const folders[] = {"core", "schemas", "rules", "connectors", "processors", NULL};
    FTS *walk = fts_open(folders, FTS_NOCHDIR | FTS_PHYSICAL, NULL);
    int files = 0;

    ck_assert_ptr_nonnull(walk);
    for (FTSENT *entry = fts_read(walk); entry != NULL; entry = fts_read(walk)) {
        struct str path = str_of(entry->fts_path);
        if (entry->fts_info != FTS_F || (!str_ends(path, STR(".c")) && !str_ends(path, STR(".h"))))
            continue;
        check_file(entry->fts_path);
        files++;
    }
    fts_close(walk);
    ck_assert_int_gt(files, 50); /* run from the repository's root, or nothing is checked */
    ck_assert_msg(findings == 0, "%d findings above", findings);
}
END_TEST

SUITE_MAIN("tidy", every_source_file_keeps_the_house_rules)
