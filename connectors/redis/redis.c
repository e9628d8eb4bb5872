/* One server is one link.  A cluster is a link for each primary, and a command is kept until its reply
 * is one that counts: the replies of a pipeline are taken off all links before one of its commands is
 * sent again, so that a link's next reply is always that of the command sent next.
 */
#include "connectors/redis/redis.h"

#include <signal.h>
#include <stdio.h>

#include "connectors/redis/cluster.h"
#include "connectors/redis/slots.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/mem.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    TIMEOUT_MS = 5000,
    HOPS_MAX = 16, /* an ASK before each wait, and some MOVED while a failover goes on */
    WAITS_MAX = 5, /* 10 + 20 + ... + 160 ms */
    WAIT_MS = 10,
    ADVICE_SIZE = 512,
};

struct sent {                /* a command whose reply was not received yet */
    struct redis_link *link; /* NULL: there was none */
    uint64_t connection;
    struct str *args; /* of a cluster only: to be sent again */
    size_t count;
    struct redis_reply *reply; /* taken off the link already */
    bool lost;
};

struct redis {
    struct redis_access access;
    char *user, *password, *ca_file;
    struct redis_link *link; /* one server */
    struct cluster *cluster; /* or a cluster */
    struct sent *sent;       /* a queue: from `first` on */
    size_t first, sent_count, sent_capacity;
    char advice[ADVICE_SIZE];
};

/* --- open and close -------------------------------------------------------------------------- */

static char *text_or(const char *text, const char *other)
{
    struct str s = str_of(text);

    if (s.len == 0)
        s = str_of(other);
    return mem_copy_text(s.len > 0 ? s.data : "", s.len);
}

static struct redis *redis_new(const struct redis_settings *settings,
                               const struct redis_address *address)
{
    struct redis *r = MEM_NEW(struct redis);
    int connect_ms = settings->connect_timeout_ms, reply_ms = settings->timeout_ms;

    r->user = text_or(settings->user, address->user);
    r->password = text_or(settings->password, address->password);
    r->ca_file = text_or(settings->ca_file, NULL);
    r->access = (struct redis_access){.user = r->user,
                                      .password = r->password,
                                      .tls = address->tls,
                                      .ca_file = r->ca_file,
                                      .connect_timeout_ms =
                                          connect_ms > 0 ? connect_ms : CONNECT_TIMEOUT_MS,
                                      .timeout_ms = reply_ms > 0 ? reply_ms : TIMEOUT_MS};
    if (address->cluster)
        r->cluster = cluster_new(address, &r->access);
    else
        r->link = redis_link_new(&address->nodes[0], &r->access);
    return r;
}

/* Each primary is looked at; one that is away may be replaced already. */
static enum err_code begin_cluster(struct redis *r, struct err *err)
{
    struct redis_link *primaries[REDIS_SERVERS_MAX];
    struct err why = {0};
    enum err_code code = cluster_learn(r->cluster, &why);
    size_t count, away = 0;

    if (code != ERR_NONE)
        return err_set(err, code, "%s", why.text);
    count = cluster_primaries(r->cluster, primaries, REDIS_SERVERS_MAX);
    for (size_t i = 0; i < count; i++) {
        code = redis_link_ready(primaries[i], &why);
        if (code != ERR_NONE && code != ERR_DOWN)
            break;
        away += code == ERR_DOWN;
    }
    if (code != ERR_NONE && (code != ERR_DOWN || away == count))
        return err_set(err, code, "%s", why.text);
    return ERR_NONE;
}

static enum err_code begin_single(struct redis *r, struct err *err)
{
    enum err_code code = redis_link_ready(r->link, err);
    const char *text = redis_link_node(r->link)->text;

    if (code == ERR_NONE && redis_link_manners(r->link).cluster)
        code =
            err_set(err, ERR_CONFIG,
                    "Redis at %s is a node of a cluster: write redis.address: redis+cluster://%s",
                    text, text);
    return code;
}

enum err_code redis_open(const struct redis_settings *settings, struct redis **out, struct err *err)
{
    struct redis_address *address = MEM_NEW(struct redis_address);
    struct redis *r = NULL;
    enum err_code code;

