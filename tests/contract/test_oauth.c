/* tests/contract/test_oauth.c - a token's server after RFC 6749, and many who want the token.
 * tsan: yes */
#include <pthread.h>
#include <stdio.h>

#include "connectors/oauth/oauth.h"
#include "tests/support/peer.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum { LONG_MS = 10000, SHORT_MS = 1200, THREADS = 8, SERVER_MS = 200 };

#define SECOND_MS 1000
#define TOKEN(seconds)                                                                             \
    "{\"access_token\":\"T0ken\",\"token_type\":\"bearer\",\"expires_in\":" #seconds "}"

static struct oauth *open_to(struct peer *peer, struct transfer **transfer)
{
    const struct transfer_config line = {.private_network = true,
                                         .ca_file = str_of(peer_ca_file(peer))};
    char url[100];
    struct oauth *oauth;

    snprintf(url, sizeof url, "%s/oauth/token", peer_url(peer));
    const struct oauth_config config = {
        .url = str_of(url), .client = STR("id:1"), .secret = STR("S3cr3t/+")};
    ck_assert_int_eq(transfer_open(&line, transfer, NULL), ERR_NONE);
    ck_assert_int_eq(oauth_open(&config, &oauth, NULL), ERR_NONE);
    return oauth;
}

static enum delivery ask_at(struct oauth *oauth, struct transfer *transfer, int64_t now_ms,
                            int timeout_ms, struct receipt *receipt, struct err *err)
{
    struct buf bearer = {0};
    enum delivery result;

    *receipt = (struct receipt){0};
    *err = (struct err){0};
    result = oauth_token(oauth, transfer, &timeout_ms, now_ms, &bearer, receipt, err);
    ck_assert_str_eq(buf_text(&bearer), result == DELIVERY_ACCEPTED ? "Bearer T0ken" : "");
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err->code == ERR_NONE), "%s", err->text);
    ck_assert_msg(!str_contains(str_of(err->text), STR("T0ken")) &&
                      !str_contains(str_of(err->text), STR("S3cr3t")),
                  "%s", err->text);
    buf_free(&bearer);
    return result;
}

/* One who asks a server that does this, and what came of it. */
static enum delivery ask(struct peer_step step, int timeout_ms, struct receipt *receipt,
                         struct err *err)
{
    struct peer *peer = peer_open(&step, 1, PEER_TLS);
    struct transfer *transfer;
    struct oauth *oauth = open_to(peer, &transfer);
    enum delivery result = ask_at(oauth, transfer, SAMPLE_CREATED_MS, timeout_ms, receipt, err);

    oauth_close(oauth);
    transfer_close(transfer);
    peer_close(peer);
    return result;
}

START_TEST(an_id_and_a_secret_get_a_token)
{
    struct peer *peer = peer_open(&(struct peer_step){.body = TOKEN(86399)}, 1, PEER_TLS);
    struct transfer *transfer;
    struct oauth *oauth = open_to(peer, &transfer);
    const struct peer_request *request;
    struct receipt receipt;
    struct err err;

    ck_assert_int_eq(ask_at(oauth, transfer, SAMPLE_CREATED_MS, LONG_MS, &receipt, &err),
                     DELIVERY_ACCEPTED);
    request = peer_request(peer, 0);
    ck_assert(str_is(request->method, "POST"));
    ck_assert(str_is(request->target, "/oauth/token"));
    ck_assert(str_is(request->body, "grant_type=client_credentials"));
    ck_assert(str_is(peer_header(request, "Content-Type"), "application/x-www-form-urlencoded"));
    /* id%3A1:S3cr3t%2F%2B */
    ck_assert(str_is(peer_header(request, "Authorization"), "Basic aWQlM0ExOlMzY3IzdCUyRiUyQg=="));
    oauth_close(oauth);
    transfer_close(transfer);
    peer_close(peer);
}
END_TEST

