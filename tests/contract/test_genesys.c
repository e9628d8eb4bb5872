/* tests/contract/test_genesys.c - against what Genesys publishes of its cloud's API: the models
 * CreateCallbackCommand, ParticipantAttributes and CallbackConversation and the operations of the
 * conversations API in the reference of its platform clients, and the client credentials grant. */
#include <stdio.h>

#include "connectors/genesys/genesys.h"
#include "tests/support/peer.h"
#include "tests/support/published.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define TASK_ID      "00112233445566778899aabbccddeeff"
#define QUEUE        "0a1b2c3d-0000-0000-0000-000000000001"
#define CONVERSATION "cccccccc-0000-0000-0000-000000000002"
#define CUSTOMER     "dddddddd-0000-0000-0000-000000000003"

static const struct published create_fields[] = {
    {"/scriptId", VALUE_STRING, false, 0},
    {"/queueId", VALUE_STRING, true, 0}, /* "either queueId or routingData is required" */
    {"/routingData", VALUE_MAP, false, 0},
    {"/callbackUserName", VALUE_STRING, false, 0},
    {"/callbackNumbers", VALUE_LIST, true, 0},
    {"/callbackNumbers/#", VALUE_STRING, false, 0},
    {"/callbackScheduledTime", VALUE_STRING, false, 0},
    {"/countryCode", VALUE_STRING, false, 0},
    {"/validateCallbackNumbers", VALUE_BOOL, false, 0},
    {"/data", VALUE_MAP, false, 0},
    {"/data/#", VALUE_STRING, false, 0},
    {"/callerId", VALUE_STRING, false, 0},
    {"/callerIdName", VALUE_STRING, false, 0},
};
static const struct published end_fields[] = {
    {"/state", VALUE_STRING, false, 0}, /* of Conversation what is used */
};
static const struct published attribute_fields[] = {
    {"/attributes", VALUE_MAP, false, 0},
    {"/attributes/#", VALUE_STRING, false, 0},
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Genesys Cloud with one conversation. */
static struct {
    int created, tokens;
    bool only_newest; /* older tokens are not taken */
    bool disconnected, noted, unknown;
    const char *agent_state; /* NULL: no agent yet */
    struct peer_step then;   /* status not 0: what the API answers instead */
} cloud;

static struct peer_step answer(int status, const char *body)
{
    return (struct peer_step){.status = status, .body = body};
}

static bool fits(const struct peer_request *request, const struct published *fields, size_t count)
{
    struct arena *arena = arena_new(0);
    bool fine = published_misfit(request->body, fields, count, arena) == NULL &&
                str_is(peer_header(request, "Content-Type"), "application/json");

    arena_free(arena);
    return fine;
}

static struct peer_step log_in(const struct peer_request *request)
{
    static char body[200];

    if (!str_is(request->body, "grant_type=client_credentials") ||
        !str_is(peer_header(request, "Authorization"), "Basic Y2xpZW50OnN3b3JkZmlzaA=="))
        return answer(401, "{\"error\":\"invalid_client\"}");
    snprintf(body, sizeof body,
             "{\"access_token\":\"T0ken%d\",\"token_type\":\"bearer\",\"expires_in\":86399}",
             ++cloud.tokens);
    return answer(200, body);
}

static bool is_let_in(const struct peer_request *request)
{
    char newest[40];

    snprintf(newest, sizeof newest, "Bearer T0ken%d", cloud.tokens);
    return cloud.only_newest
               ? str_is(peer_header(request, "Authorization"), newest)
               : str_starts(peer_header(request, "Authorization"), STR("Bearer T0ken"));
}

static struct peer_step create(const struct peer_request *request)
{
    if (!fits(request, create_fields, COUNT(create_fields)))
        return answer(400, "{\"code\":\"bad.request\"}");
    cloud.created++;
    return answer(200, "{\"conversation\":{\"id\":\"" CONVERSATION "\",\"selfUri\":\"x\"},"
                       "\"callbackIdentifiers\":[{\"type\":\"ACD\",\"id\":\"x\"}]}");
}

static struct peer_step describe(void)
{
    static char body[500];
    const char *state = cloud.disconnected ? "disconnected" : "connected";

    if (cloud.unknown)
        return answer(404, "{\"code\":\"not.found\"}");
    snprintf(body, sizeof body,
             "{\"id\":\"" CONVERSATION "\",\"participants\":[{\"id\":\"" CUSTOMER
             "\",\"purpose\":\"customer\",\"state\":\"%s\"},{\"id\":\"q\",\"purpose\":\"acd\","
             "\"state\":\"%s\"}%s%s%s]}",
             state, state,
             cloud.agent_state != NULL ? ",{\"id\":\"a\",\"purpose\":\"agent\",\"state\":\"" : "",
             cloud.agent_state != NULL ? cloud.agent_state : "",
             cloud.agent_state != NULL ? "\"}" : "");
    return answer(200, body);
}

static struct peer_step patch(const struct peer_request *request)
{
    if (str_is(request->target, "/api/v2/conversations/callbacks/" CONVERSATION)) {
        cloud.disconnected = str_is(request->body, "{\"state\":\"disconnected\"}");
        return fits(request, end_fields, COUNT(end_fields)) ? answer(200, "{}") : answer(400, "{}");
    }
    if (!str_is(request->target,
                "/api/v2/conversations/" CONVERSATION "/participants/" CUSTOMER "/attributes"))
        return answer(404, "{\"code\":\"not.found\"}");
    cloud.noted =
        str_is(request->body, "{\"attributes\":{\"attent_withdrawn\":\"policy.updated\"}}");
    return fits(request, attribute_fields, COUNT(attribute_fields)) ? answer(200, "{}")
                                                                    : answer(400, "{}");
}

static struct peer_step genesys(void *context, const struct peer_request *request)
{
    (void)context;
    if (str_is(request->target, "/oauth/token"))
        return log_in(request);
    if (!is_let_in(request))
        return answer(401, "{\"code\":\"bad.credentials\"}");
    if (cloud.then.status != 0)
        return cloud.then;
    if (str_is(request->method, "POST") &&
        str_is(request->target, "/api/v2/conversations/callbacks"))
        return create(request);
    if (str_is(request->method, "GET") &&
        str_is(request->target, "/api/v2/conversations/callbacks/" CONVERSATION))
        return describe();
    return str_is(request->method, "PATCH") ? patch(request) : answer(404, "{}");
}

static struct peer *peer;
static struct arena *arena;
static struct connector *connector;

static enum err_code open_with(const char *options, struct err *err)
{
    struct diags diags = {0};
    const struct conf *conf;
    struct buf yaml = {0};

    buf_put_format(&yaml,
                   "base_url: %s\nlogin_url: %s\nclient_id: client\n"
                   "client_secret: \"${NONE:swordfish}\"\nprivate_network: true\nca_file: %s\n%s",
                   peer_url(peer), peer_url(peer), peer_ca_file(peer), options);
    conf = conf_read(genesys_class.fields, buf_str(&yaml), "x", NULL, 0, arena, &diags);
    ck_assert_msg(conf != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    buf_free(&yaml);
    return genesys_class.open(conf, &connector, err);
}

static void set_up(void)
{
    struct err err = {0};

    peer = peer_open_with(genesys, NULL, PEER_TLS);
    arena = arena_new(0);
    ck_assert_msg(open_with("region: eu-west-1\nqueues: {insurance: " QUEUE "}\n", &err) ==
                      ERR_NONE,
                  "%s", err.text);
}

static void tear_down(void)
{
    genesys_class.close(connector);
    peer_close(peer);
    arena_free(arena);
}

static struct task callback_task(void)
{
    struct task task = sample_task(TASK_ID);

    task.address = STR("+31612345678");
    return task;
}

static enum delivery deliver_task(const struct task *task, struct receipt *receipt)
{
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = 10000, .now_ms = SAMPLE_CREATED_MS};
    enum delivery result;
    struct err err = {0};

    *receipt = (struct receipt){0};
    result = genesys_class.deliver(connector, &sending, receipt, &err);
    ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    ck_assert(!str_contains(str_of(err.text), STR("T0ken")));
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err.code == ERR_NONE), "%s", err.text);
    return result;
}

