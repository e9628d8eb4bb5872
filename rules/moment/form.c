/* One walk over the keys of a mapping, one over the fields of its form; every kind has one
 * function that says what it wants (fits).  The readers further below trust that it was asked. */
#include "rules/moment/form.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/when.h"
#include "rules/moment/hours.h"

enum { NAME_BYTES_MAX = 64, KEYS_SHOWN = 24, CHOICES_MAX = 8 };

const struct form_field form_fields[FIELD_COUNT] = {
#define FORM(form, what)
#define FIELD(in, name, word, type, need, goes, below, choose, max, doc)                           \
    {FORM_OF_##in, word, FORM_##type, need, goes, FORM_OF_##below, choose, max, doc},
#include "rules/moment/forms.def"
#undef FORM
#undef FIELD
};

const char *form_what(enum form_id form)
{
    static const char *const whats[] = {
        "",
#define FORM(form, what) what,
#define FIELD(form, name, key, kind, needed, with, sub, choices, most, text)
#include "rules/moment/forms.def"
#undef FORM
#undef FIELD
    };

    CHECK((unsigned)form < FORM_OF_COUNT);
    return whats[form];
}

/* --- lists of words --------------------------------------------------------------------------- */

bool form_next_word(struct str *rest, struct str *word)
{
    size_t end = 0;

    while (rest->len != 0 && (rest->data[0] == ' ' || rest->data[0] == '|'))
        *rest = str_slice(*rest, 1, rest->len);
    while (end < rest->len && rest->data[end] != ' ' && rest->data[end] != '|')
        end++;
    *word = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end, rest->len);
    return word->len != 0;
}

bool form_list_has(const char *list, struct str word)
{
    struct str rest = str_of(list), each;

    while (form_next_word(&rest, &each))
        if (str_equal(each, word))
            return true;
    return false;
}

size_t form_choice(const struct yaml_node *node, const char *choices)
{
    struct str rest = str_of(choices), each;

    for (size_t i = 0; form_next_word(&rest, &each); i++)
        if (str_equal(each, node->text))
            return i;
    CHECK_NEVER("a choice that fitted");
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_NULL && node->kind != YAML_LIST && node->kind != YAML_MAP;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits, underscore; a name may have dashes and dots as well. */
static bool is_name(struct str s, const char *more)
{
    if (s.len == 0 || s.len > NAME_BYTES_MAX || !(is_letter(s.data[0]) || s.data[0] == '_'))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_letter(s.data[i]) && !(s.data[i] >= '0' && s.data[i] <= '9') && s.data[i] != '_' &&
            (s.data[i] == '\0' || strchr(more, s.data[i]) == NULL))
            return false;
    return true;
}

/* Words that CEL keeps for itself (langdef: RESERVED) or that we gave a meaning. */
static bool is_word(struct str s)
{
    static const char reserved[] = "true false null in as break const continue else for function "
                                   "if import let loop package namespace return var void while "
                                   "event customer before now about";

    return is_name(s, "") && !form_list_has(reserved, s);
}

static bool read_date(struct str s, int64_t *days)
{
    int64_t at_ms;
    char time[32];

    if (s.len != 10)
        return false;
    memcpy(time, s.data, 10);
    memcpy(time + 10, "T00:00:00Z", 11);
    if (!when_parse_ms(str_of(time), &at_ms))
        return false;
    *days = at_ms / WHEN_DAY_MS - (at_ms % WHEN_DAY_MS < 0);
    return true;
}

bool form_bound(const struct yaml_node *node, bool *below, double *bound)
{
    struct str side, number;
    char *end, text[64];

    if (!str_cut(str_trim(node->text), ' ', &side, &number))
        return false;
    number = str_trim(number);
    *below = str_is(side, "below");
    if ((!*below && !str_is(side, "above")) || number.len == 0 || number.len >= sizeof text)
        return false;
    for (size_t i = 0; i < number.len; i++)
        if (strchr("+-0123456789.eE", number.data[i]) == NULL || number.data[i] == '\0')
            return false;
    memcpy(text, number.data, number.len);
    text[number.len] = '\0';
    *bound = strtod(text, &end);
    return *end == '\0' && *bound > -1e300 && *bound < 1e300;
}

