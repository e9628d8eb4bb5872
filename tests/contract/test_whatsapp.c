/* tests/contract/test_whatsapp.c - against what Meta publishes of its Cloud API: the members of a
 * message object in the reference of POST /PHONE_NUMBER_ID/messages, and the list of error codes,
 * both in the documentation of the WhatsApp Business Platform. */
#include <stdio.h>

#include "connectors/whatsapp/whatsapp.h"
#include "core/when.h"
#include "tests/support/peer.h"
#include "tests/support/published.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

/* Of messages of the types text and template with text parameters. */
static const struct published fields[] = {
    {"/messaging_product", VALUE_STRING, true, 0},
    {"/recipient_type", VALUE_STRING, false, 0},
    {"/to", VALUE_STRING, true, 0},
    {"/type", VALUE_STRING, false, 0},
    {"/biz_opaque_callback_data", VALUE_STRING, false, 512},
    {"/context", VALUE_MAP, false, 0},
    {"/context/message_id", VALUE_STRING, true, 0},
    {"/text", VALUE_MAP, false, 0},
    {"/text/body", VALUE_STRING, true, 4096},
    {"/text/preview_url", VALUE_BOOL, false, 0},
    {"/template", VALUE_MAP, false, 0},
    {"/template/name", VALUE_STRING, true, 512},
    {"/template/language", VALUE_MAP, true, 0},
    {"/template/language/code", VALUE_STRING, true, 0},
    {"/template/components", VALUE_LIST, false, 0},
    {"/template/components/#", VALUE_MAP, false, 0},
    {"/template/components/#/type", VALUE_STRING, true, 0},
    {"/template/components/#/sub_type", VALUE_STRING, false, 0},
    {"/template/components/#/index", VALUE_STRING, false, 0},
    {"/template/components/#/parameters", VALUE_LIST, false, 0},
    {"/template/components/#/parameters/#", VALUE_MAP, false, 0},
    {"/template/components/#/parameters/#/type", VALUE_STRING, true, 0},
    {"/template/components/#/parameters/#/parameter_name", VALUE_STRING, false, 0},
    {"/template/components/#/parameters/#/text", VALUE_STRING, false, 1024},
};

static struct peer_step answer;

static struct peer_step refuse(const char *body)
{
    return (struct peer_step){.status = 400, .body = body};
}

/* The provider: takes what its reference describes, from who has the right token. */
static struct peer_step provider(void *context, const struct peer_request *request)
{
    struct arena *arena = arena_new(0);
    const char *misfit =
        published_misfit(request->body, fields, sizeof fields / sizeof fields[0], arena);
    struct peer_step step = answer;

    (void)context;
    if (!str_is(request->method, "POST") ||
        !str_is(request->target, "/v23.0/106540352242922/messages"))
        step = (struct peer_step){.status = 404, .body = "{\"error\":{\"code\":33}}"};
    else if (!str_is(peer_header(request, "Authorization"), "Bearer swordfish"))
        step = (struct peer_step){.status = 401, .body = "{\"error\":{\"code\":190}}"};
    else if (misfit != NULL || !str_is(peer_header(request, "Content-Type"), "application/json"))
        step = refuse("{\"error\":{\"code\":100}}");
    arena_free(arena);
    return step;
}

static struct task message_task(void)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");

    task.channel = STR("whatsapp");
    task.address = STR("+31612345678");
    task.text = STR("Zo\xc3\xab,\n\n\"25\" euro\tterug.\n");
    task.language = STR("nl-BE");
    return task;
}

