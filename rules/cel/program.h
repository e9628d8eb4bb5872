/* rules/cel/program.h - what compiling makes.  Inside rules/cel only.
 *
 *   frame:  | locals ... | stack ... |      CEL_FRAME_MAX in all at most, checked when compiled
 *
 * Errors are values: an instruction that gets one passes it on, so && and || can absorb it and no
 * jump out of the code is needed.  Only running out of budget ends a run at once.
 */
#ifndef ATTENT_RULES_CEL_PROGRAM_H
#define ATTENT_RULES_CEL_PROGRAM_H

#include "rules/cel/check.h"
#include "rules/cel/funcs.h"
#include "rules/cel/set.h"

enum cel_op {
#define OP(name, operands, text) OP_##name,
#include "rules/cel/ops.def"
#undef OP
    OP_COUNT
};

struct cel_instr {
    uint8_t op;
    uint8_t a;
    uint16_t b;
    uint32_t c;
};

enum { CEL_FRAME_MAX = 1024 }; /* values of a frame: 16 KiB of C stack */

struct cel_slot {
    uint32_t slot;
    uint8_t kind;         /* enum cel_type_kind that it must hold; CEL_DYN: any */
    uint8_t plain;        /* enum value_kind that is taken as it is; the others are looked at */
    struct value missing; /* the error when it holds nothing */
    struct str path;      /* for the listing */
};

struct regex;
struct cel_tree;
struct cel_test;

struct cel_program {
    const struct cel_type *type;
    const struct cel_tree *tree; /* NULL: not kept */
    struct cel_instr *code;
    struct value *constants;
    struct regex **regexes; /* of MATCH */
    struct cel_set *sets;   /* of IN_SET */
    struct cel_slot *slots; /* by first use, each (slot, path) once */
    uint32_t *slot_numbers; /* each once, ascending */
    size_t code_count, constant_count, regex_count, set_count, slot_count, slot_number_count;
    const struct cel_test *tests; /* the graph; see graph.h */
    uint16_t test_count;          /* 0: there is no graph */
    uint16_t local_count;
    bool mixed;
    bool constant; /* the code is CONST, RETURN */
};

/* What a slot holds now. */
static inline struct value cel_load(const struct cel_input *input, uint32_t slot)
{
    if (slot - input->direct_first < input->direct_count)
        return input->direct[slot - input->direct_first];
    return input->load(input->context, slot);
}

/* Run with the budget that run has left; input may be NULL if there are no slots. */
struct value cel_run_program(const struct cel_program *program, struct cel_run *run);

/* Compile a checked tree; allocates in arena.  NULL: too complex (reported). */
struct cel_program *cel_generate(struct cel_source *source, const struct cel_env *env,
                                 const struct cel_node *root, const struct cel_type *want,
                                 struct arena *arena);

/* The checked tree for others (tree.h), copied into arena. */
const struct cel_tree *cel_tree_of(const struct cel_node *root, struct arena *arena);

/* Replace what does not depend on the input by its value, in place. */
void cel_fold(struct cel_source *source, const struct cel_env *env, struct arena *arena,
              struct cel_node *root);

#endif
