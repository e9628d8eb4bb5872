/* tests/support/cel_table.h - tables of expressions and what they give, for the tests of CEL.
 *
 * Variables: i = 7, u = 5u, d = 2.5, s = "text", b = true, n = null, t = 2026-03-28T23:30:00Z,
 * span = 90 minutes, list = [1, 2, 3], m = {"a": 1, "b": 2.5}, and the paths of a moment:
 * event.data.vin = "V1", event.data.weight_kg = 1900.0, event.data.pads.front = 3 (a map, pads),
 * event.none (a map, nothing there), customer.country = "NL", customer.score (declared, nothing
 * there), customer.pad_mm (a map by vin), customer.missed (one that is 0 for any other key),
 * wrong (declared int, holds a string).
 */
#ifndef TESTS_SUPPORT_CEL_TABLE_H
#define TESTS_SUPPORT_CEL_TABLE_H

#include "rules/cel/cel.h"

struct table_case {
    const char *text;
    const char *result; /* the value as in a list: texts in quotes; an error: "error: ..." */
};

enum table_mode { TABLE_STRICT, TABLE_MOMENT };

struct cel_env table_env(enum table_mode mode);
struct cel_input table_input(const struct zone *zone);

/* Evaluate each and compare; an expected error may be the start of the real one. */
void table_check(enum table_mode mode, const struct table_case *cases, size_t count);
#define TABLE_CHECK(mode, cases) table_check(mode, cases, sizeof cases / sizeof cases[0])

/* Findings as "line:column code: what (help)", joined by " | ". */
void table_findings(enum table_mode mode, const char *text, struct place place,
                    const struct cel_type *want, struct buf *out);
struct finding_case {
    const char *text, *findings;
};
void table_check_findings(enum table_mode mode, const struct finding_case *cases, size_t count);

#endif
