#include "core/readiness.h"

#include <pthread.h>
#include <stdio.h>

#include "core/check.h"
#include "core/json.h"
#include "core/metric.h"

enum { PARTS_MAX = 32, NAME_BYTES_MAX = 32, WHY_BYTES_MAX = 512 };

static struct part {
    char name[NAME_BYTES_MAX];
    bool ready;
    char why[WHY_BYTES_MAX];
} parts[PARTS_MAX];
static size_t part_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The part of that name, added if it is new.  The lock is held. */
static struct part *find(const char *name)
{
    struct part *part;

    for (size_t i = 0; i < part_count; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    CHECK(part_count < PARTS_MAX);
    part = &parts[part_count++];
    snprintf(part->name, sizeof part->name, "%s", name);
    return part;
}

void readiness_set(const char *part, bool ready, const char *why)
{
    struct str label = str_of(part);
    struct part *p;

    CHECK(label.len < NAME_BYTES_MAX);
    pthread_mutex_lock(&lock);
    p = find(part);
    p->ready = ready;
    snprintf(p->why, sizeof p->why, "%s", why != NULL ? why : "");
    pthread_mutex_unlock(&lock);
    metric_set(metric_series(METRIC_READY, &label, 1), ready ? 1 : 0);
}

static void put_part(struct json_writer *w, const struct part *part)
{
    json_key(w, part->name);
    json_open(w, '{');
    json_key(w, "ready");
    json_bool(w, part->ready);
    json_key(w, "why");
    json_str(w, str_of(part->why));
    json_close(w, '}');
}

bool readiness_put_json(struct buf *out)
{
    struct json_writer w = json_writer_to(out);
    bool ready;

    pthread_mutex_lock(&lock);
    ready = part_count != 0;
    for (size_t i = 0; i < part_count; i++)
        ready &= parts[i].ready;
    json_open(&w, '{');
    json_key(&w, "ready");
    json_bool(&w, ready);
    json_key(&w, "parts");
    json_open(&w, '{');
    for (size_t i = 0; i < part_count; i++)
        put_part(&w, &parts[i]);
    json_close(&w, '}');
    json_close(&w, '}');
    pthread_mutex_unlock(&lock);
    buf_put_char(out, '\n');
    return ready;
}
