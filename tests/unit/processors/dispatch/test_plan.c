#include "core/file.h"
#include "core/limit.h"
#include "core/mem.h"
#include "processors/dispatch/plan.h"
#include "processors/dispatch/ledger_record.h"
#include "schemas/schema.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

/* A dispatch without Kafka: one channel "phone", one partition, a clock that the test sets. */
static struct bench {
    struct arena *arena;
    struct channels *channels;
    struct plan_rules rules;
    struct plan plan;
    struct partition partition;
    int64_t offset;
    bool topic_is_missing;
    struct dispatch_counters total;
} bench;

static bool topic_is_there(void *context, struct str topic)
{
    (void)topic;
    return !((struct bench *)context)->topic_is_missing;
}

static void setup(void)
{
    const struct connector_class *class = channel_find(STR("contact_centre"));
    struct channel_config config = {.name = STR("phone"),
                                    .class = channel_find(STR("contact_centre"))};
    struct diags diags = {0};

    bench = (struct bench){.arena = arena_new(0)};
    config.conf = conf_read(class->fields, STR(""), "test.yaml", NULL, 0, bench.arena, &diags);
    ck_assert_int_eq(channels_open(&config, 1, &bench.channels, NULL), ERR_NONE);
    bench.rules = (struct plan_rules){.channels = bench.channels,
                                      .ledger_topic = "attent.ledger",
                                      .outcomes_topic = "attent.outcomes",
                                      .dlq_topic = "attent.outcomes.dlq",
                                      .keep_ms = 1000,
                                      .retry_ms = 30000,
                                      .topic_is_there = topic_is_there,
                                      .context = &bench};
    plan_open(&bench.plan, &bench.rules);
    partition_open(&bench.partition, 3);
    bench.partition.now_ms = SAMPLE_CREATED_MS;
}

static void teardown(void)
{
    partition_close(&bench.partition);
    plan_close(&bench.plan);
    channels_close(bench.channels);
    arena_free(bench.arena);
}

/* A new transaction with these records. */
static void plan_these(struct record *records, size_t count)
{
    plan_clear(&bench.plan);
    for (size_t i = 0; i < count; i++)
        records[i].offset = bench.offset++;
    plan_records(&bench.plan, &bench.partition, records, count);
}

static void plan_task(const struct task *task)
{
    struct record record = sample_task_record(task, bench.arena);

    plan_these(&record, 1);
}

static void plan_withdrawal(const struct withdrawal *w)
{
    struct record record = sample_withdrawal_record(w, bench.arena);

    plan_these(&record, 1);
}

static void plan_at(int64_t now_ms)
{
    plan_clear(&bench.plan);
    bench.partition.now_ms = now_ms;
    plan_due(&bench.plan, &bench.partition, 100);
}

static void keep(void)
{
    plan_count(&bench.plan, &bench.total);
    partition_commit(&bench.partition);
}

/* How many records the plan writes to a topic. */
static size_t writes_to(const char *topic)
{
    size_t count = 0;

    for (size_t i = 0; i < bench.plan.write_count; i++)
        count += str_is(bench.plan.writes[i].topic, topic);
    return count;
}

static const struct record *write_to(const char *topic)
{
    for (size_t i = 0; i < bench.plan.write_count; i++)
        if (str_is(bench.plan.writes[i].topic, topic))
            return &bench.plan.writes[i];
    ck_abort_msg("nothing was written to %s", topic);
    return NULL;
}

static void expect_state(const char *id, enum ledger_state state, const char *reason)
{
    const struct ledger_entry *entry = ledger_find(bench.partition.ledger, str_of(id));
    struct ledger_record written = {.kind = LEDGER_RECORD_BROKEN};

    ck_assert_ptr_nonnull(entry);
    ck_assert_str_eq(ledger_state_code(entry->state), ledger_state_code(state));
    ck_assert_msg(str_is(entry->reason, reason), "%.*s", STR_ARG(entry->reason));
    for (size_t i = 0; i < bench.plan.write_count; i++)
        if (str_is(bench.plan.writes[i].topic, "attent.ledger") &&
            str_is(bench.plan.writes[i].key, id)) {
            ck_assert_int_eq(bench.plan.writes[i].partition, 3);
            ledger_record_read(&bench.plan.writes[i], bench.arena, &written, NULL);
        }
    ck_assert_int_eq(written.kind, LEDGER_RECORD_TASK);
    ck_assert_int_eq(written.entry.state, state);
    ck_assert_int_eq(written.entry.due_ms, entry->due_ms);
}