static enum delivery deliver(struct receipt *receipt)
{
    struct task task = callback_task();

    return deliver_task(&task, receipt);
}

static enum delivery withdraw(const char *reference, bool notice)
{
    struct task task = callback_task();
    struct withdrawal withdrawal = sample_withdrawal(TASK_ID);
    const struct sending sending = {.task = &task,
                                    .reference = str_of(reference),
                                    .attempt = 1,
                                    .timeout_ms = 10000,
                                    .now_ms = SAMPLE_CREATED_MS};
    struct receipt receipt = {0};
    struct err err = {0};
    enum delivery result;

    withdrawal.notice = notice;
    result = genesys_class.withdraw(connector, &sending, &withdrawal, &receipt, &err);
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err.code == ERR_NONE), "%s", err.text);
    return result;
}

START_TEST(a_task_becomes_a_callback_as_the_provider_wants_it)
{
    struct receipt receipt;

    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_str_eq(receipt.reference, CONVERSATION);
    ck_assert_str_eq(
        peer_request(peer, 1)->body.data,
        "{\"queueId\":\"" QUEUE "\",\"callbackUserName\":\"C-1\","
        "\"callbackNumbers\":[\"+31612345678\"],\"data\":{\"attent_task\":\"" TASK_ID "\","
        "\"attent_moment\":\"new-car-uninsured\",\"attent_customer\":\"C-1\","
        "\"attent_about\":\"V1\",\"attent_title\":\"New car, policy still on the old one\","
        "\"attent_reason\":\"A new car was registered 14 days ago.\","
        "\"attent_say\":\"Your new Volvo is heavier than the car on your policy.\","
        "\"attent_deadline\":\"2026-03-09T08:00:00Z\",\"fact_weight_kg\":\"1900 kg\"}}");
    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(cloud.tokens, 1);
    ck_assert_int_eq(cloud.created, 2); /* it knows no ids of ours: at most once */
}
END_TEST

