/* tests/support/redis_cluster.h - a real Redis Cluster: three primaries, and a replica of each.
 *
 * It is a server of server.h: kill, stop and restart its nodes with that.  Primaries are nodes 0 to 2,
 * with a third of the slots each, node N + 3 is the replica of node N; a failover changes that.
 */
#ifndef TESTS_SUPPORT_REDIS_CLUSTER_H
#define TESTS_SUPPORT_REDIS_CLUSTER_H

#include "tests/support/server.h"

enum { REDIS_CLUSTER_PRIMARIES = 3, REDIS_CLUSTER_SLOTS = 16384 };

/* Data outlives a node (--appendonly yes), a node counts as failed after 1 s; otherwise as redis_start.
 * Returns when the cluster is whole. */
struct server *redis_cluster_start(const char *const extra_args[]);

/* "redis+cluster://127.0.0.1:port,...", valid until server_stop. */
const char *redis_cluster_url(const struct server *cluster);

/* Wait until every node that runs says that all slots are served, and every replica among them
 * follows its primary. */
void redis_cluster_wait(struct server *cluster);

/* The node that runs and serves a slot now; -1: none. */
int redis_cluster_primary(struct server *cluster, int slot);

/* Move a slot with all its keys to another primary, as redis-cli --cluster reshard does, in steps that
 * a test may do one by one: begin (MIGRATING, IMPORTING), keys (at most `max` of them, how many were
 * moved), end (SETSLOT NODE on all that run). */
void redis_cluster_move_begin(struct server *cluster, int slot, int from, int to);
int redis_cluster_move_keys(struct server *cluster, int slot, int from, int to, int max);
void redis_cluster_move_end(struct server *cluster, int slot, int to);

#endif
