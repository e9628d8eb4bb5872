#include "processors/decide/watermarks.h"

#include "core/mem.h"
#include "schemas/watermark.h"

enum { MARKS_VERSION = 1 };

void watermarks_free(struct watermarks *w)
{
    for (size_t i = 0; i < w->count; i++) {
        mem_free(w->sources[i].name);
        mem_free(w->sources[i].until_ms);
    }
    mem_free(w->sources);
    *w = (struct watermarks){.follow = w->follow};
}

static struct source_mark *find(const struct watermarks *w, struct str source)
{
    for (size_t i = 0; i < w->count; i++)
        if (str_equal((struct str){w->sources[i].name, w->sources[i].name_bytes}, source))
            return &w->sources[i];
    return NULL;
}

static struct source_mark *add(struct watermarks *w, struct str source)
{
    struct source_mark *mark;

    MEM_RESERVE(w->sources, w->count, w->capacity);
    mark = &w->sources[w->count++];
    *mark =
        (struct source_mark){mem_copy_text(source.data, source.len), source.len, false, NULL, 0};
    return mark;
}

/* More partitions than before: nothing is known of the new ones.  Kafka's never become fewer: they are
 * numbered otherwise now (the source's events go through attent.identify no more), and nothing is known. */
static void set_partitions(struct source_mark *mark, int32_t partitions)
{
    int64_t *until_ms = MEM_NEW_ARRAY(int64_t, (size_t)partitions);

    for (int32_t i = 0; i < partitions; i++)
        until_ms[i] =
            mark->partitions < partitions && i < mark->partitions ? mark->until_ms[i] : INT64_MIN;
    mem_free(mark->until_ms);
    mark->until_ms = until_ms;
    mark->partitions = partitions;
}

static void take(struct source_mark *mark, const struct watermark *record)
{
    mark->follows = record->follows;
    if (record->follows)
        return;
    if (record->partitions != mark->partitions)
        set_partitions(mark, record->partitions);
    for (size_t i = 0; i < record->part_count; i++)
        if (record->parts[i].until_ms > mark->until_ms[record->parts[i].partition])
            mark->until_ms[record->parts[i].partition] = record->parts[i].until_ms;
}

bool watermarks_take(struct watermarks *w, struct str json, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct watermark record;
    struct source_mark *mark;
    bool fine = watermark_read_json(json, arena, &record, err);

    if (fine) {
        mark = find(w, record.source);
        fine = mark != NULL || w->count < LIMIT_SOURCES;
        if (fine)
            take(mark != NULL ? mark : add(w, record.source), &record);
        else
            err_set(err, ERR_LIMIT, "watermark of %.*s: %d sources are known already",
                    STR_ARG(record.source), LIMIT_SOURCES);
    }
    arena_free(arena);
    return fine;
}

int64_t watermarks_until(const struct watermarks *w, struct str source)
{
    const struct source_mark *mark = find(w, source);
    int64_t least_ms = INT64_MAX;

    if (mark == NULL)
        return w->follow ? INT64_MAX : INT64_MIN;
    if (mark->follows)
        return INT64_MAX;
    for (int32_t i = 0; i < mark->partitions; i++)
        if (mark->until_ms[i] < least_ms)
            least_ms = mark->until_ms[i];
    return least_ms;
}

/* --- lanes --------------------------------------------------------------------------------------- */

static bool has_lane(const struct ruleset *set, uint32_t lane)
{
    for (size_t i = 0; i < set->source_count; i++)
        if (set->sources[i].lane == lane)
            return true;
    return false;
}

/* Those that ended before are empty by now: what waited in them fired before this record. */
void watermarks_change(struct watermarks *w, const struct ruleset *before,
                       const struct ruleset *after)
{
    w->ended_count = 0;
    for (size_t i = 0; before != NULL && i < before->source_count; i++)
        if (!has_lane(after, before->sources[i].lane))
            w->ended[w->ended_count++] = before->sources[i].lane;
}

size_t watermarks_lanes(const struct watermarks *w, const struct ruleset *set,
                        struct step_lane lanes[STEP_LANES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < set->source_count; i++)
        lanes[count++] =
            (struct step_lane){set->sources[i].lane, watermarks_until(w, set->sources[i].name)};
    for (size_t i = 0; i < w->ended_count; i++)
        lanes[count++] = (struct step_lane){w->ended[i], INT64_MAX};
    return count;
}

/* --- as bytes ------------------------------------------------------------------------------------ */

void watermarks_encode(const struct watermarks *w, struct buf *out)
{
    if (w->count == 0 && w->ended_count == 0)
        return;
    buf_put_u8(out, MARKS_VERSION);
    buf_put_varint(out, w->count);
    for (size_t i = 0; i < w->count; i++) {
        const struct source_mark *mark = &w->sources[i];

        buf_put_bytes(out, (struct str){mark->name, mark->name_bytes});
        buf_put_u8(out, mark->follows ? 1 : 0);
        buf_put_varint(out, (uint64_t)mark->partitions);
        for (int32_t p = 0; p < mark->partitions; p++)
            buf_put_zigzag(out, mark->until_ms[p]);
    }
    buf_put_varint(out, w->ended_count);
    for (size_t i = 0; i < w->ended_count; i++)
        buf_put_u32(out, w->ended[i]);
}

static void get_source(struct reader *r, struct watermarks *w)
{
    struct source_mark *mark = add(w, reader_bytes(r));
    size_t partitions;

    mark->follows = reader_u8(r) != 0;
    partitions = reader_count(r, 1);
    if (partitions > LIMIT_SOURCE_PARTITIONS)
        r->failed = true;
    if (r->failed)
        return;
    set_partitions(mark, (int32_t)partitions);
    for (size_t p = 0; p < partitions; p++)
        mark->until_ms[p] = reader_zigzag(r);
}

enum err_code watermarks_decode(struct watermarks *w, struct str bytes, struct err *err)
{
    struct reader r = reader_of(bytes);
    size_t count;

    if (bytes.len == 0)
        return ERR_NONE;
    if (reader_u8(&r) != MARKS_VERSION)
        return err_set(err, ERR_STATE, "watermarks of a version that this program does not know");
    count = reader_count(&r, 3);
    for (size_t i = 0; i < count && i < LIMIT_SOURCES && !r.failed; i++)
        get_source(&r, w);
    w->ended_count = reader_count(&r, 4);
    if (count > LIMIT_SOURCES || w->ended_count > LIMIT_SOURCES)
        r.failed = true;
    for (size_t i = 0; i < w->ended_count && !r.failed; i++)
        w->ended[i] = reader_u32(&r);
    if (r.failed || r.at != r.end)
        return err_set(err, ERR_STATE, "the state's watermarks are broken");
    return ERR_NONE;
}