/* --- hours ------------------------------------------------------------------------------------ */

void form_hours(const struct yaml_node *node, uint32_t hours[7])
{
    memset(hours, 0, 7 * sizeof *hours);
    if (node->kind != YAML_MAP)
        hours_set(hours, STR("daily"), node->text);
    for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++)
        for (size_t k = 0; k < form_item_count(node->items[i]); k++)
            hours_set(hours, node->keys[i]->text, form_item(node->items[i], k)->text);
}

/* --- does it fit? ------------------------------------------------------------------------------- */

/* What stands behind a key: the code of a finding when it is something else, and what to write. */
struct want {
    const char *code, *what, *help;
};
#define WANT(...) ((struct want){__VA_ARGS__})

static void wants(struct diags *diags, const struct yaml_node *node, const char *key,
                  struct want want)
{
    bool none = node->kind == YAML_LIST && node->count == 0;
    const char *quote = strchr(key, ' ') == NULL ? "\"" : ""; /* of a key, not of "a fact" */

    if (is_scalar(node))
        diag_add(diags, DIAG_ERROR, node->place, want.code, want.help,
                 "%s%s%s needs %s, not \"%.*s\"", quote, key, quote, want.what,
                 (int)(node->text.len < 60 ? node->text.len : 60), node->text.data);
    else
        diag_add(diags, DIAG_ERROR, node->place, want.code, want.help,
                 "%s%s%s needs %s, but here is %s", quote, key, quote, want.what,
                 none ? "an empty list" : yaml_kind_name(node->kind));
}

static bool expect(bool fits, struct diags *diags, const struct yaml_node *node, const char *key,
                   struct want want)
{
    if (!fits)
        wants(diags, node, key, want);
    return fits;
}

static const char name_help[] =
    "begin with a letter; then letters, digits, - and _, without blanks";
static const char text_help[] =
    "write it behind the colon; in quotes if it has \": \" or \" #\" in it";

/* A text, or one for each language. */
static bool fits_phrase(const struct yaml_node *node, const char *key, struct diags *diags)
{
    static const char help[] = "write {en: ..., nl: ...}";
    bool fits = true;

    if (node->kind != YAML_MAP)
        return expect(is_scalar(node) && node->text.len != 0, diags, node, key,
                      WANT("shape", "a text", text_help));
    if (!expect(node->count != 0, diags, node, key,
                WANT("shape", "a text for each language", help)))
        return false;
    if (node->count > LIMIT_LANGUAGES) {
        diag_add(diags, DIAG_ERROR, node->place, "limit", "leave some out",
                 "\"%s\" has %zu languages, at most %d are taken", key, node->count,
                 LIMIT_LANGUAGES);
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        fits &= expect(language_is_tag(node->keys[i]->text), diags, node->keys[i], key,
                       WANT("language", "codes of languages, such as en or nl-BE", help));
        fits &= expect(is_scalar(node->items[i]) && node->items[i]->text.len != 0, diags,
                       node->items[i], key, WANT("shape", "a text for each language", help));
    }
    return fits;
}

static bool fits_span(const struct yaml_node *node, const char *key, struct diags *diags)
{
    int64_t span_ms;

    return expect(
        is_scalar(node) && when_parse_span_ms(node->text, &span_ms) && span_ms > 0, diags, node,
        key, WANT("duration", "a duration", "write 90s, 10m, 24h, 14d or 2w, or added up 1d12h"));
}

static bool fits_count(const struct form_field *field, const struct yaml_node *node,
                       struct diags *diags)
{
    char what[64];

    snprintf(what, sizeof what, "a number from 1 to %lld", (long long)field->most);
    return expect(node->kind == YAML_INT && node->integer >= 1 && node->integer <= field->most,
                  diags, node, field->key,
                  WANT("count", what, "write a whole number, without a unit and without quotes"));
}

