#include "connectors/smtp/message.h"

#include "core/base64.h"
#include "tests/support/suite.h"

static struct message sample(void)
{
    return (struct message){.id = STR("0011aa"),
                            .from = STR("service@example.org"),
                            .to = STR("anna@example.net"),
                            .subject = STR("Your new car"),
                            .text = STR("Dear Anna,\nyour car is new.\n"),
                            .at_ms = INT64_C(1772438400000)};
}

static const char *written(const struct message *m, struct buf *out)
{
    buf_clear(out);
    message_put(out, m);
    return buf_text(out);
}

START_TEST(a_plain_mail_reads_as_it_should)
{
    struct message m = sample();
    struct buf out = {0};

    ck_assert_str_eq(written(&m, &out), "Date: Mon, 2 Mar 2026 08:00:00 +0000\r\n"
                                        "From: <service@example.org>\r\n"
                                        "To: <anna@example.net>\r\n"
                                        "Subject: Your new car\r\n"
                                        "Message-ID: <0011aa@example.org>\r\n"
                                        "MIME-Version: 1.0\r\n"
                                        "Auto-Submitted: auto-generated\r\n"
                                        "Content-Type: text/plain; charset=utf-8\r\n"
                                        "Content-Transfer-Encoding: quoted-printable\r\n"
                                        "\r\n"
                                        "Dear Anna,\r\nyour car is new.\r\n\r\n");
    buf_free(&out);
}
END_TEST

START_TEST(no_text_of_a_task_can_add_a_header)
{
    struct message m = sample();
    struct buf out = {0};

    m.subject = STR("Hello\r\nBcc: everybody@example.net\r\n\r\nand a body");
    m.from_name = STR("Ann\nX-Evil: yes");
    written(&m, &out);
    ck_assert(!str_contains(buf_str(&out), STR("\nBcc")));
    ck_assert(!str_contains(buf_str(&out), STR("X-Evil")));
    ck_assert_int_eq(message_address_put(&out, STR("a@b.example\r\nBcc: c@d.example")),
                     MESSAGE_ADDRESS_WRONG);
    buf_free(&out);
}
END_TEST

START_TEST(what_looks_like_an_encoded_word_is_encoded)
{
    struct message m = sample();
    struct buf out = {0};

    m.subject = STR("=?UTF-8?B?SGVsbG8=?=");
    written(&m, &out);
    ck_assert(
        str_contains(buf_str(&out), STR("Subject: =?UTF-8?B?PT9VVEYtOD9CP1NHVnNiRzg9Pz0=?=\r\n")));
    buf_free(&out);
}
END_TEST

/* Each line's length; and no character is cut in two (RFC 2047, 5). */
START_TEST(a_long_subject_is_words_of_whole_characters)
{
    struct message m = sample();
    struct buf out = {0}, subject = {0}, decoded = {0};
    struct str rest, line, word;
    size_t before;

    for (int i = 0; i < 60; i++)
        buf_put_text(&subject, i % 2 ? "\xe2\x82\xac" : "\xc3\xab");
    m.subject = buf_str(&subject);
    written(&m, &out);
    rest = buf_str(&out);
    while (str_cut(rest, '\n', &line, &rest)) {
        ck_assert_uint_le(line.len, 79);
        if (!str_cut(line, '?', &word, &word) || !str_contains(line, STR("UTF-8?B?")))
            continue;
        word = str_slice(word, strlen("UTF-8?B?"), word.len - strlen("?=\r"));
        before = decoded.len;
        ck_assert(base64_read(&decoded, word));
        ck_assert(str_is_utf8(str_slice(buf_str(&decoded), before, decoded.len)));
    }
    ck_assert(str_equal(buf_str(&decoded), buf_str(&subject)));
    buf_free(&out);
    buf_free(&subject);
    buf_free(&decoded);
}
END_TEST

