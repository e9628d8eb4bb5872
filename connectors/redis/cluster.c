#include "connectors/redis/cluster.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "connectors/redis/slots.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/mem.h"

enum {
    LEARN_EVERY_MS = 100, /* while a failover goes on, all ask again and again */
    LEARN_MS = 3000,      /* of asking one node after the other */
    ASK_MS = 1000,        /* of asking one */
    NONE = -1,
};

struct node {
    struct redis_link *link;
    uint64_t watched; /* the connection that epoll_fd has; 0: none */
    bool serves;      /* in the map that was learnt last */
};

struct cluster {
    const struct redis_access *access;
    struct redis_access ask_access; /* the same, with less patience */
    struct redis_address named;     /* in the configuration */
    struct node *nodes;
    size_t node_count, node_capacity;
    int16_t map[SLOTS_COUNT]; /* index of a node, or NONE */
    bool known, stale;
    int64_t learnt_mono_ms;
    size_t ask_next; /* whom to ask next: one that gave a map is asked again */
    int ask_slot;    /* of an ASK that was not followed yet; NONE */
    int ask_node;
    int epoll_fd;
};

struct cluster *cluster_new(const struct redis_address *address, const struct redis_access *access)
{
    struct cluster *c = MEM_NEW(struct cluster);

    c->access = access;
    c->ask_access = *access;
    if (c->ask_access.connect_timeout_ms > ASK_MS)
        c->ask_access.connect_timeout_ms = ASK_MS;
    c->named = *address;
    c->ask_slot = NONE;
    c->epoll_fd = -1;
    for (int i = 0; i < SLOTS_COUNT; i++)
        c->map[i] = NONE;
    return c;
}

void cluster_free(struct cluster *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->node_count; i++)
        redis_link_free(c->nodes[i].link);
    if (c->epoll_fd >= 0)
        close(c->epoll_fd);
    mem_free(c->nodes);
    mem_free(c);
}

/* --- nodes --------------------------------------------------------------------------------- */

static int find_node(struct cluster *c, const struct redis_node *node)
{
    for (size_t i = 0; i < c->node_count; i++)
        if (strcmp(redis_link_node(c->nodes[i].link)->text, node->text) == 0)
            return (int)i;
    CHECK(c->node_count < INT16_MAX);
    MEM_RESERVE(c->nodes, c->node_count, c->node_capacity);
    c->nodes[c->node_count] = (struct node){.link = redis_link_new(node, c->access)};
    return (int)c->node_count++;
}

/* As `by` says: one that does not know its own name has that by which it was reached. */
static int node_at(struct cluster *c, const struct slots_place *place, const struct redis_node *by)
{
    struct redis_node node;

    redis_node_set(&node, place->host.len > 0 ? place->host : str_of(by->host), place->port);
    return find_node(c, &node);
}

/* --- the map -------------------------------------------------------------------------------- */

struct lesson {
    struct cluster *cluster;
    const struct redis_node *by;
    int16_t map[SLOTS_COUNT];
    bool any;
};

static void learn_range(void *context, int first, int last, const struct slots_place *primary)
{
    struct lesson *lesson = context;
    int node = node_at(lesson->cluster, primary, lesson->by);

    for (int slot = first; slot <= last; slot++)
        lesson->map[slot] = (int16_t)node;
    lesson->any = true;
}

/* Connections to who serves nothing any more are of no use, unless replies are to come. */
static void take_map(struct cluster *c, const struct lesson *lesson)
{
    memcpy(c->map, lesson->map, sizeof c->map);
    for (size_t i = 0; i < c->node_count; i++)
        c->nodes[i].serves = false;
    for (int slot = 0; slot < SLOTS_COUNT; slot++)
        if (c->map[slot] != NONE)
            c->nodes[c->map[slot]].serves = true;
    for (size_t i = 0; i < c->node_count; i++)
        if (!c->nodes[i].serves && redis_link_outstanding(c->nodes[i].link) == 0)
            redis_link_drop(c->nodes[i].link);
    c->known = true;
    c->stale = false;
}

