/* processors/worker/redis_store_parts.h - the inside of a Redis store, for the files that make it up:
 * redis_store.c claims and asks, redis_read.c reads states and timers, redis_commit.c commits.  Private
 * to them.
 *
 * A partition lives on one server; answers of a server come in the order in which things were sent to
 * it: whoever waits for one takes those before it down for their owners.  `commits` has that order.
 *
 *      sent:      commit 1/7   commit 2/9   read of 1 (checked against 8)
 *      received:  DONE         DONE         {token, 8}, blobs
 *
 * So a read behind a commit of the same partition sees what that has written, or is refused with it.
 * When a connection breaks, what is unanswered is sent again once, before anything else: a commit
 * that had landed answers GAP with its own new number.  So is one of which a cluster says that its
 * slot is elsewhere, or not to be had for a moment: it has done nothing there.
 */
#ifndef ATTENT_PROCESSORS_WORKER_REDIS_STORE_PARTS_H
#define ATTENT_PROCESSORS_WORKER_REDIS_STORE_PARTS_H

#include "connectors/redis/redis.h"
#include "processors/worker/store.h"

#define REDIS_NO_TIMER INT64_MAX

/* A sorted set keeps its scores as doubles: beyond this milliseconds would be rounded. */
#define REDIS_DUE_MAX_MS (INT64_C(1) << 53)

struct commit {              /* on its way */
    struct redis_link *link; /* over which it was sent */
    uint64_t connection;     /* of it; another one will not bring its answer; 0: not sent */
    int64_t sent_mono_ms, first_mono_ms;
    int tries;             /* how often it may have landed */
    int turned_away;       /* by a cluster */
    int64_t again_mono_ms; /* then it is sent again; 0: at once */
    bool dropped;          /* nobody waits for its answer; nothing is borrowed any more */
    char *step;
    int32_t partition;
    char token[STORE_TOKEN_SIZE];
    uint64_t number; /* before it */
    struct str meta; /* borrowed, as are the subjects */
    const struct store_subject *subjects;
    size_t count;
    bool answered;
    enum store_result result;
    struct err err;
};

struct redis_store {
    struct store store;
    struct redis *redis;
    struct redis_script claim, commit, mark;
    struct commit *commits;
    size_t commit_count, commit_capacity;
    struct arena *arena;        /* arguments of one claim or read */
    struct arena *commit_arena; /* those of a commit, which may go out in the midst of a read */
    struct arena *key_arena;    /* a key while commits go out */
};

struct redis_store *redis_store_of(struct store *s);

/* --- words ---------------------------------------------------------------------------------- */

/* "{STEP:PARTITION}:KIND" */
struct str redis_key(struct arena *arena, const char *step, int32_t partition, const char *kind);
struct str redis_subject_key(struct arena *arena, struct str prefix, struct str subject);
struct str redis_number(struct arena *arena, uint64_t number);
uint64_t redis_number_of(struct str text);

/* An answer that is none: STORE_DOWN, and err says what came. */
enum store_result redis_trouble(const struct redis_reply *reply, const char *what, struct err *err);
bool redis_is_list(const struct redis_reply *reply, size_t count);

struct str redis_keep(struct arena *arena, const struct redis_reply *reply); /* its text, copied */

/* --- reads ------------------------------------------------------------------------------------ */

enum store_result redis_load(struct store *store, const char *step, int32_t partition,
                             const char *token, uint64_t commit, struct arena *arena,
                             struct store_subject *subjects, size_t count, struct err *err);
enum store_result redis_due(struct store *store, const char *step, int32_t partition,
                            const char *token, uint64_t commit, struct store_lane lane,
                            int64_t due_ms, struct str after, size_t max, struct arena *arena,
                            struct store_subject **out, size_t *count, bool *more, struct err *err);

/* --- commits ---------------------------------------------------------------------------------- */

extern const char redis_commit_text[]; /* the script */

void redis_commit_send(struct store *store, const char *step, int32_t partition, const char *token,
                       uint64_t commit, struct str meta, const struct store_subject *subjects,
                       size_t count);
bool redis_commit_ready(struct store *store, const char *step, int32_t partition);
enum store_result redis_commit_wait(struct store *store, const char *step, int32_t partition,
                                    struct err *err);
void redis_commit_drop(struct store *store, const char *step, int32_t partition);

/* In flight and not dropped; NULL: none. */
struct commit *redis_commit_find(struct redis_store *s, const char *step, int32_t partition);

/* The link to a partition's server, connected; what lost its answer there is sent again.  An empty
 * key: any server. */
enum err_code redis_commits_connect(struct redis_store *s, struct str key, struct redis_link **out,
                                    struct err *err);

/* How many answers of commits come over a link before that of what is sent next; take one of them, or
 * all of that link, or all. */
size_t redis_commits_waiting(const struct redis_store *s, const struct redis_link *link);
enum err_code redis_commits_take(struct redis_store *s, struct redis_link *link, struct err *err);
void redis_commits_take_link(struct redis_store *s, struct redis_link *link);
void redis_commits_take_all(struct redis_store *s);

#endif
