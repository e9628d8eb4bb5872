/* rules/cel/graph.h - a condition that is nothing but tests, as a graph of them.  Inside rules/cel
 * only.
 *
 *   a > 1 && (b == "x" || has(c))       +-> [c there?] --yes--> TRUE
 *                                       |no        \--no--> FALSE
 *     [a > 1] --yes--> [b == "x"] ------+--yes--> TRUE
 *         \--no--> FALSE
 *
 * A test is one slot beside one constant (or set of constants), or has(slot).  It knows which test
 * comes next if it is true and if it is false, so &&, ||, ! and ?: cost nothing and no value is
 * kept.  Where a slot holds anything but what the test is made for (nothing, an error, another
 * kind) the graph has no answer and the bytecode runs from its start: so it alone says what that
 * means, and the graph can only be faster.
 */
#ifndef ATTENT_RULES_CEL_GRAPH_H
#define ATTENT_RULES_CEL_GRAPH_H

#include "rules/cel/node.h"

struct cel_set;
struct cel_program;

/* Where a way leads: to an end, or to test number x - CEL_GRAPH_ENDS.  Tests are made from the last
 * to the first, so every way leads to a lower number. */
enum cel_graph_end {
    CEL_GRAPH_FALSE = 0,
    CEL_GRAPH_TRUE,
    CEL_GRAPH_OPEN, /* no answer: the bytecode has to say */
    CEL_GRAPH_ENDS
};

/* How numbers are compared: name of the operator in C, name in funcs.def, when it holds. */
#define CEL_ORDERS(order)                                                                          \
    order(LESS, "_<_", <) order(AT_MOST, "_<=_", <=) order(EQUAL, "_==_", ==)                      \
        order(GREATER, "_>_", >) order(AT_LEAST, "_>=_", >=)

enum cel_order {
#define ORDER(name, function, sign) CEL_ORDER_##name,
    CEL_ORDERS(ORDER)
#undef ORDER
        CEL_ORDER_COUNT
};

enum cel_test_form {
    CEL_TEST_HAS,  /* is there anything in the slot                            */
    CEL_TEST_BOOL, /* is it equal to the constant                              */
    CEL_TEST_TEXT, /* is it equal to the constant                              */
    CEL_TEST_SET,  /* is it in the set                                         */
    CEL_TEST_INT,  /* + an order: is that its order to the constant            */
    CEL_TEST_DOUBLE = CEL_TEST_INT + CEL_ORDER_COUNT, /* as well; false for NaN  */
};

struct cel_test {
    uint8_t form; /* enum cel_test_form                                        */
    uint8_t kind; /* enum value_kind that the slot has to hold                 */
    bool widens;  /* the slot is declared double: an int in it is taken as one */
    uint16_t if_true, if_false;
    uint32_t slot;
    union {
        bool boolean;
        int64_t i;
        double d;
        const char *text; /* text_bytes of them */
        const struct cel_set *set;
    };
    uint32_t text_bytes;
};

/* Make the program's graph if all of `root` is tests; otherwise it has none. */
void cel_graph_make(struct cel_program *program, const struct cel_node *root, struct arena *arena);

/* The value of the condition, or CEL_GRAPH_OPEN.  Only for a program that has a graph. */
enum cel_graph_end cel_graph_run(const struct cel_program *program, const struct cel_input *input);

/* One test a line, from the first; nothing without a graph. */
void cel_graph_print(struct buf *out, const struct cel_program *program);

#endif
