/* processors/ingest/formats/message.h - an event as its producer meant it: attributes and data.
 *
 * Attributes keep to CloudEvents 1.0, whatever the format was: names, texts, and the form of those that
 * it defines.  Data is what its content type says.
 */
#ifndef ATTENT_PROCESSORS_INGEST_FORMATS_MESSAGE_H
#define ATTENT_PROCESSORS_INGEST_FORMATS_MESSAGE_H

#include "core/limit.h"
#include "schemas/event.h"

struct attribute {
    struct str name, text;
};

enum content_kind {
    CONTENT_NONE = 0, /* there is no data */
    CONTENT_JSON,
    CONTENT_TEXT,
    CONTENT_BYTES,
};

struct content {
    enum content_kind kind;
    bool declared;     /* a content type says what it is, or the format does */
    struct value json; /* CONTENT_JSON */
    struct str bytes;  /* as they came; of JSON that stood in an envelope: empty */
};

struct message {
    struct attribute attributes[LIMIT_ATTRIBUTES]; /* in the order of the record */
    size_t attribute_count;
    struct content data;
};

/* Empty: there is no such attribute. */
struct str message_attribute(const struct message *message, const char *name);

/* Add one, or say what is wrong with its name or text, or that it stands there already. */
enum event_fault message_add(struct message *message, struct str name, struct str text,
                             struct err *err);

/* Is all there that an event needs?  First of all the version: others have other attributes. */
enum event_fault message_check_version(struct str specversion, struct err *err);
enum event_fault message_check(const struct message *message, struct err *err);

/* Data from bytes, as the content type says (empty: none is given).  {NULL, 0}: there is no data. */
enum event_fault content_read(struct str bytes, struct str content_type, struct arena *arena,
                              struct content *out, struct err *err);

/* Data as the JSON object that conditions read; none is an empty one.  Of data whose type nobody has said
 * JSON is taken, and `data` says so from then on.  Else EVENT_NOT_AN_OBJECT. */
enum event_fault content_object(struct content *data, struct arena *arena, struct value *out,
                                struct err *err);

/* JSON of an event: parsed, and not beyond the limits of texts and keys. */
enum event_fault content_parse(struct str text, struct arena *arena, struct value *out,
                               struct err *err);
enum event_fault content_check_json(struct value v, struct err *err);

#endif