START_TEST(a_token_that_is_not_taken_is_asked_for_anew)
{
    struct receipt receipt;

    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    cloud.tokens++; /* ours is not the newest any more */
    cloud.only_newest = true;
    ck_assert_int_eq(deliver(&receipt), DELIVERY_DOWN);
    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(cloud.tokens, 3);
}
END_TEST

START_TEST(without_a_number_or_a_queue_there_is_no_callback)
{
    struct task task = callback_task();
    struct receipt receipt;

    task.queue = STR("other");
    ck_assert_int_eq(deliver_task(&task, &receipt), DELIVERY_REFUSED);
    task = callback_task();
    task.address = STR("0612345678");
    ck_assert_int_eq(deliver_task(&task, &receipt), DELIVERY_REFUSED);
    ck_assert_uint_eq(peer_count(peer), 0);
}
END_TEST

START_TEST(each_error_of_the_provider_is_what_it_means)
{
    static const struct {
        int status;
        enum delivery result;
    } errors[] = {{400, DELIVERY_REFUSED}, {403, DELIVERY_DOWN},   {404, DELIVERY_DOWN},
                  {413, DELIVERY_REFUSED}, {429, DELIVERY_RETRY},  {500, DELIVERY_UNKNOWN},
                  {503, DELIVERY_UNKNOWN}, {504, DELIVERY_UNKNOWN}};
    struct receipt receipt;

    for (size_t i = 0; i < COUNT(errors); i++) {
        cloud.then = answer(errors[i].status, "{\"code\":\"x\"}");
        ck_assert_msg(deliver(&receipt) == errors[i].result, "%d", errors[i].status);
    }
}
END_TEST

START_TEST(a_callback_that_waits_is_disconnected_and_twice_is_fine)
{
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_ACCEPTED);
    ck_assert(cloud.disconnected);
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_ACCEPTED);
    ck_assert(!cloud.noted);
    cloud.unknown = true; /* long ago */
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_ACCEPTED);
}
END_TEST

START_TEST(an_agent_who_has_it_is_told_and_keeps_it)
{
    cloud.agent_state = "connected";
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_ACCEPTED);
    ck_assert(cloud.noted);
    ck_assert(!cloud.disconnected);
    cloud.noted = false;
    cloud.agent_state = NULL; /* as decide knows it, from an outcome */
    ck_assert_int_eq(withdraw(CONVERSATION, true), DELIVERY_ACCEPTED);
    ck_assert(cloud.noted);
    ck_assert(!cloud.disconnected);
}
END_TEST

START_TEST(an_agent_whose_phone_only_rings_does_not_have_it_yet)
{
    cloud.agent_state = "alerting";
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_ACCEPTED);
    ck_assert(cloud.disconnected);
}
END_TEST

START_TEST(a_withdrawal_that_fails_is_made_again)
{
    ck_assert_int_eq(withdraw("", false), DELIVERY_REFUSED);
    cloud.then = answer(500, "");
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_UNKNOWN);
    cloud.then = answer(429, "");
    ck_assert_int_eq(withdraw(CONVERSATION, false), DELIVERY_RETRY);
}
END_TEST

START_TEST(what_cannot_be_opened_says_why)
{
    struct connector *opened = connector;
    struct err err = {0};

    ck_assert_int_eq(open_with("region: eu-west-9\nqueue: x\n", &err), ERR_CONFIG);
    ck_assert(str_contains(str_of(err.text), STR("eu-west-9")));
    ck_assert_int_eq(open_with("region: eu-west-1\n", &err), ERR_CONFIG);
    ck_assert(str_contains(str_of(err.text), STR("queue")));
    ck_assert_ptr_null(connector);
    connector = opened;
}
END_TEST

SUITE_MAIN_AROUND("genesys", set_up, tear_down, a_task_becomes_a_callback_as_the_provider_wants_it,
                  a_token_that_is_not_taken_is_asked_for_anew,
                  without_a_number_or_a_queue_there_is_no_callback,
                  each_error_of_the_provider_is_what_it_means,
                  a_callback_that_waits_is_disconnected_and_twice_is_fine,
                  an_agent_who_has_it_is_told_and_keeps_it,
                  an_agent_whose_phone_only_rings_does_not_have_it_yet,
                  a_withdrawal_that_fails_is_made_again, what_cannot_be_opened_says_why)
