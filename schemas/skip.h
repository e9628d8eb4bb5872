/* schemas/skip.h - a record that is passed over by whoever reads its partition: one of attent.rules.
 *
 *   key     skip/TOPIC/PARTITION/OFFSET
 *   value   {"reason": "poison", "step": "decide", "deaths": 3, "at": "2026-03-04T08:00:00Z"}
 *
 * What a reader of TOPIC makes of the log is a function of the log and its skips: it reads them when it
 * takes the partition, before any record.  A skip is never taken back.
 */
#ifndef ATTENT_SCHEMAS_SKIP_H
#define ATTENT_SCHEMAS_SKIP_H

#include "core/arena.h"
#include "core/err.h"
#include "schemas/spot.h"

#define SKIP_REASON_POISON "poison"

struct skip {
    struct spot spot;
    struct str reason, step;
    int64_t deaths; /* of processes, at this record */
    int64_t at_ms;  /* by the clock of who wrote it */
};

void skip_put_key(struct buf *out, const struct spot *spot);
void skip_put_value(struct buf *out, const struct skip *skip);

/* Is a record of attent.rules a skip?  The key decides, so that what is skipped does not depend on what
 * else stands there; of a value that cannot be read, reason and step are empty.  A record without value
 * is none.  Texts live in arena; the topic is borrowed from the key. */
bool skip_read(const struct record *record, struct arena *arena, struct skip *out);

/* --- those of a topic --------------------------------------------------------------------------- */

struct skip_list { /* start with {0} */
    struct {
        int32_t partition;
        int64_t offset;
    } * items; /* ascending, each once */
    size_t count, capacity;
};

void skip_list_add(struct skip_list *list, int32_t partition, int64_t offset);
bool skip_list_has(const struct skip_list *list, int32_t partition, int64_t offset);
void skip_list_free(struct skip_list *list);

/* Where they are kept: given to who reads a topic. */
struct skip_store {
    void *context;
    /* All skips of a topic that are there when the call begins. */
    enum err_code (*read)(void *context, const char *topic, struct skip_list *out, struct err *err);
    /* Write a skip and a dead letter (topic and all) together, once: nothing is written if the skip is
     * there already, by whomever. */
    enum err_code (*add)(void *context, const struct skip *skip, const struct record *letter,
                         struct err *err);
};

#endif
