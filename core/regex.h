/* core/regex.h - regular expressions in RE2's language (PCRE2 behind it, with limits).
 *
 * What RE2 refuses (back-references, look-around, atomic groups, recursion ...) is refused when
 * compiling, so a pattern means the same here as in every other CEL.  PCRE2 backtracks, so a
 * match has a limit of work; beyond it the answer is REGEX_TOO_COSTLY.
 * A compiled pattern lives in its arena, is immutable and may be used by any thread.
 */
#ifndef ATTENT_CORE_REGEX_H
#define ATTENT_CORE_REGEX_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

struct regex;

enum regex_answer { REGEX_NO = 0, REGEX_YES, REGEX_TOO_COSTLY };

/* On ERR_NONE *out is the pattern, in arena; otherwise err says what is wrong with it. */
enum err_code regex_compile(struct str pattern, struct arena *arena, struct regex **out,
                            struct err *err);

/* Does the pattern match a part of text?  steps_max: how often the matcher may try; a plain
 * pattern needs a few for each byte of text. */
enum regex_answer regex_search(const struct regex *regex, struct str text, uint32_t steps_max);

#endif
