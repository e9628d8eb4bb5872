/* connectors/callback/callback.h - what a provider reports over HTTP, after it took a task.
 *
 * A channel's class may have two functions for it.  They are pure: no network, no clock, any
 * thread; they know the channel's options and the request, and nothing of Kafka or the ledger.
 * processors/dispatch/receiver.h does the rest: it bounds the request, finds the channel, checks
 * the task, counts, and acknowledges once Kafka has what came of it.
 *
 *     POST PUBLIC_URL/callback/CHANNEL/REFERENCE      about one task
 *     GET, POST PUBLIC_URL/callback/CHANNEL           about many, or about none
 *
 *     verify --+-- FINE ....... it is from the provider
 *              +-- REFUSED .... 401: no signature, or a wrong one
 *              +-- OLD ........ 401: signed too long ago, or in the future: perhaps sent again
 *     read  ---+-- FINE ....... 200, once all that it says is kept; also if it says nothing to us
 *              +-- MALFORMED .. 400: signed, and still not what the provider describes
 *
 * REFERENCE is signed and says which task it is, so nothing has to be looked up: deliver gets it as
 * sending.callback_mark, and the whole URL as sending.callback_url (both empty: no receiver is
 * configured).  Give one of them to the provider, whichever it hands back; a mark has the same
 * form as a URL's last part, at most 500 characters unless customer or moment have long names.
 */
#ifndef ATTENT_CONNECTORS_CALLBACK_CALLBACK_H
#define ATTENT_CONNECTORS_CALLBACK_CALLBACK_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/record.h"

/* A request, all of it borrowed and none of it to be trusted. */
struct callback {
    struct str method; /* "POST" */
    struct str url;    /* as the provider called it: PUBLIC_URL/callback/... and the query */
    struct str query;  /* of it, without the ?; not decoded */
    struct str body;
    const struct header *headers;
    size_t header_count;
    struct str reference; /* the last part of the path; empty: none */
    int64_t now_ms;       /* wall clock, UTC */
};

enum callback_verdict {
    CALLBACK_FINE = 0,
    CALLBACK_REFUSED,
    CALLBACK_OLD,
    CALLBACK_MALFORMED,
};

/* Codes that a provider's words are turned into.  QUEUED, SENT, DELIVERED and READ are steps on the
 * way, so they are not final; ANSWERED, FAILED, EXPIRED and OPTED_OUT are.  OPTED_OUT is about a
 * message that did not go out because of it, and withdraws the consent as well. */
enum callback_code {
#define CALLBACK_CODE(name, code, final) CALLBACK_##name,
#include "connectors/callback/codes.def"
#undef CALLBACK_CODE
    CALLBACK_CODE_COUNT,
};

struct callback_outcome { /* of one task */
    struct str reference; /* as it was given to the provider */
    struct str task;      /* its id, if the provider says it: has to be the reference's; or empty */
    struct str code;      /* callback_code_text(), or a partner's own: lower case, digits, _ */
    struct str reason;    /* of a failure: the provider's code in a few words; or empty */
    bool final;
    bool opted_out; /* the customer told the provider to stop: becomes consent.withdrawn */
    struct str id;  /* the provider's own id of this message; with the code it is the event's id */
    int64_t at_ms;  /* when it happened; 0: not said */
};

struct callback_stop {  /* a customer wrote STOP, to a number and not to a task */
    struct str address; /* as tasks have it: "+31612345678" */
    struct str id;      /* the provider's own id of what they wrote */
    int64_t at_ms;      /* 0: not said */
};

struct callback_report {               /* zeroed by the caller; everything lives in arena */
    struct callback_outcome *outcomes; /* callback_add_outcome */
    size_t outcome_count, outcome_capacity;
    struct callback_stop *stops; /* callback_add_stop */
    size_t stop_count, stop_capacity;
    struct str answer; /* the body of the answer (a challenge); empty: none */
};

struct callback_class {
    /* conf: the channel's options.  err says why not, for the log: never a secret, an address or
     * anything of the body. */
    enum callback_verdict (*verify)(const struct conf *conf, const struct callback *callback,
                                    struct err *err);
    /* Only after verify said FINE.  report->answer of a GET is its whole effect. */
    enum callback_verdict (*read)(const struct conf *conf, const struct callback *callback,
                                  struct arena *arena, struct callback_report *report,
                                  struct err *err);
};

const char *callback_code_text(enum callback_code code); /* "delivered" */
bool callback_code_is_final(enum callback_code code);

/* A new outcome or stop, zeroed, to be filled. */
struct callback_outcome *callback_add_outcome(struct callback_report *report, struct arena *arena);
struct callback_stop *callback_add_stop(struct callback_report *report, struct arena *arena);

/* --- for reading requests ------------------------------------------------------------------------ */

/* The value of a header, whatever its case; of several the first; empty: not there. */
struct str callback_header(const struct callback *callback, const char *name);

enum { CALLBACK_FORM_MAX = 200 };

/* Read "a=1&b=%20" (a query, or a body of application/x-www-form-urlencoded) into fields, in the
 * order in which they stand.  False: more than CALLBACK_FORM_MAX, or a % that is none. */
bool callback_form(struct str text, struct arena *arena, struct header **out, size_t *count);
/* The value of the first field of that name; empty: not there. */
struct str callback_form_get(const struct header *fields, size_t count, const char *name);

/* Is that all that somebody wrote: STOP, in English or Dutch, in any case, also with a dot behind?
 * Not "stop sending me so late": a person has to read that. */
bool callback_is_stop(struct str text);

#endif
