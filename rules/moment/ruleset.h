/* rules/moment/ruleset.h - a compiled rule set: what decide runs.
 *
 *   files --bundle--> texts with a content hash --compile--> struct ruleset (immutable)
 *
 * A bundle is all that decisions depend on beside the log: facts.yaml, policy.yaml,
 * sources.yaml, identity.yaml, the moments and the schemas of event types.  It is compiled from memory: no files, no clock.  The same
 * bundle always gives the same rule set.  A rule set may be read from any number of threads.
 *
 * The index: struct event_type says who listens to a type, so an event costs what listens to it;
 * a path (a field of data that somebody reads) has one number over all types, which is the slot
 * of struct event_reader (schemas/event.h) and of the programs.
 */
#ifndef ATTENT_RULES_MOMENT_RULESET_H
#define ATTENT_RULES_MOMENT_RULESET_H

#include "core/hash.h"
#include "core/limit.h"
#include "rules/cel/cel.h"
#include "rules/moment/texts.h"
#include "schemas/event.h"
#include "schemas/identity.h"
#include "schemas/schema.h"

/* --- slots: what programs read ---------------------------------------------------------------- */

enum slot_kind {
    SLOT_EVENT_DATA = 1, /* b = path: event.data.vin                                          */
    SLOT_EVENT_ATTR,     /* b = enum attr: event.time                                         */
    SLOT_FACT,           /* a = fact: customer.country; with `per` a map                       */
    SLOT_FACT_BEFORE,    /* a = fact: before.country, as it was before this event              */
    SLOT_STEP_DATA,      /* a = step, b = index into its captures: car.data.make               */
    SLOT_STEP_ATTR,      /* a = step, b = enum attr: car.time, missed.count                    */
    SLOT_STEP_FIRST,     /* a = step, b = index into its captures: missed.first.data.invoice   */
    SLOT_NOW,
    SLOT_ABOUT,
};
/* Numbers of a state: new ones go to the end. */
enum attr {
    ATTR_ID,
    ATTR_TYPE,
    ATTR_SOURCE,
    ATTR_SUBJECT,
    ATTR_TIME,
    ATTR_CORRECTED,
    ATTR_COUNT, /* of a step only */
    ATTR_GEO,   /* the first of GEO_COUNT: event.geo.country */
    ATTR_END = ATTR_GEO + GEO_COUNT,
};
const char *attr_word(enum attr attr); /* "time_corrected", "geo.country" */

static inline uint32_t slot_of(enum slot_kind kind, uint32_t a, uint32_t b)
{
    return (uint32_t)kind << 24 | a << 12 | b;
}
static inline enum slot_kind slot_kind(uint32_t slot)
{
    return (enum slot_kind)(slot >> 24);
}
static inline uint32_t slot_a(uint32_t slot)
{
    return slot >> 12 & 0xfff;
}
static inline uint32_t slot_b(uint32_t slot)
{
    return slot & 0xfff;
}

/* --- facts -------------------------------------------------------------------------------------- */

enum fact_kind {
#define FACT(name, word, text) FACT_##name,
#include "rules/moment/facts.def"
#undef FACT
    FACT_KIND_COUNT
};

enum fact_role { ROLE_NONE = 0, ROLE_ADDRESS, ROLE_TIME_ZONE, ROLE_LANGUAGE, ROLE_HOURS };

struct fact {
    struct str name, title, unit; /* the title in the default language */
    struct phrases titles, words; /* words: in a sentence */
    uint32_t id; /* 32 bits of the name's hash: names the fact in a state; unique in a rule set */
    enum fact_kind kind;
    uint16_t *types; /* indexes of event types that update it, ascending */
    size_t type_count;
    const struct cel_program *condition; /* NULL: always */
    const struct cel_program *value;     /* of last, first, sum ...; NULL for count and mark */
    const struct cel_program *key;       /* per; NULL: none */
    int64_t over_ms;                     /* window of count, sum ..., span of mark; 0: for ever */
    int64_t step_ms;                     /* an event counts from the start of its step; 0: none */
    uint32_t limit;                      /* events, or values of distinct, remembered */
    uint32_t keys;                       /* keys kept with per */
    struct value fallback;               /* default:, VALUE_ABSENT if none */
    enum fact_role role;
    struct str address_kind;     /* ROLE_ADDRESS: "email", "phone" */
    const struct cel_type *type; /* of customer.name */
    const struct cel_type *one;  /* the same, with `per` of one key */
    bool before_read;            /* somebody reads before.name, or a step `becomes` compares */
};

/* --- moments ------------------------------------------------------------------------------------ */

enum step_kind {
#define STEP(name, word, may_be_first, text) STEP_##name,
#include "rules/moment/steps.def"
#undef STEP
    STEP_KIND_COUNT
};

