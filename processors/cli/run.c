/* attent run: the service. */
#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/roles.h"

enum { LOOK_MS = 50 };

static unsigned roles_wanted(const struct command *c, struct err *err)
{
    const char *list = options_value(&c->options, "role");
    unsigned set;

    if (list == NULL)
        return roles_of_conf(c->conf);
    return roles_parse(list, &set, err) == ERR_NONE ? set : 0;
}

static void log_roles(const char *what, unsigned set)
{
    struct buf names = {0};

    for (int i = 0; i < ROLE_COUNT; i++)
        if ((set & 1u << i) != 0)
            buf_put_format(&names, "%s%s", names.len != 0 ? "," : "", role_name((enum role)i));
    log_info("run", what, LOG_TEXT("roles", buf_text(&names)), LOG_TEXT("version", ATTENT_VERSION),
             LOG_END);
    buf_free(&names);
}

static int run(const struct command *c)
{
    const volatile sig_atomic_t *stop = cli_catch_signals();
    struct err err = {0};
    struct roles *roles;
    unsigned set = roles_wanted(c, &err);
    bool failed = false;

    if (set == 0 && err.code == ERR_NONE)
        err_set(&err, ERR_CONFIG, "this process has no role: see `roles`");
    if (set == 0 || roles_check(c->conf, set, true, &err) != ERR_NONE)
        return cli_fail(&err);
    if (*stop)
        return EXIT_FINE;
    if (roles_start(c->conf, set, &roles, &err) != ERR_NONE)
        return cli_fail(&err);
    log_roles("started", set);
    while (!*stop && !failed) {
        failed = roles_failed(roles, &err);
        if (!failed)
            clock_sleep_ms(LOOK_MS);
    }
    log_roles("leaving", set);
    roles_stop(roles);
    return failed ? cli_fail(&err) : EXIT_FINE;
}

int verb_run(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "run", argc, argv, 0, 0, &code))
        code = run(&c);
    return command_close(&c, code);
}
