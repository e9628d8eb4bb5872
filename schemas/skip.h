/* schemas/skip.h - what is passed over by whoever reads a partition, a record or a timer: one record of
 * attent.rules.
 *
 *   key     skip/TOPIC/PARTITION/OFFSET
 *   key     skip/TOPIC/PARTITION/OFFSET/timer/DUE/HASH
 *   value   {"reason": "poison", "step": "decide", "deaths": 3, "at": "2026-03-04T08:00:00Z"}
 *
 * What a reader of TOPIC makes of the log is a function of the log and its skips: it reads them when it
 * takes the partition, before any record.  A skip is never taken back.
 *
 * Of a timer: DUE is when it is due (ms), HASH stands for whose it is (attent.rules names no customer), and
 * OFFSET is the record before which it would have fired.
 */
#ifndef ATTENT_SCHEMAS_SKIP_H
#define ATTENT_SCHEMAS_SKIP_H

#include "core/arena.h"
#include "core/err.h"
#include "core/hash.h"
#include "schemas/spot.h"

#define SKIP_REASON_POISON "poison"
#define SKIP_REASON_TIMER  "poison_timer"

struct skip_timer {
    char whose[HASH128_HEX_SIZE]; /* hash of the subject */
    int64_t due_ms;
};

struct skip {
    struct spot spot;
    bool of_timer;
    struct skip_timer timer; /* if so */
    struct str reason, step;
    int64_t deaths; /* of processes, at this record */
    int64_t at_ms;  /* by the clock of who wrote it */
};

struct skip_timer skip_timer_of(struct str subject, int64_t due_ms);

void skip_put_key(struct buf *out, const struct skip *skip);
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
    struct {
        int32_t partition;
        struct skip_timer timer;
    } * timers; /* each once */
    size_t timer_count, timer_capacity;
};

void skip_list_take(struct skip_list *list, const struct skip *skip);
void skip_list_add(struct skip_list *list, int32_t partition, int64_t offset);
bool skip_list_has(const struct skip_list *list, int32_t partition, int64_t offset);
bool skip_list_has_timer(const struct skip_list *list, int32_t partition, struct str subject,
                         int64_t due_ms);
bool skip_list_knows(const struct skip_list *list, const struct skip *skip);
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
