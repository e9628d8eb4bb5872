/* processors/dispatch/ledger_record.h - the ledger as records of the compacted topic.
 *
 *   key            value
 *   TASK-ID        {"state":"sent","at":"2026-...","due":"2026-...","channel":"phone", ...}
 *   taken/SOURCE   {"generation":1,"number":42,"chain":"<32 hex digits>"}
 *   /reader        {"reader":"<32 hex digits>"}
 *   (any)          none: forget it
 *
 * A new owner of a partition writes /reader and reads the partition up to its own record: what
 * stands before it is decided, committed or aborted.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_LEDGER_RECORD_H
#define ATTENT_PROCESSORS_DISPATCH_LEDGER_RECORD_H

#include "core/record.h"
#include "processors/dispatch/ledger.h"
#include "schemas/chain.h"

#define LEDGER_READER_KEY "/reader"

enum ledger_record_kind {
    LEDGER_RECORD_TASK,      /* entry */
    LEDGER_RECORD_FORGOTTEN, /* entry.id: it left the ledger */
    LEDGER_RECORD_TAKEN,     /* source */
    LEDGER_RECORD_READER,    /* reader */
    LEDGER_RECORD_BROKEN,    /* nothing that dispatch writes: err says why */
};

struct ledger_record {
    enum ledger_record_kind kind;
    struct ledger_entry entry;
    struct taken_source source;
    struct str reader;
};

/* Texts live in arena or are borrowed from the record. */
void ledger_record_read(const struct record *record, struct arena *arena, struct ledger_record *out,
                        struct err *err);

/* Key and value, in arena; topic, partition and time are the caller's. */
struct record ledger_record_entry(const struct ledger_entry *entry, struct arena *arena);
struct record ledger_record_taken(const struct taken_source *source, struct arena *arena);
struct record ledger_record_reader(struct str reader, struct arena *arena);

#endif
