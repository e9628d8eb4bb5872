/* core/conf.h - a configuration: YAML checked against a table, nothing guessed.
 *
 * A table of fields (struct conf_field; attent's own is processors/cli/config.def) drives
 * reading, defaults, ranges, `attent config`, the JSON Schema and the commented example.
 * An unknown key, a wrong type or a value out of range is a finding with file:line:col and a
 * suggestion, all at once.
 *
 * A value may hold ${VAR}, ${VAR:default} and ${file:PATH} (without the line ends at its end; a
 * PATH is relative to the working directory); $${ is a plain ${.  A secret must be one such
 * reference and nothing else: a configuration can then be shown and kept with the code.
 *
 * A configuration is immutable and may be read by any thread.
 */
#ifndef ATTENT_CORE_CONF_H
#define ATTENT_CORE_CONF_H

#include "core/arena.h"
#include "core/diag.h"
#include "core/err.h"

enum conf_kind {
    CONF_TEXT,
    CONF_INT, /* min, max */
    CONF_BOOL,
    CONF_SPAN,   /* a duration, read as ms; min, max in ms */
    CONF_BYTES,  /* 64MiB, read as bytes; min, max in bytes */
    CONF_CHOICE, /* choices: "a|b|c" */
    CONF_LIST,   /* of texts; choices: of these */
    CONF_ITEMS,  /* a mapping from a name of the user's choice to a mapping of `fields` */
    CONF_FREE,   /* a mapping from any name to text: passed through */
};

struct conf_variants;

struct conf_field {
    const char *path; /* "kafka.brokers": dots are nesting; NULL ends a table */
    enum conf_kind kind;
    const char *fallback; /* default as text (YAML for LIST, ITEMS, FREE); NULL = required */
    int64_t min, max;     /* both 0: no range */
    const char *choices;
    const struct conf_field *fields; /* CONF_ITEMS */
    const struct conf_variants
        *variants; /* CONF_ITEMS: more keys, by the value of one; NULL: none */
    bool secret;   /* TEXT: masked when shown, given by reference only */
    const char *unit;
    const char *doc;     /* a sentence or two, for the example file and the schema */
    const char *example; /* YAML that the example file shows in place of the default; NULL: none */
};

/* Items that differ: what else an item may say depends on the value of its key `by`, a CHOICE of
 * `fields`.  {connector: smtp} has other keys than {connector: webhook}. */
struct conf_variant {
    const char *name;                /* the value; NULL ends a list */
    const struct conf_field *fields; /* those that all items have, and its own behind them */
};
struct conf_variants {
    const char *by;
    const struct conf_variant *list;
};

struct conf; /* a checked configuration, or a part of one; lives in its arena */

/* -s path=value.  Of a list, items or free names the value is YAML ("[a, b]"; of a list also
 * "a,b"); one item or name is reached by its path ("sources.crm.mode", "kafka.librdkafka.acks"). */
struct conf_override {
    struct str path, value;
};

/* Read YAML text (file: its name for messages; empty text: all defaults).  The table outlives the
 * result; text and overrides are copied.  NULL: diags has errors. */
const struct conf *conf_read(const struct conf_field *table, struct str text, const char *file,
                             const struct conf_override *overrides, size_t override_count,
                             struct arena *arena, struct diags *diags);

/* Is there such a key?  Items of other variants have others. */
bool conf_has(const struct conf *conf, const char *path);

/* Values by path; the path must be in the table and of that kind (else a bug). */
struct str conf_text(const struct conf *conf, const char *path); /* text, choice; NUL follows */
int64_t conf_int(const struct conf *conf, const char *path);     /* int, span, bytes */
bool conf_bool(const struct conf *conf, const char *path);
size_t conf_count(const struct conf *conf, const char *path); /* list, items, free */
struct str conf_item_text(const struct conf *conf, const char *path, size_t index); /* list */
struct str conf_item_name(const struct conf *conf, const char *path,
                          size_t index); /* items, free: key */
struct str conf_free_value(const struct conf *conf, const char *path, size_t index);
const struct conf *conf_item(const struct conf *conf, const char *path, size_t index); /* items */
struct place conf_place(const struct conf *conf,
                        const char *path); /* where it was set; line 0: default */

void conf_print(struct buf *out, const struct conf *conf); /* effective, secrets masked, YAML */
void conf_print_example(struct buf *out, const struct conf_field *table);   /* commented YAML */
void conf_print_reference(struct buf *out, const struct conf_field *table); /* Markdown tables */
void conf_print_schema(struct buf *out, const struct conf_field *table); /* JSON Schema draft-07 */

#endif
