/* tests/bench/cel/bench_cel.c - `make bench-cel`: twelve conditions as moments have them, in CEL and
 * in C written by hand.
 *
 * Both read the same values, check their kinds and say true or false.  They take turns in short
 * rounds and the best round of each counts, so a busy machine slows both or neither; what is
 * compared is the ratio.  A C function is called through a pointer, as the program is.
 * The look-up that membership is held against is a hash table of the same hundred texts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/regex.h"
#include "rules/cel/cel.h"

enum { ROUNDS = 300, ROUND_EVALUATIONS = 10 * 1000, COUNTRIES = 100, SLOTS = 256 };

/* --- what is taken from the heap --------------------------------------------------------------- */

/* In place of libc's, so that blocks are counted that are given back at once as well. */
static size_t block_count;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);

void *malloc(size_t bytes)
{
    block_count++;
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    block_count++;
    return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes)
{
    block_count++;
    return __libc_realloc(old, bytes);
}

/* --- what the conditions read ------------------------------------------------------------------ */

#define FIELDS(field)                                                                              \
    field(AMOUNT, "event.data.amount", &cel_double) field(                                         \
        WEIGHT, "event.data.weight_kg", &cel_double) field(MAKE, "event.data.make", &cel_string)   \
        field(URL, "event.data.url", &cel_string) field(ORIGIN, "event.data.country", &cel_string) \
            field(PADS, "event.data.pads_mm", &pads_type)                                          \
                field(TIME, "event.time", &cel_timestamp)                                          \
                    field(COUNTRY, "customer.country", &cel_string)                                \
                        field(MISSED, "customer.missed_payments_90d", &cel_int)                    \
                            field(INSURED, "customer.insured_weight_kg", &cel_double)              \
                                field(SPEND, "customer.spend_30d", &cel_double)                    \
                                    field(BEREAVED, "customer.bereaved", &cel_bool)                \
                                        field(LOGIN, "customer.last_login", &cel_timestamp)        \
                                            field(EMAIL, "customer.email", &cel_string)            \
                                                field(PHONE, "customer.phone", &cel_string)

enum field_number {
#define NUMBER(name, path, type) FIELD_##name,
    FIELDS(NUMBER)
#undef NUMBER
        FIELD_COUNT
};

enum { EVENT_FIELDS = FIELD_COUNTRY }; /* read in place, as decide does; the others are asked for */

static const struct cel_type pads_type = {.kind = CEL_LIST, .item = &cel_double};
static const struct {
    const char *path;
    const struct cel_type *type;
} fields[FIELD_COUNT] = {
#define ROW(name, path, type) {path, type},
    FIELDS(ROW)
#undef ROW
};

static struct value pads[4];
static struct value values[FIELD_COUNT];
static char countries[COUNTRIES][8];
static struct regex *pattern;

static struct cel_found resolve(void *context, const struct str *path, size_t count)
{
    (void)context;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        struct str rest = str_of(fields[i].path), name;
        size_t taken = 0;
        bool same = true;
        while (same && rest.len > 0) {
            if (!str_cut(rest, '.', &name, &rest)) {
                name = rest;
                rest = STR_EMPTY;
            }
            same = taken < count && str_equal(path[taken++], name);
        }
        if (same)
            return (struct cel_found){
                .result = CEL_SLOT, .slot = (uint32_t)i, .type = fields[i].type, .taken = taken};
    }
    return (struct cel_found){0};
}

static struct value load(void *context, uint32_t slot)
{
    return ((const struct value *)context)[slot];
}

static void fill_values(struct arena *arena)
{
    const double mm[] = {8.0, 7.5, 6.9, 2.8};

    for (size_t i = 0; i < 4; i++)
        pads[i] = value_double(mm[i]);
    for (int i = 0; i < COUNTRIES; i++)
        snprintf(countries[i], sizeof countries[i], "C%d", 7 * i % 1000);
    values[FIELD_AMOUNT] = value_double(120.0);
    values[FIELD_WEIGHT] = value_double(1900.0);
    values[FIELD_MAKE] = value_string(STR("Volvo"));
    values[FIELD_URL] = value_string(STR("/claim/20461"));
    values[FIELD_ORIGIN] = value_string(str_of(countries[61]));
    values[FIELD_PADS] = value_list(pads, 4);
    values[FIELD_TIME] = value_timestamp_ms(1767225600000);
    values[FIELD_COUNTRY] = value_string(STR("NL"));
    values[FIELD_MISSED] = value_int(3);
    values[FIELD_INSURED] = value_double(1100.0);
    values[FIELD_SPEND] = value_double(340.0);
    values[FIELD_BEREAVED] = value_bool(false);
    values[FIELD_LOGIN] = value_timestamp_ms(1767200000000);
    values[FIELD_PHONE] = value_string(STR("+31201234567"));
    if (regex_compile(STR("^/(car|claim)/[0-9]+$"), arena, &pattern, NULL) != ERR_NONE)
        exit(1);
}

