/* A lock for everything: jobs are handed over a few hundred times a second, and each takes its
 * time in a network, not here. */
#include "processors/dispatch/senders.h"

#include <errno.h>
#include <pthread.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/fail_point.h"
#include "core/log.h"
#include "core/mem.h"

struct crew { /* of one channel */
    struct senders *senders;
    const struct channel *channel;
    struct job *first, **last; /* waiting for a thread */
    pthread_cond_t work;
    pthread_t *threads;
    size_t thread_count;
    size_t idle, waiting; /* threads; jobs */
};

struct senders {
    const struct links *links;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct crew *crews;
    size_t crew_count;
    struct job *done, **done_last;
    bool closing;
};

/* --- in a sender thread ------------------------------------------------------------------------ */

static const char too_late[] = "it was not begun in time";

static enum delivery call(const struct channel *channel, struct connector *c, struct job *job,
                          const struct sending *sending, const struct withdrawal *withdrawal)
{
    switch (job->kind) {
    case JOB_DELIVER: return channel->class->deliver(c, sending, &job->receipt, &job->err);
    case JOB_ASK: return channel->class->ask(c, sending, &job->receipt, &job->err);
    case JOB_WITHDRAW:
        return channel->class->withdraw(c, sending, withdrawal, &job->receipt, &job->err);
    }
    CHECK_NEVER("a job of no kind");
}

static void do_job(const struct crew *crew, struct connector *c, struct job *job,
                   struct arena *arena)
{
    const struct channel *channel = crew->channel;
    struct task task;
    struct withdrawal withdrawal = {0};
    struct sending sending = {.task = &task,
                              .reference = str_of(job->reference),
                              .attempt = job->attempt,
                              .timeout_ms = channel->options.timeout_ms,
                              .now_ms = job->now_ms};

    /* The ledger parsed both before it made this job of them. */
    CHECK(task_read_json((struct str){job->task, job->task_bytes}, arena, &task, NULL));
    if (job->kind == JOB_WITHDRAW)
        CHECK(withdrawal_read_json((struct str){job->withdrawal, job->withdrawal_bytes}, arena,
                                   &withdrawal, NULL));
    if (job->kind == JOB_DELIVER)
        links_put(crew->senders->links, arena, &sending);
    FAIL_POINT_PASS(CALL_BEGINS);
    if (clock_mono_ms() >= job->begin_by_mono_ms)
        job_missed(job, too_late);
    else
        job->result = call(channel, c, job, &sending, &withdrawal);
    FAIL_POINT_PASS(CALL_ENDED);
}

/* The connector of a thread: opened when it is needed, and again after it was DOWN. */
static void run_job(const struct crew *crew, struct connector **c, struct job *job,
                    struct arena *arena)
{
    const struct channel *channel = crew->channel;

    job->result = DELIVERY_DOWN;
    if (*c == NULL && channel->class->open(channel->conf, c, &job->err) != ERR_NONE)
        return;
    do_job(crew, *c, job, arena);
    if (job->result != DELIVERY_DOWN)
        return;
    channel->class->close(*c);
    *c = NULL;
}

/* The next job, NULL: it is time to go.  The lock is held. */
static struct job *next_job(struct crew *crew)
{
    struct job *job;

    while (crew->first == NULL && !crew->senders->closing) {
        crew->idle++;
        pthread_cond_wait(&crew->work, &crew->senders->lock);
        crew->idle--;
    }
    job = crew->first;
    if (job == NULL)
        return NULL;
    crew->first = job->next;
    if (crew->first == NULL)
        crew->last = &crew->first;
    crew->waiting--;
    return job;
}

static void hand_back(struct senders *s, struct job *job)
{
    job->next = NULL;
    *s->done_last = job;
    s->done_last = &job->next;
    pthread_cond_signal(&s->ended);
}

