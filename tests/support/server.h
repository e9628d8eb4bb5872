/* tests/support/server.h - a real Redis or a real Kafka, for as long as a test wants it.
 *
 *     struct server *kafka = kafka_start(3);
 *     ... server_address(kafka) ...             "127.0.0.1:10240,127.0.0.1:10242,..."
 *     server_kill(kafka, 0, SIGKILL);           node 0 is dead when this returns
 *     server_restart(kafka, 0);                 and here it answers again
 *     server_stop(kafka);
 *
 * Each server has free ports of 127.0.0.1 and a new folder, and both go with it.  It goes when
 * server_stop is called, when the process that started it exits, and when that process or the
 * thread that started it is killed.
 *
 * Start a server where it is to end: in the suite's process before srunner_run_all, or in an
 * unchecked fixture, for all tests; in a test or a checked fixture for this test alone.  Tests
 * that Check forks may use, kill and restart a server of the suite's process: a keeper process
 * holds it, so what a test restarted lives on after the test.
 *
 * Without its server a test can say nothing, so no function here fails: it prints why, with
 * the end of the server's log, and exits with 1.  One thread at a time.
 *
 * The working directory is the root of the repository.  Redis is Debian's redis-server; Kafka
 * is run by deploy/kafka/kafka and fetched by `deploy/install kafka`.
 */
#ifndef TESTS_SUPPORT_SERVER_H
#define TESTS_SUPPORT_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server;

enum { SERVER_NODES_MAX = 6 };

/* One redis-server.  Nothing on disk, maxmemory-policy noeviction.  extra_args (ends with NULL;
 * or NULL) come after our own and win: {"--appendonly", "yes", NULL}. */
struct server *redis_start(const char *const extra_args[]);

/* Several; each one's folder is prepared before it starts.  See redis_cluster.h. */
struct server *redis_start_many(int count, const char *const extra_args[],
                                void (*prepare)(const struct server *server, int index));

/* A Kafka cluster of so many brokers, each a controller too (KRaft).  Replication 3 and
 * min.insync.replicas 2 with three brokers or more, else 1.  Topics are not made by themselves.
 * Record times may lie far ahead and nothing expires.  Returns when each broker lists all. */
struct server *kafka_start(int broker_count);

/* The same, with a proxy before each broker that listens on proxy_ports[i] and passes on to
 * server_behind_port: a client that begins at a proxy is told of the other proxies only.  Clients
 * that begin at server_address go past them, as the brokers among themselves do. */
struct server *kafka_start_behind(int broker_count, const int proxy_ports[]);
int server_behind_port(const struct server *server, int index); /* 0: there is no proxy */

/* "127.0.0.1:port[,...]", valid until server_stop. */
const char *server_address(const struct server *server);

int server_count(const struct server *server);           /* nodes, running or not              */
int server_port(const struct server *server, int index); /* the same after a restart           */
pid_t server_pid(struct server *server, int index);      /* 0: it does not run                 */

/* Folder and log file of a node, valid until server_stop.  Redis keeps dump.rdb and
 * appendonlydir in the folder, Kafka server.properties and data. */
const char *server_dir(const struct server *server, int index);
const char *server_log(const struct server *server, int index);

/* Does this node answer a real request now (PING; ApiVersions and Metadata) within 2 s?  A
 * broker answers only when it lists itself, that is when the cluster counts on it. */
bool server_answers(const struct server *server, int index);

/* Send SIGKILL, SIGTERM, SIGSTOP, SIGCONT or another signal to a node.  Returns after SIGKILL
 * and SIGTERM when it has ended.  A node that does not run is left in peace. */
void server_kill(struct server *server, int index, int signal_number);

/* Start a node again with its ports and data, and return when it answers.  One that still
 * runs gets SIGKILL first. */
void server_restart(struct server *server, int index);

/* The same, but return at once: server_answers says when it is there. */
void server_begin_restart(struct server *server, int index);

/* End all nodes (SIGKILL), remove the folder, free server.  NULL is allowed. */
void server_stop(struct server *server);

#endif