/* Is it always an event that completes such a step?  Else it may be time that passes. */
static inline bool step_has_event(enum step_kind kind)
{
    return kind != STEP_ABSENT && kind != STEP_EVERY && kind != STEP_WAIT && kind != STEP_AT &&
           kind != STEP_BECOMES;
}

struct moment_step {
    enum step_kind kind;
    struct str name; /* as:, empty: none */
    uint16_t *types; /* indexes of event types, ascending; STEP_BECOMES: that feed its facts */
    size_t type_count;
    const struct cel_program *condition; /* if:, NULL: always; STEP_BECOMES: the condition */
    int64_t span_ms;                     /* within, for, wait, every + grace; 0: none */
    int64_t grace_ms;                    /* STEP_EVERY */
    uint32_t count;                      /* STEP_COUNT: N */
    const struct cel_program *value;     /* STEP_CROSSES: number; STEP_AT: time */
    bool below;                          /* STEP_CROSSES: below, else above */
    double bound, back;                  /* STEP_CROSSES; back == bound when not given */
    bool any_about;
    bool restart;       /* first step: a new match starts over */
    uint16_t *captures; /* paths that something later reads */
    size_t capture_count;
    bool first_captured; /* STEP_COUNT: .first is read too */
    uint32_t upto;       /* hash of what is written of the steps up to and with this one; never 0 */
};

struct listener { /* one entry of withdraw: */
    uint16_t *types;
    size_t type_count;
    const struct cel_program *condition;
    bool any_about;
};

enum outcome_effect { EFFECT_END = 0, EFFECT_NEXT, EFFECT_WAIT };

struct outcome_rule {
    struct str code;
    enum outcome_effect effect;
};

struct appointment {
    const struct cel_program *start; /* a time; NULL: there is none */
    int64_t duration_ms;
    struct texts title, place;
};

struct act {
    struct str channel, queue;
    struct texts say, subject, text, html;
    struct appointment appointment;
    struct outcome_rule *outcomes;
    size_t outcome_count;
    int64_t wait_ms;    /* until the next action; default: the moment's deadline */
    bool at_least_once; /* `send`: rather twice than not at all */
};

/* A value worth showing to whoever handles the task: what the moment's conditions read. */
struct shown {
    struct str name, label, unit;
    struct phrases labels; /* in several languages; none: label */
    uint32_t slot;
};

/* What becomes of instances under way when a rule set with other steps comes into force. */
enum on_change {
    ON_CHANGE_AUTO = 0, /* kept where the steps up to there are the same, else ended */
    ON_CHANGE_KEEP,
    ON_CHANGE_RESTART,
    ON_CHANGE_DROP,
};

struct moment {
    struct str name, title, owner, purpose; /* the title in the default language */
    struct phrases titles;
    uint32_t id;                     /* 32 bits of the name's hash: names the moment in a state */
    char version[9];                 /* 8 hex digits of the moment's own content hash */
    uint32_t tier;                   /* index into policy.tiers */
    const struct cel_program *about; /* NULL: one per customer */
    struct moment_step *steps;
    size_t step_count;
    const struct cel_program *eligible, *relevant, *suitable; /* NULL: yes */
    struct listener *withdraw;
    size_t withdraw_count;
    int64_t again_ms; /* 0: at once */
    int64_t deadline_ms;
    uint32_t instances;
    enum on_change on_change;
    const struct cel_program *value; /* a number; NULL: 0 */
    struct act *acts;
    size_t act_count;
    struct shown *shown;
    size_t shown_count;
    struct texts reason; /* none: the title */
};

/* --- policy ------------------------------------------------------------------------------------- */

enum consent_rule { CONSENT_ALWAYS = 0, CONSENT_OPT_OUT, CONSENT_OPT_IN };

struct tier { /* most urgent first */
    struct str name;
    enum consent_rule consent;
    struct phrases titles;
};

enum { SOURCE_LANE_MIN = 3 }; /* 1 and 2 are decide's own (decide/adopt.h) */

/* A feed of events.  That one of its types has stayed out is known when it has been read so far. */
struct source {
    struct str name;
    uint32_t lane;   /* hash of its name and types: what timers wait in (worker/step.h) */
    uint16_t *types; /* ascending */
    size_t type_count;
    int64_t max_silence_ms; /* behind by so much, it counts as broken */
};

/* Hours of a week in which something may happen: bit h of hours[d], d = 0 is Sunday. */
struct week {
    uint32_t hours[7];
};

struct dates {
    int32_t *days; /* since 1970, ascending */
    size_t count;
};

