/* Servers are held by a keeper.
 *
 *     test program --- fork ---> keeper --- spawn ---> redis-server, or a JVM for each broker
 *       |    \                     ^
 *       |     test (Check's fork)  |   struct ask / struct answer over a socket pair
 *       +-------+------------------+
 *
 * The hard thing is who owns a process that a forked test has restarted: as the test's child it
 * would die with the test.  So the keeper is the parent of all nodes, and whoever has the socket
 * tells it what to do.
 *
 * Nothing stays behind: the kernel tells the keeper of its parent's death (SIGTERM, read through
 * a signalfd), and the keeper then kills its nodes and removes their folder; if the keeper
 * itself is killed, the nodes die by the same rule, and the folder is swept by the next program.
 *
 * Asking is one at a time.  An ask has a number, so that the answer to a test that was killed
 * while it waited is not taken for the answer to the next one.
 */
#include "tests/support/server.h"
#include "tests/support/probe.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ARGS_MAX = 64,           /* of a redis-server                                            */
    REDIS_UP_MS = 20000,     /* takes 20 ms                                                  */
    KAFKA_UP_MS = 120000,    /* takes 2 to 5 s on two free cores                             */
    TERM_MS = 30000,         /* a broker hands over its partitions before it ends            */
    ASK_MS = TERM_MS + 5000, /* of the keeper                                                */
    LOOK_EVERY_MS = 10,
    LOG_TAIL_BYTES = 3000,
};

enum verb {
    VERB_PID,   /* value: pid, 0 when it does not run */
    VERB_START, /* value: pid                         */
    VERB_KILL,
    VERB_STOP,
};

struct ask {
    uint64_t number;
    enum verb verb;
    int index;
    int signal_number;
};

struct answer {
    uint64_t number;
    pid_t value;
};

struct node {
    int port;
    int controller_port; /* Kafka only */
    int behind_port;     /* Kafka behind proxies: where it listens for what they pass on; else 0 */
    const char *dir;
    const char *log;
    const char *argv[ARGS_MAX];
    pid_t pid; /* only the keeper knows it; 0 when it does not run */
};

struct server {
    struct server *next;
    bool is_kafka;
    pid_t owner;  /* the process that started it */
    pid_t keeper; /* its child                   */
    int socket;   /* to the keeper               */
    const char *dir;
    char address[SERVER_NODES_MAX * sizeof "127.0.0.1:65535,"];
    int node_count;
    struct node nodes[SERVER_NODES_MAX];
};

static struct server *servers; /* of this process and, after a fork, of its parent */

/* --- the keeper's side ---------------------------------------------------------------- */

static void node_look(struct node *node)
{
    if (node->pid != 0 && waitpid(node->pid, NULL, WNOHANG) == node->pid)
        node->pid = 0;
}

/* To the group: until it is a JVM, a broker is a shell with a JVM that formats. */
static void node_kill(struct node *node, int signal_number)
{
    int64_t end_ms = wait_now_ms() + TERM_MS;

    node_look(node);
    if (node->pid == 0)
        return;
    kill(-node->pid, signal_number);
    if (signal_number != SIGKILL && signal_number != SIGTERM)
        return;
    for (node_look(node); node->pid != 0; node_look(node)) {
        if (wait_now_ms() >= end_ms)
            kill(-node->pid, SIGKILL);
        wait_pause_ms(LOOK_EVERY_MS);
    }
}

static void node_start(struct node *node)
{
    static const char *const env[] = {"KAFKA_LOG_LEVEL=info", NULL};
    struct process_spec spec = {
        .argv = node->argv, .env = env, .stdout_path = node->log, .stderr_path = node->log};

    node_kill(node, SIGKILL);
    node->pid = process_spawn(&spec);
}

static _Noreturn void keeper_end(struct server *server)
{
    for (int i = 0; i < server->node_count; i++)
        node_kill(&server->nodes[i], SIGKILL);
    scratch_remove(server->dir);
    _exit(0);
}

static pid_t keeper_do(struct server *server, const struct ask *ask)
{
    struct node *node = &server->nodes[ask->index];

    switch (ask->verb) {
    case VERB_PID: node_look(node); break;
    case VERB_START: node_start(node); break;
    case VERB_KILL: node_kill(node, ask->signal_number); break;
    case VERB_STOP: keeper_end(server);
    }
    return node->pid;
}

/* All descriptors of the test are closed, its pipes and sockets above all, but the keeper's. */
static void keeper_detach(int keep_fd)
{
    int null_fd = open("/dev/null", O_RDWR);

    dup2(null_fd, 0);
    dup2(null_fd, 1);
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != keep_fd)
            close(fd);
    }
    setpgid(0, 0); /* Ctrl-C and Check's time limit are for the test */
}

