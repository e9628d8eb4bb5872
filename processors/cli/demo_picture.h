/* processors/cli/demo_picture.h - what came of each moment of the story, one line each:
 *
 *   Dewi   brake-pads         quiet_hours > garage > phone > booked
 *
 * Used by the demo's one thread.  Texts are kept in the arena that it was made with.
 */
#ifndef ATTENT_PROCESSORS_CLI_DEMO_PICTURE_H
#define ATTENT_PROCESSORS_CLI_DEMO_PICTURE_H

#include "core/arena.h"
#include "core/buf.h"

struct picture_line {
    struct picture_line *next;
    struct str customer, moment, about;
    struct str marks; /* "quiet_hours > garage" */
    struct str last;  /* "garage" */
    bool sent;        /* there was a task */
};

struct picture {
    struct arena *arena;
    struct picture_line
        *lines; /* those of one customer together, in the order in which they came */
};

/* Something came of a moment: a channel (sent: a task on it), an answer, a reason.  The same twice is
 * told once. */
void picture_mark(struct picture *picture, struct str customer, struct str moment, struct str about,
                  struct str mark, bool sent);

/* name: what people call a customer. */
void picture_put(struct buf *out, const struct picture *picture,
                 const char *(*name)(const char *customer));

#endif
