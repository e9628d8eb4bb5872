/* processors/cli/roles.h - what one process does: its roles, each on threads of its own.
 *
 * A role that cannot go on because of the world (Kafka or Redis away) says so in the log and
 * tries again, slower each time; one that needs a person (a wrong configuration, state and log that do
 * not fit) ends, and the process with it.  Roles share nothing but the rule sets; they meet in Kafka.
 *
 *   roles_check(conf, set, true, &err);
 *   roles_start(conf, set, &roles, &err);
 *   while (!stop && !roles_failed(roles, &err)) wait;
 *   roles_stop(roles);
 */
#ifndef ATTENT_PROCESSORS_CLI_ROLES_H
#define ATTENT_PROCESSORS_CLI_ROLES_H

#include "core/conf.h"
#include "core/err.h"

enum role {
    ROLE_INGEST,
    ROLE_IDENTIFY,
    ROLE_DECIDE,
    ROLE_DISPATCH,
    ROLE_CONSOLE,
    ROLE_COUNT,
};
enum { ROLES_ALL = (1 << ROLE_COUNT) - 1 }; /* a set: bit 1 << role */

const char *role_name(enum role role);

/* "ingest,decide"; ERR_USAGE: a name is none of ours (did you mean). */
enum err_code roles_parse(const char *list, unsigned *set, struct err *err);
unsigned roles_of_conf(const struct conf *conf); /* the key `roles` */

/* Is all there that these roles need?  Topics, Redis, zone data, rules in force (the first start
 * activates rules.folder).  ERR_DOWN: something cannot be reached; ERR_CONFIG, ERR_STATE: a person
 * has to change something.  err says what to do.  lasting: Redis outlives this process, so a
 * warning is logged when it would not outlive itself. */
enum err_code roles_check(const struct conf *conf, unsigned set, bool lasting, struct err *err);

struct roles;

/* Start the threads and return, after roles_check.  conf is borrowed and outlives the roles. */
enum err_code roles_start(const struct conf *conf, unsigned set, struct roles **out,
                          struct err *err);

/* Has a role ended by itself?  Then err says why. */
bool roles_failed(struct roles *roles, struct err *err);

/* Let every role finish what it has begun and leave; frees roles.  NULL allowed. */
void roles_stop(struct roles *roles);

#endif
