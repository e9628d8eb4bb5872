/* The table of forms: it fits the other tables, and the schemas in the repository are its. */
#include "rules/moment/form.h"

#include "core/file.h"
#include "core/json.h"
#include "tests/support/suite.h"

static bool has_field(enum form_id form, const char *key)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (form_fields[i].form == form && form_fields[i].kind != FORM_LATER &&
            form_fields[i].needed[0] == '|' && str_is(str_of(form_fields[i].key), key))
            return true;
    return false;
}

START_TEST(every_kind_of_step_and_fact_is_a_key)
{
#define STEP(name, word, may_be_first, text) ck_assert(has_field(FORM_OF_STEP, word));
#include "rules/moment/steps.def"
#undef STEP
#define FACT(name, word, text) ck_assert(has_field(FORM_OF_FACT, word));
#include "rules/moment/facts.def"
#undef FACT
}
END_TEST

/* The kinds that a key goes with, or that need it, are keys themselves. */
static void check_words(enum form_id form, const char *list)
{
    struct str rest = str_of(list), word;

    if (list[0] == '|' || list[0] == '*')
        return;
    while (form_next_word(&rest, &word)) {
        bool found = false;
        for (size_t i = 0; i < FIELD_COUNT; i++)
            found |= form_fields[i].form == form && form_fields[i].needed[0] == '|' &&
                     str_is(word, form_fields[i].key);
        ck_assert_msg(found, "%s: %.*s", form_what(form), STR_ARG(word));
    }
}

START_TEST(the_table_names_only_what_there_is)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct form_field *f = &form_fields[i];
        check_words(f->form, f->needed);
        check_words(f->form, f->with);
        ck_assert_msg((f->kind == FORM_LIST || f->kind == FORM_MAP || f->kind == FORM_PART) ==
                          (f->sub != FORM_OF_NONE),
                      "%s", f->key);
        ck_assert_msg((f->kind == FORM_LATER) == (f->text[0] == '\0'), "%s", f->key);
        for (size_t k = 0; k < i; k++)
            ck_assert(form_fields[k].form != f->form || strcmp(form_fields[k].key, f->key) != 0);
    }
}
END_TEST

START_TEST(the_schemas_in_the_repository_are_those_of_the_table)
{
    static const char *const kinds[] = {"moment", "facts", "policy", "sources", "identity"};
    struct arena *arena = arena_new(0);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct str kept;
        struct value v;
        struct buf out = {0};
        ck_assert(form_schema_write(&out, str_of(kinds[i])));
        ck_assert_int_eq(json_parse(buf_str(&out), arena, &v, NULL), JSON_FINE);
        ck_assert_int_eq(file_read(arena_format(arena, "schemas/%s.schema.json", kinds[i]).data,
                                   arena, &kept, NULL),
                         ERR_NONE);
        ck_assert_msg(str_equal(kept, buf_str(&out)),
                      "schemas/%s.schema.json is stale: attent schema %s prints it anew", kinds[i],
                      kinds[i]);
        buf_free(&out);
    }
    ck_assert(!form_schema_write(&(struct buf){0}, STR("nothing")));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("form", every_kind_of_step_and_fact_is_a_key, the_table_names_only_what_there_is,
           the_schemas_in_the_repository_are_those_of_the_table)
