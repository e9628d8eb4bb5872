/* tsan: yes */
/* One program, evaluated by several threads at once. */
#include <check.h>
#include <pthread.h>

#include "core/check.h"
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

enum { THREADS = 4, EVALUATIONS = 500 };

static const char *const conditions[] = {
    "i > 3 && s == 'text' && d < 3.0",
    "s in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'text']",
    "s.matches('^te+xt$') && (s + 'a').matches('^(t|e|x|a)+$')",
    "local(t).getHours() == 0 && t.getHours('America/New_York') == 19",
    "list.map(x, string(x)).join(',') == '1,2,3' && m.exists(k, k == 'b')",
    "customer.pad_mm['V1'] < 3.0 || '%d mm'.format([i]) == '7 mm'",
};
enum { CONDITIONS = sizeof conditions / sizeof conditions[0] };

static const struct cel_program *programs[CONDITIONS];

static void *evaluate(void *wrong)
{
    struct arena *arena = arena_new(0);
    struct cel_input input = table_input(zone_find(STR("Europe/Amsterdam")));

    for (int i = 0; i < EVALUATIONS; i++)
        for (size_t k = 0; k < CONDITIONS; k++) {
            struct value v = cel_eval(programs[k], &input, arena);
            if (v.kind != VALUE_BOOL || !v.boolean)
                *(const char **)wrong = conditions[k];
            arena_reset(arena);
        }
    arena_free(arena);
    return NULL;
}

START_TEST(threads_share_a_program)
{
    struct cel_env env = table_env(TABLE_MOMENT);
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    pthread_t threads[THREADS];
    const char *wrong[THREADS] = {0};

    for (size_t k = 0; k < CONDITIONS; k++) {
        programs[k] = cel_compile(&env, str_of(conditions[k]), (struct place){NULL, 1, 1},
                                  &cel_bool, arena, &diags);
        ck_assert_msg(programs[k] != NULL, "%s", conditions[k]);
    }
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, evaluate, &wrong[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        ck_assert_msg(wrong[i] == NULL, "%s is not true in thread %d", wrong[i], i);
    }
    diags_free(&diags);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("cel threads", threads_share_a_program)
