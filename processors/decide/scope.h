/* processors/decide/scope.h - what an expression sees, and evaluating it.
 *
 * Conditions of steps see the event at hand.  Gates, value and texts see the completing event,
 * which the instance keeps.  Facts are read when an expression asks for them, not before.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_SCOPE_H
#define ATTENT_PROCESSORS_DECIDE_SCOPE_H

#include "processors/decide/turn.h"

struct scope {
    struct turn *turn;
    const struct instance *instance; /* NULL: none (yet) */
    struct value about;              /* when there is no instance */
    bool before;                     /* facts are as they were before the event at hand */
    bool kept;                       /* `event` is the one that completed the instance */
};

enum truth { TRUTH_NO = 0, TRUTH_YES, TRUTH_FAILED };

/* moment: index, for the count of errors; -1: a fact's expression. */
struct value scope_eval(struct scope *scope, int moment, const struct cel_program *program);
/* ... without counting an error, nor telling the observer. */
struct value scope_try(struct scope *scope, const struct cel_program *program);
enum truth scope_ask(struct scope *scope, int moment,
                     const struct cel_program *program); /* NULL: yes */
struct value scope_load(void *scope, uint32_t slot);
/* The customer's language; empty: not known. */
struct str scope_language(const struct turn *turn);
struct cel_input scope_input(struct scope *scope); /* for texts; with the customer's zone */

/* The customer's zone; NULL: not known. */
const struct zone *scope_zone(struct turn *turn);

/* What the moment's later expressions read of the event at hand, as step `step`. */
void scope_keep_step(struct turn *turn, const struct moment *moment, size_t step,
                     enum slot_kind kind, struct kept_list *into);
/* ... and as the completing event. */
void scope_keep_event(struct turn *turn, int moment, struct kept_list *into);

#endif