START_TEST(whatever_the_server_does_the_task_was_not_sent)
{
    static const struct {
        struct peer_step step;
        enum delivery result;
        const char *why;
    } cases[] = {
        {{.act = PEER_CLOSE_UNREAD}, DELIVERY_DOWN, "no token"},
        {{.act = PEER_SILENT_UNREAD}, DELIVERY_DOWN, "no token"},
        {{.act = PEER_SILENT}, DELIVERY_DOWN, "no token"},
        {{.act = PEER_CLOSE}, DELIVERY_DOWN, "no token"},
        {{.act = PEER_GARBAGE}, DELIVERY_DOWN, "no token"},
        {{.act = PEER_DRIP}, DELIVERY_DOWN, "no token"},
        {{.act = PEER_CLOSE_MIDDLE, .body = TOKEN(60)}, DELIVERY_DOWN, "without a token"},
        {{.act = PEER_BIG}, DELIVERY_DOWN, "without a token"},
        {{.body = "T0ken"}, DELIVERY_DOWN, "without a token"},
        {{.body = "{\"access_token\":\"\"}"}, DELIVERY_DOWN, "without a token"},
        {{.body = "{\"access_token\":\"T0ken\\r\\nX: y\"}"}, DELIVERY_DOWN, "without a token"},
        {{.status = 400, .body = "{\"error\":\"invalid_grant\",\"error_description\":\"S3cr3t\"}"},
         DELIVERY_DOWN,
         "answered 400, invalid_grant"},
        {{.status = 401, .body = "{\"error\":\"S3cr3t\"}"}, DELIVERY_DOWN, "answered 401"},
        {{.status = 302}, DELIVERY_DOWN, "answered 302"},
        {{.status = 429, .headers = "Retry-After: 7\r\n"}, DELIVERY_RETRY, "answered 429"},
        {{.status = 503, .headers = "Retry-After: 7\r\n"}, DELIVERY_DOWN, "answered 503"},
        {{.status = 500}, DELIVERY_DOWN, "answered 500"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum peer_act act = cases[i].step.act;
        bool waits = act == PEER_SILENT_UNREAD || act == PEER_SILENT || act == PEER_DRIP;
        struct receipt receipt;
        struct err err;
        ck_assert_msg(ask(cases[i].step, waits ? SHORT_MS : LONG_MS, &receipt, &err) ==
                          cases[i].result,
                      "%zu: %s", i, err.text);
        ck_assert_msg(str_contains(str_of(err.text), str_of(cases[i].why)), "%zu: %s", i, err.text);
        ck_assert_int_eq(receipt.retry_after_ms, cases[i].step.headers != NULL ? 7000 : 0);
    }
}
END_TEST

START_TEST(a_token_without_a_span_is_good_for_five_minutes)
{
    struct peer *peer =
        peer_open(&(struct peer_step){.body = "{\"access_token\":\"T0ken\"}"}, 1, PEER_TLS);
    struct transfer *transfer;
    struct oauth *oauth = open_to(peer, &transfer);
    struct receipt receipt;
    struct err err;

    ask_at(oauth, transfer, 0, LONG_MS, &receipt, &err);
    ask_at(oauth, transfer, 239 * SECOND_MS, LONG_MS, &receipt, &err);
    ck_assert_uint_eq(peer_count(peer), 1);
    ask_at(oauth, transfer, 240 * SECOND_MS, LONG_MS, &receipt, &err);
    ck_assert_uint_eq(peer_count(peer), 2);
    oauth_close(oauth);
    transfer_close(transfer);
    peer_close(peer);
}
END_TEST

START_TEST(the_old_token_serves_while_a_new_one_cannot_be_had)
{
    static const struct peer_step steps[] = {{.body = TOKEN(3600)}, {.status = 500}};
    struct peer *peer = peer_open(steps, 2, PEER_TLS);
    struct transfer *transfer;
    struct oauth *oauth = open_to(peer, &transfer);
    struct receipt receipt;
    struct err err;

    ck_assert_int_eq(ask_at(oauth, transfer, 0, LONG_MS, &receipt, &err), DELIVERY_ACCEPTED);
    ck_assert_int_eq(ask_at(oauth, transfer, 3599 * SECOND_MS, LONG_MS, &receipt, &err),
                     DELIVERY_ACCEPTED);
    ck_assert_uint_eq(peer_count(peer), 2);
    ck_assert_int_eq(ask_at(oauth, transfer, 3600 * SECOND_MS, LONG_MS, &receipt, &err),
                     DELIVERY_DOWN);
    oauth_close(oauth);
    transfer_close(transfer);
    peer_close(peer);
}
END_TEST

/* --- many threads ------------------------------------------------------------------------------- */

struct asker {
    pthread_t thread;
    struct peer *peer;
    enum delivery result;
};

static void *ask_in_thread(void *context)
{
    struct asker *asker = context;
    struct transfer *transfer;
    struct oauth *oauth = open_to(asker->peer, &transfer);
    struct receipt receipt = {0};
    struct buf bearer = {0};
    int timeout_ms = LONG_MS;
    struct err err;

    asker->result =
        oauth_token(oauth, transfer, &timeout_ms, SAMPLE_CREATED_MS, &bearer, &receipt, &err);
    buf_free(&bearer);
    oauth_close(oauth);
    transfer_close(transfer);
    return NULL;
}

/* A server that takes its time, so that all who ask are there before it answers. */
static struct peer_step slow(void *context, const struct peer_request *request)
{
    const struct peer_step *step = context;

    (void)request;
    wait_pause_ms(SERVER_MS);
    return *step;
}

static void ask_all(struct peer_step step, enum delivery expected)
{
    struct peer *peer = peer_open_with(slow, &step, PEER_TLS);
    struct transfer *transfer;
    struct oauth *oauth = open_to(peer, &transfer); /* open all the while: one credential */
    struct asker askers[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        askers[i].peer = peer;
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask_in_thread, &askers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(askers[i].thread, NULL);
        ck_assert_int_eq(askers[i].result, expected);
    }
    ck_assert_uint_eq(peer_count(peer), 1);
    oauth_close(oauth);
    transfer_close(transfer);
    peer_close(peer);
}

START_TEST(eight_who_ask_at_once_make_one_request)
{
    ask_all((struct peer_step){.body = TOKEN(3600)}, DELIVERY_ACCEPTED);
}
END_TEST

START_TEST(a_no_answers_all_who_waited_for_it)
{
    ask_all((struct peer_step){.status = 401}, DELIVERY_DOWN);
}
END_TEST

START_TEST(another_secret_is_another_credential)
{
    const struct oauth_config one = {
        .url = STR("https://example.org/"), .client = STR("id"), .secret = STR("a")};
    struct oauth_config other = one;
    struct oauth *first, *again, *second;

    other.secret = STR("b");
    ck_assert_int_eq(oauth_open(&one, &first, NULL), ERR_NONE);
    ck_assert_int_eq(oauth_open(&one, &again, NULL), ERR_NONE);
    ck_assert_int_eq(oauth_open(&other, &second, NULL), ERR_NONE);
    ck_assert_ptr_eq(first, again);
    ck_assert_ptr_ne(first, second);
    oauth_close(first);
    oauth_close(again);
    oauth_close(second);
    oauth_close(NULL);
}
END_TEST

SUITE_MAIN("oauth", an_id_and_a_secret_get_a_token, whatever_the_server_does_the_task_was_not_sent,
           a_token_without_a_span_is_good_for_five_minutes,
           the_old_token_serves_while_a_new_one_cannot_be_had,
           eight_who_ask_at_once_make_one_request, a_no_answers_all_who_waited_for_it,
           another_secret_is_another_credential)
