#include "processors/worker/batch.h"

#include "core/mem.h"

void batch_init(struct batch *batch, const struct outputs *outputs)
{
    *batch = (struct batch){.arena = arena_new(0), .outputs = *outputs};
    batch->outputs.arena = batch->arena;
}

void batch_clear(struct batch *batch)
{
    arena_reset(batch->arena);
    outputs_clear(&batch->outputs);
    buf_clear(&batch->meta);
    batch->commit_count = 0;
}

void batch_free(struct batch *batch)
{
    outputs_free(&batch->outputs);
    arena_free(batch->arena);
    mem_free(batch->commit);
    buf_free(&batch->meta);
}

static struct str copy(struct batch *batch, struct str text)
{
    return text.len > 0 ? arena_str(batch->arena, text) : STR_EMPTY;
}

void batch_commits(struct batch *batch, struct store_subject subject)
{
    subject.subject = copy(batch, subject.subject);
    subject.blob = copy(batch, subject.blob);
    MEM_RESERVE(batch->commit, batch->commit_count, batch->commit_capacity);
    batch->commit[batch->commit_count++] = subject;
}
