/* policy.yaml: tiers, caps, quiet hours, queues, channels.  Without the file there are the four
 * tiers and nothing else (`given` is false). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"
#include "core/zone.h"
#include "rules/moment/compile.h"

enum { HOURS_OF_DAY = 0xffffff };

static int compare_queues(const void *a, const void *b)
{
    return str_compare(((const struct queue *)a)->name, ((const struct queue *)b)->name);
}

static int compare_channels(const void *a, const void *b)
{
    return str_compare(((const struct channel_rule *)a)->name,
                       ((const struct channel_rule *)b)->name);
}

static int compare_dates(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return x < y ? -1 : x > y;
}

/* --- tiers -------------------------------------------------------------------------------------- */

static void default_tiers(struct compiler *c)
{
    static const struct tier tiers[] = {
        {.name = {"safety", 6}, .consent = CONSENT_ALWAYS},
        {.name = {"service", 7}, .consent = CONSENT_OPT_OUT},
        {.name = {"care", 4}, .consent = CONSENT_OPT_OUT},
        {.name = {"commercial", 10}, .consent = CONSENT_OPT_IN},
    };

    c->set->policy.tiers = arena_copy(c->arena, tiers, sizeof tiers);
    c->set->policy.tier_count = sizeof tiers / sizeof tiers[0];
}

static void load_tiers(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->tiers = ARENA_ARRAY(c->arena, struct tier, node->count);
    policy->tier_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        struct filled form;
        policy->tiers[i].name = form_text(node->keys[i], c->arena);
        if (!form_read(FORM_OF_TIER, node->items[i], c->diags, &form))
            continue;
        policy->tiers[i].titles = form_phrases(form.at[FIELD_TIER_TITLE], c->arena);
        if (form.at[FIELD_TIER_CONSENT] != NULL)
            policy->tiers[i].consent = (enum consent_rule)form_choice(
                form.at[FIELD_TIER_CONSENT], form_fields[FIELD_TIER_CONSENT].choices);
    }
}

/* A name that is none of these: what was meant, else which there are. */
static void unknown(struct compiler *c, const struct yaml_node *node, const char *code,
                    const char *what, const struct str *names, size_t count, const char *none)
{
    struct str near = str_nearest(node->text, names, count);
    struct buf help = {0};

    if (near.len != 0) {
        buf_put_format(&help, "write %.*s", STR_ARG(near));
    } else if (count != 0) {
        buf_put_text(&help, "there is:");
        for (size_t i = 0; i < count; i++)
            buf_put_format(&help, " %.*s", STR_ARG(names[i]));
    } else {
        buf_put_text(&help, none);
    }
    FOUND(c, node->place, code, buf_text(&help), "there is no %s \"%.*s\"", what,
          STR_ARG(node->text));
    buf_free(&help);
}

/* Index of the tier; unknown ones are reported, -1. */
static int32_t find_tier(struct compiler *c, const struct yaml_node *node)
{
    const struct policy *policy = &c->set->policy;
    struct str *names = ARENA_ARRAY(c->arena, struct str, policy->tier_count);

    for (size_t i = 0; i < policy->tier_count; i++) {
        names[i] = policy->tiers[i].name;
        if (str_equal(names[i], node->text))
            return (int32_t)i;
    }
    unknown(c, node, "unknown-tier", "tier", names, policy->tier_count, "");
    return -1;
}

uint32_t policy_tier_of(struct compiler *c, const struct yaml_node *node)
{
    int32_t tier = node != NULL ? find_tier(c, node) : 0;

    return tier >= 0 ? (uint32_t)tier : 0;
}

/* --- channels and queues ------------------------------------------------------------------------ */

