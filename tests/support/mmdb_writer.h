/* tests/support/mmdb_writer.h - a small database of addresses in the MaxMind DB format 2.0.
 *
 *     struct mmdb_writer *w = mmdb_writer_new(6, 28);
 *     mmdb_writer_add(w, "203.0.113.0/24", "{\"country\":{\"iso_code\":\"NL\"}}");
 *     mmdb_writer_put(w, &out);            the whole file
 *     mmdb_writer_free(w);
 *
 * Search tree, data section (equal records once, a text that stood before as a pointer), metadata.
 * A smaller block goes after the larger one that it is cut from.
 */
#ifndef TESTS_SUPPORT_MMDB_WRITER_H
#define TESTS_SUPPORT_MMDB_WRITER_H

#include "core/buf.h"

struct mmdb_writer;

/* ip_version: 4, or 6 (which has IPv4 below ::/96).  record_bits: 24, 28, 32. */
struct mmdb_writer *mmdb_writer_new(int ip_version, int record_bits);
void mmdb_writer_free(struct mmdb_writer *w);

/* json: what the database says of the block; integers become uint32. */
void mmdb_writer_add(struct mmdb_writer *w, const char *block, const char *json);

void mmdb_writer_put(const struct mmdb_writer *w, struct buf *out);

/* When databases are made that this writes: 2026-01-01T00:00:00Z. */
enum { MMDB_WRITER_BUILT_S = 1767225600 };

#endif
