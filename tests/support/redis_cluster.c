#include "tests/support/redis_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/probe.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    WHOLE_MS = 20000, /* takes 1 s */
    LOOK_EVERY_MS = 20,
    BUS = 10000, /* added to a port: where nodes talk to each other */
    ID_SIZE = 41,
    ARGS_MAX = 40,
    MIGRATE_MS = 5000,
};

/* --- starting ------------------------------------------------------------------------- */

static void id_of(char id[ID_SIZE], int index)
{
    snprintf(id, ID_SIZE, "%040x", index + 1);
}

static int first_slot(int primary)
{
    return REDIS_CLUSTER_SLOTS * primary / REDIS_CLUSTER_PRIMARIES;
}

/* What a node would have written itself had it met all others: so the cluster is whole as soon as
 * its nodes have shaken hands. */
static void prepare(const struct server *server, int index)
{
    char text[2048] = "", id[ID_SIZE], of[ID_SIZE];
    size_t used = 0;

    for (int i = 0; i < server_count(server); i++) {
        int port = server_port(server, i), primary = i % REDIS_CLUSTER_PRIMARIES;

        id_of(id, i);
        id_of(of, primary);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s 127.0.0.1:%d@%d %s%s%s", id,
                                 port, port + BUS, i == index ? "myself," : "",
                                 i == primary ? "master " : "slave ", i == primary ? "-" : of);
        used += (size_t)snprintf(text + used, sizeof text - used, " 0 0 %d connected", primary + 1);
        if (i == primary)
            used += (size_t)snprintf(text + used, sizeof text - used, " %d-%d", first_slot(i),
                                     first_slot(i + 1) - 1);
        used += (size_t)snprintf(text + used, sizeof text - used, "\n");
    }
    snprintf(text + used, sizeof text - used, "vars currentEpoch %d lastVoteEpoch 0\n",
             REDIS_CLUSTER_PRIMARIES);
    scratch_write(server_dir(server, index), "nodes.conf", text);
}

struct server *redis_cluster_start(const char *const extra_args[])
{
    const char *args[ARGS_MAX] = {"--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                                  /* none takes another's replica */
                                  "--cluster-allow-replica-migration", "no",
                                  /* a replica takes over however long it was cut off */
                                  "--cluster-replica-validity-factor", "0",
                                  "--repl-diskless-sync-delay", "0", "--appendonly", "yes"};
    struct server *cluster;
    int count = 12;

    for (; extra_args != NULL && *extra_args != NULL && count < ARGS_MAX - 1; extra_args++)
        args[count++] = *extra_args;
    cluster = redis_start_many(2 * REDIS_CLUSTER_PRIMARIES, args, prepare);
    redis_cluster_wait(cluster);
    return cluster;
}

const char *redis_cluster_url(const struct server *cluster)
{
    char url[256];

    snprintf(url, sizeof url, "redis+cluster://%s", server_address(cluster));
    return scratch_keep(url);
}

/* --- looking -------------------------------------------------------------------------- */

static bool is_in_cluster(int port)
{
    char answer[8192];

    probe_redis_ask(port, "CLUSTER INFO", answer, sizeof answer);
    if (strstr(answer, "cluster_state:ok") == NULL)
        return false;
    probe_redis_ask(port, "INFO replication", answer, sizeof answer);
    return strstr(answer, "role:master") != NULL || strstr(answer, "master_link_status:up") != NULL;
}

void redis_cluster_wait(struct server *cluster)
{
    int64_t end_ms = wait_now_ms() + WHOLE_MS;

    for (int i = 0; i < server_count(cluster); i++)
        while (server_pid(cluster, i) != 0 && !is_in_cluster(server_port(cluster, i))) {
            if (wait_now_ms() >= end_ms)
                scratch_fail("node %d of the Redis Cluster %s is not in a whole cluster in time", i,
                             server_address(cluster));
            wait_pause_ms(LOOK_EVERY_MS);
        }
}

