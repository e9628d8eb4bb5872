/* processors/cli/test_run.h - run one case of a rule test and compare what came with what was
 * expected.
 *
 * The case runs through the same engine as the service (processors/worker/offline.h): one
 * customer, a virtual clock, timers when they are due.  No I/O.  What comes of it is for
 * test_show.h (a failure), test_timeline.h and test_coverage.h.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_RUN_H
#define ATTENT_PROCESSORS_CLI_TEST_RUN_H

#include "processors/cli/test_file.h"
#include "rules/moment/ruleset.h"
#include "schemas/task.h"

struct coverage;

enum test_verdict { TEST_PASSED, TEST_FAILED, TEST_WRONG /* diags say why it cannot be run */ };

struct came { /* something that decide wrote */
    struct came *next;
    enum expected kind;
    int64_t at_ms;
    struct str what, moment, about; /* what: as in struct test_expect */
    struct task task;               /* EXPECT_TASK */
    struct decision decision;       /* EXPECT_SILENT, and of a task when it has been written */
    bool taken;                     /* by an expectation */
    bool near;                      /* like an expectation that was not met; its report tells it */
};

/* Everything that happened, in its order: what went in, what moved inside, what came out. */
struct happened {
    struct happened *next;
    enum happened_kind {
        HAPPENED_EVENT,    /* event went in */
        HAPPENED_STEP,     /* a step was done */
        HAPPENED_MISS,     /* the condition of a step did not hold */
        HAPPENED_WITHDRAW, /* an entry of `withdraw` matched */
        HAPPENED_CAME,
    } kind;
    int64_t at_ms;
    const struct test_event *event;
    const struct came *came;
    size_t moment, number; /* indexes: moment; step, or entry of `withdraw` */
    struct str about;
    struct str type;  /* of the event that did it; empty: time passed */
    int64_t until_ms; /* HAPPENED_STEP: when the next timer is due; INT64_MAX: none */
    struct str reads; /* HAPPENED_MISS: what the condition read */
};

struct test_story {
    enum test_verdict verdict;
    const struct ruleset *set;
    const struct test_case *c;
    struct came *came;
    struct happened *happened;
    bool *met; /* by expectation: it came */
};

/* coverage: is told what the case reaches; NULL: none.  The result lives in arena. */
enum test_verdict test_run_case(const struct ruleset *set, const struct test_case *c,
                                struct coverage *coverage, struct arena *arena,
                                struct test_story *out, struct diags *diags);

#endif
