/* A task on its way through a channel that delivers, without threads: the test says what each call
 * said. */
#include "core/mem.h"
#include "processors/dispatch/ledger_record.h"
#include "processors/dispatch/plan.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted.h"
#include "tests/support/suite.h"

static struct bench {
    struct arena *arena;
    struct channels *channels;
    struct plan_rules rules;
    struct plan plan;
    struct partition partition;
    struct rng rng;
    int64_t offset;
    bool under_way;
} bench;

static bool topic_is_there(void *context, struct str topic)
{
    (void)context, (void)topic;
    return true;
}

static bool is_under_way(void *context, struct str id)
{
    (void)id;
    return ((struct bench *)context)->under_way;
}

static void open_bench(const struct connector_class *class, const char *options)
{
    struct channel_config config = {.name = STR("phone"), .class = class};

    bench = (struct bench){.arena = arena_new(0), .rng = rng_seeded(1)};
    config.conf = scripted_conf(
        arena_format(bench.arena, "{log: %s, %s}", scratch_path(scratch_dir(), "log"), options)
            .data,
        bench.arena);
    ck_assert_int_eq(channels_open(&config, 1, &bench.channels, NULL), ERR_NONE);
    bench.rules = (struct plan_rules){.channels = bench.channels,
                                      .ledger_topic = "attent.ledger",
                                      .outcomes_topic = "attent.outcomes",
                                      .keep_ms = 1000,
                                      .retry_ms = 30000,
                                      .rng = &bench.rng,
                                      .topic_is_there = topic_is_there,
                                      .context = &bench};
    plan_open(&bench.plan, &bench.rules);
    partition_open(&bench.partition, 3);
    bench.partition.now_ms = bench.plan.real_ms = SAMPLE_CREATED_MS;
}

static void close_bench(void)
{
    partition_close(&bench.partition);
    plan_close(&bench.plan);
    channels_close(bench.channels);
    arena_free(bench.arena);
}

static void turns(void)
{
    struct partition *partition = &bench.partition;

    plan_turns(&bench.plan, &partition, 1);
}

static void plan_record(struct record record)
{
    plan_clear(&bench.plan);
    record.offset = bench.offset++;
    plan_records(&bench.plan, &bench.partition, &record, 1);
    turns();
}

static void plan_task(const char *id)
{
    struct task task = sample_task(id);

    plan_record(sample_task_record(&task, bench.arena));
}

static void plan_withdrawal(const char *id)
{
    struct withdrawal w = sample_withdrawal(id);

    plan_record(sample_withdrawal_record(&w, bench.arena));
}

static void plan_permission(const struct permission *permission)
{
    struct header *type = ARENA_NEW(bench.arena, struct header);
    struct record record = {.key = permission->customer, .headers = type, .header_count = 1};
    struct buf json = {0};

    *type = (struct header){STR("ce_type"), STR(PERMISSION_CE_TYPE)};
    permission_put_json(&json, permission);
    record.value = arena_str(bench.arena, buf_str(&json));
    buf_free(&json);
    plan_record(record);
}

/* The one call that the plan begins; the test owns it. */
static struct job *begun(enum job_kind kind, const char *id)
{
    struct job *job = plan_take_jobs(&bench.plan);

    ck_assert_msg(job != NULL, "nothing is begun");
    ck_assert_ptr_null(job->next);
    ck_assert_int_eq(job->kind, kind);
    ck_assert_str_eq(job->id, id);
    partition_commit(&bench.partition);
    return job;
}

static void nothing_begun(void)
{
    ck_assert_ptr_null(bench.plan.jobs);
}

/* It has ended; frees it. */
static void ends(struct job *job, enum delivery result)
{
    const struct channel *channel = channels_at(bench.channels, 0);

    plan_clear(&bench.plan);
    job->result = result;
    strcpy(job->receipt.reference, "SM1");
    err_set(&job->err, ERR_DOWN, "so it was");
    gate_end(channel->gate, STR_EMPTY, result, false, bench.plan.real_ms);
    plan_result(&bench.plan, &bench.partition, job);
    turns();
    job_free(job);
}

static void at(int64_t span_ms)
{
    plan_clear(&bench.plan);
    bench.partition.now_ms = bench.plan.real_ms = SAMPLE_CREATED_MS + span_ms;
    plan_due(&bench.plan, &bench.partition, 100);
    turns();
}