static bool fits_choice(const struct form_field *field, const struct yaml_node *node,
                        const char *key, struct diags *diags)
{
    struct str rest = str_of(field->choices), each, words[CHOICES_MAX], near;
    char what[128], help[64];
    size_t count = 0;

    if (is_scalar(node) && form_list_has(field->choices, node->text))
        return true;
    what[0] = '\0';
    for (; form_next_word(&rest, &each); count++) {
        CHECK(count < CHOICES_MAX);
        words[count] = each;
        snprintf(what + strlen(what), sizeof what - strlen(what), "%s%.*s",
                 count == 0 ? "" : (rest.len != 0 ? ", " : " or "), STR_ARG(each));
    }
    near = str_nearest(node->text, words, count);
    snprintf(help, sizeof help, "write %.*s",
             STR_ARG(near.len != 0 ? near : STR("one of these words")));
    wants(diags, node, key, WANT("choice", what, help));
    return false;
}

static bool fits_hours(const struct yaml_node *node, const char *key, struct diags *diags)
{
    static const char help[] = "write 21-08, or {mon-fri: 08-18, sat: [09-12, 13-17]}";
    unsigned from, to;
    bool fits = true;

    if (node->kind != YAML_MAP)
        return expect(is_scalar(node) && hours_span(node->text, &from, &to), diags, node, key,
                      WANT("hours", "whole hours of a day", help));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *spans = node->items[i];
        fits &=
            expect(hours_days(node->keys[i]->text, &from, &to), diags, node->keys[i], key,
                   WANT("hours", "days, such as mon-fri or sat", "write mon-fri, sat or daily"));
        fits &= expect(form_item_count(spans) != 0, diags, spans, key,
                       WANT("hours", "hours of a day", help));
        for (size_t k = 0; k < form_item_count(spans); k++)
            fits &= expect(
                is_scalar(form_item(spans, k)) && hours_span(form_item(spans, k)->text, &from, &to),
                diags, form_item(spans, k), key, WANT("hours", "whole hours of a day", help));
    }
    return fits;
}

static bool fits_item(enum form_kind kind, const struct yaml_node *node, const char *key,
                      struct diags *diags)
{
    int64_t days;

    if (kind == FORM_DATES)
        return expect(is_scalar(node) && read_date(node->text, &days), diags, node, key,
                      WANT("date", "dates that exist", "write year-month-day: 2026-12-25"));
    if (kind == FORM_TAGS)
        return expect(is_scalar(node) && language_is_tag(node->text), diags, node, key,
                      WANT("language", "codes of languages", "write [en, nl], or nl-BE"));
    if (kind == FORM_NAMES)
        return expect(is_scalar(node) && is_name(node->text, "-."), diags, node, key,
                      WANT("name", "names", "letters, digits, - and _, without blanks"));
    return expect(is_scalar(node) && node->text.len != 0, diags, node, key,
                  WANT("shape", "texts", text_help));
}

static bool fits_items(const struct form_field *field, const struct yaml_node *node,
                       struct diags *diags)
{
    bool fits = true;

    if (field->kind != FORM_TYPES && node->kind != YAML_LIST)
        return expect(false, diags, node, field->key, WANT("shape", "a list", "write [a, b]"));
    if (form_item_count(node) == 0)
        return expect(false, diags, node, field->key,
                      WANT("shape", "at least one entry", "write a, or [a, b]"));
    for (size_t i = 0; i < form_item_count(node); i++)
        fits &= fits_item(field->kind, form_item(node, i), field->key, diags);
    return fits;
}

static bool fits_choices(const struct form_field *field, const struct yaml_node *node,
                         struct diags *diags)
{
    bool fits = true;

    if (!expect(
            node->kind == YAML_MAP, diags, node, field->key,
            WANT("shape", "codes and what they mean", "write {answered: end, not_reached: next}")))
        return false;
    for (size_t i = 0; i < node->count; i++)
        fits &= fits_choice(field, node->items[i], field->key, diags);
    return fits;
}

static bool fits_fields(const struct form_field *field, const struct yaml_node *node,
                        struct diags *diags)
{
    static const char help[] = "write {vin: event.data.vin}";
    bool fits =
        expect(node->kind == YAML_MAP && node->count != 0 && node->count <= (size_t)field->most,
               diags, node, field->key, WANT("shape", "names and their fields", help));

