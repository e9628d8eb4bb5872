/* attent config: what is in force; the example, the reference and the schema from the table. */
#include <stdio.h>

#include "processors/cli/cli.h"
#include "processors/cli/config.h"

void config_put_example(struct buf *out)
{
    buf_put_text(out,
                 "# yaml-language-server: $schema=../schemas/attent.schema.json\n"
                 "#\n"
                 "# The configuration of attent: every key, what it means, what it takes, its\n"
                 "# default.  Keep only what differs.  A value may be ${VAR}, ${VAR:default} or\n"
                 "# ${file:PATH}; on the command line -s path=value comes first.  A key that is\n"
                 "# not known stops the start.\n\n");
    conf_print_example(out, config_table());
}

void config_put_reference(struct buf *out)
{
    buf_put_text(
        out,
        "# Configuration\n\n"
        "`attent.yaml`, or the file after `-c`. [deploy/attent.yaml](../deploy/attent.yaml) is "
        "the same as an example to start\nfrom, `attent config` prints what is in force. "
        "A value may be `${VAR}`, `${VAR:default}` or `${file:PATH}`; a\nsecret has to be. "
        "`-s path=value` on the command line comes first. Dots are nesting. An unknown key "
        "stops the start\nwith its line and a suggestion. This page is made from "
        "`processors/cli/config.def` by `make docs`.\n\n");
    conf_print_reference(out, config_table());
}

/* One of the texts that need no configuration; false: none was asked for. */
static bool put_asked(struct buf *out, const struct options *options)
{
    if (options_has(options, "schema"))
        conf_print_schema(out, config_table());
    else if (options_has(options, "example"))
        config_put_example(out);
    else if (options_has(options, "reference"))
        config_put_reference(out);
    return out->len != 0;
}

int verb_config(int argc, char **argv)
{
    struct arena *arena = arena_new(0);
    const struct conf *conf = NULL;
    struct options options;
    struct buf out = {0};
    int code = EXIT_USAGE;

    if (cli_parse("config", argc, argv, 0, 0, arena, &options)) {
        code = EXIT_FINE;
        if (!put_asked(&out, &options))
            conf = config_load(&options, arena, &code);
        if (conf != NULL) {
            conf_print(&out, conf);
            code = EXIT_FINE;
        }
        fputs(buf_text(&out), stdout);
    }
    buf_free(&out);
    arena_free(arena);
    return code;
}
