/* processors/cli/eval_lines.h - expressions as JSON lines, for programs that test or use CEL.
 *
 * In, a line each: {"expr", "container"?, "bindings"? {name: VALUE}, "type_env"? {name: type},
 * "disable_check"?, "check_only"?, "disable_macros"?}; VALUE: eval_value.h.
 * Out, in the same order: {"value": VALUE}, {"error": text} or, with check_only, {"type": text}.
 * A line that is not that gives an error line, and the rest goes on.
 */
#ifndef ATTENT_PROCESSORS_CLI_EVAL_LINES_H
#define ATTENT_PROCESSORS_CLI_EVAL_LINES_H

#include <stdio.h>

#include "core/arena.h"
#include "core/buf.h"

/* Append the answer to one line, newline included. */
void eval_line(struct str line, struct arena *arena, struct buf *out);

void eval_lines(FILE *in, FILE *out);

#endif
