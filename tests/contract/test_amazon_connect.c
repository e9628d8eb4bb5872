/* tests/contract/test_amazon_connect.c - against what AWS publishes of Amazon Connect: the shapes
 * StartTaskContactRequest, StopContactRequest and UpdateContactRequest and the errors of these
 * operations in the service model of 2017-08-08 (botocore). */
#include <stdio.h>
#include <stdlib.h>

#include "connectors/amazon_connect/amazon_connect.h"
#include "connectors/amazon_connect/sigv4.h"
#include "tests/support/peer.h"
#include "tests/support/published.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define INSTANCE "11111111-2222-3333-4444-555555555555"
#define CONTACT  "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define TASK_ID  "00112233445566778899aabbccddeeff"

static const struct published start_fields[] = {
    {"/InstanceId", VALUE_STRING, true, 100},
    {"/PreviousContactId", VALUE_STRING, false, 256},
    {"/ContactFlowId", VALUE_STRING, false, 500},
    {"/Attributes", VALUE_MAP, false, 0},
    {"/Attributes/#", VALUE_STRING, false, 32767},
    {"/Name", VALUE_STRING, true, 1024},
    {"/References", VALUE_MAP, false, 0},
    {"/References/#", VALUE_MAP, false, 0},
    {"/References/#/Type", VALUE_STRING, true, 0},
    {"/References/#/Value", VALUE_STRING, false, 4096},
    {"/Description", VALUE_STRING, false, 4096},
    {"/ClientToken", VALUE_STRING, false, 500},
    {"/ScheduledTime", VALUE_INT, false, 0},
    {"/TaskTemplateId", VALUE_STRING, false, 500},
    {"/QuickConnectId", VALUE_STRING, false, 0},
    {"/RelatedContactId", VALUE_STRING, false, 256},
    {"/SegmentAttributes", VALUE_MAP, false, 0},
    {"/Attachments", VALUE_LIST, false, 0},
};

static const struct published stop_fields[] = {
    {"/ContactId", VALUE_STRING, true, 256},
    {"/InstanceId", VALUE_STRING, true, 100},
    {"/DisconnectReason", VALUE_MAP, false, 0},
};

