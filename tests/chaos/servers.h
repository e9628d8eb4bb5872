/* tests/chaos/servers.h - what has to be asked of Kafka and Redis to hurt them, and to know that they
 * are well again.  For main's thread.
 */
#ifndef TESTS_CHAOS_SERVERS_H
#define TESTS_CHAOS_SERVERS_H

#include "tests/chaos/site.h"

/* The broker that is the active controller; -1: none says so now. */
int servers_kafka_controller(struct server *kafka);

/* One that has state. */
int servers_redis_primary(struct site *site, uint64_t draw);
void servers_redis_restart(struct site *site, int index);
/* Wait until all of it answers again. */
void servers_redis_wait_whole(struct site *site);

#endif
