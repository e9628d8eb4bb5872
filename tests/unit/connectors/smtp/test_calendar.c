#include "connectors/smtp/calendar.h"

#include "tests/support/suite.h"

static struct task_appointment meeting(void)
{
    return (struct task_appointment){.start_ms = INT64_C(1773133200000), /* 2026-03-10T09:00:00Z */
                                     .end_ms = INT64_C(1773133200000) + 45 * 60 * 1000,
                                     .title = STR("Brakes"),
                                     .place = STR("Garage 1")};
}

static struct calendar invitation(const struct task_appointment *appointment)
{
    return (struct calendar){.appointment = appointment,
                             .uid = STR("0011aa@example.org"),
                             .from_name = STR("Example Garage"),
                             .from = STR("service@example.org"),
                             .to = STR("anna@example.net"),
                             .at_ms = INT64_C(1772438400000)};
}

static const char *written(const struct calendar *c, struct buf *out)
{
    buf_clear(out);
    calendar_put(out, c);
    return buf_text(out);
}

#define PEOPLE                                                                                     \
    "ORGANIZER;CN=\"Example Garage\":mailto:service@example.org\r\n"                               \
    "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:anna@e\r\n"              \
    " xample.net\r\n"

START_TEST(an_invitation_reads_as_it_should)
{
    const struct task_appointment appointment = meeting();
    const struct calendar c = invitation(&appointment);
    struct buf out = {0};

    ck_assert_str_eq(written(&c, &out),
                     "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//attent//attent//EN\r\n"
                     "METHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:0011aa@example.org\r\nSEQUENCE:0\r\n"
                     "DTSTAMP:20260302T080000Z\r\nDTSTART:20260310T090000Z\r\n"
                     "DTEND:20260310T094500Z\r\nSUMMARY:Brakes\r\nLOCATION:Garage 1\r\n" PEOPLE
                     "STATUS:CONFIRMED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
    buf_free(&out);
}
END_TEST

START_TEST(its_withdrawal_has_the_same_uid_and_a_higher_sequence)
{
    const struct task_appointment appointment = meeting();
    struct calendar c = invitation(&appointment);
    struct buf out = {0};

    c.cancel = true;
    written(&c, &out);
    ck_assert(str_contains(buf_str(&out), STR("METHOD:CANCEL\r\n")));
    ck_assert(str_contains(buf_str(&out), STR("UID:0011aa@example.org\r\nSEQUENCE:1\r\n")));
    ck_assert(str_contains(buf_str(&out), STR(PEOPLE "STATUS:CANCELLED\r\n")));
    buf_free(&out);
}
END_TEST

START_TEST(no_text_can_add_a_line)
{
    struct task_appointment appointment = meeting();
    struct calendar c = invitation(&appointment);
    struct buf out = {0};

    appointment.title = STR("Brakes, tyres; and\\or\r\nATTENDEE:mailto:x@example.net");
    appointment.place = STR("Garage\x01\x7f");
    c.from_name = STR("Ann \"A\"\r\nX-EVIL:yes");
    written(&c, &out);
    ck_assert(str_contains(
        buf_str(&out),
        STR("SUMMARY:Brakes\\, tyres\\; and\\\\or\\nATTENDEE:mailto:x@example.net\r\n")));
    ck_assert(str_contains(buf_str(&out), STR("LOCATION:Garage  \r\n")));
    ck_assert(str_contains(buf_str(&out), STR("ORGANIZER;CN=\"Ann  A   X-EVIL:yes\":mailto:")));
    ck_assert(!str_contains(buf_str(&out), STR("\nX-EVIL")));
    buf_free(&out);
}
END_TEST

START_TEST(an_address_is_written_as_a_uri)
{
    const struct task_appointment appointment = meeting();
    struct calendar c = invitation(&appointment);
    struct buf out = {0};

    c.to = STR("a+b%c@x.nl");
    written(&c, &out);
    ck_assert(str_contains(buf_str(&out), STR("RSVP=TRUE:mailto:a%2Bb%\r\n 25c@x.nl\r\n")));
    buf_free(&out);
}
END_TEST

START_TEST(long_lines_are_folded_between_characters)
{
    struct task_appointment appointment = meeting();
    struct calendar c = invitation(&appointment);
    struct buf out = {0}, title = {0}, unfolded = {0};
    struct str rest, line;

    for (int i = 0; i < 100; i++)
        buf_put_text(&title, "\xe2\x82\xac");
    appointment.title = buf_str(&title);
    written(&c, &out);
    rest = buf_str(&out);
    while (str_cut(rest, '\n', &line, &rest)) {
        ck_assert_uint_le(line.len, 76); /* 75 and \r */
        ck_assert(str_is_utf8(line));
        if (!str_starts(line, STR(" ")))
            buf_put_char(&unfolded, '\n');
        buf_put(&unfolded, str_slice(line, str_starts(line, STR(" ")) ? 1 : 0, line.len - 1));
    }
    ck_assert(str_contains(buf_str(&unfolded), buf_str(&title)));
    buf_free(&out);
    buf_free(&title);
    buf_free(&unfolded);
}
END_TEST

SUITE_MAIN("calendar", an_invitation_reads_as_it_should,
           its_withdrawal_has_the_same_uid_and_a_higher_sequence, no_text_can_add_a_line,
           an_address_is_written_as_a_uri, long_lines_are_folded_between_characters)
