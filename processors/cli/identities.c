#include "processors/cli/identities.h"

#include "processors/cli/rules_topic.h"

const struct identity *identities_find(void *rules, struct str hash_hex, struct err *err)
{
    const struct ruleset *set = rules_topic_find(rules, hash_hex, err);

    return set != NULL ? &set->identity : NULL;
}
