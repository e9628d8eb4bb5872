/* One walk over the keys of a mapping, one over the fields of its form.  The readers further below trust
 * that it was asked whether what they read fits (form_fit.c). */
#include "rules/moment/form_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/when.h"
#include "rules/moment/hours.h"

enum { NAME_BYTES_MAX = 64, KEYS_SHOWN = 24 };

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

bool form_is_scalar(const struct yaml_node *node)
{
    return node->kind != YAML_NULL && node->kind != YAML_LIST && node->kind != YAML_MAP;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool form_is_name(struct str s, const char *more)
{
    if (s.len == 0 || s.len > NAME_BYTES_MAX || !(is_letter(s.data[0]) || s.data[0] == '_'))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_letter(s.data[i]) && !(s.data[i] >= '0' && s.data[i] <= '9') && s.data[i] != '_' &&
            (s.data[i] == '\0' || strchr(more, s.data[i]) == NULL))
            return false;
    return true;
}

bool form_is_word(struct str s)
{
    static const char reserved[] = "true false null in as break const continue else for function "
                                   "if import let loop package namespace return var void while "
                                   "event customer before now about";

    return form_is_name(s, "") && !form_list_has(reserved, s);
}

bool form_read_date(struct str s, int64_t *days)
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
                               ? !form_not_yet(&form_fields[field], node->keys[i]->place, diags)
                               : !form_fits(&form_fields[field], node->items[i], diags)))
            out->at[field] = NULL;
    }
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

    CHECK(form_read_date(node->text, &days));
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
