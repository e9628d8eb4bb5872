#include "processors/worker/blob.h"

#include "core/hash.h"

enum { BLOB_VERSION = 2, BLOB_HEAD_BYTES = 5, WAIT_BYTES_MIN = 5 };
enum { HAS_TIMER = 1, HAS_WAITS = 2 };

/* Of version 1 the bytes alone, of version 2 the name and the bytes. */
static uint32_t checksum(uint8_t version, struct str subject, struct str body)
{
    uint64_t seed = version == 1 ? 1 : hash_bytes(subject, version);

    return (uint32_t)hash_bytes(body, seed);
}

static void put_waits(struct buf *out, const struct blob_timers *timers)
{
    buf_put_varint(out, timers->wait_count);
    for (size_t i = 0; i < timers->wait_count; i++) {
        buf_put_u32(out, timers->waits[i].lane);
        buf_put_zigzag(out, timers->waits[i].due_ms);
    }
}

static void get_waits(struct reader *r, struct arena *arena, struct blob_timers *timers)
{
    timers->wait_count = reader_count(r, WAIT_BYTES_MIN);
    timers->waits = ARENA_ARRAY(arena, struct step_wait, timers->wait_count);
    for (size_t i = 0; i < timers->wait_count; i++) {
        timers->waits[i].lane = reader_u32(r);
        timers->waits[i].due_ms = reader_zigzag(r);
    }
}

void blob_wrap(struct buf *out, struct str subject, const struct blob_timers *timers,
               struct str inner)
{
    bool timer = timers->due_ms != STEP_NO_TIMER;
    uint32_t sum;

    buf_clear(out);
    buf_put_u8(out, BLOB_VERSION);
    buf_put_u32(out, 0); /* its place */
    buf_put_u8(out, (uint8_t)((timer ? HAS_TIMER : 0) | (timers->wait_count != 0 ? HAS_WAITS : 0)));
    if (timer)
        buf_put_zigzag(out, timers->due_ms);
    if (timers->wait_count != 0)
        put_waits(out, timers);
    buf_put(out, inner);
    sum = checksum(BLOB_VERSION, subject, str_slice(buf_str(out), BLOB_HEAD_BYTES, out->len));
    for (int i = 0; i < 4; i++)
        out->data[1 + i] = (char)(sum >> 8 * i);
}

enum err_code blob_unwrap(struct str subject, struct str blob, struct arena *arena,
                          struct blob_timers *timers, struct str *inner, struct err *err)
{
    struct reader r = reader_of(blob);
    uint8_t version, flags;
    uint32_t sum;

    *timers = (struct blob_timers){.due_ms = STEP_NO_TIMER};
    *inner = STR_EMPTY;
    if (blob.len == 0)
        return ERR_NONE;
    version = reader_u8(&r);
    sum = reader_u32(&r);
    if (version < 1 || version > BLOB_VERSION)
        return err_set(err, ERR_STATE,
                       "version %d: this program knows version %d and older (a newer attent has "
                       "written it)",
                       version, BLOB_VERSION);
    if (r.failed || sum != checksum(version, subject, str_slice(blob, BLOB_HEAD_BYTES, blob.len)))
        return err_set(err, ERR_STATE, "%zu bytes with a wrong checksum", blob.len);
    flags = reader_u8(&r);
    if ((flags & HAS_TIMER) != 0)
        timers->due_ms = reader_zigzag(&r);
    if ((flags & HAS_WAITS) != 0)
        get_waits(&r, arena, timers);
    if (r.failed)
        return err_set(err, ERR_STATE, "%zu bytes that end too early", blob.len);
    *inner = (struct str){(const char *)r.at, (size_t)(r.end - r.at)};
    return ERR_NONE;
}

struct str blob_renewed(struct str subject, struct str blob, struct arena *arena)
{
    struct blob_timers timers;
    struct buf out = {0};
    struct str inner;

    if (blob.len == 0 || blob_unwrap(subject, blob, arena, &timers, &inner, NULL) != ERR_NONE)
        return blob;
    blob_wrap(&out, subject, &timers, inner);
    blob = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return blob;
}
