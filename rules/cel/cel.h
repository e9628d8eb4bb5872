/* rules/cel/cel.h - the Common Expression Language: compile an expression once, run it often.
 *
 * Language: github.com/google/cel-spec, doc/langdef.md, over JSON-like values (core/value.h).
 *
 *   text --lex--> tokens --parse--> tree --check--> typed tree --compile--> bytecode --vm--> value
 *
 * Variables are slots: at compile time the environment maps a name and the constant fields behind
 * it ("event.data.vin") to a slot number; at run time the input loads a slot.  So an expression
 * costs what it reads and no map is built for it.
 *
 * Compiling allocates in an arena and reports to diags.  No I/O, no clock, no locale, no state of
 * its own but the zone data, which is locked.
 *
 * Ownership: whatever is handed in is borrowed for the call only; a program keeps copies.  What
 * comes out lives in the arena that was handed in: a program and all that is asked of it in that of
 * cel_compile, a value in that of cel_eval or where load() took it from.  There is nothing to free
 * but arenas, diags and bufs, which are the caller's.
 *
 * Threads: a program is immutable and may be evaluated by any number of threads at once, each with
 * its own arena and input.  resolve, load and report are called by the thread that called, before
 * the call returns.  An arena, diags or buf belongs to one thread at a time.
 *
 * A program with all of it: rules/cel/README.md.
 */
#ifndef ATTENT_RULES_CEL_CEL_H
#define ATTENT_RULES_CEL_CEL_H

#include "core/arena.h"
#include "core/diag.h"
#include "core/value.h"
#include "core/zone.h"

/* --- types, for the checker ---------------------------------------------------------------- */

enum cel_type_kind {
    CEL_DYN = 0, /* known only when running */
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_LIST, /* item */
    CEL_MAP,  /* key, item */
    CEL_TYPE,
    CEL_TIMESTAMP,
    CEL_DURATION,
    CEL_OPTIONAL, /* item */
    CEL_LOCAL,    /* wall clock of the customer, what local() gives: only hours and days are asked
                     of it; comparing it with a timestamp does not check */
};

struct cel_type {
    enum cel_type_kind kind;
    const struct cel_type *key;  /* of a map; NULL = dyn */
    const struct cel_type *item; /* of a list, map, optional; NULL = dyn */
};

extern const struct cel_type cel_dyn, cel_null, cel_bool, cel_int, cel_uint, cel_double, cel_string,
    cel_bytes, cel_timestamp, cel_duration;

/* Append "map(string, double)"; NULL: "dyn". */
void cel_type_print(struct buf *out, const struct cel_type *type);

/* --- compile -------------------------------------------------------------------------------- */

/* What the environment says of a name.  Its texts have to last until cel_compile returns; the type
 * is copied. */
struct cel_found {
    enum { CEL_NO_SUCH_NAME = 0, CEL_SLOT, CEL_REFUSED } result;
    uint32_t slot;               /* CEL_SLOT: any number of the environment's choice */
    const struct cel_type *type; /* CEL_SLOT: type of what the slot holds; NULL = dyn */
    size_t taken;                /* CEL_SLOT: names of the path that the slot covers, >= 1 */
    size_t wrong;                /* not CEL_SLOT: index of the name in the path that is wrong */
    const char *code;            /* not CEL_SLOT: of the finding; NULL: unknown-name or -field */
    struct str what;             /* not CEL_SLOT: the sentence to report; empty: a standard one */
    struct str help;             /* not CEL_SLOT: what to write instead; empty: none */
};

struct cel_env {
    void *context; /* handed to resolve */

    /* Resolve a path of constant names: for `event.data.vin.size()` {"event", "data", "vin"}.
     * Names introduced by macros never get here.  NULL: there are no variables. */
    struct cel_found (*resolve)(void *context, const struct str *path, size_t count);

    /* Moments: + - * / % and comparisons may mix int and double, the checker inserts the
     * conversion; int / int warns.  Off: strictly conformant. */
    bool mixed_numbers;

