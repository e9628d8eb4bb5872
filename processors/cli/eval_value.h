/* processors/cli/eval_value.h - a value as JSON that loses nothing, for other programs.
 *
 * VALUE is an object of one key, the kind: {"int": "42"}, {"double": 1.5} or {"double": "NaN"},
 * {"bytes": "<base64>"}, {"list": [VALUE ...]}, {"map": [[VALUE, VALUE] ...]}, {"type": "int"},
 * {"timestamp": "2009-02-13T23:31:30Z"}, {"duration": "1.5s"}, {"optional": VALUE or null}.
 * Unlike json_put_value it tells 1 from 1u and 1.0.
 */
#ifndef ATTENT_PROCESSORS_CLI_EVAL_VALUE_H
#define ATTENT_PROCESSORS_CLI_EVAL_VALUE_H

#include "core/value.h"
#include "rules/cel/cel.h"

void eval_value_put(struct buf *out, struct value v, struct arena *arena);

/* VALUE_ERROR, with a sentence, if json is no VALUE. */
struct value eval_value_of(struct value json, struct arena *arena);

/* "list(int)", as the checker prints types; what it does not know is dyn. */
const struct cel_type *eval_type_of(struct str text, struct arena *arena);

#endif
