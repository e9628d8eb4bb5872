/* connectors/channel.h - how a task leaves the system.
 *
 * A connector hands one task to one channel and says what became of it.  Retry, back-off, rate
 * limits, the ledger and outcomes belong to processors/dispatch, never to a connector.  One open
 * connector is used by one thread at a time.
 *
 * Two ways out.  A channel whose receiver reads Kafka gives records, and dispatch writes them in
 * the transaction that also holds the ledger and the offset: exactly once.  Any other channel
 * delivers, after dispatch has committed that it is about to.
 */
#ifndef ATTENT_CONNECTORS_CHANNEL_H
#define ATTENT_CONNECTORS_CHANNEL_H

#include "core/conf.h"
#include "core/err.h"
#include "core/record.h"
#include "schemas/task.h"

/* What became of one task.  Dispatch switches over this without a default. */
enum delivery {
    DELIVERY_ACCEPTED = 0, /* the channel took it; an outcome event may follow    */
    DELIVERY_RETRY,        /* surely not sent: the same task may be tried again   */
    DELIVERY_UNKNOWN,      /* perhaps sent: retry only if the class is idempotent */
    DELIVERY_REFUSED,      /* can never succeed: bad address, channel opt-out     */
    DELIVERY_DOWN,         /* channel unreachable: dispatch closes and reopens    */
};

struct connector; /* one open channel; each class lays out its own */

struct connector_class {
    const char *name;                /* key in the configuration, e.g. "contact_centre" */
    const struct conf_field *fields; /* options, defaults and docs; {0} comes last */
    bool idempotent;                 /* delivering a task.id twice has one effect */

    /* Open a channel from validated conf (borrowed).  On ERR_NONE the caller owns *out until
     * close(); otherwise *out is NULL and err, if not NULL, says why. */
    enum err_code (*open)(const struct conf *conf, struct connector **out, struct err *err);

    /* Exactly one of the two ways: */

    /* The record to write for a task, or for its withdrawal; texts live in arena.  REFUSED: it
     * can never be written, err says why. */
    enum delivery (*task_record)(struct connector *c, const struct task *task, struct arena *arena,
                                 struct record *out, struct err *err);
    enum delivery (*withdrawal_record)(struct connector *c, const struct withdrawal *withdrawal,
                                       struct arena *arena, struct record *out, struct err *err);

    /* Deliver task (borrowed) within timeout_ms.  Sets err unless DELIVERY_ACCEPTED. */
    enum delivery (*deliver)(struct connector *c, const struct task *task, int timeout_ms,
                             struct err *err);

    void (*close)(struct connector *c); /* frees c; NULL is allowed */
};

/* The class of that name, NULL: none.  From channels.def. */
const struct connector_class *channel_find(struct str name);

/* All classes in the order of channels.def, NULL behind the last: for lists, docs and tests. */
const struct connector_class *channel_at(size_t index);

#endif