    for (size_t i = 0; fits && i < node->count; i++)
        fits = expect(is_scalar(node->items[i]) && node->items[i]->text.len != 0, diags,
                      node->items[i], field->key, WANT("shape", "a field of the event", help));
    return fits;
}

static bool fits_collection(const struct form_field *field, const struct yaml_node *node,
                            struct diags *diags)
{
    if (field->kind == FORM_MAP)
        return form_read_map(field, node, diags);
    if (!expect(node->kind == YAML_LIST && node->count != 0, diags, node, field->key,
                WANT("shape", "a list", "write each with a dash in front: - channel: phone")))
        return false;
    if (node->count <= (size_t)field->most)
        return true;
    diag_add(diags, DIAG_ERROR, node->place, "limit", "leave some out, or make two of it",
             "\"%s\" has %zu entries, at most %lld are taken", field->key, node->count,
             (long long)field->most);
    return false;
}

static bool not_yet(const struct form_field *field, struct place place, struct diags *diags)
{
    char help[256] = "there is:";

    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (form_fields[i].form == field->form && form_fields[i].kind != FORM_LATER &&
            str_is(str_of(form_fields[i].needed), field->needed))
            snprintf(help + strlen(help), sizeof help - strlen(help), " %s", form_fields[i].key);
    diag_add(diags, DIAG_ERROR, place, "not-yet", field->needed[0] == '|' ? help : "leave it out",
             "not there yet: %s", field->choices);
    return false;
}

/* Help: the keys that it needs, "write {tasks: ..., per: ...}". */
static bool fits_part(const struct form_field *field, const struct yaml_node *node,
                      struct diags *diags)
{
    struct buf help = {0};

    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (form_fields[i].form == field->sub && strcmp(form_fields[i].needed, "*") == 0)
            buf_put_format(&help, "%s%s: ...", help.len != 0 ? ", " : "write {",
                           form_fields[i].key);
    buf_put_char(&help, '}');
    expect(node->kind == YAML_MAP, diags, node, field->key,
           WANT("shape", "a mapping", buf_text(&help)));
    buf_free(&help);
    return node->kind == YAML_MAP;
}

static bool fits(const struct form_field *field, const struct yaml_node *node, struct diags *diags)
{
    const char *key = field->key;
    double bound;
    bool below;

    switch (field->kind) {
    case FORM_NAME:
        return expect(is_scalar(node) && is_name(node->text, "-."), diags, node, key,
                      WANT("name", "a name", name_help));
    case FORM_WORD:
        return expect(is_scalar(node) && is_word(node->text), diags, node, key,
                      WANT("word", "a name of its own",
                           "letters, digits and _; no word that conditions know already"));
    case FORM_PHRASE:
    case FORM_TEMPLATE: return fits_phrase(node, key, diags);
    case FORM_TEXT:
        return expect(is_scalar(node) && node->text.len != 0, diags, node, key,
                      WANT("shape", "a text", text_help));
    case FORM_CEL:
        return expect(is_scalar(node) && node->text.len != 0, diags, node, key,
                      WANT("shape", "a condition or a value",
                           "write it behind the colon: event.data.amount > 500"));
    case FORM_SPAN: return fits_span(node, key, diags);
    case FORM_COUNT: return fits_count(field, node, diags);
    case FORM_NUMBER:
        return expect(node->kind == YAML_INT || node->kind == YAML_FLOAT, diags, node, key,
                      WANT("number", "a number", "write 3.5, with a point"));
    case FORM_BOOL:
        return expect(node->kind == YAML_BOOL, diags, node, key,
                      WANT("yes-no", "true or false", "write true or false"));
    case FORM_SCALAR:
        return expect(is_scalar(node), diags, node, key,
                      WANT("shape", "a text, a number, true or false", text_help));
    case FORM_BOUND:
        return expect(is_scalar(node) && form_bound(node, &below, &bound), diags, node, key,
                      WANT("bound", "a side and a number", "write below 3.0 or above 80"));
    case FORM_TYPES:
    case FORM_NAMES:
    case FORM_TEXTS:
    case FORM_TAGS:
    case FORM_DATES: return fits_items(field, node, diags);
    case FORM_HOURS: return fits_hours(node, key, diags);
    case FORM_CHOICE: return fits_choice(field, node, key, diags);
    case FORM_CHOICES: return fits_choices(field, node, diags);
    case FORM_FIELDS: return fits_fields(field, node, diags);
    case FORM_LIST:
    case FORM_MAP: return fits_collection(field, node, diags);
    case FORM_PART: return fits_part(field, node, diags);
    case FORM_LATER: CHECK_NEVER("said before");
    }
    CHECK_NEVER("a kind of field");
}

