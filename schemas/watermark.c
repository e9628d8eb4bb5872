#include "schemas/watermark.h"

#include "core/when.h"

void watermark_put_json(struct buf *out, const struct watermark *w)
{
    struct json_writer json = json_writer_to(out);

    json_open(&json, '{');
    json_key(&json, "source");
    json_str(&json, w->source);
    if (w->follows) {
        json_key(&json, "follows");
        json_bool(&json, true);
        json_close(&json, '}');
        return;
    }
    json_key(&json, "partitions");
    json_int(&json, w->partitions);
    json_key(&json, "read");
    json_open(&json, '[');
    for (size_t i = 0; i < w->part_count; i++) {
        json_open(&json, '{');
        json_key(&json, "partition");
        json_int(&json, w->parts[i].partition);
        json_key(&json, "until");
        json_time(&json, w->parts[i].until_ms);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
}

static bool read_part(struct value v, int32_t partitions, struct watermark_part *out)
{
    struct value partition, until;

    if (v.kind != VALUE_MAP)
        return false;
    partition = value_map_get(v, STR("partition"));
    until = value_map_get(v, STR("until"));
    if (partition.kind != VALUE_INT || partition.i < 0 || partition.i >= partitions ||
        until.kind != VALUE_STRING)
        return false;
    out->partition = (int32_t)partition.i;
    return when_parse_ms(value_str(until), &out->until_ms);
}

static bool read_parts(struct value v, struct arena *arena, struct watermark *out)
{
    struct value partitions = value_map_get(v, STR("partitions"));
    struct value read = value_map_get(v, STR("read"));

    if (partitions.kind != VALUE_INT || partitions.i < 1 ||
        partitions.i > LIMIT_SOURCE_PARTITIONS || read.kind != VALUE_LIST)
        return false;
    out->partitions = (int32_t)partitions.i;
    out->parts = ARENA_ARRAY(arena, struct watermark_part, read.n);
    for (; out->part_count < read.n; out->part_count++)
        if (!read_part(read.list[out->part_count], out->partitions, &out->parts[out->part_count]))
            return false;
    return true;
}

bool watermark_read_json(struct str text, struct arena *arena, struct watermark *out,
                         struct err *err)
{
    struct value v, source, follows;

    *out = (struct watermark){0};
    if (json_parse(text, arena, &v, err) != JSON_FINE) {
        err_prefix(err, "watermark");
        return false;
    }
    source = v.kind == VALUE_MAP ? value_map_get(v, STR("source")) : VALUE_NONE;
    if (source.kind != VALUE_STRING || value_str(source).len == 0 ||
        value_str(source).len > LIMIT_ID_BYTES) {
        err_set(err, ERR_PARSE, "watermark: it names no source");
        return false;
    }
    out->source = value_str(source);
    follows = value_map_get(v, STR("follows"));
    out->follows = follows.kind == VALUE_BOOL && follows.boolean;
    if (out->follows || read_parts(v, arena, out))
        return true;
    err_set(err, ERR_PARSE, "watermark of %.*s: it does not say how far which partition was read",
            STR_ARG(out->source));
    return false;
}
