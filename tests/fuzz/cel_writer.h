/* tests/fuzz/cel_writer.h - expressions that are right in form, written by the fuzzer's bytes.
 *
 * Bytes as text seldom get past the parser.  Here each byte chooses: a literal, a variable, a row
 * of funcs.def or macros.def.  Most of what comes out checks, so the checker and the VM see deep
 * expressions of all functions.
 */
#ifndef TESTS_FUZZ_CEL_WRITER_H
#define TESTS_FUZZ_CEL_WRITER_H

#include "rules/cel/cel.h"

/* The bytes that choose; 0 when there are none left. */
struct choices {
    const uint8_t *data;
    size_t size;
};
unsigned choose(struct choices *choices, unsigned count); /* < count */

/* The variables: one of each type, by slot. */
enum { WRITER_SLOTS = 17 };
struct cel_found writer_resolve(void *context, const struct str *path, size_t count);
const struct cel_type *writer_slot_type(uint32_t slot);

struct writer_manner {
    bool own;     /* with the functions of moments */
    bool certain; /* nothing of type dyn, and no mistakes */
};

/* An expression that should be of a kind; out is appended to. */
void write_expression(struct buf *out, struct choices *choices, enum cel_type_kind kind,
                      struct writer_manner manner);

#endif