static int keeper_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_DFL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static _Noreturn void keeper_run(struct server *server, int socket, pid_t parent)
{
    struct pollfd watched[2] = {{.fd = socket, .events = POLLIN}, {.events = POLLIN}};
    struct ask ask;
    struct answer answer;

    keeper_detach(socket);
    watched[1].fd = keeper_signals();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        keeper_end(server);
    for (;;) {
        if (poll(watched, 2, -1) < 0 && errno == EINTR)
            continue;
        if (watched[1].revents != 0 || recv(socket, &ask, sizeof ask, 0) != (ssize_t)sizeof ask)
            keeper_end(server);
        answer.number = ask.number;
        answer.value = keeper_do(server, &ask);
        send(socket, &answer, sizeof answer, MSG_NOSIGNAL);
    }
}

/* --- talking to the keeper ------------------------------------------------------------ */

/* The value of the answer; -1 when there is no keeper any more. */
static pid_t ask_keeper(const struct server *server, enum verb verb, int index, int signal_number)
{
    static unsigned asked;
    struct ask ask = {.verb = verb, .index = index, .signal_number = signal_number};
    struct answer answer;

    if (index < 0 || index >= server->node_count)
        scratch_fail("there is no node %d of %s", index, server->address);
    ask.number = (uint64_t)getpid() << 32 | ++asked;
    if (send(server->socket, &ask, sizeof ask, MSG_NOSIGNAL) != (ssize_t)sizeof ask)
        return -1;
    for (;;) {
        struct pollfd watched = {.fd = server->socket, .events = POLLIN};

        if (poll(&watched, 1, ASK_MS) == 0)
            scratch_fail("the keeper of %s does not answer", server->address);
        if (recv(server->socket, &answer, sizeof answer, 0) != (ssize_t)sizeof answer)
            return -1;
        if (answer.number == ask.number)
            return answer.value;
    }
}

static void keeper_start(struct server *server)
{
    int pair[2];
    pid_t parent = getpid();

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        scratch_fail("no socket pair: %s", strerror(errno));
    fflush(NULL);
    server->keeper = fork();
    if (server->keeper < 0)
        scratch_fail("cannot fork: %s", strerror(errno));
    if (server->keeper == 0)
        keeper_run(server, pair[1], parent);
    close(pair[1]);
    server->socket = pair[0];
}

/* --- starting ------------------------------------------------------------------------- */

static bool node_answers(const struct server *server, int index, unsigned must_list)
{
    if (!server->is_kafka)
        return probe_redis(server->nodes[index].port);
    return (probe_kafka(server->nodes[index].port) & must_list) == must_list;
}

static unsigned broker_bit(int index)
{
    return 1u << (index + 1); /* node.id begins with 1 */
}

static _Noreturn void fail_with_log(const struct server *server, int index, const char *what)
{
    size_t bytes = 0;
    char *log = scratch_read(server->nodes[index].log, &bytes);
    const char *tail = log == NULL ? "" : log;
    const char *line;

    if (bytes > LOG_TAIL_BYTES) {
        tail += bytes - LOG_TAIL_BYTES;
        line = strchr(tail, '\n');
        tail = line != NULL ? line + 1 : tail;
    }
    scratch_fail("%s node %d at port %d %s; the end of its log:\n%s",
                 server->is_kafka ? "kafka" : "redis", index, server->nodes[index].port, what,
                 tail);
}

static void wait_up(const struct server *server, int index, unsigned must_list)
{
    int64_t end_ms = wait_now_ms() + (server->is_kafka ? KAFKA_UP_MS : REDIS_UP_MS);

    while (!node_answers(server, index, must_list)) {
        if (ask_keeper(server, VERB_PID, index, 0) <= 0)
            fail_with_log(server, index, "ended");
        if (wait_now_ms() >= end_ms)
            fail_with_log(server, index, "does not answer in time");
        wait_pause_ms(LOOK_EVERY_MS);
    }
    /* the one that answered may be a stranger at our port, and ours have failed to get it */
    if (ask_keeper(server, VERB_PID, index, 0) <= 0)
        fail_with_log(server, index, "ended, and another server has its port");
}

static void stop_owned(void)
{
    struct server *next;

    for (struct server *server = servers; server != NULL; server = next) {
        next = server->next;
        if (server->owner == getpid())
            server_stop(server);
    }
}

static struct server *server_new(int node_count)
{
    static bool registered;
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL)
        scratch_fail("out of memory");
    server->dir = scratch_dir(); /* first: exit handlers run backwards, folders go last */
    if (!registered)
        atexit(stop_owned);
    registered = true;
    server->owner = getpid();
    server->node_count = node_count;
    server->next = servers;
    servers = server;
    return server;
}