static void load_pace(struct compiler *c, const char *of, struct str name, struct pace *pace,
                      const struct yaml_node *node)
{
    struct buf text = {0};
    struct filled form;

    if (node == NULL || !form_read(FORM_OF_PACE, node, c->diags, &form))
        return;
    pace->tasks = form_count(form.at[FIELD_PACE_TASKS], 1);
    pace->per_ms = form_span_ms(form.at[FIELD_PACE_PER], WHEN_HOUR_MS);
    pace->name = name;
    buf_put_format(&text, "%s %.*s", of, STR_ARG(name));
    pace->id = (uint32_t)hash_bytes(buf_str(&text), 0);
    buf_clear(&text);
    buf_put_format(&text, "%u in ", pace->tasks);
    when_put_span(&text, pace->per_ms);
    buf_put_format(&text, " for %.*s", STR_ARG(name));
    pace->text = arena_str(c->arena, buf_str(&text));
    buf_free(&text);
    if (pace->per_ms < pace->tasks)
        FOUND(c, node->place, "limit", "leave the pace out, or write fewer tasks",
              "at most one task a millisecond can be paced, here are %u in %" PRId64 " ms",
              pace->tasks, pace->per_ms);
}

static void load_channels(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->channels = ARENA_ARRAY(c->arena, struct channel_rule, node->count);
    policy->channel_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        struct channel_rule *channel = &policy->channels[i];
        struct filled form;
        channel->name = form_text(node->keys[i], c->arena);
        channel->sms = str_is(channel->name, "sms");
        if (node->items[i]->kind == YAML_NULL || /* `phone:` is enough */
            !form_read(FORM_OF_CHANNEL, node->items[i], c->diags, &form))
            continue;
        channel->sms = form.at[FIELD_CHANNEL_KIND] != NULL
                           ? str_is(form.at[FIELD_CHANNEL_KIND]->text, "sms")
                           : channel->sms;
        channel->any_hour =
            form.at[FIELD_CHANNEL_QUIET] != NULL && !form_bool(form.at[FIELD_CHANNEL_QUIET]);
        channel->no_facts =
            form.at[FIELD_CHANNEL_FACTS] != NULL && !form_bool(form.at[FIELD_CHANNEL_FACTS]);
        load_pace(c, "channel", channel->name, &channel->pace, form.at[FIELD_CHANNEL_PACE]);
        channel->titles = form_phrases(form.at[FIELD_CHANNEL_TITLE], c->arena);
        channel->address = form_text(form.at[FIELD_CHANNEL_ADDRESS], c->arena);
    }
    if (node->count != 0)
        qsort(policy->channels, node->count, sizeof *policy->channels, compare_channels);
}

static const struct zone *find_zone(struct compiler *c, const struct yaml_node *node)
{
    const struct zone *zone = zone_find(node->text);

    if (zone == NULL)
        FOUND(c, node->place, "unknown-zone", "write a name such as Europe/Amsterdam",
              "there is no time zone \"%.*s\"", STR_ARG(node->text));
    return zone;
}

static void load_dates(struct compiler *c, struct dates *dates, const struct yaml_node *node)
{
    dates->count = form_item_count(node);
    dates->days = ARENA_ARRAY(c->arena, int32_t, dates->count);
    for (size_t i = 0; i < dates->count; i++)
        dates->days[i] = form_date(form_item(node, i));
    if (dates->count != 0)
        qsort(dates->days, dates->count, sizeof *dates->days, compare_dates);
}

static void load_queues(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->queues = ARENA_ARRAY(c->arena, struct queue, node->count);
    policy->queue_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        struct queue *queue = &policy->queues[i];
        struct filled form;
        queue->name = form_text(node->keys[i], c->arena);
        if (!form_read(FORM_OF_QUEUE, node->items[i], c->diags, &form))
            continue;
        if (form.at[FIELD_QUEUE_HOURS] != NULL)
            form_hours(form.at[FIELD_QUEUE_HOURS], queue->open.hours);
        if (form.at[FIELD_QUEUE_TIME_ZONE] != NULL)
            queue->zone = find_zone(c, form.at[FIELD_QUEUE_TIME_ZONE]);
        queue->titles = form_phrases(form.at[FIELD_QUEUE_TITLE], c->arena);
        load_pace(c, "queue", queue->name, &queue->pace, form.at[FIELD_QUEUE_PACE]);
        load_dates(c, &queue->holidays, form.at[FIELD_QUEUE_HOLIDAYS]);
    }
    if (node->count != 0)
        qsort(policy->queues, node->count, sizeof *policy->queues, compare_queues);
}

