/* processors/dispatch/links.h - the addresses that a task takes along, by which the world can answer:
 * where its provider reports, and where its customer unsubscribes.  Both are signed here and read
 * again by receiver.h, perhaps in another process with the same key. */
#ifndef ATTENT_PROCESSORS_DISPATCH_LINKS_H
#define ATTENT_PROCESSORS_DISPATCH_LINKS_H

#include "connectors/channel.h"
#include "core/arena.h"

enum { LINKS_KEY_BYTES_MIN = 32 };

struct links {             /* of the configuration, borrowed */
    struct str public_url; /* https://..., without a / at its end; empty: there is no receiver */
    struct str key;
    int64_t unsubscribe_valid_ms;
};

/* ERR_CONFIG: the URL is none that providers and mail programs take, or the key is short. */
enum err_code links_check(const struct links *links, struct err *err);

/* Fill callback_url, callback_mark and unsubscribe_url for sending->task, in arena. */
void links_put(const struct links *links, struct arena *arena, struct sending *sending);

#endif
