/* tests/support/probe.h - does a server at a port of 127.0.0.1 answer a real request?
 *
 * Waits 2 s at most, retries nothing.  Any thread.
 */
#ifndef TESTS_SUPPORT_PROBE_H
#define TESTS_SUPPORT_PROBE_H

#include <stdbool.h>

/* Redis answers PING; false while it still loads its data. */
bool probe_redis(int port);

/* What Redis answers to a command without binary parts ("CLUSTER INFO"), as it comes over the wire, cut
 * at room - 1 bytes; "": no answer. */
void probe_redis_ask(int port, const char *command, char *answer, int room);

/* A broker answers ApiVersions, then Metadata: the brokers that it lists, a bit for each
 * node.id below 32; 0 when it does not answer.  One that the cluster does not count on (yet)
 * is not listed. */
unsigned probe_kafka(int port);

#endif
