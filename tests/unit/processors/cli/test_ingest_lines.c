/* The answers of attent ingest --dry-run are files for people: tests/ingest/NAME.txt has "# what is tried",
 * a record as a line, and the answer behind "= ".  UPDATE_FIXTURES=1 writes the answers anew. */
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "processors/cli/ingest_lines.h"
#include "tests/support/suite.h"

#define NOW_MS 1772442000000 /* 2026-03-02T09:00:00Z */

static struct arena *arena;

static const struct ingest_config *config_of_shop(void)
{
    static const struct event_type_file files[] = {
        {"order.placed.json",
         STR("{\"type\":\"object\",\"required\":[\"amount\"],\"properties\":{\"amount\":{\"type\":"
             "\"number\",\"minimum\":0}}}")},
        {"customer.erased.json", STR("{}")},
    };
    static const struct ingest_source sources[] = {
        {.topic = "crm", .format = &cloudevents_format, .tombstone = TOMBSTONE_ERASE},
        {.topic = "web", .format = &cloudevents_format, .tombstone = TOMBSTONE_IGNORE},
        {.topic = "orders",
         .format = &json_format,
         .mapping = {.id = {MAPPING_POINTER, {"/no", 3}},
                     .type = {MAPPING_CONSTANT, {"order.placed", 12}},
                     .time = {MAPPING_POINTER, {"/when", 5}},
                     .subject = {MAPPING_POINTER, {"/customer/id", 12}}}},
    };
    static struct ingest_config config = {
        .sources = sources, .source_count = 3, .events_topic = "attent.events"};
    static struct diags diags;

    config.types = event_types_read(files, 2, arena, &diags);
    ck_assert_ptr_nonnull(config.types);
    return &config;
}

static struct str answer_to(struct str line, const struct ingest_config *config)
{
    struct ingest_trial trial = {.config = config, .now_ms = NOW_MS};
    struct buf out = {0};
    struct str kept;

    ingest_trial_line(&trial, line, arena, &out);
    kept = arena_str(arena, str_slice(buf_str(&out), 0, out.len - 1));
    buf_free(&out);
    return kept;
}

static void check_file(const char *path, const struct ingest_config *config)
{
    bool update = getenv("UPDATE_FIXTURES") != NULL;
    struct str rest, line, what = STR_EMPTY, answer = STR_EMPTY;
    struct buf anew = {0};
    size_t cases = 0;

    ck_assert_int_eq(file_read(path, arena, &rest, NULL), ERR_NONE);
    while (str_cut(rest, '\n', &line, &rest)) {
        if (str_starts(line, STR("# ")))
            what = line;
        if (str_starts(line, STR("= "))) {
            ck_assert_msg(update || str_equal(str_slice(line, 2, line.len), answer),
                          "%s: %.*s\n  has  %.*s\n  says %.*s", path, STR_ARG(what),
                          STR_ARG(str_slice(line, 2, line.len)), STR_ARG(answer));
            cases++;
            continue;
        }
        buf_put(&anew, line);
        buf_put_char(&anew, '\n');
        if (line.len == 0 || (line.data[0] != '{' && line.data[0] != '['))
            continue;
        answer = answer_to(line, config);
        buf_put_text(&anew, "= ");
        buf_put(&anew, answer);
        buf_put_char(&anew, '\n');
    }
    if (update)
        ck_assert_int_eq(file_write(path, buf_str(&anew), NULL), ERR_NONE);
    ck_assert(update || cases > 5);
    buf_free(&anew);
}

START_TEST(without_a_configuration_cloud_events_are_taken_to_the_letter)
{
    arena = arena_new(0);
    check_file("tests/ingest/cloudevents.txt", NULL);
    arena_free(arena);
}
END_TEST

START_TEST(with_one_all_that_ingest_asks_for_is_asked_for)
{
    arena = arena_new(0);
    check_file("tests/ingest/sources.txt", config_of_shop());
    arena_free(arena);
}
END_TEST

START_TEST(the_table_counts_reasons)
{
    struct ingest_trial trial = {.counts = {[EVENT_FINE] = 97, [EVENT_BATCH] = 2}};
    struct buf out = {0};

    ingest_trial_table(&trial, &out);
    ck_assert_str_eq(buf_text(&out),
                     " records  reason\n"
                     "      97  accepted           an event\n"
                     "       2  batch              the record is a batch of events; each event has "
                     "to be a record of its own\n");
    buf_free(&out);
}
END_TEST

SUITE_MAIN("ingest_lines", without_a_configuration_cloud_events_are_taken_to_the_letter,
           with_one_all_that_ingest_asks_for_is_asked_for, the_table_counts_reasons)
