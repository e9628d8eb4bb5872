/* Ten thousand tasks through each class of channel, with a receiver that goes wrong one time in
 * twenty: what the class promises is counted at the receiver.  Each real channel with OVER_NETWORK
 * (2000) tasks, at most as many, because their receivers take their time.  And a hundred channels at
 * once. */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/hash.h"
#include "tests/support/certificate.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted.h"
#include "tests/support/service_account.h"
#include "tests/support/suite.h"
#include "tests/support/world.h"

enum { TASKS = 10000, CUSTOMERS = 2000 };
#define FAULTS                                                                                     \
    "faults: 5, concurrency: 32, breaker.failures: 1000,"                                          \
    " retries: [20ms, 20ms, 20ms, 20ms, 20ms, 20ms]"

static uint64_t over_network(void)
{
    const char *text = getenv("OVER_NETWORK");
    int count = text != NULL ? atoi(text) : 2000;

    return (uint64_t)(count < 1 ? 1 : count > TASKS ? TASKS : count);
}

/* For way1, which was added just before; address NULL: for the queue. */
static void write_tasks(int count, const char *address, bool at_least_once)
{
    struct record *records = ARENA_ARRAY(world.arena, struct record, (size_t)count);

    for (int i = 0; i < count; i++) {
        struct task task = world_task(i);
        if (address != NULL)
            task.channel = STR("way1");
        task.customer = arena_format(world.arena, "C-%d", i % CUSTOMERS);
        task.at_least_once = at_least_once;
        task.address = str_of(address);
        task.text = arena_format(world.arena, "task%04d.", i);
        records[i] = world_stamp(sample_task_record(&task, world.arena));
    }
    world_produce(records, (size_t)count);
}

/* How many ended as sent; the others are UNKNOWN: FAILED is none.  all_sent: no other end is awaited. */
static uint64_t run_until(const char *what, uint64_t count, bool all_sent)
{
    struct dispatch *dispatch;
    int64_t from_ms = clock_mono_ms();
    uint64_t sent;

    world.started_mono_ms = from_ms;
    dispatch = world_dispatch();
    if (all_sent)
        world_poll_until(dispatch, LEDGER_SENT, count);
    else
        world_poll_until_ended(dispatch, count);
    sent = dispatch_counters(dispatch)->states[LEDGER_SENT];
    fprintf(stderr, "%d tasks, %s: %d ms, %d transactions, %d sent\n", (int)count, what,
            (int)(clock_mono_ms() - from_ms), (int)dispatch_counters(dispatch)->transactions,
            (int)sent);
    ck_assert_uint_eq(dispatch_counters(dispatch)->states[LEDGER_FAILED], 0);
    dispatch_close(dispatch);
    return sent;
}

static uint64_t run(const char *what)
{
    return run_until(what, TASKS, false);
}

/* --- by class -------------------------------------------------------------------------------------- */

START_TEST(exactly_once_through_a_queue)
{
    world_open("many-queue");
    write_tasks(TASKS, NULL, false);
    ck_assert_uint_eq(run("queue"), TASKS);
    world_expect_each_once(TASKS);
    world_close();
}
END_TEST

START_TEST(with_effect_once_where_the_receiver_knows_our_ids)
{
    struct scripted_count count;
    const char *log;

    world_open("many-idempotent");
    log = world_add_channel(&scripted_idempotent_class, FAULTS);
    write_tasks(TASKS, "+31612345678", false);
    ck_assert_uint_eq(run("idempotent"), TASKS);
    count = scripted_count(log, "deliver");
    ck_assert_uint_eq(count.tasks, TASKS);
    ck_assert_uint_gt(count.lines, TASKS); /* some of those in doubt had come */
    world_expect_order(log, CUSTOMERS);
    world_close();
}
END_TEST

