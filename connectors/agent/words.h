/* connectors/agent/words.h - a task in words, for contact centres whose screens show texts. */
#ifndef ATTENT_CONNECTORS_AGENT_WORDS_H
#define ATTENT_CONNECTORS_AGENT_WORDS_H

#include "schemas/task.h"

/* Append the reason and, behind an empty line, what to say; at most bytes_max of it. */
void agent_put_task(struct buf *out, const struct task *task, size_t bytes_max);

/* Append a fact's value with its unit: "1900 kg". */
void agent_put_fact(struct buf *out, const struct task_fact *fact);

/* Append a name as keys of attributes may be: letters, digits, - and _; others become _. */
void agent_put_key(struct buf *out, struct str name);

#endif
