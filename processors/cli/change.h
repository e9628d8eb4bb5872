/* processors/cli/change.h - states that are put in the place of others: what restore, init and
 * repartition have in common.
 *
 * All partitions are looked at first and each gets a line that says what would be done; what
 * forbids it stands behind its line, and then nothing is done at all.  Only --yes does it.
 */
#ifndef ATTENT_PROCESSORS_CLI_CHANGE_H
#define ATTENT_PROCESSORS_CLI_CHANGE_H

#include "processors/cli/steps.h"

struct change { /* one partition */
    const struct cli_step *step;
    int32_t partition;
    struct store_copy copy; /* what will be there; in the command's arena */
    uint64_t there;         /* commit that is there now; 0: nothing */
    int64_t first, end;     /* of the log */
};

struct changes {
    struct steps *steps;
    struct change *items;
    size_t count, capacity;
    size_t refused;   /* lines that say why not */
    int32_t there;    /* partitions that the logs of the step have by now; 0: all */
    bool over;        /* also where a state is */
    const char *verb; /* "restore" */
};

/* Note what is to be put there, print its line, and look: is the offset at which it goes on in the
 * log, is a state there.  copy.commit must not be 0.  why: words for the line. */
enum err_code changes_add(struct changes *changes, const struct cli_step *step, int32_t partition,
                          const struct store_copy *copy, const char *why, struct err *err);

/* Say on the line of a partition why it cannot be done. */
void changes_refuse(struct changes *changes, const struct cli_step *step, int32_t partition,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* All lines are printed: do it, or say what would do it.  Returns the exit code. */
int changes_finish(struct changes *changes, bool yes, struct err *err);

void changes_free(struct changes *changes); /* the contents */

#endif