START_TEST(at_most_once_where_it_does_not)
{
    struct scripted_count count;
    const char *log;
    uint64_t sent;

    world_open("many-most");
    log = world_add_channel(&scripted_class, FAULTS);
    write_tasks(TASKS, "+31612345678", false);
    sent = run("at most once");
    count = scripted_count(log, "deliver");
    ck_assert_uint_eq(count.most, 1);
    ck_assert_uint_ge(count.tasks, sent); /* what counts as sent has come */
    ck_assert_uint_lt(sent, TASKS);       /* and some are in doubt, */
    ck_assert_uint_gt(sent, TASKS / 100 * 94);
    ck_assert_uint_gt(count.tasks, sent);  /* of which some have come, */
    ck_assert_uint_lt(count.tasks, TASKS); /* and some have not */
    world_close();
}
END_TEST

START_TEST(exactly_once_where_the_provider_can_be_asked)
{
    struct scripted_count count;
    const char *log;

    world_open("many-asked");
    log = world_add_channel(&scripted_askable_class, FAULTS);
    write_tasks(TASKS, "+31612345678", false);
    ck_assert_uint_eq(run_until("asked", TASKS, true), TASKS); /* who is asked is in doubt first */
    count = scripted_count(log, "deliver");
    ck_assert_uint_eq(count.lines, TASKS);
    ck_assert_uint_eq(count.tasks, TASKS);
    world_close();
}
END_TEST

START_TEST(at_least_once_where_the_moment_says_so)
{
    struct scripted_count count;
    const char *log;

    world_open("many-least");
    log = world_add_channel(&scripted_class, FAULTS);
    write_tasks(TASKS, "+31612345678", true);
    ck_assert_uint_eq(run("at least once"), TASKS);
    count = scripted_count(log, "deliver");
    ck_assert_uint_eq(count.tasks, TASKS);
    ck_assert_uint_gt(count.lines, TASKS);
    world_close();
}
END_TEST

/* --- real channels, over HTTP and SMTP ------------------------------------------------------------------------ */

static struct receiver_side { /* one thread at a time */
    uint8_t came[TASKS];      /* how often the receiver acted on each */
    uint32_t asked;
} side;

static int number_in(struct str text)
{
    const char *at = text.len != 0 ? memmem(text.data, text.len, "task", 4) : NULL;

    return at != NULL ? atoi(at + 4) : 0;
}

/* One request in twenty goes wrong, in a way drawn from its number. */
static struct peer_step serve(const struct peer_request *request, struct peer_step taken,
                              int number)
{
    uint64_t chance = hash_bytes(STR("fault"), ++side.asked);

    (void)request;
    if (chance % 100 >= 5) {
        side.came[number]++;
        return taken;
    }
    switch (chance / 100 % 4) {
    case 0: return (struct peer_step){.status = 429, .headers = "Retry-After: 0\r\n"};
    case 1: return (struct peer_step){.status = 503, .headers = "Retry-After: 0\r\n"};
    case 2: side.came[number]++; return (struct peer_step){.act = PEER_CLOSE}; /* in doubt */
    default: /* nobody knows, and it has not acted */ return (struct peer_step){.act = PEER_CLOSE};
    }
}

static struct peer_step serve_webhook(void *context, const struct peer_request *request)
{
    (void)context;
    return serve(request, (struct peer_step){.status = 204},
                 number_in(peer_header(request, "webhook-id")));
}

static struct peer_step serve_sms(void *context, const struct peer_request *request)
{
    const char *body = memmem(request->body.data, request->body.len, "Body=", 5);

    (void)context;
    return serve(request, (struct peer_step){.status = 201, .body = "{\"sid\":\"SM1\"}"},
                 number_in(str_slice(request->body, (size_t)(body - request->body.data),
                                     request->body.len)));
}

