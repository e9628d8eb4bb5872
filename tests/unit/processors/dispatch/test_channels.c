#include "processors/dispatch/channels.h"
#include "tests/support/suite.h"

static struct channel_config config_of(const char *name, struct arena *arena)
{
    const struct connector_class *class = channel_find(STR("contact_centre"));
    struct diags diags = {0};

    return (struct channel_config){
        .name = str_of(name),
        .class = class,
        .conf = conf_read(class->fields, STR(""), "test.yaml", NULL, 0, arena, &diags)};
}

START_TEST(a_channel_is_found_by_the_name_that_tasks_use)
{
    struct arena *arena = arena_new(0);
    struct channel_config configs[] = {config_of("phone", arena), config_of("email", arena)};
    struct channels *channels;

    ck_assert_int_eq(channels_open(configs, 2, &channels, NULL), ERR_NONE);
    ck_assert_str_eq(channels_find(channels, STR("phone"))->name, "phone");
    ck_assert_ptr_ne(channels_find(channels, STR("phone"))->connector,
                     channels_find(channels, STR("email"))->connector); /* options of its own */
    ck_assert_ptr_null(channels_find(channels, STR("pigeon")));
    channels_close(channels);
    channels_close(NULL);
    arena_free(arena);
}
END_TEST

START_TEST(a_wrong_channel_stops_the_start_and_says_which)
{
    struct arena *arena = arena_new(0);
    struct channel_config twice[] = {config_of("phone", arena), config_of("phone", arena)};
    struct channels *channels;
    struct err err;

    ck_assert_int_eq(channels_open(twice, 2, &channels, &err), ERR_CONFIG);
    ck_assert_ptr_null(channels);
    ck_assert_str_eq(err.text, "channel phone is there twice");
    arena_free(arena);
}
END_TEST

SUITE_MAIN("dispatch channels", a_channel_is_found_by_the_name_that_tasks_use,
           a_wrong_channel_stops_the_start_and_says_which)
