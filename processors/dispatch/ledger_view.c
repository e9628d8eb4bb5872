/* One thread writes to Redis what the poll thread hands over.  When Redis is away, what is handed
 * over is dropped and `missed` says so; when it is back, the poll thread is asked for everything.
 * That Redis was emptied meanwhile is seen by a key of this process that has gone.
 */
#include "processors/dispatch/ledger_view.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "core/clock.h"
#include "core/crypto.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/rng.h"
#include "core/when.h"
#include "processors/dispatch/ledger_record.h"

enum {
    QUEUE_MAX = 200000,
    BATCH = 500,
    RETRY_MS = 1000,
    KEEP_CONTACT_S = 400 * 24 * 3600, /* a customer may answer the message of last year */
    KEEP_TASK_S = 7 * 24 * 3600,      /* beyond its due time: should its end be missed */
    KEEP_SIGN_S = 3600,
    HASH_BYTES = 16,
};

struct note { /* a record of the ledger; value NULL: forgotten */
    char id[TASK_ID_SIZE];
    char *value;
    size_t bytes;
};

struct notes {
    struct note *items;
    size_t count, capacity;
};

struct customers {
    char **items;
    size_t count, capacity;
};

struct ledger_view {
    const struct ledger_view_config *config;
    char sign[HASH128_HEX_SIZE]; /* of this process */
    pthread_t thread;
    struct redis *redis; /* of the thread */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct notes queue;
    struct customers erased; /* are not dropped when Redis is away */
    bool looked;             /* for Redis, once */
    bool connected, missed, writing, closing;

    pthread_mutex_t ask_lock;
    struct redis *asked; /* of who asks */
};

static void free_notes(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        mem_free(notes->items[i].value);
    mem_free(notes->items);
    *notes = (struct notes){0};
}

/* --- keys ------------------------------------------------------------------------------------------ */

struct str ledger_view_task_key(const char *prefix, struct str id, struct arena *arena)
{
    return arena_format(arena, "%s:task:%.*s", prefix, STR_ARG(id));
}

/* kind:name:HASH, keyed: who reads Redis learns no address and no customer by trying. */
static struct str hashed_key(const struct ledger_view *v, struct str kind, struct str name,
                             struct str secret, struct arena *arena)
{
    struct buf text = {0}, hex = {0};
    struct sha256 h;
    struct str key;

    buf_put_format(&text, "attent %.*s ", STR_ARG(kind));
    buf_put_bytes(&text, name);
    buf_put_bytes(&text, secret);
    h = crypto_hmac_sha256(v->config->key, buf_str(&text));
    sha256_put_hex(&hex, &h);
    key = arena_format(arena, "%s:%.*s%.*s", v->config->prefix, STR_ARG(name), 2 * HASH_BYTES,
                       buf_text(&hex));
    buf_free(&text);
    buf_free(&hex);
    return key;
}

static struct str contact_key(const struct ledger_view *v, struct str channel, struct str address,
                              struct arena *arena)
{
    return hashed_key(v, STR("address"), arena_format(arena, "contact:%.*s:", STR_ARG(channel)),
                      address, arena);
}

static struct str contacts_key(const struct ledger_view *v, struct str customer,
                               struct arena *arena)
{
    return hashed_key(v, STR("customer"), STR("contacts:"), customer, arena);
}

static struct str sign_key(const struct ledger_view *v, struct arena *arena)
{
    return arena_format(arena, "%s:writer:%s", v->config->prefix, v->sign);
}

/* --- writing --------------------------------------------------------------------------------------- */

static void send_set(struct redis *redis, struct str key, struct str value, int64_t seconds,
                     struct arena *arena)
{
    const struct str args[] = {STR("SET"), key, value, STR("EX"),
                               arena_format(arena, "%lld", (long long)seconds)};

    redis_send(redis, args, 5);
}

/* The entry without what is said to whom. */
static struct str bare(const struct ledger_entry *entry, struct arena *arena)
{
    struct ledger_entry shown = *entry;

    shown.task = shown.withdrawal = STR_EMPTY;
    return ledger_record_entry(&shown, arena).value;
}

static void send_contact(struct ledger_view *v, const struct task *task, struct arena *arena)
{
    struct str key = contact_key(v, task->channel, task->address, arena);
    struct str all = contacts_key(v, task->customer, arena);
    const struct str add[] = {STR("SADD"), all, key};
    const struct str keep[] = {STR("EXPIRE"), all, arena_format(arena, "%d", KEEP_CONTACT_S)};

    send_set(v->redis, key, task->customer, KEEP_CONTACT_S, arena);
    redis_send(v->redis, add, 3);
    redis_send(v->redis, keep, 3);
}

