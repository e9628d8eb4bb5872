/* processors/worker/store.h - where the state of a step's partition is kept: claim, load, commit.
 *
 * Two kinds: Redis (redis_store.h) for the worker, and memory (memory_store.h) for tests, rule
 * tests and backtests.  Every call carries the owner's token and is refused when another owner has
 * claimed since (docs/architecture.md, the commit protocol).
 *
 * Keys in Redis, all under one hash tag, so that a cluster keeps them together:
 *   {STEP:N}:meta      hash: token, identity, commit, meta, left, note
 *   {STEP:N}:due       sorted set: subjects by their earliest timer (ms)
 *   {STEP:N}:due:LANE  sorted set: subjects by their earliest timer in a lane (step.h)
 *   {STEP:N}:s:SUBJECT the state of one subject; SUBJECT empty: the partition's own
 *   {STEP:N}:before    hash: what commits have overwritten since a copy was begun (redis_copy.c)
 */
#ifndef ATTENT_PROCESSORS_WORKER_STORE_H
#define ATTENT_PROCESSORS_WORKER_STORE_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/hash.h"
#include "processors/worker/step.h"

enum { STORE_TOKEN_SIZE = 33 }; /* 128 random bits in hex, and NUL */

/* What became of a call.  Switched over without a default. */
enum store_result {
    STORE_DONE = 0,
    STORE_FENCED,  /* another token owns the partition */
    STORE_GAP,     /* the commit number is not the one expected */
    STORE_REFUSED, /* another group, topic, partition count: never goes away by itself */
    STORE_DOWN,    /* no answer; a commit may or may not have happened */
};

struct store_subject {
    struct str subject;
    struct str blob;               /* load: in arena, empty = none; commit: empty = forget */
    int64_t due_ms;                /* commit: STEP_NO_TIMER = none */
    bool due_changed;              /* commit: write due_ms */
    const struct step_wait *waits; /* commit: those that changed, STEP_NO_TIMER = none any more */
    size_t wait_count;
};

/* Whose timers: those that wait for the partition's time, or for that of a lane. */
struct store_lane {
    bool of_lane;
    uint32_t id;
};

struct store_claim {
    bool fresh;        /* nothing was there */
    uint64_t commit;   /* number of the last commit */
    struct str meta;   /* the worker's own encoding, as committed last; empty when fresh */
    struct str own;    /* blob of the partition's own state; empty: none */
    bool left;         /* the owner before has given it back (leave) */
    struct str before; /* its token; empty: there was none */
    struct str note;   /* what it had noted last; empty: nothing */
};

/* A whole partition as it was after one commit.  The order of timers is not in it: the blobs have
 * them (blob.h). */
struct store_copy {
    struct str identity; /* of whom it is, see claim */
    uint64_t commit;     /* 0: there is nothing */
    struct str meta;
    struct store_subject *subjects; /* subject and blob; by subject, each once; the own is first */
    size_t count;
};

struct store; /* one connection or one memory; used by one thread at a time */

struct store_class {
    void (*close)(struct store *s); /* NULL allowed */

    /* Become the owner: sets `token`.  identity: a text (group, topic, partition count) that must
     * equal that of the first claim, else STORE_REFUSED (err names both). */
    enum store_result (*claim)(struct store *s, const char *step, int32_t partition,
                               const char *token, struct str identity, struct arena *arena,
                               struct store_claim *out, struct err *err);

    /* Read subjects together with token and commit number, atomically. Fills blobs.  A commit that was
     * sent before comes first: `commit` is the number that it writes. */
    enum store_result (*load)(struct store *s, const char *step, int32_t partition,
                              const char *token, uint64_t commit, struct arena *arena,
                              struct store_subject *subjects, size_t count, struct err *err);

    /* Timers of a lane in order of (due time, subject), those behind (due_ms, after), at most max;
     * *more says that there are others behind them.  subject and due_ms are filled, in arena. */
    enum store_result (*due)(struct store *s, const char *step, int32_t partition,
                             const char *token, uint64_t commit, struct store_lane lane,
                             int64_t due_ms, struct str after, size_t max, struct arena *arena,
                             struct store_subject **out, size_t *count, bool *more,
                             struct err *err);

