/* libyaml gives events; build() turns them into nodes, recursive and so limited in depth.
 *
 * The hard thing is yaml_place.  A finding inside an expression has an offset in the expression's
 * text, but people look at the file, where the text may be quoted, escaped, folded or indented.
 * What all styles but the double-quoted keep is the sequence of characters that are not blank:
 * the n-th of the text is the n-th of the file.  So both are walked side by side, blanks skipped;
 * only quotes and escapes need a rule of their own (source_char).
 */
#include "core/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

#include "core/check.h"
#include "core/limit.h"
#include "core/mem.h"

struct anchor {
    struct str name;
    const struct yaml_node *node; /* NULL: not finished yet */
    size_t weight;                /* nodes below it, itself too */
};

struct builder {
    yaml_parser_t parser;
    struct str text;
    const char *file;
    struct arena *arena;
    struct diags *diags;
    struct anchor *anchors; /* on the heap */
    size_t anchor_count, anchor_capacity;
    size_t nodes;               /* so far, aliases unfolded */
    size_t mark_index, mark_at; /* character and byte of the last mark */
};

static struct place place_of(const struct builder *b, yaml_mark_t mark)
{
    return (struct place){b->file, (int)mark.line + 1, (int)mark.column + 1};
}

static void found(struct builder *b, yaml_mark_t mark, const char *help, const char *what)
{
    diag_add(b->diags, DIAG_ERROR, place_of(b, mark), "yaml", help, "%s", what);
}

struct walk { /* through the source of a scalar */
    struct str rest;
    int line, column;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void step(struct walk *w)
{
    unsigned char c = (unsigned char)w->rest.data[0];

    if (c == '\n') {
        w->line++;
        w->column = 1;
    } else if ((c & 0xc0) != 0x80) {
        w->column++;
    }
    w->rest = str_slice(w->rest, 1, w->rest.len);
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool is_one_of(struct str text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_is(text, *words))
            return true;
    return false;
}

static bool only(struct str text, const char *chars)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\0' || strchr(chars, text.data[i]) == NULL)
            return false;
    return text.len != 0;
}

static bool is_float(struct str text)
{
    size_t digits = 0, i = 0;

    i += i < text.len && (text.data[i] == '-' || text.data[i] == '+');
    for (; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
        digits++;
    if (i < text.len && text.data[i] == '.')
        for (i++; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++)
            digits++;
    if (digits == 0)
        return false;
    if (i < text.len && (text.data[i] | 0x20) == 'e') {
        i++;
        i += i < text.len && (text.data[i] == '-' || text.data[i] == '+');
        return only(str_slice(text, i, text.len), "0123456789");
    }
    return i == text.len;
}

static bool read_int(struct yaml_node *node)
{
    struct str text = node->text, rest = node->text;
    int base = 10;
    long long read;

    if (str_starts(text, STR("0x")) &&
        only(rest = str_slice(text, 2, text.len), "0123456789abcdefABCDEF"))
        base = 16;
    else if (str_starts(text, STR("0o")) && only(rest = str_slice(text, 2, text.len), "01234567"))
        base = 8;
    else if (!only(str_slice(text, str_starts(text, STR("-")) || str_starts(text, STR("+")),
                             text.len),
                   "0123456789"))
        return false;
    errno = 0;
    read = strtoll(base == 10 ? text.data : rest.data, NULL, base);
    if (errno != 0)
        return false;
    node->kind = YAML_INT;
    node->integer = read;
    node->number = (double)read;
    return true;
}

/* The core schema of YAML 1.2, section 10.3.2. */
static void resolve(struct builder *b, struct yaml_node *node, yaml_mark_t mark)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};

    if (is_one_of(node->text, nulls)) {
        node->kind = YAML_NULL;
    } else if (is_one_of(node->text, trues) || is_one_of(node->text, falses)) {
        node->kind = YAML_BOOL;
        node->boolean = is_one_of(node->text, trues);
    } else if (!read_int(node) && is_float(node->text)) {
        node->kind = YAML_FLOAT;
        node->number = strtod(node->text.data, NULL);
        if (only(node->text, "+-0123456789"))
            found(b, mark, "in quotes it is a text", "this number is too long to be counted with");
    }
}

/* --- tree --------------------------------------------------------------------------------------- */

static const struct yaml_node *build(struct builder *b, yaml_event_t *event, int depth);

