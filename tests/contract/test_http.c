/* tests/contract/test_http.c - connectors/net/http.h against a peer that does whatever a server
 * may do, and much that none should. */
#include "connectors/net/http.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/net/retry_after.h"
#include "core/clock.h"
#include "core/limit.h"
#include "tests/support/certificate.h"
#include "tests/support/peer.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { LONG_MS = 10000, SHORT_MS = 600 };
#define NOW_MS INT64_C(1772438400000)

static struct transfer *open_to(const char *ca_file)
{
    const struct transfer_config config = {.private_network = true, .ca_file = str_of(ca_file)};
    struct transfer *t;

    ck_assert_int_eq(transfer_open(&config, &t, NULL), ERR_NONE);
    return t;
}

static enum transfer_end post(struct transfer *t, const char *url, bool repeatable, int timeout_ms,
                              struct http_reply *reply, struct err *err)
{
    const struct http_header headers[] = {{"Content-Type", STR("application/json")},
                                          {"X-Empty", STR_EMPTY}};
    const struct http_ask ask = {.method = "POST",
                                 .url = str_of(url),
                                 .headers = headers,
                                 .header_count = 2,
                                 .body = STR("{\"a\":1}"),
                                 .now_ms = NOW_MS,
                                 .repeatable = repeatable};

    *reply = (struct http_reply){0};
    return http_send(t, &ask, timeout_ms, reply, err);
}

/* One request to a peer with one step. */
static enum transfer_end try(struct peer_step step, enum peer_mode mode, int timeout_ms,
                             struct http_reply *reply, struct err *err)
{
    struct peer *peer = peer_open(&step, 1, mode);
    struct transfer *t = open_to(peer_ca_file(peer));
    enum transfer_end end = post(t, peer_url(peer), false, timeout_ms, reply, err);

    transfer_close(t);
    peer_close(peer);
    return end;
}

START_TEST(a_request_arrives_as_it_was_asked_for)
{
    struct peer *peer = peer_open(&(struct peer_step){.status = 201, .body = "made"}, 1, PEER_TLS);
    struct transfer *t = open_to(peer_ca_file(peer));
    const struct peer_request *request;
    struct http_reply reply;
    char url[200];

    snprintf(url, sizeof url, "%s/hook?x=1", peer_url(peer));
    ck_assert_int_eq(post(t, url, false, LONG_MS, &reply, NULL), TRANSFER_ANSWERED);
    ck_assert_int_eq(reply.status, 201);
    ck_assert_str_eq(buf_text(&reply.body), "made");
    ck_assert(!reply.cut);
    ck_assert_int_eq(reply.retry_after_ms, RETRY_AFTER_NONE);
    request = peer_request(peer, 0);
    ck_assert(str_is(request->method, "POST"));
    ck_assert(str_is(request->target, "/hook?x=1"));
    ck_assert(str_is(peer_header(request, "content-type"), "application/json"));
    ck_assert(str_contains(request->head, STR("X-Empty:")));
    ck_assert(!str_contains(request->head, STR("Expect:")));
    ck_assert(str_is(request->body, "{\"a\":1}"));
    http_reply_free(&reply);
    transfer_close(t);
    peer_close(peer);
}
END_TEST

START_TEST(each_status_is_an_answer)
{
    static const int statuses[] = {200, 204, 301, 400, 401, 404, 410, 429, 500, 503};

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct http_reply reply;
        ck_assert_int_eq(
            try((struct peer_step){.status = statuses[i]}, PEER_PLAIN, LONG_MS, &reply, NULL),
            TRANSFER_ANSWERED);
        ck_assert_int_eq(reply.status, statuses[i]);
        http_reply_free(&reply);
    }
}
END_TEST

START_TEST(retry_after_is_read_as_seconds_and_as_a_date)
{
    struct http_reply reply;

    ck_assert_int_eq(try((struct peer_step){.status = 429, .headers = "retry-after: 7\r\n"},
                         PEER_PLAIN, LONG_MS, &reply, NULL),
                     TRANSFER_ANSWERED);
    ck_assert_int_eq(reply.retry_after_ms, 7000);
    http_reply_free(&reply);
    /* NOW_MS is 2026-03-02T08:00:00Z */
    ck_assert_int_eq(
        try((struct peer_step){.status = 503,
                               .headers = "Retry-After: Mon, 02 Mar 2026 08:01:00 GMT\r\n"},
            PEER_PLAIN, LONG_MS, &reply, NULL),
        TRANSFER_ANSWERED);
    ck_assert_int_eq(reply.retry_after_ms, 60000);
    http_reply_free(&reply);
}
END_TEST