static void is(const char *id, enum ledger_state state, const char *reason)
{
    const struct ledger_entry *e = ledger_find(bench.partition.ledger, str_of(id));
    struct ledger_record written = {.kind = LEDGER_RECORD_BROKEN};

    ck_assert_msg(e != NULL, "%s is not in the ledger", id);
    ck_assert_str_eq(ledger_state_code(e->state), ledger_state_code(state));
    ck_assert_msg(str_is(e->reason, reason), "%.*s, not %s", STR_ARG(e->reason), reason);
    for (size_t i = 0; i < bench.plan.write_count; i++)
        if (str_is(bench.plan.writes[i].key, id))
            ledger_record_read(&bench.plan.writes[i], bench.arena, &written, NULL);
    ck_assert_int_eq(written.kind, LEDGER_RECORD_TASK); /* and so the topic says */
    ck_assert_int_eq(written.entry.state, state);
}

static void outcome_is(const char *code)
{
    const char *wanted = arena_format(bench.arena, "\"code\":\"%s\"", code).data;

    for (size_t i = 0; i < bench.plan.write_count; i++)
        if (str_is(bench.plan.writes[i].topic, "attent.outcomes") &&
            str_contains(bench.plan.writes[i].value, str_of(wanted)))
            return;
    ck_abort_msg("no outcome %s", code);
}

START_TEST(it_is_in_the_ledger_before_it_is_begun)
{
    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    is("a1", LEDGER_SENDING, "turn");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_ACCEPTED);
    is("a1", LEDGER_SENT, "");
    outcome_is("sent");
    ck_assert(str_is(ledger_find(bench.partition.ledger, STR("a1"))->reference, "SM1"));
    close_bench();
}
END_TEST

START_TEST(what_was_surely_not_sent_is_tried_again_until_no_attempt_is_left)
{
    open_bench(&scripted_class, "retries: [1s]");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_RETRY);
    is("a1", LEDGER_PENDING, "retry");
    at(749);
    nothing_begun();
    at(1250);
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_DOWN);
    is("a1", LEDGER_FAILED, "no_attempt_left");
    outcome_is("failed");
    close_bench();
}
END_TEST

START_TEST(in_doubt_each_class_does_what_it_promises)
{
    open_bench(&scripted_class, "retries: [1s]");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_UNKNOWN);
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    outcome_is("unknown");
    close_bench();

    open_bench(&scripted_idempotent_class, "retries: [1s]");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_UNKNOWN);
    is("a1", LEDGER_PENDING, "in_doubt");
    at(1250);
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_DOWN); /* "failed" would be a lie */
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    close_bench();

    open_bench(&scripted_askable_class, "retries: [1s]");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_UNKNOWN);
    is("a1", LEDGER_UNKNOWN, "asking");
    ends(begun(JOB_ASK, "a1"), DELIVERY_RETRY);
    is("a1", LEDGER_PENDING, "retry");
    at(1250);
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_ACCEPTED);
    is("a1", LEDGER_SENT, "");
    close_bench();
}
END_TEST

START_TEST(a_task_may_ask_to_be_sent_rather_twice_than_not_at_all)
{
    struct task task = sample_task("a1");

    open_bench(&scripted_class, "retries: [1s]");
    task.at_least_once = true;
    plan_record(sample_task_record(&task, bench.arena));
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_UNKNOWN);
    is("a1", LEDGER_PENDING, "in_doubt");
    close_bench();
}
END_TEST

/* A task whose call was announced, and whose process is gone. */
static void leave_announced(const struct connector_class *class)
{
    open_bench(class, "timeout: 1s, retries: [1s]");
    plan_task("a1");
    job_free(begun(JOB_DELIVER, "a1"));
    gate_cancel(channels_at(bench.channels, 0)->gate, STR_EMPTY);
}

/* As dispatch does in a round of its own, so long after the announcement. */
static void adopt_at(int64_t span_ms)
{
    plan_clear(&bench.plan);
    bench.partition.now_ms = bench.plan.real_ms = SAMPLE_CREATED_MS + span_ms;
    if (bench.partition.adopt_ms <= bench.plan.real_ms)
        plan_adopt(&bench.plan, &bench.partition, is_under_way, &bench);
    turns();
}

START_TEST(an_attempt_of_a_process_that_died_is_in_doubt_and_one_of_our_own_is_not)
{
    leave_announced(&scripted_class);
    bench.under_way = true;
    adopt_at(3600000);
    ck_assert_uint_eq(bench.plan.write_count, 0);
    bench.under_way = false;
    bench.partition.adopt_ms = 0; /* as after a rollback */
    adopt_at(3600000);
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    outcome_is("unknown");
    close_bench();
}
END_TEST