/* libyaml's marks count characters; they come in order, so the text is walked once. */
static struct str source_at(struct builder *b, yaml_mark_t mark)
{
    if (mark.index < b->mark_index)
        b->mark_index = b->mark_at = 0;
    for (; b->mark_at < b->text.len; b->mark_at++) {
        if (((unsigned char)b->text.data[b->mark_at] & 0xc0) == 0x80)
            continue;
        if (b->mark_index == mark.index)
            break;
        b->mark_index++;
    }
    return str_slice(b->text, b->mark_at, b->text.len);
}

/* A mark stands before the anchor of a node, if it has one; the node begins behind it. */
static void skip_anchor(struct walk *w)
{
    if (!str_starts(w->rest, STR("&")))
        return;
    while (w->rest.len != 0 && !is_blank(w->rest.data[0]))
        step(w);
    while (w->rest.len != 0 && is_blank(w->rest.data[0]))
        step(w);
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_node *node = ARENA_NEW(b->arena, struct yaml_node);
    struct walk w = {source_at(b, mark), (int)mark.line + 1, (int)mark.column + 1};

    skip_anchor(&w);
    node->kind = kind;
    node->place = (struct place){b->file, w.line, w.column};
    node->source = w.rest;
    return node;
}

/* What libyaml calls it, and what is said to whom never saw libyaml. */
struct words {
    const char *theirs, *what, *help;
};

static const struct words *words_of(const char *problem)
{
    static const struct words table[] = {
        {"mapping values are not allowed", "a second colon in this line: the text is cut in two",
         "a text with \": \" in it needs quotes"},
        {"cannot start any token", "this cannot begin with such a character",
         "indent with blanks, not tabs; a text that begins with % @ or ` needs quotes"},
        {"did not find expected key", "this line does not fit to those above it",
         "look at the indentation, and at quotes before this line"},
        {"could not find expected ':'", "a key without a colon behind it",
         "write key: value, with a blank behind the colon; a text of several lines begins with >-"},
        {"did not find expected ',' or ']'", "a list that begins with [ is not closed",
         "write [a, b]"},
        {"did not find expected ',' or '}'", "keys that begin with { are not closed",
         "write {key: value, other: value}"},
        {"did not find expected '-' indicator", "this line does not fit to the list above it",
         "each entry of a list begins with a dash, all in the same column"},
        {"found unexpected end of stream", "the file ends inside a text in quotes",
         "close the quote"},
        {"found unknown escape character", "a backslash in double quotes means something else here",
         "write two backslashes, or use single quotes"},
        {"did not find expected whitespace or line break", "a blank is missing behind this",
         "put a text that holds such characters in quotes"},
        {"block sequence entries are not allowed", "a list cannot begin here",
         "begin it in a line of its own, each entry with a dash"},
        {"block mapping", "keys cannot begin here", "begin them in a line of their own, indented"},
        {"did not find expected alphabetic or numeric character",
         "& and * at the beginning mean something else in YAML", "put the text in quotes"},
        {"anchor", "& and * at the beginning mean something else in YAML",
         "put the text in quotes"},
        {"tag", "! at the beginning means something else in YAML", "put the text in quotes"},
        {"directive", "% at the beginning means something else in YAML", "put the text in quotes"},
        {"indentation", "this line is indented by blanks that do not fit",
         "indent with blanks, the same number for what belongs together"},
        {"", "this does not fit to what stands before it",
         "look at the indentation, and at quotes and brackets before this place"},
    };
    const struct words *row = table;

    while (strstr(problem, row->theirs) == NULL) /* the last is in every text */
        row++;
    return row;
}

static struct place place_of_byte(const struct builder *b, size_t at)
{
    struct place place = {b->file, 1, 1};

    for (size_t i = 0; i < at && i < b->text.len; i++) {
        bool line = b->text.data[i] == '\n';
        place.line += line;
        place.column = line ? 1 : place.column + (((unsigned char)b->text.data[i] & 0xc0) != 0x80);
    }
    return place;
}

static bool next(struct builder *b, yaml_event_t *event)
{
    const struct words *words;

    if (yaml_parser_parse(&b->parser, event))
        return true;
    if (b->parser.error == YAML_READER_ERROR) { /* knows an offset only */
        struct place place = place_of_byte(b, b->parser.problem_offset);
        diag_add(b->diags, DIAG_ERROR, place, "yaml", "write the character anew, and save as UTF-8",
                 "this character cannot be read: it is no UTF-8, or one that is never printed");
        return false;
    }
    words = words_of(b->parser.problem != NULL ? b->parser.problem : "");
    found(b, b->parser.problem_mark, words->help, words->what);
    return false;
}

static struct anchor *find_anchor(struct builder *b, const unsigned char *name)
{
    for (size_t i = b->anchor_count; i-- > 0;) /* the last of that name counts */
        if (str_is(b->anchors[i].name, (const char *)name))
            return &b->anchors[i];
    return NULL;
}

