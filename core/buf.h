/* core/buf.h - bytes that grow: build a text, a JSON body, a state blob.
 *
 * Zero-initialise ({0}) to start; buf_free at the end.  Binary integers are little endian.
 */
#ifndef ATTENT_CORE_BUF_H
#define ATTENT_CORE_BUF_H

#include <stdint.h>

#include "core/str.h"

struct buf {
    char *data; /* NULL while empty */
    size_t len;
    size_t capacity;
};

void buf_free(struct buf *buf);                  /* frees the bytes, not buf itself; NULL allowed */
void buf_clear(struct buf *buf);                 /* empty, memory kept */
char *buf_extend(struct buf *buf, size_t bytes); /* room for bytes more, counted; not zeroed */
void buf_put(struct buf *buf, struct str s);
void buf_put_text(struct buf *buf, const char *text);
void buf_put_char(struct buf *buf, char c);
void buf_put_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_put_u8(struct buf *buf, uint8_t v);
void buf_put_u32(struct buf *buf, uint32_t v);
void buf_put_u64(struct buf *buf, uint64_t v);
void buf_put_varint(struct buf *buf, uint64_t v);  /* LEB128, 1 to 10 bytes */
void buf_put_zigzag(struct buf *buf, int64_t v);   /* varint, small for small |v| */
void buf_put_bytes(struct buf *buf, struct str s); /* varint length, then the bytes */
void buf_put_utf8(struct buf *buf, struct str s);  /* if s is not UTF-8, bytes >= 0x80 become '?' */
const char *buf_text(struct buf *buf);             /* NUL-terminated view; valid until changed */

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->data, buf->len};
}

/* Reading back.  A reader never runs over its end: after the first failure `failed` is set and
 * everything read is 0 or empty, so a decoder may check once, at the end. */
struct reader {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

struct reader reader_of(struct str s);
uint8_t reader_u8(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint64_t reader_varint(struct reader *r);
int64_t reader_zigzag(struct reader *r);
struct str reader_bytes(struct reader *r); /* borrowed from the input */
/* A count of things of at least item_bytes each: fails if the rest could not hold them. */
size_t reader_count(struct reader *r, size_t item_bytes);

#endif