struct cap { /* at most max tasks within over_ms, among those that match all that is given */
    struct str channel, purpose, moment; /* empty: any */
    int32_t tier;                        /* -1: any */
    uint32_t max;
    int64_t over_ms;
    struct str text; /* as written, for decisions: "2 phone in 7d" */
};

struct interlock { /* while it holds, or cannot be evaluated, nothing of these tiers goes out */
    struct str name;
    struct phrases titles;
    const struct cel_program *condition; /* over facts */
    uint32_t tiers;                      /* bit t: stops tier t */
};

struct control { /* a share of the customers gets nothing of these tiers, for comparison */
    struct str name;
    struct phrases titles;
    uint32_t percent; /* 1 .. 50 */
    uint32_t tiers;   /* bit t: of tier t */
};

struct quiet { /* no task goes out in the customer's hours that are not in `allowed` */
    struct week allowed;
    uint32_t tiers;        /* bit t: holds for tier t */
    struct str channel;    /* empty: any */
    struct dates holidays; /* only on these days; none: on all */
};

struct pace {       /* tasks go out evenly, so many per span */
    uint32_t tasks; /* 0: there is none */
    int64_t per_ms;
    struct str name; /* of the queue or channel */
    uint32_t id;     /* hash of what it is of: names it in a state */
    struct str text; /* for decisions: "30 in 1h for insurance" */
};

struct queue {
    struct str name;
    struct week open;
    const struct zone *zone;
    struct dates holidays; /* closed */
    struct phrases titles;
    struct pace pace;
};

struct channel_rule {
    struct str name;
    struct str address;    /* kind of address needed: "email"; empty: none */
    struct phrases titles; /* what is done: "call" */
    bool sms;
    bool no_facts; /* its tasks carry none */
    bool any_hour; /* quiet hours do not hold it */
    struct pace pace;
};

struct outcome_name { /* what people call an outcome code */
    struct str code;
    struct phrases titles;
};

enum { SAME_TYPE = 1, SAME_SOURCE = 2, SAME_SUBJECT = 4, SAME_TIME = 8 };

struct same {        /* what tells an event that was here before, in place of its source and id */
    uint32_t attrs;  /* SAME_* */
    uint16_t *paths; /* of data, in the order of the file */
    size_t path_count;
};

struct policy {
    uint32_t recent_ids; /* events remembered of each customer, to know doubles */
    int64_t recent_s;    /* for so many seconds */
    struct tier *tiers;
    size_t tier_count;
    struct cap *caps;
    size_t cap_count;
    struct interlock *interlocks;
    size_t interlock_count;
    struct control *controls;
    size_t control_count;
    struct quiet *quiet;
    size_t quiet_count;
    struct queue *queues; /* sorted by name */
    size_t queue_count;
    struct channel_rule *channels; /* sorted by name */
    size_t channel_count;
    struct outcome_name *outcomes; /* in the order of the file */
    size_t outcome_count;
    const struct zone **zones; /* where a customer of unknown zone may live: all must agree */
    size_t zone_count;
    struct str *languages; /* of texts; the first is the default */
    size_t language_count;
    bool given; /* false: no policy.yaml: no caps, no quiet hours, consent and addresses as given */
};

/* --- the set ------------------------------------------------------------------------------------ */

struct path {
    struct str pointer;          /* "/vin" */
    const struct cel_type *type; /* dyn when types differ */
};

struct event_type {
    struct str name;
    const struct schema *schema;
    uint16_t *facts; /* facts that it updates, ascending */
    size_t fact_count;
    uint16_t *moments; /* moments of which any step or withdraw takes it, ascending */
    size_t moment_count;
    uint16_t *paths; /* that are read of it */
    size_t path_count;
    const struct schema **path_schemas; /* as many; for schema_coerce */
    uint16_t *sources;                  /* that feed it, ascending */
    size_t source_count;
    const struct same *same; /* NULL: source and id tell it */
    bool listened; /* somebody listens: fact, moment, or built in (task.outcome, consent) */
};

/* Types that decide itself listens to, with the numbers of the paths that it reads of them.  A field
 * that two types have in common (/channel) is one path. */
struct builtin_paths {
    uint16_t task_outcome, consent_given, consent_withdrawn, customer_erased,
        customer_merged;        /* indexes of types */
    uint16_t task, code, final; /* of task.outcome */
    uint16_t purpose, channel;  /* of consent */
    uint16_t from, into;        /* of customer.merged */
};

/* One of the conditions that && and || join, as a program of its own. */
struct condition_part {
    const struct cel_program *program;
    struct str text; /* as CEL is printed */
    uint32_t at;     /* where it begins in the expression's text */
    bool so;         /* for the whole it has to be true; false: not true */
};

/* What the parts of a condition have to be for the whole to be true. */
enum joined { JOINED_ALL = 0, JOINED_ANY, JOINED_MIXED };

