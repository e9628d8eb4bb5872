/* processors/cli/role.h - one role: how processors/cli/roles.c opens, runs and ends it.
 *
 * All functions of one thread's state are called on that thread.
 */
#ifndef ATTENT_PROCESSORS_CLI_ROLE_H
#define ATTENT_PROCESSORS_CLI_ROLE_H

#include "core/arena.h"
#include "core/conf.h"
#include "processors/cli/roles.h"

struct geoip;
struct rules_topic;

struct role_context { /* of one thread; outlives its state */
    const struct conf *conf;
    struct rules_topic *rules; /* shared by all threads */
    struct geoip *geo;         /* of ingest, whose only thread uses it; NULL: there is none */
    struct arena *arena;       /* for what lives as long as the thread */
    int thread, threads;
};

enum { ROLE_POLL_MS = 100 }; /* how soon a role sees that it shall stop */

struct role_class {
    const char *name;
    int (*threads)(const struct conf *conf); /* NULL: one */

    /* ERR_CONFIG, ERR_STATE, ERR_USAGE: a person is needed, the role ends.  Any other error: it is
     * tried again. */
    enum err_code (*open)(const struct role_context *context, void **out, struct err *err);

    /* One round of about ROLE_POLL_MS.  ERR_CONFIG: the role ends.  Any other error is logged,
     * and it goes on with the next round; *again (false at first): close and open before that. */
    enum err_code (*poll)(void *state, bool *again, struct err *err);

    void (*close)(void *state);
};

extern const struct role_class role_ingest, role_identify, role_decide, role_dispatch, role_console;

/* Beside the roles that need them, not ones to choose: ask whether Kafka and Redis are there. */
extern const struct role_class role_kafka, role_redis;

#endif
