#include "tests/chaos/site.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/when.h"
#include "tests/chaos/servers.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    ARGS_MAX = 24,
    RUN_MS_MAX = 10 * 60 * 1000,
    LEAVE_MS_MAX = 60 * 1000, /* from SIGTERM to the end, on a slow machine with a broker away */
    AGAIN_MS = 500,
    TAIL_BYTES = 3000,
};

static const struct {
    const char *name, *roles;
    int count;
} roles[SITE_ROLES] = {
    [SITE_INGEST] = {"ingest", "ingest", 2},
    [SITE_DECIDE] = {"decide", "decide,identify", 3},
    [SITE_DISPATCH] = {"dispatch", "dispatch", 2},
};

/* --- servers -------------------------------------------------------------------------------- */

static void open_kafka(struct site *s)
{
    int ports[CHAOS_BROKERS];

    for (int i = 0; i < CHAOS_BROKERS; i++)
        ports[i] = scratch_free_port();
    s->kafka = kafka_start_behind(CHAOS_BROKERS, ports);
    for (int i = 0; i < CHAOS_BROKERS; i++)
        s->kafka_lanes[i] = proxy_add(s->proxy, ports[i], server_behind_port(s->kafka, i));
    s->direct = (struct kafka_settings){.brokers = server_address(s->kafka), .client_id = "chaos"};
    s->config = arena_format(s->arena, "127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d", ports[0], ports[1],
                             ports[2])
                    .data; /* until the configuration is written */
}

/* All that a node says of itself is its proxy's port, to clients and to its replicas. */
static const char *open_redis(struct site *s)
{
    struct buf url = {0};
    const char *kept;

    s->redis = redis_cluster_start(NULL);
    s->redis_count = server_count(s->redis);
    for (int i = 0; i < s->redis_count; i++) {
        s->redis_ports[i] = scratch_free_port();
        s->redis_lanes[i] = proxy_add(s->proxy, s->redis_ports[i], server_port(s->redis, i));
        servers_redis_announce(s, i);
        buf_put_format(&url, "%s127.0.0.1:%d", i == 0 ? "redis+cluster://" : ",",
                       s->redis_ports[i]);
    }
    servers_redis_wait_whole(s);
    kept = arena_str(s->arena, buf_str(&url)).data;
    buf_free(&url);
    return kept;
}

static const char *write_config(struct site *s, const char *brokers, const char *redis)
{
    struct buf yaml = {0};
    const char *path;

    buf_put_format(&yaml,
                   "kafka: {brokers: \"%s\"}\nredis: {address: \"%s\"}\npartitions: %d\n"
                   "replication: 3\nrules: {folder: tests/chaos/rules}\nconsole: {address: \"\"}\n"
                   "sources: {" CHAOS_CRM ": {}, " CHAOS_VEHICLES ": {}}\nchannels:\n"
                   "  phone: {connector: contact_centre}\n",
                   brokers, redis, CHAOS_PARTITIONS);
    receivers_put_channels(s->receivers, &yaml);
    path = scratch_write(scratch_dir(), "attent.yaml", buf_text(&yaml));
    buf_free(&yaml);
    return path;
}

static void make_topics(struct site *s)
{
    static const struct kafka_topic_config topics[] = {
        {.name = CHAOS_CRM, .partitions = CHAOS_PARTITIONS, .replication = -1},
        {.name = CHAOS_VEHICLES, .partitions = CHAOS_PARTITIONS, .replication = -1},
        {.name = "contact.billing", .partitions = 1, .replication = -1},
        {.name = "contact.probes", .partitions = 1, .replication = -1},
    };
    struct err err = {0};

    if (kafka_topics_create(&s->direct, topics, sizeof topics / sizeof topics[0], &err) != ERR_NONE)
        scratch_fail("topics cannot be made: %s", err.text);
    free(site_run(s, "topics", "--create", NULL));
    free(site_run(s, "activate", "--unproved", "tests/chaos/rules", NULL));
}

static bool says_it_is_mortal(const char *attent)
{
    const char *const args[] = {attent, "--version", NULL};
    char *said = NULL;
    bool mortal = process_run(args, RUN_MS_MAX, &said) == 0 && strstr(said, "for tests") != NULL;

    free(said);
    return mortal;
}

void site_open(struct site *s, const struct chaos *chaos, const char *folder)
{
    const char *redis;

    *s = (struct site){.chaos = chaos, .folder = folder, .arena = arena_new(0)};
    s->starts = fopen(scratch_path(folder, "processes"), "w");
    if (s->starts == NULL)
        scratch_fail("%s/processes cannot be written", folder);
    s->mortal = says_it_is_mortal(chaos->attent);
    s->proxy = proxy_open();
    s->receivers = receivers_open(chaos->seed);
    open_kafka(s);
    redis = open_redis(s);
    s->config = write_config(s, s->config, redis);
    s->config_direct = write_config(s, server_address(s->kafka), redis_cluster_url(s->redis));
    make_topics(s);
}

void site_close(struct site *s)
{
    for (int i = 0; i < s->member_count; i++)
        process_free(s->members[i].process);
    receivers_close(s->receivers);
    proxy_close(s->proxy);
    server_stop(s->redis);
    server_stop(s->kafka);
    fclose(s->starts);
    arena_free(s->arena);
}

