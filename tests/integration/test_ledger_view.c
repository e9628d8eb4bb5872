/* The view of the ledger in a real Redis: what is asked is there, nothing more than may be there, and
 * what Redis lost comes back.  tsan: yes */
#include <signal.h>

#include "core/clock.h"
#include "processors/dispatch/ledger_record.h"
#include "processors/dispatch/ledger_view.h"
#include "processors/dispatch/showing.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

enum { WAIT_MS_MAX = 20 * 1000 };
#define TASK  "00112233445566778899aabbccddeeff"
#define PHONE "+31687654321"

static struct server *server;
static struct arena *arena;
static struct ledger_view_config config;
static struct ledger_view *view;
static struct redis *redis;

static void set_up(void)
{
    server = redis_start(NULL);
    arena = arena_new(0);
    config = (struct ledger_view_config){.redis = {.address = server_address(server)},
                                         .prefix = "test:view",
                                         .key = STR("0123456789abcdef0123456789abcdef")};
    ck_assert_int_eq(redis_open(&config.redis, &redis, NULL), ERR_NONE);
    view = ledger_view_open(&config);
}

static void tear_down(void)
{
    ledger_view_close(view);
    redis_close(redis);
    server_stop(server);
    arena_free(arena);
}

/* Until it asks for everything: it has Redis, and knows that Redis has nothing of it. */
static void await_wish(void)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS_MAX;

    while (!ledger_view_wants_all(view)) {
        ck_assert(clock_mono_ms() < until_ms);
        clock_sleep_ms(5);
    }
}

static struct record sending_record(void)
{
    struct task task = sample_task(TASK);
    struct buf json = {0};
    struct record record;

    task.channel = STR("sms");
    task.address = STR(PHONE);
    task.text = STR("secret words");
    task_put_json(&json, &task);
    const struct ledger_entry entry = {.id = task.id,
                                       .state = LEDGER_SENDING,
                                       .at_ms = SAMPLE_CREATED_MS,
                                       .due_ms = SAMPLE_CREATED_MS + 3600000,
                                       .attempt = 1,
                                       .customer = task.customer,
                                       .channel = task.channel,
                                       .task = buf_str(&json)};
    record = ledger_record_entry(&entry, arena);
    buf_free(&json);
    return record;
}

/* Wait until Redis holds the task (or not), and give what stands there. */
static struct str await_task(bool there)
{
    const struct str args[] = {STR("GET"), ledger_view_task_key("test:view", STR(TASK), arena)};
    int64_t until_ms = clock_mono_ms() + WAIT_MS_MAX;

    for (;;) {
        struct redis_reply *reply = NULL;
        struct str text;
        if (redis_ready(redis, NULL) == ERR_NONE &&
            redis_command(redis, args, 2, &reply, NULL) == ERR_NONE) {
            text = arena_str(arena, redis_reply_text(reply));
            redis_reply_free(reply);
            if ((text.len != 0) == there)
                return text;
        }
        ck_assert(clock_mono_ms() < until_ms);
        clock_sleep_ms(5);
    }
}

/* Whose address it is, once Redis knows of all that was sent: asked before, nobody is ERR_DOWN. */
static struct str customer_of(const char *channel, const char *address)
{
    int64_t until_ms = clock_mono_ms() + WAIT_MS_MAX;
    struct str customer;
    struct err err = {0};

    while (ledger_view_customer_of(view, str_of(channel), str_of(address), arena, &customer,
                                   &err) != ERR_NONE) {
        ck_assert_msg(clock_mono_ms() < until_ms, "%s", err.text);
        clock_sleep_ms(5);
    }
    return customer;
}

START_TEST(it_shows_a_task_without_its_words_and_addresses)
{
    const struct record record = sending_record(), forgotten = {.key = STR(TASK)};
    const struct record taken = {.key = STR("taken/decide/0"), .value = STR("{}")};
    struct str text;

    await_wish();
    ledger_view_take(view, &taken);
    ledger_view_take(view, &record);
    text = await_task(true);
    ck_assert(str_contains(text, STR("\"state\":\"sending\"")));
    ck_assert(!str_contains(text, STR(PHONE)) && !str_contains(text, STR("secret words")));
    ledger_view_take(view, &forgotten);
    await_task(false);
}
END_TEST

/* Its keys are in many slots. */
START_TEST(it_stands_in_a_cluster_too)
{
    const struct record record = sending_record();
    struct server *cluster = redis_cluster_start(NULL);

    ledger_view_close(view);
    redis_close(redis);
    config.redis.address = redis_cluster_url(cluster);
    ck_assert_int_eq(redis_open(&config.redis, &redis, NULL), ERR_NONE);
    view = ledger_view_open(&config);
    await_wish();
    ledger_view_take(view, &record);
    ck_assert(str_contains(await_task(true), STR("\"state\":\"sending\"")));
    while (customer_of("sms", PHONE).len == 0)
        clock_sleep_ms(5);
    ck_assert(str_is(customer_of("sms", PHONE), "C-1"));
    ledger_view_erase(view, STR("C-1"));
    while (customer_of("sms", PHONE).len != 0)
        clock_sleep_ms(5);
    server_stop(cluster);
}
END_TEST