static void expect_outcome(const char *id, const char *code)
{
    const struct record *record = write_to("attent.outcomes");

    ck_assert(str_is(record->key, "C-1"));
    ck_assert(str_is(record_header(record, STR("ce_type")), OUTCOME_EVENT_TYPE));
    ck_assert(str_equal(record_header(record, STR("ce_id")),
                        arena_format(bench.arena, "%s-%s", id, code)));
    ck_assert(str_contains(record->value, arena_format(bench.arena, "\"%s\"", code)));
}

START_TEST(a_task_goes_to_its_queue_and_into_the_ledger)
{
    struct task task = sample_task("a1");

    plan_task(&task);
    ck_assert_uint_eq(writes_to("contact.insurance"), 1);
    ck_assert_uint_eq(writes_to("attent.ledger"), 1);
    ck_assert_uint_eq(writes_to("attent.outcomes"), 0);
    expect_state("a1", LEDGER_SENT, "");
    ck_assert_int_eq(bench.partition.next, 1);
    keep();
    ck_assert_uint_eq(bench.total.states[LEDGER_SENT], 1);
}
END_TEST

START_TEST(a_task_that_the_ledger_knows_is_not_sent_again)
{
    struct task task = sample_task("a1");

    plan_task(&task);
    keep();
    plan_task(&task);
    ck_assert_uint_eq(bench.plan.write_count, 0);
    keep();
    ck_assert_uint_eq(bench.total.drops[DROP_KNOWN], 1);
}
END_TEST

START_TEST(a_task_whose_withdrawal_is_in_the_same_batch_never_leaves)
{
    struct task task = sample_task("a1");
    struct withdrawal w = sample_withdrawal("a1");
    struct record records[] = {sample_task_record(&task, bench.arena),
                               sample_withdrawal_record(&w, bench.arena)};

    plan_these(records, 2);
    ck_assert_uint_eq(writes_to("contact.insurance"), 0);
    expect_state("a1", LEDGER_WITHDRAWN, "withdrawn");
    ck_assert_uint_eq(writes_to("attent.ledger"), 1);
}
END_TEST

START_TEST(a_task_whose_withdrawal_is_known_stays_here)
{
    struct task task = sample_task("a1");
    struct withdrawal w = sample_withdrawal("a1");

    plan_withdrawal(&w);
    expect_state("a1", LEDGER_WITHDRAWN, "withdrawn");
    keep();
    plan_task(&task);
    ck_assert_uint_eq(bench.plan.write_count, 0);
}
END_TEST

START_TEST(a_task_that_is_out_is_called_back_once)
{
    struct task task = sample_task("a1");
    struct withdrawal w = sample_withdrawal("a1");

    plan_task(&task);
    keep();
    plan_withdrawal(&w);
    ck_assert(
        str_is(record_header(write_to("contact.insurance"), STR("ce_type")), WITHDRAWAL_CE_TYPE));
    expect_state("a1", LEDGER_WITHDRAWN, "withdrawn");
    keep();
    plan_withdrawal(&w);
    ck_assert_uint_eq(bench.plan.write_count, 0);
    keep();
    ck_assert_uint_eq(bench.total.withdrawals_sent, 1);
}
END_TEST

START_TEST(a_withdrawal_of_a_moment_that_is_gone_finds_the_channel_and_queue_of_its_task)
{
    struct task task = sample_task("a1"), other = sample_task("a2");
    struct withdrawal w = sample_withdrawal("a1"), read;
    struct record both[2];

    w.moment = w.channel = w.queue = STR_EMPTY;
    plan_task(&task);
    keep();
    plan_withdrawal(&w);
    ck_assert(
        withdrawal_read_json(write_to("contact.insurance")->value, bench.plan.arena, &read, NULL));
    ck_assert(str_equal(read.moment, task.moment));
    ck_assert(str_equal(read.channel, task.channel));
    expect_state("a1", LEDGER_WITHDRAWN, "withdrawn");
    ck_assert(str_equal(ledger_find(bench.partition.ledger, STR("a1"))->channel, task.channel));
    keep();
    w.task = STR("a2");
    both[0] = sample_task_record(&other, bench.arena);
    both[1] = sample_withdrawal_record(&w, bench.arena);
    plan_these(both, 2);
    expect_state("a2", LEDGER_WITHDRAWN, "withdrawn");
    ck_assert(str_equal(ledger_find(bench.partition.ledger, STR("a2"))->queue, other.queue));
}
END_TEST

