/* The main job against a real Kafka and a real Redis: events of three sources, in three forms, become
 * tasks on the queue topics of the contact centre; what it answers ends a chain or lets it go
 * on; a payment takes a task back.
 *
 * The log's time is the clock (time: log), but for the last test: the story takes ten weeks.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/redis/redis.h"
#include "core/arena.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/when.h"
#include "schemas/schema.h"
#include "schemas/task.h"
#include "tests/support/company.h"
#include "tests/support/suite.h"

static struct server *kafka; /* of the suite's process */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- what comes out ------------------------------------------------------------------------------- */

static void check_schema(struct company *c, const char *path, struct str text)
{
    struct diags diags = {0};
    struct schema *schema;
    struct err err = {0};
    struct str file;
    struct value v;

    ck_assert_msg(file_read(path, c->arena, &file, &err) == ERR_NONE, "%s", err.text);
    schema = schema_read(file, path, c->arena, &diags);
    ck_assert_msg(schema != NULL, "%s: %s", path, diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    ck_assert_msg(json_parse(text, c->arena, &v, &err) == JSON_FINE, "%s", err.text);
    ck_assert_msg(schema_validate(schema, v, &err), "%s in %.*s", err.text, STR_ARG(text));
}

static void check_cloud_event(const struct record *record, const char *type, const char *customer)
{
    ck_assert(str_is(record_header(record, STR("ce_specversion")), "1.0"));
    ck_assert(str_is(record_header(record, STR("ce_type")), type));
    ck_assert(str_is(record_header(record, STR("ce_partitionkey")), customer));
    ck_assert(record_header(record, STR("ce_source")).len != 0);
    ck_assert(record_header(record, STR("ce_time")).len != 0);
    ck_assert_int_eq(record->partition,
                     hash_kafka_partition(record->key, COMPANY_SOURCE_PARTITIONS));
}

/* Number n of a customer's records in a queue is this task. */
static struct task await_task(struct company *c, const char *queue, const char *customer, size_t n,
                              const char *moment, const char *channel)
{
    const struct record *record =
        company_await(c, arena_format(c->arena, "queue.%s", queue).data, customer, n);
    struct task task;
    struct err err = {0};

    check_cloud_event(record, TASK_CE_TYPE, customer);
    check_schema(c, "schemas/task.schema.json", record->value);
    ck_assert_msg(task_read_json(record->value, c->arena, &task, &err), "%s", err.text);
    ck_assert(str_equal(task.id, record_header(record, STR("ce_id"))));
    ck_assert(str_is(task.customer, customer));
    ck_assert_msg(str_is(task.moment, moment) && str_is(task.channel, channel) &&
                      str_is(task.queue, queue),
                  "%.*s", STR_ARG(record->value));
    ck_assert_msg(task.reason.len != 0 &&
                      (task.fact_count != 0) == (strcmp(channel, "garage") != 0) &&
                      task.outcome_count != 0 && task.rule_set.len != 0 && task.version.len != 0 &&
                      task.decision.len != 0 && task.tier.len != 0 && task.title.len != 0,
                  "%.*s", STR_ARG(record->value));
    ck_assert_int_gt(task.deadline_ms, task.created_ms);
    return task;
}

static struct withdrawal await_withdrawal(struct company *c, const char *queue,
                                          const char *customer, size_t n)
{
    const struct record *record =
        company_await(c, arena_format(c->arena, "queue.%s", queue).data, customer, n);
    struct withdrawal w;
    struct err err = {0};

    check_cloud_event(record, WITHDRAWAL_CE_TYPE, customer);
    check_schema(c, "schemas/withdrawal.schema.json", record->value);
    ck_assert_msg(withdrawal_read_json(record->value, c->arena, &w, &err), "%s", err.text);
    return w;
}

static struct decision await_decision(struct company *c, const char *customer, size_t n,
                                      const char *outcome, const char *reason)
{
    const struct record *record = company_await(c, "decisions", customer, n);
    struct decision d;
    struct err err = {0};

    check_schema(c, "schemas/decision.schema.json", record->value);
    ck_assert_msg(decision_read_json(record->value, c->arena, &d, &err), "%s", err.text);
    ck_assert_msg(str_is(d.outcome, outcome) && str_is(d.reason, reason), "%.*s",
                  STR_ARG(record->value));
    return d;
}

/* The contact centre answers. */
static void answer(struct company *c, const struct task *task, const char *at, const char *code)
{
    const struct outcome outcome = {.task = task->id,
                                    .moment = task->moment,
                                    .about = task->about,
                                    .channel = task->channel,
                                    .attempt = task->attempt,
                                    .code = str_of(code)};
    struct buf data = {0};

    outcome_put_json(&data, &outcome);
    company_tell(c, "outcomes", FIELD_STRUCTURED, arena_str(c->arena, task->customer).data, at,
                 OUTCOME_EVENT_TYPE, buf_text(&data));
    buf_free(&data);
}

/* --- the three moments ------------------------------------------------------------------------------- */

static void introduce(struct company *c, const char *customer)
{
    company_tell(
        c, "crm", FIELD_STRUCTURED, customer, "2025-01-06T10:00:00+01:00", "customer.updated",
        "{\"country\":\"NL\",\"time_zone\":\"Europe/Amsterdam\",\"phone\":\"+31200000000\","
        "\"email\":\"someone@example.com\"}");
}

START_TEST(three_missed_payments_become_a_mail_then_a_call_that_a_payment_takes_back)
{
    struct company c;
    struct task mail, call;
    struct withdrawal w;

    company_open(&c, "payments", kafka, "time: log\n");
    introduce(&c, "chris");
    company_bill(&c, "chris", "2025-01-07T09:00:00+01:00", "payment.missed", "2025-01");
    company_bill(&c, "chris", "2025-02-04T09:00:00+01:00", "payment.missed", "2025-02");
    company_bill(&c, "chris", "2025-03-04T10:00:00+01:00", "payment.missed", "2025-03");
    mail = await_task(&c, "billing", "chris", 0, "missed-payment", "email");
    await_decision(&c, "chris", 0, "task", "task");
    ck_assert_uint_eq(mail.attempt, 1);
    ck_assert_int_eq(mail.created_ms, company_at("2025-03-04T10:00:00+01:00"));
    ck_assert(mail.subject.len != 0 && mail.text.len != 0);

    company_time_passes(&c, "2025-03-07T10:00:00+01:00"); /* nobody answers the mail */
    call = await_task(&c, "billing", "chris", 1, "missed-payment", "phone");
    ck_assert_uint_eq(call.attempt, 2);
    ck_assert(!str_equal(call.id, mail.id));

    company_bill(&c, "chris", "2025-03-07T11:00:00+01:00", "payment.received", "2025-03");
    w = await_withdrawal(&c, "billing", "chris", 2);
    ck_assert(str_equal(w.task, call.id));
    ck_assert(str_is(w.reason, "withdrawn") && str_is(w.because, "payment.received"));
    company_end(&c);
    ck_assert_uint_eq(company_count(&c, "queue.billing"), 3); /* each of them once */
    company_close(&c);
}
END_TEST

START_TEST(a_worn_brake_pad_becomes_a_call_that_the_garage_ends)
{
    struct company c;
    struct task request, call;
    struct withdrawal w;

    company_open(&c, "pads", kafka, "time: log\n");
    introduce(&c, "dewi");
    introduce(&c, "eva");
    company_tell(&c, "vehicles", FIELD_BINARY, "dewi", "2025-02-03T10:00:00+01:00",
                 "vehicle.telemetry", "{\"vin\":\"D-1\",\"pad_mm\":3.4}");
    company_tell(&c, "vehicles", FIELD_STRUCTURED, "eva", "2025-02-03T10:00:00+01:00",
                 "vehicle.telemetry", "{\"vin\":\"E-1\",\"pad_mm\":3.2}");
    company_tell(&c, "vehicles", FIELD_STRUCTURED, "dewi", "2025-03-06T10:00:00+01:00",
                 "vehicle.telemetry", "{\"vin\":\"D-1\",\"pad_mm\":2.8}");
    request = await_task(&c, "garage", "dewi", 0, "brake-pads", "garage");
    ck_assert(str_is(request.about, "D-1"));
    company_tell(&c, "vehicles", FIELD_STRUCTURED, "dewi", "2025-03-06T10:05:00+01:00",
                 "garage.offered", "{\"vin\":\"D-1\",\"at\":\"2025-03-07T10:00:00+01:00\"}");
    company_await_ingest(&c); /* another topic than the answer's */
    answer(&c, &request, "2025-03-06T10:05:00+01:00", "offered");
    call = await_task(&c, "garage", "dewi", 1, "brake-pads", "phone");
    ck_assert(str_contains(call.say, STR("has room on 7 March 2025, 10:00")));
    answer(&c, &call, "2025-03-06T10:20:00+01:00", "booked");
    await_decision(&c, "dewi", 1, "task", "task");
    await_decision(&c, "dewi", 2, "ended", "outcome");
    company_tell(&c, "vehicles", FIELD_BINARY, "eva", "2025-03-06T11:00:00+01:00",
                 "vehicle.telemetry", "{\"vin\":\"E-1\",\"pad_mm\":2.9}");
    request = await_task(&c, "garage", "eva", 0, "brake-pads", "garage");
    answer(&c, &request, "2025-03-06T11:05:00+01:00", "no_room");
    call = await_task(&c, "garage", "eva", 1, "brake-pads", "phone");
    company_tell(&c, "crm", FIELD_STRUCTURED, "eva", "2025-03-06T12:00:00+01:00", "garage.booked",
                 "{\"vin\":\"E-1\"}");
    w = await_withdrawal(&c, "garage", "eva", 2);
    ck_assert(str_equal(w.task, call.id) && str_is(w.because, "garage.booked"));
    await_decision(&c, "eva", 2, "ended", "withdrawn");
    company_end(&c);
    company_close(&c);
}
END_TEST

/* A new car, and a fortnight later nobody has told the insurer. */
static struct task uninsured_car(struct company *c)
{
    static const char trace[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const struct record *record;
    struct task task;

    introduce(c, "anna");
    company_tell(c, "crm", FIELD_BINARY, "anna", "2025-01-06T10:01:00+01:00", "policy.updated",
                 "{\"vin\":\"OLD\",\"weight_kg\":1100}");
    field_send(&c->field, "vehicles", FIELD_BINARY,
               &(struct field_event){
                   .id = arena_format(c->arena, "car-%d", c->events++).data,
                   .customer = "anna",
                   .type = "vehicle.registered",
                   .data = "{\"vin\":\"NEW\",\"make\":\"Volvo\",\"model\":\"XC60\","
                           "\"weight_kg\":1900}",
                   .at_ms = company_at("2025-03-03T09:12:00+01:00"),
                   .traceparent = trace,
               });
    company_time_passes(c, "2025-03-17T09:12:00+01:00");
    task = await_task(c, "insurance", "anna", 0, "new-car-uninsured", "phone");
    record = company_await(c, "queue.insurance", "anna", 0);
    ck_assert(str_contains(task.say, STR("Volvo")));
    ck_assert(str_contains(record_header(record, STR("traceparent")),
                           STR("4bf92f3577b34da6a3ce929d0e0e4736")));
    return task;
}

/* Does `attent VERB ...` print this? */
static void check_printed(char *out, const char *text)
{
    ck_assert_msg(strstr(out, text) != NULL, "no \"%s\" in:\n%s", text, out);
}

static void check_why_and_tap(struct company *c)
{
    char *out = field_run(&c->field, 0, "why", "anna", NULL);

    check_printed(out, "new-car-uninsured");
    check_printed(out, "pattern");
    check_printed(out, "outcome");
    free(out);
    out = field_run(&c->field, 0, "tap", "--tasks", "--from-beginning", "--count", "1", NULL);
    check_printed(out, "anna");
    check_printed(out, "new-car-uninsured");
    free(out);
    out = field_run(&c->field, 0, "tap", "--decisions", "--from-beginning", "--count", "2",
                    "--customer", "anna", "--json", NULL);
    check_printed(out, "\"new-car-uninsured\"");
    free(out);
}

START_TEST(a_new_car_without_insurance_becomes_a_call_after_a_fortnight)
{
    struct company c;
    struct task call;

    company_open(&c, "cars", kafka, "time: log\n");
    call = uninsured_car(&c);
    answer(&c, &call, "2025-03-17T09:40:00+01:00", "updated");
    await_decision(&c, "anna", 0, "task", "task");
    await_decision(&c, "anna", 1, "ended", "outcome");
    check_why_and_tap(&c);
    company_end(&c);
    company_close(&c);
}
END_TEST

START_TEST(an_answer_that_does_not_end_it_lets_the_chain_go_on)
{
    struct company c;
    struct task call, mail;

    company_open(&c, "chain", kafka, "time: log\n");
    call = uninsured_car(&c);
    answer(&c, &call, "2025-03-17T09:40:00+01:00", "not_reached");
    mail = await_task(&c, "insurance", "anna", 1, "new-car-uninsured", "email");
    ck_assert_uint_eq(mail.attempt, 2);
    company_tell(&c, "crm", FIELD_STRUCTURED, "anna", "2025-03-18T09:00:00+01:00", "policy.updated",
                 "{\"vin\":\"NEW\",\"weight_kg\":1900}");
    await_withdrawal(&c, "insurance", "anna", 2);
    company_end(&c);
    company_close(&c);
}
END_TEST

/* --- one customer under two ids, who is forgotten -------------------------------------------------- */

static struct redis *open_redis(const struct company *c)
{
    const struct redis_settings settings = {.address = server_address(c->field.redis)};
    const struct str plain[] = {STR("CONFIG"), STR("SET"), STR("rdbcompression"), STR("no")};
    struct redis_reply *reply;
    struct redis *redis;

    ck_assert_int_eq(redis_open(&settings, &redis, NULL), ERR_NONE);
    ck_assert_int_eq(redis_command(redis, plain, 4, &reply, NULL), ERR_NONE);
    ck_assert(str_is(redis_reply_text(reply), "OK"));
    redis_reply_free(reply);
    return redis;
}

/* All that Redis holds, whatever the key, as it lies on disk: is this in it? */
static bool redis_holds(const struct company *c, struct redis *redis, const char *trace)
{
    const struct str save[] = {STR("SAVE")};
    struct redis_reply *reply;
    struct str bytes;

    ck_assert_int_eq(redis_command(redis, save, 1, &reply, NULL), ERR_NONE);
    ck_assert(str_is(redis_reply_text(reply), "OK"));
    redis_reply_free(reply);
    ck_assert_int_eq(
        file_read(arena_format(c->arena, "%s/dump.rdb", server_dir(c->field.redis, 0)).data,
                  c->arena, &bytes, NULL),
        ERR_NONE);
    return str_contains(bytes, str_of(trace));
}

/* State, dispatch view, timers: of keys and values of any kind.  Aliases, too, where there are some. */
START_TEST(two_ids_are_one_customer_of_whom_redis_keeps_nothing_once_erased)
{
    static const char *const traces[] = {"mona", "web-77", "+31200000099", "mona@example.com"};
    struct company c;
    struct redis *redis;
    int64_t until_ms;
    struct task mail;

    company_open(&c, "two-ids", kafka, "time: log\n");
    introduce(&c, "pia");
    company_tell(&c, "crm", FIELD_STRUCTURED, "mona", "2025-01-06T10:00:00+01:00",
                 "customer.updated",
                 "{\"time_zone\":\"Europe/Amsterdam\",\"phone\":\"+31200000099\","
                 "\"email\":\"mona@example.com\"}");
    company_bill(&c, "web-77", "2025-01-07T09:00:00+01:00", "payment.missed", "2025-01");
    company_bill(&c, "mona", "2025-01-08T09:00:00+01:00", "payment.missed", "2025-02");
    company_tell(&c, "crm", FIELD_STRUCTURED, "web-77", "2025-02-03T09:00:00+01:00",
                 "customer.merged", "{\"from\":\"web-77\",\"into\":\"mona\"}");
    await_decision(&c, "web-77", 0, "silent", "merged");
    await_decision(&c, "mona", 0, "silent", "merged");
    company_bill(&c, "web-77", "2025-03-04T10:00:00+01:00", "payment.missed", "2025-03");
    mail = await_task(&c, "billing", "mona", 0, "missed-payment", "email");
    ck_assert_int_eq(mail.created_ms, company_at("2025-03-04T10:00:00+01:00"));

    redis = open_redis(&c);
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++)
        ck_assert_msg(redis_holds(&c, redis, traces[i]), "%s", traces[i]);
    company_tell(&c, "crm", FIELD_STRUCTURED, "web-77", "2025-03-05T10:00:00+01:00",
                 "customer.erased", "{}");
    await_decision(&c, "mona", 2, "ended", "erased");
    until_ms = clock_mono_ms() + COMPANY_WAIT_MS_MAX;
    for (size_t i = 0; i < sizeof traces / sizeof traces[0]; i++)
        while (redis_holds(&c, redis, traces[i])) { /* what is under way ends first */
            ck_assert_msg(clock_mono_ms() < until_ms, "%s is still there", traces[i]);
            clock_sleep_ms(50);
        }
    ck_assert(redis_holds(&c, redis, "someone@example.com")); /* another's stays */
    redis_close(redis);
    company_end(&c);
    company_close(&c);
}
END_TEST

/* --- time that passes by itself --------------------------------------------------------------------- */

static size_t count_ticks(struct company *c, int32_t partition)
{
    size_t count = 0;

    for (size_t i = 0; i < watch_count(c->watch); i++) {
        const struct record *record = watch_at(c->watch, i);
        count += record->partition == partition &&
                 str_is(record_header(record, STR("attent-control")), "tick");
    }
    return count;
}

START_TEST(a_wait_runs_out_by_the_wall_clock_although_nothing_comes)
{
    struct company c;
    struct task task;
    int64_t now_ms;

    company_open(&c, "wall", kafka, "time: wall\nrules: {folder: tests/integration/rules}\n");
    introduce(&c, "finn"); /* when that has come, everything runs */
    now_ms = clock_wall_ms();
    field_send(&c.field, "crm", FIELD_BINARY,
               &(struct field_event){.id = "o",
                                     .customer = "finn",
                                     .type = "order.placed",
                                     .data = "{\"order\":\"o-1\",\"amount\":12.5}",
                                     .at_ms = now_ms});
    task = await_task(&c, "billing", "finn", 0, "unpaid-order", "phone");
    ck_assert_int_eq(task.created_ms, now_ms + WHEN_SECOND_MS);
    ck_assert(str_contains(task.say, STR("12.5")));
    for (int32_t p = 0; p < FIELD_PARTITIONS; p++)
        ck_assert_uint_eq(count_ticks(&c, p),
                          p == hash_kafka_partition(STR("finn"), FIELD_PARTITIONS));
    company_end(&c);
    company_close(&c);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        three_missed_payments_become_a_mail_then_a_call_that_a_payment_takes_back,
        a_worn_brake_pad_becomes_a_call_that_the_garage_ends,
        a_new_car_without_insurance_becomes_a_call_after_a_fortnight,
        an_answer_that_does_not_end_it_lets_the_chain_go_on,
        two_ids_are_one_customer_of_whom_redis_keeps_nothing_once_erased,
        a_wait_runs_out_by_the_wall_clock_although_nothing_comes,
    };

    setvbuf(stdout, NULL, _IOLBF, 0);
    return suite_run_with("moments", tests, sizeof tests / sizeof tests[0], 180, start_kafka,
                          stop_kafka);
}
