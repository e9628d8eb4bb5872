#include "processors/dispatch/wishes.h"

#include <stdio.h>

#include "core/limit.h"
#include "tests/support/suite.h"

static struct permission wish_of(const char *customer, const char *channel)
{
    return (struct permission){.customer = str_of(customer),
                               .channel = str_of(channel),
                               .because = STR("consent.withdrawn")};
}

START_TEST(a_wish_is_kept_until_decide_says_the_same)
{
    struct wishes *wishes = wishes_new();
    char name[] = "C-1";
    struct permission mail = wish_of(name, "email"), call = wish_of("C-1", "phone");

    wishes_add(wishes, &mail, 0);
    wishes_add(wishes, &call, 0);
    wishes_add(wishes, &mail, 0); /* read again */
    name[2] = '2';                /* it was copied */
    ck_assert_uint_eq(wishes_count(wishes, 0), 2);
    ck_assert(str_is(wishes_at(wishes, 1)->customer, "C-1"));
    name[2] = '1';
    wishes_settle(wishes, &mail);
    ck_assert_uint_eq(wishes_count(wishes, 0), 1);
    ck_assert(str_is(wishes_at(wishes, 0)->channel, "phone"));
    wishes_free(wishes);
}
END_TEST

START_TEST(it_is_forgotten_after_a_minute_or_for_newer_ones)
{
    struct wishes *wishes = wishes_new();
    char name[16];

    for (int i = 0; i <= LIMIT_DISPATCH_WISHES; i++) {
        snprintf(name, sizeof name, "C-%d", i);
        const struct permission wish = wish_of(name, "email");
        wishes_add(wishes, &wish, i);
    }
    ck_assert_uint_eq(wishes_count(wishes, 1000), LIMIT_DISPATCH_WISHES);
    ck_assert(str_is(wishes_at(wishes, 0)->customer, "C-1"));
    ck_assert_uint_eq(wishes_count(wishes, 60001), LIMIT_DISPATCH_WISHES - 1);
    ck_assert_uint_eq(wishes_count(wishes, 60001 + LIMIT_DISPATCH_WISHES), 0);
    wishes_free(wishes);
}
END_TEST

SUITE_MAIN("wishes", a_wish_is_kept_until_decide_says_the_same,
           it_is_forgotten_after_a_minute_or_for_newer_ones)
