/* tests/integration/test_mail.c - the channel smtp against a real mail server with TLS. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/smtp/smtp.h"
#include "connectors/unsubscribe/token.h"
#include "tests/support/certificate.h"
#include "tests/support/process.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { START_MS = 20000, LONG_MS = 20000, SHORT_MS = 1500 };
#define UNSUBSCRIBE_KEY "0123456789abcdef0123456789abcdef"

static struct process *server;
static struct arena *arena;
static struct connector *connector;
static const char *folder, *ca_file;
static int port;

static void start_server(const char *mode)
{
    struct certificate certificate = certificate_make("localhost", 1);
    static char number[16];

    folder = scratch_dir();
    port = scratch_free_port();
    ca_file = certificate.file;
    snprintf(number, sizeof number, "%d", port);
    server = process_start((const char *const[]){"/usr/bin/python3", "tests/support/mail_server.py",
                                                 number, certificate.file, certificate.key_file,
                                                 folder, mode, NULL},
                           NULL);
    ck_assert_msg(process_wait_output(server, "ready", START_MS), "%s", process_stderr(server));
}

static void open_channel_with(const char *unsubscribe, const char *more)
{
    struct diags diags = {0};
    const struct conf *conf;
    struct buf yaml = {0};
    struct err err;

    arena = arena_new(0);
    buf_put_format(&yaml,
                   "host: localhost\nport: %d\nfrom: service@example.org\nfrom_name: Zoë at "
                   "Example\nprivate_network: true\nca_file: %s\n%s%s",
                   port, ca_file, unsubscribe, more);
    conf = conf_read(smtp_class.fields, buf_str(&yaml), "test.yaml", NULL, 0, arena, &diags);
    ck_assert_msg(conf != NULL, "%s", diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    buf_free(&yaml);
    ck_assert_msg(smtp_class.open(conf, &connector, &err) == ERR_NONE, "%s", err.text);
}

static void open_channel(const char *more)
{
    open_channel_with("unsubscribe.url: https://example.org/unsubscribe\n"
                      "unsubscribe.key: \"${NONE:" UNSUBSCRIBE_KEY "}\"\n",
                      more);
}

static void open_all(const char *mode)
{
    static const char *const log_in = "user: attent\npassword: \"${NONE:swordfish}\"\n";
    char more[200];

    start_server(mode);
    snprintf(more, sizeof more, "tls: %s\n%s", strcmp(mode, "plain") == 0 ? "none" : mode,
             strcmp(mode, "plain") == 0 ? "" : log_in);
    open_channel(more);
}

static void close_channel(void)
{
    smtp_class.close(connector);
    arena_free(arena);
}

static void close_all(void)
{
    close_channel();
    process_free(server);
}

static struct task mail_task(const char *address)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");

    task.channel = STR("email");
    task.address = str_of(address);
    task.subject = STR("Zit uw nieuwe auto al goed verzekerd? \xe2\x82\xac 25 korting");
    task.text = STR("Beste Zo\xc3\xab,\n.\nUw auto is zwaarder.\n");
    task.html = STR("<p>Beste Zo\xc3\xab</p>");
    task.language = STR("nl");
    return task;
}

static enum delivery deliver(const struct task *task, int timeout_ms, struct err *err)
{
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = timeout_ms, .now_ms = SAMPLE_CREATED_MS};
    struct receipt receipt = {0};

    *err = (struct err){0};
    return smtp_class.deliver(connector, &sending, &receipt, err);
}

static enum delivery deliver_to(const char *address, int timeout_ms)
{
    struct task task = mail_task(address);
    enum delivery result;
    struct err err;

    result = deliver(&task, timeout_ms, &err);
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err.code == ERR_NONE), "%s", err.text);
    ck_assert(!str_contains(str_of(err.text), str_of(address)));
    ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    return result;
}

/* Python's own parser of mails reads it: one line, or what it found wrong. */
static const char *parsed(int number, const char *expression)
{
    char name[32], script[600], *out;

    snprintf(name, sizeof name, "%d.eml", number);
    snprintf(script, sizeof script,
             "import email, email.policy, sys\n"
             "data = open(sys.argv[1], 'rb').read()\n"
             "mail, rcpt, rest = data.split(b'\\r\\n', 2)\n"
             "m = email.message_from_bytes(rest, policy=email.policy.default)\n"
             "print(%s, end='')",
             expression);
    ck_assert_int_eq(process_run((const char *const[]){"/usr/bin/python3", "-c", script,
                                                       scratch_path(folder, name), NULL},
                                 LONG_MS, &out),
                     0);
    return out;
}