    /* Moments: the functions days(n), hours(n), local(t), local_at(t, "09:00"),
     * distance_km(lat, lon, lat, lon) are there. */
    bool own_functions;

    /* ... but not those that ask where the customer lives: local and local_at. */
    bool no_zone;

    /* Types are not checked and unknown names are errors when run, as in CEL without its optional
     * checker.  Syntax errors are still reported. */
    bool unchecked;

    /* Keep the tree of what was written with the program (rules/cel/tree.h). */
    bool keep_tree;

    /* Constants are not folded and conditions run as bytecode only: slower and the same.  For tests
     * that it is the same. */
    bool unfolded;

    /* all, exists, map, has and so on are functions like others, and so unknown. */
    bool no_macros;

    /* "a.b": the name x is looked for as a.b.x, then a.x, then x; .x is x alone.  Empty: none. */
    struct str container;
};

struct cel_program;

/* Compile text found at `place`.  Findings (all of them, not only the first) go to diags with the
 * line and column inside the file; for a text of several lines columns after the first line count
 * from `place.column` as well.  `want`: the type that the result must have, NULL = any.
 * NULL when there were errors.  The program lives in arena; text may go away. */
const struct cel_program *cel_compile(const struct cel_env *env, struct str text,
                                      struct place place, const struct cel_type *want,
                                      struct arena *arena, struct diags *diags);

/* Never NULL; lives with the program. */
const struct cel_type *cel_program_type(const struct cel_program *program);

/* The slots that the program may read, each once, ascending; they live with the program. */
const uint32_t *cel_program_slots(const struct cel_program *program, size_t *count);

/* True if the program is the same value whatever it reads; then *value is it (may be an error). */
bool cel_program_constant(const struct cel_program *program, struct value *value);

/* --- run ------------------------------------------------------------------------------------ */

struct cel_input {
    void *context; /* handed to load */
    /* What a slot holds now; VALUE_ABSENT: nothing (reading it is an error, has() is false).  May
     * be asked more than once for the same slot, and then has to say the same.  What a value points
     * to has to last as long as the result is used. */
    struct value (*load)(void *context, uint32_t slot);
    /* Slots direct_first, + 1 ... are not asked of load but read here; NULL with direct_count 0:
     * none are. */
    const struct value *direct;
    uint32_t direct_first, direct_count;
    const struct zone *zone; /* of the customer, for local(); NULL = UTC */
};

/* Evaluate.  input may be NULL for a program without slots.  The result is allocated in arena, or
 * borrowed from what was loaded or from the program; a failure is a VALUE_ERROR, never a crash,
 * whatever the slots hold.  Work is limited (core/limits.def): beyond it the result is an error as
 * well.  What builds no new text, list or map allocates nothing. */
struct value cel_eval(const struct cel_program *program, const struct cel_input *input,
                      struct arena *arena);

/* The value of each sub-expression, for people: `report` gets them from left to right by the byte
 * offset where each stands (an operator, a field's name).  Inside a macro, what uses its name has a
 * value for each item: they are reported as a list.  Literals are left out.  Nothing is reported
 * for a text with errors.  Compiles each part anew, so not for what has to be fast; values live in
 * arena. */
void cel_trace(const struct cel_env *env, struct str text, const struct cel_input *input,
               struct arena *arena, void *context,
               void (*report)(void *context, uint32_t at, struct value v));

/* CEL's equality (1 == 1.0 is true) and, for the formatting of texts, string(): 1900.0 prints as
 * 1900, timestamps as RFC 3339. */
bool cel_equal(struct value a, struct value b);
void cel_print(struct buf *out, struct value v);         /* appends */
void cel_print_literal(struct buf *out, struct value v); /* as CEL: a text in quotes */

/* The bytecode as text, one instruction a line: for `attent explain --code` and tests. */
void cel_disassemble(struct buf *out, const struct cel_program *program);

#endif
