/* A hash table by id, a binary heap by due time over the same nodes, and a journal.
 *
 *     table[hash] -> node -> node        heap[0] = due first        journal: id, node before (or none)
 *
 * Nodes never change: a change takes the node out of table and heap, lays it into the journal,
 * and puts a new one in.  A rollback walks the journal backwards and does the opposite; a commit
 * drops what it holds.
 */
#include "processors/dispatch/ledger.h"

#include "core/check.h"
#include "core/hash.h"
#include "core/mem.h"

struct node {
    struct ledger_entry entry; /* texts point into bytes */
    struct node *next;         /* in its bucket */
    size_t heap_index;
    char bytes[];
};

struct change {
    struct node *before; /* NULL: there was none */
    char id[TASK_ID_SIZE];
};

struct ledger {
    struct node **buckets;
    size_t bucket_count; /* a power of two */
    struct node **heap;  /* all nodes */
    size_t count, heap_capacity;
    size_t pending;
    struct change *journal;
    size_t change_count, change_capacity;
};

static const char *const state_codes[] = {
#define STATE(name, code, text) code,
#include "processors/dispatch/states.def"
#undef STATE
};

const char *ledger_state_code(enum ledger_state state)
{
    CHECK((unsigned)state < LEDGER_STATE_COUNT);
    return state_codes[state];
}

bool ledger_state_find(struct str code, enum ledger_state *out)
{
    for (int i = 0; i < LEDGER_STATE_COUNT; i++)
        if (str_is(code, state_codes[i])) {
            *out = (enum ledger_state)i;
            return true;
        }
    return false;
}

bool ledger_is_over(const struct ledger_entry *entry)
{
    switch (entry->state) {
    case LEDGER_PENDING:
    case LEDGER_SENDING:
    case LEDGER_RECALLING: return false;
    case LEDGER_UNKNOWN: return entry->next_ms == 0;
    case LEDGER_SENT:
    case LEDGER_FAILED:
    case LEDGER_EXPIRED:
    case LEDGER_WITHDRAWN: return true;
    case LEDGER_STATE_COUNT: break;
    }
    CHECK_NEVER("a state of no kind");
}

bool ledger_is_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '_'))
            return false;
    }
    return id.len > 0 && id.len < TASK_ID_SIZE;
}

/* --- nodes ----------------------------------------------------------------------------------- */

/* Copy text to *to and move *to behind it. */
static struct str place(char **to, struct str text)
{
    struct str copy = {*to, text.len};

    if (text.len != 0)
        memcpy(*to, text.data, text.len);
    *to += text.len;
    return copy;
}

static struct node *make_node(const struct ledger_entry *e)
{
    size_t bytes = e->id.len + e->customer.len + e->moment.len + e->channel.len + e->queue.len +
                   e->reason.len + e->reference.len + e->task.len + e->withdrawal.len;
    struct node *node = mem_alloc(sizeof *node + bytes);
    char *at = node->bytes;

    CHECK(ledger_is_id(e->id));
    node->entry = *e;
    node->entry.id = place(&at, e->id);
    node->entry.customer = place(&at, e->customer);
    node->entry.moment = place(&at, e->moment);
    node->entry.channel = place(&at, e->channel);
    node->entry.queue = place(&at, e->queue);
    node->entry.reason = place(&at, e->reason);
    node->entry.reference = place(&at, e->reference);
    node->entry.task = place(&at, e->task);
    node->entry.withdrawal = place(&at, e->withdrawal);
    return node;
}

/* --- heap ------------------------------------------------------------------------------------ */

static bool earlier(const struct node *a, const struct node *b)
{
    if (a->entry.due_ms != b->entry.due_ms)
        return a->entry.due_ms < b->entry.due_ms;
    return str_compare(a->entry.id, b->entry.id) < 0;
}

static void heap_set(struct ledger *l, size_t index, struct node *node)
{
    l->heap[index] = node;
    node->heap_index = index;
}

static void heap_up(struct ledger *l, size_t index, struct node *node)
{
    for (; index > 0 && earlier(node, l->heap[(index - 1) / 2]); index = (index - 1) / 2)
        heap_set(l, index, l->heap[(index - 1) / 2]);
    heap_set(l, index, node);
}

static void heap_down(struct ledger *l, size_t index, struct node *node)
{
    for (;;) {
        size_t child = 2 * index + 1;
        if (child + 1 < l->count && earlier(l->heap[child + 1], l->heap[child]))
            child++;
        if (child >= l->count || !earlier(l->heap[child], node))
            break;
        heap_set(l, index, l->heap[child]);
        index = child;
    }
    heap_set(l, index, node);
}