void policy_check_channel(struct compiler *c, const struct yaml_node *node)
{
    const struct policy *policy = &c->set->policy;
    struct str *names;

    if (node == NULL || !policy->given || policy_find_channel(policy, node->text) != NULL)
        return;
    names = ARENA_ARRAY(c->arena, struct str, policy->channel_count);
    for (size_t i = 0; i < policy->channel_count; i++)
        names[i] = policy->channels[i].name;
    unknown(c, node, "unknown-channel", "channel", names, policy->channel_count,
            "name it under `channels:` in policy.yaml");
}

void policy_check_queue(struct compiler *c, const struct yaml_node *node)
{
    const struct policy *policy = &c->set->policy;
    struct str *names;

    if (node == NULL || !policy->given || policy_find_queue(policy, node->text) != NULL)
        return;
    names = ARENA_ARRAY(c->arena, struct str, policy->queue_count);
    for (size_t i = 0; i < policy->queue_count; i++)
        names[i] = policy->queues[i].name;
    unknown(c, node, "unknown-queue", "queue", names, policy->queue_count,
            "name it under `queues:` in policy.yaml");
}

/* --- caps --------------------------------------------------------------------------------------- */

/* "2 phone care in 7d", for people who ask why. */
static struct str cap_text(struct compiler *c, const struct cap *cap)
{
    const struct policy *policy = &c->set->policy;
    struct buf out = {0};
    struct str text;

    buf_put_format(&out, "%u", cap->max);
    if (cap->channel.len != 0)
        buf_put_format(&out, " %.*s", STR_ARG(cap->channel));
    if (cap->tier >= 0)
        buf_put_format(&out, " %.*s", STR_ARG(policy->tiers[cap->tier].name));
    if (cap->purpose.len != 0)
        buf_put_format(&out, " for %.*s", STR_ARG(cap->purpose));
    if (cap->moment.len != 0)
        buf_put_format(&out, " of %.*s", STR_ARG(cap->moment));
    buf_put_text(&out, " in ");
    when_put_span(&out, cap->over_ms);
    text = arena_str(c->arena, buf_str(&out));
    buf_free(&out);
    return text;
}

/* A moment is named after its file, so the bundle knows before moments are loaded. */
static void check_moment(struct compiler *c, const struct yaml_node *node)
{
    struct str *names = MEM_NEW_ARRAY(struct str, c->bundle->count + 1), near;
    char help[128];
    size_t count = 0;
    bool there = false;

    for (size_t i = 0; i < c->bundle->count; i++)
        if (compiler_moment_name(c->bundle->files[i].name, &names[count]))
            there |= str_equal(names[count++], node->text);
    near = str_nearest(node->text, names, count);
    snprintf(help, sizeof help, "write %.*s", STR_ARG(near));
    if (!there)
        FOUND(c, node->place, "unknown-moment",
              near.len != 0 ? help
                            : "attent list moments shows all; a moment is called like its file",
              "there is no moment \"%.*s\"", STR_ARG(node->text));
    mem_free(names);
}

static void load_cap(struct compiler *c, struct cap *cap, const struct yaml_node *node)
{
    struct filled form;

    cap->tier = -1;
    if (!form_read(FORM_OF_CAP, node, c->diags, &form))
        return;
    cap->max = form_count(form.at[FIELD_CAP_MAX], 1);
    cap->over_ms = form_span_ms(form.at[FIELD_CAP_OVER], WHEN_DAY_MS);
    cap->channel = form_text(form.at[FIELD_CAP_CHANNEL], c->arena);
    cap->purpose = form_text(form.at[FIELD_CAP_PURPOSE], c->arena);
    cap->moment = form_text(form.at[FIELD_CAP_MOMENT], c->arena);
    if (form.at[FIELD_CAP_TIER] != NULL)
        cap->tier = find_tier(c, form.at[FIELD_CAP_TIER]);
    policy_check_channel(c, form.at[FIELD_CAP_CHANNEL]);
    if (form.at[FIELD_CAP_MOMENT] != NULL)
        check_moment(c, form.at[FIELD_CAP_MOMENT]);
    cap->text = cap_text(c, cap);
}

