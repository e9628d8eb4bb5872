/* processors/cli/test_identity.h - rule tests with events that name an alias: identity.yaml is applied before
 * decide, by the same step as in the service (processors/identify), in memory.
 *
 * What ingest would say to attent.identify is said to a step of one partition; what that identifies comes
 * back through `identified`, in order.  What it gives up comes back nowhere: the moment stays silent.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_IDENTITY_H
#define ATTENT_PROCESSORS_CLI_TEST_IDENTITY_H

#include "core/arena.h"
#include "core/err.h"
#include "core/record.h"
#include "rules/moment/ruleset.h"
#include "schemas/event.h"

struct test_identity;

struct test_identity_setup { /* borrowed until close */
    const struct ruleset *set;
    int64_t start_ms;
    struct arena *arena;
    void *context;
    /* One record of attent.events; lives in arena. */
    enum err_code (*identified)(void *context, const struct record *record, struct err *err);
};

enum err_code test_identity_open(const struct test_identity_setup *setup,
                                 struct test_identity **out, struct err *err);
void test_identity_close(struct test_identity *t); /* NULL allowed */

/* Time has come to at_ms: what was parked too long is given up. */
enum err_code test_identity_advance(struct test_identity *t, int64_t at_ms, struct err *err);

/* An event and its record as ingest has them (data_value set).  With a customer: what it binds is told,
 * the event itself is the caller's.  Without: it goes by its alias; ERR_PARSE: it names none. */
enum err_code test_identity_send(struct test_identity *t, const struct event *event,
                                 const struct record *record, struct err *err);

#endif
