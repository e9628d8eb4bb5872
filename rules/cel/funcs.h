/* rules/cel/funcs.h - functions: one table (funcs.def) for checker, VM, listing and manual.
 *
 * A row is one overload: name, how it is called, kinds of its arguments, result, implementation.
 * Operators are functions with names such as _+_.  Rows of one name stand together.
 * Inside rules/cel, but for cel_func_at, cel_func_find and cel_func_print, which list them.
 */
#ifndef ATTENT_RULES_CEL_FUNCS_H
#define ATTENT_RULES_CEL_FUNCS_H

#include "rules/cel/cel.h"

enum { CEL_ARGS_MAX = 4 };

enum cel_style {
    CEL_FUNCTION, /* f(a)                 */
    CEL_METHOD,   /* a.f()                */
    CEL_EITHER,   /* both                 */
    CEL_OPERATOR, /* a + b, named _+_     */
    CEL_VARIADIC, /* f(a, b, ...), or f([a, b]); args[0] = kind of every argument */
};

/* Results beyond enum cel_type_kind: they depend on the arguments. */
enum cel_result {
    CEL_RESULT_SAME = 32,   /* the type of the first argument           */
    CEL_RESULT_ITEM,        /* what the list or optional has inside     */
    CEL_RESULT_OPTIONAL,    /* an optional of the first argument        */
    CEL_RESULT_STRING_LIST, /* list(string)                             */
    CEL_RESULT_INT_LIST,    /* list(int)                                */
    CEL_RESULT_FIRST,       /* the first argument's, whatever the others */
};

enum cel_flag {
    CEL_PURE = 0,
    CEL_OWN = 1,    /* only there with env->own_functions                   */
    CEL_IMPURE = 2, /* depends on the input (its zone): never folded        */
};

/* One evaluation. */
struct cel_run {
    struct arena *arena;
    const struct cel_input *input; /* NULL while folding constants */
    int64_t budget;                /* steps left; negative: over the limit */
    bool mixed;                    /* int and double may be mixed */
};

struct cel_call {
    struct cel_run *run;
    const struct value *args; /* of the kinds that the row asks for */
    size_t count;
    int detail; /* from the row: what tells functions of one implementation apart */
};

struct cel_func {
    const char *name;
    enum cel_style style;
    uint8_t result; /* enum cel_type_kind or enum cel_result */
    uint8_t arg_count;
    uint8_t args[CEL_ARGS_MAX]; /* enum cel_type_kind; CEL_DYN: any */
    struct value (*call)(const struct cel_call *call);
    int detail;
    int flags;
    const char *text; /* one sentence for the manual */
};

/* Row by index, NULL behind the last: for listings. */
const struct cel_func *cel_func_at(size_t index);
void cel_func_print(struct buf *out,
                    const struct cel_func *func); /* "string.size() -> int", "int + int -> int" */

size_t cel_func_find(struct str name); /* index of the first row of a name, SIZE_MAX if none */
bool cel_func_named(const struct cel_func *func, struct str name);

/* Call the overload that fits the kinds of args: row `hint` if it does, else another of its name.
 * An error among args is the result. */
struct value cel_func_call(struct cel_run *run, size_t hint, const struct value *args,
                           size_t count);

/* --- for implementations ---------------------------------------------------------------------- */

/* Kind of a value as the checker says it.  A local time is a VALUE_TIMESTAMP, shifted by its
 * offset, with CEL_LOCAL_BIT set in its nanoseconds: so it never equals a timestamp. */
#define CEL_LOCAL_BIT UINT32_C(0x80000000)
enum cel_type_kind cel_kind_of(struct value v);

struct value cel_error(const char *text); /* text is a literal */
struct value cel_no_overload(struct cel_run *run, const char *name, const struct value *args,
                             size_t count);

/* Pay for work that grows with data: about a step for 16 bytes or an item.  False and over the
 * limit when there is nothing left. */
bool cel_charge(struct cel_run *run, size_t steps);

/* Room for a text that is built; NULL (and *error) when it is too long. */
char *cel_text_room(struct cel_run *run, size_t bytes, struct value *error);
struct value cel_text_copy(struct cel_run *run, struct str s);

/* <0, 0, >0 of two numbers of any kinds; 2: a NaN is in it. */
int cel_number_compare(struct value a, struct value b);
/* Order of two values of one kind (or numbers): false if they have none. */
bool cel_compare(struct value a, struct value b, int *order);
/* As cel_equal; pays for what it compares. */
bool cel_run_equal(struct cel_run *run, struct value a, struct value b);

/* The value of a key: CEL's numeric equality (1, 1u and 1.0 are the same key). */
struct value cel_map_find(struct value map, struct value key);
struct value cel_no_such_key(struct cel_run *run, struct value key);
struct value cel_index(struct cel_run *run, struct value container, struct value key);
struct value cel_in(struct cel_run *run, struct value item, struct value container);
struct value cel_optional(struct cel_run *run, struct value v); /* VALUE_ABSENT: none */

struct regex;
struct value cel_match(struct cel_run *run, const struct regex *regex, struct str text);

/* A number as the shortest text that reads back the same: 1900, 0.1, 6.02214e+23. */
enum { CEL_DOUBLE_SIZE = 40 };
size_t cel_double_text(double d, char out[CEL_DOUBLE_SIZE]);

bool cel_timestamp_in_range(int64_t seconds);
bool cel_duration_in_range(int64_t seconds, uint32_t nanos);

#endif