static bool count_nodes(struct builder *b, size_t count, yaml_mark_t mark)
{
    char what[96];

    b->nodes += count;
    if (b->nodes <= LIMIT_YAML_NODES)
        return true;
    snprintf(what, sizeof what, "the file has more than %d entries, %zu up to here",
             LIMIT_YAML_NODES, b->nodes);
    found(b, mark, "split the file", what);
    return false;
}

static const struct yaml_node *use_alias(struct builder *b, const yaml_event_t *event)
{
    const struct anchor *anchor = find_anchor(b, event->data.alias.anchor);

    if (anchor == NULL || anchor->node == NULL) {
        found(b, event->start_mark, "a text that begins with * needs quotes",
              anchor == NULL ? "* at the beginning means something else in YAML"
                             : "this repeats itself without an end");
        return NULL;
    }
    return count_nodes(b, anchor->weight, event->start_mark) ? anchor->node : NULL;
}

/* `if: !x` would be the tag x, and `if: ! x` the text x: the opposite of what was meant. */
static bool has_tag(struct builder *b, const struct yaml_node *node)
{
    if (!str_starts(node->source, STR("!")))
        return false;
    diag_add(b->diags, DIAG_ERROR, node->place, "yaml-tag",
             "write it in quotes: \"!customer.asleep\"", "a text that begins with ! needs quotes");
    return true;
}

static const struct yaml_node *build_scalar(struct builder *b, const yaml_event_t *event)
{
    struct yaml_node *node = new_node(b, YAML_STRING, event->start_mark);

    if (has_tag(b, node))
        return NULL;
    node->text = arena_str(
        b->arena, (struct str){(const char *)event->data.scalar.value, event->data.scalar.length});
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!node->quoted)
        resolve(b, node, event->start_mark);
    return node;
}

/* Children up to the event `end`, flat: a map gives key, value, key, value. */
static bool build_children(struct builder *b, yaml_event_type_t end, int depth,
                           const struct yaml_node ***children, size_t *count)
{
    size_t capacity = 0;
    bool done;

    do {
        const struct yaml_node *child = NULL;
        yaml_event_t event;
        if (!next(b, &event))
            return false;
        done = event.type == end;
        if (!done)
            child = build(b, &event, depth);
        yaml_event_delete(&event);
        if (!done && child == NULL)
            return false;
        MEM_RESERVE(*children, *count, capacity);
        if (!done)
            (*children)[(*count)++] = child;
    } while (!done);
    return true;
}

static bool keys_are_words(struct builder *b, const struct yaml_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i];
        if (key->kind != YAML_LIST && key->kind != YAML_MAP)
            continue;
        diag_add(b->diags, DIAG_ERROR, key->place, "yaml", "a text that begins with { needs quotes",
                 "a key has to be a word, but this is %s", yaml_kind_name(key->kind));
        return false;
    }
    return true;
}

static int compare_keys(const void *a, const void *b)
{
    const struct yaml_node *x = *(const struct yaml_node *const *)a;
    const struct yaml_node *y = *(const struct yaml_node *const *)b;
    int order = str_compare(x->text, y->text);

    if (order != 0)
        return order;
    return x->place.line != y->place.line ? x->place.line - y->place.line
                                          : x->place.column - y->place.column;
}

static bool keys_differ(struct builder *b, const struct yaml_node *map)
{
    size_t bytes = map->count * sizeof(const struct yaml_node *);
    const struct yaml_node **sorted = bytes != 0 ? mem_copy(map->keys, bytes) : NULL;
    bool differ = true;

    if (bytes != 0)
        qsort(sorted, map->count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < map->count; i++) {
        if (!str_equal(sorted[i - 1]->text, sorted[i]->text))
            continue;
        diag_add(b->diags, DIAG_ERROR, sorted[i]->place, "duplicate-key", "delete one of the two",
                 "\"%.*s\" stands here twice, before in line %d", STR_ARG(sorted[i]->text),
                 sorted[i - 1]->place.line);
        differ = false;
    }
    mem_free(sorted);
    return differ;
}

static bool split_map(struct builder *b, struct yaml_node *map,
                      const struct yaml_node *const *children, size_t count)
{
    map->count = count / 2;
    map->keys = ARENA_ARRAY(b->arena, const struct yaml_node *, map->count);
    map->items = ARENA_ARRAY(b->arena, const struct yaml_node *, map->count);
    for (size_t i = 0; i < map->count; i++) {
        map->keys[i] = children[2 * i];
        map->items[i] = children[2 * i + 1];
    }
    return keys_are_words(b, map) && keys_differ(b, map);
}

