/* connectors/channel.h - how a task leaves the system.
 *
 * A connector hands one task to one channel and says what became of it.  Retry, back-off, rate
 * limits, breakers, the ledger and outcomes belong to processors/dispatch, never to a connector.
 * One open connector is used by one thread at a time; dispatch opens several of one channel to
 * deliver several tasks at once, each in a thread of its own.
 *
 * Two ways out.  A channel whose receiver reads Kafka gives records, and dispatch writes them in
 * the transaction that also holds the ledger and the offset: exactly once.  Any other channel
 * delivers, after dispatch has committed that it is about to.  What it can promise then depends
 * on its receiver, and its class says so (enum guarantee).
 *
 *     deliver --+-- ACCEPTED ... sent; withdraw() may take it back
 *               +-- RETRY, DOWN  surely not sent: again, after a pause
 *               +-- UNKNOWN .... idempotent: again; else ask(), if the channel can be asked
 *               +-- REFUSED .... given up: decide looks for another way
 */
#ifndef ATTENT_CONNECTORS_CHANNEL_H
#define ATTENT_CONNECTORS_CHANNEL_H

#include "connectors/callback/callback.h"
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
    DELIVERY_DOWN,         /* channel unreachable, surely not sent: dispatch closes and reopens */
};

/* What a class promises of a task whose attempt ended in doubt: time-out, crash. */
enum guarantee {
    GUARANTEE_AT_MOST_ONCE = 0, /* the receiver does not know our ids: what is in doubt stays so */
    GUARANTEE_IDEMPOTENT,       /* delivering one task.id twice has one effect: try again        */
};

enum { CHANNEL_REFERENCE_SIZE = 128 };

/* One call, all of it borrowed. */
struct sending {
    const struct task *task;
    struct str
        reference;    /* ask, withdraw: receipt.reference of its delivery; empty: there was none */
    uint32_t attempt; /* 1 for the first */
    int timeout_ms;   /* the call has returned by then */
    int64_t now_ms;   /* wall clock, UTC: for signatures and expiry times */
    /* deliver: what the provider may report to, see connectors/callback/callback.h.  Empty: no
     * receiver is configured. */
    struct str callback_url;    /* PUBLIC_URL/callback/CHANNEL/REFERENCE */
    struct str callback_mark;   /* REFERENCE alone, for providers that hand back a text of ours */
    struct str unsubscribe_url; /* deliver: PUBLIC_URL/unsubscribe/TOKEN, takes RFC 8058's POST;
                                 * empty also for a task that asks nobody */
};

/* What a channel says beside its result.  Zeroed by the caller; a connector sets what it knows. */
struct receipt {
    /* The provider's own id of the message, NUL-terminated, kept in the ledger: for ask, withdraw
     * and status call-backs.  Printable ASCII. */
    char reference[CHANNEL_REFERENCE_SIZE];
    int64_t retry_after_ms; /* RETRY, DOWN: not sooner than in this span; 0: no wish */
    bool opted_out; /* REFUSED: the customer told the provider to stop; becomes consent.withdrawn */
    bool gone;      /* REFUSED: the receiver wants nothing more, ever (HTTP 410) */
    bool address_dead; /* REFUSED: nobody is reached at this address any more, by nothing */
};

struct connector; /* one open channel; each class lays out its own */

struct connector_class {
    const char *name;                /* key in the configuration, e.g. "contact_centre" */
    const struct conf_field *fields; /* options, defaults and docs; {0} comes last */
    enum guarantee guarantee;

    /* Open a channel from validated conf.  It is borrowed until close(): a connector may keep it and
     * the texts in it.  On ERR_NONE the caller owns *out until close(); otherwise *out is NULL and
     * err, if not NULL, says why.  No network yet: a receiver that is away must not keep attent from
     * starting. */
    enum err_code (*open)(const struct conf *conf, struct connector **out, struct err *err);
    void (*close)(struct connector *c); /* frees c; NULL is allowed */

    /* Exactly one of the two ways, records: */

    /* The record to write for a task, or for its withdrawal; texts live in arena.  REFUSED: it
     * can never be written, err says why. */
    enum delivery (*task_record)(struct connector *c, const struct task *task, struct arena *arena,
                                 struct record *out, struct err *err);
    enum delivery (*withdrawal_record)(struct connector *c, const struct withdrawal *withdrawal,
                                       struct arena *arena, struct record *out, struct err *err);

    /* ... or deliveries.  Each sets err unless DELIVERY_ACCEPTED.  err goes to logs and outcomes:
     * it names the thing, never an address, a text or a secret. */

    /* Deliver a task. */
    enum delivery (*deliver)(struct connector *c, const struct sending *sending,
                             struct receipt *receipt, struct err *err);

    /* Did the channel get a task whose delivery is in doubt?  ACCEPTED: it has it.  RETRY: it
     * surely has not.  UNKNOWN: it cannot say.  REFUSED: it had it and refused it.  DOWN: ask again
     * later.  NULL: this channel cannot be asked. */
    enum delivery (*ask)(struct connector *c, const struct sending *sending,
                         struct receipt *receipt, struct err *err);

    /* Take back what was delivered; with withdrawal->notice somebody works on it already: tell
     * them, remove nothing.  Doing it twice has one effect.  ACCEPTED: done, or it was gone
     * already.  RETRY, DOWN, UNKNOWN: again later.  REFUSED: too late.  NULL: what this channel
     * has sent cannot be taken back. */
    enum delivery (*withdraw)(struct connector *c, const struct sending *sending,
                              const struct withdrawal *withdrawal, struct receipt *receipt,
                              struct err *err);

    /* Can such a task be taken back?  NULL: all that withdraw() is there for.  Only these stay in
     * the ledger whole until their deadline. */
    bool (*recallable)(const struct task *task);

    const struct callback_class *callback; /* NULL: nothing is reported over HTTP */
};

/* The class of that name, NULL: none.  From channels.def. */
const struct connector_class *channel_find(struct str name);

/* All classes in the order of channels.def, NULL behind the last: for lists, docs and tests. */
const struct connector_class *channel_at(size_t index);

#endif