/* --- mappings ----------------------------------------------------------------------------------- */

static void say_unknown(enum form_id form, const struct yaml_node *key, struct diags *diags)
{
    struct str names[FIELD_COUNT], near;
    char help[512] = "it may have:";
    size_t count = 0;

    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (form_fields[i].form == form && form_fields[i].kind != FORM_LATER)
            names[count++] = str_of(form_fields[i].key);
    near = str_nearest(key->text, names, count);
    if (near.len != 0)
        snprintf(help, sizeof help, "write %.*s", STR_ARG(near));
    else
        for (size_t i = 0; i < count && i < KEYS_SHOWN; i++)
            snprintf(help + strlen(help), sizeof help - strlen(help), " %.*s", STR_ARG(names[i]));
    diag_add(diags, DIAG_ERROR, key->place, "unknown-key", help, "%s has no key \"%.*s\"",
             form_what(form), STR_ARG(key->text));
}

static int find_field(enum form_id form, struct str key)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (form_fields[i].form == form && str_is(key, form_fields[i].key))
            return i;
    return -1;
}

/* The key that says what it is (event, absent ...); NULL when there is none, or several. */
static const char *find_kind(const struct filled *f, struct diags *diags)
{
    char help[256] = "one of:";
    const char *kind = NULL;
    bool choose = false;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (form_fields[i].form != f->form || form_fields[i].needed[0] != '|')
            continue;
        choose = true;
        if (form_fields[i].kind != FORM_LATER)
            snprintf(help + strlen(help), sizeof help - strlen(help), " %s", form_fields[i].key);
        if (f->at[i] == NULL)
            continue;
        if (kind != NULL) {
            diag_add(diags, DIAG_ERROR, f->at[i]->place, "kind", help,
                     "%s is either \"%s\" or \"%s\"", form_what(f->form), kind, form_fields[i].key);
            return NULL;
        }
        kind = form_fields[i].key;
    }
    if (choose && kind == NULL)
        diag_add(diags, DIAG_ERROR, f->node->place, "kind", help, "%s does not say what it is",
                 form_what(f->form));
    return kind;
}

/* "absent": of the kinds that a key goes with, those that there are. */
static void say_misplaced(const struct filled *f, size_t field, const char *kind,
                          struct diags *diags)
{
    struct str rest = str_of(form_fields[field].with), word;
    char kinds[128] = "";

    while (form_next_word(&rest, &word)) {
        int other = find_field(f->form, word);
        if (other >= 0 && form_fields[other].kind != FORM_LATER)
            snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), "%s%.*s",
                     kinds[0] != '\0' ? ", " : "", STR_ARG(word));
    }
    diag_add(diags, DIAG_ERROR, f->at[field]->place, "key-place", "leave it out",
             "\"%s\" does not go with \"%s\", only with %s", form_fields[field].key, kind, kinds);
}

static const char *add_help(const struct form_field *field, char *help, size_t size)
{
    snprintf(help, size, "add \"%s\": %s", field->key, field->text);
    return help;
}

static void check_needs(const struct filled *f, const char *kind, struct diags *diags)
{
    char help[512];

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct form_field *field = &form_fields[i];
        bool needed;
        if (field->form != f->form)
            continue;
        needed =
            field->needed[0] == '*' || (kind != NULL && form_list_has(field->needed, str_of(kind)));
        if (needed && f->at[i] == NULL)
            diag_add(diags, DIAG_ERROR, f->node->place, "missing-key",
                     add_help(field, help, sizeof help),
                     field->needed[0] == '*' ? "%s needs \"%s\"" : "%s needs \"%s\" with \"%s\"",
                     form_what(f->form), field->key, kind);
        if (kind != NULL && f->at[i] != NULL && field->kind != FORM_LATER &&
            field->with[0] != '\0' && !form_list_has(field->with, str_of(kind)))
            say_misplaced(f, i, kind, diags);
    }
}

