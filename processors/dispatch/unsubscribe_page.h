/* processors/dispatch/unsubscribe_page.h - the page that somebody sees who followed an unsubscribe
 * link: plain HTML without scripts, pictures or cookies, in English or Dutch. */
#ifndef ATTENT_PROCESSORS_DISPATCH_UNSUBSCRIBE_PAGE_H
#define ATTENT_PROCESSORS_DISPATCH_UNSUBSCRIBE_PAGE_H

#include "connectors/unsubscribe/token.h"

enum unsubscribe_page {
    PAGE_ASK,     /* a button that posts to the same address */
    PAGE_DONE,    /* it is done */
    PAGE_WRONG,   /* the link does not work (any more) */
    PAGE_TROUBLE, /* not now: try again */
};

/* accept_language: the header of that name; u: of ASK and DONE. */
void unsubscribe_page_put(struct buf *out, enum unsubscribe_page page, struct str accept_language,
                          const struct unsubscribe *u);

#endif
