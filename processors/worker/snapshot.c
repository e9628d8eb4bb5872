#include "processors/worker/snapshot.h"

#include "core/file.h"
#include "core/limit.h"
#include "processors/worker/blob.h"
#include "processors/worker/meta.h"

#define MAGIC "attent-snapshot"

enum { SNAPSHOT_VERSION = 1, CHECK_BYTES = 16, SUBJECT_BYTES_MIN = 2, PARTITIONS_MAX = 100000 };

static struct hash128 check_of(struct str bytes)
{
    return hash128_bytes(bytes, (struct hash128){SNAPSHOT_VERSION, 0});
}

void snapshot_encode(const struct snapshot *snapshot, struct buf *out)
{
    const struct store_copy *copy = &snapshot->copy;
    size_t start = out->len;
    struct hash128 check;

    buf_put(out, STR(MAGIC));
    buf_put_u8(out, SNAPSHOT_VERSION);
    buf_put_bytes(out, snapshot->step);
    buf_put_varint(out, (uint64_t)snapshot->partition);
    buf_put_zigzag(out, snapshot->taken_ms);
    buf_put_bytes(out, copy->identity);
    buf_put_varint(out, copy->commit);
    buf_put_bytes(out, copy->meta);
    buf_put_varint(out, copy->count);
    for (size_t i = 0; i < copy->count; i++) {
        buf_put_bytes(out, copy->subjects[i].subject);
        buf_put_bytes(out, copy->subjects[i].blob);
    }
    check = check_of(str_slice(buf_str(out), start, out->len));
    buf_put_u64(out, check.low);
    buf_put_u64(out, check.high);
}

/* --- reading ----------------------------------------------------------------------------------- */

static enum err_code open_bytes(struct str bytes, struct reader *r, struct err *err)
{
    const size_t head = sizeof MAGIC; /* with the version in place of the NUL */
    struct hash128 check;
    struct reader tail;
    size_t body;

    if (bytes.len < head + CHECK_BYTES || !str_starts(bytes, STR(MAGIC)))
        return err_set(err, ERR_STATE, "no snapshot of attent");
    if ((unsigned char)bytes.data[head - 1] != SNAPSHOT_VERSION)
        return err_set(err, ERR_STATE, "a snapshot of version %d: this program knows version %d",
                       (unsigned char)bytes.data[head - 1], SNAPSHOT_VERSION);
    body = bytes.len - CHECK_BYTES;
    check = check_of(str_slice(bytes, 0, body));
    tail = reader_of(str_slice(bytes, body, bytes.len));
    if (reader_u64(&tail) != check.low || reader_u64(&tail) != check.high)
        return err_set(err, ERR_STATE, "damaged or cut short: its checksum is wrong");
    *r = reader_of(str_slice(bytes, head, body));
    return ERR_NONE;
}

static void read_subjects(struct reader *r, struct arena *arena, struct store_copy *copy)
{
    copy->count = reader_count(r, SUBJECT_BYTES_MIN);
    copy->subjects = ARENA_ARRAY(arena, struct store_subject, copy->count);
    for (size_t i = 0; i < copy->count && !r->failed; i++) {
        struct store_subject *subject = &copy->subjects[i];

        subject->subject = reader_bytes(r);
        subject->blob = reader_bytes(r);
        if (subject->blob.len == 0 || subject->subject.len > LIMIT_SUBJECT_BYTES ||
            (i > 0 && str_compare(copy->subjects[i - 1].subject, subject->subject) >= 0))
            r->failed = true;
    }
}

static void read_body(struct reader *r, struct arena *arena, struct snapshot *out)
{
    uint64_t partition;

    out->step = reader_bytes(r);
    partition = reader_varint(r);
    if (partition >= PARTITIONS_MAX)
        r->failed = true;
    out->partition = (int32_t)(r->failed ? 0 : partition);
    out->taken_ms = reader_zigzag(r);
    out->copy.identity = reader_bytes(r);
    out->copy.commit = reader_varint(r);
    out->copy.meta = reader_bytes(r);
    read_subjects(r, arena, &out->copy);
    if (r->at != r->end)
        r->failed = true;
}

/* What is in it can be read, too. */
static enum err_code look_inside(const struct snapshot *s, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct meta meta;
    enum err_code code = meta_decode_any(s->copy.meta, &meta, err);

    if (code == ERR_NONE && (meta.commit != s->copy.commit || meta.commit == 0))
        code = err_set(err, ERR_STATE, "a snapshot of two commits");
    for (size_t i = 0; i < s->copy.count && code == ERR_NONE; i++) {
        struct blob_timers timers;
        struct str inner;

        arena_reset(arena);
        code = blob_unwrap(s->copy.subjects[i].subject, s->copy.subjects[i].blob, arena, &timers,
                           &inner, err);
    }
    meta_free(&meta);
    arena_free(arena);
    return code;
}

enum err_code snapshot_decode(struct str bytes, struct arena *arena, struct snapshot *out,
                              struct err *err)
{
    struct reader r;
    enum err_code code = open_bytes(bytes, &r, err);

    *out = (struct snapshot){0};
    if (code != ERR_NONE)
        return code;
    read_body(&r, arena, out);
    if (r.failed)
        return err_set(err, ERR_STATE, "malformed inside");
    return look_inside(out, err);
}

/* --- files --------------------------------------------------------------------------------------- */

struct str snapshot_path(struct arena *arena, const char *dir, const char *step, int32_t partition)
{
    return arena_format(arena, "%s/%s-%d.snapshot", dir, step, partition);
}

enum err_code snapshot_write(const char *path, const struct snapshot *snapshot, struct err *err)
{
    struct buf out = {0};
    enum err_code code;

    snapshot_encode(snapshot, &out);
    code = file_write(path, buf_str(&out), err);
    buf_free(&out);
    return code;
}

enum err_code snapshot_read(const char *path, struct arena *arena, struct snapshot *out,
                            struct err *err)
{
    struct str bytes;
    enum err_code code =
        file_read_most(path, (int64_t)LIMIT_SNAPSHOT_MIB << 20, arena, &bytes, err);

    *out = (struct snapshot){0};
    if (code != ERR_NONE)
        return code;
    if (snapshot_decode(bytes, arena, out, err) != ERR_NONE)
        return err_prefix(err, "%s", path);
    return ERR_NONE;
}
