/* rules/moment/template.h - texts with {{CEL}} and {{CEL | words to fall back on}}.
 *
 * Compiled once, filled per task.  A part without fallback whose value is absent or an error
 * makes the whole text fail: no task goes out with a hole in it.  Values are escaped for where the
 * text goes; the words around them and the fallback are the author's and stay as they are.  Where
 * an expression stands inside a web address its value is percent-encoded, whatever the context.
 */
#ifndef ATTENT_RULES_MOMENT_TEMPLATE_H
#define ATTENT_RULES_MOMENT_TEMPLATE_H

#include "rules/cel/cel.h"

struct template;

enum text_context {
    CONTEXT_PLAIN = 0, /* as it is */
    CONTEXT_HEADER,    /* one line: what breaks or steers a line becomes a blank, words too */
    CONTEXT_HTML,      /* <, >, &, " and ' of values as entities */
};

/* Findings to diags.  NULL when there were errors.  Lives in arena; text may go away. */
const struct template *template_compile(const struct cel_env *env, struct str text,
                                        enum text_context context, struct place place,
                                        struct arena *arena, struct diags *diags);

/* Append the filled text; numbers and times as the language writes them (wording.h), empty: as CEL
 * does.  False: a part could not be filled (*error says which), or the text is
 * longer than LIMIT_TEXT_BYTES; out is as before then. */
bool template_fill(const struct template *t, const struct cel_input *input, struct str language,
                   struct arena *arena, struct buf *out, struct str *error);

/* As it was written. */
struct str template_text(const struct template *t);

/* The slots that the text may read, through `each`. */
void template_slots(const struct template *t, void (*each)(void *context, uint32_t slot),
                    void *context);

/* Each expression of the text that has no words to fall back on; `at`: the byte of the text where it
 * begins. */
void template_bare(const struct template *t,
                   void (*each)(void *context, const struct cel_program *program, size_t at),
                   void *context);

#endif