static void too_deep(struct builder *b, yaml_mark_t mark, int depth)
{
    char what[96];

    snprintf(what, sizeof what, "this is indented %d levels deep, at most %d are read", depth + 1,
             LIMIT_YAML_DEPTH);
    found(b, mark, "put what belongs together on one level", what);
}

static const struct yaml_node *build_collection(struct builder *b, enum yaml_kind kind,
                                                yaml_mark_t mark, int depth)
{
    yaml_event_type_t end = kind == YAML_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    struct yaml_node *node = new_node(b, kind, mark);
    const struct yaml_node **children = NULL;
    size_t count = 0;
    bool fine = false;

    if (has_tag(b, node))
        return NULL;
    if (depth >= LIMIT_YAML_DEPTH)
        too_deep(b, mark, depth);
    else
        fine = build_children(b, end, depth + 1, &children, &count);
    if (fine && kind == YAML_MAP) {
        fine = split_map(b, node, children, count);
    } else if (fine && count != 0) {
        node->items = arena_copy(b->arena, children, count * sizeof *children);
        node->count = count;
    }
    mem_free(children);
    return fine ? node : NULL;
}

static const struct yaml_node *build_new(struct builder *b, const yaml_event_t *event, int depth)
{
    yaml_mark_t mark = event->start_mark;

    if (!count_nodes(b, 1, mark))
        return NULL;
    if (event->type == YAML_SCALAR_EVENT)
        return build_scalar(b, event);
    return build_collection(b, event->type == YAML_MAPPING_START_EVENT ? YAML_MAP : YAML_LIST, mark,
                            depth);
}

static const unsigned char *anchor_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return event->data.sequence_start.anchor;
    return event->type == YAML_MAPPING_START_EVENT ? event->data.mapping_start.anchor : NULL;
}

static const struct yaml_node *build(struct builder *b, yaml_event_t *event, int depth)
{
    const unsigned char *name = anchor_of(event);
    size_t index = b->anchor_count, before = b->nodes;
    const struct yaml_node *node;

    if (event->type == YAML_ALIAS_EVENT)
        return use_alias(b, event);
    if (name != NULL) {
        MEM_RESERVE(b->anchors, b->anchor_count, b->anchor_capacity);
        b->anchors[b->anchor_count++] =
            (struct anchor){.name = arena_str(b->arena, str_of((const char *)name))};
    }
    node = build_new(b, event, depth);
    if (name != NULL) {
        b->anchors[index].node = node;
        b->anchors[index].weight = b->nodes - before;
    }
    return node;
}

/* Events up to the first node; a document without one is an empty scalar event in libyaml, a
 * stream without documents is YAML_NULL. */
static const struct yaml_node *build_document(struct builder *b)
{
    const struct yaml_node *root = NULL;
    yaml_event_type_t type = YAML_NO_EVENT;

    while (type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;
        if (!next(b, &event))
            return NULL;
        type = event.type;
        if (type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            found(b, event.start_mark, "write one file each, without --- in between",
                  "a second file begins here");
            type = YAML_STREAM_END_EVENT;
        } else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
                   type != YAML_DOCUMENT_END_EVENT && type != YAML_STREAM_END_EVENT) {
            root = build(b, &event, 0);
            if (root == NULL)
                type = YAML_STREAM_END_EVENT;
        } else if (type == YAML_STREAM_END_EVENT && root == NULL) {
            root = new_node(b, YAML_NULL, event.start_mark);
        }
        yaml_event_delete(&event);
    }
    return root;
}

const struct yaml_node *yaml_read(struct str text, const char *file, struct arena *arena,
                                  struct diags *diags)
{
    struct builder b = {.arena = arena, .diags = diags};
    size_t errors = diags->error_count;
    const struct yaml_node *root;

    b.file = file != NULL ? arena_str(arena, str_of(file)).data : NULL;
    if (str_starts(text, STR("\xef\xbb\xbf"))) /* a byte order mark */
        text = str_slice(text, 3, text.len);
    if (text.len > LIMIT_YAML_BYTES) {
        diag_add(diags, DIAG_ERROR, (struct place){b.file, 0, 0}, "yaml", "split it",
                 "the file has %zu bytes, at most %d are read", text.len, LIMIT_YAML_BYTES);
        return NULL;
    }
    b.text = arena_str(arena, text);
    CHECK(yaml_parser_initialize(&b.parser));
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.text.data, b.text.len);
    root = build_document(&b);
    yaml_parser_delete(&b.parser);
    mem_free(b.anchors);
    return diags->error_count == errors ? root : NULL;
}

