/* processors/dispatch/receiver.h - what the world reports back over HTTP.
 *
 *     GET, POST /callback/CHANNEL[/REFERENCE]    a provider reports     (connectors/callback/)
 *     GET       /unsubscribe/TOKEN               a page with a button; changes nothing
 *     POST      /unsubscribe/TOKEN               unsubscribes, whoever asks (RFC 8058)
 *
 * What is reported becomes records: task.outcome and consent.withdrawn on the outcomes topic, which
 * ingest reads; a withdrawn consent also at once on the tasks topic, so that dispatch knows before
 * it sends again.  An event's id is made of the provider's own, so that a report which comes twice
 * has one effect.  200 is said once Kafka has acknowledged; until then the provider will ask again.
 *
 *     400 malformed   401 not signed, or long ago   404 no such channel, task or token
 *     405 another method   413 too large   503 Kafka does not take it: again later
 *
 * Each is counted.  It may run in any process of the role dispatch, and in several: it needs neither
 * the ledger nor the partitions.  Bounded as core/httpd.h says.
 */
#ifndef ATTENT_PROCESSORS_DISPATCH_RECEIVER_H
#define ATTENT_PROCESSORS_DISPATCH_RECEIVER_H

#include "core/httpd.h"
#include "processors/dispatch/channels.h"
#include "processors/dispatch/links.h"

struct receiver_config { /* all borrowed, outlives the receiver */
    const char *address; /* "HOST:PORT" */
    unsigned threads;
    const struct links *links; /* with a public_url */
    const struct channel_config *channels;
    size_t channel_count;
    const char *outcomes_topic, *dlq_topic, *tasks_topic;
    int64_t (*clock_ms)(void); /* UTC */

    /* Keep records; ERR_NONE: they are safe.  Called by several threads. */
    enum err_code (*keep)(void *context, const struct record *records, size_t count,
                          struct err *err);
    void *context;

    /* Whose address is this, on this channel?  Empty: nobody's that is known.  ERR_*: ask again
     * later.  NULL: nobody can be asked. */
    enum err_code (*customer_of)(void *context, struct str channel, struct str address,
                                 struct arena *arena, struct str *out, struct err *err);
};

struct receiver;

/* ERR_CONFIG: what links or the address say cannot be; ERR_IO: the address is taken. */
enum err_code receiver_open(const struct receiver_config *config, struct receiver **out,
                            struct err *err);
int receiver_port(const struct receiver *receiver);
void receiver_close(struct receiver *receiver); /* NULL allowed */

#endif
