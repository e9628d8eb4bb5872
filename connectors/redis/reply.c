#include "connectors/redis/reply.h"

#include <hiredis/hiredis.h>

#include "core/check.h"

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

struct redis_reply *redis_reply_read(struct str bytes)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;

    CHECK(reader != NULL);
    if (bytes.len > 0)
        redisReaderFeed(reader, bytes.data, bytes.len);
    redisReaderGetReply(reader, &reply); /* an error leaves it NULL */
    redisReaderFree(reader);
    return reply;
}
