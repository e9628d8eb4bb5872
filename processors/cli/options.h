/* processors/cli/options.h - the command line of one verb, by the tables options.def and verbs.def.
 *
 *   attent tap --customer c-anna -s kafka.brokers=kafka:9092 --json
 *
 * Long options take their value after a blank or =, letters after a blank or at once; -- ends
 * the options.  What a verb takes is in verbs.def; anything else is wrong usage, with a suggestion.
 * Texts are borrowed from argv.
 */
#ifndef ATTENT_PROCESSORS_CLI_OPTIONS_H
#define ATTENT_PROCESSORS_CLI_OPTIONS_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

struct option_spec {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* word for its value; NULL: a flag */
    const char *doc;
};

extern const struct option_spec option_specs[];
extern const size_t option_spec_count;

/* Is `name` in a list of words with blanks between ("config set json")? */
bool option_in(const char *list, struct str name);

struct options {
    struct option_given {
        const struct option_spec *spec;
        const char *value;
    } * given;
    size_t given_count;
    const char **arguments;
    size_t argument_count;
};

/* Read argv[1 ...]; accepted: names of options.  The arrays live in arena.  ERR_USAGE: err says
 * what is wrong and what to write. */
enum err_code options_parse(const char *accepted, int argc, char **argv, struct arena *arena,
                            struct options *out, struct err *err);

bool options_has(const struct options *options, const char *name);
const char *options_value(const struct options *options, const char *name); /* last; NULL: none */

/* A number in [min, max]; not given: fallback.  ERR_USAGE as above. */
enum err_code options_number(const struct options *options, const char *name, int64_t min,
                             int64_t max, int64_t fallback, int64_t *out, struct err *err);

#endif