static const struct published update_fields[] = {
    {"/Name", VALUE_STRING, false, 1024},       {"/Description", VALUE_STRING, false, 4096},
    {"/References", VALUE_MAP, false, 0},       {"/SegmentAttributes", VALUE_MAP, false, 0},
    {"/QueueInfo", VALUE_MAP, false, 0},        {"/UserInfo", VALUE_MAP, false, 0},
    {"/CustomerEndpoint", VALUE_MAP, false, 0}, {"/SystemEndpoint", VALUE_MAP, false, 0},
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Amazon Connect with one contact. */
static struct {
    bool exists, stopped, with_agent;
    int started;           /* how often a contact was really made */
    char name[600];        /* what UpdateContact set */
    const char *token;     /* session token that it wants; NULL: none */
    struct peer_step then; /* status not 0: what it answers instead */
} instance;

static struct peer_step answer(int status, const char *body)
{
    return (struct peer_step){.status = status, .body = body};
}

static bool fits(const struct peer_request *request, const struct published *fields, size_t count)
{
    struct arena *arena = arena_new(0);
    bool fine = published_misfit(request->body, fields, count, arena) == NULL;

    arena_free(arena);
    return fine;
}

/* The same signature has to come out here. */
static bool is_signed(const struct peer_request *request)
{
    const struct sigv4_credentials credentials = {.region = STR("eu-west-2"),
                                                  .service = STR("connect"),
                                                  .access_key = STR("AKIDEXAMPLE"),
                                                  .secret = STR("swordfish"),
                                                  .session_token = str_of(instance.token)};
    struct buf method = {0}, date = {0}, authorization = {0};
    bool same;

    buf_put(&method, request->method);
    const struct sigv4_request to_sign = {.method = buf_text(&method),
                                          .host = peer_header(request, "Host"),
                                          .path = request->target,
                                          .content_type = peer_header(request, "Content-Type"),
                                          .body = request->body,
                                          .at_ms = SAMPLE_CREATED_MS};
    sigv4_sign(&credentials, &to_sign, &date, &authorization);
    same = str_equal(peer_header(request, "X-Amz-Date"), buf_str(&date)) &&
           str_equal(peer_header(request, "Authorization"), buf_str(&authorization)) &&
           str_equal(peer_header(request, "X-Amz-Security-Token"), str_of(instance.token));
    buf_free(&method);
    buf_free(&date);
    buf_free(&authorization);
    return same;
}

static struct peer_step start_contact(const struct peer_request *request)
{
    if (!fits(request, start_fields, COUNT(start_fields)) ||
        !str_contains(request->body, STR("\"ClientToken\":\"" TASK_ID "\"")) ||
        str_contains(request->body, STR("ContactFlowId")) ==
            str_contains(request->body, STR("TaskTemplateId")))
        return answer(400, "{\"Message\":\"x\"}");
    instance.started += !instance.exists;
    instance.exists = true;
    return answer(200, "{\"ContactId\":\"" CONTACT "\"}");
}

static struct peer_step stop_contact(const struct peer_request *request)
{
    if (!fits(request, stop_fields, COUNT(stop_fields)))
        return answer(400, "{\"Message\":\"x\"}");
    if (instance.stopped || !instance.exists)
        return answer(410, "{\"Message\":\"x\"}");
    instance.stopped = true;
    return answer(200, "{}");
}

static struct peer_step describe_contact(void)
{
    if (instance.stopped)
        return answer(200,
                      "{\"Contact\":{\"Id\":\"" CONTACT "\",\"DisconnectTimestamp\":1.772E9}}");
    return answer(200, instance.with_agent ? "{\"Contact\":{\"Id\":\"" CONTACT
                                             "\",\"AgentInfo\":{\"Id\":\"a\"}}}"
                                           : "{\"Contact\":{\"Id\":\"" CONTACT "\"}}");
}

static struct peer_step update_contact(const struct peer_request *request)
{
    struct arena *arena = arena_new(0);
    struct value body;

    if (!fits(request, update_fields, COUNT(update_fields))) {
        arena_free(arena);
        return answer(400, "{\"Message\":\"x\"}");
    }
    json_parse(request->body, arena, &body, NULL);
    snprintf(instance.name, sizeof instance.name, "%.*s",
             STR_ARG(value_str(json_at(body, STR("/Name")))));
    arena_free(arena);
    return answer(200, "{}");
}

static struct peer_step amazon(void *context, const struct peer_request *request)
{
    (void)context;
    if (!is_signed(request))
        return answer(403,
                      "{\"message\":\"The security token included in the request is invalid.\"}");
    if (instance.then.status != 0)
        return instance.then;
    if (str_is(request->method, "PUT") && str_is(request->target, "/contact/task"))
        return start_contact(request);
    if (str_is(request->method, "POST") && str_is(request->target, "/contact/stop"))
        return stop_contact(request);
    if (!str_is(request->target, "/contacts/" INSTANCE "/" CONTACT))
        return answer(404, "{\"Message\":\"x\"}");
    return str_is(request->method, "GET") ? describe_contact() : update_contact(request);
}

static struct peer *peer;
static struct arena *arena;
static struct connector *connector;

static enum err_code open_with(const char *options, struct err *err)
{
    struct diags diags = {0};
    const struct conf *conf;
    struct buf yaml = {0};

    buf_put_format(&yaml, "base_url: %s\nprivate_network: true\nca_file: %s\n%s", peer_url(peer),
                   peer_ca_file(peer), options);
    conf = conf_read(amazon_connect_class.fields, buf_str(&yaml), "x", NULL, 0, arena, &diags);
    ck_assert_msg(conf != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    buf_free(&yaml);
    return amazon_connect_class.open(conf, &connector, err);
}

#define OPTIONS                                                                                    \
    "region: eu-west-2\ninstance: " INSTANCE "\naccess_key_id: AKIDEXAMPLE\n"                      \
    "secret_access_key: \"${NONE:swordfish}\"\n"

static void set_up(void)
{
    struct err err = {0};

    peer = peer_open_with(amazon, NULL, PEER_TLS);
    arena = arena_new(0);
    ck_assert_msg(open_with(OPTIONS "contact_flow: 846ec553-a005\n", &err) == ERR_NONE, "%s",
                  err.text);
}

static void tear_down(void)
{
    amazon_connect_class.close(connector);
    peer_close(peer);
    arena_free(arena);
}

static enum delivery deliver(struct task *task, struct receipt *receipt)
{
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = 10000, .now_ms = SAMPLE_CREATED_MS};
    enum delivery result;
    struct err err = {0};

    *receipt = (struct receipt){0};
    result = amazon_connect_class.deliver(connector, &sending, receipt, &err);
    ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    return result;
}

static enum delivery withdraw(const char *reference, bool notice)
{
    struct task task = sample_task(TASK_ID);
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
    result = amazon_connect_class.withdraw(connector, &sending, &withdrawal, &receipt, &err);
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err.code == ERR_NONE), "%s", err.text);
    return result;
}