static void send_entry(struct ledger_view *v, const struct ledger_entry *entry, struct arena *arena,
                       size_t *sent)
{
    int64_t left_ms = entry->due_ms > entry->at_ms ? entry->due_ms - entry->at_ms : 0;
    struct task task;

    send_set(v->redis, ledger_view_task_key(v->config->prefix, entry->id, arena),
             bare(entry, arena), left_ms / 1000 + KEEP_TASK_S, arena);
    ++*sent;
    if (v->config->key.len == 0 || entry->task.len == 0 ||
        !task_read_json(entry->task, arena, &task, NULL) || task.address.len == 0)
        return;
    send_contact(v, &task, arena);
    *sent += 3;
}

static void send_note(struct ledger_view *v, const struct note *note, struct arena *arena,
                      size_t *sent)
{
    const struct record record = {.key = str_of(note->id), .value = {note->value, note->bytes}};
    const struct str forget[] = {STR("DEL"),
                                 ledger_view_task_key(v->config->prefix, record.key, arena)};
    struct ledger_record read;

    ledger_record_read(&record, arena, &read, NULL);
    if (read.kind == LEDGER_RECORD_TASK) {
        send_entry(v, &read.entry, arena, sent);
    } else if (read.kind == LEDGER_RECORD_FORGOTTEN) {
        redis_send(v->redis, forget, 2);
        ++*sent;
    }
}

/* Is our sign still there?  SET ... XX answers nil if not. */
static void send_sign(struct ledger_view *v, bool first, struct arena *arena)
{
    const struct str args[] = {
        STR("SET"), sign_key(v, arena), STR("1"), STR("EX"), arena_format(arena, "%d", KEEP_SIGN_S),
        STR("XX")};

    redis_send(v->redis, args, first ? 5 : 6);
}

static enum err_code receive(struct ledger_view *v, size_t count, bool *nil, struct err *err)
{
    enum err_code code = ERR_NONE;

    for (size_t i = 0; i < count && code == ERR_NONE; i++) {
        struct redis_reply *reply = NULL;
        code = redis_receive(v->redis, &reply, err);
        if (code == ERR_NONE && redis_reply_kind(reply) == REDIS_ERROR)
            code = err_set(err, ERR_REDIS, "Redis: %.*s", STR_ARG(redis_reply_text(reply)));
        *nil = code == ERR_NONE && redis_reply_kind(reply) == REDIS_NIL;
        redis_reply_free(reply);
    }
    return code;
}

static enum err_code write_some(struct ledger_view *v, const struct note *notes, size_t count,
                                struct arena *arena, bool *emptied, struct err *err)
{
    size_t sent = 0;

    for (size_t i = 0; i < count; i++)
        send_note(v, &notes[i], arena, &sent);
    send_sign(v, false, arena);
    return receive(v, sent + 1, emptied, err);
}

static enum err_code connect_redis(struct ledger_view *v, struct arena *arena, struct err *err)
{
    enum err_code code;
    bool nil;

    if (v->redis != NULL)
        return ERR_NONE;
    code = redis_open(&v->config->redis, &v->redis, err);
    if (code != ERR_NONE)
        return code;
    send_sign(v, true, arena);
    return receive(v, 1, &nil, err);
}

static enum err_code write_all(struct ledger_view *v, const struct notes *notes,
                               struct arena *arena, bool *emptied, struct err *err)
{
    enum err_code code = connect_redis(v, arena, err);

    *emptied = false;
    for (size_t from = 0; code == ERR_NONE && (from < notes->count || from == 0); from += BATCH) {
        size_t left = notes->count - from;
        code = write_some(v, notes->items + from, left < BATCH ? left : BATCH, arena, emptied, err);
        arena_reset(arena);
        if (notes->count == 0)
            break;
    }
    return code;
}

/* --- erasing --------------------------------------------------------------------------------------- */

/* Unless the address is another's by now. */
static enum err_code erase_contact(struct ledger_view *v, struct str key, struct str customer,
                                   struct err *err)
{
    const struct str get[] = {STR("GET"), key}, del[] = {STR("DEL"), key};
    struct redis_reply *reply = NULL;
    enum err_code code = redis_command(v->redis, get, 2, &reply, err);
    bool is_theirs = code == ERR_NONE && str_equal(redis_reply_text(reply), customer);

