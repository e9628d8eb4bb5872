#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/check.h"
#include "core/mem.h"

void buf_free(struct buf *buf)
{
    if (buf == NULL)
        return;
    mem_free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

/* Make room for bytes more without counting them. */
static char *reserve(struct buf *buf, size_t bytes)
{
    size_t need;

    CHECK(!__builtin_add_overflow(buf->len, bytes, &need));
    if (need > buf->capacity) {
        size_t doubled = buf->capacity * 2;
        buf->capacity = need > doubled ? need : doubled;
        if (buf->capacity < 64)
            buf->capacity = 64;
        buf->data = mem_resize(buf->data, buf->capacity, 1);
    }
    return buf->data + buf->len;
}

char *buf_extend(struct buf *buf, size_t bytes)
{
    char *p = reserve(buf, bytes);

    buf->len += bytes;
    return p;
}

void buf_put(struct buf *buf, struct str s)
{
    if (s.len != 0)
        memcpy(buf_extend(buf, s.len), s.data, s.len);
}

void buf_put_text(struct buf *buf, const char *text)
{
    buf_put(buf, str_of(text));
}

void buf_put_char(struct buf *buf, char c)
{
    *buf_extend(buf, 1) = c;
}

void buf_put_format(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    int bytes;

    va_start(args, format);
    va_copy(again, args);
    bytes = vsnprintf(NULL, 0, format, args);
    CHECK(bytes >= 0);
    vsnprintf(reserve(buf, (size_t)bytes + 1), (size_t)bytes + 1, format, again);
    buf->len += (size_t)bytes;
    va_end(again);
    va_end(args);
}

void buf_put_u8(struct buf *buf, uint8_t v)
{
    *buf_extend(buf, 1) = (char)v;
}

static void put_little_endian(struct buf *buf, uint64_t v, size_t bytes)
{
    char *p = buf_extend(buf, bytes);

    for (size_t i = 0; i < bytes; i++)
        p[i] = (char)(v >> (8 * i) & 0xff);
}

void buf_put_u32(struct buf *buf, uint32_t v)
{
    put_little_endian(buf, v, 4);
}

void buf_put_u64(struct buf *buf, uint64_t v)
{
    put_little_endian(buf, v, 8);
}

void buf_put_varint(struct buf *buf, uint64_t v)
{
    while (v >= 0x80) {
        buf_put_u8(buf, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    buf_put_u8(buf, (uint8_t)v);
}

void buf_put_zigzag(struct buf *buf, int64_t v)
{
    buf_put_varint(buf, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void buf_put_bytes(struct buf *buf, struct str s)
{
    buf_put_varint(buf, s.len);
    buf_put(buf, s);
}

void buf_put_utf8(struct buf *buf, struct str s)
{
    size_t from = buf->len;

    buf_put(buf, s);
    if (str_is_utf8(s))
        return;
    for (size_t i = from; i < buf->len; i++)
        if ((unsigned char)buf->data[i] >= 0x80)
            buf->data[i] = '?';
}

const char *buf_text(struct buf *buf)
{
    *reserve(buf, 1) = '\0';
    return buf->data;
}

struct reader reader_of(struct str s)
{
    const unsigned char *data = (const unsigned char *)s.data;

    return (struct reader){.at = data, .end = s.len != 0 ? data + s.len : data};
}

static size_t left(const struct reader *r)
{
    return r->at != NULL ? (size_t)(r->end - r->at) : 0;
}

static bool need(struct reader *r, size_t bytes)
{
    if (r->failed || left(r) < bytes)
        r->failed = true;
    return !r->failed;
}

static uint64_t read_little_endian(struct reader *r, size_t bytes)
{
    uint64_t v = 0;

    if (!need(r, bytes))
        return 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)r->at[i] << (8 * i);
    r->at += bytes;
    return v;
}

uint8_t reader_u8(struct reader *r)
{
    return (uint8_t)read_little_endian(r, 1);
}

uint32_t reader_u32(struct reader *r)
{
    return (uint32_t)read_little_endian(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
    return read_little_endian(r, 8);
}

uint64_t reader_varint(struct reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = reader_u8(r);
        if (r->failed || (shift == 63 && byte > 1))
            break;
        v |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    r->failed = true;
    return 0;
}

int64_t reader_zigzag(struct reader *r)
{
    uint64_t v = reader_varint(r);

    return (int64_t)(v >> 1 ^ (v & 1 ? UINT64_MAX : 0));
}

struct str reader_bytes(struct reader *r)
{
    uint64_t bytes = reader_varint(r);
    struct str s;

    if (r->failed || bytes > left(r)) {
        r->failed = true;
        return STR_EMPTY;
    }
    s = (struct str){(const char *)r->at, (size_t)bytes};
    r->at += bytes;
    return s;
}

size_t reader_count(struct reader *r, size_t item_bytes)
{
    uint64_t count = reader_varint(r);

    if (r->failed || count > left(r) / (item_bytes != 0 ? item_bytes : 1)) {
        r->failed = true;
        return 0;
    }
    return (size_t)count;
}