START_TEST(what_surely_did_not_arrive_is_told_from_what_may_have)
{
    static const struct {
        enum peer_act act;
        enum peer_mode mode;
        enum transfer_end end;
    } cases[] = {
        {PEER_CLOSE_UNREAD, PEER_TLS, TRANSFER_NOT_SENT},
        {PEER_SILENT_UNREAD, PEER_TLS, TRANSFER_NOT_SENT},
        {PEER_CLOSE_UNREAD, PEER_PLAIN, TRANSFER_IN_DOUBT}, /* it may have read and died */
        {PEER_SILENT_UNREAD, PEER_PLAIN, TRANSFER_IN_DOUBT},
        {PEER_SILENT, PEER_TLS, TRANSFER_IN_DOUBT},
        {PEER_CLOSE, PEER_TLS, TRANSFER_IN_DOUBT},
        {PEER_CLOSE, PEER_PLAIN, TRANSFER_IN_DOUBT},
        {PEER_GARBAGE, PEER_TLS, TRANSFER_IN_DOUBT},
        {PEER_DRIP, PEER_TLS, TRANSFER_IN_DOUBT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct peer_step step = {.act = cases[i].act, .headers = "X-Long: way\r\n"};
        struct http_reply reply;
        struct err err = {0};
        ck_assert_msg(try(step, cases[i].mode, SHORT_MS, &reply, &err) == cases[i].end,
                      "case %zu: %s", i, err.text);
        ck_assert_int_eq(err.code, ERR_DOWN);
        ck_assert_int_eq(reply.status, 0);
        http_reply_free(&reply);
    }
}
END_TEST

START_TEST(nobody_at_the_port_is_not_sent)
{
    struct transfer *t = open_to("");
    struct http_reply reply;
    struct err err;
    char url[100];

    snprintf(url, sizeof url, "http://127.0.0.1:%d/", scratch_free_port());
    ck_assert_int_eq(post(t, url, false, LONG_MS, &reply, &err), TRANSFER_NOT_SENT);
    ck_assert_int_eq(err.code, ERR_DOWN);
    transfer_close(t);
}
END_TEST

START_TEST(a_status_is_an_answer_even_when_the_body_is_not_all_there)
{
    static const struct peer_step steps[] = {
        {.act = PEER_CLOSE_MIDDLE, .body = "half of this"},
        {.act = PEER_DRIP_BODY, .body = "more than comes in the time there is"},
        {.act = PEER_BIG},
    };

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct http_reply reply;
        ck_assert_int_eq(try(steps[i], PEER_TLS, SHORT_MS, &reply, NULL), TRANSFER_ANSWERED);
        ck_assert_int_eq(reply.status, 200);
        ck_assert(reply.cut);
        ck_assert_uint_le(reply.body.len, LIMIT_HTTP_ANSWER_BYTES);
        http_reply_free(&reply);
    }
}
END_TEST

START_TEST(time_for_all_is_kept)
{
    int64_t begin_ms = clock_mono_ms();
    struct http_reply reply;

    ck_assert_int_eq(
        try((struct peer_step){.act = PEER_SILENT}, PEER_PLAIN, SHORT_MS, &reply, NULL),
        TRANSFER_IN_DOUBT);
    ck_assert_int_ge(clock_mono_ms() - begin_ms, SHORT_MS);
    ck_assert_int_lt(clock_mono_ms() - begin_ms, LONG_MS);
}
END_TEST

START_TEST(a_redirect_is_not_followed)
{
    struct peer *target = peer_open(&(struct peer_step){0}, 1, PEER_PLAIN);
    struct http_reply reply;
    char location[200];

    snprintf(location, sizeof location, "Location: %s/\r\n", peer_url(target));
    ck_assert_int_eq(try((struct peer_step){.status = 307, .headers = location}, PEER_PLAIN,
                         LONG_MS, &reply, NULL),
                     TRANSFER_ANSWERED);
    ck_assert_int_eq(reply.status, 307);
    ck_assert_uint_eq(peer_count(target), 0);
    peer_close(target);
}
END_TEST

/* "localhost" is a name: it has to be resolved before its address can be looked at. */
START_TEST(a_name_that_leads_inside_is_refused_before_anything_is_sent)
{
    struct peer *peer = peer_open(&(struct peer_step){0}, 1, PEER_TLS);
    const struct transfer_config config = {.ca_file = str_of(peer_ca_file(peer))};
    struct http_reply reply;
    struct transfer *t;
    struct err err;

    ck_assert_int_eq(transfer_open(&config, &t, NULL), ERR_NONE);
    ck_assert_int_eq(post(t, peer_url(peer), true, LONG_MS, &reply, &err), TRANSFER_NOT_SENT);
    ck_assert(str_contains(str_of(err.text), STR("not public")));
    ck_assert_uint_eq(peer_connections(peer), 0);
    ck_assert_int_eq(post(t, "http://localhost/", true, LONG_MS, &reply, &err), TRANSFER_WRONG);
    transfer_close(t);
    peer_close(peer);
}
END_TEST

