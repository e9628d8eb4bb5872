/* processors/cli/demo.h - plays the story against running roles, and shows what comes back.
 *
 * The demo is four people in one: the company's systems (it writes to the source topics), the
 * calendar (it writes ticks, docs/decisions/004), the contact centre (it reads the queue topics and
 * answers on attent.outcomes) and the partners, who are asked by webhook.  It talks to attent through
 * Kafka and HTTP only.
 */
#ifndef ATTENT_PROCESSORS_CLI_DEMO_H
#define ATTENT_PROCESSORS_CLI_DEMO_H

#include <signal.h>

#include "connectors/kafka/kafka.h"
#include "processors/cli/partner.h"

struct demo_config { /* all borrowed */
    struct kafka_settings kafka;
    int partitions;                            /* of attent.events and attent.decisions */
    const char *events, *decisions, *outcomes; /* names of topics */
    const char *const *queues;                 /* names of queue topics, NULL at the end */
    int queue_partitions;
    struct partner *partner; /* what channels with a webhook post to; NULL: there are none */
    bool paced;              /* readable speed */
    bool endless;            /* random traffic after the story until *stop */
    const volatile sig_atomic_t *stop;
};

/* Play.  ERR_NONE: exactly the expected answers came (or *stop was set).  ERR_STATE: something
 * was missing or too much; it has been printed. */
enum err_code demo_play(const struct demo_config *config, struct err *err);

#endif
