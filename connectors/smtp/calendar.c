#include "connectors/smtp/calendar.h"

#include "core/when.h"

enum { LINE_BYTES = 75 };

/* One line, folded: what is too long goes on in the next, behind a blank. */
static void put_line(struct buf *out, struct buf *line)
{
    struct str rest = buf_str(line);
    size_t room = LINE_BYTES;

    while (rest.len > room) {
        struct str head = str_head(rest, room);
        buf_put(out, head);
        buf_put_text(out, "\r\n ");
        rest = str_slice(rest, head.len, rest.len);
        room = LINE_BYTES - 1;
    }
    buf_put(out, rest);
    buf_put_text(out, "\r\n");
    buf_free(line);
}

/* RFC 5545, 3.3.11; control characters become blanks. */
static void put_escaped(struct buf *out, struct str text)
{
    struct buf clean = {0};

    buf_put_utf8(&clean, text);
    for (size_t i = 0; i < clean.len; i++) {
        char c = clean.data[i];
        if (c == '\n')
            buf_put_text(out, "\\n");
        else if (c == '\\' || c == ';' || c == ',')
            buf_put_format(out, "\\%c", c);
        else if (c != '\r')
            buf_put_char(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
    }
    buf_free(&clean);
}

static void put_text(struct buf *out, const char *name, struct str text)
{
    struct buf line = {0};

    if (text.len == 0)
        return;
    buf_put_format(&line, "%s:", name);
    put_escaped(&line, text);
    put_line(out, &line);
}

static void put_time(struct buf *out, const char *name, int64_t at_ms)
{
    int64_t year, seconds = at_ms % WHEN_DAY_MS / 1000;
    int month, day;

    when_civil_from_days(at_ms / WHEN_DAY_MS, &year, &month, &day);
    buf_put_format(out, "%s:%04d%02d%02dT%02d%02d%02dZ\r\n", name, (int)year, month, day,
                   (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/* A quoted parameter holds anything but quotes and control characters. */
static void put_name(struct buf *line, struct str name)
{
    struct buf clean = {0};

    if (name.len == 0)
        return;
    buf_put_utf8(&clean, name);
    buf_put_text(line, ";CN=\"");
    for (size_t i = 0; i < clean.len; i++) {
        char c = clean.data[i];
        bool fine = (unsigned char)c >= ' ' && c != 0x7f && c != '"';
        buf_put_char(line, fine ? c : ' ');
    }
    buf_put_char(line, '"');
    buf_free(&clean);
}

/* As a URI (RFC 6068): what is neither a letter, a digit nor one of -._~@ as %XX. */
static void put_mailto(struct buf *line, struct str address)
{
    buf_put_text(line, ":mailto:");
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr("-._~@", c) != NULL))
            buf_put_char(line, (char)c);
        else
            buf_put_format(line, "%%%02X", c);
    }
}

static void put_person(struct buf *out, const char *property, struct str name, struct str address)
{
    struct buf line = {0};

    buf_put_text(&line, property);
    put_name(&line, name);
    put_mailto(&line, address);
    put_line(out, &line);
}

void calendar_put(struct buf *out, const struct calendar *c)
{
    buf_put_text(out, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//attent//attent//EN\r\n");
    buf_put_format(out, "METHOD:%s\r\nBEGIN:VEVENT\r\n", c->cancel ? "CANCEL" : "REQUEST");
    put_text(out, "UID", c->uid);
    buf_put_format(out, "SEQUENCE:%d\r\n", c->cancel ? 1 : 0);
    put_time(out, "DTSTAMP", c->at_ms);
    put_time(out, "DTSTART", c->appointment->start_ms);
    put_time(out, "DTEND", c->appointment->end_ms);
    put_text(out, "SUMMARY", c->appointment->title);
    put_text(out, "LOCATION", c->appointment->place);
    put_person(out, "ORGANIZER", c->from_name, c->from);
    put_person(out, "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE", STR_EMPTY,
               c->to);
    buf_put_format(out, "STATUS:%s\r\n", c->cancel ? "CANCELLED" : "CONFIRMED");
    buf_put_text(out, "END:VEVENT\r\nEND:VCALENDAR\r\n");
}
