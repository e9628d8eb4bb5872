/* rules/moment/compile.h - the parts of the compiler.  Inside rules/moment only.
 *
 *   types.c     event types, the fields (paths) that are read of them, the index by event type
 *   scope.c     what an expression sees, and compiling it at its place in the YAML file
 *   parts.c     the conditions that && and || join in one
 *   facts.c     facts.yaml          policy.c    policy.yaml        sources.c   sources.yaml
 *   identity.c  identity.yaml
 *   moments.c   moments/NAME.yaml: gates, acts, what is shown
 *   steps.c     their steps, withdraw and about
 *   compile.c   all together: ruleset_compile, and finding things in a rule set
 *
 * Everything is reported to diags and compiling goes on, so that one run finds all; what could
 * not be compiled is left out (NULL program), because a set with errors is never used.
 */
#ifndef ATTENT_RULES_MOMENT_COMPILE_H
#define ATTENT_RULES_MOMENT_COMPILE_H

#include "rules/cel/tree.h"
#include "rules/moment/form.h"
#include "rules/moment/ruleset.h"

/* A list of numbers that grows, on the heap. */
struct numbers {
    uint16_t *items;
    size_t count, capacity;
};
void numbers_add(struct numbers *n, uint16_t number);      /* keeps them ascending, each once */
size_t numbers_append(struct numbers *n, uint16_t number); /* at the end; where it is if it is */
bool numbers_have(const struct numbers *n, uint16_t number);
uint16_t *numbers_take(struct numbers *n, struct arena *arena, size_t *count); /* and empty it */

struct type_draft { /* beside each of set->types */
    struct numbers facts, moments, paths;
    bool builtin;
};

struct compiler {
    const struct bundle *bundle;
    const char *folder; /* NULL: none */
    struct diags *diags;
    struct ruleset *set;
    struct arena *arena;                /* the set's */
    const struct yaml_node *interlocks; /* of policy.yaml: they read facts, which come behind it */
    struct type_draft *types;
    struct path *paths; /* on the heap, as are the expressions */
    size_t path_count, path_capacity;
    struct expression *expressions;
    size_t expression_count, expression_capacity;
};

#define FOUND(c, where, code, help, ...)                                                           \
    diag_add((c)->diags, DIAG_ERROR, (where), (code), (help), __VA_ARGS__)

const char *compiler_path(struct compiler *c, struct str file); /* with the folder, in arena */
const struct yaml_node *compiler_read(struct compiler *c, const struct bundle_file *file);
uint32_t compiler_id(struct str name);                        /* 32 bits of its hash */
bool compiler_moment_name(struct str file, struct str *name); /* false: not a moment's file */

/* --- types.c --- */

void types_load(struct compiler *c);
void types_index(struct compiler *c); /* at the end: lists to the set, the reader */

/* The types that a FORM_TYPES names, ascending; unknown ones are reported. */
void types_find(struct compiler *c, const struct yaml_node *node, struct numbers *out);

/* The number of a path, noted as read of the type. */
uint16_t types_read_path(struct compiler *c, uint16_t type, struct str pointer);
const struct schema *types_schema_at(const struct compiler *c, uint16_t type, struct str pointer);

/* The longest field that names (behind event.data) lead to in at least one of the types. */
struct field {
    struct str pointer;
    const struct cel_type *type; /* dyn where the types do not agree */
    size_t taken;                /* names, 0: the first is unknown */
    size_t wrong;                /* index of the unknown name */
    struct str near;             /* what it may have meant */
    struct str there;            /* else what there is, a few names */
};
struct field types_find_field(struct compiler *c, const struct numbers *types,
                              const struct str *names, size_t count);

/* --- scope.c --- */

struct step_draft {
    struct moment_step *step;
    struct numbers types;    /* of its event; none: it has none (absent) */
    struct numbers captures; /* paths */
};

struct scope {
    struct compiler *c;
    const struct numbers *types; /* of `event`; NULL: there is none */
    const char *no_event;        /* help when there is none */
    bool customer;               /* facts, now */
    bool before;
    bool timeless;                /* only what facts say: not now, not local() */
    const struct cel_type *about; /* NULL: none */
    struct step_draft *steps;     /* those that can be read */
    size_t step_count;
};

/* Compile what stands in a node; NULL node: NULL program. */
const struct cel_program *scope_compile(struct scope *scope, const struct yaml_node *node,
                                        const struct cel_type *want);
/* The same for a condition: also reports what is always true, always false or always fails. */
const struct cel_program *scope_condition(struct scope *scope, const struct yaml_node *node);
const struct template *scope_template(struct scope *scope, const struct yaml_node *node,
                                      enum text_context context);

/* --- parts.c --- */

/* The conditions that && and || join, from left to right.  0: it is one condition, or so many that
 * nobody would read them.  The trees are those of the program. */
enum { PARTS_MAX = 32 };
struct part {
    const struct cel_tree *tree;
    bool so; /* it has to be true; false: it stands behind a ! */
};
size_t parts_cut(const struct cel_tree *tree, struct part parts[PARTS_MAX]);
enum joined parts_joined(const struct cel_tree *tree);
/* Where it begins in the text: the first of its pieces. */
uint32_t parts_at(const struct cel_tree *tree);

/* --- the files --- */

void facts_load(struct compiler *c);
void policy_load(struct compiler *c);
void dedupe_load(struct compiler *c, const struct yaml_node *node);
void policy_load_interlocks(struct compiler *c); /* behind the facts, which they read */
void moments_load(struct compiler *c);
void sources_load(struct compiler *c);
void identity_load(struct compiler *c);

/* NULL node: nothing to check. */
uint32_t policy_tier_of(struct compiler *c, const struct yaml_node *node);
void policy_check_channel(struct compiler *c, const struct yaml_node *node);
void policy_check_queue(struct compiler *c, const struct yaml_node *node);

/* --- steps.c: the moving part of a moment --- */

struct moment_draft {
    struct compiler *c;
    struct moment *moment;
    struct filled form;
    struct step_draft *steps; /* as many as moment->step_count */
    struct numbers withdraw_types;
    const struct cel_type *about; /* type of `about`, NULL: none */
    struct shown_draft {
        uint32_t slot;
        uint16_t path;
    } * shown; /* on the heap */
    size_t shown_count, shown_capacity;
};

void steps_load(struct moment_draft *draft);
/* What a condition of step `step` (or later: the last step) read is worth showing. */
void steps_show(struct moment_draft *draft, const struct cel_program *program, size_t step);
void steps_show_slot(struct moment_draft *draft, uint32_t slot, size_t step);
void steps_finish(struct moment_draft *draft); /* captures and shown to the moment */

#endif
