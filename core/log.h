/* core/log.h - what the process says: logfmt on a terminal, JSON lines otherwise, to stderr.
 *
 *   log_info("worker", "took over", LOG_TEXT("topic", t), LOG_INT("partition", n), LOG_END);
 *
 * One line per call, written with one write.  Any thread.  Customer ids go through log_customer
 * (hashed unless the configuration says otherwise); texts of events and addresses are never logged.
 */
#ifndef ATTENT_CORE_LOG_H
#define ATTENT_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_AUTO, LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *name; /* NULL ends the list */
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT } kind;
    struct str text;
    int64_t number;
};

#define LOG_TEXT(name, value) ((struct log_field){(name), LOG_FIELD_TEXT, str_of(value), 0})
#define LOG_STR(name, value)  ((struct log_field){(name), LOG_FIELD_TEXT, (value), 0})
#define LOG_INT(name, value)  ((struct log_field){(name), LOG_FIELD_INT, {0}, (int64_t)(value)})
#define LOG_END               ((struct log_field){0})

/* part: "worker", "ingest", ...; what: a few plain words. */
void log_write(enum log_level level, const char *part, const char *what,
               const struct log_field *fields);
#define log_at(level, part, what, ...)                                                             \
    log_write((level), (part), (what), (const struct log_field[]){__VA_ARGS__})
#define log_debug(part, what, ...) log_at(LOG_DEBUG, (part), (what), __VA_ARGS__)
#define log_info(part, what, ...)  log_at(LOG_INFO, (part), (what), __VA_ARGS__)
#define log_warn(part, what, ...)  log_at(LOG_WARN, (part), (what), __VA_ARGS__)
#define log_error(part, what, ...) log_at(LOG_ERROR, (part), (what), __VA_ARGS__)

void log_setup(enum log_level least, enum log_format format, bool plain_customers);

/* One line as log_write would write it, for tests and for others that write logs.  Not LOG_AUTO. */
struct buf;
void log_put_line(struct buf *out, enum log_format format, int64_t at_ms, enum log_level level,
                  const char *part, const char *what, const struct log_field *fields);

/* A customer id as it may be logged: 12 hex digits of its hash, or itself.  In `out`. */
enum { LOG_CUSTOMER_SIZE = 257 };
struct str log_customer(struct str customer, char out[LOG_CUSTOMER_SIZE]);

#endif