START_TEST(only_the_right_certificate_is_good)
{
    struct peer *peer = peer_open(&(struct peer_step){0}, 1, PEER_TLS);
    struct transfer *other = open_to(certificate_make("localhost", 1).file);
    struct transfer *systems = open_to("");
    struct transfer *right = open_to(peer_ca_file(peer));
    struct http_reply reply;
    char url[100];

    ck_assert_int_eq(post(other, peer_url(peer), false, LONG_MS, &reply, NULL), TRANSFER_NOT_SENT);
    ck_assert_int_eq(post(systems, peer_url(peer), false, LONG_MS, &reply, NULL),
                     TRANSFER_NOT_SENT);
    /* it says localhost and 127.0.0.1, not this */
    snprintf(url, sizeof url, "https://127.0.0.2:%d/", peer_port(peer));
    ck_assert_int_eq(post(right, url, false, LONG_MS, &reply, NULL), TRANSFER_NOT_SENT);
    ck_assert_uint_eq(peer_count(peer), 0);
    transfer_close(other);
    transfer_close(systems);
    transfer_close(right);
    peer_close(peer);
}
END_TEST

/* A kept connection that dies under a request: the server may have acted on the request, so only
 * one that may be repeated goes again by itself. */
START_TEST(nothing_is_sent_twice_unless_it_may_be)
{
    static const struct peer_step steps[] = {{0}, {.act = PEER_CLOSE}, {.status = 202}};
    struct peer *peer = peer_open(steps, 3, PEER_TLS);
    struct transfer *t = open_to(peer_ca_file(peer));
    struct http_reply reply;

    ck_assert_int_eq(post(t, peer_url(peer), true, LONG_MS, &reply, NULL), TRANSFER_ANSWERED);
    ck_assert_int_eq(post(t, peer_url(peer), true, LONG_MS, &reply, NULL), TRANSFER_ANSWERED);
    ck_assert_int_eq(reply.status, 202);
    ck_assert_uint_eq(peer_count(peer), 3);
    ck_assert_uint_eq(peer_connections(peer), 2);
    peer_close(peer);
    peer = peer_open(steps, 3, PEER_PLAIN);
    ck_assert_int_eq(post(t, peer_url(peer), false, LONG_MS, &reply, NULL), TRANSFER_ANSWERED);
    ck_assert_int_eq(post(t, peer_url(peer), false, LONG_MS, &reply, NULL), TRANSFER_IN_DOUBT);
    ck_assert_uint_eq(peer_count(peer), 2);
    peer_close(peer);
    transfer_close(t);
}
END_TEST

START_TEST(what_can_be_no_request_is_wrong)
{
    static const char *const urls[] = {
        "",          "ftp://example.org/",    "file:///etc/passwd",
        "https://",  "https://exa mple.org/", "https://example.org/\r\nX: y",
        "gopher://x"};
    const struct http_header split = {"X-Name", STR("a\r\nX-More: b")};
    const struct http_ask ask = {
        .method = "GET", .url = STR("http://127.0.0.1:1/"), .headers = &split, .header_count = 1};
    struct transfer *t = open_to("");
    struct http_reply reply = {0};
    struct err err;

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        ck_assert_msg(post(t, urls[i], false, SHORT_MS, &reply, &err) == TRANSFER_WRONG, "%s",
                      urls[i]);
    ck_assert_int_eq(http_send(t, &ask, SHORT_MS, &reply, &err), TRANSFER_WRONG);
    ck_assert(str_contains(str_of(err.text), STR("X-Name")));
    transfer_close(t);
}
END_TEST

START_TEST(the_environments_proxy_is_not_asked)
{
    struct peer *proxy = peer_open(&(struct peer_step){0}, 1, PEER_PLAIN);
    struct peer *peer = peer_open(&(struct peer_step){0}, 1, PEER_PLAIN);
    struct transfer *t = open_to("");
    struct http_reply reply;

    setenv("http_proxy", peer_url(proxy), 1);
    setenv("all_proxy", peer_url(proxy), 1);
    ck_assert_int_eq(post(t, peer_url(peer), false, LONG_MS, &reply, NULL), TRANSFER_ANSWERED);
    ck_assert_uint_eq(peer_count(peer), 1);
    ck_assert_uint_eq(peer_count(proxy), 0);
    transfer_close(t);
    peer_close(peer);
    peer_close(proxy);
}
END_TEST

START_TEST(a_missing_ca_file_is_found_when_opening)
{
    const struct transfer_config config = {.ca_file = STR("/nowhere/ca.pem")};
    struct transfer *t;

    ck_assert_int_eq(transfer_open(&config, &t, NULL), ERR_CONFIG);
    ck_assert_ptr_null(t);
    transfer_close(NULL);
}
END_TEST

SUITE_MAIN("http", a_request_arrives_as_it_was_asked_for, each_status_is_an_answer,
           retry_after_is_read_as_seconds_and_as_a_date,
           what_surely_did_not_arrive_is_told_from_what_may_have, nobody_at_the_port_is_not_sent,
           a_status_is_an_answer_even_when_the_body_is_not_all_there, time_for_all_is_kept,
           a_redirect_is_not_followed, a_name_that_leads_inside_is_refused_before_anything_is_sent,
           only_the_right_certificate_is_good, nothing_is_sent_twice_unless_it_may_be,
           what_can_be_no_request_is_wrong, the_environments_proxy_is_not_asked,
           a_missing_ca_file_is_found_when_opening)
