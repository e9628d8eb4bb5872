/* processors/cli/partner.h - the systems of others that `attent dev` asks by webhook: a garage's, a
 * pill dispenser's.
 *
 * A receiver on loopback that takes every message after Standard Webhooks, answers 204 and keeps it
 * until it is taken.  It checks no signature: it is for trying things out.  The messages come on a
 * thread of its own; all functions are for one other thread.
 */
#ifndef ATTENT_PROCESSORS_CLI_PARTNER_H
#define ATTENT_PROCESSORS_CLI_PARTNER_H

#include "core/arena.h"
#include "core/err.h"

struct partner;

/* On a free port.  ERR_NONE: the caller owns *out until partner_close. */
enum err_code partner_open(struct partner **out, struct err *err);
int partner_port(const struct partner *partner);

struct partner_message { /* texts in the arena */
    struct str type;     /* "attent.task.v1" */
    struct str data;     /* JSON: the task or the withdrawal */
};

/* The oldest message that was not taken yet.  False: there is none. */
bool partner_take(struct partner *partner, struct arena *arena, struct partner_message *out);

void partner_close(struct partner *partner); /* NULL allowed */

#endif
