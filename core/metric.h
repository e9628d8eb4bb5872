/* core/metric.h - counters, gauges and histograms, in the Prometheus text format (0.0.4).
 *
 * All metrics are lines of core/metrics.def: name, kind, help, label names.  A series (a metric with the
 * values of its labels) is made at its first use and then kept; setting one is an atomic store.
 * Any thread.
 */
#ifndef ATTENT_CORE_METRIC_H
#define ATTENT_CORE_METRIC_H

#include "core/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum metric {
#define METRIC(name, kind, prometheus_name, labels, help) METRIC_##name,
#include "core/metrics.def"
#undef METRIC
    METRIC_COUNT
};

struct metric_series;

/* The series with these label values (in the order of the table), borrowed for ever. */
struct metric_series *metric_series(enum metric metric, const struct str *label_values,
                                    size_t count);
void metric_add(struct metric_series *s, double amount);    /* counter, gauge */
void metric_set(struct metric_series *s, double value);     /* gauge; counter kept elsewhere */
void metric_observe(struct metric_series *s, double value); /* histogram, seconds */

void metric_write_all(struct buf *out); /* every metric with HELP and TYPE */

#endif
