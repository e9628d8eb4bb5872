/* tsan: yes */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/httpd.h"
#include "core/limit.h"
#include "core/mem.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

/* Answers with what it was asked. */
static void echo(void *context, const struct http_request *request, struct http_answer *answer)
{
    int *asked = context;

    ++*asked;
    answer->status = str_is(request->path, "/teapot") ? 418 : 200;
    buf_put_format(&answer->body, "%.*s %.*s %.*s", STR_ARG(request->method),
                   STR_ARG(request->path), STR_ARG(request->body));
}

static struct httpd *open_echo(int *asked)
{
    const struct http_handler handler = {asked, echo};
    struct httpd *httpd;
    struct err err;

    ck_assert_msg(httpd_open("127.0.0.1:0", NULL, &handler, &httpd, &err) == ERR_NONE, "%s",
                  err.text);
    return httpd;
}

static void expect(int port, const char *method, const char *path, const char *body, int status,
                   const char *expected)
{
    char *answer;

    ck_assert_int_eq(http_ask(port, method, path, body, strlen(body), &answer), status);
    ck_assert_str_eq(answer, expected);
    free(answer);
}

START_TEST(a_request_reaches_its_handler_whole)
{
    int asked = 0;
    struct httpd *httpd = open_echo(&asked);

    expect(httpd_port(httpd), "GET", "/a%20b?query=1", "", 200, "GET /a b ");
    expect(httpd_port(httpd), "POST", "/teapot", "tea", 418, "POST /teapot tea");
    ck_assert_int_eq(asked, 2);
    httpd_close(httpd);
}
END_TEST

START_TEST(a_body_beyond_the_limit_is_refused)
{
    int asked = 0;
    struct httpd *httpd = open_echo(&asked);
    char *large = mem_alloc(LIMIT_HTTP_BODY_BYTES + 1);

    ck_assert_int_eq(http_ask(httpd_port(httpd), "POST", "/", large, LIMIT_HTTP_BODY_BYTES, NULL),
                     200);
    ck_assert_int_eq(
        http_ask(httpd_port(httpd), "POST", "/", large, LIMIT_HTTP_BODY_BYTES + 1, NULL), 413);
    ck_assert_int_eq(asked, 1);
    mem_free(large);
    httpd_close(httpd);
}
END_TEST

START_TEST(an_address_that_cannot_be_used_says_which)
{
    const char *const wrong[] = {"9464", "127.0.0.1:", "127.0.0.1:x", "no such host:1", ""};
    int asked = 0;
    const struct http_handler handler = {&asked, echo};
    struct httpd *httpd;
    struct err err;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_int_eq(httpd_open(wrong[i], NULL, &handler, &httpd, &err), ERR_CONFIG);
        ck_assert_ptr_null(httpd);
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i]));
    }
}
END_TEST

START_TEST(a_port_that_is_taken_is_an_error)
{
    int asked = 0;
    const struct http_handler handler = {&asked, echo};
    struct httpd *first = open_echo(&asked), *second;
    char address[32];
    struct err err;

    snprintf(address, sizeof address, "127.0.0.1:%d", httpd_port(first));
    ck_assert_int_eq(httpd_open(address, NULL, &handler, &second, &err), ERR_IO);
    ck_assert_ptr_null(second);
    httpd_close(first);
    httpd_close(NULL);
}
END_TEST

/* Send a byte of a request every 20 ms; how long did that go well? */
static int64_t drip(int port, const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int64_t from_ms = wait_now_ms();
    char byte;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    while (send(fd, text, 1, MSG_NOSIGNAL) == 1 && wait_now_ms() < from_ms + 20000) {
        text += text[1] != '\0';
        wait_pause_ms(20);
        if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0)
            break;
    }
    close(fd);
    return wait_now_ms() - from_ms;
}

START_TEST(who_drips_is_shown_the_door)
{
    static const char *const slow[] = {"GET /aaaaaaa", "GET / HTTP/1.1\r\nA: bbbbbb",
                                       "POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\nx"};
    const struct httpd_options options = {.whole_ms = 500};
    int asked = 0;
    const struct http_handler handler = {&asked, echo};
    struct httpd *httpd;

    ck_assert_int_eq(httpd_open("127.0.0.1:0", &options, &handler, &httpd, NULL), ERR_NONE);
    for (size_t i = 0; i < 3; i++) {
        int64_t ms = drip(httpd_port(httpd), slow[i]);
        ck_assert_msg(ms >= 400 && ms < 10000, "%zu: %d ms", i, (int)ms);
    }
    expect(httpd_port(httpd), "GET", "/", "", 200, "GET / ");
    httpd_close(httpd);
}
END_TEST

static void tell(void *context, const struct http_request *request, struct http_answer *answer)
{
    (void)context;
    buf_put_format(&answer->body, "%.*s", STR_ARG(request->target));
    for (size_t i = 0; i < request->field_count; i++)
        if (str_is(request->fields[i].name, "X-Mine"))
            buf_put_format(&answer->body, " %.*s", STR_ARG(request->fields[i].value));
}

START_TEST(its_target_and_its_headers_come_as_they_were_sent)
{
    const struct httpd_options options = {.threads = 4};
    const struct http_handler handler = {NULL, tell};
    struct httpd *httpd;
    char *answer;

    ck_assert_int_eq(httpd_open("127.0.0.1:0", &options, &handler, &httpd, NULL), ERR_NONE);
    ck_assert_int_eq(http_ask_with(httpd_port(httpd), "GET", "/a%20b?c=%26&d", "X-Mine: yes\r\n",
                                   "", 0, &answer),
                     200);
    ck_assert_str_eq(answer, "/a%20b?c=%26&d yes");
    free(answer);
    httpd_close(httpd);
}
END_TEST

SUITE_MAIN("httpd", a_request_reaches_its_handler_whole, a_body_beyond_the_limit_is_refused,
           an_address_that_cannot_be_used_says_which, a_port_that_is_taken_is_an_error,
           who_drips_is_shown_the_door, its_target_and_its_headers_come_as_they_were_sent)
