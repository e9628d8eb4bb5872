/* processors/cli/findings.h - findings as people and other programs read them.
 *
 *   people     file:line:col: error[code]: what, the line, a caret, help (core/diag.h)
 *   JSON       an object a line
 *   SARIF      2.1.0, one run: for code reviews and editors
 */
#ifndef ATTENT_PROCESSORS_CLI_FINDINGS_H
#define ATTENT_PROCESSORS_CLI_FINDINGS_H

#include "core/diag.h"

/* Reads the files that findings name, for their lines. */
void findings_put(struct buf *out, const struct diags *diags);
void findings_put_json(struct buf *out, const struct diags *diags);
void findings_put_sarif(struct buf *out, const struct diags *diags);

#endif
