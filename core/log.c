/* A line is built in memory and written with one write(2), so lines of several threads never
 * mix.  What cannot be written (a full pipe, a closed terminal) is lost: a log never stops work.
 */
#include "core/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/check.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/when.h"

enum { TEXT_BYTES_MAX = 2048 }; /* of one field; the rest is cut: PIPE_BUF is 4096 */

static atomic_int least_level = LOG_INFO;
static atomic_int line_format = LOG_AUTO;
static atomic_bool customers_plain = false;

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};

    CHECK((size_t)level < sizeof names / sizeof names[0]);
    return names[level];
}

void log_setup(enum log_level least, enum log_format format, bool plain_customers)
{
    if (format == LOG_AUTO)
        format = isatty(STDERR_FILENO) ? LOG_LOGFMT : LOG_JSON;
    atomic_store(&least_level, (int)least);
    atomic_store(&line_format, (int)format);
    atomic_store(&customers_plain, plain_customers);
}

static enum log_format present_format(void)
{
    int format = atomic_load(&line_format);

    if (format == LOG_AUTO) /* nobody has called log_setup yet */
        return isatty(STDERR_FILENO) ? LOG_LOGFMT : LOG_JSON;
    return (enum log_format)format;
}

/* A word that logfmt may show without quotes. */
static bool is_bare(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return text.len != 0 && text.len <= TEXT_BYTES_MAX;
}

static void put_text(struct buf *out, enum log_format format, const char *name, struct str text)
{
    if (format == LOG_JSON) {
        buf_put_format(out, "%s\"%s\":", out->len > 1 ? "," : "", name);
        json_put_string(out, str_head(text, TEXT_BYTES_MAX));
        return;
    }
    buf_put_format(out, "%s%s=", out->len > 0 ? " " : "", name);
    if (is_bare(text))
        buf_put(out, text);
    else
        json_put_string(out, str_head(text, TEXT_BYTES_MAX));
}

static void put_number(struct buf *out, enum log_format format, const char *name, int64_t number)
{
    buf_put_format(out, format == LOG_JSON ? ",\"%s\":%lld" : " %s=%lld", name, (long long)number);
}

void log_put_line(struct buf *out, enum log_format format, int64_t at_ms, enum log_level level,
                  const char *part, const char *what, const struct log_field *fields)
{
    struct buf line = {0}, at = {0};

    when_put_rfc3339(&at, at_ms);
    if (format == LOG_JSON)
        buf_put_char(&line, '{');
    put_text(&line, format, "time", buf_str(&at));
    put_text(&line, format, "level", str_of(level_name(level)));
    put_text(&line, format, "part", str_of(part));
    put_text(&line, format, "msg", str_of(what));
    for (; fields->name != NULL; fields++) {
        if (fields->kind == LOG_FIELD_INT)
            put_number(&line, format, fields->name, fields->number);
        else
            put_text(&line, format, fields->name, fields->text);
    }
    buf_put_text(&line, format == LOG_JSON ? "}\n" : "\n");
    buf_put(out, buf_str(&line));
    buf_free(&at);
    buf_free(&line);
}

void log_write(enum log_level level, const char *part, const char *what,
               const struct log_field *fields)
{
    struct buf line = {0};

    if ((int)level < atomic_load(&least_level))
        return;
    log_put_line(&line, present_format(), clock_wall_ms(), level, part, what, fields);
    if (write(STDERR_FILENO, line.data, line.len) < 0) { /* there is nobody left to tell */
    }
    buf_free(&line);
}

struct str log_customer(struct str customer, char out[LOG_CUSTOMER_SIZE])
{
    if (atomic_load(&customers_plain))
        snprintf(out, LOG_CUSTOMER_SIZE, "%.*s", STR_ARG(customer));
    else
        snprintf(out, LOG_CUSTOMER_SIZE, "%012llx",
                 (unsigned long long)hash_bytes(customer, 0) >> 16);
    return str_of(out);
}