START_TEST(who_takes_over_asks_only_when_the_one_before_cannot_begin_any_more)
{
    leave_announced(&scripted_askable_class);
    adopt_at(100); /* from now on: by the clock of who asks alone */
    nothing_begun();
    adopt_at(100 + PLAN_BEGIN_WITHIN_MS + 1000);
    nothing_begun();
    ck_assert(!bench.partition.touched);
    adopt_at(100 + PLAN_BEGIN_WITHIN_MS + 1001);
    ends(begun(JOB_ASK, "a1"), DELIVERY_ACCEPTED);
    is("a1", LEDGER_SENT, "");
    close_bench();
}
END_TEST

/* Seed 112309 of the simulator: the next task went first, and then the call that stood in the ledger. */
START_TEST(who_takes_over_holds_the_line_of_an_attempt_that_may_still_come)
{
    struct task other = sample_task("b1");

    leave_announced(&scripted_class);
    adopt_at(100);
    plan_task("a2");
    nothing_begun();
    other.customer = STR("C-2"); /* nobody else waits for that */
    plan_record(sample_task_record(&other, bench.arena));
    job_free(begun(JOB_DELIVER, "b1"));
    adopt_at(PLAN_BEGIN_WITHIN_MS + 1000);
    nothing_begun();
    adopt_at(PLAN_BEGIN_WITHIN_MS + 1001); /* from its announcement, whenever it was taken over */
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    job_free(begun(JOB_DELIVER, "a2"));
    close_bench();
}
END_TEST

START_TEST(who_takes_over_late_holds_no_line)
{
    leave_announced(&scripted_class);
    plan_task("a2");
    adopt_at(PLAN_BEGIN_WITHIN_MS + 1001);
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    job_free(begun(JOB_DELIVER, "a2"));
    close_bench();
}
END_TEST

START_TEST(what_may_come_twice_waits_for_no_end_of_an_attempt_that_has_begun)
{
    leave_announced(&scripted_idempotent_class);
    adopt_at(PLAN_BEGIN_WITHIN_MS);
    nothing_begun();
    adopt_at(PLAN_BEGIN_WITHIN_MS + 1);
    is("a1", LEDGER_PENDING, "in_doubt");
    close_bench();
}
END_TEST

START_TEST(a_clock_that_is_ahead_holds_a_line_no_longer_than_a_call_may_take)
{
    leave_announced(&scripted_class);
    adopt_at(-86400000); /* by our clock it was announced tomorrow */
    adopt_at(-86400000 + PLAN_BEGIN_WITHIN_MS + 1000);
    ck_assert_uint_eq(bench.plan.write_count, 0);
    adopt_at(-86400000 + PLAN_BEGIN_WITHIN_MS + 1001);
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    close_bench();
}
END_TEST

START_TEST(what_is_withdrawn_while_its_line_is_held_ends_when_the_attempt_is_over)
{
    leave_announced(&scripted_class);
    adopt_at(100);
    plan_withdrawal("a1");
    is("a1", LEDGER_SENDING, "turn");
    adopt_at(100 + PLAN_BEGIN_WITHIN_MS + 1001);
    is("a1", LEDGER_UNKNOWN, "in_doubt");
    close_bench();
}
END_TEST

START_TEST(a_withdrawal_keeps_back_waits_for_the_call_or_takes_back)
{
    open_bench(&scripted_askable_class, "retries: [1s]");
    plan_task("a1");
    {
        struct job *job = begun(JOB_DELIVER, "a1");
        plan_withdrawal("a1"); /* while the call is under way */
        is("a1", LEDGER_SENDING, "turn");
        nothing_begun();
        ends(job, DELIVERY_RETRY);
    }
    is("a1", LEDGER_WITHDRAWN, "withdrawn");
    plan_task("a2");
    ends(begun(JOB_DELIVER, "a2"), DELIVERY_ACCEPTED);
    plan_withdrawal("a2");
    is("a2", LEDGER_RECALLING, "");
    {
        struct job *job = begun(JOB_WITHDRAW, "a2");
        ck_assert_str_eq(job->reference, "SM1");
        ends(job, DELIVERY_ACCEPTED);
    }
    is("a2", LEDGER_WITHDRAWN, "withdrawn");
    ck_assert_uint_eq(bench.plan.counters.withdrawals_sent, 1);
    close_bench();
}
END_TEST

static bool is_second(const struct task *task)
{
    return str_is(task->id, "a2");
}

