/* Other rules in the middle of traffic: customers who are half-way go on, begin again or end as the new
 * rules say, `attent activate --plan` has told so before, and no partition mixes the two.  And rules
 * of a newer attent. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/when.h"
#include "processors/cli/rules_folder.h"
#include "processors/decide/decide.h"
#include "processors/worker/step.h"
#include "schemas/task.h"
#include "tests/support/field.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"
#include "tests/support/watch.h"

enum { WAIT_MS_MAX = 60 * 1000, HALF_WAY = 12, FATES = 4 };

static const char yaml[] = "time: log\n"
                           "console: {address: \"\"}\n"
                           "sources: {\"{name}.crm\": {}}\n"
                           "channels:\n"
                           "  phone: {connector: contact_centre, topic: \"{name}.{queue}\"}\n";

static struct server *kafka; /* of the suite's process */
static struct field field;
static int64_t start_ms; /* 2026-03-02T09:00:00Z */

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

static void open_company(const char *name)
{
    struct kafka_topic_config topics[2];
    struct err err = {0};

    field_open(&field, name, kafka, yaml);
    topics[0] = (struct kafka_topic_config){field_topic(&field, "crm"), 1, 1, NULL, 0};
    topics[1] = (struct kafka_topic_config){field_topic(&field, "calls"), 1, 1, NULL, 0};
    ck_assert_msg(kafka_topics_create(&field.kafka, topics, 2, &err) == ERR_NONE, "%s", err.text);
    ck_assert(when_parse_ms(STR("2026-03-02T09:00:00Z"), &start_ms));
}

static int64_t day(int days)
{
    return start_ms + days * (int64_t)WHEN_DAY_MS;
}

static struct process *start_decider(void)
{
    struct process *attent = field_start(&field, "run", NULL);

    field_check(attent, process_wait_output(attent, "started", WAIT_MS_MAX), "started");
    return attent;
}

static void leaves(struct process *attent)
{
    process_kill(attent, SIGTERM);
    field_check(attent, process_wait(attent, WAIT_MS_MAX) == 0, "SIGTERM");
    process_free(attent);
}

static void contains(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "%s\nis not in\n%s", part, text);
}

/* --- the rules ------------------------------------------------------------------------------------ */

static const char *const fates[FATES] = {"auto", "keep", "restart", "drop"};

static void write_moment(const char *dir, const char *name, const char *steps, const char *more)
{
    scratch_write(dir, arena_format(field.arena, "moments/%s.yaml", name).data,
                  arena_format(field.arena,
                               "moment: %s\ntitle: T\ntier: care\nwhen: [%s]\n"
                               "act: [{channel: phone, queue: calls, say: x, wait: 90d}]\n"
                               "deadline: 90d\n%s",
                               name, steps, more)
                      .data);
}

static const char *write_rules(bool changed)
{
    const char *dir = scratch_dir();
    const char *days = changed ? "5d" : "10d";

    scratch_write(dir, "schemas/events/a.one.json", "{\"title\":\"A\",\"type\":\"object\"}");
    scratch_write(dir, "schemas/events/b.two.json", "{\"title\":\"B\",\"type\":\"object\"}");
    for (int i = 0; i < FATES; i++)
        write_moment(
            dir, fates[i],
            arena_format(field.arena, "{event: a.one}, {absent: b.two, for: %s}", days).data,
            changed && i > 0 ? arena_format(field.arena, "on_change: %s\n", fates[i]).data : "");
    if (!changed)
        write_moment(dir, "gone", "{event: a.one}", ""); /* its task is out at once */
    return dir;
}

/* --- what is seen --------------------------------------------------------------------------------- */

struct seen { /* in attent.decisions */
    size_t ended[FATES], tasks[FATES], gone_tasks, retired;
    int64_t task_days[FATES]; /* of the last: days after the start */
};

static int fate_of(struct str moment)
{
    for (int i = 0; i < FATES; i++)
        if (str_is(moment, fates[i]))
            return i;
    return -1;
}

/* Of customers who were half-way: their name begins with c. */
static void see(struct seen *seen, const struct decision *d)
{
    int i = fate_of(d->moment);

    if (d->customer.data[0] != 'c')
        return;
    seen->retired += str_is(d->reason, "retired");
    seen->gone_tasks += str_is(d->moment, "gone") && str_is(d->reason, "task");
    if (i < 0)
        return;
    seen->ended[i] += str_is(d->reason, "changed");
    if (!str_is(d->reason, "task"))
        return;
    seen->tasks[i]++;
    seen->task_days[i] = (d->at_ms - start_ms) / WHEN_DAY_MS;
}

