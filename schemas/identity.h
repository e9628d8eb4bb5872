/* schemas/identity.h - other names of a customer: what kinds there are, and which event says which.
 *
 *   vehicle.telemetry {"vin": "yv1-xz16"}  --field, kind-->  alias "vin:YV1XZ16"
 *
 * An alias is KIND:VALUE, the value in one spelling, so that who writes it otherwise names the same.
 * It is the key of attent.identify and, there, a subject with a state of its own.  The structures
 * are filled from identity.yaml (rules/moment/identity.c); ingest reads them, and the step `identify`
 * its limits.  Immutable once made; any thread.
 */
#ifndef ATTENT_SCHEMAS_IDENTITY_H
#define ATTENT_SCHEMAS_IDENTITY_H

#include "core/value.h"

enum alias_form { /* the order of forms.def: form */
                  ALIAS_AS_IS = 0,
                  ALIAS_UPPER, /* ASCII letters */
                  ALIAS_LOWER,
                  ALIAS_PHONE, /* E.164: +31612345678 */
                  ALIAS_EMAIL, /* the domain in small letters; see ignore_case, ignore_dots */
};

struct calling_code { /* schemas/calling_codes.def */
    const char *country, *code, *trunk, *abroad;
};
const struct calling_code *calling_code_find(struct str country); /* NULL: not in the table */
const struct calling_code *calling_code_at(size_t index);         /* NULL: behind the last */

struct alias_kind {
    struct str name;
    enum alias_form form;
    struct str strip;                   /* ASCII characters that are left out */
    const struct calling_code *country; /* of numbers without a country; NULL: they are refused */
    bool ignore_case, ignore_dots;      /* of the part before the @ */
    uint32_t owners;                    /* so many are remembered */
    int64_t park_ms;                    /* so long an event of an unknown one waits */
    uint32_t park_events, park_bytes;   /* and so many at most */
};

struct alias_field {
    uint16_t kind;      /* index into kinds */
    struct str pointer; /* into data: "/vin" */
};

struct alias_fields {
    struct alias_field *items;
    size_t count;
};

struct alias_use { /* what an event type says */
    struct str type;
    struct alias_fields binds, looks_up, unbinds;
};

struct identity {
    struct alias_kind *kinds; /* sorted by name */
    size_t kind_count;
    struct alias_use *uses; /* sorted by type */
    size_t use_count;
};

const struct alias_use *identity_use(const struct identity *identity,
                                     struct str type); /* or NULL */
/* Of an alias "vin:...".  Never NULL: one that is not declared has the defaults. */
const struct alias_kind *identity_kind(const struct identity *identity, struct str alias);

/* Put KIND:VALUE.  False: nothing is put, v is no such alias (no text or whole number, nothing left
 * of it, no number of a phone, too long). */
bool alias_put(struct buf *out, const struct alias_kind *kind, struct value v);

/* What may stand before the colon is reserved for customers themselves. */
#define ALIAS_CUSTOMER "customer"

#endif
