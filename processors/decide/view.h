/* processors/decide/view.h - a rule set as decide uses it.
 *
 * What can be known of a rule set once, and is asked for each event: the type by its name, facts
 * and moments by their ids, what an instance has to keep for later expressions.  One view per
 * partition and activation; it borrows the rule set.
 */
#ifndef ATTENT_PROCESSORS_DECIDE_VIEW_H
#define ATTENT_PROCESSORS_DECIDE_VIEW_H

#include "processors/decide/state.h"
#include "rules/moment/ruleset.h"

struct moment_view {
    uint32_t *event_slots; /* of the completing event, read by gates, value and texts */
    size_t event_slot_count;
    uint32_t *step_attrs; /* for each step: bit a is set if attr a of it is read later */
};

struct id_index { /* sorted by id */
    uint32_t id;
    uint16_t index;
};

struct view {
    const struct ruleset *set;
    uint64_t number;      /* counts activations; never 0 */
    uint32_t *path_ids;   /* by path: name_id of its pointer */
    uint16_t *type_slots; /* hash table: 1 + index of the type, 0 = free */
    uint32_t type_mask;
    struct id_index *facts, *moments;
    struct moment_view *moment_views;
    uint16_t *becomes; /* moments whose first step is `becomes` */
    size_t becomes_count;
    uint64_t *errors;    /* by moment: conditions and texts that could not be evaluated */
    int64_t cap_span_ms; /* the longest window of a cap */
    struct arena *arena; /* owns all of it */
};

struct view *view_new(const struct ruleset *set, uint64_t number);
void view_free(struct view *view); /* NULL allowed */

/* -1: none. */
int view_type(const struct view *view, struct str name);
int view_fact(const struct view *view, uint32_t id);
int view_moment(const struct view *view, uint32_t id);

/* The form of a fact's cells. */
uint8_t view_fact_form(const struct fact *fact);

#endif
