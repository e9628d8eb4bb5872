/* tests/chaos/servers.h - what has to be asked of Kafka and Redis to hurt them, and to know that they
 * are well again.  For main's thread.
 */
#ifndef TESTS_CHAOS_SERVERS_H
#define TESTS_CHAOS_SERVERS_H

#include "tests/chaos/site.h"

/* The broker that is the active controller; -1: none says so now. */
int servers_kafka_controller(struct server *kafka);

/* The primary that has the state of one of decide's partitions now; -1: there is none. */
int servers_redis_primary(struct site *site, uint64_t draw);

/* Tell a node that has just started what it is called by others: the proxy's port. */
void servers_redis_announce(struct site *site, int index);
void servers_redis_restart(struct site *site, int index);

/* Are all slots served, and does each replica follow? */
bool servers_redis_is_whole(struct site *site);
void servers_redis_wait_whole(struct site *site);

/* Move the slot of one of decide's partitions to another primary, key by key, while it is used.  False:
 * the cluster is not whole enough for that. */
bool servers_redis_move_slot(struct site *site, uint64_t draw);

#endif