START_TEST(a_task_past_its_deadline_expires_and_decide_hears_of_it)
{
    struct task task = sample_task("a1");

    bench.partition.now_ms = task.deadline_ms; /* half-open: at the deadline it is over */
    plan_task(&task);
    ck_assert_uint_eq(writes_to("contact.insurance"), 0);
    expect_state("a1", LEDGER_EXPIRED, "deadline");
    expect_outcome("a1", "expired");
}
END_TEST

START_TEST(a_task_waits_for_its_window_and_goes_when_it_opens)
{
    struct task task = sample_task("a1");
    struct task_window windows[] = {
        {SAMPLE_CREATED_MS - 2000, SAMPLE_CREATED_MS}, /* over: half-open */
        {SAMPLE_CREATED_MS + 1000, SAMPLE_CREATED_MS + 2000}};

    task.windows = windows;
    task.window_count = 2;
    plan_task(&task);
    ck_assert_uint_eq(writes_to("contact.insurance"), 0);
    expect_state("a1", LEDGER_PENDING, "window");
    keep();
    plan_at(SAMPLE_CREATED_MS + 999);
    ck_assert_uint_eq(bench.plan.write_count, 0);
    plan_at(SAMPLE_CREATED_MS + 1000);
    ck_assert_uint_eq(writes_to("contact.insurance"), 1);
    expect_state("a1", LEDGER_SENT, "");
}
END_TEST

START_TEST(a_task_without_a_window_before_its_deadline_expires_at_once)
{
    struct task task = sample_task("a1");
    struct task_window window = {task.deadline_ms, task.deadline_ms + 1000};

    task.windows = &window;
    task.window_count = 1;
    plan_task(&task);
    expect_state("a1", LEDGER_EXPIRED, "no_window");
    expect_outcome("a1", "expired");
}
END_TEST

START_TEST(a_waiting_task_that_is_withdrawn_never_leaves)
{
    struct task task = sample_task("a1");
    struct task_window window = {SAMPLE_CREATED_MS + 1000, SAMPLE_CREATED_MS + 2000};
    struct withdrawal w = sample_withdrawal("a1");

    task.windows = &window;
    task.window_count = 1;
    plan_task(&task);
    keep();
    plan_withdrawal(&w);
    ck_assert_uint_eq(writes_to("contact.insurance"), 0);
    expect_state("a1", LEDGER_WITHDRAWN, "withdrawn");
    keep();
    plan_at(SAMPLE_CREATED_MS + 1500);
    ck_assert_uint_eq(writes_to("contact.insurance"), 0);
}
END_TEST

START_TEST(a_channel_that_is_not_configured_fails_the_task)
{
    struct task task = sample_task("a1");

    task.channel = STR("pigeon");
    plan_task(&task);
    expect_state("a1", LEDGER_FAILED, "unknown_channel");
    expect_outcome("a1", "failed");
}
END_TEST

START_TEST(a_task_that_its_channel_refuses_fails)
{
    struct task task = sample_task("a1");

    task.queue = STR("not a topic");
    plan_task(&task);
    expect_state("a1", LEDGER_FAILED, "refused");
    expect_outcome("a1", "failed");
}
END_TEST

START_TEST(an_outcome_fits_the_schema_of_its_type)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct diags diags = {0};
    struct schema *schema;
    struct value value;
    struct str text;
    struct err err = {0};

    task.channel = STR("pigeon");
    plan_task(&task);
    ck_assert_int_eq(file_read("schemas/events/task.outcome.json", bench.arena, &text, NULL),
                     ERR_NONE);
    schema = schema_read(text, "task.outcome.json", bench.arena, &diags);
    ck_assert_ptr_nonnull(schema);
    ck_assert_int_eq(json_parse(write_to("attent.outcomes")->value, bench.arena, &value, NULL),
                     JSON_FINE);
    ck_assert_msg(schema_validate(schema, value, &err), "%s", err.text);
    diags_free(&diags);
}
END_TEST

