/* processors/cli/test_file.h - a rule test (NAME_test.yaml) as it was written.
 *
 * What may stand in it is the table test_file.def.  Reading checks the form and says all that is
 * wrong with it; whether the moments, facts, types and channels that it names exist is asked when
 * it is run (test_run.h).  Times are absolute already.  Everything lives in the arena that was given.
 */
#ifndef ATTENT_PROCESSORS_CLI_TEST_FILE_H
#define ATTENT_PROCESSORS_CLI_TEST_FILE_H

#include "core/yaml.h"
#include "schemas/event.h"

struct test_event {
    struct place place;
    int64_t at_ms;                /* time of the record */
    int64_t time_ms;              /* of the event */
    struct str type;              /* empty: an outcome, or a source */
    struct str id;                /* empty: one of its own */
    struct str customer;          /* empty: the case's own */
    bool by_alias;                /* it names none */
    const struct yaml_node *data; /* NULL: none */
    struct str geo[GEO_COUNT];    /* empty: none */
    struct str outcome;           /* code, of the last task */
    struct str of;                /* ... of this moment; empty: of any */
    bool final_given, final;
    struct str source; /* falls silent, or ... */
    bool speaks;       /* ... is no longer silent: made of `silent_for` */
};

enum expected { EXPECT_TASK, EXPECT_SILENT, EXPECT_WITHDRAWN };

struct test_expect {
    struct place place;
    struct str source; /* the line as it stands in the file */
    enum expected kind;
    int64_t from_ms, to_ms; /* both inclusive; equal: exactly then */
    struct str what;        /* channel, reason code, or type of the event that withdrew */
    struct str of;          /* moment; empty: any */
    struct str about;       /* empty: any */
    struct str queue;       /* empty: any */
    struct str say, subject, text, html, reason; /* the task's contains this; empty: any */
    struct str language;                         /* of the task; empty: any */
};

struct test_case {
    struct place place;
    struct str name;
    struct str todo;               /* why it is known to fail; empty: it has to pass */
    struct str hint;               /* what to do when it fails; empty: none */
    struct str time_zone;          /* the customer's; empty: not known */
    const struct yaml_node *given; /* NULL: none */
    const struct yaml_node *ahead; /* tasks by queue or channel; NULL: none */
    bool control;                  /* the customer is in every control group; else in none */
    struct test_event *events;     /* in order of at_ms; equal: as written */
    size_t event_count;
    int64_t start_ms, until_ms;
    struct test_expect *expects;
    size_t expect_count;
    struct str *only; /* moments; none: all */
    size_t only_count;
};

struct test_file {
    struct place place;
    struct str moment;
    struct test_case *cases;
    size_t case_count;
};

/* file: its name, for findings (borrowed).  False: diags got errors. */
bool test_file_read(struct str text, const char *file, struct arena *arena, struct test_file *out,
                    struct diags *diags);

#endif