static enum err_code read_map(struct cluster *c, const struct redis_node *by,
                              const struct redis_reply *reply, struct err *err)
{
    struct lesson *lesson = MEM_NEW(struct lesson);
    enum err_code code = ERR_NONE;

    lesson->cluster = c;
    lesson->by = by;
    memset(lesson->map, 0xff, sizeof lesson->map); /* NONE */
    if (redis_reply_kind(reply) == REDIS_ERROR)
        code = err_set(err, ERR_CONFIG, "Redis at %s: CLUSTER SLOTS: %.*s", by->text,
                       STR_ARG(redis_reply_text(reply)));
    else if (!slots_read(reply, lesson, learn_range, err))
        code = ERR_REDIS;
    else if (!lesson->any)
        code = err_set(err, ERR_DOWN, "Redis at %s: its cluster serves no slots", by->text);
    if (code == ERR_NONE)
        take_map(c, lesson);
    mem_free(lesson);
    return code;
}

static enum err_code learn_from(struct cluster *c, const struct redis_node *node, struct err *err)
{
    const struct str args[] = {STR("CLUSTER"), STR("SLOTS")};
    struct redis_link *link = redis_link_new(node, &c->ask_access);
    struct redis_reply *reply = NULL;
    enum err_code code = redis_link_look(link, err);

    if (code == ERR_NONE) {
        redis_link_send(link, args, 2);
        code = redis_link_receive(link, &reply, err);
    }
    if (code == ERR_NONE)
        code = read_map(c, node, reply, err);
    redis_reply_free(reply);
    redis_link_free(link);
    return code;
}

/* Those known now, behind them those named: after all have moved, the names still lead to them. */
static struct redis_node candidate(const struct cluster *c, size_t index)
{
    size_t known = c->node_count;

    index %= known + c->named.count;
    return index < known ? *redis_link_node(c->nodes[index].link) : c->named.nodes[index - known];
}

enum err_code cluster_learn(struct cluster *c, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + LEARN_MS;
    enum err_code code = ERR_DOWN;
    size_t count = c->node_count + c->named.count;

    for (size_t i = 0; i < count && (i == 0 || clock_mono_ms() < until_ms); i++) {
        struct redis_node node = candidate(c, c->ask_next);

        code = learn_from(c, &node, err);
        if (code == ERR_NONE)
            break;
        c->ask_next++;
    }
    c->learnt_mono_ms = clock_mono_ms();
    return code;
}

/* --- routing -------------------------------------------------------------------------------- */

static int any_node(const struct cluster *c)
{
    int found = NONE;

    for (size_t i = 0; i < c->node_count; i++) {
        if (!c->nodes[i].serves)
            continue;
        if (redis_link_connection(c->nodes[i].link) != 0)
            return (int)i;
        if (found == NONE)
            found = (int)i;
    }
    return found;
}

static int node_of(const struct cluster *c, int slot)
{
    return slot < 0 ? any_node(c) : c->map[slot];
}

struct redis_link *cluster_link_of(const struct cluster *c, int slot)
{
    int node = node_of(c, slot);

    return node != NONE ? c->nodes[node].link : NULL;
}

static void refresh(struct cluster *c, struct err *err)
{
    if (!c->known || clock_mono_ms() >= c->learnt_mono_ms + LEARN_EVERY_MS)
        cluster_learn(c, err);
}

/* Ready, and said ASKING to if that is why it is asked. */
static enum err_code greet(struct cluster *c, int slot, struct redis_link **out, struct err *err)
{
    const struct str asking[] = {STR("ASKING")};
    bool is_asked = slot >= 0 && slot == c->ask_slot;
    int node = is_asked ? c->ask_node : node_of(c, slot);
    enum err_code code;

    if (is_asked)
        c->ask_slot = NONE;
    if (node == NONE)
        return slot < 0 || !c->known
                   ? err_set(err, ERR_DOWN, "Redis Cluster at %s: no node answers",
                             c->named.nodes[0].text)
                   : err_set(err, ERR_DOWN, "Redis Cluster at %s: no node serves slot %d",
                             c->named.nodes[0].text, slot);
    code = redis_link_ready(c->nodes[node].link, err);
    if (code != ERR_NONE)
        return code;
    if (is_asked)
        redis_link_send_silent(c->nodes[node].link, asking, 1);
    *out = c->nodes[node].link;
    return ERR_NONE;
}