/* One message to the provider, which then answers so.  The peer's request, if it came, into arena. */
static enum delivery send(const struct task *task, const char *options, struct peer_step then,
                          struct receipt *receipt, struct str *body, struct arena *arena)
{
    struct peer *peer = peer_open_with(provider, NULL, PEER_TLS);
    struct diags diags = {0};
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = 10000, .now_ms = SAMPLE_CREATED_MS};
    const struct conf *conf;
    struct connector *c;
    enum delivery result;
    struct err err = {0};
    char yaml[512];

    answer = then;
    *receipt = (struct receipt){0};
    snprintf(yaml, sizeof yaml,
             "base_url: %s\nphone_number_id: \"106540352242922\"\ntoken: \"${NONE:swordfish}\"\n"
             "private_network: true\nca_file: %s\n%s",
             peer_url(peer), peer_ca_file(peer), options);
    conf = conf_read(whatsapp_class.fields, str_of(yaml), "x", NULL, 0, arena, &diags);
    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    ck_assert_int_eq(whatsapp_class.open(conf, &c, NULL), ERR_NONE);
    result = whatsapp_class.deliver(c, &sending, receipt, &err);
    ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    ck_assert(!str_contains(str_of(err.text), STR("61234")));
    *body = peer_count(peer) != 0 ? arena_str(arena, peer_request(peer, 0)->body) : STR_EMPTY;
    whatsapp_class.close(c);
    peer_close(peer);
    return result;
}

static const struct peer_step taken = {
    .status = 200,
    .body = "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+31612345678\","
            "\"wa_id\":\"31612345678\"}],\"messages\":[{\"id\":"
            "\"wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA\","
            "\"message_status\":\"accepted\"}]}"};

START_TEST(a_template_is_sent_as_the_provider_wants_it)
{
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct receipt receipt;
    struct str body;

    ck_assert_int_eq(send(&task, "template: notice\n", taken, &receipt, &body, arena),
                     DELIVERY_ACCEPTED);
    ck_assert_str_eq(receipt.reference,
                     "wamid.HBgLMzE2MTIzNDU2NzgVAgARGBI5QTNDQTVCM0Q0Q0Q2RTY3RTcA");
    ck_assert_str_eq(body.data,
                     "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\","
                     "\"to\":\"+31612345678\","
                     "\"biz_opaque_callback_data\":\"00112233445566778899aabbccddeeff\","
                     "\"type\":\"template\",\"template\":{\"name\":\"notice\","
                     "\"language\":{\"code\":\"nl_BE\"},\"components\":[{\"type\":\"body\","
                     "\"parameters\":[{\"type\":\"text\","
                     "\"text\":\"Zo\xc3\xab, \\\"25\\\" euro terug.\"}]}]}}");
    arena_free(arena);
}
END_TEST

START_TEST(a_moment_may_have_a_template_of_its_own)
{
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct receipt receipt;
    struct str body;

    task.language = STR_EMPTY;
    ck_assert_int_eq(send(&task,
                          "template: notice\ntemplates: {other: no, new-car-uninsured: cover}\n"
                          "language: de\n",
                          taken, &receipt, &body, arena),
                     DELIVERY_ACCEPTED);
    ck_assert(str_contains(body, STR("\"name\":\"cover\",\"language\":{\"code\":\"de\"}")));
    arena_free(arena);
}
END_TEST

/* The customer wrote so long before the message goes out. */
static bool goes_as_text(int64_t before_ms)
{
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct buf at = {0};
    struct receipt receipt;
    struct str body;
    bool as_text;

    when_put_rfc3339(&at, SAMPLE_CREATED_MS - before_ms);
    struct task_fact fact = {STR("wrote_at"), STR("Last wrote"), value_string(buf_str(&at)),
                             STR_EMPTY};
    task.facts = &fact;
    task.fact_count = 1;
    ck_assert_int_eq(
        send(&task, "template: notice\nlast_message: wrote_at\n", taken, &receipt, &body, arena),
        DELIVERY_ACCEPTED);
    as_text = str_contains(body, STR("\"type\":\"text\",\"text\":{\"body\":\"Zo\xc3\xab,\\n\\n"));
    ck_assert(as_text != str_contains(body, STR("\"type\":\"template\"")));
    buf_free(&at);
    arena_free(arena);
    return as_text;
}