    *out = NULL;
    CHECK(settings->address != NULL);
    signal(SIGPIPE, SIG_IGN);
    code = redis_address_read(str_of(settings->address), address, err);
    if (code == ERR_NONE) {
        r = redis_new(settings, address);
        code = r->cluster != NULL ? begin_cluster(r, err) : begin_single(r, err);
    }
    mem_free(address);
    if (code != ERR_NONE) {
        redis_close(r);
        return code;
    }
    *out = r;
    return ERR_NONE;
}

static void forget_sent(struct sent *sent)
{
    for (size_t i = 0; sent->args != NULL && i < sent->count; i++)
        mem_free((char *)(uintptr_t)sent->args[i].data);
    mem_free(sent->args);
    redis_reply_free(sent->reply);
    *sent = (struct sent){0};
}

void redis_close(struct redis *r)
{
    if (r == NULL)
        return;
    for (size_t i = r->first; i < r->sent_count; i++)
        forget_sent(&r->sent[i]);
    redis_link_free(r->link);
    cluster_free(r->cluster);
    mem_free(r->sent);
    mem_free(r->user);
    mem_free(r->password);
    mem_free(r->ca_file);
    mem_free(r);
}

const char *redis_advice(struct redis *r)
{
    struct redis_link *servers[REDIS_SERVERS_MAX];
    size_t count = redis_servers(r, servers, REDIS_SERVERS_MAX);

    r->advice[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (redis_link_connection(servers[i]) == 0 || redis_link_manners(servers[i]).appends)
            continue;
        snprintf(r->advice, sizeof r->advice,
                 "Redis at %s has appendonly no: the state that it holds is gone when it ends; set "
                 "appendonly yes",
                 redis_link_node(servers[i])->text);
        break;
    }
    return r->advice;
}

/* --- routing --------------------------------------------------------------------------------- */

static int slot_of(struct str key)
{
    return key.len > 0 ? slots_of_key(key) : -1;
}

enum err_code redis_route(struct redis *r, struct str key, struct redis_link **out, struct err *err)
{
    if (r->cluster != NULL)
        return cluster_route(r->cluster, slot_of(key), out, err);
    *out = r->link;
    return redis_link_ready(r->link, err);
}

struct redis_link *redis_route_now(struct redis *r, struct str key)
{
    if (r->cluster != NULL)
        return cluster_route_now(r->cluster, slot_of(key));
    return redis_link_connection(r->link) != 0 ? r->link : NULL;
}

struct redis_link *redis_link_of(const struct redis *r, struct str key)
{
    return r->cluster != NULL ? cluster_link_of(r->cluster, slot_of(key)) : r->link;
}

enum redis_meaning redis_hear(struct redis *r, const struct redis_link *link,
                              const struct redis_reply *reply)
{
    return r->cluster != NULL ? cluster_hear(r->cluster, link, reply) : REDIS_ANSWER;
}

bool redis_again(struct redis_tries *tries, enum redis_meaning meaning)
{
    switch (meaning) {
    case REDIS_ANSWER: return false;
    case REDIS_ELSEWHERE: return tries->hops++ < HOPS_MAX;
    case REDIS_NOT_YET:
        if (tries->waits == WAITS_MAX)
            return false;
        clock_sleep_ms(WAIT_MS << tries->waits++);
        return true;
    }
    CHECK_NEVER("a meaning");
}

enum err_code redis_ready(struct redis *r, struct err *err)
{
    struct redis_link *link;

    return redis_route(r, STR_EMPTY, &link, err);
}

static enum err_code check_server(struct redis_link *link, struct err *err)
{
    const struct str ping[] = {STR("PING")};
    struct redis_reply *reply = NULL;
    enum err_code code = redis_link_ready(link, err);

    if (code != ERR_NONE)
        return code;
    redis_link_send(link, ping, 1);
    code = redis_link_receive(link, &reply, err);
    if (code == ERR_NONE && redis_reply_kind(reply) == REDIS_ERROR)
        code = err_set(err, ERR_DOWN, "Redis at %s: %.*s", redis_link_node(link)->text,
                       STR_ARG(redis_reply_text(reply)));
    redis_reply_free(reply);
    return code;
}

enum err_code redis_check(struct redis *r, struct err *err)
{
    struct redis_link *servers[REDIS_SERVERS_MAX];
    enum err_code code = r->cluster != NULL ? cluster_check(r->cluster, err) : ERR_NONE;
    size_t count = redis_servers(r, servers, REDIS_SERVERS_MAX);

