/* rules/cel/reference.h - the language as a page to read, made of its own tables: funcs.def,
 * macros.def, examples.def and the limits.  For `attent list functions` and docs/cel.md.
 */
#ifndef ATTENT_RULES_CEL_REFERENCE_H
#define ATTENT_RULES_CEL_REFERENCE_H

#include "core/buf.h"

/* A row of examples.def. */
struct cel_example {
    const char *of;   /* a function's name, a macro's usage, a form; NULL: a chapter begins */
    const char *text; /* of a form: what it is; of a chapter: its title; otherwise NULL */
    const char *expression, *gives;
};

/* Row by index, NULL behind the last. */
const struct cel_example *cel_example_at(size_t index);

/* Example `number` (from 0) of a function or macro, NULL if there is none. */
const struct cel_example *cel_example_find(const char *of, size_t number);

/* Markdown: a table for each chapter, then the limits. */
void cel_reference_put(struct buf *out);

#endif