START_TEST(a_task_becomes_a_contact_as_the_provider_wants_it)
{
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;

    task.address = STR("+31612345678");
    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    ck_assert_str_eq(receipt.reference, CONTACT);
    ck_assert_str_eq(
        peer_request(peer, 0)->body.data,
        "{\"InstanceId\":\"" INSTANCE "\",\"ContactFlowId\":\"846ec553-a005\","
        "\"ClientToken\":\"" TASK_ID "\",\"Name\":\"New car, policy still on the old one\","
        "\"Description\":\"A new car was registered 14 days ago.\\n\\n"
        "Your new Volvo is heavier than the car on your policy.\","
        "\"Attributes\":{\"attent_task\":\"" TASK_ID "\",\"attent_moment\":\"new-car-uninsured\","
        "\"attent_customer\":\"C-1\",\"attent_about\":\"V1\",\"attent_tier\":\"care\","
        "\"attent_purpose\":\"care\",\"attent_queue\":\"insurance\","
        "\"attent_address\":\"+31612345678\","
        "\"attent_decision\":\"ffeeddccbbaa99887766554433221100\","
        "\"attent_deadline\":\"2026-03-09T08:00:00Z\",\"fact_weight_kg\":\"1900 kg\"},"
        "\"References\":{\"Customer\":{\"Type\":\"STRING\",\"Value\":\"C-1\"},"
        "\"Address\":{\"Type\":\"STRING\",\"Value\":\"+31612345678\"},"
        "\"Deadline\":{\"Type\":\"STRING\",\"Value\":\"2026-03-09T08:00:00Z\"},"
        "\"Weight\":{\"Type\":\"STRING\",\"Value\":\"1900 kg\"}}}");
}
END_TEST

START_TEST(a_task_started_twice_is_one_contact)
{
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;

    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    ck_assert_str_eq(receipt.reference, CONTACT);
    ck_assert_int_eq(instance.started, 1);
}
END_TEST

START_TEST(long_texts_and_many_facts_stay_within_the_limits)
{
    enum { FACTS = 64, LONG = 3000 };
    struct task task = sample_task(TASK_ID);
    struct task_fact facts[FACTS];
    struct receipt receipt;
    struct buf text = {0};

    for (int i = 0; i < LONG; i++)
        buf_put_text(&text, "\xc3\xab");
    for (int i = 0; i < FACTS; i++)
        facts[i] = (struct task_fact){arena_format(arena, "fact.%d", i / 2), /* a key twice */
                                      arena_format(arena, "Fact %d", i / 2),
                                      value_string(buf_str(&text)), STR_EMPTY};
    task.facts = facts;
    task.fact_count = FACTS;
    task.title = task.say = task.reason = buf_str(&text);
    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    ck_assert(str_contains(peer_request(peer, 0)->body, STR("\"fact_fact_1\":")));
    buf_free(&text);
}
END_TEST

START_TEST(a_session_token_is_sent_and_signed)
{
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;
    struct err err = {0};

    amazon_connect_class.close(connector);
    ck_assert_int_eq(
        open_with(OPTIONS "task_template: t-1\nsession_token: \"${NONE:T0ken}\"\n", &err),
        ERR_NONE);
    instance.token = "T0ken";
    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    instance.token = "0ther";
    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_DOWN);
}
END_TEST