static void node_init(struct server *server, int index)
{
    struct node *node = &server->nodes[index];
    size_t used = strlen(server->address);
    char name[16];

    snprintf(name, sizeof name, "node%d", index);
    node->dir = scratch_path(server->dir, name);
    if (mkdir(node->dir, 0755) != 0)
        scratch_fail("cannot make %s: %s", node->dir, strerror(errno));
    node->log = scratch_path(node->dir, "log");
    node->port = scratch_free_port();
    snprintf(server->address + used, sizeof server->address - used, "%s127.0.0.1:%d",
             index == 0 ? "" : ",", node->port);
}

static void start_all(struct server *server)
{
    unsigned all = 0;

    keeper_start(server);
    for (int i = 0; i < server->node_count; i++) {
        ask_keeper(server, VERB_START, i, 0);
        all |= broker_bit(i);
    }
    for (int i = 0; i < server->node_count; i++)
        wait_up(server, i, all);
}

/* --- Redis ---------------------------------------------------------------------------- */

static void redis_arguments(struct node *node, const char *const extra_args[])
{
    char port[8];
    int count = 0;

    snprintf(port, sizeof port, "%d", node->port);
    const char *const own[] = {"redis-server", "--port",      scratch_keep(port),
                               "--bind",       "127.0.0.1",   "--dir",
                               node->dir,      "--save",      "",
                               "--appendonly", "no",          "--maxmemory-policy",
                               "noeviction",   "--daemonize", "no"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        node->argv[count++] = own[i];
    for (; extra_args != NULL && *extra_args != NULL; extra_args++) {
        if (count == ARGS_MAX - 1)
            scratch_fail("more than %d arguments for redis-server", ARGS_MAX - 1);
        node->argv[count++] = *extra_args;
    }
}

struct server *redis_start_many(int count, const char *const extra_args[],
                                void (*prepare)(const struct server *server, int index))
{
    struct server *server = server_new(count);

    for (int i = 0; i < count; i++)
        node_init(server, i);
    for (int i = 0; i < count; i++) {
        if (prepare != NULL)
            prepare(server, i);
        redis_arguments(&server->nodes[i], extra_args);
    }
    start_all(server);
    return server;
}

struct server *redis_start(const char *const extra_args[])
{
    return redis_start_many(1, extra_args, NULL);
}

/* --- Kafka ---------------------------------------------------------------------------- */

/* Small numbers of partitions make a start quick; what differs from Kafka's defaults in
 * behaviour has its reason beside it. */
static const char kafka_properties[] =
    "process.roles=broker,controller\n"
    "node.id=%d\n"
    "listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d\n"
    "advertised.listeners=PLAINTEXT://127.0.0.1:%d\n"
    "controller.listener.names=CONTROLLER\n"
    "controller.quorum.voters=%s\n"
    "log.dirs=%s/data\n"
    "default.replication.factor=%d\n"
    "min.insync.replicas=%d\n"
    "offsets.topic.replication.factor=%d\n"
    "offsets.topic.num.partitions=4\n"
    "transaction.state.log.replication.factor=%d\n"
    "transaction.state.log.min.isr=%d\n"
    "transaction.state.log.num.partitions=4\n"
    "# a name with a typing error is an error, not a new topic\n"
    "auto.create.topics.enable=false\n"
    "# a group of a test need not wait for more members\n"
    "group.initial.rebalance.delay.ms=0\n"
    "group.min.session.timeout.ms=1000\n"
    "# records of tests carry times of long ago and of years ahead\n"
    "log.retention.ms=-1\n"
    "log.message.timestamp.after.max.ms=9223372036854775807\n"
    "# a killed broker cannot come back before the cluster has missed it: not 9 s\n"
    "broker.session.timeout.ms=%d\n"
    "broker.heartbeat.interval.ms=500\n"
    "# 128 MB of a heap of 512 by default\n"
    "log.cleaner.dedupe.buffer.size=8388608\n"
    "num.network.threads=2\n"
    "num.io.threads=4\n"
    "background.threads=2\n";

/* Who comes through a proxy is told the proxies' ports, and the brokers among themselves know nothing
 * of them.  Of two lines with the same key the later one counts. */
static const char behind_properties[] =
    "listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d,BEHIND://127.0.0.1:%d\n"
    "advertised.listeners=PLAINTEXT://127.0.0.1:%d,BEHIND://127.0.0.1:%d\n"
    "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,BEHIND:PLAINTEXT\n"
    "inter.broker.listener.name=PLAINTEXT\n";

static char *with_proxy(const struct node *node, int proxy_port, char *properties)
{
    char *more = NULL, *text = NULL;

    if (proxy_port == 0)
        return properties;
    if (asprintf(&more, behind_properties, node->port, node->controller_port, node->behind_port,
                 node->port, proxy_port) < 0 ||
        asprintf(&text, "%s%s", properties, more) < 0)
        scratch_fail("out of memory");
    free(more);
    free(properties);
    return text;
}

static void kafka_configure(struct server *server, int index, const char *voters, int proxy_port)
{
    struct node *node = &server->nodes[index];
    int copies = server->node_count < 3 ? server->node_count : 3;
    int in_sync = copies < 3 ? 1 : 2;
    int session_ms = server->node_count == 1 ? 3000 : 4000; /* more JVMs, more and longer stalls */
    char *text = NULL;

    if (asprintf(&text, kafka_properties, index + 1, node->port, node->controller_port, node->port,
                 voters, node->dir, copies, in_sync, copies, copies, in_sync, session_ms) < 0)
        scratch_fail("out of memory");
    text = with_proxy(node, proxy_port, text);
    scratch_write(node->dir, "server.properties", text);
    free(text);
    node->argv[0] = "deploy/kafka/kafka";
    node->argv[1] = node->dir;
}

struct server *kafka_start(int broker_count)
{
    return kafka_start_behind(broker_count, NULL);
}

struct server *kafka_start_behind(int broker_count, const int proxy_ports[])
{
    char voters[SERVER_NODES_MAX * sizeof "9@127.0.0.1:65535,"] = "";
    struct server *server;

    if (broker_count < 1 || broker_count > SERVER_NODES_MAX)
        scratch_fail("kafka_start: 1 to %d brokers", SERVER_NODES_MAX);
    if (access("build/kafka/libs/.complete", F_OK) != 0)
        scratch_fail("no Kafka in build/kafka here: run deploy/install test kafka");
    server = server_new(broker_count);
    server->is_kafka = true;
    for (int i = 0; i < broker_count; i++) {
        size_t used = strlen(voters);

        node_init(server, i);
        server->nodes[i].controller_port = scratch_free_port();
        server->nodes[i].behind_port = proxy_ports != NULL ? scratch_free_port() : 0;
        snprintf(voters + used, sizeof voters - used, "%s%d@127.0.0.1:%d", i == 0 ? "" : ",", i + 1,
                 server->nodes[i].controller_port);
    }
    for (int i = 0; i < broker_count; i++)
        kafka_configure(server, i, voters, proxy_ports != NULL ? proxy_ports[i] : 0);
    start_all(server);
    return server;
}

/* --- using and stopping --------------------------------------------------------------- */

const char *server_address(const struct server *server)
{
    return server->address;
}

int server_count(const struct server *server)
{
    return server->node_count;
}

static const struct node *node_at(const struct server *server, int index)
{
    if (index < 0 || index >= server->node_count)
        scratch_fail("there is no node %d of %s", index, server->address);
    return &server->nodes[index];
}

int server_port(const struct server *server, int index)
{
    return node_at(server, index)->port;
}

int server_behind_port(const struct server *server, int index)
{
    return node_at(server, index)->behind_port;
}

const char *server_dir(const struct server *server, int index)
{
    return node_at(server, index)->dir;
}

const char *server_log(const struct server *server, int index)
{
    return node_at(server, index)->log;
}

pid_t server_pid(struct server *server, int index)
{
    pid_t pid = ask_keeper(server, VERB_PID, index, 0);

    return pid > 0 ? pid : 0;
}

bool server_answers(const struct server *server, int index)
{
    node_at(server, index);
    return node_answers(server, index, broker_bit(index));
}

void server_kill(struct server *server, int index, int signal_number)
{
    if (ask_keeper(server, VERB_KILL, index, signal_number) < 0)
        scratch_fail("the keeper of %s is gone", server->address);
}

void server_begin_restart(struct server *server, int index)
{
    if (ask_keeper(server, VERB_START, index, 0) < 0)
        scratch_fail("the keeper of %s is gone", server->address);
}

void server_restart(struct server *server, int index)
{
    server_begin_restart(server, index);
    wait_up(server, index, broker_bit(index));
}

static void unlink_server(const struct server *server)
{
    struct server **at = &servers;

    while (*at != NULL && *at != server)
        at = &(*at)->next;
    if (*at != NULL)
        *at = server->next;
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    unlink_server(server);
    if (server->keeper > 0) {
        ask_keeper(server, VERB_STOP, 0, 0); /* comes back when the keeper has ended */
        close(server->socket);
        if (server->owner == getpid())
            waitpid(server->keeper, NULL, 0);
    }
    scratch_remove(server->dir);
    free(server);
}