/* --- reading the tree --------------------------------------------------------------------------- */

const struct yaml_node *yaml_get(const struct yaml_node *map, struct str key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (str_equal(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

static struct value value_of_map(const struct yaml_node *node, struct arena *arena)
{
    struct value_entry *entries = ARENA_ARRAY(arena, struct value_entry, node->count);
    struct value map = value_map(entries, node->count);

    for (size_t i = 0; i < node->count; i++)
        entries[i] = (struct value_entry){value_string(node->keys[i]->text),
                                          yaml_value(node->items[i], arena)};
    CHECK(value_map_index(arena, &map)); /* keys differ: split_map */
    return map;
}

static struct value value_of_list(const struct yaml_node *node, struct arena *arena)
{
    struct value *items = ARENA_ARRAY(arena, struct value, node->count);

    for (size_t i = 0; i < node->count; i++)
        items[i] = yaml_value(node->items[i], arena);
    return value_list(items, node->count);
}

struct value yaml_value(const struct yaml_node *node, struct arena *arena)
{
    switch (node->kind) {
    case YAML_NULL: return (struct value){.kind = VALUE_NULL};
    case YAML_BOOL: return value_bool(node->boolean);
    case YAML_INT: return value_int(node->integer);
    case YAML_FLOAT: return value_double(node->number);
    case YAML_STRING: return value_string(node->text);
    case YAML_LIST: return value_of_list(node, arena);
    case YAML_MAP: return value_of_map(node, arena);
    }
    CHECK_NEVER("a kind of node");
}

const char *yaml_kind_name(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_NULL: return "nothing";
    case YAML_BOOL: return "true or false";
    case YAML_INT: return "a whole number";
    case YAML_FLOAT: return "a number";
    case YAML_STRING: return "a text";
    case YAML_LIST: return "a list";
    case YAML_MAP: return "a block of keys";
    }
    CHECK_NEVER("a kind of node");
}

/* --- places in scalars -------------------------------------------------------------------------- */

static void step_by(struct walk *w, size_t bytes)
{
    for (; bytes > 0 && w->rest.len != 0; bytes--)
        step(w);
}

/* Bytes that one character of a text takes in the file; blank: it stands for white space. */
static size_t source_char(struct str rest, char quote, bool *blank)
{
    char after = rest.len > 1 ? rest.data[1] : '\0';

    *blank = is_blank(rest.data[0]);
    if (quote == '\'' && rest.data[0] == '\'' && after == '\'')
        return 2;
    if (quote != '"' || rest.data[0] != '\\') {
        size_t bytes = 1;
        while (bytes < rest.len && ((unsigned char)rest.data[bytes] & 0xc0) == 0x80)
            bytes++;
        return bytes;
    }
    *blank = is_blank(after) || after == 'n' || after == 't' || after == 'r';
    return after == 'x' ? 4 : after == 'u' ? 6 : after == 'U' ? 10 : 2;
}

static void skip_to_text(struct walk *w, char *quote)
{
    char first = w->rest.len != 0 ? w->rest.data[0] : '\0';

    *quote = first == '"' || first == '\'' ? first : '\0';
    if (*quote != '\0') {
        step(w);
    } else if (first == '|' || first == '>') { /* the text begins on the next line */
        while (w->rest.len != 0 && w->rest.data[0] != '\n')
            step(w);
        step_by(w, 1);
    }
}

static void skip_blanks(struct walk *w, char quote)
{
    bool blank = true;

    while (w->rest.len != 0) {
        size_t bytes = source_char(w->rest, quote, &blank);
        if (!blank)
            return;
        step_by(w, bytes);
    }
}

struct place yaml_place(const struct yaml_node *scalar, size_t offset)
{
    struct walk w = {scalar->source, scalar->place.line, scalar->place.column};
    struct place place = scalar->place;
    struct str text = scalar->text;
    char quote = '\0';
    bool blank;

    if (scalar->quoted)
        skip_to_text(&w, &quote);
    for (size_t i = 0; i < text.len && i <= offset; i++) {
        if (is_blank(text.data[i]) || ((unsigned char)text.data[i] & 0xc0) == 0x80)
            continue;
        skip_blanks(&w, quote);
        place = (struct place){place.file, w.line, w.column};
        if (i < offset && w.rest.len != 0)
            step_by(&w, source_char(w.rest, quote, &blank));
        if (i < offset) /* in case the wanted one is blank, or the end */
            place = (struct place){place.file, w.line, w.column};
    }
    return place;
}
