/* core/str.h - a borrowed run of bytes: pointer and length, no hidden strlen.
 *
 * The bytes need not end in NUL and may hold NUL.  {NULL, 0} is the empty string.
 */
#ifndef ATTENT_CORE_STR_H
#define ATTENT_CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *data;
    size_t len;
};

#define STR(literal) ((struct str){("" literal), sizeof(literal) - 1})
#define STR_EMPTY    ((struct str){NULL, 0})
#define STR_ARG(s)   (int)(s).len, ((s).data != NULL ? (s).data : "") /* for "%.*s" */

static inline struct str str_of(const char *text) /* NULL allowed */
{
    return (struct str){text, text != NULL ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_is(struct str a, const char *text)
{
    return str_equal(a, str_of(text));
}

int str_compare(struct str a, struct str b); /* bytewise, shorter first: <0, 0, >0 */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_contains(struct str s, struct str part);
struct str str_slice(struct str s, size_t from, size_t to); /* [from, to), both clamped */
struct str str_head(struct str s, size_t bytes_max); /* its beginning; no half of a character */
struct str str_trim(struct str s);                   /* without blanks at the ends */
bool str_cut(struct str s, char at, struct str *before, struct str *after); /* first `at` */
/* All of s, decimal digits alone.  False, and *out 0: it is none, or beyond 2^64 - 1. */
bool str_read_number(struct str s, uint64_t *out);
bool str_is_utf8(struct str s);      /* RFC 3629: no surrogates, no overlong forms */
size_t str_utf8_bytes(struct str s); /* of the character that s begins with; 0: there is none */

/* Of `count` names the one nearest to `wrong` (edit distance at most a third of its length),
 * or an empty string: for "did you mean". */
struct str str_nearest(struct str wrong, const struct str *names, size_t count);

#endif