    for (size_t i = 0; i < count && code == ERR_NONE; i++)
        code = check_server(servers[i], err);
    return code;
}

int redis_fd(const struct redis *r)
{
    return r->cluster != NULL ? cluster_fd(r->cluster) : redis_link_fd(r->link);
}

size_t redis_servers(const struct redis *r, struct redis_link **out, size_t max)
{
    if (r->cluster != NULL)
        return cluster_primaries(r->cluster, out, max);
    CHECK(max > 0);
    out[0] = r->link;
    return 1;
}

/* --- commands -------------------------------------------------------------------------------- */

static bool has_no_key(struct str name)
{
    static const char *const names[] = {"TIME",   "INFO", "PING",     "SCRIPT", "CONFIG",
                                        "BGSAVE", "SAVE", "FLUSHALL", "DBSIZE"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

static struct str key_of(const struct str *args, size_t count)
{
    size_t at = str_starts(args[0], STR("EVAL")) ? 3 : 1;

    return at < count && !has_no_key(args[0]) ? args[at] : STR_EMPTY;
}

/* A primary that has just gone is replaced in a moment, and nodes hear of that one after the other. */
static enum err_code route_again(struct redis *r, struct str key, struct redis_tries *tries,
                                 struct redis_link **out, struct err *err)
{
    enum err_code code;

    do
        code = redis_route(r, key, out, err);
    while (code == ERR_DOWN && r->cluster != NULL && redis_again(tries, REDIS_NOT_YET));
    return code;
}

enum err_code redis_command(struct redis *r, const struct str *args, size_t count,
                            struct redis_reply **out, struct err *err)
{
    struct redis_tries tries = {0};
    struct redis_link *link;
    enum err_code code;

    CHECK(r->first == r->sent_count);
    *out = NULL;
    for (;;) {
        code = route_again(r, key_of(args, count), &tries, &link, err);
        if (code != ERR_NONE)
            return code;
        redis_link_send(link, args, count);
        code = redis_link_receive(link, out, err);
        if (code != ERR_NONE || !redis_again(&tries, redis_hear(r, link, *out)))
            return code;
        redis_reply_free(*out);
        *out = NULL;
    }
}

/* --- pipelines ------------------------------------------------------------------------------- */

static struct str *copy_args(const struct str *args, size_t count)
{
    struct str *copy = MEM_NEW_ARRAY(struct str, count);

    for (size_t i = 0; i < count; i++)
        copy[i] = (struct str){mem_copy_text(args[i].len > 0 ? args[i].data : "", args[i].len),
                               args[i].len};
    return copy;
}

void redis_send(struct redis *r, const struct str *args, size_t count)
{
    struct str key = key_of(args, count);
    struct sent *sent;

    if (r->first == r->sent_count)
        r->first = r->sent_count = 0;
    MEM_RESERVE(r->sent, r->sent_count, r->sent_capacity);
    sent = &r->sent[r->sent_count++];
    *sent = (struct sent){.link = redis_route_now(r, key)};
    if (sent->link == NULL && r->cluster != NULL)
        redis_route(r, key, &sent->link, NULL);
    sent->lost = sent->link == NULL;
    if (sent->lost)
        return;
    if (r->cluster != NULL) {
        sent->args = copy_args(args, count);
        sent->count = count;
    }
    redis_link_send(sent->link, args, count);
    sent->connection = redis_link_connection(sent->link);
}

/* Its reply, off the link. */
static enum err_code take_reply(struct sent *sent, struct err *err)
{
    if (sent->reply != NULL)
        return ERR_NONE;
    if (sent->lost || sent->connection != redis_link_connection(sent->link))
        return err_set(err, ERR_DOWN, "Redis%s%s: the connection is lost",
                       sent->link != NULL ? " at " : "",
                       sent->link != NULL ? redis_link_node(sent->link)->text : "");
    return redis_link_receive(sent->link, &sent->reply, err);
}

/* After ERR_DOWN nobody asks for what is outstanding. */
static enum err_code give_up(struct redis *r)
{
    for (size_t i = r->first; i < r->sent_count; i++) {
        if (r->sent[i].link != NULL && r->sent[i].reply == NULL)
            redis_link_drop(r->sent[i].link);
        forget_sent(&r->sent[i]);
    }
    r->first = r->sent_count = 0;
    return ERR_DOWN;
}

/* Nothing else is outstanding on any link when it is sent again.  Takes off the queue. */
static enum err_code send_again(struct redis *r, struct sent *first, struct redis_reply **out,
                                struct err *err)
{
    struct sent again = *first;
    struct redis_tries tries = {0};
    enum err_code code = ERR_NONE;

    for (size_t i = r->first; i < r->sent_count && code == ERR_NONE; i++)
        code = take_reply(&r->sent[i], err);
    if (code != ERR_NONE)
        return give_up(r);
    while (code == ERR_NONE && redis_again(&tries, redis_hear(r, again.link, again.reply))) {
        redis_reply_free(again.reply);
        again.reply = NULL;
        code = redis_route(r, key_of(again.args, again.count), &again.link, err);
        if (code == ERR_NONE) {
            redis_link_send(again.link, again.args, again.count);
            code = redis_link_receive(again.link, &again.reply, err);
        }
    }
    *first = again;
    if (code != ERR_NONE)
        return give_up(r);
    *out = again.reply;
    first->reply = NULL;
    forget_sent(first);
    r->first++;
    return ERR_NONE;
}

enum err_code redis_receive(struct redis *r, struct redis_reply **out, struct err *err)
{
    struct sent *sent;

    *out = NULL;
    if (r->first == r->sent_count)
        return err_set(err, ERR_DOWN, "Redis: not connected");
    sent = &r->sent[r->first];
    if (take_reply(sent, err) != ERR_NONE)
        return give_up(r);
    if (redis_hear(r, sent->link, sent->reply) != REDIS_ANSWER)
        return send_again(r, sent, out, err);
    *out = sent->reply;
    sent->reply = NULL;
    forget_sent(sent);
    r->first++;
    return ERR_NONE;
}

/* --- scripts --------------------------------------------------------------------------------- */

static enum err_code learn_at(struct redis_link *link, struct redis_script *script, struct err *err)
{
    const struct str args[] = {STR("SCRIPT"), STR("LOAD"), str_of(script->text)};
    struct redis_reply *reply;
    enum err_code code;

    redis_link_send(link, args, 3);
    code = redis_link_receive(link, &reply, err);
    if (code != ERR_NONE)
        return code;
    if (redis_reply_kind(reply) == REDIS_TEXT && redis_reply_text(reply).len == 40)
        memcpy(script->sha, redis_reply_text(reply).data, 40);
    else
        code = err_set(err, ERR_REDIS, "Redis at %s: script: %.*s", redis_link_node(link)->text,
                       STR_ARG(redis_reply_text(reply)));
    redis_reply_free(reply);
    return code;
}

/* Redis itself says what the digest is, so no SHA-1 is needed here.  A server that is away gets the
 * whole script when it says that it does not know it. */
enum err_code redis_script_learn(struct redis *r, struct redis_script *script, struct err *err)
{
    struct redis_link *servers[REDIS_SERVERS_MAX];
    size_t count = redis_servers(r, servers, REDIS_SERVERS_MAX);
    enum err_code code = redis_ready(r, err);

    for (size_t i = 0; i < count && code == ERR_NONE; i++)
        if (redis_link_connection(servers[i]) != 0)
            code = learn_at(servers[i], script, err);
    return code;
}

enum err_code redis_script_run(struct redis *r, const struct redis_script *script,
                               const struct str *args, size_t keys, size_t count,
                               struct redis_reply **out, struct err *err)
{
    struct redis_tries tries = {0};
    struct redis_link *link;
    bool whole = false, again = true;
    enum err_code code;

    CHECK(r->first == r->sent_count && keys > 0);
    for (*out = NULL; again;) {
        redis_reply_free(*out);
        *out = NULL;
        code = route_again(r, args[0], &tries, &link, err);
        if (code != ERR_NONE)
            return code;
        redis_script_send(link, script, args, keys, count, whole);
        code = redis_link_receive(link, out, err);
        if (code != ERR_NONE)
            return code;
        again = !whole && redis_reply_is_no_script(*out);
        whole |= again;
        again |= redis_again(&tries, redis_hear(r, link, *out));
    }
    return ERR_NONE;
}
