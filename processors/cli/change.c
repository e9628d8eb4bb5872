#include "processors/cli/change.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/mem.h"
#include "processors/cli/scan.h"
#include "processors/worker/meta.h"

void changes_refuse(struct changes *changes, const struct cli_step *step, int32_t partition,
                    const char *format, ...)
{
    char text[sizeof(((struct err *)0)->text)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("%s/%d: NOT: %s\n", step->class->name, partition, text);
    changes->refused++;
}

/* What is there now, by its meta alone. */
static enum err_code look_at_store(struct changes *changes, struct change *change, int64_t *next,
                                   struct err *err)
{
    struct store *store = changes->steps->store;
    struct arena *arena = arena_new(0);
    struct meta meta = {0};
    struct str bytes;
    enum store_result result =
        store->class->meta(store, change->step->class->name, change->partition, arena, &bytes, err);

    *next = -1;
    if (result == STORE_DONE && bytes.len > 0 && meta_decode_any(bytes, &meta, NULL) == ERR_NONE)
        *next = meta.next;
    if (result == STORE_DONE)
        result = store->class->commit_number(store, change->step->class->name, change->partition,
                                             &change->there, err);
    meta_free(&meta);
    arena_free(arena);
    return result == STORE_DONE ? ERR_NONE : ERR_DOWN;
}

static void print_line(const struct change *change, const struct meta *meta, int64_t next,
                       const char *why)
{
    printf("%s/%d: goes on at offset %" PRId64 " (the log has %" PRId64 " to %" PRId64
           ") with %zu subjects, generation %" PRIu64 "%s",
           change->step->class->name, change->partition, meta->next, change->first, change->end,
           change->copy.count, meta->generation, why);
    if (change->there != 0 && next >= 0)
        printf("; in place of the state up to %" PRId64 "\n", next);
    else
        printf("; %s\n", change->there != 0 ? "in place of a state that cannot be read"
                                            : "no state is there");
}

struct landmark {
    struct hash128 read; /* as the state knows it */
    bool same;
};

static enum err_code look_at_landmark(void *context, const struct record *record, struct err *err)
{
    struct landmark *landmark = context;
    struct hash128 hash = record_hash(record);

    (void)err;
    landmark->same = hash.low == landmark->read.low && hash.high == landmark->read.high;
    return ERR_NONE;
}

/* Does the record in front of the place still stand there?  A worker would look, too. */
static enum err_code look_at_log(struct changes *changes, const struct change *change,
                                 const struct meta *meta, struct err *err)
{
    struct landmark landmark = {.read = meta->last};
    struct scan scan = {.kafka = &changes->steps->kafka,
                        .topic = change->step->input,
                        .partition = change->partition,
                        .from = meta->next - 1,
                        .until = meta->next,
                        .context = &landmark,
                        .record = look_at_landmark};
    enum err_code code;

    if ((meta->last.low == 0 && meta->last.high == 0) || change->first >= meta->next ||
        change->end < meta->next)
        return ERR_NONE;
    code = scan_topic(&scan, err);
    if (code == ERR_NONE && !landmark.same)
        changes_refuse(changes, change->step, change->partition,
                       "another record stands at %" PRId64 " than was read there: it is another "
                       "log (`attent init --from DIR --log beginning` goes on with it)",
                       meta->next - 1);
    return code;
}

static void judge(struct changes *changes, const struct change *change, const struct meta *meta)
{
    if (meta->next < change->first)
        changes_refuse(changes, change->step, change->partition,
                       "the log begins at %" PRId64 ", records %" PRId64 " to %" PRId64 " are gone "
                       "(`attent init --from DIR --log beginning` goes on without them)",
                       change->first, meta->next, change->first - 1);
    else if (meta->next > change->end)
        changes_refuse(changes, change->step, change->partition,
                       "the log ends at %" PRId64 ": it is another log, or has lost records",
                       change->end);
    else if (change->there != 0 && !changes->over)
        changes_refuse(changes, change->step, change->partition,
                       "a state is there; --force replaces it");
}

enum err_code changes_add(struct changes *changes, const struct cli_step *step, int32_t partition,
                          const struct store_copy *copy, const char *why, struct err *err)
{
    struct change change = {.step = step, .partition = partition, .copy = *copy};
    int64_t next = -1;
    struct meta meta;
    enum err_code code = meta_decode_any(copy->meta, &meta, err);

    if (code == ERR_NONE && (changes->there == 0 || partition < changes->there))
        code = kafka_consumer_bounds(changes->steps->asking, step->input, partition, &change.first,
                                     &change.end, err);
    if (code == ERR_NONE)
        code = look_at_store(changes, &change, &next, err);
    if (code == ERR_NONE) {
        print_line(&change, &meta, next, why);
        judge(changes, &change, &meta);
        code = look_at_log(changes, &change, &meta, err);
    }
    if (code == ERR_NONE) {
        MEM_RESERVE(changes->items, changes->count, changes->capacity);
        changes->items[changes->count++] = change;
    }
    meta_free(&meta);
    return code;
}

static enum err_code do_all(struct changes *changes, struct err *err)
{
    struct store *store = changes->steps->store;

    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        enum store_result result = store->class->replace(
            store, change->step->class->name, change->partition, change->there, &change->copy, err);

        if (result == STORE_DONE)
            continue;
        err_prefix(err, "%s/%d (%zu of %zu partitions are done; `attent %s` again does all)",
                   change->step->class->name, change->partition, i, changes->count, changes->verb);
        return result == STORE_DOWN ? ERR_DOWN : ERR_STATE;
    }
    return ERR_NONE;
}

int changes_finish(struct changes *changes, bool yes, struct err *err)
{
    if (changes->refused > 0) {
        fprintf(stderr, "attent: %zu lines say NOT: nothing was written\n", changes->refused);
        return EXIT_FINDINGS;
    }
    if (!yes) {
        fprintf(stderr, "attent: nothing was written; with --yes it is done\n");
        return EXIT_FINE;
    }
    if (steps_are_at_rest(changes->steps, err) != ERR_NONE || do_all(changes, err) != ERR_NONE)
        return cli_fail(err);
    printf("%zu partitions are done: start `attent run` again\n", changes->count);
    return EXIT_FINE;
}

void changes_free(struct changes *changes)
{
    mem_free(changes->items);
    changes->items = NULL;
    changes->count = changes->capacity = 0;
}