static void add_real_channel(const char *class, const char *yaml)
{
    static struct conf_field fields[96];
    static const struct conf_field shared[] = {
#define CONF(path_, kind_, fallback_, doc_, ...)                                                   \
    {.path = path_, .kind = CONF_##kind_, .fallback = fallback_, .doc = doc_, __VA_ARGS__},
#include "processors/dispatch/channel_options.def"
#undef CONF
    };
    size_t index = world.config.channel_count++, count = 0;
    const struct connector_class *found = channel_find(str_of(class));
    struct diags diags = {0};

    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        bool own = false;
        for (const struct conf_field *f = found->fields; f->path != NULL; f++)
            own |= strcmp(f->path, shared[i].path) == 0;
        if (!own)
            fields[count++] = shared[i];
    }
    for (const struct conf_field *f = found->fields; f->path != NULL; f++)
        fields[count++] = *f;
    fields[count] = (struct conf_field){0};
    world.channels[index] = (struct channel_config){
        arena_format(world.arena, "way%zu", index), found,
        conf_read(fields, str_of(yaml), "real", NULL, 0, world.arena, &diags)};
    ck_assert_msg(world.channels[index].conf != NULL, "%s", diags.items[0].what);
}

#define REAL                                                                                       \
    "private_network: true\nconcurrency: 16\nbreaker.failures: 10000\n"                            \
    "retries: [20ms, 20ms, 20ms, 20ms, 20ms, 20ms]\n"

static void count_came(size_t *tasks, int *most)
{
    *tasks = 0;
    *most = 0;
    for (int i = 0; i < TASKS; i++) {
        *tasks += side.came[i] != 0;
        *most = side.came[i] > *most ? side.came[i] : *most;
    }
}

/* What counts as sent has come, none came twice, and some are in doubt. */
static void expect_none_twice(uint64_t sent)
{
    size_t tasks;
    int most;

    count_came(&tasks, &most);
    ck_assert_int_eq(most, 1);
    ck_assert_uint_ge(tasks, sent);
    ck_assert_uint_gt(sent, over_network() * 94 / 100);
    ck_assert_uint_lt(sent, over_network());
}

START_TEST(each_reaches_a_webhook)
{
    struct peer *peer = peer_open_with(serve_webhook, NULL, PEER_PLAIN);
    size_t tasks;
    int most;

    world_open("many-webhook");
    add_real_channel("webhook",
                     arena_format(world.arena,
                                  "url: \"${NONE:%s/in}\"\nsecrets: "
                                  "\"${NONE:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\"\n" REAL,
                                  peer_url(peer))
                         .data);
    write_tasks((int)over_network(), "+31612345678", false);
    ck_assert_uint_eq(run_until("webhook", over_network(), false), over_network());
    count_came(&tasks, &most);
    ck_assert_uint_eq(tasks, over_network());
    ck_assert_int_gt(most, 1); /* under one webhook-id: the receiver drops them */
    world_close();
    peer_close(peer);
}
END_TEST

START_TEST(none_is_sent_twice_as_a_text_message)
{
    struct peer *peer = peer_open_with(serve_sms, NULL, PEER_PLAIN);
    uint64_t sent;

    world_open("many-sms");
    add_real_channel("sms", arena_format(world.arena,
                                         "base_url: %s\naccount: AC1\ntoken: \"${NONE:x}\"\n"
                                         "from: \"+3197000000\"\n" REAL,
                                         peer_url(peer))
                                .data);
    write_tasks((int)over_network(), "+31612345678", false);
    sent = run_until("sms", over_network(), false);
    expect_none_twice(sent);
    world_close();
    peer_close(peer);
}
END_TEST

/* What the mail server has kept. */
static void count_mails(const char *folder)
{
    memset(side.came, 0, sizeof side.came);
    for (int i = 0; i < scratch_count_files(folder); i++) {
        char *mail = scratch_read(arena_format(world.arena, "%s/%d.eml", folder, i).data, NULL);
        ck_assert_ptr_nonnull(mail);
        side.came[number_in(str_of(mail))]++;
        free(mail);
    }
}

