#include <stdio.h>

#include "core/rng.h"
#include "processors/dispatch/ledger.h"
#include "tests/support/suite.h"

static void put(struct ledger *ledger, const char *id, enum ledger_state state, int64_t due_ms)
{
    const struct ledger_entry entry = {.id = str_of(id),
                                       .state = state,
                                       .due_ms = due_ms,
                                       .channel = STR("phone"),
                                       .task = state == LEDGER_PENDING ? STR("{}") : STR_EMPTY};

    ledger_put(ledger, &entry);
}

static const char *due(const struct ledger *ledger, int64_t now_ms)
{
    static char id[TASK_ID_SIZE];
    const struct ledger_entry *entry = ledger_due(ledger, now_ms);

    snprintf(id, sizeof id, "%.*s", entry != NULL ? (int)entry->id.len : 0,
             entry != NULL ? entry->id.data : "");
    return id;
}

START_TEST(an_entry_is_found_until_it_is_removed)
{
    struct ledger *ledger = ledger_new();

    ck_assert_ptr_null(ledger_find(ledger, STR("a")));
    put(ledger, "a", LEDGER_SENT, 10);
    ck_assert_int_eq(ledger_find(ledger, STR("a"))->state, LEDGER_SENT);
    put(ledger, "a", LEDGER_WITHDRAWN, 20);
    ck_assert_int_eq(ledger_find(ledger, STR("a"))->state, LEDGER_WITHDRAWN);
    ck_assert_uint_eq(ledger_count(ledger), 1);
    ledger_remove(ledger, STR("a"));
    ledger_remove(ledger, STR("never there"));
    ck_assert_ptr_null(ledger_find(ledger, STR("a")));
    ck_assert_int_eq(ledger_due_ms(ledger), INT64_MAX);
    ledger_free(ledger);
}
END_TEST

START_TEST(entries_come_due_in_order_of_time_then_id)
{
    struct ledger *ledger = ledger_new();

    put(ledger, "late", LEDGER_SENT, 30);
    put(ledger, "b", LEDGER_SENT, 20);
    put(ledger, "a", LEDGER_SENT, 20);
    ck_assert_str_eq(due(ledger, 19), "");
    ck_assert_str_eq(due(ledger, 20), "a");
    put(ledger, "a", LEDGER_SENT, 40);
    ck_assert_str_eq(due(ledger, 20), "b");
    ledger_remove(ledger, STR("b"));
    ck_assert_str_eq(due(ledger, 100), "late");
    ledger_free(ledger);
}
END_TEST

START_TEST(a_rollback_restores_what_the_last_commit_left)
{
    struct ledger *ledger = ledger_new();

    put(ledger, "kept", LEDGER_PENDING, 10);
    put(ledger, "changed", LEDGER_PENDING, 20);
    ledger_commit(ledger);
    ledger_remove(ledger, STR("kept"));
    put(ledger, "changed", LEDGER_SENT, 50);
    put(ledger, "changed", LEDGER_WITHDRAWN, 60);
    put(ledger, "new", LEDGER_SENT, 1);
    ck_assert_uint_eq(ledger_pending(ledger), 0);
    ledger_rollback(ledger);
    ck_assert_uint_eq(ledger_count(ledger), 2);
    ck_assert_uint_eq(ledger_pending(ledger), 2);
    ck_assert_str_eq(due(ledger, 100), "kept");
    ck_assert_int_eq(ledger_find(ledger, STR("changed"))->due_ms, 20);
    ck_assert_ptr_null(ledger_find(ledger, STR("new")));
    ledger_free(ledger);
}
END_TEST

START_TEST(an_entry_may_be_replaced_by_one_made_of_its_own_texts)
{
    struct ledger *ledger = ledger_new();
    struct ledger_entry again;

    put(ledger, "a", LEDGER_PENDING, 10);
    again = *ledger_find(ledger, STR("a"));
    again.state = LEDGER_SENT;
    ledger_put(ledger, &again);
    ledger_commit(ledger);
    ck_assert(str_is(ledger_find(ledger, STR("a"))->channel, "phone"));
    ledger_free(ledger);
}
END_TEST

enum { MODEL_IDS = 40, NO_ENTRY = -1 };

/* The model: due time by id. */
static void compare(const struct ledger *ledger, const int64_t *model)
{
    int64_t first = INT64_MAX;
    size_t count = 0;
    char id[16];

    for (int i = 0; i < MODEL_IDS; i++) {
        const struct ledger_entry *entry;
        snprintf(id, sizeof id, "t%d", i);
        entry = ledger_find(ledger, str_of(id));
        ck_assert_int_eq(entry != NULL ? entry->due_ms : NO_ENTRY, model[i]);
        count += model[i] != NO_ENTRY;
        if (model[i] != NO_ENTRY && model[i] < first)
            first = model[i];
    }
    ck_assert_uint_eq(ledger_count(ledger), count);
    ck_assert_int_eq(ledger_due_ms(ledger), first);
}

START_TEST(it_behaves_as_a_list_does_under_random_changes)
{
    struct rng rng = rng_seeded(7);
    struct ledger *ledger = ledger_new();
    int64_t model[MODEL_IDS], committed[MODEL_IDS];
    char id[16];

    for (int i = 0; i < MODEL_IDS; i++)
        model[i] = committed[i] = NO_ENTRY;
    for (int step = 0; step < 3000; step++) {
        uint64_t i = rng_below(&rng, MODEL_IDS), what = rng_below(&rng, 20);
        snprintf(id, sizeof id, "t%d", (int)i);
        if (what < 11) {
            model[i] = (int64_t)rng_below(&rng, 50);
            put(ledger, id, LEDGER_SENT, model[i]);
        } else if (what < 18) {
            model[i] = NO_ENTRY;
            ledger_remove(ledger, str_of(id));
        } else if (what == 18) {
            memcpy(committed, model, sizeof model);
            ledger_commit(ledger);
        } else {
            memcpy(model, committed, sizeof model);
            ledger_rollback(ledger);
        }
        compare(ledger, model);
    }
    ledger_free(ledger);
}
END_TEST

START_TEST(only_plain_short_texts_are_ids)
{
    ck_assert(ledger_is_id(STR("00112233445566778899aabbccddeeff")));
    ck_assert(ledger_is_id(STR("a-B_9")));
    ck_assert(!ledger_is_id(STR("")));
    ck_assert(!ledger_is_id(STR("00112233445566778899aabbccddeeff0")));
    ck_assert(!ledger_is_id(STR("taken/decide/0")));
    ck_assert(!ledger_is_id(STR("/reader")));
}
END_TEST

SUITE_MAIN("ledger", an_entry_is_found_until_it_is_removed,
           entries_come_due_in_order_of_time_then_id, a_rollback_restores_what_the_last_commit_left,
           an_entry_may_be_replaced_by_one_made_of_its_own_texts,
           it_behaves_as_a_list_does_under_random_changes, only_plain_short_texts_are_ids)
