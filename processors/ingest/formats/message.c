#include "processors/ingest/formats/message.h"

#include "core/uri.h"
#include "core/when.h"
#include "processors/ingest/formats/media.h"

/* --- the attributes that CloudEvents defines -------------------------------------------------------- */

static bool is_any(struct str text)
{
    (void)text;
    return true;
}

static bool is_time(struct str text)
{
    int64_t at_ms;

    return when_parse_to_the_letter(text, &at_ms);
}

static const struct {
    const char *name;
    bool required;
    bool may_be_empty;
    size_t bytes_max;
    bool (*fits)(struct str text);
    const char *what;
} defined[] = {
    {"specversion", true, false, 8, is_any, ""},
    {"id", true, false, LIMIT_ID_BYTES, is_any, ""},
    {"source", true, false, LIMIT_ID_BYTES, uri_is_reference, "is no URI reference (RFC 3986)"},
    {"type", true, false, LIMIT_ID_BYTES, is_any, ""},
    {"subject", false, false, LIMIT_SUBJECT_BYTES, is_any, ""},
    {"time", false, false, 64, is_time, "is no time as RFC 3339 writes it"},
    {"datacontenttype", false, false, LIMIT_ID_BYTES, media_is_type, "is no media type (RFC 2046)"},
    {"dataschema", false, false, LIMIT_URI_BYTES, uri_is_absolute,
     "is no absolute URI (RFC 3986, 4.3)"},
    {"partitionkey", false, false, LIMIT_SUBJECT_BYTES, is_any, ""},
    {NULL, false, true, LIMIT_ATTRIBUTE_BYTES, is_any, ""}, /* an extension */
};
enum { DEFINED = sizeof defined / sizeof defined[0] - 1 };

static size_t index_of(struct str name)
{
    size_t i = 0;

    while (i < DEFINED && !str_is(name, defined[i].name))
        i++;
    return i;
}

/* --- adding ----------------------------------------------------------------------------------------- */

/* Names come from outside: what is shown of one is text. */
static enum event_fault bad(struct err *err, struct str name, const char *what)
{
    char shown[32];
    size_t bytes = 0;

    for (; bytes < name.len && bytes < sizeof shown - 1; bytes++) {
        char c = name.data[bytes];
        shown[bytes] = c;
        if (c < ' ' || c > '~')
            shown[bytes] = '?';
    }
    shown[bytes] = '\0';
    err_set(err, ERR_PARSE, "attribute %s %s", shown, what);
    return EVENT_BAD_ATTRIBUTE;
}

static enum event_fault check_name(const struct message *message, struct str name, struct err *err)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
            return bad(err, name, "has a name of more than lower-case letters and digits");
    }
    if (name.len == 0)
        return bad(err, name, "has no name");
    if (str_is(name, "data"))
        return bad(err, name, "has the name of what is no attribute");
    for (size_t i = 0; i < message->attribute_count; i++)
        if (str_equal(message->attributes[i].name, name))
            return bad(err, name, "stands there twice");
    return EVENT_FINE;
}

/* U+0080 to U+009F, U+FDD0 to U+FDEF, and the last two of each plane; p: a character of UTF-8. */
static bool is_disallowed(const unsigned char *p, size_t bytes)
{
    switch (bytes) {
    case 1: return p[0] < 0x20 || p[0] == 0x7f;
    case 2: return p[0] == 0xc2 && p[1] < 0xa0;
    case 3:
        return p[0] == 0xef &&
               ((p[1] == 0xb7 && p[2] >= 0x90 && p[2] <= 0xaf) || (p[1] == 0xbf && p[2] >= 0xbe));
    default: return (p[1] & 0x0f) == 0x0f && p[2] == 0xbf && p[3] >= 0xbe;
    }
}

static enum event_fault check_text(struct str name, struct str text, struct err *err)
{
    if (!str_is_utf8(text)) {
        bad(err, name, "is not UTF-8");
        return EVENT_BAD_UTF8;
    }
    for (size_t at = 0; at < text.len;) {
        const unsigned char *p = (const unsigned char *)text.data + at;
        size_t bytes = *p < 0x80 ? 1 : str_utf8_bytes(str_slice(text, at, text.len));
        if (is_disallowed(p, bytes))
            return bad(err, name, "holds a control character or what Unicode calls a noncharacter");
        at += bytes;
    }
    return EVENT_FINE;
}

enum event_fault message_add(struct message *message, struct str name, struct str text,
                             struct err *err)
{
    size_t index = index_of(name);
    enum event_fault fault = check_name(message, name, err);

    if (fault == EVENT_FINE && message->attribute_count == LIMIT_ATTRIBUTES)
        fault = bad(err, name, "is one too many");
    if (fault == EVENT_FINE && text.len > defined[index].bytes_max) {
        fault = EVENT_BAD_ATTRIBUTE;
        err_set(err, ERR_LIMIT, "attribute %.*s has %zu bytes, at most %zu are taken",
                STR_ARG(str_head(name, 32)), text.len, defined[index].bytes_max);
    }
    if (fault == EVENT_FINE)
        fault = check_text(name, text, err);
    if (fault == EVENT_FINE && text.len == 0 && defined[index].required) {
        bad(err, name, "is empty");
        fault = EVENT_MISSING_ATTRIBUTE;
    }
    if (fault == EVENT_FINE && text.len == 0 && !defined[index].may_be_empty)
        fault = bad(err, name, "is empty");
    if (fault == EVENT_FINE && !defined[index].fits(text))
        fault = bad(err, name, defined[index].what);
    if (fault == EVENT_FINE)
        message->attributes[message->attribute_count++] = (struct attribute){name, text};
    return fault;
}

/* --- the whole -------------------------------------------------------------------------------------- */

struct str message_attribute(const struct message *message, const char *name)
{
    for (size_t i = 0; i < message->attribute_count; i++)
        if (str_is(message->attributes[i].name, name))
            return message->attributes[i].text;
    return STR_EMPTY;
}

enum event_fault message_check_version(struct str specversion, struct err *err)
{
    if (specversion.len == 0 || str_is(specversion, "1.0"))
        return EVENT_FINE;
    if (!str_is_utf8(specversion))
        return check_text(STR("specversion"), specversion, err);
    err_set(err, ERR_PARSE, "CloudEvents %.*s is not taken: specversion has to be 1.0",
            STR_ARG(str_head(specversion, 32)));
    return EVENT_BAD_VERSION;
}

enum event_fault message_check(const struct message *message, struct err *err)
{
    for (size_t i = 0; i < DEFINED; i++)
        if (defined[i].required && message_attribute(message, defined[i].name).len == 0) {
            err_set(err, ERR_PARSE, "attribute %s is missing", defined[i].name);
            return EVENT_MISSING_ATTRIBUTE;
        }
    return EVENT_FINE;
}
