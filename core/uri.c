/* The parts are cut in the order of RFC 3986, appendix B, and each is held against its characters:
 *
 *     scheme ":" "//" authority path "?" query "#" fragment
 */
#include "core/uri.h"

#include <stdint.h>

#define UNRESERVED "-._~"
#define SUB_DELIMS "!$&'()*+,;="

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Letters, digits, %XX, and what `more` has. */
static bool is_made_of(struct str text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (i + 2 >= text.len || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2]))
                return false;
            i += 2;
        } else if (!is_alpha(c) && !is_digit(c) && !is_one_of(c, more)) {
            return false;
        }
    }
    return true;
}

static bool is_scheme(struct str text)
{
    if (text.len == 0 || !is_alpha(text.data[0]))
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (!is_alpha(text.data[i]) && !is_digit(text.data[i]) && !is_one_of(text.data[i], "+-."))
            return false;
    return true;
}

/* --- the authority -------------------------------------------------------------------------------- */

static bool is_ipv4(struct str text)
{
    for (int part = 0; part < 4; part++) {
        struct str number = text, rest = STR_EMPTY;
        int v = 0;
        if (str_cut(text, '.', &number, &rest) != (part < 3))
            return false;
        if (number.len < 1 || number.len > 3 || (number.len > 1 && number.data[0] == '0'))
            return false;
        for (size_t i = 0; i < number.len; i++) {
            if (!is_digit(number.data[i]))
                return false;
            v = v * 10 + (number.data[i] - '0');
        }
        if (v > 255)
            return false;
        text = rest;
    }
    return true;
}

/* Groups of 16 bits between colons; an IPv4 address at the end is two.  SIZE_MAX: they are not. */
static size_t count_groups(struct str text, bool last)
{
    size_t count = 0;

    while (text.len > 0) {
        struct str group = text, rest = STR_EMPTY;
        bool more = str_cut(text, ':', &group, &rest);
        if (!more && last && is_ipv4(group))
            return count + 2;
        if (group.len < 1 || group.len > 4 || (more && rest.len == 0))
            return SIZE_MAX;
        for (size_t i = 0; i < group.len; i++)
            if (!is_hex(group.data[i]))
                return SIZE_MAX;
        count++;
        text = rest;
    }
    return count;
}

static bool is_ipv6(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] != ':' || text.data[i + 1] != ':')
            continue;
        size_t before = count_groups(str_slice(text, 0, i), false);
        size_t after = count_groups(str_slice(text, i + 2, text.len), true);
        return before <= 7 && after <= 7 && before + after <= 7;
    }
    return count_groups(text, true) == 8;
}

/* "v1.x": an address of a version to come */
static bool is_ipv_future(struct str text)
{
    struct str version, address;

    if (text.len < 1 || (text.data[0] | 0x20) != 'v' || !str_cut(text, '.', &version, &address))
        return false;
    for (size_t i = 1; i < version.len; i++)
        if (!is_hex(version.data[i]))
            return false;
    return version.len > 1 && address.len > 0 && memchr(address.data, '%', address.len) == NULL &&
           is_made_of(address, UNRESERVED SUB_DELIMS ":");
}

static bool is_port(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i]))
            return false;
    return true;
}

static bool is_authority(struct str text)
{
    struct str user, host, port;

    if (str_cut(text, '@', &user, &host)) {
        if (!is_made_of(user, UNRESERVED SUB_DELIMS ":"))
            return false;
        text = host;
    }
    if (text.len > 0 && text.data[0] == '[') {
        if (!str_cut(str_slice(text, 1, text.len), ']', &host, &port))
            return false;
        return (is_ipv6(host) || is_ipv_future(host)) &&
               (port.len == 0 || (port.data[0] == ':' && is_port(str_slice(port, 1, port.len))));
    }
    if (!str_cut(text, ':', &host, &port))
        return is_made_of(text, UNRESERVED SUB_DELIMS);
    return is_made_of(host, UNRESERVED SUB_DELIMS) && is_port(port);
}

/* --- the whole -------------------------------------------------------------------------------------- */

/* "//authority/path" or "path" */
static bool is_hierarchy(struct str text, bool scheme)
{
    size_t slash = 2;
    struct str before, after;

    if (str_starts(text, STR("//"))) {
        while (slash < text.len && text.data[slash] != '/')
            slash++;
        if (!is_authority(str_slice(text, 2, slash)))
            return false;
        text = str_slice(text, slash, text.len);
    } else if (!scheme && str_cut(text, ':', &before, &after) &&
               memchr(before.data, '/', before.len) == NULL) {
        return false; /* what stands before a colon would be the scheme */
    }
    return is_made_of(text, UNRESERVED SUB_DELIMS ":@/");
}

static bool is_uri(struct str text, bool absolute)
{
    struct str rest, part;
    bool scheme;

    if (str_cut(text, '#', &rest, &part)) {
        if (absolute || !is_made_of(part, UNRESERVED SUB_DELIMS ":@/?"))
            return false;
        text = rest;
    }
    if (str_cut(text, '?', &rest, &part)) {
        if (!is_made_of(part, UNRESERVED SUB_DELIMS ":@/?"))
            return false;
        text = rest;
    }
    scheme = str_cut(text, ':', &part, &rest) && is_scheme(part);
    if (scheme)
        text = rest;
    return (scheme || !absolute) && is_hierarchy(text, scheme);
}

bool uri_is_reference(struct str text)
{
    return is_uri(text, false);
}

bool uri_is_absolute(struct str text)
{
    return is_uri(text, true);
}
