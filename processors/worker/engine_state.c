/* A state is decoded at most once in a batch, into the batch's arena, and encoded at its end if anything
 * has changed it.  The timer in force is the one that was computed when the state last changed (it
 * stands in the blob), whenever the state is loaded.
 */
#include "processors/worker/engine_parts.h"

#include <stdio.h>

#include "core/check.h"
#include "core/limit.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/mutant.h"
#include "processors/worker/blob.h"

/* --- from its blob -------------------------------------------------------------------------- */

enum err_code engine_unreadable(const struct engine *p, const char *whose, struct err *err)
{
    struct err why = {0};

    if (err == NULL)
        return ERR_STATE;
    why = *err;
    return err_set(err, why.code,
                   "%s: %s cannot be read: %s; `attent restore` puts the partition back to a "
                   "snapshot, without one `attent init --step %s --partition %d --from beginning` "
                   "decides it again",
                   p->from, whose, why.text, p->class->name, p->setup->number);
}

static enum err_code unreadable_subject(const struct engine *p, struct str subject, struct err *err)
{
    char name[LOG_CUSTOMER_SIZE], whose[LOG_CUSTOMER_SIZE + 16];

    snprintf(whose, sizeof whose, "the state of %.*s", STR_ARG(log_customer(subject, name)));
    return engine_unreadable(p, whose, err);
}

enum err_code engine_open_subject(struct engine *p, struct subject *s, struct str *inner,
                                  struct err *err)
{
    struct blob_timers timers;

    if (blob_unwrap(s->node.key, (struct str){s->blob, s->blob_bytes}, p->arena, &timers, inner,
                    err) != ERR_NONE)
        return unreadable_subject(p, s->node.key, err);
    if (s->opened)
        return ERR_NONE;
    s->opened = true;
    s->due_ms = timers.due_ms;
    s->waits = s->stored_waits = timers.waits;
    s->wait_count = s->stored_wait_count = timers.wait_count;
    MEM_RESERVE(p->opened, p->opened_count, p->opened_capacity);
    p->opened[p->opened_count++] = s;
    return ERR_NONE;
}

enum err_code engine_decode(struct engine *p, struct subject *s, struct err *err)
{
    struct str inner;

    if (s->state != NULL)
        return ERR_NONE;
    if (engine_open_subject(p, s, &inner, err) != ERR_NONE)
        return ERR_STATE;
    if (p->class->load(p->step, s->node.key, inner, p->arena, &s->state, err) != ERR_NONE)
        return unreadable_subject(p, s->node.key, err);
    CHECK(s->state != NULL);
    return ERR_NONE;
}

/* --- its timers ----------------------------------------------------------------------------- */

static void update_waits(struct engine *p, struct subject *s)
{
    struct step_wait changes[2 * STEP_LANES_MAX];
    size_t count = p->class->waits(p->step, s->state, p->waits);
    size_t changed = lanes_changes(p->waits, count, s->waits, s->wait_count, changes);

    if (changed == 0)
        return;
    s->waits = count != 0 ? arena_copy(p->arena, p->waits, count * sizeof *p->waits) : NULL;
    s->wait_count = count;
    s->changed = true;
    for (size_t i = 0; i < changed; i++) {
        struct lane *lane = lanes_find(&p->lanes, changes[i].lane);

        CHECK(lane != NULL); /* it waits in one that the step named */
        timers_set(&lane->timers, s->node.hash, s->node.key, changes[i].due_ms);
    }
}

void engine_state_changed(struct engine *p, struct subject *s)
{
    int64_t due_ms = p->class->due_ms(p->step, s->state);

    if (p->class->waits != NULL)
        update_waits(p, s);
    if (due_ms == s->due_ms)
        return;
    s->due_ms = due_ms;
    s->due_changed = s->changed = true;
    timers_set(&p->timers, s->node.hash, s->node.key, due_ms);
}

/* --- to its blob ---------------------------------------------------------------------------- */

static enum err_code encode(struct engine *p, struct subject *s, struct err *err)
{
    struct str inner;

    buf_clear(&p->inner);
    if (s->state != NULL)
        p->class->save(p->step, s->state, &p->inner);
    else if (engine_open_subject(p, s, &inner, err) == ERR_NONE)
        buf_put(&p->inner, inner);
    else
        return ERR_STATE;
    if (p->inner.len > LIMIT_STATE_BYTES)
        return err_set(err, ERR_LIMIT, "%s: state of a subject has %zu bytes, at most %d are kept",
                       p->from, p->inner.len, LIMIT_STATE_BYTES);
    if (p->inner.len == 0) {
        CHECK(s->due_ms == STEP_NO_TIMER && s->wait_count == 0); /* timers are worth keeping */
        cache_put(&p->cache, s, STR_EMPTY);
        return ERR_NONE;
    }
    blob_wrap(&p->wrapped, s->node.key, &(struct blob_timers){s->due_ms, s->waits, s->wait_count},
              buf_str(&p->inner));
    cache_put(&p->cache, s, buf_str(&p->wrapped));
    return ERR_NONE;
}

static void add_subject(struct engine *p, const struct subject *s)
{
    struct step_wait *waits =
        ARENA_ARRAY(p->arena, struct step_wait, s->wait_count + s->stored_wait_count);
    size_t count =
        lanes_changes(s->waits, s->wait_count, s->stored_waits, s->stored_wait_count, waits);

    batch_commits(p->batch, (struct store_subject){.subject = s->node.key,
                                                   .blob = {s->blob, s->blob_bytes},
                                                   .due_ms = s->due_ms,
                                                   .due_changed = s->due_changed &&
                                                                  !MUTANT(TIMERS_UNCOMMITTED),
                                                   .waits = waits,
                                                   .wait_count = count});
}

enum err_code engine_collect(struct engine *p, struct err *err)
{
    for (size_t i = 0; i < p->opened_count; i++) {
        struct subject *s = p->opened[i];

        if (!s->changed)
            continue;
        if (encode(p, s, err) != ERR_NONE)
            return err != NULL ? err->code : ERR_LIMIT;
        add_subject(p, s);
    }
    if (p->class->partition_changed != NULL && p->class->partition_changed(p->step))
        p->own_changed = true;
    if (!p->own_changed || MUTANT(OWN_STATE_UNCOMMITTED))
        return ERR_NONE;
    buf_clear(&p->inner);
    p->class->save_partition(p->step, &p->inner);
    blob_wrap(&p->wrapped, STR_EMPTY, &(struct blob_timers){.due_ms = STEP_NO_TIMER},
              buf_str(&p->inner));
    batch_commits(p->batch,
                  (struct store_subject){.blob = buf_str(&p->wrapped), .due_ms = STEP_NO_TIMER});
    return ERR_NONE;
}