    redis_reply_free(reply);
    if (!is_theirs)
        return code;
    code = redis_command(v->redis, del, 2, &reply, err);
    if (code == ERR_NONE)
        redis_reply_free(reply);
    return code;
}

static enum err_code erase_customer(struct ledger_view *v, struct str customer, struct arena *arena,
                                    struct err *err)
{
    struct str all = contacts_key(v, customer, arena);
    const struct str members[] = {STR("SMEMBERS"), all}, del[] = {STR("DEL"), all};
    struct redis_reply *reply = NULL, *gone = NULL;
    enum err_code code = redis_command(v->redis, members, 2, &reply, err);

    if (code != ERR_NONE)
        return code;
    for (size_t i = 0; code == ERR_NONE && i < redis_reply_count(reply); i++)
        code = erase_contact(v, redis_reply_text(redis_reply_at(reply, i)), customer, err);
    redis_reply_free(reply);
    if (code == ERR_NONE)
        code = redis_command(v->redis, del, 2, &gone, err);
    if (code == ERR_NONE)
        redis_reply_free(gone);
    return code;
}

/* Behind the notes: one of them may name an address of a customer who was erased since. */
static enum err_code erase_all(struct ledger_view *v, struct customers *erased, struct arena *arena,
                               struct err *err)
{
    enum err_code code = ERR_NONE;

    while (code == ERR_NONE && erased->count != 0) {
        char *customer = erased->items[erased->count - 1];
        code = erase_customer(v, str_of(customer), arena, err);
        if (code != ERR_NONE)
            break;
        mem_free(customer);
        erased->count--;
    }
    return code;
}

static void free_customers(struct customers *customers)
{
    while (customers->count != 0)
        mem_free(customers->items[--customers->count]);
    mem_free(customers->items);
    *customers = (struct customers){0};
}

/* What could not be erased is tried again.  The lock is held. */
static void put_back(struct ledger_view *v, struct customers *erased)
{
    for (size_t i = 0; i < erased->count; i++) {
        MEM_RESERVE(v->erased.items, v->erased.count, v->erased.capacity);
        v->erased.items[v->erased.count++] = erased->items[i];
    }
    mem_free(erased->items);
}

/* --- the thread ------------------------------------------------------------------------------------ */

/* Wait for something to write, or for the time to look whether Redis is there: at first that is now.
 * The lock is held. */
static void wait_for_work(struct ledger_view *v)
{
    int64_t until_ms = clock_mono_ms() + RETRY_MS;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    int waited = v->looked ? 0 : ETIMEDOUT;

    v->looked = true;
    while (!v->closing && waited == 0 && (v->queue.count + v->erased.count == 0 || !v->connected))
        waited = pthread_cond_timedwait(&v->changed, &v->lock, &until);
}

/* The lock is held. */
static void note_end(struct ledger_view *v, enum err_code code, bool emptied, const struct err *err)
{
    bool was_connected = v->connected;

    v->connected = code == ERR_NONE && !emptied;
    v->missed |= !v->connected;
    if (was_connected && code != ERR_NONE)
        log_warn("dispatch", "the view of the ledger waits for Redis", LOG_TEXT("why", err->text),
                 LOG_END);
    if (v->connected)
        return;
    free_notes(&v->queue);
}

static void *write_notes(void *of)
{
    struct ledger_view *v = of;
    struct arena *arena = arena_new(0);

    pthread_mutex_lock(&v->lock);
    for (;;) {
        struct customers erased;
        struct notes notes;
        struct err err = {0};
        enum err_code code;
        bool emptied;

        wait_for_work(v);
        if (v->closing && (v->queue.count + v->erased.count == 0 || !v->connected))
            break;
        notes = v->queue;
        erased = v->erased;
        v->queue = (struct notes){0};
        v->erased = (struct customers){0};
        v->writing = true;
        pthread_mutex_unlock(&v->lock);
        code = write_all(v, &notes, arena, &emptied, &err);
        if (code == ERR_NONE)
            code = erase_all(v, &erased, arena, &err);
        free_notes(&notes);
        if (code != ERR_NONE || emptied) {
            redis_close(v->redis);
            v->redis = NULL;
        }
        pthread_mutex_lock(&v->lock);
        v->writing = false;
        put_back(v, &erased);
        note_end(v, code, emptied, &err);
    }
    pthread_mutex_unlock(&v->lock);
    arena_free(arena);
    return NULL;
}

/* --- from outside ---------------------------------------------------------------------------------- */