START_TEST(quoted_printable_keeps_every_byte_and_short_lines)
{
    struct message m = sample();
    struct buf out = {0}, text = {0};
    struct str rest, line;

    m.text = STR("From here\n.\nblank at the end \n1 = 1\n");
    written(&m, &out);
    ck_assert(str_contains(buf_str(&out), STR("\r\n=46rom here\r\n=2E\r\nblank at the end=20\r\n"
                                              "1 =3D 1\r\n")));
    for (int i = 0; i < 300; i++)
        buf_put_text(&text, "x=\xc3\xab");
    m.text = buf_str(&text);
    written(&m, &out);
    rest = buf_str(&out);
    while (str_cut(rest, '\n', &line, &rest))
        ck_assert_uint_le(line.len, 77); /* 76 and \r */
    buf_free(&out);
    buf_free(&text);
}
END_TEST

START_TEST(html_makes_it_two_alternatives_the_richer_one_last)
{
    struct message m = sample();
    struct buf out = {0};
    const char *all;

    m.html = STR("<p>Dear Anna</p>");
    all = written(&m, &out);
    ck_assert_ptr_nonnull(strstr(all, "multipart/alternative; boundary=\"=_attent\""));
    ck_assert_ptr_nonnull(strstr(strstr(all, "text/plain"), "text/html"));
    ck_assert_ptr_nonnull(strstr(all, "\r\n--=_attent--\r\n"));
    buf_free(&out);
}
END_TEST

START_TEST(an_address_is_of_one_of_three_kinds)
{
    static const struct {
        const char *text;
        enum message_address kind;
        const char *sent; /* NULL: as it is */
    } cases[] = {
        {"anna@example.net", MESSAGE_ADDRESS_FINE, NULL},
        {"anna.b+c=d@xn--exmple-cua.net", MESSAGE_ADDRESS_FINE, NULL},
        {"zo\xc3\xab@example.net", MESSAGE_ADDRESS_UTF8, NULL},
        {"anna@ex\xc3\xa4mple.net", MESSAGE_ADDRESS_FINE, "anna@xn--exmple-cua.net"},
        {"zo\xc3\xab@Ex\xc3\xa4mple.net", MESSAGE_ADDRESS_UTF8, "zo\xc3\xab@xn--exmple-cua.net"},
        {"anna@\xe2\x86\x92.net", MESSAGE_ADDRESS_WRONG, NULL}, /* an arrow is no letter */
        {"", MESSAGE_ADDRESS_WRONG, NULL},
        {"anna", MESSAGE_ADDRESS_WRONG, NULL},
        {"@example.net", MESSAGE_ADDRESS_WRONG, NULL},
        {"anna@", MESSAGE_ADDRESS_WRONG, NULL},
        {"a@b@c", MESSAGE_ADDRESS_WRONG, NULL},
        {"a b@example.net", MESSAGE_ADDRESS_WRONG, NULL},
        {"<anna@example.net>", MESSAGE_ADDRESS_WRONG, NULL},
        {"\"a b\"@example.net", MESSAGE_ADDRESS_WRONG, NULL},
        {"anna@example.net,bea@example.net", MESSAGE_ADDRESS_WRONG, NULL},
        {".anna@example.net", MESSAGE_ADDRESS_WRONG, NULL},
        {"anna@example..net", MESSAGE_ADDRESS_WRONG, NULL},
        {"anna@[127.0.0.1]", MESSAGE_ADDRESS_WRONG, NULL},
        {"an\xff@example.net", MESSAGE_ADDRESS_WRONG, NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf sent = {0};

        ck_assert_msg(message_address_put(&sent, str_of(cases[i].text)) == cases[i].kind, "%s",
                      cases[i].text);
        ck_assert_str_eq(buf_text(&sent), cases[i].kind == MESSAGE_ADDRESS_WRONG ? ""
                                          : cases[i].sent != NULL                ? cases[i].sent
                                                                                 : cases[i].text);
        buf_free(&sent);
    }
}
END_TEST

SUITE_MAIN("message", a_plain_mail_reads_as_it_should, no_text_of_a_task_can_add_a_header,
           what_looks_like_an_encoded_word_is_encoded, a_long_subject_is_words_of_whole_characters,
           quoted_printable_keeps_every_byte_and_short_lines,
           html_makes_it_two_alternatives_the_richer_one_last, an_address_is_of_one_of_three_kinds)