static void expect_parsed(int number, const char *expression, const char *expected)
{
    char *got = (char *)parsed(number, expression);

    ck_assert_str_eq(got, expected);
    free(got);
}

static void expect_mail(void)
{
    struct unsubscribe u;
    struct buf bytes = {0};
    char *token;

    expect_parsed(0, "mail.decode().split()[1]", "service@example.org");
    expect_parsed(0, "rcpt.decode()", "RCPT anna@example.net");
    expect_parsed(0, "m['Subject']",
                  "Zit uw nieuwe auto al goed verzekerd? \xe2\x82\xac 25 korting");
    expect_parsed(0, "m['From']", "Zo\xc3\xab at Example <service@example.org>");
    expect_parsed(0, "m['To']", "anna@example.net");
    expect_parsed(0, "m['Message-ID']", "<00112233445566778899aabbccddeeff@example.org>");
    expect_parsed(0, "m['Date'].datetime.isoformat()", "2026-03-02T08:00:00+00:00");
    expect_parsed(0, "m['Content-Language']", "nl");
    expect_parsed(0, "m['List-Unsubscribe-Post']", "List-Unsubscribe=One-Click");
    expect_parsed(0, "m.get_content_type()", "multipart/alternative");
    expect_parsed(0, "m.get_body(('plain',)).get_content().replace('\\r', '')",
                  "Beste Zo\xc3\xab,\n.\nUw auto is zwaarder.\n");
    expect_parsed(0, "m.get_body(('html',)).get_content().strip()", "<p>Beste Zo\xc3\xab</p>");
    expect_parsed(0, "m.defects, [p.defects for p in m.walk()]", "[] [[], [], []]");
    expect_parsed(0, "max(len(line) for line in rest.split(b'\\r\\n')) <= 998", "True");
    token = (char *)parsed(0, "m['List-Unsubscribe'].split('token=')[1].rstrip('>')");
    ck_assert(
        unsubscribe_read_token(str_of(token), STR(UNSUBSCRIBE_KEY), SAMPLE_CREATED_MS, &bytes, &u));
    ck_assert(str_is(u.customer, "C-1"));
    ck_assert(str_is(u.channel, "email"));
    free(token);
    buf_free(&bytes);
}

START_TEST(a_mail_arrives_over_starttls_as_it_was_written)
{
    open_all("starttls");
    ck_assert_int_eq(deliver_to("anna@example.net", LONG_MS), DELIVERY_ACCEPTED);
    expect_mail();
    close_all();
}
END_TEST

START_TEST(a_mail_arrives_over_tls_from_the_first_byte)
{
    open_all("tls");
    ck_assert_int_eq(deliver_to("anna@example.net", LONG_MS), DELIVERY_ACCEPTED);
    expect_mail();
    close_all();
}
END_TEST

/* --- appointments --------------------------------------------------------------------------------- */

static struct task meeting_task(void)
{
    struct task task = mail_task("anna@example.net");

    task.appointment = (struct task_appointment){.start_ms = SAMPLE_CREATED_MS + 3600000,
                                                 .end_ms = SAMPLE_CREATED_MS + 5400000,
                                                 .title = STR("Remblokken; \xe2\x82\xac 25"),
                                                 .place = STR("Garage Zo\xc3\xab, Kade 1")};
    return task;
}

/* What the calendar of a mail says of a property. */
static void expect_calendar(int number, const char *property, const char *expected)
{
    char expression[400];

    snprintf(expression, sizeof expression,
             "[line.partition(':')[2] for line in [p for p in m.walk() if p.get_content_type() == "
             "'text/calendar'][0].get_content().replace('\\r', '').replace('\\n ', '')"
             ".split('\\n') if line.split(':')[0].split(';')[0] == '%s'][0]",
             property);
    expect_parsed(number, expression, expected);
}