/* All decisions; in each partition those of the rules before come first. */
static struct seen read_decisions(const char *before, const char *after)
{
    const char *const topics[] = {field_topic(&field, "decisions"), NULL};
    struct watch *watch = watch_open(&field.kafka, topics);
    bool other[FIELD_PARTITIONS] = {false};
    struct seen seen = {0};

    watch_to_end(watch);
    for (size_t i = 0; i < watch_count(watch); i++) {
        const struct record *record = watch_at(watch, i);
        struct decision d;

        ck_assert(decision_read_json(record->value, field.arena, &d, NULL));
        if (str_is(d.rule_set, after))
            other[record->partition] = true;
        else
            ck_assert(str_is(d.rule_set, before) && !other[record->partition]);
        see(&seen, &d);
    }
    watch_close(watch);
    return seen;
}

static struct seen wait_for_tasks(const char *before, const char *after, size_t gone, size_t kept)
{
    int64_t until_ms = wait_now_ms() + WAIT_MS_MAX;

    for (;;) {
        struct seen seen = read_decisions(before, after);

        if (seen.gone_tasks == gone && seen.tasks[1] == kept && seen.tasks[2] == kept)
            return seen;
        ck_assert_msg(wait_now_ms() < until_ms, "%zu %zu %zu tasks", seen.gone_tasks, seen.tasks[1],
                      seen.tasks[2]);
        wait_pause_ms(100);
    }
}

static void send(const char *kind, int number, int days)
{
    struct field_event event = {.id = arena_format(field.arena, "%s-%d", kind, number).data,
                                .customer = arena_format(field.arena, "%s%d", kind, number).data,
                                .type = "a.one",
                                .data = "{}",
                                .at_ms = day(days)};

    field_put(&field, "crm", FIELD_BINARY, &event);
}

/* Its hash.  Others come all the while, as long as it takes. */
static const char *activate_in_traffic(const char *dir)
{
    struct process *verb = field_start(&field, "activate", "--unproved", dir, NULL);
    const char *hash;
    int sent = 0;

    while (process_wait(verb, 5) == PROCESS_RUNNING) {
        send("t", sent++, 2);
        field_flush(&field);
    }
    field_check(verb, process_wait(verb, 0) == 0, "activate");
    ck_assert_int_gt(sent, 0);
    hash = arena_str(field.arena, str_slice(str_of(process_stdout(verb)), 0, 32)).data;
    process_free(verb);
    return hash;
}

/* Is the digest of a partition's state in Redis that of a replay of its log? */
static bool replay_is_live(int partition)
{
    const char *number = arena_format(field.arena, "%d", partition).data;
    char *live = field_run(&field, 0, "replay", "--state", "--partition", number, NULL);
    char *replayed = field_run(&field, 0, "replay", "--partition", number, NULL);
    char *end = strchr(live, '}');
    bool same;

    ck_assert_ptr_nonnull(end);
    *end = '\0';
    same = strstr(replayed, live) != NULL;
    free(live);
    free(replayed);
    return same;
}

/* What came in the end may still be on its way into the state. */
static void wait_for_replay(int partition)
{
    int64_t until_ms = wait_now_ms() + WAIT_MS_MAX;

    while (!replay_is_live(partition)) {
        ck_assert_msg(wait_now_ms() < until_ms, "partition %d is not what its log says", partition);
        wait_pause_ms(100);
    }
}

/* --- the tests ------------------------------------------------------------------------------------ */

static void check_plan(const char *dir)
{
    char *plan = field_run(&field, 0, "activate", "--unproved", "--plan", dir, NULL);

    contains(plan, "- moments/gone.yaml\n");
    contains(plan,
             "  12 under way: 12 end; 12 tasks are taken back\n        12  end: the moment is "
             "gone\n");
    contains(plan, "auto: other steps from step 2 on, no on_change: ");
    contains(plan, "  12 under way: 12 end\n        12  end: the steps up to there are others "
                   "now\n");
    contains(plan, "  12 under way: 12 go on\n        12  go on: on_change: keep\n");
    contains(plan, "        12  begin again: on_change: restart\n");
    contains(plan, "        12  end: on_change: drop\n");
    contains(plan, "\n12 customers have a state\n  moments that change: 60 under way: 12 go on, 12 "
                   "begin again, 36 end; 12 tasks are taken back\n");
    contains(plan, "nothing was written\n");
    free(plan);
    plan = field_run(&field, 0, "activate", "--unproved", "--plan", "--json", dir, NULL);
    contains(plan, "\"changed\":{\"under_way\":60,\"go_on\":12,\"begin_again\":12,\"end\":36,"
                   "\"tasks_taken_back\":12}");
    free(plan);
}