bool form_read(enum form_id form, const struct yaml_node *node, struct diags *diags,
               struct filled *out)
{
    *out = (struct filled){.form = form, .node = node};
    if (node->kind != YAML_MAP) {
        diag_add(diags, DIAG_ERROR, node->place, "shape", "write key: value, each on its line",
                 "%s needs keys with values, but here is %s", form_what(form),
                 yaml_kind_name(node->kind));
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        int field = find_field(form, node->keys[i]->text);
        if (field < 0)
            say_unknown(form, node->keys[i], diags);
        else
            out->at[field] = node->items[i];
    }
    check_needs(out, find_kind(out, diags), diags);
    for (size_t i = 0; i < node->count; i++) {
        int field = find_field(form, node->keys[i]->text);
        if (field >= 0 && (form_fields[field].kind == FORM_LATER
                               ? !not_yet(&form_fields[field], node->keys[i]->place, diags)
                               : !fits(&form_fields[field], node->items[i], diags)))
            out->at[field] = NULL;
    }
    return true;
}

bool form_read_map(const struct form_field *field, const struct yaml_node *node,
                   struct diags *diags)
{
    if (node->kind != YAML_MAP) {
        wants(diags, node, field->key,
              WANT("shape", "names with something behind each",
                   "write NAME: and below it, indented, what belongs to it"));
        return false;
    }
    if (node->count > (size_t)field->most) {
        diag_add(diags, DIAG_ERROR, node->place, "limit", "leave some out",
                 "%zu entries, at most %lld are taken", node->count, (long long)field->most);
        return false;
    }
    for (size_t i = 0; i < node->count; i++)
        if (!(field->sub == FORM_OF_FACT ? is_word(node->keys[i]->text)
                                         : is_name(node->keys[i]->text, "-.")))
            wants(diags, node->keys[i], form_what(field->sub),
                  field->sub == FORM_OF_FACT
                      ? WANT("word", "a name that conditions can read", "letters, digits and _")
                      : WANT("name", "a name", name_help));
    return true;
}

/* --- what stands there -------------------------------------------------------------------------- */

struct str form_text(const struct yaml_node *node, struct arena *arena)
{
    return node != NULL ? arena_str(arena, node->text) : STR_EMPTY;
}

const struct yaml_node *form_phrase(const struct yaml_node *node, size_t index)
{
    return node->kind == YAML_MAP ? node->items[index] : node;
}

struct phrases form_phrases(const struct yaml_node *node, struct arena *arena)
{
    struct phrases phrases = {0};

    if (node == NULL)
        return phrases;
    phrases.count = node->kind == YAML_MAP ? node->count : 1;
    phrases.items = ARENA_ARRAY(arena, struct phrase, phrases.count);
    for (size_t i = 0; i < phrases.count; i++) {
        if (node->kind == YAML_MAP)
            phrases.items[i].language = form_text(node->keys[i], arena);
        phrases.items[i].text = form_text(form_phrase(node, i), arena);
    }
    return phrases;
}

int64_t form_span_ms(const struct yaml_node *node, int64_t fallback)
{
    int64_t span_ms = fallback;

    if (node != NULL)
        CHECK(when_parse_span_ms(node->text, &span_ms));
    return span_ms;
}

uint32_t form_count(const struct yaml_node *node, uint32_t fallback)
{
    return node != NULL ? (uint32_t)node->integer : fallback;
}

bool form_bool(const struct yaml_node *node)
{
    return node != NULL && node->boolean;
}

int32_t form_date(const struct yaml_node *node)
{
    int64_t days;

    CHECK(read_date(node->text, &days));
    return (int32_t)days;
}

size_t form_item_count(const struct yaml_node *node)
{
    if (node == NULL || node->kind == YAML_NULL || node->kind == YAML_MAP)
        return 0;
    return node->kind == YAML_LIST ? node->count : 1;
}

const struct yaml_node *form_item(const struct yaml_node *node, size_t index)
{
    return node->kind == YAML_LIST ? node->items[index] : node;
}
