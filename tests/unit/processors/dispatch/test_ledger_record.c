#include "core/file.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/schema.h"
#include "tests/support/suite.h"

static struct ledger_record read_back(struct record record, struct arena *arena)
{
    struct ledger_record out;

    ledger_record_read(&record, arena, &out, NULL);
    return out;
}

static enum ledger_record_kind kind_of(const char *key, const char *value)
{
    const struct record record = {.key = str_of(key), .value = str_of(value)};
    struct arena *arena = arena_new(0);
    enum ledger_record_kind kind = read_back(record, arena).kind;

    arena_free(arena);
    return kind;
}

/* Does it fit the schema that is published for it? */
static void expect_fits(struct str json, struct arena *arena)
{
    struct diags diags = {0};
    const struct schema *schema;
    struct err err = {0};
    struct str text;
    struct value v;

    ck_assert_int_eq(file_read("schemas/ledger.schema.json", arena, &text, NULL), ERR_NONE);
    schema = schema_read(text, "ledger.schema.json", arena, &diags);
    ck_assert_msg(schema != NULL, "%s", diags.count > 0 ? diags.items[0].what : "");
    ck_assert_int_eq(json_parse(json, arena, &v, NULL), JSON_FINE);
    ck_assert_msg(schema_validate(schema, v, &err), "%s", err.text);
}

START_TEST(every_state_reads_back_as_it_was_written)
{
    struct arena *arena = arena_new(0);

    for (int i = 0; i < LEDGER_STATE_COUNT; i++) {
        const struct ledger_entry entry = {.id = STR("0011aa"),
                                           .state = (enum ledger_state)i,
                                           .at_ms = 1772438400123,
                                           .due_ms = 1773043200000,
                                           .moment = STR("new-car"),
                                           .channel = STR("ph\"one"),
                                           .queue = STR("insurance"),
                                           .reason = STR("no_topic"),
                                           .next_ms = i == LEDGER_RECALLING ? 1772438400456 : 0,
                                           .offset = 42,
                                           .attempt = 3,
                                           .customer = STR("C-1"),
                                           .reference = STR("SM1"),
                                           .task = STR("{\"id\":\"0011aa\"}"),
                                           .withdrawal = STR("{\"task\":\"0011aa\"}")};
        struct record record = ledger_record_entry(&entry, arena);
        struct ledger_record read = read_back(record, arena);
        expect_fits(record.value, arena);
        ck_assert_int_eq(read.kind, LEDGER_RECORD_TASK);
        ck_assert(str_equal(read.entry.id, entry.id));
        ck_assert_int_eq(read.entry.state, entry.state);
        ck_assert_int_eq(read.entry.at_ms, entry.at_ms);
        ck_assert_int_eq(read.entry.due_ms, entry.due_ms);
        ck_assert(str_equal(read.entry.moment, entry.moment));
        ck_assert(str_equal(read.entry.channel, entry.channel));
        ck_assert(str_equal(read.entry.queue, entry.queue));
        ck_assert(str_equal(read.entry.reason, entry.reason));
        ck_assert(str_equal(read.entry.task, entry.task));
        ck_assert(str_equal(read.entry.customer, entry.customer));
        ck_assert(str_equal(read.entry.reference, entry.reference));
        ck_assert(str_equal(read.entry.withdrawal, entry.withdrawal));
        ck_assert_int_eq(read.entry.next_ms, entry.next_ms);
        ck_assert_int_eq(read.entry.offset, 42);
        ck_assert_uint_eq(read.entry.attempt, 3);
    }
    arena_free(arena);
}
END_TEST

START_TEST(what_was_taken_reads_back_as_it_was_written)
{
    struct arena *arena = arena_new(0);
    const struct taken_source source = {STR("decide/3"), 2, INT64_MAX, {0x0123456789abcdef, 42}};
    struct ledger_record read = read_back(ledger_record_taken(&source, arena), arena);

    ck_assert_int_eq(read.kind, LEDGER_RECORD_TAKEN);
    ck_assert(str_is(read.source.from, "decide/3"));
    ck_assert_uint_eq(read.source.generation, 2);
    ck_assert_uint_eq(read.source.number, INT64_MAX);
    ck_assert_uint_eq(read.source.hash.low, source.hash.low);
    ck_assert_uint_eq(read.source.hash.high, 42);
    arena_free(arena);
}
END_TEST

START_TEST(a_reader_reads_back_its_own_name)
{
    struct arena *arena = arena_new(0);
    struct ledger_record read = read_back(ledger_record_reader(STR("me"), arena), arena);

    ck_assert_int_eq(read.kind, LEDGER_RECORD_READER);
    ck_assert(str_is(read.reader, "me"));
    arena_free(arena);
}
END_TEST

START_TEST(a_record_without_a_value_forgets_its_task)
{
    ck_assert_int_eq(kind_of("0011aa", NULL), LEDGER_RECORD_FORGOTTEN);
}
END_TEST

START_TEST(what_dispatch_never_writes_is_broken)
{
    static const char *const broken[][2] = {
        {"", "{}"},
        {"not an id!", "{}"},
        {"0011aa", "{}"},
        {"0011aa", "[]"},
        {"0011aa", "{\"state\":\"sent\""},
        {"0011aa",
         "{\"state\":\"lost\",\"at\":\"2026-03-02T08:00:00Z\",\"due\":\"2026-03-02T08:00:00Z\"}"},
        {"0011aa", "{\"state\":\"sent\",\"at\":\"yesterday\",\"due\":\"2026-03-02T08:00:00Z\"}"},
        {"0011aa", "{\"state\":\"sent\",\"at\":5,\"due\":\"2026-03-02T08:00:00Z\"}"},
        {"0011aa",
         "{\"state\":\"pending\",\"at\":\"2026-03-02T08:00:00Z\",\"due\":\"2026-03-02T08:00:00Z\"}"},
        {"0011aa",
         "{\"state\":\"sent\",\"at\":\"2026-03-02T08:00:00Z\",\"due\":\"2026-03-02T08:00:00Z\","
         "\"attempt\":-1}"},
        {"0011aa", "{\"state\":\"recalling\",\"at\":\"2026-03-02T08:00:00Z\",\"due\":"
                   "\"2026-03-02T08:00:00Z\",\"task\":{}}"},
        {"taken/decide/0", "{\"generation\":1,\"number\":2,\"chain\":\"xyz\"}"},
        {"taken/decide/0",
         "{\"generation\":1,\"number\":-2,\"chain\":\"00112233445566778899aabbccddeeff\"}"},
        {"taken/decide/0",
         "{\"generation\":1.5,\"number\":2,\"chain\":\"00112233445566778899aabbccddeeff\"}"},
        {"taken/decide/0", NULL},
        {"/reader", "7"},
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        ck_assert_msg(kind_of(broken[i][0], broken[i][1]) == LEDGER_RECORD_BROKEN, "%s %s",
                      broken[i][0], broken[i][1]);
}
END_TEST

SUITE_MAIN("ledger record", every_state_reads_back_as_it_was_written,
           what_was_taken_reads_back_as_it_was_written, a_reader_reads_back_its_own_name,
           a_record_without_a_value_forgets_its_task, what_dispatch_never_writes_is_broken)