/* --- by hand ------------------------------------------------------------------------------------ */

static bool text_is(const struct value *v, const char *text, size_t len)
{
    return v->kind == VALUE_STRING && v->n == len && memcmp(v->text, text, len) == 0;
}

static bool heavy(const struct value *v)
{
    return v[FIELD_WEIGHT].kind == VALUE_DOUBLE && v[FIELD_WEIGHT].d > 1500.0;
}

static bool heavier(const struct value *v)
{
    return v[FIELD_WEIGHT].kind == VALUE_DOUBLE && v[FIELD_INSURED].kind == VALUE_DOUBLE &&
           v[FIELD_WEIGHT].d > 1.2 * v[FIELD_INSURED].d;
}

static bool three_compares(const struct value *v)
{
    return v[FIELD_AMOUNT].kind == VALUE_DOUBLE && v[FIELD_AMOUNT].d >= 100.0 &&
           v[FIELD_MISSED].kind == VALUE_INT && v[FIELD_MISSED].i >= 3 &&
           text_is(&v[FIELD_COUNTRY], "NL", 2);
}

static bool lives_here(const struct value *v)
{
    return text_is(&v[FIELD_COUNTRY], "NL", 2);
}

static bool not_bereaved(const struct value *v)
{
    return v[FIELD_BEREAVED].kind == VALUE_BOOL && !v[FIELD_BEREAVED].boolean;
}

static bool can_be_reached(const struct value *v)
{
    return v[FIELD_EMAIL].kind != VALUE_ABSENT || v[FIELD_PHONE].kind != VALUE_ABSENT;
}

static bool logged_in_today(const struct value *v)
{
    const struct value *a = &v[FIELD_TIME], *b = &v[FIELD_LOGIN];
    int64_t s;

    if (a->kind != VALUE_TIMESTAMP || b->kind != VALUE_TIMESTAMP)
        return false;
    s = a->i - b->i;
    return s < 86400 || (s == 86400 && a->n < b->n);
}

static bool is_volvo(const struct value *v)
{
    return v[FIELD_MAKE].kind == VALUE_STRING && v[FIELD_MAKE].n >= 3 &&
           memcmp(v[FIELD_MAKE].text, "Vol", 3) == 0;
}

static bool looks_at_claim(const struct value *v)
{
    return v[FIELD_URL].kind == VALUE_STRING &&
           regex_search(pattern, value_str(v[FIELD_URL]), LIMIT_CEL_STEPS) == REGEX_YES;
}

static bool any_worn(const struct value *v)
{
    if (v[FIELD_PADS].kind != VALUE_LIST)
        return false;
    for (size_t i = 0; i < v[FIELD_PADS].n; i++)
        if (v[FIELD_PADS].list[i].kind == VALUE_DOUBLE && v[FIELD_PADS].list[i].d < 3.0)
            return true;
    return false;
}

static bool large_for_customer(const struct value *v)
{
    if (v[FIELD_SPEND].kind != VALUE_DOUBLE || v[FIELD_AMOUNT].kind != VALUE_DOUBLE)
        return false;
    return v[FIELD_SPEND].d > 500.0 ? v[FIELD_AMOUNT].d > 50.0 : v[FIELD_AMOUNT].d > 100.0;
}

static struct str table[SLOTS]; /* open addressing */

static bool known_country(const struct value *v)
{
    struct str text = value_str(v[FIELD_ORIGIN]);

    if (v[FIELD_ORIGIN].kind != VALUE_STRING)
        return false;
    for (uint64_t at = hash_bytes(text, 0) % SLOTS; table[at].len > 0; at = (at + 1) % SLOTS)
        if (str_equal(table[at], text))
            return true;
    return false;
}

static void fill_table(void)
{
    for (int i = 0; i < COUNTRIES; i++) {
        struct str text = str_of(countries[i]);
        uint64_t at = hash_bytes(text, 0) % SLOTS;
        while (table[at].len > 0)
            at = (at + 1) % SLOTS;
        table[at] = text;
    }
}

/* --- the conditions ------------------------------------------------------------------------------- */