START_TEST(a_channel_may_take_back_only_some_tasks)
{
    struct connector_class class = scripted_askable_class;

    class.recallable = is_second;
    open_bench(&class, "concurrency: 4");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_ACCEPTED);
    ck_assert_uint_eq(ledger_find(bench.partition.ledger, STR("a1"))->task.len, 0);
    plan_withdrawal("a1");
    nothing_begun();
    is("a1", LEDGER_WITHDRAWN, "withdrawn");
    plan_task("a2");
    ends(begun(JOB_DELIVER, "a2"), DELIVERY_ACCEPTED);
    ck_assert_uint_ne(ledger_find(bench.partition.ledger, STR("a2"))->task.len, 0);
    plan_withdrawal("a2");
    is("a2", LEDGER_RECALLING, "");
    close_bench();
}
END_TEST

START_TEST(a_channel_that_cannot_take_back_says_so)
{
    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_ACCEPTED);
    plan_withdrawal("a1");
    nothing_begun();
    is("a1", LEDGER_WITHDRAWN, "withdrawn");
    close_bench();
}
END_TEST

START_TEST(a_permission_that_is_gone_stops_what_has_not_gone)
{
    struct permission stop = {.customer = STR("C-1"), .because = STR("consent.withdrawn")};
    struct task safety = sample_task("b1");

    open_bench(&scripted_class, "retries: [1s]");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_RETRY);
    stop.channel = STR("email");
    plan_permission(&stop);
    ck_assert_int_eq(ledger_find(bench.partition.ledger, STR("a1"))->state, LEDGER_PENDING);
    stop.channel = STR("phone");
    stop.purpose = STR("commercial");
    plan_permission(&stop);
    ck_assert_int_eq(ledger_find(bench.partition.ledger, STR("a1"))->state, LEDGER_PENDING);
    stop.purpose = STR_EMPTY;
    plan_permission(&stop);
    is("a1", LEDGER_WITHDRAWN, "consent.withdrawn");
    outcome_is("not_allowed");
    at(100000);
    nothing_begun();

    safety.needs_no_consent = true;
    plan_record(sample_task_record(&safety, bench.arena));
    ends(begun(JOB_DELIVER, "b1"), DELIVERY_RETRY);
    plan_permission(&stop);
    ck_assert_int_eq(ledger_find(bench.partition.ledger, STR("b1"))->state, LEDGER_PENDING);
    stop.erased = true;
    stop.because = STR("customer.erased");
    plan_permission(&stop);
    is("b1", LEDGER_WITHDRAWN, "customer.erased");
    close_bench();
}
END_TEST

/* Is an id written as forgotten? */
static bool is_tombstone(const char *id)
{
    for (size_t i = 0; i < bench.plan.write_count; i++)
        if (str_is(bench.plan.writes[i].key, id))
            return bench.plan.writes[i].value.data == NULL;
    return false;
}

START_TEST(of_a_customer_who_was_erased_the_ledger_keeps_no_name_and_nobody_hears)
{
    const struct permission erased = {
        .customer = STR("C-1"), .because = STR("customer.erased"), .erased = true};
    struct job *job;

    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_ACCEPTED);
    plan_task("a2");
    job = begun(JOB_DELIVER, "a2"); /* under way */
    plan_permission(&erased);
    ck_assert(is_tombstone("a1"));
    ck_assert_ptr_null(ledger_find(bench.partition.ledger, STR("a1")));
    ck_assert_uint_eq(ledger_find(bench.partition.ledger, STR("a2"))->customer.len, 0);
    ck_assert_uint_eq(bench.plan.erased_count, 1);
    ends(job, DELIVERY_ACCEPTED);
    is("a2", LEDGER_WITHDRAWN, "customer.erased");
    ck_assert_uint_eq(ledger_find(bench.partition.ledger, STR("a2"))->reference.len, 0);
    for (size_t i = 0; i < bench.plan.write_count; i++) {
        ck_assert(!str_is(bench.plan.writes[i].topic, "attent.outcomes"));
        ck_assert(!str_contains(bench.plan.writes[i].value, STR("C-1")));
    }
    close_bench();
}
END_TEST