/* A line of CLUSTER NODES: id, address, flags, of whom, two times, epoch, state, then slots: "5",
 * "7-9", and "[5->-id]" for one that is on its way. */
static bool line_serves(char *line, int slot)
{
    char *rest = NULL, *word = strtok_r(line, " ", &rest);
    int from, to;

    for (int i = 1; word != NULL; i++, word = strtok_r(NULL, " ", &rest)) {
        int got = i > 8 ? sscanf(word, "%d-%d", &from, &to) : 0;

        if (got >= 1 && from <= slot && slot <= (got == 2 ? to : from))
            return true;
    }
    return false;
}

/* A primary knows best what it serves itself. */
static bool says_it_serves(int port, int slot)
{
    char answer[8192], *at, *end;

    probe_redis_ask(port, "CLUSTER NODES", answer, sizeof answer);
    at = strstr(answer, "myself,master");
    end = at != NULL ? strchr(at, '\n') : NULL;
    if (end == NULL)
        return false;
    *end = '\0';
    while (at > answer && at[-1] != '\n')
        at--;
    return line_serves(at, slot);
}

int redis_cluster_primary(struct server *cluster, int slot)
{
    for (int i = 0; i < server_count(cluster); i++)
        if (server_pid(cluster, i) != 0 && says_it_serves(server_port(cluster, i), slot))
            return i;
    return -1;
}

/* --- moving a slot -------------------------------------------------------------------- */

static void tell(struct server *cluster, int index, const char *command)
{
    char answer[256];

    probe_redis_ask(server_port(cluster, index), command, answer, sizeof answer);
    if (strncmp(answer, "+OK", 3) != 0 && strncmp(answer, "+NOKEY", 6) != 0)
        scratch_fail("node %d of the Redis Cluster %s: %s: %s", index, server_address(cluster),
                     command, answer);
}

void redis_cluster_move_begin(struct server *cluster, int slot, int from, int to)
{
    char command[128], id[ID_SIZE];

    id_of(id, from);
    snprintf(command, sizeof command, "CLUSTER SETSLOT %d IMPORTING %s", slot, id);
    tell(cluster, to, command);
    id_of(id, to);
    snprintf(command, sizeof command, "CLUSTER SETSLOT %d MIGRATING %s", slot, id);
    tell(cluster, from, command);
}

/* Keys of our states hold no blanks and no CRLF, so a line of text is enough. */
int redis_cluster_move_keys(struct server *cluster, int slot, int from, int to, int max)
{
    char command[512], answer[512], *key, *end;
    int moved = 0;

    for (; moved < max; moved++) {
        snprintf(command, sizeof command, "CLUSTER GETKEYSINSLOT %d 1", slot);
        probe_redis_ask(server_port(cluster, from), command, answer, sizeof answer);
        key = strstr(answer, "\r\n$");
        key = key != NULL ? strstr(key + 2, "\r\n") : NULL;
        if (key == NULL)
            break; /* "*0" */
        end = strstr(key += 2, "\r\n");
        snprintf(command, sizeof command, "MIGRATE 127.0.0.1 %d %.*s 0 %d",
                 server_port(cluster, to), end != NULL ? (int)(end - key) : 0, key, MIGRATE_MS);
        tell(cluster, from, command);
    }
    return moved;
}

static bool is_primary(int port)
{
    char answer[8192];

    probe_redis_ask(port, "INFO replication", answer, sizeof answer);
    return strstr(answer, "role:master") != NULL;
}

/* The one that gets it first: then it is nobody's at no time. */
void redis_cluster_move_end(struct server *cluster, int slot, int to)
{
    char command[128], id[ID_SIZE];

    id_of(id, to);
    snprintf(command, sizeof command, "CLUSTER SETSLOT %d NODE %s", slot, id);
    tell(cluster, to, command);
    for (int i = 0; i < server_count(cluster); i++)
        if (i != to && server_pid(cluster, i) != 0 && is_primary(server_port(cluster, i)))
            tell(cluster, i, command);
}
