/* processors/cli/lines.h - decisions, tasks and outcomes as lines for people.
 *
 *   2026-03-05T21:40:00Z  c-dewi  brake-pads DEWI-1  hold: quiet_hours, until 2026-03-06T07:00:00Z
 */
#ifndef ATTENT_PROCESSORS_CLI_LINES_H
#define ATTENT_PROCESSORS_CLI_LINES_H

#include "core/record.h"
#include "schemas/task.h"

void lines_put_decision(struct buf *out, const struct decision *d);
void lines_put_task(struct buf *out, const struct task *t);
void lines_put_withdrawal(struct buf *out, const struct withdrawal *w);

/* A record of any of attent's topics as one line; false: it is none of these, or unreadable. */
bool lines_put_record(struct buf *out, const struct record *record, struct arena *arena);

/* A record as a JSON object on one line: where it stands, key, type, value. */
void lines_put_json(struct buf *out, const struct record *record, struct arena *arena);

/* What the words of decision.needed stand behind: "it would have gone out". */
const char *lines_would(const struct decision *d);

/* A decision with its stages, the words of its reason, and what would have had to differ. */
void lines_put_stages(struct buf *out, const struct decision *d);

#endif
