/* connectors/redis/cluster.h - the nodes of a Redis Cluster, and which of them serves a slot now.
 *
 *     CLUSTER SLOTS of any node -> slot -> link -> primary
 *     MOVED                     -> that slot at once, all of them at the next routing
 *     ASK                       -> the next routing of that slot, once, with ASKING in front
 *     a primary that has gone   -> all of them again, from any other node; then it is tried again
 *
 * The map is asked for at most every 100 ms, over a connection of its own: those of the links have
 * replies outstanding.  For redis.c alone.  One thread at a time.
 */
#ifndef ATTENT_CONNECTORS_REDIS_CLUSTER_H
#define ATTENT_CONNECTORS_REDIS_CLUSTER_H

#include "connectors/redis/link.h"
#include "connectors/redis/redis.h"

struct cluster;

/* access is borrowed. */
struct cluster *cluster_new(const struct redis_address *address, const struct redis_access *access);
void cluster_free(struct cluster *c); /* NULL allowed */

/* Ask for the map.  ERR_CONFIG: who answers is no cluster, or does not let us in. */
enum err_code cluster_learn(struct cluster *c, struct err *err);

/* The link to the primary of a slot (-1: of any), connected. */
enum err_code cluster_route(struct cluster *c, int slot, struct redis_link **out, struct err *err);
/* The same if nothing has to be waited for; else NULL. */
struct redis_link *cluster_route_now(struct cluster *c, int slot);
/* Which link that would be, connected or not; NULL: none is known. */
struct redis_link *cluster_link_of(const struct cluster *c, int slot);

/* Learn from a reply that came over link. */
enum redis_meaning cluster_hear(struct cluster *c, const struct redis_link *link,
                                const struct redis_reply *reply);

/* Primaries that serve something; how many. */
size_t cluster_primaries(const struct cluster *c, struct redis_link **out, size_t max);

/* Can be read when a link with replies outstanding can; changes with the links, so ask each time. */
int cluster_fd(struct cluster *c);

#endif