static void load_caps(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->cap_count = node->count;
    policy->caps = ARENA_ARRAY(c->arena, struct cap, node->count);
    for (size_t i = 0; i < node->count; i++)
        load_cap(c, &policy->caps[i], node->items[i]);
}

/* --- quiet hours -------------------------------------------------------------------------------- */

static uint32_t tier_bits(struct compiler *c, const struct yaml_node *list)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < form_item_count(list); i++) {
        int32_t tier = find_tier(c, form_item(list, i));
        bits |= tier >= 0 ? 1u << tier : 0;
    }
    return bits;
}

static void load_quiet_one(struct compiler *c, struct quiet *quiet, const struct yaml_node *node)
{
    const struct yaml_node *tiers, *except;
    struct filled form;

    if (!form_read(FORM_OF_QUIET, node, c->diags, &form))
        return;
    tiers = form.at[FIELD_QUIET_TIERS];
    except = form.at[FIELD_QUIET_EXCEPT];
    if (tiers != NULL && except != NULL)
        FOUND(c, except->place, "key-place", "leave one of them out",
              "either `tiers` or `except`, not both");
    quiet->tiers = tiers != NULL ? tier_bits(c, tiers) : ~tier_bits(c, except);
    quiet->channel = form_text(form.at[FIELD_QUIET_CHANNEL], c->arena);
    policy_check_channel(c, form.at[FIELD_QUIET_CHANNEL]);
    load_dates(c, &quiet->holidays, form.at[FIELD_QUIET_HOLIDAYS]);
    if (form.at[FIELD_QUIET_HOURS] != NULL)
        form_hours(form.at[FIELD_QUIET_HOURS], quiet->allowed.hours);
    for (int day = 0; day < 7; day++)
        quiet->allowed.hours[day] ^= HOURS_OF_DAY;
}

static void load_quiet(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->quiet_count = node->count;
    policy->quiet = ARENA_ARRAY(c->arena, struct quiet, node->count);
    for (size_t i = 0; i < node->count; i++)
        load_quiet_one(c, &policy->quiet[i], node->items[i]);
}

/* --- control groups ------------------------------------------------------------------------------ */

/* Whoever is asked by nobody whether it may come has to get it. */
static uint32_t control_tiers(struct compiler *c, const struct yaml_node *list)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < form_item_count(list); i++) {
        const struct yaml_node *node = form_item(list, i);
        int32_t tier = find_tier(c, node);

        bits |= tier >= 0 ? 1u << tier : 0;
        if (tier >= 0 && c->set->policy.tiers[tier].consent == CONSENT_ALWAYS)
            FOUND(c, node->place, "control-tier", "leave this tier out",
                  "the tier %.*s goes to everybody (`consent: always`) and cannot be held back",
                  STR_ARG(node->text));
    }
    return bits;
}

static void load_control(struct compiler *c, struct control *control, const struct yaml_node *node)
{
    struct filled form;

    if (!form_read(FORM_OF_CONTROL, node, c->diags, &form))
        return;
    control->name = form_text(form.at[FIELD_CONTROL_NAME], c->arena);
    control->titles = form_phrases(form.at[FIELD_CONTROL_TITLE], c->arena);
    control->percent = form_count(form.at[FIELD_CONTROL_PERCENT], 0);
    control->tiers = control_tiers(c, form.at[FIELD_CONTROL_TIERS]);
}

