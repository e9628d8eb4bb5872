/* A thin coat over hiredis' blocking context: commands go into its output buffer and are written
 * when a reply is waited for (or when redis_send finds the buffer large), so a pipeline costs one
 * write.
 *
 * State that Redis may throw away under memory pressure is worse than no state: a customer's
 * consent would be forgotten without a sound.  So the policy is checked at each connect.
 */
#include "connectors/redis/redis.h"

#include <hiredis/hiredis.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/check.h"
#include "core/mem.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    TIMEOUT_MS = 5000,
    PORT = 6379,
    PIPE_BYTES = 256 * 1024, /* written early, so that Redis can begin */
};

struct redis {
    char *address, *user, *password;
    int connect_timeout_ms, timeout_ms;
    redisContext *context; /* NULL: not connected */
    uint64_t connections;  /* made so far */
    const char **data;     /* scratch for one command */
    size_t *lengths;
    size_t capacity;
    struct str *args; /* scratch for one script */
    size_t args_capacity;
};

static struct timeval timeval_of(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static void disconnect(struct redis *r)
{
    if (r->context != NULL)
        redisFree(r->context);
    r->context = NULL;
}

static enum err_code down(struct redis *r, struct err *err)
{
    err_set(err, ERR_DOWN, "Redis at %s: %s", r->address,
            r->context == NULL || r->context->errstr[0] == '\0' ? "not connected"
                                                                : r->context->errstr);
    disconnect(r);
    return ERR_DOWN;
}

/* --- connecting --------------------------------------------------------------------------- */

/* "host:port", "[v6]:port", "host" */
static redisContext *connect_tcp(const char *address, struct timeval timeout)
{
    struct str all = str_of(address), host = all, port = STR_EMPTY;
    char name[256];

    if (str_starts(all, STR("["))) {
        str_cut(str_slice(all, 1, all.len), ']', &host, &port);
        port = str_slice(port, 1, port.len); /* the colon */
    } else {
        str_cut(all, ':', &host, &port);
    }
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    return redisConnectWithTimeout(name, port.len > 0 ? atoi(port.data) : PORT, timeout);
}

static enum err_code say(struct redis *r, const struct str *args, size_t count, const char *what,
                         struct redis_reply **out, struct err *err)
{
    enum err_code code = redis_command(r, args, count, out, err);

    if (code == ERR_NONE && redis_reply_kind(*out) == REDIS_ERROR) {
        code = err_set(err, ERR_CONFIG, "Redis at %s: %s: %.*s", r->address, what,
                       STR_ARG(redis_reply_text(*out)));
        redis_reply_free(*out);
        *out = NULL;
        disconnect(r);
    }
    return code;
}

static enum err_code authenticate(struct redis *r, struct err *err)
{
    bool user = r->user[0] != '\0';
    struct str args[] = {STR("AUTH"), str_of(r->user), str_of(r->password)};
    struct redis_reply *reply;
    enum err_code code;

    if (r->password[0] == '\0')
        return ERR_NONE;
    if (!user)
        args[1] = args[2];
    code = say(r, args, user ? 3 : 2, "password", &reply, err);
    if (code == ERR_NONE)
        redis_reply_free(reply);
    return code;
}

/* The value of a line "name:value\r\n" of INFO. */
static struct str info_field(struct str info, struct str name)
{
    struct str line;

    while (info.len > 0) {
        if (!str_cut(info, '\n', &line, &info)) { /* the last one */
            line = info;
            info = STR_EMPTY;
        }
        if (str_starts(line, name) && line.len > name.len && line.data[name.len] == ':')
            return str_trim(str_slice(line, name.len + 1, line.len));
    }
    return STR_EMPTY;
}

static enum err_code check_policy(struct redis *r, struct err *err)
{
    const struct str args[] = {STR("INFO"), STR("memory")};
    struct redis_reply *reply;
    struct str policy;
    enum err_code code = say(r, args, 2, "INFO memory", &reply, err);

    if (code != ERR_NONE)
        return code;
    policy = info_field(redis_reply_text(reply), STR("maxmemory_policy"));
    if (!str_is(policy, "noeviction"))
        code = err_set(err, ERR_CONFIG,
                       "Redis at %s has maxmemory-policy %.*s: it may throw state away; set "
                       "maxmemory-policy noeviction",
                       r->address, STR_ARG(policy.len > 0 ? policy : STR("(unknown)")));
    redis_reply_free(reply);
    if (code != ERR_NONE)
        disconnect(r);
    return code;
}

enum err_code redis_ready(struct redis *r, struct err *err)
{
    struct timeval timeout = timeval_of(r->connect_timeout_ms);
    enum err_code code;

    if (r->context != NULL)
        return ERR_NONE;
    if (str_starts(str_of(r->address), STR("unix:")))
        r->context = redisConnectUnixWithTimeout(r->address + 5, timeout);
    else
        r->context = connect_tcp(r->address, timeout);
    if (r->context == NULL || r->context->err != 0)
        return down(r, err);
    r->connections++;
    redisSetTimeout(r->context, timeval_of(r->timeout_ms));
    redisEnableKeepAlive(r->context); /* fails on a Unix socket, which needs none */
    r->context->err = 0;
    code = authenticate(r, err);
    return code == ERR_NONE ? check_policy(r, err) : code;
}

static char *text_or_empty(const char *text)
{
    struct str s = str_of(text);

    return mem_copy_text(s.len > 0 ? s.data : "", s.len);
}

enum err_code redis_open(const struct redis_settings *settings, struct redis **out, struct err *err)
{
    struct redis *r = MEM_NEW(struct redis);
    enum err_code code;

    *out = NULL;
    CHECK(settings->address != NULL);
    signal(SIGPIPE, SIG_IGN);
    r->address = text_or_empty(settings->address);
    r->user = text_or_empty(settings->user);
    r->password = text_or_empty(settings->password);
    r->connect_timeout_ms =
        settings->connect_timeout_ms > 0 ? settings->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    r->timeout_ms = settings->timeout_ms > 0 ? settings->timeout_ms : TIMEOUT_MS;
    code = redis_ready(r, err);
    if (code != ERR_NONE) {
        redis_close(r);
        return code;
    }
    *out = r;
    return ERR_NONE;
}

void redis_close(struct redis *r)
{
    if (r == NULL)
        return;
    disconnect(r);
    mem_free(r->address);
    mem_free(r->user);
    mem_free(r->password);
    mem_free(r->data);
    mem_free(r->lengths);
    mem_free(r->args);
    mem_free(r);
}

/* --- commands ----------------------------------------------------------------------------- */

/* An error shows again when a reply is received. */
void redis_push(struct redis *r)
{
    int done = 0;

    while (r->context != NULL && redisBufferWrite(r->context, &done) == REDIS_OK && !done)
        ;
}

void redis_send(struct redis *r, const struct str *args, size_t count)
{
    if (r->context == NULL) /* receive says so */
        return;
    if (r->capacity < count) {
        r->capacity = 2 * count;
        r->data = mem_resize(r->data, r->capacity, sizeof *r->data);
        r->lengths = mem_resize(r->lengths, r->capacity, sizeof *r->lengths);
    }
    for (size_t i = 0; i < count; i++) {
        r->data[i] = args[i].data != NULL ? args[i].data : "";
        r->lengths[i] = args[i].len;
    }
    CHECK(redisAppendCommandArgv(r->context, (int)count, r->data, r->lengths) == REDIS_OK);
    if (sdslen(r->context->obuf) > PIPE_BYTES)
        redis_push(r);
}

enum err_code redis_receive(struct redis *r, struct redis_reply **out, struct err *err)
{
    void *reply = NULL;

    *out = NULL;
    if (r->context == NULL || redisGetReply(r->context, &reply) != REDIS_OK)
        return down(r, err);
    *out = reply;
    return ERR_NONE;
}

uint64_t redis_connection(const struct redis *r)
{
    return r->context != NULL ? r->connections : 0;
}

int redis_fd(const struct redis *r)
{
    return r->context != NULL ? r->context->fd : -1;
}

static bool can_read(const struct redis *r)
{
    struct pollfd fd = {.fd = r->context->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

enum err_code redis_try_receive(struct redis *r, struct redis_reply **out, struct err *err)
{
    void *reply = NULL;

    *out = NULL;
    if (r->context == NULL || redisGetReplyFromReader(r->context, &reply) != REDIS_OK)
        return down(r, err);
    while (reply == NULL && can_read(r))
        if (redisBufferRead(r->context) != REDIS_OK ||
            redisGetReplyFromReader(r->context, &reply) != REDIS_OK)
            return down(r, err);
    *out = reply;
    return ERR_NONE;
}

enum err_code redis_command(struct redis *r, const struct str *args, size_t count,
                            struct redis_reply **out, struct err *err)
{
    enum err_code code = redis_ready(r, err);

    *out = NULL;
    if (code != ERR_NONE)
        return code;
    redis_send(r, args, count);
    return redis_receive(r, out, err);
}

/* --- scripts ------------------------------------------------------------------------------ */

static void send_script(struct redis *r, struct str how, struct str what, const struct str *args,
                        size_t keys, size_t count)
{
    char number[24];
    int len = snprintf(number, sizeof number, "%zu", keys);

    if (r->args_capacity < count + 3)
        r->args = mem_resize(r->args, r->args_capacity = 2 * (count + 3), sizeof *r->args);
    r->args[0] = how;
    r->args[1] = what;
    r->args[2] = (struct str){number, (size_t)len};
    memcpy(r->args + 3, args, count * sizeof *args);
    redis_send(r, r->args, count + 3);
}

/* Redis itself says what the digest is, so no SHA-1 is needed here. */
enum err_code redis_script_learn(struct redis *r, struct redis_script *script, struct err *err)
{
    const struct str args[] = {STR("SCRIPT"), STR("LOAD"), str_of(script->text)};
    struct redis_reply *reply;
    enum err_code code = redis_command(r, args, 3, &reply, err);

    if (code != ERR_NONE)
        return code;
    if (redis_reply_kind(reply) == REDIS_TEXT && redis_reply_text(reply).len == 40)
        memcpy(script->sha, redis_reply_text(reply).data, 40);
    else
        code = err_set(err, ERR_REDIS, "Redis at %s: script: %.*s", r->address,
                       STR_ARG(redis_reply_text(reply)));
    redis_reply_free(reply);
    return code;
}

void redis_script_send(struct redis *r, const struct redis_script *script, const struct str *args,
                       size_t keys, size_t count)
{
    if (script->sha[0] == '\0')
        redis_script_send_whole(r, script, args, keys, count);
    else
        send_script(r, STR("EVALSHA"), (struct str){script->sha, 40}, args, keys, count);
}

void redis_script_send_whole(struct redis *r, const struct redis_script *script,
                             const struct str *args, size_t keys, size_t count)
{
    send_script(r, STR("EVAL"), str_of(script->text), args, keys, count);
}

enum err_code redis_script_run(struct redis *r, const struct redis_script *script,
                               const struct str *args, size_t keys, size_t count,
                               struct redis_reply **out, struct err *err)
{
    enum err_code code = redis_ready(r, err);

    *out = NULL;
    if (code != ERR_NONE)
        return code;
    redis_script_send(r, script, args, keys, count);
    code = redis_receive(r, out, err);
    if (code != ERR_NONE || !redis_reply_is_no_script(*out))
        return code;
    redis_reply_free(*out);
    redis_script_send_whole(r, script, args, keys, count);
    return redis_receive(r, out, err);
}

/* --- replies ------------------------------------------------------------------------------ */

static const redisReply *of(const struct redis_reply *reply)
{
    return (const redisReply *)reply;
}

enum redis_kind redis_reply_kind(const struct redis_reply *reply)
{
    switch (of(reply)->type) {
    case REDIS_REPLY_STRING: return REDIS_TEXT;
    case REDIS_REPLY_STATUS: return REDIS_STATUS;
    case REDIS_REPLY_ERROR: return REDIS_ERROR;
    case REDIS_REPLY_INTEGER: return REDIS_INTEGER;
    case REDIS_REPLY_ARRAY: return REDIS_LIST;
    default: return REDIS_NIL;
    }
}

struct str redis_reply_text(const struct redis_reply *reply)
{
    switch (of(reply)->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR: return (struct str){of(reply)->str, of(reply)->len};
    default: return STR_EMPTY;
    }
}

int64_t redis_reply_integer(const struct redis_reply *reply)
{
    return of(reply)->type == REDIS_REPLY_INTEGER ? of(reply)->integer : 0;
}

size_t redis_reply_count(const struct redis_reply *reply)
{
    return of(reply)->type == REDIS_REPLY_ARRAY ? of(reply)->elements : 0;
}

const struct redis_reply *redis_reply_at(const struct redis_reply *list, size_t index)
{
    CHECK(index < redis_reply_count(list));
    return (const struct redis_reply *)of(list)->element[index];
}

bool redis_reply_is_no_script(const struct redis_reply *reply)
{
    return redis_reply_kind(reply) == REDIS_ERROR &&
           str_starts(redis_reply_text(reply), STR("NOSCRIPT"));
}

void redis_reply_free(struct redis_reply *reply)
{
    freeReplyObject(reply);
}
