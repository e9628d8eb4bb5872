/* processors/cli/listing.h - a table of texts, printed aligned or as lines of JSON.
 *
 * A row may have rows of its own below it: the fields of an event type.
 */
#ifndef ATTENT_PROCESSORS_CLI_LISTING_H
#define ATTENT_PROCESSORS_CLI_LISTING_H

#include "core/arena.h"
#include "core/buf.h"

enum { LISTING_COLUMNS = 8 };

struct ruleset;

/* What a table shows.  A column that ends in [] is a list in JSON, ", " between its items here. */
struct listing_kind {
    const char *columns[LISTING_COLUMNS];
    const char *below; /* key of the rows below a row; NULL: there are none */
    const char *below_columns[LISTING_COLUMNS];
    bool headings;
};

struct listing_row {
    bool below;
    struct str cells[LISTING_COLUMNS];
};

struct listing {
    const struct listing_kind *kind;
    struct listing_row *rows; /* on the heap; texts in arena */
    size_t count, capacity;
    struct arena *arena;
    const struct ruleset *set; /* for who fills it; NULL: not needed */
};

/* Another row: its cells, to be filled. */
struct str *listing_add(struct listing *t, bool below);

/* Only rows with this text in their name, and the rows below them. */
void listing_choose(struct listing *t, struct str name);

void listing_put(struct buf *out, struct listing *t); /* for people */
void listing_put_json(struct buf *out, struct listing *t);

#endif