START_TEST(none_is_mailed_twice)
{
    struct certificate certificate = certificate_make("localhost", 1);
    const char *folder = scratch_dir();
    char port[16];
    struct process *server;
    uint64_t sent;

    snprintf(port, sizeof port, "%d", scratch_free_port());
    server = process_start((const char *const[]){"/usr/bin/python3", "tests/support/mail_server.py",
                                                 port, certificate.file, certificate.key_file,
                                                 folder, "plain", NULL},
                           NULL);
    ck_assert_msg(process_wait_output(server, "ready", 20000), "%s", process_stderr(server));
    world_open("many-smtp");
    add_real_channel("smtp", arena_format(world.arena,
                                          "host: localhost\nport: %s\ntls: none\n"
                                          "from: service@example.org\n" REAL,
                                          port)
                                 .data);
    write_tasks((int)over_network(), "flaky@example.org", false);
    sent = run_until("smtp", over_network(), false);
    count_mails(folder);
    expect_none_twice(sent);
    world_close();
    process_free(server);
}
END_TEST

/* The others speak JSON, and some want an access token first. */
struct provider {
    const char *before_id; /* in a request, in front of the task's id */
    struct peer_step taken;
};

static struct peer_step serve_json(void *context, const struct peer_request *request)
{
    const struct provider *provider = context;
    struct str mark = str_of(provider->before_id), body = request->body;
    const char *at = body.len != 0 ? memmem(body.data, body.len, mark.data, mark.len) : NULL;

    if (str_ends(request->target, STR("/token")))
        return (struct peer_step){.body = "{\"access_token\":\"x\",\"expires_in\":3600}"};
    ck_assert_ptr_nonnull(at);
    return serve(request, provider->taken,
                 number_in(str_slice(body, (size_t)(at - body.data) + mark.len, body.len)));
}

/* Twice where the receiver drops repeats, else never. */
static void send_all(const char *class, struct str yaml, struct provider *provider)
{
    bool idempotent = channel_find(str_of(class))->guarantee == GUARANTEE_IDEMPOTENT;
    struct peer *peer = peer_open_with(serve_json, provider, PEER_PLAIN);
    struct buf topic = {0};
    uint64_t sent;
    size_t tasks;
    int most;

    buf_put_format(&topic, "many-%s", class);
    world_open(buf_text(&topic));
    if (str_contains(yaml, STR("ACCOUNT")))
        yaml = arena_replace(
            world.arena, yaml, STR("ACCOUNT"),
            str_of(service_account_make(arena_format(world.arena, "%s/token", peer_url(peer)).data)
                       .file));
    while (str_contains(yaml, STR("URL")))
        yaml = arena_replace(world.arena, yaml, STR("URL"), str_of(peer_url(peer)));
    add_real_channel(class, arena_format(world.arena, "%.*s" REAL, STR_ARG(yaml)).data);
    write_tasks((int)over_network(), "+31612345678", false);
    sent = run_until(class, over_network(), false);
    if (idempotent) {
        count_came(&tasks, &most);
        ck_assert_uint_ge(tasks, sent);
        ck_assert_uint_eq(sent, over_network());
        ck_assert_int_gt(most, 1);
    } else {
        expect_none_twice(sent);
    }
    buf_free(&topic);
    world_close();
    peer_close(peer);
}

START_TEST(none_is_sent_twice_by_whatsapp)
{
    struct provider provider = {"\"text\":\"", {.body = "{\"messages\":[{\"id\":\"wamid.1\"}]}"}};

    send_all("whatsapp",
             STR("base_url: URL\nphone_number_id: \"1\"\ntoken: \"${NONE:x}\"\ntemplate: t\n"),
             &provider);
}
END_TEST

START_TEST(none_is_sent_twice_as_a_notification)
{
    struct provider provider = {"\"body\":\"", {.body = "{\"name\":\"projects/p/messages/1\"}"}};

    send_all("push", STR("base_url: URL\nservice_account: \"${file:ACCOUNT}\"\n"), &provider);
}
END_TEST

