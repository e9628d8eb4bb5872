/* core/json.h - JSON in and out (RFC 8259).
 *
 * In: either the whole document (json_parse, for schemas, mappings, validation) or only the
 * fields that somebody reads (projection_read, the hot path).  Both go by a scanner of our own, and
 * ask jansson, included nowhere else, in doubt, so that both take the same documents.  Refused: broken syntax, invalid UTF-8, a key twice in one object,
 * nesting beyond LIMIT_JSON_DEPTH, integers beyond 64 bits, NUL in a text.
 * Out: writers into a buf; the same value always prints the same bytes; a map in its own order.
 */
#ifndef ATTENT_CORE_JSON_H
#define ATTENT_CORE_JSON_H

#include "core/err.h"
#include "core/value.h"

enum json_fault {
    JSON_FINE = 0,
    JSON_BROKEN,   /* not JSON */
    JSON_BAD_UTF8, /* JSON but for its encoding */
    JSON_TOO_DEEP,
    JSON_BAD_NUMBER, /* an integer beyond 64 bits, or beyond what a double holds: 1e400 */
};

/* Parse a whole document into arena.  err, if not NULL, says what and where (line, column). */
enum json_fault json_parse(struct str text, struct arena *arena, struct value *out,
                           struct err *err);

/* The same by jansson alone: what json_parse does when its scanner is not sure, and what tests compare
 * the scanner with. */
enum json_fault json_parse_strictly(struct str text, struct arena *arena, struct value *out,
                                    struct err *err);

/* What a JSON Pointer ("/data/wheels/0") names in a document; VALUE_ABSENT: nothing. */
struct value json_at(struct value v, struct str pointer);

/* For messages about a file: where in a document that json_parse takes is the key (of an object)
 * or the item (of a list) that pointer names?  Lines and columns (in bytes) count from 1.  False:
 * it is not there. */
bool json_locate(struct str text, struct str pointer, int *line, int *column);

/* Where the last json_parse of this thread stopped, if it gave a fault. */
void json_stopped_at(int *line, int *column);

/* A set of fields to read, each with the slot that its value goes to.  A path is a list of
 * object keys in JSON Pointer form (RFC 6901): "/data/vin"; "" is the document. */
struct projection;

struct projection *projection_new(void);
void projection_add(struct projection *p, struct str path, uint32_t slot); /* copied */
void projection_free(struct projection *p);                                /* NULL allowed */

/* Read the fields of a document into fields[slot]; a field that is not there leaves its slot
 * untouched; null gives VALUE_ABSENT (null is an absent field).  Objects and lists come whole.
 * Texts live in arena or are borrowed from text.  After a fault any slot may have been filled. */
enum json_fault projection_read(const struct projection *p, struct str text, struct arena *arena,
                                struct value *fields, struct err *err);

/* The same for a reader that wants fields of its own in the same pass: a slot from PROJECTION_OWN
 * up goes to values[slot - PROJECTION_OWN].  After each of them go_on, if not NULL, is asked; false:
 * the rest of the document is not needed, and may not be looked at. */
#define PROJECTION_OWN 0x80000000u
struct projection_own {
    struct value *values;
    bool (*go_on)(const void *context, uint32_t slot, struct value v);
    const void *context;
};
enum json_fault projection_read_both(const struct projection *p, struct str text,
                                     struct arena *arena, struct value *fields,
                                     const struct projection_own *own, struct err *err);

/* With quotes, escaped.  Bytes that are not UTF-8 become '?', so that what is written here is read
 * here. */
void json_put_string(struct buf *out, struct str text);
/* Shortest that reads back; 1900.0 as 1900.0; null for what JSON has no number for. */
void json_put_double(struct buf *out, double d);
/* ABSENT and errors as null, times as RFC 3339, spans as 1d12h, bytes as base64. */
void json_put_value(struct buf *out, struct value v);

/* A writer that places the commas: json_open(&w, '{'), json_key(&w, "id"), json_str(&w, s), ... */
struct json_writer {
    struct buf *out; /* borrowed */
    int depth;
    bool comma;
};
struct json_writer json_writer_to(struct buf *out);
void json_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_key(struct json_writer *w, const char *key);
void json_str(struct json_writer *w, struct str text);
void json_int(struct json_writer *w, int64_t i);
void json_bool(struct json_writer *w, bool b);
void json_null(struct json_writer *w);
void json_time(struct json_writer *w, int64_t at_ms); /* RFC 3339 */
void json_value(struct json_writer *w, struct value v);
void json_raw(struct json_writer *w, struct str json); /* as it stands */

#endif