/* An expression as it was written, for people. */
struct expression {
    const struct cel_program *program;
    struct str text;
    struct condition_part *parts; /* of a condition with && or ||, from left to right */
    size_t part_count;
    enum joined joined;
};

struct ruleset {
    struct hash128 hash;
    char hash_hex[HASH128_HEX_SIZE];
    struct event_type *types; /* sorted by name */
    size_t type_count;
    struct path *paths;
    size_t path_count;
    struct fact *facts; /* sorted by name */
    size_t fact_count;
    struct moment *moments; /* sorted by name */
    size_t moment_count;
    struct policy policy;
    struct source *sources; /* sorted by name */
    size_t source_count;
    struct identity identity;                          /* identity.yaml; empty: there is none */
    int32_t time_zone_fact, language_fact, hours_fact; /* index, -1: none */
    struct builtin_paths builtin;
    struct expression *expressions; /* sorted by program */
    size_t expression_count;
    struct event_reader *reader; /* slot = path */
    struct arena *arena;         /* owns everything above */
};

/* A file of a bundle: name relative to the rules folder ("moments/brake-pads.yaml",
 * "facts.yaml", "policy.yaml", "schemas/events/order.placed.json"). */
struct bundle_file {
    struct str name;
    struct str text;
};

/* Two of them are no person's: their texts say which zone data the bundle was made with
 * (zone_data_version), and which semantics. */
#define BUNDLE_ZONE_DATA "zone-data"
#define BUNDLE_SEMANTICS "semantics"
bool bundle_is_note(struct str file);

/* What the same log and the same rules decide: a whole number, another one where that is another. */
#define RULES_SEMANTICS "1"

struct bundle {
    struct bundle_file *files; /* sorted by name */
    size_t count;
};

/* In the order of names: found in another order, the same files are the same bundle. */
void bundle_sort(struct bundle *bundle);

/* The canonical form (JSON) that is written to attent.rules, and back.  Its hash names the set.
 * bundle_read's result lives in arena; false: not a bundle, err says why. */
void bundle_write(const struct bundle *bundle, struct buf *out);
bool bundle_read(struct str text, struct arena *arena, struct bundle *out, struct err *err);
struct hash128 bundle_hash(const struct bundle *bundle);
struct str bundle_file_text(const struct bundle *bundle, struct str file); /* or empty */
/* Does this attent speak its semantics, or is it of a newer one?  One that does not say has 1. */
enum err_code bundle_check_semantics(const struct bundle *bundle, struct err *err);

/* Compile.  All findings go to diags, places name the bundle's files with `folder` in front
 * (NULL: as they are).  NULL when there are errors.  Free with ruleset_free. */
struct ruleset *ruleset_compile(const struct bundle *bundle, const char *folder,
                                struct diags *diags);
/* The same, and what compiles but cannot be meant: a moment that nothing starts, a fact that nobody
 * reads.  So there may be errors and a set.  For who writes rules; what runs them only compiles, or a
 * new finding would stop what is in force. */
struct ruleset *ruleset_check(const struct bundle *bundle, const char *folder, struct diags *diags);
void ruleset_free(struct ruleset *set); /* NULL allowed */

/* -1: none of that name. */
int ruleset_find_type(const struct ruleset *set, struct str name);
int ruleset_find_moment(const struct ruleset *set, struct str name);
int ruleset_find_fact(const struct ruleset *set, struct str name);
int ruleset_find_source(const struct ruleset *set, struct str name);
int ruleset_find_fact_id(const struct ruleset *set, uint32_t id);
struct str ruleset_text(const struct ruleset *set,
                        const struct cel_program *program); /* or empty */
const struct expression *ruleset_expression(const struct ruleset *set,
                                            const struct cel_program *program); /* or NULL */
struct str policy_language(const struct policy *policy); /* the default one; empty: not said */
bool policy_has_language(const struct policy *policy, struct str language);
/* The language of an action's texts, or if it has none of the moment's reason, for a customer. */
struct str act_language(const struct ruleset *set, const struct moment *moment,
                        const struct act *act, struct str wanted);
bool cap_holds(const struct cap *cap, const struct moment *moment); /* of any of its actions */
bool policy_is_sms(const struct policy *policy, struct str channel);
struct str shown_label(const struct ruleset *set, const struct shown *shown, struct str language);
const struct queue *policy_find_queue(const struct policy *policy, struct str name);
const struct channel_rule *policy_find_channel(const struct policy *policy, struct str name);
bool quiet_holds(const struct policy *policy, const struct moment *moment); /* some action of it */
bool queue_closes(const struct queue *queue); /* at some hour, or on a holiday */
bool policy_tells_facts(const struct policy *policy, struct str channel); /* in tasks on it */

#endif
