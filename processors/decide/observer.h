/* processors/decide/observer.h - somebody who watches decide at work: the coverage, the timeline and
 * the failure report of rule tests.
 *
 * An observer changes nothing and is told only what no output says: which condition was asked and
 * what it answered, which step was done, which entry of `withdraw` matched.  The service has none
 * and pays a test of one pointer for it.  Everything that is handed over is borrowed during the call.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_OBSERVER_H
#define ATTENT_PROCESSORS_DECIDE_OBSERVER_H

#include "rules/moment/ruleset.h"

struct event;
struct scope;

enum did { DID_STEP, DID_WITHDRAW };

struct decide_did { /* an instance did something that no output says */
    enum did what;
    size_t moment; /* index */
    size_t number; /* of the step; of the entry of `withdraw` */
    struct str about;
    int64_t now_ms;
    int64_t until_ms;          /* DID_STEP but the last: the timer of the next; INT64_MAX: none */
    const struct event *event; /* NULL: time passed */
};

struct decide_observer {
    void *context;
    void (*did)(void *context, const struct decide_did *did);
    /* A program gave v.  scope: what it saw, to ask more of it (scope.h, explain.h).  moment: index,
     * -1 when it belongs to a fact. */
    void (*asked)(void *context, struct scope *scope, int moment, const struct cel_program *program,
                  struct value v);
};

#endif