START_TEST(within_24_hours_of_the_customers_word_it_goes_as_text)
{
    ck_assert(goes_as_text(0));
    ck_assert(goes_as_text(23 * (int64_t)WHEN_HOUR_MS));
    ck_assert(!goes_as_text(24 * (int64_t)WHEN_HOUR_MS));
    ck_assert(!goes_as_text(-(int64_t)WHEN_HOUR_MS)); /* a clock that is wrong proves nothing */
}
END_TEST

START_TEST(outside_them_and_without_a_template_nothing_is_sent)
{
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct receipt receipt;
    struct str body;

    ck_assert_int_eq(send(&task, "last_message: wrote_at\n", taken, &receipt, &body, arena),
                     DELIVERY_REFUSED);
    ck_assert_uint_eq(body.len, 0);
    arena_free(arena);
}
END_TEST

START_TEST(each_error_of_the_provider_is_what_the_table_says)
{
    static const struct {
        int code;
        enum delivery result;
        bool opted_out;
    } errors[] = {
#define WHATSAPP_ERROR(first, last, result, opted_out) {first, DELIVERY_##result, opted_out},
#include "connectors/whatsapp/whatsapp_errors.def"
#undef WHATSAPP_ERROR
        {299, DELIVERY_DOWN, false},
        {100, DELIVERY_REFUSED, false}, /* not in it: as its status, 400 */
        {132012, DELIVERY_REFUSED, false},
    };
    struct task task = message_task();

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct arena *arena = arena_new(0);
        struct receipt receipt;
        struct str request;
        char body[300];
        snprintf(
            body, sizeof body,
            "{\"error\":{\"message\":\"(#%d) to +31612345678\",\"type\":\"OAuthException\","
            "\"code\":%d,\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":\"x\"},"
            "\"fbtrace_id\":\"A\"}}",
            errors[i].code, errors[i].code);
        ck_assert_msg(send(&task, "template: notice\n", refuse(body), &receipt, &request, arena) ==
                          errors[i].result,
                      "%d", errors[i].code);
        ck_assert_int_eq(receipt.opted_out, errors[i].opted_out);
        arena_free(arena);
    }
}
END_TEST

START_TEST(one_who_stopped_marketing_messages_has_opted_out)
{
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct receipt receipt;
    struct str body;

    ck_assert_int_eq(send(&task, "template: notice\n", refuse("{\"error\":{\"code\":131050}}"),
                          &receipt, &body, arena),
                     DELIVERY_REFUSED);
    ck_assert(receipt.opted_out);
    arena_free(arena);
}
END_TEST

START_TEST(a_code_in_an_answer_of_5xx_says_nothing_for_sure)
{
    const struct peer_step failed = {.status = 500, .body = "{\"error\":{\"code\":131045}}"};
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct receipt receipt;
    struct str body;

    ck_assert_int_eq(send(&task, "template: notice\n", failed, &receipt, &body, arena),
                     DELIVERY_UNKNOWN);
    arena_free(arena);
}
END_TEST

START_TEST(without_a_number_or_a_text_nothing_is_sent)
{
    struct arena *arena = arena_new(0);
    struct task task = message_task();
    struct receipt receipt;
    struct str body;

    task.address = STR("31612345678");
    ck_assert_int_eq(send(&task, "template: notice\n", taken, &receipt, &body, arena),
                     DELIVERY_REFUSED);
    ck_assert_uint_eq(body.len, 0);
    task = message_task();
    task.text = STR(" \n");
    ck_assert_int_eq(send(&task, "template: notice\n", taken, &receipt, &body, arena),
                     DELIVERY_REFUSED);
    ck_assert_uint_eq(body.len, 0);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("whatsapp", a_template_is_sent_as_the_provider_wants_it,
           a_moment_may_have_a_template_of_its_own,
           within_24_hours_of_the_customers_word_it_goes_as_text,
           outside_them_and_without_a_template_nothing_is_sent,
           each_error_of_the_provider_is_what_the_table_says,
           one_who_stopped_marketing_messages_has_opted_out,
           a_code_in_an_answer_of_5xx_says_nothing_for_sure,
           without_a_number_or_a_text_nothing_is_sent)