START_TEST(each_becomes_a_contact_of_amazon_connect)
{
    struct provider provider = {"\"ClientToken\":\"", {.body = "{\"ContactId\":\"c-1\"}"}};

    send_all("amazon_connect",
             STR("base_url: URL\nregion: eu-west-2\ninstance: a\ncontact_flow: b\n"
                 "access_key_id: A\nsecret_access_key: \"${NONE:x}\"\n"),
             &provider);
}
END_TEST

START_TEST(none_is_called_back_twice)
{
    struct provider provider = {"\"attent_task\":\"",
                                {.body = "{\"conversation\":{\"id\":\"c-1\"}}"}};

    send_all("genesys",
             STR("base_url: URL\nlogin_url: URL\nregion: eu-west-1\nclient_id: a\nqueue: b\n"
                 "client_secret: \"${NONE:x}\"\n"),
             &provider);
}
END_TEST

/* --- a hundred channels -------------------------------------------------------------------------------- */

static struct peer_step serve_slowly(void *context, const struct peer_request *request)
{
    int *served = context;

    (void)request;
    clock_sleep_ms(400);
    ++*served;
    return (struct peer_step){.status = 204};
}

START_TEST(one_slow_webhook_of_a_hundred_channels_leaves_the_others_at_speed)
{
    enum { CHANNELS = 100, EACH = 20, FEW = 50 };
    static struct record records[CHANNELS * EACH];
    const char *logs[CHANNELS];
    int served = 0;
    struct peer *peer = peer_open_with(serve_slowly, &served, PEER_PLAIN);
    struct dispatch *dispatch;

    world_open("hundred");
    add_real_channel("webhook", arena_format(world.arena,
                                             "url: \"${NONE:%s/in}\"\nsecrets: "
                                             "\"${NONE:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\"\n"
                                             "private_network: true\n",
                                             peer_url(peer))
                                    .data);
    for (int i = 1; i < CHANNELS; i++)
        logs[i] = world_add_channel(&scripted_class, "concurrency: 2");
    for (int i = 0; i < CHANNELS * EACH; i++)
        records[i] = world_record_for(i, 1 + i % CHANNELS, FEW);
    world_produce(records, CHANNELS * EACH);
    dispatch = world_dispatch();
    world_poll_until_ended(dispatch, (CHANNELS - 1) * EACH);
    ck_assert_int_lt(served, EACH); /* it has not even ended */
    for (int i = 1; i < CHANNELS; i++)
        world_expect_order(logs[i], FEW);
    world_poll_until_ended(dispatch, CHANNELS * EACH);
    for (int i = 1; i < CHANNELS; i++) {
        struct scripted_count count = scripted_count(logs[i], "deliver");
        ck_assert_uint_eq(count.lines, EACH);
        ck_assert_uint_eq(count.tasks, EACH);
    }
    ck_assert_int_eq(served, EACH);
    dispatch_close(dispatch);
    world_close();
    peer_close(peer);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        exactly_once_through_a_queue,
        with_effect_once_where_the_receiver_knows_our_ids,
        at_most_once_where_it_does_not,
        exactly_once_where_the_provider_can_be_asked,
        at_least_once_where_the_moment_says_so,
        each_reaches_a_webhook,
        none_is_sent_twice_as_a_text_message,
        none_is_mailed_twice,
        none_is_sent_twice_by_whatsapp,
        none_is_sent_twice_as_a_notification,
        each_becomes_a_contact_of_amazon_connect,
        none_is_called_back_twice,
        one_slow_webhook_of_a_hundred_channels_leaves_the_others_at_speed,
    };

    return suite_run_with("dispatch_many", tests, sizeof tests / sizeof tests[0], 180,
                          world_start_kafka, world_stop_kafka);
}
