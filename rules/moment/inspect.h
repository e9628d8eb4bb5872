/* rules/moment/inspect.h - what a rule set says that cannot be meant, for `attent check`.
 *
 *   inspect.c           all together
 *   sight.c             what a slot can be: a field by its schema, a fact by what it is made of
 *   inspect_condition.c a condition that never, or always, is true, and parts that decide nothing
 *   inspect_facts.c     facts that nobody reads, or that nothing feeds
 *   inspect_moment.c    steps, withdraw, texts and actions of one moment
 *   inspect_policy.c    channels, tiers
 *   inspect_pairs.c     two moments that fire together
 *
 * Inside rules/moment only; entered by inspect_rules, from ruleset_check (compile.c).  A set with
 * errors is inspected as well, so that one run finds all; but nothing is concluded from a file that
 * has errors of its own.
 */
#ifndef ATTENT_RULES_MOMENT_INSPECT_H
#define ATTENT_RULES_MOMENT_INSPECT_H

#include "rules/moment/compile.h"
#include "rules/moment/foresee.h"

struct inspector {
    struct compiler *c;
    const struct ruleset *set;
    struct arena *arena;
    size_t first_finding; /* of this set, in c->diags */
    bool all_sound;       /* it compiled without an error */
    /* What each fact can be, and with `per` what stands under a key. */
    struct possible *facts, *entries;
    bool facts_known; /* false: a file that they are made from has errors */
};

/* `from`: how many findings there were before this set was compiled. */
void inspect_rules(struct compiler *c, size_t from);

/* The file has errors. */
bool inspect_is_broken(const struct inspector *in, struct str file);
/* The tree of a file of the bundle; NULL: there is none, or it cannot be read. */
const struct yaml_node *inspect_read(const struct inspector *in, struct str file);
bool inspect_form(enum form_id form, const struct yaml_node *node, struct filled *out);

/* --- sight.c --- */

/* What an expression sees. */
struct sight {
    const struct inspector *in;
    const uint16_t *types; /* of `event` */
    size_t type_count;
    const struct moment *moment; /* whose steps can be read; NULL: none */
    struct foresight foresight;
};
void sight_open(struct sight *sight, const struct inspector *in, const struct moment *moment,
                const uint16_t *types, size_t type_count);
/* All facts, into in->facts and in->entries. */
void sight_facts(struct inspector *in);

/* --- inspect_condition.c --- */

/* What it means that a condition is never true: code and sentence of the finding; and for an
 * interlock one that fails is as good as true. */
struct meaning {
    const char *code, *what;
    bool failing_holds;
};

/* Report; then learn what holds behind it.  False: it is never true. */
bool inspect_condition(struct sight *sight, const struct cel_program *program,
                       const struct yaml_node *node, struct meaning meaning,
                       struct knowledge *known);

/* --- the parts --- */

void inspect_facts(struct inspector *in);
void inspect_moment(struct inspector *in, const struct moment *moment);
void inspect_policy(struct inspector *in);
void inspect_pairs(struct inspector *in);

/* --- inspect.c --- */

/* The same types, in any order. */
bool inspect_same_types(const uint16_t *a, size_t a_count, const uint16_t *b, size_t b_count);
/* The same expression; both NULL: yes. */
bool inspect_same(const struct cel_program *a, const struct cel_program *b);

#endif
