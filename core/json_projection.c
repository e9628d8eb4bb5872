/* The fields wanted of a document, in one pass over its text (core/json_scan.h).
 *
 * The paths are a tree, walked along with the document: what no path leads into is only checked.
 *
 *     ""  -- "data" -- "vin" (slot 3)
 *         |        `-- "pad_mm" (slot 4)
 *         `- "type" (slot 0)
 *
 * Where the scanner is not sure the document is parsed whole and projected from there; so a fault
 * has the words of json_parse, and what is taken is what json_parse takes.
 */
#include "core/json.h"

#include "core/check.h"
#include "core/json_scan.h"
#include "core/mem.h"

struct node {
    struct str key; /* ours */
    bool wanted;
    uint32_t slot;
    struct node *items;
    size_t count, capacity;
};

struct projection {
    struct node root;
};

/* --- the tree ------------------------------------------------------------------------------------- */

struct projection *projection_new(void)
{
    return MEM_NEW(struct projection);
}

static void node_clear(struct node *node)
{
    for (size_t i = 0; i < node->count; i++)
        node_clear(&node->items[i]);
    mem_free(node->items);
    mem_free((void *)(uintptr_t)node->key.data);
}

void projection_free(struct projection *p)
{
    if (p == NULL)
        return;
    node_clear(&p->root);
    mem_free(p);
}

/* The next key of a JSON Pointer, "~1" and "~0" undone; the caller frees its data. */
static struct str pointer_next(struct str *pointer)
{
    char *key = mem_alloc(pointer->len);
    size_t at = 1, bytes = 0;

    CHECK(pointer->data[0] == '/');
    for (; at < pointer->len && pointer->data[at] != '/'; at++) {
        char c = pointer->data[at];
        if (c == '~' && at + 1 < pointer->len)
            c = pointer->data[++at] == '1' ? '/' : '~';
        key[bytes++] = c;
    }
    *pointer = str_slice(*pointer, at, pointer->len);
    return (struct str){key, bytes};
}

/* Takes key. */
static struct node *node_child(struct node *node, struct str key)
{
    for (size_t i = 0; i < node->count; i++)
        if (str_equal(node->items[i].key, key)) {
            mem_free((void *)(uintptr_t)key.data);
            return &node->items[i];
        }
    MEM_RESERVE(node->items, node->count, node->capacity);
    node->items[node->count] = (struct node){.key = key};
    return &node->items[node->count++];
}

void projection_add(struct projection *p, struct str path, uint32_t slot)
{
    struct node *node = &p->root;

    while (path.len > 0)
        node = node_child(node, pointer_next(&path));
    CHECK(!node->wanted || node->slot == slot); /* a path goes to one slot */
    node->wanted = true;
    node->slot = slot;
}

/* --- a document ----------------------------------------------------------------------------------- */

struct projecting {
    struct arena *arena;
    struct value *fields;
    const struct projection_own *own; /* NULL: none */
    bool enough;                      /* go_on said so */
};

static void give(struct projecting *to, const struct node *node, struct value v)
{
    const struct projection_own *own = to->own;

    if (v.kind == VALUE_NULL)
        v = VALUE_NONE;
    if (node->slot < PROJECTION_OWN) {
        to->fields[node->slot] = v;
        return;
    }
    own->values[node->slot - PROJECTION_OWN] = v;
    to->enough = own->go_on != NULL && !own->go_on(own->context, node->slot, v);
}

static void project(struct projecting *to, const struct node *node, struct value v)
{
    if (node->wanted)
        give(to, node, v);
    if (v.kind != VALUE_MAP)
        return;
    for (size_t i = 0; i < node->count; i++) {
        struct value item = value_map_get(v, node->items[i].key);
        if (item.kind != VALUE_ABSENT)
            project(to, &node->items[i], item);
    }
}

/* Producers write their keys in the same order each time: the child after the last one found is
 * tried first. */
static const struct node *find_child(const struct node *node, struct str key, size_t *next)
{
    for (size_t i = 0; i < node->count; i++) {
        size_t at = *next + i < node->count ? *next + i : *next + i - node->count;
        if (str_equal(node->items[at].key, key)) {
            *next = at + 1 < node->count ? at + 1 : 0;
            return &node->items[at];
        }
    }
    return NULL;
}

static bool scan_node(struct projecting *to, const struct node *node, struct json_scan *s);

static bool scan_object(struct projecting *to, const struct node *node, struct json_scan *s)
{
    struct json_scan_keys keys;
    size_t next = 0;

    if (!json_scan_enter(s, &keys))
        return false;
    while (!to->enough) {
        const struct node *child;
        struct str key;
        bool more;
        if (!json_scan_key(s, &keys, &key, &more))
            return false;
        if (!more)
            break;
        child = find_child(node, key, &next);
        if (child == NULL ? !json_scan_over(s) : !scan_node(to, child, s))
            return false;
    }
    return true;
}

/* Lists and objects that are wanted whole are parsed whole; they are rare and small. */
static bool scan_node(struct projecting *to, const struct node *node, struct json_scan *s)
{
    char first = json_scan_peek(s);
    const char *from = s->at;
    struct value v;
    bool sure;

    if (first != '{' && first != '[') {
        sure = json_scan_scalar(s, &v);
        if (sure && node->wanted)
            give(to, node, v);
        return sure;
    }
    sure = first == '{' && node->count > 0 ? scan_object(to, node, s) : json_scan_over(s);
    if (!sure || !node->wanted || to->enough)
        return sure;
    if (json_parse((struct str){from, (size_t)(s->at - from)}, to->arena, &v, NULL) != JSON_FINE)
        return false;
    give(to, node, v);
    return true;
}

static bool scan_document(struct projecting *to, const struct projection *p, struct str text)
{
    struct json_scan s = {.at = text.data, .end = text.data + text.len, .arena = to->arena};

    if (text.len == 0 || !scan_node(to, &p->root, &s))
        return false;
    json_scan_peek(&s); /* blanks at the end */
    return to->enough || s.at == s.end;
}

enum json_fault projection_read_both(const struct projection *p, struct str text,
                                     struct arena *arena, struct value *fields,
                                     const struct projection_own *own, struct err *err)
{
    struct projecting to = {.arena = arena, .fields = fields, .own = own};
    struct value document;
    enum json_fault fault;

    if (scan_document(&to, p, text))
        return JSON_FINE;
    fault = json_parse(text, arena, &document, err);
    if (fault == JSON_FINE)
        project(&to, &p->root, document);
    return fault;
}

enum json_fault projection_read(const struct projection *p, struct str text, struct arena *arena,
                                struct value *fields, struct err *err)
{
    return projection_read_both(p, text, arena, fields, NULL, err);
}
