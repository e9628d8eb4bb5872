/* tests/integration/test_web.c - the channel webhook against a real web server with TLS: nginx. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/webhook/signature.h"
#include "connectors/webhook/webhook.h"
#include "tests/support/certificate.h"
#include "tests/support/process.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum { START_MS = 20000, LONG_MS = 20000, SHORT_MS = 1000, STEP_MS = 20 };
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct process *server;
static struct arena *arena;
static struct connector *connector;
static const char *log_file, *ca_file;
static int port;

/* What it is told.  A request is logged with what is signed; its body is read because it is passed
 * on, to a second server without TLS that answers. */
static const char configuration[] =
    "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr info;\n"
    "events {}\n"
    "http {\n"
    "  access_log off;\n"
    "  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n"
    "  uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n"
    "  log_format signed escape=none '$request_method $status $ssl_protocol $http_webhook_id "
    "$http_webhook_timestamp $http_webhook_signature $request_body';\n"
    "  client_body_in_single_buffer on; client_body_buffer_size 64k;\n"
    "  server { listen 127.0.0.1:BEHIND; return 204; }\n"
    "  server {\n"
    "    listen 127.0.0.1:PORT ssl; ssl_certificate CERTIFICATE; ssl_certificate_key KEY;\n"
    "    ssl_protocols PROTOCOLS; ssl_ciphers ALL:@SECLEVEL=0; keepalive_timeout 1s;\n"
    "    client_max_body_size 8k;\n"
    "    location /in { access_log LOG signed; proxy_pass http://127.0.0.1:BEHIND; }\n"
    "    location /away { proxy_pass http://127.0.0.1:NOBODY; }\n"
    "    location /gone { return 410; }\n"
    "    location /moved { return 301 https://localhost:PORT/in; }\n"
    "    location /later { add_header Retry-After 7 always; return 429; }\n"
    "    location /closes { return 444; }\n"
    "  }\n"
    "}\n";

static void put_number(struct str *text, const char *mark, int number)
{
    while (str_contains(*text, str_of(mark)))
        *text = arena_replace(arena, *text, str_of(mark), arena_format(arena, "%d", number));
}

static void start_server(const char *protocols, const char *host)
{
    struct certificate certificate = certificate_make(host, 1);
    const char *folder = scratch_dir(), *file;
    struct str text = str_of(configuration);

    arena = arena_new(0);
    port = scratch_free_port();
    ca_file = certificate.file;
    log_file = scratch_path(folder, "requests.log");
    put_number(&text, "PORT", port);
    put_number(&text, "BEHIND", scratch_free_port());
    put_number(&text, "NOBODY", scratch_free_port());
    text = arena_replace(arena, text, STR("CERTIFICATE"), str_of(certificate.file));
    text = arena_replace(arena, text, STR("KEY"), str_of(certificate.key_file));
    text = arena_replace(arena, text, STR("PROTOCOLS"), str_of(protocols));
    text = arena_replace(arena, text, STR("LOG"), str_of(log_file));
    file = scratch_write(folder, "nginx.conf", text.data);
    server = process_start(
        (const char *const[]){"/usr/sbin/nginx", "-p", folder, "-e", "stderr", "-c", file, NULL},
        NULL);
    ck_assert_msg(process_wait_output(server, "epoll", START_MS), "%s", process_stderr(server));
}

static void open_channel(const char *path, const char *more)
{
    struct diags diags = {0};
    struct str yaml =
        arena_format(arena,
                     "url: \"${NONE:https://localhost:%d%s}\"\nsecrets: \"${NONE:" SECRET "}\"\n"
                     "private_network: true\n%s",
                     port, path, more);
    const struct conf *conf =
        conf_read(webhook_class.fields, yaml, "test.yaml", NULL, 0, arena, &diags);
    struct err err;

    ck_assert_msg(conf != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    ck_assert_msg(webhook_class.open(conf, &connector, &err) == ERR_NONE, "%s", err.text);
}

static enum delivery deliver(const struct task *task, struct receipt *receipt, struct err *err)
{
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = LONG_MS, .now_ms = SAMPLE_CREATED_MS};

    *receipt = (struct receipt){0};
    *err = (struct err){0};
    return webhook_class.deliver(connector, &sending, receipt, err);
}

/* One task to this path. */
static enum delivery deliver_to(const char *path, struct receipt *receipt)
{
    struct str more = arena_format(arena, "ca_file: %s\n", ca_file);
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    enum delivery result;
    struct err err;

    open_channel(path, more.data);
    result = deliver(&task, receipt, &err);
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err.code == ERR_NONE), "%s", err.text);
    webhook_class.close(connector);
    return result;
}

