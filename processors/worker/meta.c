/* version 1 | checksum 8 | commit, next, now, generation | topics: per partition number, chain |
 * sources taken | last 16 (version 1: not there)
 */
#include "processors/worker/meta.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/mem.h"

enum { META_VERSION = 2, META_HEAD_BYTES = 9, META_PARTITIONS_MAX = 100000 };

static void add_topic(struct meta *meta, int32_t partitions)
{
    meta->topics = mem_resize(meta->topics, meta->topic_count + 1, sizeof *meta->topics);
    meta->topics[meta->topic_count++] =
        (struct meta_topic){.partition_count = partitions,
                            .sent = mem_alloc(((size_t)partitions + 1) * sizeof(struct chain))};
}

void meta_init(struct meta *meta, int64_t next, uint64_t generation, const int32_t *partitions,
               size_t topic_count)
{
    *meta = (struct meta){.next = next, .generation = generation};
    for (size_t i = 0; i < topic_count; i++) {
        CHECK(partitions[i] > 0 && partitions[i] <= META_PARTITIONS_MAX);
        add_topic(meta, partitions[i]);
    }
}

void meta_free(struct meta *meta)
{
    for (size_t i = 0; i < meta->topic_count; i++)
        mem_free(meta->topics[i].sent);
    mem_free(meta->topics);
    taken_free(&meta->taken);
    *meta = (struct meta){0};
}

static void put_chain(struct buf *out, uint64_t number, struct hash128 hash)
{
    buf_put_varint(out, number);
    if (number == 0)
        return;
    buf_put_u64(out, hash.low);
    buf_put_u64(out, hash.high);
}

static struct chain read_chain(struct reader *r)
{
    struct chain chain = {.number = reader_varint(r)};

    if (chain.number > 0) {
        chain.hash.low = reader_u64(r);
        chain.hash.high = reader_u64(r);
    }
    return chain;
}

static void put_body(const struct meta *meta, struct buf *out)
{
    buf_put_varint(out, meta->commit);
    buf_put_zigzag(out, meta->next);
    buf_put_zigzag(out, meta->now_ms);
    buf_put_varint(out, meta->generation);
    buf_put_varint(out, meta->topic_count);
    for (size_t i = 0; i < meta->topic_count; i++) {
        buf_put_varint(out, (uint64_t)meta->topics[i].partition_count);
        for (int32_t p = 0; p < meta->topics[i].partition_count; p++)
            put_chain(out, meta->topics[i].sent[p].number, meta->topics[i].sent[p].hash);
    }
    buf_put_varint(out, meta->taken.count);
    for (size_t i = 0; i < meta->taken.count; i++) {
        buf_put_bytes(out, meta->taken.sources[i].from);
        buf_put_varint(out, meta->taken.sources[i].generation);
        put_chain(out, meta->taken.sources[i].number, meta->taken.sources[i].hash);
    }
    buf_put_u64(out, meta->last.low);
    buf_put_u64(out, meta->last.high);
}

void meta_encode(const struct meta *meta, struct buf *out)
{
    size_t start = out->len;
    uint64_t sum;

    buf_put_u8(out, META_VERSION);
    buf_put_u64(out, 0); /* its place */
    put_body(meta, out);
    sum = hash_bytes(str_slice(buf_str(out), start + META_HEAD_BYTES, out->len), META_VERSION);
    for (int i = 0; i < 8; i++)
        out->data[start + 1 + (size_t)i] = (char)(sum >> 8 * i);
}

/* --- reading back -------------------------------------------------------------------------- */

static void read_topics(struct reader *r, struct meta *meta)
{
    size_t topics = reader_count(r, 1);

    for (size_t i = 0; i < topics && !r->failed; i++) {
        size_t partitions = reader_count(r, 1);

        if (partitions > META_PARTITIONS_MAX) {
            r->failed = true;
            return;
        }
        add_topic(meta, (int32_t)partitions);
        for (size_t p = 0; p < partitions; p++)
            meta->topics[i].sent[p] = read_chain(r);
    }
}

static void read_taken(struct reader *r, struct meta *meta)
{
    size_t count = reader_count(r, 3);

    for (size_t i = 0; i < count && !r->failed; i++) {
        struct taken_source source = {.from = reader_bytes(r)};
        struct chain chain;

        source.generation = reader_varint(r);
        chain = read_chain(r);
        source.number = chain.number;
        source.hash = chain.hash;
        if (!r->failed)
            taken_advance(&meta->taken, &source);
    }
}

enum err_code meta_decode_any(struct str bytes, struct meta *meta, struct err *err)
{
    struct reader r = reader_of(bytes);
    uint8_t version = reader_u8(&r);
    uint64_t sum = reader_u64(&r);

    *meta = (struct meta){0};
    if (version < 1 || version > META_VERSION)
        return err_set(err, ERR_STATE,
                       "state of version %d: this program knows version %d and older; start the "
                       "newer attent that wrote it, or `attent restore` a snapshot from before",
                       version, META_VERSION);
    if (r.failed || sum != hash_bytes(str_slice(bytes, META_HEAD_BYTES, bytes.len), version))
        return err_set(err, ERR_STATE, "state: the checksum of its meta is wrong");
    meta->commit = reader_varint(&r);
    meta->next = reader_zigzag(&r);
    meta->now_ms = reader_zigzag(&r);
    meta->generation = reader_varint(&r);
    read_topics(&r, meta);
    read_taken(&r, meta);
    if (version > 1) {
        meta->last.low = reader_u64(&r);
        meta->last.high = reader_u64(&r);
    }
    if (r.failed || r.at != r.end)
        return err_set(err, ERR_STATE, "state: its meta is malformed");
    return ERR_NONE;
}

enum err_code meta_decode(struct str bytes, const int32_t *partitions, size_t topic_count,
                          struct meta *meta, struct err *err)
{
    enum err_code code = meta_decode_any(bytes, meta, err);

    if (code == ERR_NONE && meta->topic_count > topic_count)
        return err_set(err, ERR_STATE, "state is of a step with %zu output topics, not %zu",
                       meta->topic_count, topic_count);
    for (size_t i = meta->topic_count; i < topic_count && code == ERR_NONE; i++)
        add_topic(meta, partitions[i]); /* the step writes to one more by now */
    for (size_t i = 0; i < topic_count && code == ERR_NONE; i++)
        if (meta->topics[i].partition_count != partitions[i])
            return err_set(err, ERR_STATE,
                           "output topic %zu had %d partitions and has %d: that takes new numbers "
                           "for what is written; `attent snapshot DIR` and `attent init --from "
                           "DIR` keep the states",
                           i, meta->topics[i].partition_count, partitions[i]);
    return code;
}