    /* Send a commit (number `commit` + 1); returns at once.  One is in flight per partition, those of
     * several partitions are in flight on one store.  commit_ready: has its answer come, so that
     * commit_wait does not wait?  commit_wait gives the result and ends it; when the
     * connection broke the commit is sent again, so what is passed here is borrowed until then.
     * commit_drop ends it without a result: it may or may not happen (nothing in flight: nothing). */
    void (*commit_send)(struct store *s, const char *step, int32_t partition, const char *token,
                        uint64_t commit, struct str meta, const struct store_subject *subjects,
                        size_t count);
    bool (*commit_ready)(struct store *s, const char *step, int32_t partition);
    enum store_result (*commit_wait)(struct store *s, const char *step, int32_t partition,
                                     struct err *err);
    void (*commit_drop)(struct store *s, const char *step, int32_t partition);

    /* A file descriptor that can be read when an answer may have come; -1: there is none. */
    int (*fd)(const struct store *s);

    /* The clock of the store's own machine (UTC ms).  False: no answer.  NULL: it lives in this
     * process. */
    bool (*clock)(struct store *s, int64_t *at_ms);

    /* What a partition of any step has committed last, whoever owns it (the caller need not); empty:
     * nothing. */
    enum store_result (*meta)(struct store *s, const char *step, int32_t partition,
                              struct arena *arena, struct str *out, struct err *err);

    /* Beside the state and no part of it: what the owner does just now (trial.h), for the next one to
     * read, and that it ends in good order.  note is there when it returns; an empty one takes it back.
     * NULL: this store keeps none, and every owner has left. */
    enum store_result (*note)(struct store *s, const char *step, int32_t partition,
                              const char *token, struct str text, struct err *err);
    enum store_result (*leave)(struct store *s, const char *step, int32_t partition,
                               const char *token, struct err *err);

    /* Every subject with its blob, in any order: to compare states, not for the hot path.  While the
     * partition is worked on they are of different moments; `copy` has them of one. */
    enum store_result (*list)(struct store *s, const char *step, int32_t partition,
                              struct arena *arena, struct store_subject **out, size_t *count,
                              struct err *err);

    /* A partition as it is now, in arena, while its owner goes on.  Needs no token and changes nothing
     * of what it copies.  STORE_GAP: somebody else copies it, or it took too long. */
    enum store_result (*copy)(struct store *s, const char *step, int32_t partition,
                              struct arena *arena, struct store_copy *out, struct err *err);

    /* The number of a partition's last commit, 0: none; whatever its meta is like. */
    enum store_result (*commit_number)(struct store *s, const char *step, int32_t partition,
                                       uint64_t *out, struct err *err);

    /* Put a copy in place of what is there, if that is at commit `there` (0: nothing is).  Whoever
     * owns the partition has lost it with the first write; whoever claims it before the last one is
     * refused.  After STORE_DOWN some of it may be there: to be done again, with `there` as
     * `copy` tells it (a replacement that was begun counts as nothing). */
    enum store_result (*replace)(struct store *s, const char *step, int32_t partition,
                                 uint64_t there, const struct store_copy *copy, struct err *err);
};

struct store {
    const struct store_class *class;
};

/* Whose state it is: the text that claim compares. */
struct str store_identity(struct arena *arena, const char *group, const char *topic,
                          int partitions);

/* A hash over all subjects and their blobs, sorted by subject: equal states, equal digest. */
enum store_result store_digest(struct store *s, const char *step, int32_t partition,
                               struct hash128 *out, struct err *err);

const char *store_result_text(enum store_result result);

/* What a commit would write as this subject's timers, from its blob: all of them, in arena.
 * STORE_REFUSED: the blob cannot be read. */
enum store_result store_timers(struct store_subject *subject, struct arena *arena, struct err *err);

struct engine;

/* Give a planned partition what it needs: timers, then missing subjects.  Checked against token
 * and commit number, so what is filled in is the state of the last commit and of this owner. */
enum store_result store_fill(struct store *s, const char *step, int32_t number, const char *token,
                             struct engine *p, struct arena *arena, struct err *err);

#endif
