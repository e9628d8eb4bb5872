#include "tests/support/toy_step.h"

#include "core/hash.h"
#include "core/mem.h"

/* Timers lie on a grid, so that those of several subjects are due at once. */
enum { TOY_TIMERS = 4, TOY_GRID_MS = 50, TOY_SPANS = 20, TOY_LANES = 2 };

struct step {
    uint8_t modulus;
    uint64_t seen; /* control records */
    int64_t lane_at_ms[TOY_LANES];
};

struct toy {
    struct str name;
    uint64_t hash, count;
    int64_t due_ms[TOY_TIMERS]; /* STEP_NO_TIMER: free */
    int64_t lane_due_ms[TOY_LANES];
};

static enum err_code toy_open(const void *config, int32_t partition, struct str state,
                              struct step **out, struct err *err)
{
    struct reader r = reader_of(state);

    (void)config;
    (void)partition;
    (void)err;
    *out = MEM_NEW(struct step);
    (*out)->modulus = state.len > 0 ? reader_u8(&r) : 0;
    (*out)->seen = state.len > 0 ? reader_u64(&r) : 0;
    for (int i = 0; i < TOY_LANES; i++)
        (*out)->lane_at_ms[i] = state.len > 0 ? (int64_t)reader_u64(&r) : INT64_MIN;
    return ERR_NONE;
}

static void toy_close(struct step *step)
{
    mem_free(step);
}

static void toy_save_partition(const struct step *step, struct buf *out)
{
    buf_put_u8(out, step->modulus);
    buf_put_u64(out, step->seen);
    for (int i = 0; i < TOY_LANES; i++)
        buf_put_u64(out, (uint64_t)step->lane_at_ms[i]);
}

static uint8_t byte_of(struct str s, size_t index)
{
    return index < s.len ? (uint8_t)s.data[index] : 0;
}

static bool toy_wants(struct step *step, const struct record *record)
{
    return step->modulus == 0 || byte_of(record->value, 0) % step->modulus != 1;
}

static struct str toy_subject(struct step *step, const struct record *record)
{
    (void)step;
    return record->key;
}

static enum err_code toy_load(struct step *step, struct str subject, struct str blob,
                              struct arena *arena, void **state, struct err *err)
{
    struct toy *toy = ARENA_NEW(arena, struct toy);
    struct reader r = reader_of(blob);

    (void)step;
    toy->name = arena_str(arena, subject);
    for (int i = 0; i < TOY_TIMERS; i++)
        toy->due_ms[i] = STEP_NO_TIMER;
    for (int i = 0; i < TOY_LANES; i++)
        toy->lane_due_ms[i] = STEP_NO_TIMER;
    *state = toy;
    if (blob.len == 0)
        return ERR_NONE;
    toy->hash = reader_u64(&r);
    toy->count = reader_varint(&r);
    for (int i = 0; i < TOY_TIMERS; i++)
        toy->due_ms[i] = (int64_t)reader_u64(&r);
    for (int i = 0; i < TOY_LANES; i++)
        toy->lane_due_ms[i] = (int64_t)reader_u64(&r);
    return r.failed ? err_set(err, ERR_STATE, "toy state ends too early") : ERR_NONE;
}

static int earliest(const struct toy *toy)
{
    int first = 0;

    for (int i = 1; i < TOY_TIMERS; i++)
        if (toy->due_ms[i] < toy->due_ms[first])
            first = i;
    return first;
}

static int64_t toy_due_ms(const struct step *step, const void *state)
{
    const struct toy *toy = state;

    (void)step;
    return toy->due_ms[earliest(toy)];
}

static size_t toy_waits(const struct step *step, const void *state,
                        struct step_wait waits[STEP_LANES_MAX])
{
    const struct toy *toy = state;
    size_t count = 0;

    (void)step;
    for (uint32_t i = 0; i < TOY_LANES; i++)
        if (toy->lane_due_ms[i] != STEP_NO_TIMER)
            waits[count++] = (struct step_wait){i + 1, toy->lane_due_ms[i]};
    return count;
}

static size_t toy_lanes(const struct step *step, struct step_lane lanes[STEP_LANES_MAX])
{
    for (uint32_t i = 0; i < TOY_LANES; i++)
        lanes[i] = (struct step_lane){i + 1, step->lane_at_ms[i]};
    return TOY_LANES;
}

static void toy_save(const struct step *step, const void *state, struct buf *out)
{
    const struct toy *toy = state;

    struct step_wait waits[STEP_LANES_MAX];

    if (toy->count == 0 && toy_due_ms(step, toy) == STEP_NO_TIMER &&
        toy_waits(step, toy, waits) == 0)
        return;
    buf_put_u64(out, toy->hash);
    buf_put_varint(out, toy->count);
    for (int i = 0; i < TOY_TIMERS; i++)
        buf_put_u64(out, (uint64_t)toy->due_ms[i]);
    for (int i = 0; i < TOY_LANES; i++)
        buf_put_u64(out, (uint64_t)toy->lane_due_ms[i]);
}