static void load_controls(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->control_count = node->count;
    policy->controls = ARENA_ARRAY(c->arena, struct control, node->count);
    for (size_t i = 0; i < node->count; i++)
        load_control(c, &policy->controls[i], node->items[i]);
}

/* --- interlocks --------------------------------------------------------------------------------- */

static void load_interlock(struct compiler *c, struct interlock *lock, const struct yaml_node *node)
{
    struct scope scope = {
        .c = c, .no_event = "an interlock asks facts: write customer.NAME", .customer = true};
    struct filled form;

    if (!form_read(FORM_OF_INTERLOCK, node, c->diags, &form))
        return;
    lock->name = form_text(form.at[FIELD_INTERLOCK_NAME], c->arena);
    lock->titles = form_phrases(form.at[FIELD_INTERLOCK_TITLE], c->arena);
    lock->condition = scope_condition(&scope, form.at[FIELD_INTERLOCK_IF]);
    lock->tiers = tier_bits(c, form.at[FIELD_INTERLOCK_STOPS]);
}

void policy_load_interlocks(struct compiler *c)
{
    struct policy *policy = &c->set->policy;
    const struct yaml_node *node = c->interlocks;

    if (node == NULL)
        return;
    policy->interlock_count = node->count;
    policy->interlocks = ARENA_ARRAY(c->arena, struct interlock, node->count);
    for (size_t i = 0; i < node->count; i++)
        load_interlock(c, &policy->interlocks[i], node->items[i]);
}

/* --- zones -------------------------------------------------------------------------------------- */

static void add_zone(struct policy *policy, const struct zone *zone)
{
    for (size_t i = 0; i < policy->zone_count; i++)
        if (policy->zones[i] == zone)
            return;
    if (zone != NULL)
        policy->zones[policy->zone_count++] = zone;
}

/* Named ones, else those of the queues, else UTC: never none. */
static void load_zones(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->zones =
        ARENA_ARRAY(c->arena, const struct zone *, form_item_count(node) + policy->queue_count + 1);
    for (size_t i = 0; i < form_item_count(node); i++)
        add_zone(policy, find_zone(c, form_item(node, i)));
    for (size_t i = 0; node == NULL && i < policy->queue_count; i++)
        add_zone(policy, policy->queues[i].zone);
    if (policy->zone_count == 0)
        add_zone(policy, zone_find(STR("UTC")));
}

static void load_languages(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->language_count = form_item_count(node);
    policy->languages = ARENA_ARRAY(c->arena, struct str, policy->language_count);
    for (size_t i = 0; i < policy->language_count; i++)
        policy->languages[i] = form_text(form_item(node, i), c->arena);
}

static void load_outcomes(struct compiler *c, const struct yaml_node *node)
{
    struct policy *policy = &c->set->policy;

    policy->outcomes = ARENA_ARRAY(c->arena, struct outcome_name, node->count);
    for (size_t i = 0; i < node->count; i++) {
        struct filled form;
        if (form_read(FORM_OF_OUTCOME, node->items[i], c->diags, &form))
            policy->outcomes[policy->outcome_count++] =
                (struct outcome_name){form_text(node->keys[i], c->arena),
                                      form_phrases(form.at[FIELD_OUTCOME_TITLE], c->arena)};
    }
}

static void load(struct compiler *c, const struct yaml_node *root)
{
    static const struct {
        enum form_field_id field;
        void (*load)(struct compiler *c, const struct yaml_node *node);
    } parts[] = {
        /* tiers and channels first: the others name them */
        {FIELD_POLICY_TIERS, load_tiers},       {FIELD_POLICY_CHANNELS, load_channels},
        {FIELD_POLICY_QUEUES, load_queues},     {FIELD_POLICY_CAPS, load_caps},
        {FIELD_POLICY_QUIET, load_quiet},       {FIELD_POLICY_LANGUAGES, load_languages},
        {FIELD_POLICY_OUTCOMES, load_outcomes}, {FIELD_POLICY_CONTROL, load_controls},
        {FIELD_POLICY_DEDUPE, dedupe_load},
    };
    struct filled form;

    if (root->kind == YAML_NULL || !form_read(FORM_OF_POLICY, root, c->diags, &form))
        return;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (form.at[parts[i].field] != NULL)
            parts[i].load(c, form.at[parts[i].field]);
    load_zones(c, form.at[FIELD_POLICY_TIME_ZONES]);
    c->interlocks = form.at[FIELD_POLICY_INTERLOCKS];
}

