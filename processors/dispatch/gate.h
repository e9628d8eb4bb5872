/* processors/dispatch/gate.h - may an attempt begin on a channel now, and when is the next one due
 * after one that failed.
 *
 * One gate per channel of this process: how many are under way, how many a second, and breakers,
 * one for the channel and one for each address that failed.  Time and chance are parameters; now_ms
 * is any clock that does not go back.  One thread at a time.
 *
 *     closed --[failures in a row]--> open --[pause]--> half open: one attempt
 *        ^                             ^                    |       |
 *        +---- it got through ---------|--------------------+       |
 *                                      +---- it did not ------------+
 *
 * An address that is gone (the receiver wants nothing more, ever) stays closed to us until the
 * process ends.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_GATE_H
#define ATTENT_PROCESSORS_DISPATCH_GATE_H

#include "connectors/channel.h"
#include "core/rng.h"

enum { GATE_RETRIES_MAX = 32 };

struct gate_options { /* of a channel: channel_options.def */
    int timeout_ms;
    uint32_t concurrency;
    uint32_t rate; /* a second; 0: no limit */
    int64_t pauses_ms[GATE_RETRIES_MAX];
    uint32_t pause_count;
    uint32_t breaker_failures;
    int64_t breaker_pause_ms;
};

/* ERR_CONFIG: a pause is no duration, or there are too many. */
enum err_code gate_options_read(const struct conf *conf, struct gate_options *out, struct err *err);

struct gate;

struct gate *gate_new(const struct gate_options *options); /* copied */
void gate_free(struct gate *gate);                         /* NULL allowed */

enum gate_answer {
    GATE_OPEN,
    GATE_FULL,    /* of the channel: as many are under way as may be; when one ends */
    GATE_LATER,   /* of the channel: not before *until_ms */
    GATE_ADDRESS, /* of this address: not before *until_ms */
    GATE_GONE,    /* of this address: never */
};

/* address: of the task; empty: the channel has none. */
enum gate_answer gate_ask(struct gate *gate, struct str address, int64_t now_ms, int64_t *until_ms);

void gate_begin(struct gate *gate, struct str address, int64_t now_ms);
/* It never was begun: the transaction that said so was taken back. */
void gate_cancel(struct gate *gate, struct str address);
void gate_end(struct gate *gate, struct str address, enum delivery result, bool gone,
              int64_t now_ms);

/* Is the breaker of the channel open? */
bool gate_is_broken(const struct gate *gate);
uint32_t gate_under_way(const struct gate *gate);

/* When to try again after `attempt` attempts: a pause of the options, drawn from three quarters to
 * five quarters of it, and not less than the receiver wishes.  False: no attempt is left. */
bool gate_next_ms(const struct gate_options *options, uint32_t attempt, int64_t wish_ms,
                  int64_t now_ms, struct rng *rng, int64_t *next_ms);

#endif
