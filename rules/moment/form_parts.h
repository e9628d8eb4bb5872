/* rules/moment/form_parts.h - the inside of form.h, for the two files that make it up: form.c walks
 * over mappings and reads what stands there, form_fit.c says whether it fits.  Private to them.
 */
#ifndef ATTENT_RULES_MOMENT_FORM_PARTS_H
#define ATTENT_RULES_MOMENT_FORM_PARTS_H

#include "rules/moment/form.h"

/* --- form.c ------------------------------------------------------------------------------------- */

bool form_is_scalar(const struct yaml_node *node);

/* Letters, digits, underscore; a name may have dashes and dots as well. */
bool form_is_name(struct str s, const char *more);

/* Words that CEL keeps for itself (langdef: RESERVED) or that we gave a meaning. */
bool form_is_word(struct str s);

/* 2026-12-25 as days since 1970. */
bool form_read_date(struct str s, int64_t *days);

/* --- form_fit.c --------------------------------------------------------------------------------- */

/* A finding: the language promises it, and it is not there yet.  False. */
bool form_not_yet(const struct form_field *field, struct place place, struct diags *diags);

/* False: what does not fit is in diags. */
bool form_fits(const struct form_field *field, const struct yaml_node *node, struct diags *diags);

#endif
