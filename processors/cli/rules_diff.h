/* processors/cli/rules_diff.h - what differs between two rule sets, file by file.
 *
 *   + moments/contract-ends.yaml
 *   ~ moments/brake-pads.yaml
 *
 *   --- 2/moments/brake-pads.yaml
 *   +++ 3/moments/brake-pads.yaml
 *   @@ -4,7 +4,7 @@
 *   ...
 *
 * First a line per file, + new, - gone, ~ changed, and what it means for customers who are under
 * way (rules_change.h); then the changes as unified diffs, made by the system's diff(1).
 */
#ifndef ATTENT_PROCESSORS_CLI_RULES_DIFF_H
#define ATTENT_PROCESSORS_CLI_RULES_DIFF_H

#include "core/err.h"
#include "rules/moment/ruleset.h"

/* One side: a bundle, and what it is called in the heads of the diffs. */
struct rules_side {
    const struct bundle *bundle;
    const char *name;
};

/* The files that differ, in order of name, in arena. */
struct rules_file {
    struct str name;
    char mark; /* '+' new, '-' gone, '~' changed */
};
size_t rules_diff_files(const struct bundle *from, const struct bundle *to, struct arena *arena,
                        struct rules_file **out);

/* *differs: is there a difference at all?  ERR_IO: diff(1) or the folder for temporary files. */
enum err_code rules_diff(struct rules_side from, struct rules_side to, struct buf *out,
                         bool *differs, struct err *err);

#endif