void policy_load(struct compiler *c)
{
    const struct yaml_node *root = NULL;

    default_tiers(c);
    c->set->policy.recent_ids = LIMIT_RECENT_IDS;
    c->set->policy.recent_s = WHEN_DAY_MS / WHEN_SECOND_MS;
    for (size_t i = 0; i < c->bundle->count; i++) {
        if (!str_is(c->bundle->files[i].name, "policy.yaml"))
            continue;
        c->set->policy.given = true;
        root = compiler_read(c, &c->bundle->files[i]);
    }
    if (root != NULL)
        load(c, root);
    if (c->set->policy.zone_count == 0)
        load_zones(c, NULL);
}

/* --- finding ------------------------------------------------------------------------------------ */

const struct queue *policy_find_queue(const struct policy *policy, struct str name)
{
    struct queue key = {.name = name};

    return policy->queue_count == 0
               ? NULL
               : bsearch(&key, policy->queues, policy->queue_count, sizeof key, compare_queues);
}

const struct channel_rule *policy_find_channel(const struct policy *policy, struct str name)
{
    struct channel_rule key = {.name = name};

    return policy->channel_count == 0 ? NULL
                                      : bsearch(&key, policy->channels, policy->channel_count,
                                                sizeof key, compare_channels);
}

struct str policy_language(const struct policy *policy)
{
    return policy->language_count != 0 ? policy->languages[0] : STR_EMPTY;
}

bool policy_has_language(const struct policy *policy, struct str language)
{
    for (size_t i = 0; i < policy->language_count; i++)
        if (language_equal(policy->languages[i], language))
            return true;
    return false;
}

bool cap_holds(const struct cap *cap, const struct moment *m)
{
    bool channel = cap->channel.len == 0;

    for (size_t i = 0; i < m->act_count; i++)
        channel |= str_equal(cap->channel, m->acts[i].channel);
    return channel && (cap->tier < 0 || (uint32_t)cap->tier == m->tier) &&
           (cap->purpose.len == 0 || str_equal(cap->purpose, m->purpose)) &&
           (cap->moment.len == 0 || str_equal(cap->moment, m->name));
}

static bool quiet_holds_act(const struct policy *policy, uint32_t tier, const struct act *act)
{
    const struct channel_rule *channel = policy_find_channel(policy, act->channel);

    for (size_t i = 0; i < policy->quiet_count; i++)
        if ((policy->quiet[i].tiers >> tier & 1) != 0 &&
            (policy->quiet[i].channel.len == 0 ||
             str_equal(policy->quiet[i].channel, act->channel)))
            return channel == NULL || !channel->any_hour;
    return false;
}

bool quiet_holds(const struct policy *policy, const struct moment *moment)
{
    for (size_t i = 0; i < moment->act_count; i++)
        if (quiet_holds_act(policy, moment->tier, &moment->acts[i]))
            return true;
    return false;
}

bool queue_closes(const struct queue *queue)
{
    for (size_t d = 0; d < 7; d++)
        if ((queue->open.hours[d] & 0xffffff) != 0xffffff)
            return true;
    return queue->holidays.count != 0;
}

bool policy_tells_facts(const struct policy *policy, struct str channel)
{
    const struct channel_rule *rule = policy_find_channel(policy, channel);

    return rule == NULL || !rule->no_facts;
}

bool policy_is_sms(const struct policy *policy, struct str channel)
{
    const struct channel_rule *rule = policy_find_channel(policy, channel);

    return rule != NULL ? rule->sms : str_is(channel, "sms");
}
