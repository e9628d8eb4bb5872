/* processors/worker/snapshot.h - a partition of a step as a file: what `attent snapshot` writes.
 *
 *   "attent-snapshot" | version 1 | step | partition | taken at (UTC ms) | identity | commit | meta |
 *   count | (subject, blob) ... | checksum 16, over all that is in front of it
 *
 * Subjects ascend, so equal states have equal files but for the time.  The own state of the
 * partition is the subject with the empty name.  Reading trusts nothing: checksum, order, every
 * blob and the meta are looked at before anybody uses them.
 */
#ifndef ATTENT_PROCESSORS_WORKER_SNAPSHOT_H
#define ATTENT_PROCESSORS_WORKER_SNAPSHOT_H

#include "processors/worker/store.h"

struct snapshot {
    struct str step;
    int32_t partition;
    int64_t taken_ms; /* by the clock of who took it */
    struct store_copy copy;
};

void snapshot_encode(const struct snapshot *snapshot, struct buf *out); /* appends */

/* What is read is borrowed from bytes, the list of subjects lives in arena.  ERR_STATE: damaged,
 * of a newer version, or no snapshot at all. */
enum err_code snapshot_decode(struct str bytes, struct arena *arena, struct snapshot *out,
                              struct err *err);

/* DIR/STEP-PARTITION.snapshot */
struct str snapshot_path(struct arena *arena, const char *dir, const char *step, int32_t partition);

/* Whole files.  ERR_IO: it cannot be written or read; else as above, with the path in front. */
enum err_code snapshot_write(const char *path, const struct snapshot *snapshot, struct err *err);
enum err_code snapshot_read(const char *path, struct arena *arena, struct snapshot *out,
                            struct err *err);

#endif
