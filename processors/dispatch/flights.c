/* Of a call under way only its task's id is kept here: the job itself is its sender's. */
#include "processors/dispatch/flights.h"

#include "core/check.h"
#include "core/mem.h"

struct flights {
    const struct channels *channels;
    struct senders *senders;
    char (*ids)[TASK_ID_SIZE]; /* of those under way */
    size_t count, capacity;
    struct job *ended, **last_ended;
};

struct flights *flights_open(const struct channels *channels, const struct links *links)
{
    struct flights *f = MEM_NEW(struct flights);

    f->channels = channels;
    f->senders = senders_open(channels, links);
    f->last_ended = &f->ended;
    return f;
}

void flights_close(struct flights *f)
{
    if (f == NULL)
        return;
    senders_close(f->senders);
    flights_forget_ended(f);
    mem_free(f->ids);
    mem_free(f);
}

void flights_begin(struct flights *f, struct job *jobs)
{
    for (struct job *job = jobs, *next; job != NULL; job = next) {
        next = job->next;
        MEM_RESERVE(f->ids, f->count, f->capacity);
        memcpy(f->ids[f->count++], job->id, sizeof job->id);
        senders_begin(f->senders, job);
    }
}

static void add_ended(struct flights *f, struct job *job)
{
    job->next = NULL;
    *f->last_ended = job;
    f->last_ended = &job->next;
}

void flights_give_up(struct flights *f, struct job *jobs)
{
    for (struct job *job = jobs, *next; job != NULL; job = next) {
        next = job->next;
        gate_cancel(channels_at(f->channels, job->channel)->gate, str_of(job->address));
        job_missed(job, "its announcement was not committed");
        add_ended(f, job);
    }
}

static void land(struct flights *f, const char *id)
{
    size_t i = 0;

    while (i < f->count && strcmp(f->ids[i], id) != 0)
        i++;
    CHECK(i < f->count);
    memcpy(f->ids[i], f->ids[--f->count], sizeof f->ids[i]);
}

void flights_collect(struct flights *f, int64_t real_ms)
{
    for (struct job *job = senders_take_done(f->senders), *next; job != NULL; job = next) {
        next = job->next;
        land(f, job->id);
        gate_end(channels_at(f->channels, job->channel)->gate, str_of(job->address), job->result,
                 job->receipt.gone, real_ms);
        add_ended(f, job);
    }
}

const struct job *flights_ended(const struct flights *f, const struct job *after)
{
    return after == NULL ? f->ended : after->next;
}

void flights_forget_ended(struct flights *f)
{
    for (struct job *job = f->ended, *next; job != NULL; job = next) {
        next = job->next;
        job_free(job);
    }
    f->ended = NULL;
    f->last_ended = &f->ended;
}

bool flights_knows(const struct flights *f, struct str id)
{
    for (size_t i = 0; i < f->count; i++)
        if (str_is(id, f->ids[i]))
            return true;
    for (const struct job *job = f->ended; job != NULL; job = job->next)
        if (str_is(id, job->id))
            return true;
    return false;
}

size_t flights_under_way(const struct flights *f)
{
    return f->count;
}

void flights_wait(struct flights *f, int timeout_ms)
{
    senders_wait(f->senders, timeout_ms);
}
