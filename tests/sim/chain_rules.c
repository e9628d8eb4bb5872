#include "tests/sim/chain_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"

#define SCHEMA(type)                                                                               \
    {                                                                                              \
        {"schemas/events/" type ".json", sizeof "schemas/events/" type ".json" - 1},               \
        {                                                                                          \
            SCHEMA_TEXT(type), sizeof SCHEMA_TEXT(type) - 1                                        \
        }                                                                                          \
    }
#define SCHEMA_TEXT(type)                                                                          \
    "{\"title\":\"" type "\",\"type\":\"object\",\"properties\":{"                                 \
    "\"key\":{\"type\":\"string\"},\"n\":{\"type\":\"number\"}}}"
#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        {name, sizeof name - 1},                                                                   \
        {                                                                                          \
            text, sizeof text - 1                                                                  \
        }                                                                                          \
    }

#define FACTS                                                                                      \
    "ones: {count: a.one, over: 20s}\n"                                                            \
    "sum: {sum: event.data.n, of: b.two, over: 15s}\n"                                             \
    "last_n: {last: event.data.n, of: b.two, per: event.data.key}\n"                               \
    "upset: {mark: c.three, for: 8s}\n"
#define IDENTITY                                                                                   \
    "kinds:\n  tag: {owners: 2, park: 12s, park_events: 4}\n"                                      \
    "events:\n  a.one: {looks_up: {tag: event.data.key}}\n"                                        \
    "  d.four: {binds: {tag: event.data.key}}\n"
#define SOURCES "shop: {types: [b.two, c.three], max_silence: 25s}\n"
#define POLICY                                                                                     \
    "channels: {phone: {}, chat: {}}\n"                                                            \
    "time_zones: [Europe/Amsterdam]\n"                                                             \
    "caps: [{max: 3, channel: phone, tier: service, over: 30s}]\n"                                 \
    "interlocks: [{name: upset, if: customer.upset, stops: [commercial]}]\n"                       \
    "queues: {team: {hours: {mon-sun: 00-24}, time_zone: Europe/Amsterdam,\n"                      \
    "                pace: {tasks: 30, per: 1m}}}\n"
#define UNANSWERED                                                                                 \
    "moment: unanswered\ntitle: Unanswered\ntier: service\nabout: event.data.key\n"                \
    "when: [{event: a.one, as: first}, {absent: b.two, for: 6s}]\n"                                \
    "withdraw: [{event: c.three}]\nagain: 10s\nvalue: 5\ndeadline: 20s\n"                          \
    "act: [{channel: phone, queue: team, say: \"{{first.data.key}} {{customer.ones}}\",\n"         \
    "       outcomes: {done: end, later: next}, wait: 5s}, {channel: chat, wait: 3s}]\n"
#define OFTEN                                                                                      \
    "moment: often\ntitle: Often\ntier: care\nabout: event.data.key\n"                             \
    "when: [{count: 2, of: b.two, within: 10s}]\n"                                                 \
    "value: customer.sum\ndeadline: 15s\n"                                                         \
    "act: [{channel: chat, outcomes: {done: end}, wait: 4s}]\n"
#define OFFER                                                                                      \
    "moment: offer\ntitle: Offer\ntier: commercial\nabout: event.data.key\n"                       \
    "when: [{event: a.one, if: event.data.n > 3.0}, {wait: 2s}]\n"                                 \
    "value: 1\ndeadline: 30s\nact: [{channel: chat, wait: 4s}]\n"
#define OFFER_LATER                                                                                \
    "moment: offer\ntitle: Offer\ntier: commercial\nabout: event.data.key\n"                       \
    "when: [{event: a.one, if: event.data.n > 2.0}, {wait: 7s}]\n"                                 \
    "value: 2\ndeadline: 30s\nact: [{channel: phone, queue: team, wait: 4s}]\n"

enum { FILES = 11 };

static const struct bundle_file files[CHAIN_RULE_SETS][FILES] = {
    {SCHEMA("a.one"), SCHEMA("b.two"), SCHEMA("c.three"), SCHEMA("d.four"),
     FILE_OF("facts.yaml", FACTS), FILE_OF("identity.yaml", IDENTITY),
     FILE_OF("sources.yaml", SOURCES), FILE_OF("policy.yaml", POLICY),
     FILE_OF("moments/unanswered.yaml", UNANSWERED), FILE_OF("moments/often.yaml", OFTEN),
     FILE_OF("moments/offer.yaml", OFFER)},
    {SCHEMA("a.one"), SCHEMA("b.two"), SCHEMA("c.three"), SCHEMA("d.four"),
     FILE_OF("facts.yaml", FACTS), FILE_OF("identity.yaml", IDENTITY),
     FILE_OF("sources.yaml", SOURCES), FILE_OF("policy.yaml", POLICY),
     FILE_OF("moments/unanswered.yaml", UNANSWERED), FILE_OF("moments/often.yaml", OFTEN),
     FILE_OF("moments/offer.yaml", OFFER_LATER)},
};

static struct ruleset *sets[CHAIN_RULE_SETS];

static struct ruleset *compile(const struct bundle_file *from)
{
    struct bundle_file sorted[FILES];
    struct bundle bundle = {sorted, FILES};
    struct diags diags = {0};
    struct buf text = {0};
    struct ruleset *set;

    for (size_t i = 0; i < FILES; i++)
        sorted[i] = from[i];
    bundle_sort(&bundle);
    set = ruleset_compile(&bundle, NULL, &diags);
    for (size_t i = 0; set == NULL && i < diags.count; i++)
        diag_print(&text, &diags.items[i], STR_EMPTY);
    if (set == NULL)
        fprintf(stderr, "%s\n", buf_text(&text));
    CHECK(set != NULL);
    buf_free(&text);
    diags_free(&diags);
    return set;
}

void chain_rules_prepare(void)
{
    for (size_t i = 0; i < CHAIN_RULE_SETS && sets[i] == NULL; i++)
        sets[i] = compile(files[i]);
}

const struct ruleset *chain_rules(size_t index)
{
    return sets[index];
}

const struct ruleset *chain_rules_find(void *context, struct str hash_hex, struct err *err)
{
    (void)context;
    for (size_t i = 0; i < CHAIN_RULE_SETS; i++)
        if (str_is(hash_hex, sets[i]->hash_hex))
            return sets[i];
    err_set(err, ERR_STATE, "not known");
    return NULL;
}

const struct identity *chain_rules_identity(void *context, struct str hash_hex, struct err *err)
{
    const struct ruleset *set = chain_rules_find(context, hash_hex, err);

    return set != NULL ? &set->identity : NULL;
}
