#include "processors/cli/roles.h"

#include "processors/cli/config.h"
#include "tests/support/suite.h"

static void refused(const char *list, const char *said)
{
    struct err err = {0};
    unsigned set;

    ck_assert_int_eq(roles_parse(list, &set, &err), ERR_USAGE);
    ck_assert_msg(strstr(err.text, said) != NULL, "%s", err.text);
}

START_TEST(a_list_of_names_is_a_set)
{
    struct err err = {0};
    unsigned set;

    ck_assert_int_eq(roles_parse("decide", &set, &err), ERR_NONE);
    ck_assert_uint_eq(set, 1u << ROLE_DECIDE);
    ck_assert_int_eq(roles_parse("console, ingest,console", &set, &err), ERR_NONE);
    ck_assert_uint_eq(set, 1u << ROLE_CONSOLE | 1u << ROLE_INGEST);
    ck_assert_int_eq(roles_parse("ingest,identify,decide,dispatch,console", &set, &err), ERR_NONE);
    ck_assert_uint_eq(set, ROLES_ALL);
}
END_TEST

START_TEST(other_names_are_refused_with_a_suggestion)
{
    refused("decied", "did you mean decide?");
    refused("ingest,,console", "there is no role \"\"");
    refused("", "there is no role \"\"");
    refused("idle", "but ingest, identify, decide, dispatch and console");
}
END_TEST

START_TEST(the_default_is_all)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct conf *conf = conf_read(config_table(), STR(""), NULL, NULL, 0, arena, &diags);

    ck_assert_uint_eq(roles_of_conf(conf), ROLES_ALL);
    for (int i = 0; i < ROLE_COUNT; i++)
        ck_assert_ptr_nonnull(role_name((enum role)i));
    arena_free(arena);
}
END_TEST

SUITE_MAIN("roles", a_list_of_names_is_a_set, other_names_are_refused_with_a_suggestion,
           the_default_is_all)