START_TEST(a_task_waits_while_the_topic_of_its_queue_is_missing)
{
    struct task task = sample_task("a1");

    bench.topic_is_missing = true;
    plan_task(&task);
    expect_state("a1", LEDGER_PENDING, "no_topic");
    keep();
    bench.topic_is_missing = false;
    plan_at(SAMPLE_CREATED_MS + 30000);
    ck_assert_uint_eq(writes_to("contact.insurance"), 1);
    expect_state("a1", LEDGER_SENT, "");
}
END_TEST

START_TEST(an_ended_task_leaves_the_ledger_after_its_time)
{
    struct task task = sample_task("a1");

    plan_task(&task);
    keep();
    plan_at(task.deadline_ms - 1); /* till then it may be withdrawn */
    ck_assert_uint_eq(bench.plan.write_count, 0);
    plan_at(task.deadline_ms);
    ck_assert_uint_eq(bench.plan.write_count, 1);
    ck_assert(str_is(bench.plan.writes[0].key, "a1"));
    ck_assert_ptr_null(bench.plan.writes[0].value.data); /* a tombstone */
    ck_assert_uint_eq(ledger_count(bench.partition.ledger), 0);
}
END_TEST

START_TEST(numbered_records_are_taken_once_and_their_numbers_kept)
{
    struct task a = sample_task("a1"), b = sample_task("b1"), c = sample_task("c1");
    struct chain last = {0};
    struct record first =
        sample_numbered(sample_task_record(&a, bench.arena), &last, "decide/3", 1, bench.arena);
    struct record second =
        sample_numbered(sample_task_record(&b, bench.arena), &last, "decide/3", 1, bench.arena);
    struct record third =
        sample_numbered(sample_task_record(&c, bench.arena), &last, "decide/3", 1, bench.arena);
    struct record records[] = {first, third, first, second};
    struct ledger_record taken;

    plan_these(records, 4);
    ck_assert_uint_eq(writes_to("contact.insurance"), 2);
    ck_assert_ptr_null(ledger_find(bench.partition.ledger, STR("c1")));
    ledger_record_read(&bench.plan.writes[bench.plan.write_count - 1], bench.arena, &taken, NULL);
    ck_assert_int_eq(taken.kind, LEDGER_RECORD_TAKEN);
    ck_assert_uint_eq(taken.source.number, 2);
    keep();
    ck_assert_uint_eq(bench.total.drops[DROP_GAP], 1);
    ck_assert_uint_eq(bench.total.drops[DROP_REPEAT], 1);
    ck_assert_int_eq(bench.partition.next, 4);
}
END_TEST

START_TEST(a_transaction_that_is_taken_back_leaves_no_trace)
{
    struct task task = sample_task("a1");
    struct chain last = {0};
    struct record record =
        sample_numbered(sample_task_record(&task, bench.arena), &last, "decide/3", 1, bench.arena);

    partition_commit(&bench.partition);
    plan_these(&record, 1);
    partition_rollback(&bench.partition);
    ck_assert_uint_eq(ledger_count(bench.partition.ledger), 0);
    ck_assert_int_eq(bench.partition.next, 0);
    plan_these(&record, 1);
    ck_assert_uint_eq(writes_to("contact.insurance"), 1);
    ck_assert_uint_eq(writes_to("attent.ledger"), 2);
}
END_TEST

START_TEST(what_is_no_task_is_dropped_and_stops_nothing)
{
    struct task task = sample_task("a1"), nameless = sample_task("no id!");
    struct record records[] = {
        {.key = STR("C-1"), .value = STR("garbage")},
        sample_task_record(&task, bench.arena),
        sample_task_record(&nameless, bench.arena),
        sample_task_record(&task, bench.arena),
    };

    records[1].value = STR("{\"id\":");
    plan_these(records, 4);
    ck_assert_uint_eq(writes_to("contact.insurance"), 1);
    keep();
    ck_assert_uint_eq(bench.total.drops[DROP_UNKNOWN_TYPE], 1);
    ck_assert_uint_eq(bench.total.drops[DROP_MALFORMED], 2);
}
END_TEST

START_TEST(a_task_too_large_for_a_kafka_record_is_dropped)
{
    struct task task = sample_task("a1");
    char *large = mem_alloc(LIMIT_TASK_BYTES);

    memset(large, 'x', LIMIT_TASK_BYTES);
    task.say = (struct str){large, LIMIT_TASK_BYTES};
    plan_task(&task);
    ck_assert_uint_eq(bench.plan.write_count, 0);
    mem_free(large);
}
END_TEST

