#include "processors/dispatch/outbox.h"

#include <pthread.h>

#include "core/mem.h"

enum { FLUSH_MS = 8000 /* providers wait for 10 to 15 s */ };

struct letter { /* of one writer, who waits for it */
    const struct record *records;
    size_t count;
    bool done;
    enum err_code code;
    struct err err;
    struct letter *next;
};

struct outbox {
    const struct kafka_settings *kafka;
    struct kafka_producer *producer; /* of who flushes; NULL: to be opened */
    pthread_mutex_t lock;            /* of all below */
    pthread_cond_t changed;
    struct letter *first, **last; /* for the next flush */
    bool flushing;
};

struct outbox *outbox_open(const struct kafka_settings *kafka)
{
    struct outbox *o = MEM_NEW(struct outbox);

    o->kafka = kafka;
    o->last = &o->first;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
    return o;
}

void outbox_close(struct outbox *o)
{
    if (o == NULL)
        return;
    kafka_producer_close(o->producer);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    mem_free(o);
}

/* After a failure the producer is of no use any more. */
static enum err_code flush(struct outbox *o, const struct letter *letters, struct err *err)
{
    enum err_code code = ERR_NONE;

    if (o->producer == NULL)
        code = kafka_producer_open(o->kafka, NULL, &o->producer, err);
    for (const struct letter *l = letters; l != NULL; l = l->next)
        for (size_t i = 0; i < l->count && code == ERR_NONE; i++)
            code = kafka_produce(o->producer, &l->records[i], err);
    if (code == ERR_NONE)
        code = kafka_flush(o->producer, FLUSH_MS, NULL, NULL, err);
    if (code != ERR_NONE) {
        kafka_producer_close(o->producer);
        o->producer = NULL;
    }
    return code;
}

/* The lock is held, and let go meanwhile. */
static void flush_all(struct outbox *o)
{
    struct letter *letters = o->first;
    struct err err = {0};
    enum err_code code;

    o->first = NULL;
    o->last = &o->first;
    o->flushing = true;
    pthread_mutex_unlock(&o->lock);
    code = flush(o, letters, &err);
    pthread_mutex_lock(&o->lock);
    o->flushing = false;
    for (struct letter *l = letters, *next; l != NULL; l = next) {
        next = l->next; /* it is its writer's again once it is done */
        l->code = code;
        l->err = err;
        l->done = true;
    }
    pthread_cond_broadcast(&o->changed);
}

enum err_code outbox_write(struct outbox *o, const struct record *records, size_t count,
                           struct err *err)
{
    struct letter letter = {.records = records, .count = count};

    if (count == 0)
        return ERR_NONE;
    pthread_mutex_lock(&o->lock);
    *o->last = &letter;
    o->last = &letter.next;
    while (!letter.done) {
        if (o->flushing)
            pthread_cond_wait(&o->changed, &o->lock);
        else
            flush_all(o);
    }
    pthread_mutex_unlock(&o->lock);
    if (letter.code != ERR_NONE && err != NULL)
        *err = letter.err;
    return letter.code;
}