START_TEST(each_error_of_the_provider_is_what_it_means)
{
    static const struct {
        int status;
        enum delivery result;
    } errors[] = {
        {400, DELIVERY_REFUSED}, /* InvalidRequestException, InvalidParameterException */
        {402, DELIVERY_DOWN},    /* ServiceQuotaExceededException: too many open tasks */
        {403, DELIVERY_DOWN},    /* AccessDeniedException, a signature that does not fit */
        {404, DELIVERY_DOWN},    /* ResourceNotFoundException: instance or flow */
        {429, DELIVERY_RETRY},   /* ThrottlingException */
        {500, DELIVERY_UNKNOWN}, /* InternalServiceException */
    };
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;

    for (size_t i = 0; i < COUNT(errors); i++) {
        instance.then = answer(errors[i].status, "{\"Message\":\"x\"}");
        ck_assert_msg(deliver(&task, &receipt) == errors[i].result, "%d", errors[i].status);
    }
}
END_TEST

START_TEST(what_waits_is_stopped_and_stopping_it_again_is_fine)
{
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;

    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(withdraw(CONTACT, false), DELIVERY_ACCEPTED);
    ck_assert(instance.stopped);
    ck_assert_int_eq(withdraw(CONTACT, false), DELIVERY_ACCEPTED);
    ck_assert_str_eq(instance.name, "");
}
END_TEST

START_TEST(an_agent_who_has_it_is_told_and_keeps_it)
{
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;

    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    instance.with_agent = true;
    ck_assert_int_eq(withdraw(CONTACT, false), DELIVERY_ACCEPTED);
    ck_assert(!instance.stopped);
    ck_assert_str_eq(instance.name,
                     "WITHDRAWN (policy.updated): New car, policy still on the old one");
    instance.with_agent = false; /* as decide knows it, from an outcome */
    instance.name[0] = '\0';
    ck_assert_int_eq(withdraw(CONTACT, true), DELIVERY_ACCEPTED);
    ck_assert(!instance.stopped);
    ck_assert_str_ne(instance.name, "");
}
END_TEST

/* The answer to StartTaskContact was lost: the ledger has no reference. */
START_TEST(a_contact_whose_id_was_lost_is_found_and_stopped)
{
    instance.exists = true;
    ck_assert_int_eq(withdraw("", false), DELIVERY_ACCEPTED);
    ck_assert(instance.stopped);
    ck_assert_int_eq(instance.started, 0);
}
END_TEST

START_TEST(a_withdrawal_that_fails_is_made_again)
{
    struct task task = sample_task(TASK_ID);
    struct receipt receipt;

    ck_assert_int_eq(deliver(&task, &receipt), DELIVERY_ACCEPTED);
    instance.then = answer(500, "");
    ck_assert_int_eq(withdraw(CONTACT, false), DELIVERY_UNKNOWN);
    instance.then = answer(429, "");
    ck_assert_int_eq(withdraw(CONTACT, false), DELIVERY_RETRY);
}
END_TEST

START_TEST(what_cannot_be_opened_says_why)
{
    static const struct {
        const char *yaml, *why;
    } cases[] = {
        {OPTIONS, "contact_flow or task_template"},
        {OPTIONS "contact_flow: a\ntask_template: b\n", "contact_flow or task_template"},
        {"region: eu/west\ninstance: a\naccess_key_id: A\ncontact_flow: a\n"
         "secret_access_key: \"${NONE:swordfish}\"\n",
         "region"},
        {"region: eu-west-2\ninstance: arn:aws:connect:x/a\naccess_key_id: A\ncontact_flow: a\n"
         "secret_access_key: \"${NONE:swordfish}\"\n",
         "instance"},
    };
    struct connector *opened = connector;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        ck_assert_int_eq(open_with(cases[i].yaml, &err), ERR_CONFIG);
        ck_assert_ptr_null(connector);
        ck_assert_msg(str_contains(str_of(err.text), str_of(cases[i].why)), "%s", err.text);
    }
    connector = opened;
}
END_TEST

SUITE_MAIN_AROUND("amazon_connect", set_up, tear_down,
                  a_task_becomes_a_contact_as_the_provider_wants_it,
                  a_task_started_twice_is_one_contact,
                  long_texts_and_many_facts_stay_within_the_limits,
                  a_session_token_is_sent_and_signed, each_error_of_the_provider_is_what_it_means,
                  what_waits_is_stopped_and_stopping_it_again_is_fine,
                  an_agent_who_has_it_is_told_and_keeps_it,
                  a_contact_whose_id_was_lost_is_found_and_stopped,
                  a_withdrawal_that_fails_is_made_again, what_cannot_be_opened_says_why)