START_TEST(where_the_log_is_the_clock_each_record_has_its_own_time)
{
    struct task early = sample_task("a1"), late = sample_task("b1");
    struct withdrawal w = sample_withdrawal("a1");
    struct record records[3];

    bench.rules.time_is_log = true;
    bench.partition.now_ms = 0;
    late.created_ms = early.deadline_ms + 1000; /* by then the first is over */
    late.deadline_ms = late.created_ms + 1000;
    records[0] = sample_task_record(&early, bench.arena);
    records[1] = sample_withdrawal_record(&w, bench.arena);
    records[2] = sample_task_record(&late, bench.arena);
    plan_these(records, 3);
    ck_assert_uint_eq(writes_to("contact.insurance"), 3); /* sent, called back, sent */
    ck_assert_int_eq(write_to("contact.insurance")->timestamp_ms, SAMPLE_CREATED_MS);
    ck_assert_int_eq(bench.partition.now_ms, late.created_ms);
}
END_TEST

/* decide does not know the task of an outcome (any more). */
static void plan_stray(const char *json)
{
    const struct header type = {STR("ce_type"), STR(STRAY_CE_TYPE)};
    struct record record = {.topic = STR("attent.tasks"),
                            .partition = 3,
                            .timestamp_ms = bench.partition.now_ms,
                            .key = STR("C-1"),
                            .value = str_of(json),
                            .headers = &type,
                            .header_count = 1};

    plan_these(&record, 1);
    plan_count(&bench.plan, &bench.total);
}

START_TEST(a_late_outcome_is_counted_and_one_of_no_task_is_put_aside)
{
    const struct record *letter;
    struct task task = sample_task("0011aa");

    plan_task(&task);
    keep();
    plan_stray("{\"task\":\"0011aa\",\"code\":\"done\",\"final\":true}");
    ck_assert_uint_eq(bench.total.drops[DROP_LATE], 1);
    ck_assert_uint_eq(writes_to("attent.outcomes.dlq"), 0);
    plan_stray("{\"task\":\"0011ab\",\"code\":\"done\"}");
    ck_assert_uint_eq(bench.total.drops[DROP_STRAY], 1);
    letter = write_to("attent.outcomes.dlq");
    ck_assert(str_is(letter->key, "C-1"));
    ck_assert(str_is(letter->value, "{\"task\":\"0011ab\",\"code\":\"done\"}"));
    ck_assert(str_is(record_header(letter, STR("attent-reason")), "unknown_task"));
    plan_stray("{\"code\":\"done\"}");
    plan_stray("[]");
    ck_assert_uint_eq(bench.total.drops[DROP_MALFORMED], 2);
}
END_TEST

SUITE_MAIN_AROUND("plan", setup, teardown, a_task_goes_to_its_queue_and_into_the_ledger,
                  a_task_that_the_ledger_knows_is_not_sent_again,
                  a_task_whose_withdrawal_is_in_the_same_batch_never_leaves,
                  a_task_whose_withdrawal_is_known_stays_here,
                  a_task_that_is_out_is_called_back_once,
                  a_withdrawal_of_a_moment_that_is_gone_finds_the_channel_and_queue_of_its_task,
                  a_task_past_its_deadline_expires_and_decide_hears_of_it,
                  a_task_waits_for_its_window_and_goes_when_it_opens,
                  a_task_without_a_window_before_its_deadline_expires_at_once,
                  a_waiting_task_that_is_withdrawn_never_leaves,
                  a_channel_that_is_not_configured_fails_the_task,
                  a_task_that_its_channel_refuses_fails, an_outcome_fits_the_schema_of_its_type,
                  a_task_waits_while_the_topic_of_its_queue_is_missing,
                  an_ended_task_leaves_the_ledger_after_its_time,
                  numbered_records_are_taken_once_and_their_numbers_kept,
                  a_transaction_that_is_taken_back_leaves_no_trace,
                  what_is_no_task_is_dropped_and_stops_nothing,
                  a_task_too_large_for_a_kafka_record_is_dropped,
                  where_the_log_is_the_clock_each_record_has_its_own_time,
                  a_late_outcome_is_counted_and_one_of_no_task_is_put_aside)