static void stop_server(void)
{
    process_kill(server, SIGKILL);
    process_wait(server, LONG_MS);
    process_free(server);
    arena_free(arena);
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;

    for (const char *at = text; at != NULL && (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return lines;
}

/* The log once it has so many lines: nginx writes a line when the answer is out. */
static char *wait_for_log(size_t lines)
{
    char *text = NULL;

    for (int i = 0; i < LONG_MS / STEP_MS && (text == NULL || lines_of(text) < lines); i++) {
        free(text);
        wait_pause_ms(STEP_MS);
        text = scratch_read(log_file, NULL);
    }
    ck_assert_uint_eq(lines_of(text), lines);
    return text;
}

/* "POST 204 TLSv1.3 ID SECONDS v1,SIGNATURE BODY" */
static void expect_logged(struct str line, const char *protocol)
{
    struct str words[6], rest = line, fits;
    struct webhook_keys keys;
    struct buf expected = {0};

    for (size_t i = 0; i < 6; i++)
        ck_assert(str_cut(rest, ' ', &words[i], &rest));
    ck_assert(str_is(words[0], "POST"));
    ck_assert(str_is(words[1], "204"));
    ck_assert(str_is(words[2], protocol));
    ck_assert(str_is(words[3], "00112233445566778899aabbccddeeff"));
    ck_assert_int_eq(webhook_keys_read(STR(SECRET), &keys, NULL), ERR_NONE);
    webhook_sign(&keys, words[3], SAMPLE_CREATED_MS / 1000, rest, &expected);
    fits = buf_str(&expected);
    ck_assert(str_equal(words[5], fits));
    webhook_keys_free(&keys);
    buf_free(&expected);
}

START_TEST(a_task_arrives_over_tls_signed_and_whole)
{
    struct receipt receipt;
    struct str line, rest;
    char *text;

    start_server("TLSv1.2 TLSv1.3", "localhost");
    ck_assert_int_eq(deliver_to("/in", &receipt), DELIVERY_ACCEPTED);
    text = wait_for_log(1);
    ck_assert(str_cut(str_of(text), '\n', &line, &rest));
    expect_logged(line, "TLSv1.3");
    free(text);
    stop_server();
}
END_TEST

START_TEST(tls_1_2_will_do_and_nothing_older)
{
    struct receipt receipt;
    struct str line, rest;
    char *text;

    start_server("TLSv1.2", "localhost");
    ck_assert_int_eq(deliver_to("/in", &receipt), DELIVERY_ACCEPTED);
    text = wait_for_log(1);
    ck_assert(str_cut(str_of(text), '\n', &line, &rest));
    expect_logged(line, "TLSv1.2");
    free(text);
    stop_server();
    start_server("TLSv1.1", "localhost");
    ck_assert_int_eq(deliver_to("/in", &receipt), DELIVERY_DOWN);
    stop_server();
}
END_TEST

START_TEST(a_certificate_that_is_not_right_gets_nothing)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct receipt receipt;
    struct err err;

    start_server("TLSv1.2 TLSv1.3", "localhost");
    open_channel("/in", ""); /* the system's authorities do not know it */
    ck_assert_int_eq(deliver(&task, &receipt, &err), DELIVERY_DOWN);
    webhook_class.close(connector);
    ck_assert_ptr_null(strstr(process_stderr(server), "POST"));
    stop_server();
    start_server("TLSv1.2 TLSv1.3", "elsewhere.example");
    ck_assert_int_eq(deliver_to("/in", &receipt), DELIVERY_DOWN);
    ck_assert_ptr_null(strstr(process_stderr(server), "POST"));
    stop_server();
}
END_TEST

/* The server closes a connection that is idle for a second: the next task goes over a new one. */
START_TEST(a_kept_connection_that_was_closed_is_opened_again)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct receipt receipt;
    struct str more;
    struct err err;

    start_server("TLSv1.2 TLSv1.3", "localhost");
    more = arena_format(arena, "ca_file: %s\n", ca_file);
    open_channel("/in", more.data);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(deliver(&task, &receipt, &err), DELIVERY_ACCEPTED);
        wait_pause_ms(i == 0 ? 0 : SHORT_MS + 500);
    }
    webhook_class.close(connector);
    free(wait_for_log(3));
    stop_server();
}
END_TEST

START_TEST(what_it_answers_is_what_it_means)
{
    struct receipt receipt;

    start_server("TLSv1.2 TLSv1.3", "localhost");
    ck_assert_int_eq(deliver_to("/gone", &receipt), DELIVERY_REFUSED);
    ck_assert(receipt.gone);
    ck_assert_int_eq(deliver_to("/moved", &receipt), DELIVERY_DOWN);
    ck_assert_int_eq(deliver_to("/later", &receipt), DELIVERY_RETRY);
    ck_assert_int_eq(receipt.retry_after_ms, 7000);
    ck_assert_int_eq(deliver_to("/away", &receipt), DELIVERY_UNKNOWN); /* 502 */
    ck_assert_int_eq(deliver_to("/closes", &receipt), DELIVERY_UNKNOWN);
    ck_assert_int_eq(deliver_to("/nothing", &receipt), DELIVERY_DOWN); /* 404 */
    free(wait_for_log(0)); /* no redirect was followed */
    stop_server();
}
END_TEST

START_TEST(a_body_that_is_too_large_for_it_is_tried_again)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct buf text = {0};
    struct receipt receipt;
    struct str more;
    struct err err;

    start_server("TLSv1.2 TLSv1.3", "localhost");
    memset(buf_extend(&text, 10000), 'x', 10000);
    task.text = buf_str(&text);
    more = arena_format(arena, "ca_file: %s\n", ca_file);
    open_channel("/in", more.data);
    ck_assert_int_eq(deliver(&task, &receipt, &err), DELIVERY_RETRY); /* 413 */
    webhook_class.close(connector);
    buf_free(&text);
    stop_server();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_task_arrives_over_tls_signed_and_whole,
                                  tls_1_2_will_do_and_nothing_older,
                                  a_certificate_that_is_not_right_gets_nothing,
                                  a_kept_connection_that_was_closed_is_opened_again,
                                  what_it_answers_is_what_it_means,
                                  a_body_that_is_too_large_for_it_is_tried_again};

    return suite_run_with("web", tests, sizeof tests / sizeof tests[0], 120, NULL, NULL);
}
