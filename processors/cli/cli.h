/* processors/cli/cli.h - the command line: verbs (verbs.def), their help, and how they end.
 *
 * A verb is a function like main(): argv[0] is the verb's name.  It prints results to standard
 * output, what went wrong to standard error, and returns the exit code.
 */
#ifndef ATTENT_PROCESSORS_CLI_CLI_H
#define ATTENT_PROCESSORS_CLI_CLI_H

#include <signal.h>

#include "core/buf.h"
#include "processors/cli/options.h"

#define ATTENT_VERSION "0.1.0"

enum exit_code {
    EXIT_FINE = 0,
    EXIT_FINDINGS = 1, /* what was asked about is wrong: rules, a test, an expression */
    EXIT_USAGE = 2,
    EXIT_DOWN = 69,   /* EX_UNAVAILABLE: Kafka or Redis cannot be reached */
    EXIT_CONFIG = 78, /* EX_CONFIG: a person has to change something first */
};

#define VERB(name, function, summary, arguments, options, help) int function(int argc, char **argv);
#include "processors/cli/verbs.def"
#undef VERB

/* main() without the process: find the verb and run it. */
int cli_run(int argc, char **argv);

void cli_put_help(struct buf *out);                        /* `attent --help` */
bool cli_put_verb_help(struct buf *out, const char *verb); /* `attent VERB --help`; false: none */

void cli_put_reference(struct buf *out); /* docs/commands.md: `attent help --all` */

/* Read the options of a verb as verbs.def has them, and between min and max arguments.  False:
 * what is wrong has been printed, return EXIT_USAGE. */
bool cli_parse(const char *verb, int argc, char **argv, size_t arguments_min, size_t arguments_max,
               struct arena *arena, struct options *out);

/* What a verb with a configuration begins and ends with:
 *
 *   struct command c;
 *   int code = EXIT_FINE;
 *   if (command_open(&c, "topics", argc, argv, 0, 0, &code))
 *       code = ...;
 *   return command_close(&c, code);
 */
struct conf;
struct command {
    struct arena *arena;
    struct options options;
    const struct conf *conf;
};
bool command_open(struct command *c, const char *verb, int argc, char **argv, size_t arguments_min,
                  size_t arguments_max, int *code);
int command_close(struct command *c, int code); /* gives code back */

/* From now on SIGTERM and SIGINT set this flag instead of ending the process; a second one ends
 * it.  The flag is never reset. */
const volatile sig_atomic_t *cli_catch_signals(void);

/* Print "attent: WHAT" and give the exit code of this kind of error. */
int cli_fail(const struct err *err);
int cli_exit_code(enum err_code code);

#endif