/* Does what is known lead to a node that is there? */
static bool is_in_doubt(const struct cluster *c, int slot)
{
    const struct redis_link *link = cluster_link_of(c, slot);

    return c->stale || !c->known || link == NULL;
}

enum err_code cluster_route(struct cluster *c, int slot, struct redis_link **out, struct err *err)
{
    enum err_code code;

    *out = NULL;
    if (is_in_doubt(c, slot))
        refresh(c, err);
    code = greet(c, slot, out, err);
    if (code != ERR_DOWN)
        return code;
    c->stale = true; /* it has gone: perhaps another serves its slots by now */
    refresh(c, NULL);
    return c->stale ? code : greet(c, slot, out, err);
}

struct redis_link *cluster_route_now(struct cluster *c, int slot)
{
    struct redis_link *link = cluster_link_of(c, slot);

    if (slot == c->ask_slot && slot >= 0)
        link = c->nodes[c->ask_node].link;
    if (link == NULL || c->stale || redis_link_connection(link) == 0 ||
        greet(c, slot, &link, NULL) != ERR_NONE)
        return NULL;
    return link;
}

/* --- what replies say ----------------------------------------------------------------------- */

/* A script may touch a key that its command did not name: Redis says so in other words. */
static bool is_not_yet(struct str text)
{
    return str_starts(text, STR("TRYAGAIN")) || str_starts(text, STR("CLUSTERDOWN")) ||
           str_starts(text, STR("LOADING")) || str_starts(text, STR("MASTERDOWN")) ||
           str_contains(text, STR("non local key in a cluster node"));
}

enum redis_meaning cluster_hear(struct cluster *c, const struct redis_link *link,
                                const struct redis_reply *reply)
{
    struct slots_redirect redirect;
    struct str text;
    int node;

    if (redis_reply_kind(reply) != REDIS_ERROR)
        return REDIS_ANSWER;
    text = redis_reply_text(reply);
    if (slots_read_redirect(text, &redirect)) {
        node = node_at(c, &redirect.to, redis_link_node(link));
        if (redirect.ask) {
            c->ask_slot = redirect.slot;
            c->ask_node = node;
        } else {
            c->map[redirect.slot] = (int16_t)node;
            c->nodes[node].serves = true;
            c->stale = true;
            c->ask_next = (size_t)node; /* it knows of a change */
        }
        return REDIS_ELSEWHERE;
    }
    c->stale |= str_starts(text, STR("CLUSTERDOWN"));
    return is_not_yet(text) ? REDIS_NOT_YET : REDIS_ANSWER;
}

size_t cluster_primaries(const struct cluster *c, struct redis_link **out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < c->node_count && count < max; i++)
        if (c->nodes[i].serves)
            out[count++] = c->nodes[i].link;
    return count;
}

/* --- waiting -------------------------------------------------------------------------------- */

/* A link that owes nothing is not watched: one whose server has gone can be read for ever.  A closed
 * descriptor leaves epoll by itself. */
static void watch(struct cluster *c, struct node *node)
{
    uint64_t wanted =
        redis_link_outstanding(node->link) > 0 ? redis_link_connection(node->link) : 0;
    struct epoll_event event = {.events = EPOLLIN};

    if (wanted == node->watched)
        return;
    if (node->watched != 0 && node->watched == redis_link_connection(node->link))
        epoll_ctl(c->epoll_fd, EPOLL_CTL_DEL, redis_link_fd(node->link), NULL);
    if (wanted != 0)
        CHECK(epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, redis_link_fd(node->link), &event) == 0);
    node->watched = wanted;
}

int cluster_fd(struct cluster *c)
{
    if (c->epoll_fd < 0)
        c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < c->node_count; i++)
        watch(c, &c->nodes[i]);
    return c->epoll_fd;
}
