/* processors/dispatch/ledger_view.h - what the ledger says, in Redis, for whoever asks.
 *
 *     PREFIX:task:ID                the entry as JSON, without the task's words and addresses
 *     PREFIX:contact:CHANNEL:HASH   the customer whose address that is; the hash is keyed
 *     PREFIX:contacts:HASH          the keys of that kind of one customer, so that they can be erased
 *
 * A view and nothing else: nothing is decided by it, dispatch works on when Redis is away, and what
 * it missed is written again from the ledger, as everything is when Redis lost it.  Only contacts
 * are made from tasks as they go out: of a task that is over, the ledger knows no address.
 *
 * ledger_view_take is called from the poll thread, ledger_view_customer_of from any.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_LEDGER_VIEW_H
#define ATTENT_PROCESSORS_DISPATCH_LEDGER_VIEW_H

#include "connectors/redis/redis.h"
#include "core/arena.h"
#include "core/record.h"

struct ledger_view_config { /* borrowed, outlives the view */
    struct redis_settings redis;
    const char *prefix; /* "attent:view" */
    struct str key;     /* of the hash of addresses; empty: no contacts are kept */
};

struct ledger_view;

struct ledger_view *ledger_view_open(const struct ledger_view_config *config);
void ledger_view_close(struct ledger_view *view); /* NULL allowed */

/* A record of the ledger that is committed (copied). */
void ledger_view_take(struct ledger_view *view, const struct record *record);
/* The customer was erased: no address is theirs any more.  Done when Redis is there again, unless the
 * process ends before; then the keys go by themselves after 400 days. */
void ledger_view_erase(struct ledger_view *view, struct str customer);
/* True once after something was missed: give it all entries. */
bool ledger_view_wants_all(struct ledger_view *view);
/* How many records wait for Redis.  More than 200,000 are not kept: then all are asked for again. */
size_t ledger_view_waiting(struct ledger_view *view);

/* Whose address is that?  Empty: nobody's that is known.  ERR_*: Redis cannot say now, or does not know
 * all yet that this process has sent: to be asked again. */
enum err_code ledger_view_customer_of(struct ledger_view *view, struct str channel,
                                      struct str address, struct arena *arena, struct str *out,
                                      struct err *err);

/* The key of a task, for who reads it elsewhere. */
struct str ledger_view_task_key(const char *prefix, struct str id, struct arena *arena);

#endif