START_TEST(who_is_half_way_goes_on_begins_again_or_ends_as_the_plan_said)
{
    const char *before, *after, *changed;
    struct process *attent;
    struct seen seen;
    char *said;

    open_company("change");
    said = field_run(&field, 0, "activate", "--unproved", write_rules(false), NULL);
    before = arena_str(field.arena, str_slice(str_of(said), 0, 32)).data;
    free(said);
    attent = start_decider();
    for (int i = 0; i < HALF_WAY; i++)
        send("c", i, 0);
    field_flush(&field);
    wait_for_tasks(before, "", HALF_WAY, 0);
    changed = write_rules(true);
    field_tick(&field, day(2));
    check_plan(changed);
    after = activate_in_traffic(changed);
    field_tick(&field, day(30));
    seen = wait_for_tasks(before, after, HALF_WAY, HALF_WAY);
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        wait_for_replay(p);
    leaves(attent);
    ck_assert_uint_eq(seen.ended[0], HALF_WAY);
    ck_assert_uint_eq(seen.ended[1] + seen.ended[2], 0);
    ck_assert_uint_eq(seen.ended[3], HALF_WAY);
    ck_assert_uint_eq(seen.retired, HALF_WAY);
    ck_assert_uint_eq(seen.tasks[0] + seen.tasks[3], 0);
    ck_assert_int_eq(seen.task_days[1], 5);
    ck_assert_int_eq(seen.task_days[2], 7);
    field_close(&field);
}
END_TEST

static void put(const char *topic, int partition, struct str key, struct str value,
                const struct header *header)
{
    field_send_record(&field, &(struct record){.topic = str_of(field_topic(&field, topic)),
                                               .partition = partition,
                                               .timestamp_ms = start_ms,
                                               .key = key,
                                               .value = value,
                                               .headers = header,
                                               .header_count = header != NULL});
}

/* As an attent of semantics 99 would put rules in force. */
static void activate_by_newer(const char *dir)
{
    const struct header control = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    char hash[HASH128_HEX_SIZE];
    struct bundle bundle;
    struct buf text = {0};

    ck_assert_int_eq(rules_folder_read(dir, field.arena, &bundle, NULL), ERR_NONE);
    for (size_t i = 0; i < bundle.count; i++)
        if (str_is(bundle.files[i].name, BUNDLE_SEMANTICS))
            bundle.files[i].text = STR("99");
    hash128_hex(bundle_hash(&bundle), hash);
    bundle_write(&bundle, &text);
    put("rules", 0, str_of(hash), buf_str(&text), NULL);
    put("rules", 0, STR("history/2"),
        arena_format(field.arena, "{\"number\":2,\"at\":\"2026-03-02T09:00:00Z\",\"hash\":\"%s\"}",
                     hash),
        NULL);
    for (int p = 0; p < FIELD_PARTITIONS; p++)
        put("events", p, STR_EMPTY, str_of(hash), &control);
    buf_free(&text);
}

START_TEST(rules_of_a_newer_attent_stop_the_partition_and_say_why)
{
    static const char refusal[] = "a newer attent put these rules in force: they need semantics "
                                  "99, this one speaks " RULES_SEMANTICS "; update it";
    struct process *attent, *verb;

    open_company("newer");
    free(field_run(&field, 0, "activate", "--unproved", write_rules(false), NULL));
    attent = start_decider();
    activate_by_newer(write_rules(true));
    field_check(attent, process_wait_output(attent, refusal, WAIT_MS_MAX), refusal);
    verb = field_start(&field, "rules", "rollback", "2", NULL);
    field_check(verb, process_wait(verb, WAIT_MS_MAX) == 78, "exit code");
    field_check(verb, strstr(process_stderr(verb), refusal) != NULL, refusal);
    process_free(verb);
    process_kill(attent, SIGTERM);
    process_wait(attent, WAIT_MS_MAX);
    process_free(attent);
    field_close(&field);
}
END_TEST

START_TEST(a_plan_without_redis_says_so_and_ends_with_69)
{
    struct process *verb;
    const char *dir;

    open_company("noredis");
    dir = write_rules(false);
    free(field_run(&field, 0, "activate", "--unproved", dir, NULL));
    server_kill(field.redis, 0, SIGKILL);
    verb = field_start(&field, "activate", "--unproved", "--plan", dir, NULL);
    field_check(verb, process_wait(verb, WAIT_MS_MAX) == 69, "exit code");
    field_check(verb,
                strstr(process_stderr(verb), "attent: who is under way cannot be counted: Redis "
                                             "at ") != NULL,
                "what is away");
    process_free(verb);
    field_close(&field);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_is_half_way_goes_on_begins_again_or_ends_as_the_plan_said,
        rules_of_a_newer_attent_stop_the_partition_and_say_why,
        a_plan_without_redis_says_so_and_ends_with_69,
    };

    return suite_run_with("rule_change", tests, sizeof tests / sizeof tests[0], 300, start_kafka,
                          stop_kafka);
}