START_TEST(who_has_an_address_is_known_when_the_task_is_long_over)
{
    const struct record record = sending_record(), forgotten = {.key = STR(TASK)};

    await_wish();
    ledger_view_take(view, &record);
    ledger_view_take(view, &forgotten);
    await_task(false);
    while (customer_of("sms", PHONE).len == 0)
        clock_sleep_ms(5);
    ck_assert(str_is(customer_of("sms", PHONE), "C-1"));
    ck_assert_uint_eq(customer_of("email", PHONE).len, 0);
    ck_assert_uint_eq(customer_of("sms", "+31600000000").len, 0);
}
END_TEST

static int64_t keys_in_redis(void)
{
    const struct str args[] = {STR("DBSIZE")};
    struct redis_reply *reply;
    int64_t keys;

    ck_assert_int_eq(redis_command(redis, args, 1, &reply, NULL), ERR_NONE);
    keys = redis_reply_integer(reply);
    redis_reply_free(reply);
    return keys;
}

START_TEST(who_was_erased_has_no_address)
{
    const struct record record = sending_record(), forgotten = {.key = STR(TASK)};

    await_wish();
    ledger_view_take(view, &record);
    while (customer_of("sms", PHONE).len == 0)
        clock_sleep_ms(5);
    ledger_view_erase(view, STR("C-2"));
    ledger_view_take(view, &forgotten);
    await_task(false);
    ck_assert(str_is(customer_of("sms", PHONE), "C-1"));
    ledger_view_erase(view, STR("C-1"));
    while (customer_of("sms", PHONE).len != 0)
        clock_sleep_ms(5);
    while (keys_in_redis() != 1) /* only the sign of who writes is left */
        clock_sleep_ms(5);
}
END_TEST

START_TEST(what_redis_lost_is_asked_for_again)
{
    const struct record record = sending_record();
    const struct str flush[] = {STR("FLUSHALL")};
    struct redis_reply *reply;

    await_wish();
    ledger_view_take(view, &record);
    await_task(true);
    ck_assert(!ledger_view_wants_all(view));
    ck_assert_int_eq(redis_command(redis, flush, 1, &reply, NULL), ERR_NONE);
    redis_reply_free(reply);
    await_wish();
    ledger_view_take(view, &record);
    await_task(true);
}
END_TEST

START_TEST(while_redis_is_away_nobody_waits_and_afterwards_everything_is_asked_for)
{
    const struct record record = sending_record();
    struct str customer;
    int64_t from_ms;

    await_wish();
    server_kill(server, 0, SIGKILL);
    from_ms = clock_mono_ms();
    for (int i = 0; i < 1000; i++)
        ledger_view_take(view, &record);
    ck_assert_int_lt(clock_mono_ms() - from_ms, 1000);
    ck_assert_int_ne(ledger_view_customer_of(view, STR("sms"), STR(PHONE), arena, &customer, NULL),
                     ERR_NONE);
    server_restart(server, 0);
    await_wish();
    ledger_view_take(view, &record);
    await_task(true);
}
END_TEST

START_TEST(many_are_shown_some_at_a_time_as_they_are_by_then)
{
    enum { TASKS = 12000 };
    int64_t until_ms = clock_mono_ms() + WAIT_MS_MAX;
    struct partition partition;
    struct showing showing = {0};
    struct ledger_entry entry = {.state = LEDGER_SENT, .customer = STR("C-1")};

    partition_open(&partition, 3);
    for (int i = 0; i < TASKS; i++) {
        entry.id = arena_format(arena, "task%d", i);
        ledger_put(partition.ledger, &entry);
    }
    ledger_commit(partition.ledger);
    await_wish();
    showing_begin(&showing, &partition, 1);
    ledger_remove(partition.ledger, STR("task7"));
    ledger_commit(partition.ledger);
    for (int rounds = 0; showing.next < showing.count; rounds++) {
        ck_assert_int_lt(rounds, 13);
        showing_go_on(&showing, &partition, 1, view, 1000);
    }
    while (keys_in_redis() < TASKS - 1 + 1 /* the sign of who writes */) {
        ck_assert(clock_mono_ms() < until_ms);
        clock_sleep_ms(10);
    }
    ck_assert_int_eq(keys_in_redis(), TASKS);
    partition_close(&partition);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_shows_a_task_without_its_words_and_addresses,
        it_stands_in_a_cluster_too,
        who_has_an_address_is_known_when_the_task_is_long_over,
        who_was_erased_has_no_address,
        what_redis_lost_is_asked_for_again,
        while_redis_is_away_nobody_waits_and_afterwards_everything_is_asked_for,
        many_are_shown_some_at_a_time_as_they_are_by_then,
    };

    return suite_run_around("ledger_view", tests, sizeof tests / sizeof tests[0], set_up,
                            tear_down);
}
