/* core/diag.h - what is wrong in a file that a person wrote: several findings per run.
 *
 * Every finding has a code, and every code its row in diag.def.
 *
 *   rules/moments/x.yaml:7:9: error[unknown-field]: vehicle.registered has no field "wieght_kg"
 *       if: event.data.wieght_kg > 1500
 *           ^
 *   help: write weight_kg
 *
 * Loaders and compilers add; the command line sorts by file and line and prints.
 */
#ifndef ATTENT_CORE_DIAG_H
#define ATTENT_CORE_DIAG_H

#include "core/buf.h"
#include "core/str.h"

enum diag_level { DIAG_ERROR, DIAG_WARNING };

enum diag_severity {
    SEVERITY_ERROR,
    SEVERITY_WARNING,
    SEVERITY_PROOF, /* a warning, an error where a rule set has to be proved */
};

/* A row of diag.def.  All of them, in the order of the table; {0} comes last. */
struct diag_code {
    const char *code, *title, *text;
    enum diag_severity severity;
};
extern const struct diag_code diag_codes[];
const struct diag_code *diag_code_find(const char *code); /* NULL: there is none */

/* A place in a source file.  line and column count from 1; 0 = the file as a whole. */
struct place {
    const char *file; /* borrowed; diag_add copies it; NULL: no file */
    int line;
    int column; /* in characters */
};

struct diag {
    enum diag_level level;
    struct place place;
    char *code; /* short and stable, e.g. "unknown-field" */
    char *what; /* one sentence, no full stop */
    char *help; /* what to write instead, or NULL */
};

struct diags {
    struct diag *items; /* owned */
    size_t count;
    size_t capacity;
    size_t error_count;
};

/* Add a finding.  `code` is one of diag.def, of this level; `help` NULL or a finished sentence
 * part.  All texts are copied. */
void diag_add(struct diags *diags, enum diag_level level, struct place place, const char *code,
              const char *help, const char *format, ...) __attribute__((format(printf, 6, 7)));

void diags_sort(struct diags *diags); /* by file, line, column; stable */
void diags_remove(struct diags *diags, size_t index);
void diags_prove(struct diags *diags); /* warnings of a PROOF code become errors */
void diags_free(struct diags *diags);  /* the contents; NULL allowed */

/* Print one finding as above.  `source` is the text of its file, for the line and the caret;
 * empty: without. */
void diag_print(struct buf *out, const struct diag *diag, struct str source);

#endif
