/* A record of attent.ledger: the first line is the key, the rest the value.  What can be read is
 * written and read again, and is the same. */
#include "core/check.h"
#include "processors/dispatch/ledger_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct record write_again(const struct ledger_record *read, struct arena *arena)
{
    switch (read->kind) {
    case LEDGER_RECORD_TASK: return ledger_record_entry(&read->entry, arena);
    case LEDGER_RECORD_TAKEN: return ledger_record_taken(&read->source, arena);
    case LEDGER_RECORD_READER: return ledger_record_reader(read->reader, arena);
    case LEDGER_RECORD_FORGOTTEN:
    case LEDGER_RECORD_BROKEN: break;
    }
    return (struct record){0};
}

static void check_round_trip(const struct ledger_record *read, struct arena *arena)
{
    struct record first = write_again(read, arena), second;
    struct ledger_record again;

    ledger_record_read(&first, arena, &again, NULL);
    CHECK(again.kind == read->kind);
    second = write_again(&again, arena);
    CHECK(str_equal(first.key, second.key) && str_equal(first.value, second.value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {(const char *)data, size};
    struct arena *arena = arena_new(0);
    struct ledger *ledger = ledger_new();
    struct record record = {0};
    struct ledger_record read;

    if (!str_cut(input, '\n', &record.key, &record.value))
        record.key = input; /* without a value: a tombstone */
    ledger_record_read(&record, arena, &read, NULL);
    if (read.kind == LEDGER_RECORD_TASK) {
        ledger_put(ledger, &read.entry);
        CHECK(ledger_find(ledger, record.key) != NULL);
    }
    if (read.kind != LEDGER_RECORD_BROKEN && read.kind != LEDGER_RECORD_FORGOTTEN)
        check_round_trip(&read, arena);
    ledger_free(ledger);
    arena_free(arena);
    return 0;
}
