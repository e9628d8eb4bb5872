/* A thin coat over hiredis' blocking context: commands go into its output buffer and are written
 * when a reply is waited for (or when a send finds the buffer large), so a pipeline costs one write.
 *
 * State that Redis may throw away under memory pressure is worse than no state: a customer's
 * consent would be forgotten without a sound.  So the policy is checked at each connect.
 *
 * Silent replies are counted from the front: before[i] replies are handed out before the i-th of them.
 */
#include "connectors/redis/link.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "connectors/redis/tls.h"
#include "core/buf.h"
#include "core/check.h"
#include "core/mem.h"

enum {
    PIPE_BYTES = 256 * 1024, /* written early, so that Redis can begin */
    SILENT_MAX = 64,         /* in a row without a receive: far more than a routing needs */
};

struct redis_link {
    struct redis_node node;
    const struct redis_access *access;
    redisContext *context; /* NULL: not connected */
    uint64_t connection;
    struct redis_manners manners;
    uint64_t sent, received;     /* over this connection */
    uint64_t silent[SILENT_MAX]; /* numbers of those of no interest, in order */
    size_t silent_count;
    const char **data; /* scratch for one command */
    size_t *lengths;
    size_t capacity;
    struct str *args; /* scratch for one script */
    size_t args_capacity;
};