static void mix(struct toy *toy, const void *bytes, size_t count)
{
    toy->hash = hash_bytes((struct str){bytes, count}, toy->hash);
}

static void emit(const struct toy *toy, int topic, int64_t now_ms, struct outputs *out)
{
    struct header headers[] = {{STR("ce_type"), STR("toy")}, {STR("trace"), STR("no part of it")}};
    char text[17];
    uint64_t h = toy->hash;

    for (int i = 0; i < 16; i++, h >>= 4)
        text[i] = "0123456789abcdef"[h & 15];
    outputs_add(out, topic, now_ms, toy->name, (struct str){text, 16}, headers, 2);
}

static void act(struct toy *toy, uint8_t what, int64_t now_ms, struct outputs *out)
{
    int64_t span_ms = TOY_GRID_MS * (1 + (int64_t)(toy->hash % TOY_SPANS));
    int slot = (int)((toy->hash >> 20) % TOY_TIMERS);

    switch (what % 8) {
    case 0: emit(toy, 0, now_ms, out); break;
    case 1: emit(toy, 1, now_ms, out); break;
    case 2: toy->due_ms[slot] = now_ms + span_ms; break;
    case 3: toy->due_ms[slot] = now_ms - span_ms; break;
    case 4: toy->due_ms[slot] = now_ms; break;
    case 5: toy->due_ms[slot] = STEP_NO_TIMER; break;
    case 6:
        if (toy->hash % 3 == 0) {
            toy->count = 0;
            toy->hash = 0;
            for (int i = 0; i < TOY_TIMERS; i++)
                toy->due_ms[i] = STEP_NO_TIMER;
            for (int i = 0; i < TOY_LANES; i++)
                toy->lane_due_ms[i] = STEP_NO_TIMER;
        }
        break;
    default: toy->lane_due_ms[slot % TOY_LANES] = now_ms - span_ms; break;
    }
}

static void toy_record(struct step *step, void *state, const struct record *record, int64_t now_ms,
                       struct arena *arena, struct outputs *out, bool *changed)
{
    struct toy *toy = state;
    uint8_t what = byte_of(record->value, 1);

    (void)arena;
    if (what % 16 == 15) /* looked at, nothing done */
        return;
    mix(toy, &now_ms, sizeof now_ms);
    mix(toy, &step->seen, sizeof step->seen);
    mix(toy, record->value.data, record->value.len);
    toy->count++;
    for (size_t i = 1; i < record->value.len; i++)
        act(toy, byte_of(record->value, i), now_ms, out);
    *changed = true;
}

static void toy_timer(struct step *step, void *state, int64_t due_ms, int64_t now_ms,
                      struct arena *arena, struct outputs *out, bool *changed)
{
    struct toy *toy = state;
    int64_t *fires = &toy->due_ms[earliest(toy)];

    (void)arena;
    for (int i = 0; i < TOY_LANES; i++)
        if (toy->lane_due_ms[i] <= due_ms && toy->lane_due_ms[i] <= step->lane_at_ms[i])
            fires = &toy->lane_due_ms[i];
    mix(toy, fires, sizeof *fires);
    *fires = STEP_NO_TIMER;
    mix(toy, &due_ms, sizeof due_ms);
    mix(toy, &now_ms, sizeof now_ms);
    toy->count++;
    emit(toy, (int)(toy->hash & 1), now_ms, out);
    if (toy->hash % 8 < 3) /* else there would be no end */
        act(toy, (uint8_t)(2 + toy->hash % 3), now_ms, out);
    *changed = true;
}

static enum err_code toy_control(struct step *step, const struct record *record,
                                 struct arena *arena, struct outputs *out, bool *changed,
                                 struct err *err)
{
    (void)arena;
    (void)out;
    (void)err;
    step->modulus = byte_of(record->value, 0) % 5;
    step->seen++;
    step->lane_at_ms[byte_of(record->value, 1) % TOY_LANES] =
        record->timestamp_ms - TOY_GRID_MS * (byte_of(record->value, 0) % TOY_SPANS);
    *changed = true;
    return ERR_NONE;
}

static const char *const topics[] = {"toy.a", "toy.b", NULL};

const struct step_class toy_step_class = {
    .name = "toy",
    .topics = topics,
    .open = toy_open,
    .close = toy_close,
    .save_partition = toy_save_partition,
    .wants = toy_wants,
    .subject = toy_subject,
    .load = toy_load,
    .save = toy_save,
    .due_ms = toy_due_ms,
    .waits = toy_waits,
    .lanes = toy_lanes,
    .record = toy_record,
    .timer = toy_timer,
    .control = toy_control,
};