/* --- table ----------------------------------------------------------------------------------- */

static struct node **bucket(const struct ledger *l, struct str id)
{
    return &l->buckets[hash_bytes(id, 0) & (l->bucket_count - 1)];
}

static void grow(struct ledger *l)
{
    size_t count = l->bucket_count != 0 ? 2 * l->bucket_count : 64;

    mem_free(l->buckets);
    l->buckets = mem_alloc(count * sizeof *l->buckets);
    l->bucket_count = count;
    for (size_t i = 0; i < l->count; i++) {
        struct node **b = bucket(l, l->heap[i]->entry.id);
        l->heap[i]->next = *b;
        *b = l->heap[i];
    }
}

static void insert(struct ledger *l, struct node *node)
{
    struct node **b;

    if (l->count >= l->bucket_count)
        grow(l);
    b = bucket(l, node->entry.id);
    node->next = *b;
    *b = node;
    MEM_RESERVE(l->heap, l->count, l->heap_capacity);
    l->count++;
    l->pending += node->entry.state == LEDGER_PENDING;
    heap_up(l, l->count - 1, node);
}

/* Take the node of id out of table and heap; NULL: there is none. */
static struct node *detach(struct ledger *l, struct str id)
{
    struct node **at = l->count != 0 ? bucket(l, id) : NULL;
    struct node *node, *last;

    while (at != NULL && *at != NULL && !str_equal((*at)->entry.id, id))
        at = &(*at)->next;
    if (at == NULL || *at == NULL)
        return NULL;
    node = *at;
    *at = node->next;
    l->pending -= node->entry.state == LEDGER_PENDING;
    last = l->heap[--l->count];
    if (last != node) {
        heap_down(l, node->heap_index, last);
        heap_up(l, last->heap_index, last);
    }
    return node;
}

/* --- changes --------------------------------------------------------------------------------- */

static void note(struct ledger *l, struct str id, struct node *before)
{
    struct change *change;

    MEM_RESERVE(l->journal, l->change_count, l->change_capacity);
    change = &l->journal[l->change_count++];
    change->before = before;
    memcpy(change->id, id.data, id.len);
    change->id[id.len] = '\0';
}

void ledger_put(struct ledger *l, const struct ledger_entry *entry)
{
    struct node *node = make_node(entry); /* entry may point into the node that it replaces */

    note(l, node->entry.id, detach(l, node->entry.id));
    insert(l, node);
}

void ledger_remove(struct ledger *l, struct str id)
{
    struct node *before = detach(l, id);

    if (before != NULL)
        note(l, before->entry.id, before);
}

void ledger_commit(struct ledger *l)
{
    for (size_t i = 0; i < l->change_count; i++)
        mem_free(l->journal[i].before);
    l->change_count = 0;
}

void ledger_rollback(struct ledger *l)
{
    while (l->change_count > 0) {
        struct change *change = &l->journal[--l->change_count];
        mem_free(detach(l, str_of(change->id)));
        if (change->before != NULL)
            insert(l, change->before);
    }
}

/* --- the rest -------------------------------------------------------------------------------- */

struct ledger *ledger_new(void)
{
    return MEM_NEW(struct ledger);
}

void ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    ledger_commit(l);
    for (size_t i = 0; i < l->count; i++)
        mem_free(l->heap[i]);
    mem_free(l->heap);
    mem_free(l->buckets);
    mem_free(l->journal);
    mem_free(l);
}

const struct ledger_entry *ledger_find(const struct ledger *l, struct str id)
{
    const struct node *node = l->count != 0 ? *bucket(l, id) : NULL;

    while (node != NULL && !str_equal(node->entry.id, id))
        node = node->next;
    return node != NULL ? &node->entry : NULL;
}

int64_t ledger_due_ms(const struct ledger *l)
{
    return l->count != 0 ? l->heap[0]->entry.due_ms : INT64_MAX;
}

const struct ledger_entry *ledger_due(const struct ledger *l, int64_t now_ms)
{
    return ledger_due_ms(l) <= now_ms && l->count != 0 ? &l->heap[0]->entry : NULL;
}

const struct ledger_entry *ledger_at(const struct ledger *l, size_t index)
{
    CHECK(index < l->count);
    return &l->heap[index]->entry;
}

size_t ledger_count(const struct ledger *l)
{
    return l->count;
}

size_t ledger_pending(const struct ledger *l)
{
    return l->pending;
}
