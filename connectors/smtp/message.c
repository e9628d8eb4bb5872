#include "connectors/smtp/message.h"

#include "core/base64.h"
#include "core/idn.h"
#include "core/when.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

enum {
    /* of an encoded word: 60 characters of base64, 72 with its frame; 76 are allowed in a line */
    WORD_BYTES = 45,
    FIRST_WORD_BYTES = 30, /* of the first, beside the header's name */
    QUOTED_COLUMNS = 75,   /* and a soft line break: 76 are allowed */
    HEADER_COLUMNS =
        60, /* of a text that need not be encoded: one that is longer would be folded */
    ADDRESS_BYTES_MAX = 254, /* RFC 5321, 4.5.3.1.3 */
    LOCAL_BYTES_MAX = 64,
};

/* --- headers ------------------------------------------------------------------------------------ */

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < ' ' || s.data[i] > '~')
            return false;
    /* "=?" begins an encoded word, and would be read as one */
    return s.len <= HEADER_COLUMNS && !str_contains(s, STR("=?"));
}

/* Encoded words, one a line; control characters become blanks. */
static void put_words(struct buf *out, struct str s)
{
    struct buf clean = {0};
    struct str rest;

    buf_put_utf8(&clean, s);
    for (size_t i = 0; i < clean.len; i++)
        if ((unsigned char)clean.data[i] < ' ' || clean.data[i] == 0x7f)
            clean.data[i] = ' ';
    rest = buf_str(&clean);
    for (bool first = true; rest.len != 0; first = false) {
        struct str word = str_head(rest, first ? FIRST_WORD_BYTES : WORD_BYTES);
        buf_put_text(out, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        base64_put(out, word);
        buf_put_text(out, "?=");
        rest = str_slice(rest, word.len, rest.len);
    }
    buf_free(&clean);
}

static void put_text_header(struct buf *out, const char *name, struct str value)
{
    buf_put_format(out, "%s: ", name);
    if (is_plain(value))
        buf_put(out, value);
    else
        put_words(out, value);
    buf_put_text(out, "\r\n");
}

static void put_mailbox_header(struct buf *out, const char *name, struct str display,
                               struct str address)
{
    buf_put_format(out, "%s: ", name);
    if (display.len != 0) {
        put_words(out, display);
        buf_put_text(out, "\r\n ");
    }
    buf_put_format(out, "<%.*s>\r\n", STR_ARG(address));
}

static void put_date(struct buf *out, int64_t at_ms)
{
    static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t day = at_ms / WHEN_DAY_MS, seconds = at_ms % WHEN_DAY_MS / 1000, year;
    int month, date;

    when_civil_from_days(day, &year, &month, &date); /* 1970-01-01 was a Thursday */
    buf_put_format(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[day % 7], date,
                   months[month - 1], (int)year, (int)(seconds / 3600), (int)(seconds / 60 % 60),
                   (int)(seconds % 60));
}

static struct str domain_of(struct str address)
{
    struct str local, domain = STR_EMPTY;

    str_cut(address, '@', &local, &domain);
    return domain;
}

static void put_head(struct buf *out, const struct message *m)
{
    put_date(out, m->at_ms);
    put_mailbox_header(out, "From", m->from_name, m->from);
    put_mailbox_header(out, "To", STR_EMPTY, m->to);
    if (m->reply_to.len != 0)
        put_mailbox_header(out, "Reply-To", STR_EMPTY, m->reply_to);
    put_text_header(out, "Subject", m->subject);
    buf_put_format(out, "Message-ID: <%.*s@%.*s>\r\n", STR_ARG(m->id), STR_ARG(domain_of(m->from)));
    buf_put_text(out, "MIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n");
    if (m->language.len != 0)
        put_text_header(out, "Content-Language", m->language);
    if (m->unsubscribe.len != 0)
        buf_put_format(out,
                       "List-Unsubscribe:\r\n <%.*s>\r\n"
                       "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
                       STR_ARG(m->unsubscribe));
}

/* --- bodies: quoted-printable (RFC 2045, 6.7) --------------------------------------------------- */

/* Blanks at the end of a line would be lost; "From " and "." at its beginning are changed on the
 * way by old servers. */
static bool must_be_quoted(struct str s, size_t i, size_t column)
{
    char c = s.data[i];
    bool ends = i + 1 == s.len || s.data[i + 1] == '\n' || s.data[i + 1] == '\r';

    if (c == ' ' || c == '\t')
        return ends;
    if (column == 0 && (c == '.' || (c == 'F' && str_starts(str_slice(s, i, s.len), STR("From ")))))
        return true;
    return c <= ' ' || c > '~' || c == '=';
}

static void put_quoted(struct buf *out, struct str s)
{
    size_t column = 0;

    for (size_t i = 0; i < s.len; i++) {
        bool quoted;
        if (s.data[i] == '\r' && i + 1 < s.len && s.data[i + 1] == '\n')
            continue;
        if (s.data[i] == '\n') {
            buf_put_text(out, "\r\n");
            column = 0;
            continue;
        }
        quoted = must_be_quoted(s, i, column);
        if (column + (quoted ? 3 : 1) > QUOTED_COLUMNS) {
            buf_put_text(out, "=\r\n");
            column = 0;
            quoted = must_be_quoted(s, i, column);
        }
        if (quoted)
            buf_put_format(out, "=%02X", (unsigned char)s.data[i]);
        else
            buf_put_char(out, s.data[i]);
        column += quoted ? 3 : 1;
    }
    buf_put_text(out, "\r\n");
}

/* type: with its parameters, "text/plain; charset=utf-8" */
static void put_part(struct buf *out, const char *type, struct str body)
{
    buf_put_format(out,
                   "Content-Type: %s\r\n"
                   "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                   type);
    put_quoted(out, body);
}

static void put_alternative(struct buf *out, const char *type, struct str body)
{
    if (body.len == 0)
        return;
    buf_put_text(out, "--=_attent\r\n");
    put_part(out, type, body);
}

/* "=_" cannot stand in quoted-printable, so no body holds the boundary. */
void message_put(struct buf *out, const struct message *m)
{
    put_head(out, m);
    if (m->html.len == 0 && m->calendar.len == 0) {
        put_part(out, TEXT_PLAIN, m->text);
        return;
    }
    buf_put_text(out, "Content-Type: multipart/alternative; boundary=\"=_attent\"\r\n\r\n");
    put_alternative(out, TEXT_PLAIN, m->text);
    put_alternative(out, "text/html; charset=utf-8", m->html);
    put_alternative(out,
                    m->cancel ? "text/calendar; charset=utf-8; method=CANCEL"
                              : "text/calendar; charset=utf-8; method=REQUEST",
                    m->calendar);
    buf_put_text(out, "--=_attent--\r\n");
}

/* --- addresses ---------------------------------------------------------------------------------- */

/* Of RFC 5322's atext and the dot; a byte of UTF-8 sets *utf8. */
static bool is_dot_atom(struct str s, const char *others, bool *utf8)
{
    if (s.len == 0 || s.data[0] == '.' || s.data[s.len - 1] == '.' || str_contains(s, STR("..")))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        *utf8 |= (c & 0x80) != 0;
        if (!letter && (c & 0x80) == 0 && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return true;
}

enum message_address message_address_put(struct buf *out, struct str address)
{
    struct str local = STR_EMPTY, domain = STR_EMPTY;
    struct buf ascii = {0};
    bool local_utf8 = false, domain_utf8 = false;

    if (address.len > ADDRESS_BYTES_MAX || !str_is_utf8(address) ||
        !str_cut(address, '@', &local, &domain) || local.len > LOCAL_BYTES_MAX ||
        !is_dot_atom(local, ".!#$%&'*+-/=?^_`{|}~", &local_utf8) ||
        !is_dot_atom(domain, ".-", &domain_utf8) || (domain_utf8 && !idn_put_ascii(&ascii, domain)))
        return MESSAGE_ADDRESS_WRONG;
    buf_put_format(out, "%.*s@%.*s", STR_ARG(local),
                   STR_ARG(domain_utf8 ? buf_str(&ascii) : domain));
    buf_free(&ascii);
    return local_utf8 ? MESSAGE_ADDRESS_UTF8 : MESSAGE_ADDRESS_FINE;
}