START_TEST(an_invitation_arrives_with_the_mail_and_its_cancellation_after_it)
{
    struct task task = meeting_task();
    struct withdrawal withdrawal = sample_withdrawal("00112233445566778899aabbccddeeff");
    const struct sending sending = {
        .task = &task, .attempt = 1, .timeout_ms = LONG_MS, .now_ms = SAMPLE_CREATED_MS};
    struct receipt receipt = {0};
    struct err err = {0};

    open_all("starttls");
    ck_assert(smtp_class.recallable(&task));
    ck_assert_int_eq(deliver(&task, LONG_MS, &err), DELIVERY_ACCEPTED);
    expect_parsed(0, "[p.get_content_type() for p in m.walk()]",
                  "['multipart/alternative', 'text/plain', 'text/html', 'text/calendar']");
    expect_parsed(0, "[p for p in m.walk()][3].get_param('method')", "REQUEST");
    expect_parsed(0, "m.defects, [p.defects for p in m.walk()]", "[] [[], [], [], []]");
    expect_calendar(0, "METHOD", "REQUEST");
    expect_calendar(0, "UID", "00112233445566778899aabbccddeeff@example.org");
    expect_calendar(0, "DTSTART", "20260302T090000Z");
    expect_calendar(0, "SUMMARY", "Remblokken\\; \xe2\x82\xac 25");
    expect_calendar(0, "LOCATION", "Garage Zo\xc3\xab\\, Kade 1");
    expect_calendar(0, "ATTENDEE", "mailto:anna@example.net");
    ck_assert_int_eq(smtp_class.withdraw(connector, &sending, &withdrawal, &receipt, &err),
                     DELIVERY_ACCEPTED);
    expect_parsed(1, "m['Subject']",
                  "Geannuleerd: Zit uw nieuwe auto al goed verzekerd? \xe2\x82\xac 25 korting");
    expect_parsed(1, "m['Message-ID']", "<00112233445566778899aabbccddeeff-withdrawn@example.org>");
    expect_parsed(1, "[p for p in m.walk()][2].get_param('method')", "CANCEL");
    expect_calendar(1, "METHOD", "CANCEL");
    expect_calendar(1, "UID", "00112233445566778899aabbccddeeff@example.org");
    expect_calendar(1, "SEQUENCE", "1");
    expect_calendar(1, "STATUS", "CANCELLED");
    close_all();
}
END_TEST

START_TEST(a_mail_without_an_appointment_cannot_be_taken_back)
{
    struct task task = mail_task("anna@example.net");

    ck_assert(!smtp_class.recallable(&task));
}
END_TEST

START_TEST(what_the_server_says_no_to_is_refused_or_tried_again)
{
    open_all("starttls");
    ck_assert_int_eq(deliver_to("refuse-rcpt@example.net", LONG_MS), DELIVERY_REFUSED);
    ck_assert_int_eq(deliver_to("later-rcpt@example.net", LONG_MS), DELIVERY_RETRY);
    ck_assert_int_eq(deliver_to("refuse-data@example.net", LONG_MS), DELIVERY_REFUSED);
    ck_assert_int_eq(deliver_to("later-data@example.net", LONG_MS), DELIVERY_RETRY);
    ck_assert_int_eq(deliver_to("anna@example.net", LONG_MS), DELIVERY_ACCEPTED);
    ck_assert_int_eq(scratch_count_files(folder), 1);
    close_all();
}
END_TEST

START_TEST(what_surely_was_not_sent_is_told_from_what_may_have_been)
{
    open_all("starttls");
    ck_assert_int_eq(deliver_to("close-rcpt@example.net", LONG_MS), DELIVERY_DOWN);
    ck_assert_int_eq(scratch_count_files(folder), 0);
    ck_assert_int_eq(deliver_to("close-data@example.net", LONG_MS), DELIVERY_UNKNOWN);
    ck_assert_int_eq(deliver_to("silent@example.net", SHORT_MS), DELIVERY_UNKNOWN);
    ck_assert_int_eq(scratch_count_files(folder), 2); /* as they did arrive */
    process_kill(server, SIGKILL);
    process_wait(server, LONG_MS);
    ck_assert_int_eq(deliver_to("anna@example.net", LONG_MS), DELIVERY_DOWN);
    close_all();
}
END_TEST

