/* connectors/net/verdict.h - what an HTTP answer means for a task, where the receiver's own words
 * in the body say nothing more exact.
 *
 *     2xx                          ACCEPTED
 *     408 425 429                  RETRY     the receiver says: later, and that it did nothing
 *     503 with Retry-After         DOWN      likewise
 *     3xx 401 402 403 404 405 407  DOWN      address or credentials of the channel are wrong: no
 *                                            task's fault, and to be put right by people
 *     other 4xx                    REFUSED   this task, as often as it may be tried
 *     5xx and anything else        UNKNOWN   it may have acted before it failed
 */
#ifndef ATTENT_CONNECTORS_NET_VERDICT_H
#define ATTENT_CONNECTORS_NET_VERDICT_H

#include "connectors/channel.h"
#include "connectors/net/http.h"

/* Takes Retry-After over into the receipt; err unless ACCEPTED ("answered 503"). */
enum delivery verdict_of(enum transfer_end end, const struct http_reply *reply,
                         struct receipt *receipt, struct err *err);

/* Keep the provider's id of a message, if it is fit to be kept: printable ASCII, not too long. */
void verdict_keep_reference(struct receipt *receipt, struct str reference);

#endif
