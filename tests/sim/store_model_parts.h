/* tests/sim/store_model_parts.h - the inside of the store's model: store_server.c is Redis,
 * store_model.c what lies between it and a process.  Private to them. */
#ifndef TESTS_SIM_STORE_MODEL_PARTS_H
#define TESTS_SIM_STORE_MODEL_PARTS_H

#include "processors/worker/table.h"
#include "tests/sim/store_model.h"

struct server_timer {
    struct store_lane lane;
    int64_t due_ms;
};

struct server_subject { /* never removed; all bytes in the server's arena and never changed */
    struct table_node node;
    struct str blob; /* empty: it is not there */
    struct server_timer *timers;
    size_t timer_count;
};

struct server_head {              /* what the hash of an area holds */
    char token[STORE_TOKEN_SIZE]; /* "": none */
    struct str identity, meta;
    bool committed; /* commit is there */
    uint64_t commit;
};

struct server_area { /* a partition of a step */
    const char *step;
    int32_t partition;
    struct server_head head;
    struct table table;
    struct server_subject **subjects;
    size_t count, capacity;
};

/* What a write has replaced. */
struct server_undo {
    size_t write;
    struct server_area *area;
    struct server_subject *subject; /* NULL: the head */
    struct server_subject old;
    struct server_head old_head;
};

struct server {
    struct arena *arena;
    struct server_area **areas;
    size_t area_count, area_capacity;
    size_t writes;
    size_t safe_writes; /* it never goes back behind these */
    struct server_undo *undo;
    size_t undo_count, undo_capacity;
};

struct server_commit {
    const char *step;
    int32_t partition;
    char token[STORE_TOKEN_SIZE];
    uint64_t number; /* before it */
    struct str meta;
    const struct store_subject *subjects;
    size_t count;
};

void server_init(struct server *s);
void server_free(struct server *s);
struct server_area *server_area(struct server *s, const char *step, int32_t partition);

/* The scripts and transactions.  now_commit of a commit that is refused: the number that is there. */
enum store_result server_claim(struct server *s, struct server_area *area, const char *token,
                               struct str identity);
enum store_result server_check(const struct server_area *area, const char *token, uint64_t commit);
enum store_result server_commit(struct server *s, const struct server_commit *commit,
                                uint64_t *now_commit);
struct str server_blob(const struct server_area *area, struct str subject);
void server_due(const struct server_area *area, struct store_lane lane, int64_t due_ms,
                struct str after, size_t max, struct arena *arena, struct store_subject **out,
                size_t *count, bool *more);
void server_list(const struct server_area *area, struct arena *arena, struct store_subject **out,
                 size_t *count);

void server_go_back(struct server *s, size_t writes);
void server_empty(struct server *s);
bool server_timers_fit(const struct server_area *area, struct err *why);

/* A deep copy in arena. */
struct store_subject *server_copy_subjects(struct arena *arena,
                                           const struct store_subject *subjects, size_t count);

#endif
