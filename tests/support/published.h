/* tests/support/published.h - is a JSON request one of those that a provider's reference describes?
 *
 *   static const struct published fields[] = {
 *       {"/message", VALUE_MAP, true},
 *       {"/message/token", VALUE_STRING, false},
 *       {"/message/data/#", VALUE_STRING, false},    any name
 *       {"/parts/#", VALUE_MAP, false},              each item of a list
 *   };
 *
 * A list is facts from a published reference, and the test that has it names which.
 */
#ifndef TESTS_SUPPORT_PUBLISHED_H
#define TESTS_SUPPORT_PUBLISHED_H

#include "core/json.h"

struct published {
    const char *path;
    enum value_kind kind;
    bool required;    /* wherever what it is a member of is there */
    size_t bytes_max; /* of a STRING; 0: no limit is published */
};

/* NULL: only what is listed, of the right kinds, and all that is required.  Else what is wrong, in
 * arena. */
const char *published_misfit(struct str json, const struct published *fields, size_t count,
                             struct arena *arena);

#endif