START_TEST(a_wrong_password_is_the_channels_fault)
{
    start_server("starttls");
    open_channel("user: attent\npassword: \"${NONE:herring}\"\n");
    ck_assert_int_eq(deliver_to("anna@example.net", LONG_MS), DELIVERY_DOWN);
    ck_assert_int_eq(scratch_count_files(folder), 0);
    close_all();
}
END_TEST

START_TEST(a_server_without_tls_gets_nothing)
{
    start_server("plain");
    open_channel("user: attent\npassword: \"${NONE:swordfish}\"\n");
    ck_assert_int_eq(deliver_to("anna@example.net", LONG_MS), DELIVERY_DOWN);
    ck_assert_int_eq(scratch_count_files(folder), 0);
    close_all();
}
END_TEST

START_TEST(an_address_that_is_not_ascii_needs_a_server_for_it)
{
    open_all("starttls");
    ck_assert_int_eq(deliver_to("zo\xc3\xab@example.net", LONG_MS), DELIVERY_ACCEPTED);
    expect_parsed(0, "'SMTPUTF8' in mail.decode(), rcpt.decode()",
                  "True RCPT zo\xc3\xab@example.net");
    close_all();
    open_all("plain");
    ck_assert_int_eq(deliver_to("zo\xc3\xab@example.net", LONG_MS), DELIVERY_REFUSED);
    ck_assert_int_eq(scratch_count_files(folder), 0);
    /* a domain is not one of these: any server takes it in ASCII */
    ck_assert_int_eq(deliver_to("anna@ex\xc3\xa4mple.net", LONG_MS), DELIVERY_ACCEPTED);
    expect_parsed(0, "rcpt.decode(), m['To']",
                  "RCPT anna@xn--exmple-cua.net anna@xn--exmple-cua.net");
    close_all();
}
END_TEST

START_TEST(without_an_address_of_its_own_the_receivers_is_in_the_mail)
{
    struct task task = mail_task("anna@example.net");
    struct sending sending = {.task = &task,
                              .attempt = 1,
                              .timeout_ms = LONG_MS,
                              .now_ms = SAMPLE_CREATED_MS,
                              .unsubscribe_url = STR("https://a.example.org/unsubscribe/T0-k_")};
    struct receipt receipt = {0};
    struct err err;

    start_server("plain");
    open_channel_with("", "tls: none\n");
    ck_assert_int_eq(smtp_class.deliver(connector, &sending, &receipt, &err), DELIVERY_ACCEPTED);
    expect_parsed(0, "m['List-Unsubscribe'].strip()", "<https://a.example.org/unsubscribe/T0-k_>");
    expect_parsed(0, "m['List-Unsubscribe-Post']", "List-Unsubscribe=One-Click");
    sending.unsubscribe_url = STR_EMPTY; /* nobody listens: no header */
    ck_assert_int_eq(smtp_class.deliver(connector, &sending, &receipt, &err), DELIVERY_ACCEPTED);
    expect_parsed(1, "m['List-Unsubscribe'], m['List-Unsubscribe-Post']", "None None");
    close_all();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_mail_arrives_over_starttls_as_it_was_written,
                                  a_mail_arrives_over_tls_from_the_first_byte,
                                  an_invitation_arrives_with_the_mail_and_its_cancellation_after_it,
                                  a_mail_without_an_appointment_cannot_be_taken_back,
                                  what_the_server_says_no_to_is_refused_or_tried_again,
                                  what_surely_was_not_sent_is_told_from_what_may_have_been,
                                  a_wrong_password_is_the_channels_fault,
                                  a_server_without_tls_gets_nothing,
                                  an_address_that_is_not_ascii_needs_a_server_for_it,
                                  without_an_address_of_its_own_the_receivers_is_in_the_mail};

    return suite_run_with("mail", tests, sizeof tests / sizeof tests[0], 120, NULL, NULL);
}