char *site_run(struct site *s, const char *verb, ...)
{
    const char *args[ARGS_MAX] = {s->chaos->attent, verb, "-c", s->config_direct};
    size_t count = 4;
    va_list more;
    char *out = NULL;
    int code;

    va_start(more, verb);
    while (count < ARGS_MAX - 1 && (args[count] = va_arg(more, const char *)) != NULL)
        count++;
    va_end(more);
    code = process_run(args, RUN_MS_MAX, &out);
    if (code == 0)
        return out;
    printf("  attent %s ended with %d\n", verb, code);
    free(out);
    return NULL;
}

/* --- processes of attent ---------------------------------------------------------------------- */

/* Who looks at it later has to find the log of each. */
static void note_start(struct site *s, const struct member *m)
{
    struct buf time = {0};

    when_put_rfc3339(&time, clock_wall_ms());
    fprintf(s->starts, "%s %s pid %d %s\n", buf_text(&time), m->name, (int)process_pid(m->process),
            process_stderr_path(m->process) + strlen(s->folder) + 1);
    fflush(s->starts);
    buf_free(&time);
}

static void start(struct site *s, struct member *m)
{
    const char *const argv[] = {
        s->chaos->attent,
        "run",
        "-c",
        s->config,
        "--role",
        roles[m->role].roles,
        "-s",
        arena_format(s->arena, "process=%s", m->name).data,
        NULL,
    };

    const char *const env[] = {
        arena_format(s->arena, "ATTENT_MUTANT=%s",
                     s->chaos->mutant != NULL ? s->chaos->mutant : "NONE")
            .data,
        "ATTENT_POISON=ingest=kills-ingest,decide=kills-decide",
        NULL,
    };

    process_free(m->process);
    m->process = process_start(argv, env);
    note_start(s, m);
    m->stopped = m->killed = false;
    m->again_ms = 0;
}

int site_add(struct site *s, enum site_role role)
{
    struct member *m = &s->members[s->member_count];

    if (s->member_count == SITE_PROCESSES_MAX)
        scratch_fail("more than %d processes of attent", SITE_PROCESSES_MAX);
    *m = (struct member){.role = role};
    snprintf(m->name, sizeof m->name, "%s-%d", roles[role].name, s->member_count);
    start(s, m);
    return s->member_count++;
}

void site_remove(struct site *s, int member)
{
    process_free(s->members[member].process);
    s->members[member].process = NULL;
    if (member == s->member_count - 1)
        s->member_count--;
}

void site_start_all(struct site *s)
{
    for (int role = 0; role < SITE_ROLES; role++)
        for (int i = 0; i < roles[role].count; i++)
            site_add(s, (enum site_role)role);
}

static void say_end(struct member *m, int code)
{
    const char *said = process_stderr(m->process);
    size_t bytes = strlen(said);

    printf("\n%s ended with %d; its last words:\n%s\n", m->name, code,
           said + (bytes > TAIL_BYTES ? bytes - TAIL_BYTES : 0));
}

/* Killed by nobody: by an event (or by the system, for want of memory). */
static bool died_of_event(const struct site *s, int code)
{
    return s->lethal && code == 128 + SIGKILL;
}

/* Exit code 69 says that a server did not answer at the start: that is for the service manager. */
static void look(struct site *s, struct member *m)
{
    int code = process_wait(m->process, 0);

    if (code == PROCESS_RUNNING)
        return;
    m->again_ms = wait_now_ms() + AGAIN_MS;
    if (m->killed)
        return;
    s->restarts++;
    if (died_of_event(s, code))
        return;
    if (code > 128)
        s->crashes++;
    if (code != 69)
        say_end(m, code);
}

void site_tend(struct site *s)
{
    for (int i = 0; i < s->member_count; i++) {
        struct member *m = &s->members[i];

        if (m->process != NULL && m->again_ms == 0)
            look(s, m);
        if (m->again_ms != 0 && wait_now_ms() >= m->again_ms)
            start(s, m);
    }
}

int site_pick(const struct site *s, enum site_role role, uint64_t draw)
{
    int of_role[SITE_PROCESSES_MAX], count = 0;

    for (int i = 0; i < s->member_count; i++)
        if (s->members[i].role == role)
            of_role[count++] = i;
    return of_role[draw % (uint64_t)count];
}

void site_kill(struct site *s, int member, int signal_number)
{
    struct member *m = &s->members[member];

    if (m->process == NULL || m->again_ms != 0)
        return;
    m->killed = m->killed || signal_number == SIGKILL;
    m->stopped = signal_number == SIGSTOP;
    process_kill(m->process, signal_number);
}

bool site_roll(struct site *s, int member)
{
    struct member *m = &s->members[member];
    bool ended;

    if (m->process == NULL || m->again_ms != 0)
        return true;
    m->killed = true;
    process_kill(m->process, SIGCONT);
    process_kill(m->process, SIGTERM);
    ended = process_wait(m->process, LEAVE_MS_MAX) != PROCESS_RUNNING;
    if (!ended) {
        say_end(m, PROCESS_RUNNING);
        s->crashes++;
    }
    start(s, m);
    return ended;
}

void site_stop_all(struct site *s)
{
    for (int i = 0; i < s->member_count; i++)
        if (s->members[i].process != NULL)
            process_kill(s->members[i].process, SIGTERM);
    for (int i = 0; i < s->member_count; i++) {
        struct member *m = &s->members[i];

        if (m->process != NULL && process_wait(m->process, LEAVE_MS_MAX) == PROCESS_RUNNING) {
            say_end(m, PROCESS_RUNNING);
            s->crashes++;
        }
        process_free(m->process);
        m->process = NULL;
    }
}