static const struct condition {
    const char *text; /* NULL: membership in the hundred countries */
    bool (*by_hand)(const struct value *values);
    double ratio_max; /* that we want at most; 0: none */
} conditions[] = {
    {"event.data.weight_kg > 1500.0", heavy, 10},
    {"event.data.amount >= 100.0 && customer.missed_payments_90d >= 3 && customer.country == 'NL'",
     three_compares, 8},
    {NULL, known_country, 3},
    {"event.data.weight_kg > 1.2 * customer.insured_weight_kg", heavier, 0},
    {"customer.country == 'NL'", lives_here, 0},
    {"!customer.bereaved", not_bereaved, 0},
    {"has(customer.email) || has(customer.phone)", can_be_reached, 0},
    {"event.time - customer.last_login < duration('24h')", logged_in_today, 0},
    {"event.data.make.startsWith('Vol')", is_volvo, 0},
    {"event.data.url.matches('^/(car|claim)/[0-9]+$')", looks_at_claim, 0},
    {"event.data.pads_mm.exists(mm, mm < 3.0)", any_worn, 0},
    {"customer.spend_30d > 500.0 ? event.data.amount > 50.0 : event.data.amount > 100.0",
     large_for_customer, 0},
};
enum { CONDITIONS = sizeof conditions / sizeof conditions[0] };

static struct str text_of(const struct condition *condition, struct arena *arena)
{
    struct buf text = {0};
    struct str kept;

    if (condition->text != NULL)
        return str_of(condition->text);
    buf_put_text(&text, "event.data.country in [");
    for (int i = 0; i < COUNTRIES; i++)
        buf_put_format(&text, "%s'%s'", i > 0 ? ", " : "", countries[i]);
    buf_put_char(&text, ']');
    kept = arena_str(arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

struct measure {
    double cel_ns, hand_ns; /* per evaluation, best round */
    size_t program_bytes, scratch_bytes, blocks;
};

static double each_ns(int64_t from_us)
{
    return (double)(clock_mono_us() - from_us) * 1000 / ROUND_EVALUATIONS;
}

static struct measure measure(const struct condition *condition, struct arena *kept)
{
    const struct cel_env env = {.resolve = resolve};
    const struct cel_input input = {
        .context = values, .load = load, .direct = values, .direct_count = EVENT_FIELDS};
    struct measure m = {.cel_ns = 1e9, .hand_ns = 1e9};
    struct arena *scratch = arena_new(0);
    struct diags diags = {0};
    size_t before = arena_bytes(kept);
    const struct cel_program *program =
        cel_compile(&env, text_of(condition, scratch), (struct place){0}, &cel_bool, kept, &diags);
    bool (*volatile by_hand)(const struct value *) = condition->by_hand;
    volatile bool agreed = true;

    if (program == NULL) {
        fprintf(stderr, "bench-cel: %s: %s\n", condition->text, diags.items[0].what);
        exit(1);
    }
    m.program_bytes = arena_bytes(kept) - before;
    arena_reset(scratch);
    m.blocks = block_count;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t from_us = clock_mono_us();
        double ns;
        for (int i = 0; i < ROUND_EVALUATIONS; i++)
            agreed &= cel_eval(program, &input, scratch).boolean;
        ns = each_ns(from_us);
        m.cel_ns = ns < m.cel_ns ? ns : m.cel_ns;
        from_us = clock_mono_us();
        for (int i = 0; i < ROUND_EVALUATIONS; i++)
            agreed &= by_hand(values);
        ns = each_ns(from_us);
        m.hand_ns = ns < m.hand_ns ? ns : m.hand_ns;
    }
    m.blocks = block_count - m.blocks;
    m.scratch_bytes = arena_bytes(scratch);
    if (!agreed) {
        fprintf(stderr, "bench-cel: not true: %s\n", condition->text);
        exit(1);
    }
    arena_free(scratch);
    diags_free(&diags);
    return m;
}

int main(void)
{
    struct arena *kept = arena_new(0);
    int missed = 0;

    fill_values(kept);
    fill_table();
    printf("CEL beside C by hand, best of %d rounds of %d evaluations\n\n", ROUNDS,
           ROUND_EVALUATIONS);
    printf("  %8s %8s %7s %9s %7s\n", "CEL ns", "C ns", "ratio", "wanted", "bytes");
    for (size_t i = 0; i < CONDITIONS; i++) {
        const struct condition *c = &conditions[i];
        struct measure m = measure(c, kept);
        double ratio = m.cel_ns / m.hand_ns;
        char wanted[16] = "";
        if (c->ratio_max > 0)
            snprintf(wanted, sizeof wanted, "<= %.0f", c->ratio_max);
        missed += c->ratio_max > 0 && ratio > c->ratio_max;
        printf("  %8.1f %8.1f %7.1f %9s %7zu  %s%s\n", m.cel_ns, m.hand_ns, ratio, wanted,
               m.program_bytes,
               c->text != NULL ? c->text : "event.data.country in [a hundred constant texts]",
               m.scratch_bytes != 0 || m.blocks != 0 ? "  (allocates)" : "");
    }
    printf(
        "\nbytes: of the compiled condition; to evaluate one takes nothing of arena or heap unless said\n");
    if (missed > 0)
        printf("%d above what is wanted: measure again on a quiet machine\n", missed);
    arena_free(kept);
    return 0;
}
