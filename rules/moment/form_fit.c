/* Does what stands behind a key fit?  Every kind of field has one function that says what it wants; what
 * fits not is a finding, and what to write instead.
 */
#include "rules/moment/form_parts.h"

#include <stdio.h>

#include "core/check.h"
#include "core/when.h"
#include "rules/moment/hours.h"

enum { CHOICES_MAX = 8 };

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

    if (form_is_scalar(node))
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
        return expect(form_is_scalar(node) && node->text.len != 0, diags, node, key,
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
        fits &= expect(form_is_scalar(node->items[i]) && node->items[i]->text.len != 0, diags,
                       node->items[i], key, WANT("shape", "a text for each language", help));
    }
    return fits;
}

static bool fits_span(const struct yaml_node *node, const char *key, struct diags *diags)
{
    int64_t span_ms;

    return expect(
        form_is_scalar(node) && when_parse_span_ms(node->text, &span_ms) && span_ms > 0, diags,
        node, key,
        WANT("duration", "a duration", "write 90s, 10m, 24h, 14d or 2w, or added up 1d12h"));
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

    if (form_is_scalar(node) && form_list_has(field->choices, node->text))
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
        return expect(form_is_scalar(node) && hours_span(node->text, &from, &to), diags, node, key,
                      WANT("hours", "whole hours of a day", help));
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *spans = node->items[i];
        fits &=
            expect(hours_days(node->keys[i]->text, &from, &to), diags, node->keys[i], key,
                   WANT("hours", "days, such as mon-fri or sat", "write mon-fri, sat or daily"));
        fits &= expect(form_item_count(spans) != 0, diags, spans, key,
                       WANT("hours", "hours of a day", help));
        for (size_t k = 0; k < form_item_count(spans); k++)
            fits &= expect(form_is_scalar(form_item(spans, k)) &&
                               hours_span(form_item(spans, k)->text, &from, &to),
                           diags, form_item(spans, k), key,
                           WANT("hours", "whole hours of a day", help));
    }
    return fits;
}

static bool fits_item(enum form_kind kind, const struct yaml_node *node, const char *key,
                      struct diags *diags)
{
    int64_t days;

    if (kind == FORM_DATES)
        return expect(form_is_scalar(node) && form_read_date(node->text, &days), diags, node, key,
                      WANT("date", "dates that exist", "write year-month-day: 2026-12-25"));
    if (kind == FORM_TAGS)
        return expect(form_is_scalar(node) && language_is_tag(node->text), diags, node, key,
                      WANT("language", "codes of languages", "write [en, nl], or nl-BE"));
    if (kind == FORM_NAMES)
        return expect(form_is_scalar(node) && form_is_name(node->text, "-."), diags, node, key,
                      WANT("name", "names", "letters, digits, - and _, without blanks"));
    return expect(form_is_scalar(node) && node->text.len != 0, diags, node, key,
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
        fits = expect(form_is_scalar(node->items[i]) && node->items[i]->text.len != 0, diags,
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

bool form_not_yet(const struct form_field *field, struct place place, struct diags *diags)
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

bool form_fits(const struct form_field *field, const struct yaml_node *node, struct diags *diags)
{
    const char *key = field->key;
    double bound;
    bool below;

    switch (field->kind) {
    case FORM_NAME:
        return expect(form_is_scalar(node) && form_is_name(node->text, "-."), diags, node, key,
                      WANT("name", "a name", name_help));
    case FORM_WORD:
        return expect(form_is_scalar(node) && form_is_word(node->text), diags, node, key,
                      WANT("word", "a name of its own",
                           "letters, digits and _; no word that conditions know already"));
    case FORM_PHRASE:
    case FORM_TEMPLATE: return fits_phrase(node, key, diags);
    case FORM_TEXT:
        return expect(form_is_scalar(node) && node->text.len != 0, diags, node, key,
                      WANT("shape", "a text", text_help));
    case FORM_CEL:
        return expect(form_is_scalar(node) && node->text.len != 0, diags, node, key,
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
        return expect(form_is_scalar(node), diags, node, key,
                      WANT("shape", "a text, a number, true or false", text_help));
    case FORM_BOUND:
        return expect(form_is_scalar(node) && form_bound(node, &below, &bound), diags, node, key,
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
        if (!(field->sub == FORM_OF_FACT ? form_is_word(node->keys[i]->text)
                                         : form_is_name(node->keys[i]->text, "-.")))
            wants(diags, node->keys[i], form_what(field->sub),
                  field->sub == FORM_OF_FACT
                      ? WANT("word", "a name that conditions can read", "letters, digits and _")
                      : WANT("name", "a name", name_help));
    return true;
}
