#include "processors/dispatch/lacking.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/metric.h"

static void report(const struct partition *p, size_t count)
{
    char number[16];
    const struct str label = {number,
                              (size_t)snprintf(number, sizeof number, "%d", (int)p->number)};

    metric_set(metric_series(METRIC_DISPATCH_LACKING, &label, 1), (double)count);
}

/* First the producer's state, then the log's end. */
static bool look_for_loss(const struct dispatch_config *config, struct kafka_consumer *consumer,
                          const struct partition *p, struct gaps *gaps, struct err *why)
{
    int64_t first, end;
    struct gap *gap;
    size_t at = 0;

    while (config->is_counted != NULL && (gap = gaps_doubted(gaps, clock_mono_ms(), &at)) != NULL)
        if (config->is_counted(config->context, gap, p->number) &&
            kafka_consumer_bounds(consumer, config->tasks_topic, p->number, &first, &end, NULL) ==
                ERR_NONE)
            gap->bound = end;
    return gaps_lost(gaps, config->tasks_topic, p->number, p->committed_next, why);
}

void lacking_look(const struct dispatch_config *config, struct kafka_consumer *consumer,
                  struct partition *partition, struct err *why)
{
    struct gaps *gaps = sources_gaps(partition->sources);
    struct err fresh = {0};

    report(partition,
           gaps_look(gaps, config->tasks_topic, partition->number, clock_mono_ms(), &fresh, why));
    if (fresh.code != ERR_NONE)
        log_error("dispatch", "a record does not come", LOG_TEXT("reason", fresh.text), LOG_END);
    if (gaps->lasting == 0 || !look_for_loss(config, consumer, partition, gaps, why) ||
        partition->lost)
        return;
    partition->lost = true;
    log_error("dispatch", "a record is lost: nothing of its source is taken any more",
              LOG_TEXT("reason", why->text), LOG_END);
}
