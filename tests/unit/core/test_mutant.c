/* Each deliberate bug has a place in the code, and each is described in docs/simulator.md. */
#include <fts.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/mutant.h"
#include "tests/support/suite.h"

static bool used[MUTANT_COUNT];

static void look_at(const char *path)
{
    struct arena *arena = arena_new(0);
    struct str text;

    ck_assert_int_eq(file_read(path, arena, &text, NULL), ERR_NONE);
    for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++)
        used[m] |=
            str_contains(text, arena_format(arena, "MUTANT(%s)", mutant_name((enum mutant)m)));
    arena_free(arena);
}

START_TEST(each_mutant_sits_somewhere)
{
    char *const folders[] = {"schemas", "connectors", "processors", "tests/sim", NULL};
    FTS *walk = fts_open(folders, FTS_NOCHDIR | FTS_PHYSICAL, NULL);

    for (FTSENT *entry = fts_read(walk); entry != NULL; entry = fts_read(walk))
        if (entry->fts_info == FTS_F && str_ends(str_of(entry->fts_path), STR(".c")))
            look_at(entry->fts_path);
    fts_close(walk);
    for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++)
        ck_assert_msg(used[m], "%s is used nowhere", mutant_name((enum mutant)m));
}
END_TEST

START_TEST(none_is_on_in_a_normal_build)
{
    ck_assert(!MUTANT(COMMIT_BEFORE_PUBLISH) && !MUTANT(GAP_TAKEN));
}
END_TEST

SUITE_MAIN("mutant", each_mutant_sits_somewhere, none_is_on_in_a_normal_build)
