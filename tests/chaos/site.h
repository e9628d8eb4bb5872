/* tests/chaos/site.h - where it all runs: servers, the proxy before them, processes of attent.
 *
 * Who ends is started again, as a service manager does it.  For main's thread.  What cannot be
 * started ends the program with the reason.
 */
#ifndef TESTS_CHAOS_SITE_H
#define TESTS_CHAOS_SITE_H

#include <stdio.h>

#include "tests/chaos/proxy.h"
#include "tests/chaos/receivers.h"
#include "tests/support/process.h"
#include "tests/support/server.h"

enum site_role { SITE_INGEST, SITE_DECIDE, SITE_DISPATCH, SITE_ROLES }; /* decide identifies, too */

enum { SITE_PROCESSES_MAX = 12 };

struct member { /* a process of attent */
    enum site_role role;
    char name[24];
    struct process *process; /* NULL: it is not to run */
    bool stopped;            /* by SIGSTOP */
    bool killed;             /* by us: its end is no crash */
    int64_t again_ms;        /* when it is to be started again; 0: it runs */
};

struct site {
    const struct chaos *chaos;
    const char *folder; /* of scratch folders and "processes" */
    FILE *starts;
    struct proxy *proxy;
    struct server *kafka, *redis;
    int kafka_lanes[CHAOS_BROKERS];
    int redis_lanes[SERVER_NODES_MAX], redis_ports[SERVER_NODES_MAX]; /* ports of the proxy */
    int redis_count;
    struct kafka_settings direct; /* past the proxy */
    struct receivers *receivers;
    const char *config; /* of attent: through the proxy */
    const char *config_direct;
    struct member members[SITE_PROCESSES_MAX];
    int member_count;
    bool mortal;                /* the program is one that an event can kill (core/fail_point.h) */
    bool lethal;                /* one such event has been asked for */
    uint64_t crashes, restarts; /* by a signal that was not ours; because they gave up */
    struct arena *arena;
};

/* attent does not run yet.  FOLDER/processes says where the log of each process is. */
void site_open(struct site *site, const struct chaos *chaos, const char *folder);
void site_close(struct site *site);

void site_start_all(struct site *site);
/* SIGTERM to all, and wait; those that do not end are killed and counted as crashes. */
void site_stop_all(struct site *site);

/* Look who has ended, and start again who is to be. */
void site_tend(struct site *site);

int site_pick(const struct site *site, enum site_role role, uint64_t draw); /* one of its members */
void site_kill(struct site *site, int member, int signal_number);
int site_add(struct site *site, enum site_role role); /* one more; started at once */
void site_remove(struct site *site, int member);      /* the one added last */
/* SIGTERM and start again; false: it did not end by itself. */
bool site_roll(struct site *site, int member);

/* Run a verb of attent (past the proxy) to its end: its standard output, to be freed; NULL: it failed
 * and that was printed.  The list ends with NULL. */
char *site_run(struct site *site, const char *verb, ...) __attribute__((sentinel));

#endif