struct ledger_view *ledger_view_open(const struct ledger_view_config *config)
{
    struct ledger_view *v = MEM_NEW(struct ledger_view);
    pthread_condattr_t monotonic;
    struct hash128 random;

    v->config = config;
    v->missed = true; /* what is there when it starts */
    rng_system(&random, sizeof random);
    hash128_hex(random, v->sign);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&v->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&v->lock, NULL);
    pthread_mutex_init(&v->ask_lock, NULL);
    if (pthread_create(&v->thread, NULL, write_notes, v) != 0) {
        log_error("dispatch", "no thread for the view of the ledger", LOG_END);
        v->closing = true;
    }
    return v;
}

void ledger_view_close(struct ledger_view *v)
{
    bool running;

    if (v == NULL)
        return;
    pthread_mutex_lock(&v->lock);
    running = !v->closing;
    v->closing = true;
    pthread_cond_signal(&v->changed);
    pthread_mutex_unlock(&v->lock);
    if (running)
        pthread_join(v->thread, NULL);
    free_notes(&v->queue);
    free_customers(&v->erased);
    redis_close(v->redis);
    redis_close(v->asked);
    pthread_cond_destroy(&v->changed);
    pthread_mutex_destroy(&v->lock);
    pthread_mutex_destroy(&v->ask_lock);
    mem_free(v);
}

void ledger_view_take(struct ledger_view *v, const struct record *record)
{
    struct note *note;

    if (!ledger_is_id(record->key))
        return; /* how far sources are, and who reads */
    pthread_mutex_lock(&v->lock);
    if (v->queue.count >= QUEUE_MAX)
        v->missed = true;
    if (v->connected && !v->missed) {
        MEM_RESERVE(v->queue.items, v->queue.count, v->queue.capacity);
        note = &v->queue.items[v->queue.count++];
        *note = (struct note){.bytes = record->value.len};
        memcpy(note->id, record->key.data, record->key.len);
        if (record->value.data != NULL)
            note->value = mem_copy_text(record->value.data, record->value.len);
        pthread_cond_signal(&v->changed);
    }
    pthread_mutex_unlock(&v->lock);
}

void ledger_view_erase(struct ledger_view *v, struct str customer)
{
    if (v->config->key.len == 0)
        return; /* no contacts are kept */
    pthread_mutex_lock(&v->lock);
    MEM_RESERVE(v->erased.items, v->erased.count, v->erased.capacity);
    v->erased.items[v->erased.count++] = mem_copy_text(customer.data, customer.len);
    pthread_cond_signal(&v->changed);
    pthread_mutex_unlock(&v->lock);
}

bool ledger_view_wants_all(struct ledger_view *v)
{
    bool wants;

    pthread_mutex_lock(&v->lock);
    wants = v->missed && v->connected && v->queue.count == 0;
    v->missed &= !wants;
    pthread_mutex_unlock(&v->lock);
    return wants;
}

size_t ledger_view_waiting(struct ledger_view *v)
{
    size_t count;

    pthread_mutex_lock(&v->lock);
    count = v->queue.count;
    pthread_mutex_unlock(&v->lock);
    return count;
}

/* Does Redis know all that this process has sent? */
static bool is_whole(struct ledger_view *v)
{
    bool whole;

    pthread_mutex_lock(&v->lock);
    whole = v->connected && !v->missed && !v->writing && v->queue.count == 0;
    pthread_mutex_unlock(&v->lock);
    return whole;
}

enum err_code ledger_view_customer_of(struct ledger_view *v, struct str channel, struct str address,
                                      struct arena *arena, struct str *out, struct err *err)
{
    const struct str args[] = {STR("GET"), contact_key(v, channel, address, arena)};
    struct redis_reply *reply = NULL;
    enum err_code code = ERR_NONE;
    bool whole = is_whole(v); /* before it is asked */

    *out = STR_EMPTY;
    pthread_mutex_lock(&v->ask_lock);
    if (v->asked == NULL)
        code = redis_open(&v->config->redis, &v->asked, err);
    if (code == ERR_NONE)
        code = redis_ready(v->asked, err);
    if (code == ERR_NONE)
        code = redis_command(v->asked, args, 2, &reply, err);
    if (code == ERR_NONE && redis_reply_kind(reply) == REDIS_TEXT)
        *out = arena_str(arena, redis_reply_text(reply));
    redis_reply_free(reply);
    pthread_mutex_unlock(&v->ask_lock);
    if (code == ERR_NONE && out->len == 0 && !whole)
        return err_set(err, ERR_DOWN, "Redis is still being told to whom tasks were sent");
    return code;
}