static void *send_jobs(void *of)
{
    struct crew *crew = of;
    struct senders *s = crew->senders;
    struct connector *connector = NULL;
    struct arena *arena = arena_new(0);
    struct job *job;

    pthread_mutex_lock(&s->lock);
    while ((job = next_job(crew)) != NULL) {
        bool late = s->closing;
        pthread_mutex_unlock(&s->lock);
        if (late)
            job_missed(job, too_late);
        else
            run_job(crew, &connector, job, arena);
        arena_reset(arena);
        pthread_mutex_lock(&s->lock);
        hand_back(s, job);
    }
    pthread_mutex_unlock(&s->lock);
    crew->channel->class->close(connector);
    arena_free(arena);
    return NULL;
}

/* --- in the poll thread ------------------------------------------------------------------------- */

/* Another thread, if there are fewer who wait than jobs.  The lock is held. */
static void hire(struct crew *crew)
{
    uint32_t most = crew->channel->options.concurrency;
    int failed;

    if (crew->waiting <= crew->idle || crew->thread_count >= most)
        return;
    failed = pthread_create(&crew->threads[crew->thread_count], NULL, send_jobs, crew);
    if (failed == 0)
        crew->thread_count++;
    else
        log_error("dispatch", "no thread for a channel", LOG_TEXT("channel", crew->channel->name),
                  LOG_TEXT("why", strerror(failed)), LOG_END);
}

void senders_begin(struct senders *s, struct job *job)
{
    struct crew *crew = &s->crews[job->channel];

    CHECK(job->channel < s->crew_count);
    job->next = NULL;
    pthread_mutex_lock(&s->lock);
    *crew->last = job;
    crew->last = &job->next;
    crew->waiting++;
    hire(crew);
    pthread_cond_signal(&crew->work);
    pthread_mutex_unlock(&s->lock);
}

struct job *senders_take_done(struct senders *s)
{
    struct job *done;

    pthread_mutex_lock(&s->lock);
    done = s->done;
    s->done = NULL;
    s->done_last = &s->done;
    pthread_mutex_unlock(&s->lock);
    return done;
}

void senders_wait(struct senders *s, int timeout_ms)
{
    int64_t until_ms = clock_mono_ms() + timeout_ms;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    int waited = 0;

    pthread_mutex_lock(&s->lock);
    while (s->done == NULL && waited == 0)
        waited = pthread_cond_timedwait(&s->ended, &s->lock, &until);
    pthread_mutex_unlock(&s->lock);
}

struct senders *senders_open(const struct channels *channels, const struct links *links)
{
    struct senders *s = MEM_NEW(struct senders);
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    s->links = links;
    s->crew_count = channels_count(channels);
    s->crews = mem_alloc((s->crew_count + 1) * sizeof *s->crews);
    s->done_last = &s->done;
    pthread_mutex_init(&s->lock, NULL);
    for (size_t i = 0; i < s->crew_count; i++) {
        struct crew *crew = &s->crews[i];
        crew->senders = s;
        crew->channel = channels_at(channels, i);
        crew->last = &crew->first;
        crew->threads = mem_alloc((crew->channel->options.concurrency + 1) * sizeof(pthread_t));
        pthread_cond_init(&crew->work, NULL);
    }
    return s;
}

static void free_jobs(struct job *job)
{
    for (struct job *next; job != NULL; job = next) {
        next = job->next;
        job_free(job);
    }
}

void senders_close(struct senders *s)
{
    if (s == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    s->closing = true;
    for (size_t i = 0; i < s->crew_count; i++)
        pthread_cond_broadcast(&s->crews[i].work);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->crew_count; i++) {
        for (size_t t = 0; t < s->crews[i].thread_count; t++)
            pthread_join(s->crews[i].threads[t], NULL);
        pthread_cond_destroy(&s->crews[i].work);
        mem_free(s->crews[i].threads);
        free_jobs(s->crews[i].first);
    }
    free_jobs(s->done);
    pthread_cond_destroy(&s->ended);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->crews);
    mem_free(s);
}
