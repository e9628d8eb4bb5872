#include "processors/worker/blob.h"

#include "core/hash.h"

enum { BLOB_VERSION = 1, BLOB_HEAD_BYTES = 5 };

static uint32_t checksum(struct str s)
{
    return (uint32_t)hash_bytes(s, BLOB_VERSION);
}

void blob_wrap(struct buf *out, int64_t due_ms, struct str inner)
{
    uint32_t sum;

    buf_clear(out);
    buf_put_u8(out, BLOB_VERSION);
    buf_put_u32(out, 0); /* its place */
    buf_put_u8(out, due_ms != INT64_MAX);
    if (due_ms != INT64_MAX)
        buf_put_zigzag(out, due_ms);
    buf_put(out, inner);
    sum = checksum(str_slice(buf_str(out), BLOB_HEAD_BYTES, out->len));
    for (int i = 0; i < 4; i++)
        out->data[1 + i] = (char)(sum >> 8 * i);
}

enum err_code blob_unwrap(struct str blob, int64_t *due_ms, struct str *inner, struct err *err)
{
    struct reader r = reader_of(blob);
    uint8_t version;
    uint32_t sum;

    *due_ms = INT64_MAX;
    *inner = STR_EMPTY;
    if (blob.len == 0)
        return ERR_NONE;
    version = reader_u8(&r);
    sum = reader_u32(&r);
    if (version != BLOB_VERSION)
        return err_set(err, ERR_STATE, "state of version %d: this program knows version %d",
                       version, BLOB_VERSION);
    if (r.failed || sum != checksum(str_slice(blob, BLOB_HEAD_BYTES, blob.len)))
        return err_set(err, ERR_STATE, "state of %zu bytes: its checksum is wrong", blob.len);
    if (reader_u8(&r) != 0)
        *due_ms = reader_zigzag(&r);
    if (r.failed)
        return err_set(err, ERR_STATE, "state of %zu bytes: it ends too early", blob.len);
    *inner = (struct str){(const char *)r.at, (size_t)(r.end - r.at)};
    return ERR_NONE;
}
