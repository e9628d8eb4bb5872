/* The console answers on a thread of its own; the role holds it open. */
#include "connectors/kafka/kafka.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/readiness.h"
#include "processors/cli/cli.h"
#include "processors/cli/role.h"
#include "processors/console/console.h"
#include "rules/moment/ruleset.h"

struct console_state {
    struct console *console; /* NULL: off by the configuration */
};

static void close_console(void *state)
{
    struct console_state *s = state;

    console_close(s->console);
    mem_free(s);
}

static void tell_build(void)
{
    const struct str labels[] = {STR(ATTENT_VERSION), STR(RULES_SEMANTICS),
                                 str_of(kafka_library_version())};

    metric_set(metric_series(METRIC_BUILD_INFO, labels, 3), 1);
}

static enum err_code open_console(const struct role_context *context, void **out, struct err *err)
{
    struct str address = conf_text(context->conf, "console.address");
    struct console_state *s = MEM_NEW(struct console_state);
    enum err_code code = ERR_NONE;

    if (address.len != 0)
        code = console_open(address.data, &s->console, err);
    if (code != ERR_NONE) {
        mem_free(s);
        return code;
    }
    if (s->console != NULL)
        log_info("console", "listening", LOG_TEXT("address", address.data),
                 LOG_INT("port", console_port(s->console)), LOG_END);
    tell_build();
    readiness_set("console", true, NULL);
    *out = s;
    return ERR_NONE;
}

static enum err_code poll_console(void *state, bool *again, struct err *err)
{
    (void)state;
    (void)again;
    (void)err;
    clock_sleep_ms(ROLE_POLL_MS);
    return ERR_NONE;
}

const struct role_class role_console = {
    .name = "console",
    .open = open_console,
    .poll = poll_console,
    .close = close_console,
};