/* Decide had not read it yet. */
START_TEST(a_wish_also_stops_what_is_decided_a_moment_later)
{
    const struct permission stop = {
        .customer = STR("C-1"), .channel = STR("phone"), .because = STR("consent.withdrawn")};

    open_bench(&scripted_class, "retries: [1s]");
    plan_permission(&stop);
    plan_task("a1");
    nothing_begun();
    outcome_is("not_allowed");
    bench.partition.now_ms += 59000;
    plan_task("a2");
    nothing_begun();
    bench.partition.now_ms += 2000; /* decide is not a minute behind */
    plan_task("a3");
    ends(begun(JOB_DELIVER, "a3"), DELIVERY_ACCEPTED);
    close_bench();
}
END_TEST

START_TEST(an_address_that_reaches_nobody_is_told_as_such)
{
    struct job *job;

    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    job = begun(JOB_DELIVER, "a1");
    job->receipt.address_dead = true;
    ends(job, DELIVERY_REFUSED);
    is("a1", LEDGER_FAILED, "address_dead");
    close_bench();
}
END_TEST

START_TEST(a_customer_who_told_the_provider_to_stop_withdraws_consent)
{
    struct job *job;
    bool told = false;

    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    job = begun(JOB_DELIVER, "a1");
    job->receipt.opted_out = true;
    ends(job, DELIVERY_REFUSED);
    is("a1", LEDGER_FAILED, "opted_out");
    for (size_t i = 0; i < bench.plan.write_count; i++)
        told |= str_is(record_header(&bench.plan.writes[i], STR("ce_type")), "consent.withdrawn") &&
                str_is(bench.plan.writes[i].value, "{\"channel\":\"phone\"}");
    ck_assert(told);
    close_bench();
}
END_TEST

START_TEST(the_deadline_ends_the_waiting_but_not_a_call)
{
    int64_t week_ms = INT64_C(7) * 24 * 3600 * 1000;
    struct job *job;

    open_bench(&scripted_class, "retries: [14d]");
    plan_task("a1");
    ends(begun(JOB_DELIVER, "a1"), DELIVERY_RETRY);
    at(week_ms);
    is("a1", LEDGER_EXPIRED, "deadline");
    outcome_is("expired");
    close_bench();

    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    job = begun(JOB_DELIVER, "a1");
    at(week_ms);
    ends(job, DELIVERY_ACCEPTED);
    is("a1", LEDGER_SENT, "");
    close_bench();
}
END_TEST

START_TEST(of_a_customer_one_is_under_way_and_a_rollback_gives_the_turn_back)
{
    open_bench(&scripted_class, "concurrency: 4");
    plan_task("a1");
    partition_rollback(&bench.partition); /* of the transaction that said SENDING */
    plan_clear(&bench.plan);
    plan_line_up(&bench.plan, &bench.partition, is_under_way, &bench);
    ck_assert_uint_eq(gate_under_way(channels_at(bench.channels, 0)->gate), 0);
    plan_task("a1");
    {
        struct job *first = begun(JOB_DELIVER, "a1");
        plan_task("a2");
        nothing_begun();
        ends(first, DELIVERY_ACCEPTED);
    }
    job_free(begun(JOB_DELIVER, "a2"));
    close_bench();
}
END_TEST

SUITE_MAIN("plan of deliveries", it_is_in_the_ledger_before_it_is_begun,
           what_was_surely_not_sent_is_tried_again_until_no_attempt_is_left,
           in_doubt_each_class_does_what_it_promises,
           a_task_may_ask_to_be_sent_rather_twice_than_not_at_all,
           an_attempt_of_a_process_that_died_is_in_doubt_and_one_of_our_own_is_not,
           who_takes_over_asks_only_when_the_one_before_cannot_begin_any_more,
           who_takes_over_holds_the_line_of_an_attempt_that_may_still_come,
           who_takes_over_late_holds_no_line,
           what_may_come_twice_waits_for_no_end_of_an_attempt_that_has_begun,
           a_clock_that_is_ahead_holds_a_line_no_longer_than_a_call_may_take,
           what_is_withdrawn_while_its_line_is_held_ends_when_the_attempt_is_over,
           a_withdrawal_keeps_back_waits_for_the_call_or_takes_back,
           a_channel_may_take_back_only_some_tasks, a_channel_that_cannot_take_back_says_so,
           a_permission_that_is_gone_stops_what_has_not_gone,
           of_a_customer_who_was_erased_the_ledger_keeps_no_name_and_nobody_hears,
           a_wish_also_stops_what_is_decided_a_moment_later,
           an_address_that_reaches_nobody_is_told_as_such,
           a_customer_who_told_the_provider_to_stop_withdraws_consent,
           the_deadline_ends_the_waiting_but_not_a_call,
           of_a_customer_one_is_under_way_and_a_rollback_gives_the_turn_back)