static struct timeval timeval_of(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

void redis_link_drop(struct redis_link *link)
{
    if (link->context != NULL)
        redisFree(link->context);
    link->context = NULL;
    link->connection = link->sent = link->received = 0;
    link->silent_count = 0;
}

static enum err_code down(struct redis_link *link, struct err *err)
{
    err_set(err, ERR_DOWN, "Redis at %s: %s", link->node.text,
            link->context == NULL || link->context->errstr[0] == '\0' ? "not connected"
                                                                      : link->context->errstr);
    redis_link_drop(link);
    return ERR_DOWN;
}

struct redis_link *redis_link_new(const struct redis_node *node, const struct redis_access *access)
{
    struct redis_link *link = MEM_NEW(struct redis_link);

    link->node = *node;
    link->access = access;
    return link;
}

void redis_link_free(struct redis_link *link)
{
    if (link == NULL)
        return;
    redis_link_drop(link);
    mem_free(link->data);
    mem_free(link->lengths);
    mem_free(link->args);
    mem_free(link);
}

const struct redis_node *redis_link_node(const struct redis_link *link)
{
    return &link->node;
}

struct redis_manners redis_link_manners(const struct redis_link *link)
{
    return link->manners;
}

uint64_t redis_link_connection(const struct redis_link *link)
{
    return link->connection;
}

size_t redis_link_outstanding(const struct redis_link *link)
{
    return (size_t)(link->sent - link->received);
}

int redis_link_fd(const struct redis_link *link)
{
    return link->context != NULL ? link->context->fd : -1;
}

/* --- connecting --------------------------------------------------------------------------- */

static enum err_code say(struct redis_link *link, const struct str *args, size_t count,
                         const char *what, struct redis_reply **out, struct err *err)
{
    enum err_code code;

    redis_link_send(link, args, count);
    code = redis_link_receive(link, out, err);
    if (code == ERR_NONE && redis_reply_kind(*out) == REDIS_ERROR) {
        code = err_set(err, ERR_CONFIG, "Redis at %s: %s: %.*s", link->node.text, what,
                       STR_ARG(redis_reply_text(*out)));
        redis_reply_free(*out);
        *out = NULL;
    }
    return code;
}

static enum err_code authenticate(struct redis_link *link, struct err *err)
{
    bool user = link->access->user[0] != '\0';
    struct str args[] = {STR("AUTH"), str_of(link->access->user), str_of(link->access->password)};
    struct redis_reply *reply;
    enum err_code code;

    if (link->access->password[0] == '\0')
        return ERR_NONE;
    if (!user)
        args[1] = args[2];
    code = say(link, args, user ? 3 : 2, user ? "user and password" : "password", &reply, err);
    if (code == ERR_NONE)
        redis_reply_free(reply);
    return code;
}

/* The value of a line "name:value\r\n" of INFO. */
static struct str info_field(struct str info, const char *name)
{
    struct str line, wanted = str_of(name);

    while (info.len > 0) {
        if (!str_cut(info, '\n', &line, &info)) { /* the last one */
            line = info;
            info = STR_EMPTY;
        }
        if (str_starts(line, wanted) && line.len > wanted.len && line.data[wanted.len] == ':')
            return str_trim(str_slice(line, wanted.len + 1, line.len));
    }
    return STR_EMPTY;
}

static enum err_code judge(struct redis_link *link, struct str info, struct err *err)
{
    struct str policy = info_field(info, "maxmemory_policy");

    if (str_is(info_field(info, "loading"), "1"))
        return err_set(err, ERR_DOWN, "Redis at %s is loading its data", link->node.text);
    link->manners =
        (struct redis_manners){.cluster = str_is(info_field(info, "cluster_enabled"), "1"),
                               .appends = str_is(info_field(info, "aof_enabled"), "1")};
    if (str_is(policy, "noeviction"))
        return ERR_NONE;
    return err_set(err, ERR_CONFIG,
                   "Redis at %s has maxmemory-policy %.*s: it may throw state away; set "
                   "maxmemory-policy noeviction",
                   link->node.text, STR_ARG(policy.len > 0 ? policy : STR("(unknown)")));
}

static enum err_code check_manners(struct redis_link *link, struct err *err)
{
    const struct str args[] = {STR("INFO")};
    struct redis_reply *reply;
    enum err_code code = say(link, args, 1, "INFO", &reply, err);

    if (code != ERR_NONE)
        return code;
    code = judge(link, redis_reply_text(reply), err);
    redis_reply_free(reply);
    return code;
}

static redisContext *connect_to(const struct redis_node *node, int timeout_ms)
{
    struct timeval timeout = timeval_of(timeout_ms);

    if (node->port == 0)
        return redisConnectUnixWithTimeout(node->host, timeout);
    return redisConnectWithTimeout(node->host, node->port, timeout);
}

static enum err_code begin(struct redis_link *link, struct err *err)
{
    static _Atomic uint64_t connections; /* several threads have links */
    const struct redis_access *access = link->access;
    enum err_code code;

    link->context = connect_to(&link->node, access->connect_timeout_ms);
    if (link->context == NULL || link->context->err != 0)
        return down(link, err);
    redisSetTimeout(link->context, timeval_of(access->connect_timeout_ms));
    redisEnableKeepAlive(link->context); /* fails on a Unix socket, which needs none */
    link->context->err = 0;
    if (access->tls) {
        code = redis_tls_begin(link->context, &link->node, access->ca_file, err);
        if (code != ERR_NONE)
            return code;
    }
    link->connection = ++connections;
    return authenticate(link, err);
}

enum err_code redis_link_look(struct redis_link *link, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (link->context != NULL)
        return ERR_NONE;
    code = begin(link, err);
    if (code != ERR_NONE)
        redis_link_drop(link);
    return code;
}

enum err_code redis_link_ready(struct redis_link *link, struct err *err)
{
    enum err_code code;

    if (link->context != NULL)
        return ERR_NONE;
    code = redis_link_look(link, err);
    if (code != ERR_NONE)
        return code;
    code = check_manners(link, err);
    if (code == ERR_NONE)
        redisSetTimeout(link->context, timeval_of(link->access->timeout_ms));
    else
        redis_link_drop(link);
    return code;
}

/* --- commands ----------------------------------------------------------------------------- */

/* An error shows again when a reply is received. */
void redis_link_push(struct redis_link *link)
{
    int done = 0;

    while (link->context != NULL && redisBufferWrite(link->context, &done) == REDIS_OK && !done)
        ;
}

void redis_link_send(struct redis_link *link, const struct str *args, size_t count)
{
    if (link->context == NULL) /* receive says so */
        return;
    if (link->capacity < count) {
        link->capacity = 2 * count;
        link->data = mem_resize(link->data, link->capacity, sizeof *link->data);
        link->lengths = mem_resize(link->lengths, link->capacity, sizeof *link->lengths);
    }
    for (size_t i = 0; i < count; i++) {
        link->data[i] = args[i].data != NULL ? args[i].data : "";
        link->lengths[i] = args[i].len;
    }
    CHECK(redisAppendCommandArgv(link->context, (int)count, link->data, link->lengths) == REDIS_OK);
    link->sent++;
    if (sdslen(link->context->obuf) > PIPE_BYTES)
        redis_link_push(link);
}

void redis_link_send_silent(struct redis_link *link, const struct str *args, size_t count)
{
    if (link->context == NULL)
        return;
    CHECK(link->silent_count < SILENT_MAX);
    link->silent[link->silent_count++] = link->sent;
    redis_link_send(link, args, count);
}

/* A reply has come.  True: it is one of those that are asked for. */
static bool count_reply(struct redis_link *link)
{
    bool silent = link->silent_count > 0 && link->silent[0] == link->received;

    link->received++;
    if (silent)
        memmove(link->silent, link->silent + 1, --link->silent_count * sizeof *link->silent);
    return !silent;
}

enum err_code redis_link_receive(struct redis_link *link, struct redis_reply **out, struct err *err)
{
    void *reply = NULL;

    *out = NULL;
    for (;;) {
        if (link->context == NULL || redisGetReply(link->context, &reply) != REDIS_OK)
            return down(link, err);
        if (count_reply(link))
            break;
        freeReplyObject(reply);
    }
    *out = reply;
    return ERR_NONE;
}

static bool can_read(const struct redis_link *link)
{
    struct pollfd fd = {.fd = link->context->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

/* One that has come, of interest or not; NULL: none. */
static enum err_code try_one(struct redis_link *link, void **out, struct err *err)
{
    *out = NULL;
    if (link->context == NULL || redisGetReplyFromReader(link->context, out) != REDIS_OK)
        return down(link, err);
    while (*out == NULL && can_read(link))
        if (redisBufferRead(link->context) != REDIS_OK ||
            redisGetReplyFromReader(link->context, out) != REDIS_OK)
            return down(link, err);
    return ERR_NONE;
}

enum err_code redis_link_try_receive(struct redis_link *link, struct redis_reply **out,
                                     struct err *err)
{
    void *reply = NULL;

    *out = NULL;
    for (;;) {
        if (try_one(link, &reply, err) != ERR_NONE)
            return ERR_DOWN;
        if (reply == NULL || count_reply(link))
            break;
        freeReplyObject(reply);
    }
    *out = reply;
    return ERR_NONE;
}

/* --- scripts ------------------------------------------------------------------------------ */

static void send_script(struct redis_link *link, struct str how, struct str what,
                        const struct str *args, size_t keys, size_t count)
{
    char number[24];
    int len = snprintf(number, sizeof number, "%zu", keys);

    if (link->args_capacity < count + 3)
        link->args =
            mem_resize(link->args, link->args_capacity = 2 * (count + 3), sizeof *link->args);
    link->args[0] = how;
    link->args[1] = what;
    link->args[2] = (struct str){number, (size_t)len};
    memcpy(link->args + 3, args, count * sizeof *args);
    redis_link_send(link, link->args, count + 3);
}

void redis_script_send(struct redis_link *link, const struct redis_script *script,
                       const struct str *args, size_t keys, size_t count, bool whole)
{
    if (whole || script->sha[0] == '\0')
        send_script(link, STR("EVAL"), str_of(script->text), args, keys, count);
    else
        send_script(link, STR("EVALSHA"), (struct str){script->sha, 40}, args, keys, count);
}
