/* processors/cli/ingest_lines.h - records of a source as JSON lines, and what ingest makes of them.
 *
 *   {"topic": "crm", "key": "c1", "headers": [["ce_id", "1"], ["x", {"base64": "AAE="}]], "value": "{}"}
 *
 *   {"accepted":{"attributes":{"specversion":"1.0", ...},"data":{"json":{...}}}}
 *   {"rejected":{"reason":"bad_json","message":"..."}}
 */
#ifndef ATTENT_PROCESSORS_CLI_INGEST_LINES_H
#define ATTENT_PROCESSORS_CLI_INGEST_LINES_H

#include <stdio.h>

#include "processors/ingest/ingest.h"

/* A record of a line; it lives in arena.  False: err says what is wrong with the line. */
bool ingest_line_read(struct str line, struct arena *arena, struct record *out, struct err *err);

/* Call each with every line of a file that is not blank (NULL, "-": standard input). */
enum err_code ingest_lines_each(const char *path, void (*each)(void *context, struct str line),
                                void *context, struct err *err);

enum { INGEST_ACCEPTED = EVENT_FINE, INGEST_VERDICTS = EVENT_FAULT_COUNT };

struct ingest_trial {
    const struct ingest_config *config; /* NULL: CloudEvents are only decoded */
    int64_t now_ms;
    uint64_t counts[INGEST_VERDICTS]; /* by fault */
    uint64_t unread;                  /* lines that are no records, topics that are no sources */
};

/* The source that reads a topic; NULL: none does. */
const struct ingest_source *ingest_trial_source(const struct ingest_trial *trial, struct str topic);

/* Answer for a record, a line into out. */
void ingest_trial_record(struct ingest_trial *trial, const struct record *record,
                         struct arena *arena, struct buf *out);
/* The same for a line. */
void ingest_trial_line(struct ingest_trial *trial, struct str line, struct arena *arena,
                       struct buf *out);

void ingest_trial_table(const struct ingest_trial *trial, struct buf *out);

#endif
