/* core/json_scan.h - one pass over JSON text, that builds only what it is asked for.
 *
 * For readers that want a few fields of a document (core/json_projection.c), and for json_parse.  It is strict
 * (RFC 8259: syntax, UTF-8, no key twice, nesting) and it may say "not sure": of what is not JSON,
 * and of what is rare (a key with an escape, an object of very many keys, a number of very many
 * digits).  Then jansson decides (json_parse_strictly).  What it does take jansson takes too, with the same value.
 *
 * A pass is used by one thread.
 */
#ifndef ATTENT_CORE_JSON_SCAN_H
#define ATTENT_CORE_JSON_SCAN_H

#include "core/value.h"

struct json_scan {
    const char *at, *end; /* what is left; `end` is never read */
    struct arena *arena;  /* for texts with escapes */
    int depth;            /* open objects and lists */
};

/* The keys of an object that was entered, to see one that stands twice. */
enum { JSON_SCAN_KEYS = 64 };
struct json_scan_keys {
    struct str keys[JSON_SCAN_KEYS];
    size_t count;
    uint64_t seen; /* a bit for each key's first and last byte and length */
};

/* All answer false for "not sure"; the pass is over then. */

/* The text, number, true, false or null that comes next. */
bool json_scan_scalar(struct json_scan *s, struct value *out);
/* The text that comes next, as it stands between its quotes; false also when it is no text. */
bool json_scan_text(struct json_scan *s, struct str *raw, bool *escaped);
/* Over the value that comes next, whatever it is. */
bool json_scan_over(struct json_scan *s);
/* The value that comes next with all that is in it, in the arena; texts too, with a NUL behind. */
bool json_scan_value(struct json_scan *s, struct value *out);

/* In an object: '{' comes next.  Then json_scan_key until *more is false; after each key its value
 * has to be read. */
bool json_scan_enter(struct json_scan *s, struct json_scan_keys *keys);
bool json_scan_key(struct json_scan *s, struct json_scan_keys *keys, struct str *key, bool *more);

/* The first byte of the value that comes next; NUL: the text ends. */
char json_scan_peek(struct json_scan *s);

#endif
