/* rules/moment/form.h - the shape of the files of rules: moments, facts.yaml, policy.yaml.
 *
 * forms.def says for every mapping which keys it may have and what stands behind them.  form_read
 * holds a YAML mapping against its form and reports everything that does not fit: unknown keys
 * with the nearest name, missing keys, wrong kinds, what is not there yet.  What is left in
 * `at` is of the kind that the form says; what fitted not is NULL, so that it is reported once.
 * form_schema_write prints the same table as JSON Schema (draft-07) for editors.
 */
#ifndef ATTENT_RULES_MOMENT_FORM_H
#define ATTENT_RULES_MOMENT_FORM_H

#include "core/limit.h"
#include "core/phrase.h"
#include "core/yaml.h"

enum form_kind {
    FORM_NAME = 0, /* words with dashes: brake-pads                          */
    FORM_WORD,     /* a word that CEL can read: pad_mm                       */
    FORM_TEXT,     /* any scalar that is there                               */
    FORM_PHRASE,   /* a text, or a mapping from languages to texts           */
    FORM_TEMPLATE, /* the same with {{CEL}}                                  */
    FORM_CEL,      /* an expression: a text, a number, true or false         */
    FORM_SPAN,     /* 14d; not 0                                             */
    FORM_COUNT,    /* 1 ..                                                   */
    FORM_NUMBER,
    FORM_BOOL,
    FORM_SCALAR,  /* a text, a number, true or false                        */
    FORM_BOUND,   /* below 3.0                                              */
    FORM_TYPES,   /* a text or a list of texts                              */
    FORM_NAMES,   /* a list of names                                        */
    FORM_TEXTS,   /* a list of texts                                        */
    FORM_TAGS,    /* a list of languages: en, nl-BE                         */
    FORM_DATES,   /* a list of 2026-12-25                                   */
    FORM_HOURS,   /* 21-08 or {mon-fri: 08-18}                              */
    FORM_CHOICE,  /* one of `choices`                                       */
    FORM_CHOICES, /* a mapping from any name to one of `choices`            */
    FORM_FIELDS,  /* a mapping from any name to event.data.vin              */
    FORM_LIST,    /* of mappings of form `sub`, at least one                */
    FORM_MAP,     /* a mapping from any name to a mapping of form `sub`     */
    FORM_PART,    /* a mapping of form `sub`                                */
    FORM_LATER,   /* promised by the language, not there yet                */
};

enum form_id {
    FORM_OF_NONE = 0,
#define FORM(form, what) FORM_OF_##form,
#define FIELD(form, name, key, kind, needed, with, sub, choices, most, text)
#include "rules/moment/forms.def"
#undef FORM
#undef FIELD
    FORM_OF_COUNT
};

/* FIELD_MOMENT_TITLE ...: indexes into struct filled's `at`. */
enum form_field_id {
#define FORM(form, what)
#define FIELD(form, name, key, kind, needed, with, sub, choices, most, text) FIELD_##form##_##name,
#include "rules/moment/forms.def"
#undef FORM
#undef FIELD
    FIELD_COUNT
};

struct form_field {
    enum form_id form;
    const char *key;
    enum form_kind kind;
    const char *needed, *with; /* see forms.def */
    enum form_id sub;
    const char *choices; /* of FORM_LATER: what it is */
    int64_t most;
    const char *text;
};

extern const struct form_field form_fields[FIELD_COUNT];
const char *form_what(enum form_id form); /* "a moment" */

struct filled {
    enum form_id form;
    const struct yaml_node *node;
    const struct yaml_node *at[FIELD_COUNT];
};

/* False: the node is not a mapping, nothing is filled in.  Findings go to diags. */
bool form_read(enum form_id form, const struct yaml_node *node, struct diags *diags,
               struct filled *out);

/* The same for a FORM_MAP at the top (facts.yaml): a mapping from names to mappings. */
bool form_read_map(const struct form_field *field, const struct yaml_node *node,
                   struct diags *diags);

/* Is the text among the words of a list such as "end|next|wait" or "event count"? */
bool form_list_has(const char *list, struct str word);
bool form_next_word(struct str *rest, struct str *word); /* cut one off; false: none is left */

/* What stands in a node that fitted; NULL gives the fallback. */
struct str form_text(const struct yaml_node *node,
                     struct arena *arena); /* NUL follows; NULL: empty */
struct phrases form_phrases(const struct yaml_node *node, struct arena *arena);
const struct yaml_node *form_phrase(const struct yaml_node *node, size_t index); /* one's text */
int64_t form_span_ms(const struct yaml_node *node, int64_t fallback);
uint32_t form_count(const struct yaml_node *node, uint32_t fallback);
bool form_bool(const struct yaml_node *node);
size_t form_choice(const struct yaml_node *node, const char *choices); /* index in choices */
bool form_bound(const struct yaml_node *node, bool *below, double *bound);
int32_t form_date(const struct yaml_node *node);      /* days since 1970 */
size_t form_item_count(const struct yaml_node *node); /* of a list, or 1 of a scalar, 0 of NULL */
const struct yaml_node *form_item(const struct yaml_node *node, size_t index);

/* The hours that a FORM_HOURS names: bit h of hours[d], d = 0 is Sunday. */
void form_hours(const struct yaml_node *node, uint32_t hours[7]);

/* A JSON Schema of one kind of file: "moment", "facts", "policy",
 * "sources", "identity".  False: no such kind. */
bool form_schema_write(struct buf *out, struct str kind);

/* Well-formed JSON without blanks, on lines; lists of scalars stay on one. */
void form_schema_indent(struct buf *out, struct str json);

#endif
