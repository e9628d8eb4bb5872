/* tests/support/scene.h - a worker with the toy step, over topics of its own, and what is right of it.
 *
 *     scene_open(&scene, "quiet");
 *     scene_feed(&scene, 1, 3000);
 *     w = scene_worker(&scene);
 *     scene_run_until_kept(&scene, w);
 *     worker_close(w);
 *     scene_compare(&scene);        as a reader would read it = an undisturbed offline run
 *
 * Kafka and Redis are the suite's.  Nothing here returns a failure: it fails the test and says why.
 */
#ifndef TESTS_SUPPORT_SCENE_H
#define TESTS_SUPPORT_SCENE_H

#include "processors/worker/worker.h"
#include "tests/support/server.h"

enum { SCENE_INPUTS = 2, SCENE_OUTPUTS_A = 3, SCENE_OUTPUTS_B = 1, SCENE_WAIT_MS = 40000 };

extern struct server *scene_kafka, *scene_redis;

void scene_start_servers(void); /* for suite_run_with */
void scene_stop_servers(void);

struct scene {
    char input[48], a[48], b[48], step[48];
    const char *outputs[3];
    struct step_class class;
    struct worker_config config; /* log time, small batches, a small cache, few timers in memory */
};

void scene_open(struct scene *s, const char *name);
/* max_bytes: of a record of the first output topic; NULL: Kafka's default */
void scene_open_with(struct scene *s, const char *name, const char *max_bytes);

/* Random events, in log time, and control records that move the time of lanes.  A larger seed is
 * later. */
void scene_feed(const struct scene *s, uint64_t seed, int count);

int64_t scene_log_end(const struct scene *s, const char *topic, int32_t partition);

struct redis *scene_redis_open(const struct scene *s);
/* The offset that the state in Redis goes up to; -1: there is none. */
int64_t scene_kept_next(const struct scene *s, struct redis *r, int32_t partition);
uint64_t scene_commits(const struct scene *s, struct redis *r, int32_t partition); /* so far */
bool scene_is_kept(const struct scene *s, struct redis *r); /* all that is in the log */
/* What a worker claims under; valid until the next call. */
struct str scene_identity(const struct scene *s);

struct worker *scene_worker(const struct scene *s);
void scene_run_until_kept(const struct scene *s, struct worker *w);

/* Everything that a reader takes, and the state, are those of an undisturbed run; and the timers
 * in Redis are those of the states.  Claims the partitions: no worker goes on after it.  Gives how many
 * repeats and gaps the reader has dropped. */
size_t scene_compare(const struct scene *s);

#endif
