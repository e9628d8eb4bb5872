/* tests/sim/store_model_parts.h - the inside of the store's model, private to its files:
 *
 *     store_model.c      what a process calls, and what a person does
 *     store_commits.c    commits, for which nobody waits
 *     store_way.c        what lies between a process and the server, and what happens to it
 *     store_server.c     the server: what it holds, and what each write has replaced
 */
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

/* --- store_server.c ---------------------------------------------------------------------------- */

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

/* --- store_way.c ------------------------------------------------------------------------------- */

enum {
    WAY_US_MIN = 20,
    WAY_US_MAX = 250,         /* to the server, and back */
    WAY_TIMEOUT_US = 5000000, /* after which a process gives up, or sends once more */
};

struct sent {
    struct server_commit commit;
    struct connection *connection;
    int64_t done_us;     /* when the server does it; INT64_MAX: never */
    int64_t answered_us; /* when the answer is there */
    bool done, dropped;
    bool unheard; /* its answer does not come: DOWN */
    enum store_result result;
};

struct connection {
    struct store store;
    struct store_model *model;
    int owner, fd;
    int64_t last_done_us, last_answered_us; /* of what was sent last */
    struct sent **sent;                     /* in order */
    size_t count, capacity;
};

struct store_model {
    struct server server;
    struct sent **waiting; /* not done, of all connections, in the order in which they were sent */
    size_t waiting_count, waiting_capacity;
    struct connection **connections;
    size_t connection_count, connection_capacity;
    int64_t away_until_us, full_until_us;
};

int64_t way_drawn_us(int64_t least, int64_t most);
bool way_is_likely(unsigned percent);
int64_t way_us(void); /* of one way */
void way_sleep_until(int64_t at_us);

struct connection *way_of(struct store *s);
/* Whatever has come to the server by now is done. */
void way_go_on(struct store_model *m);
void way_strike(struct store_model *m, const char *step);

/* There.  False: nothing is done, and err says why. */
bool way_reach(struct connection *c, const char *step, bool writes, struct err *err);
/* And back.  False: it is done, and nobody hears of it. */
bool way_come_back(const char *step, struct err *err);

/* What err says then. */
enum store_result way_down(struct err *err, const char *why);
enum store_result way_refused(enum store_result result, struct err *err);

/* --- store_commits.c --------------------------------------------------------------------------- */

/* Of struct store_class. */
void commits_send(struct store *s, const char *step, int32_t partition, const char *token,
                  uint64_t commit, struct str meta, const struct store_subject *subjects,
                  size_t count);
bool commits_ready(struct store *s, const char *step, int32_t partition);
enum store_result commits_wait(struct store *s, const char *step, int32_t partition,
                               struct err *err);
void commits_drop(struct store *s, const char *step, int32_t partition);

#endif
