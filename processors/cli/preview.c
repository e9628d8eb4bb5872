/* attent preview: what a moment would send, with the values of files or with samples.
 *
 * No decision is made: the texts are filled as decide fills them (letter.h), from an event and a
 * customer's facts.  What they do not say is a sample from the event's schema: its `examples`,
 * else one of its `enum`, else its title or a number that fits.
 */
#include <stdio.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/when.h"
#include "core/mem.h"
#include "core/when.h"
#include "processors/cli/cli.h"
#include "processors/cli/rules_verb.h"
#include "rules/moment/letter.h"
#include "rules/moment/wording.h"

struct preview {
    struct rules_verb rules;
    struct arena *arena;
    const struct moment *moment;
    const struct act *act;
    struct value event;    /* its data; absent: samples */
    struct value customer; /* facts by name; absent: samples */
    int64_t now_ms;
};

/* --- values -------------------------------------------------------------------------------------- */

static struct value member(struct preview *p, struct value map, struct str name)
{
    return json_at(map, arena_format(p->arena, "/%.*s", STR_ARG(name)));
}

static const struct schema *field_of(const struct ruleset *set, const uint16_t *types, size_t count,
                                     struct str pointer)
{
    for (size_t i = 0; i < count; i++) {
        const struct schema *schema = schema_at(set->types[types[i]].schema, pointer);
        if (schema != NULL)
            return schema;
    }
    return NULL;
}

/* Given in the event, else a sample. */
static struct value field_value(struct preview *p, const uint16_t *types, size_t count,
                                uint16_t path)
{
    struct str pointer = p->rules.set->paths[path].pointer;
    const struct schema *schema = field_of(p->rules.set, types, count, pointer);
    struct value v = VALUE_NONE;

    if (p->event.kind == VALUE_ABSENT)
        v = schema != NULL ? schema_sample(schema, p->arena) : VALUE_NONE;
    else
        v = json_at(p->event, pointer);
    return schema != NULL ? schema_coerce(schema, v, p->arena) : v;
}

/* The field that a fact takes as it is, so that its sample fits. */
static struct value sample_of(struct preview *p, const struct fact *fact)
{
    size_t count = 0;
    const uint32_t *slots = fact->value != NULL ? cel_program_slots(fact->value, &count) : NULL;
    const struct schema *schema;

    if (count == 1 && slot_kind(slots[0]) == SLOT_EVENT_DATA) {
        schema = field_of(p->rules.set, fact->types, fact->type_count,
                          p->rules.set->paths[slot_b(slots[0])].pointer);
        if (schema != NULL)
            return schema_coerce(schema, schema_sample(schema, p->arena), p->arena);
    }
    if (fact->type->kind == CEL_INT)
        return value_int(3);
    if (fact->type->kind == CEL_DOUBLE)
        return value_double(3);
    if (fact->type->kind == CEL_TIMESTAMP)
        return value_timestamp_ms(p->now_ms);
    return fact->type->kind == CEL_BOOL ? value_bool(false) : VALUE_NONE;
}

/* `about` looks at the event of the first step. */
static struct value load_first(void *context, uint32_t slot)
{
    struct preview *p = context;
    const struct moment_step *step = &p->moment->steps[0];

    return slot_kind(slot) == SLOT_EVENT_DATA
               ? field_value(p, step->types, step->type_count, (uint16_t)slot_b(slot))
               : VALUE_NONE;
}

static struct value about_value(struct preview *p)
{
    const struct cel_input input = {.context = p, .load = load_first};
    struct value v = VALUE_NONE;

    if (p->moment->about != NULL)
        v = cel_eval(p->moment->about, &input, p->arena);
    return v.kind == VALUE_ABSENT || v.kind == VALUE_ERROR ? value_string(STR("sample")) : v;
}

/* JSON has neither times nor, for 240, doubles. */
static struct value of_type(const struct cel_type *type, struct value v)
{
    int64_t at_ms;

    if (v.kind == VALUE_INT && type->kind == CEL_DOUBLE)
        return value_double((double)v.i);
    if (v.kind == VALUE_STRING && type->kind == CEL_TIMESTAMP &&
        when_parse_ms(value_str(v), &at_ms))
        return value_timestamp_ms(at_ms);
    return v;
}

/* A fact with `per`: the sample is that of what the moment is about. */
static struct value map_of(struct preview *p, const struct fact *fact, struct value given)
{
    size_t count = given.kind == VALUE_MAP ? given.n : 1;
    struct value_entry *entries = ARENA_ARRAY(p->arena, struct value_entry, count);
    struct value map;

    if (given.kind != VALUE_MAP)
        entries[0] = (struct value_entry){about_value(p), sample_of(p, fact)};
    for (size_t i = 0; given.kind == VALUE_MAP && i < count; i++)
        entries[i] = (struct value_entry){given.map[i].key, of_type(fact->one, given.map[i].value)};
    map = value_map(entries, count);
    return value_map_index(p->arena, &map) ? map : VALUE_NONE;
}

static struct value fact_value(struct preview *p, const struct fact *fact)
{
    struct value given =
        p->customer.kind == VALUE_MAP ? member(p, p->customer, fact->name) : VALUE_NONE;

    if (fact->key != NULL && (given.kind == VALUE_MAP || p->customer.kind != VALUE_MAP))
        return map_of(p, fact, given);
    if (p->customer.kind != VALUE_MAP)
        return sample_of(p, fact);
    return given.kind == VALUE_ABSENT ? fact->fallback : of_type(fact->one, given);
}

static struct str sample_attr(enum attr attr)
{
    switch ((int)attr - (int)ATTR_GEO) {
    case GEO_COUNTRY: return STR("NL");
    case GEO_PLACE: return STR("Amsterdam");
    case GEO_TIME_ZONE: return STR("Europe/Amsterdam");
    case GEO_NETWORK: return STR("203.0.113.0/24");
    default: return STR("sample");
    }
}

static struct value load(void *context, uint32_t slot)
{
    struct preview *p = context;
    const struct moment *m = p->moment;
    const struct moment_step *step = &m->steps[m->step_count - 1];

    switch (slot_kind(slot)) {
    case SLOT_FACT:
    case SLOT_FACT_BEFORE: return fact_value(p, &p->rules.set->facts[slot_a(slot)]);
    case SLOT_EVENT_DATA:
        return field_value(p, step->types, step->type_count, (uint16_t)slot_b(slot));
    case SLOT_STEP_DATA:
    case SLOT_STEP_FIRST:
        step = &m->steps[slot_a(slot)];
        return field_value(p, step->types, step->type_count, step->captures[slot_b(slot)]);
    case SLOT_STEP_ATTR:
    case SLOT_EVENT_ATTR:
        if (slot_b(slot) == ATTR_COUNT)
            return value_int(m->steps[slot_a(slot)].count);
        return slot_b(slot) == ATTR_TIME ? value_timestamp_ms(p->now_ms)
                                         : value_string(sample_attr((enum attr)slot_b(slot)));
    case SLOT_NOW: return value_timestamp_ms(p->now_ms);
    case SLOT_ABOUT: return about_value(p);
    }
    return VALUE_NONE;
}

static struct str text_fact(struct preview *p, int32_t fact)
{
    struct value v =
        fact >= 0 ? member(p, p->customer, p->rules.set->facts[fact].name) : VALUE_NONE;

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

/* --- printing ------------------------------------------------------------------------------------- */

/* A text, its lines under each other. */
static void put(struct buf *out, const char *what, struct str text)
{
    struct str line, rest = text;

    while (rest.len != 0) {
        if (!str_cut(rest, '\n', &line, &rest)) {
            line = rest;
            rest = STR_EMPTY;
        }
        buf_put_format(out, "%-10s%.*s\n", what, STR_ARG(line));
        what = "";
    }
}

/* As the language writes it; what attent does not speak, as CEL prints it. */
static void put_value(struct buf *out, struct value v, struct str language)
{
    struct arena *arena = arena_new(0);
    enum tongue tongue;
    bool spoken = tongue_of(language, &tongue);

    if (spoken && v.kind == VALUE_BOOL)
        buf_put(out, wording_say(arena, tongue, v.boolean ? WORDING_YES : WORDING_NO,
                                 (struct words){{STR_EMPTY}}));
    else if (spoken && v.kind == VALUE_DOUBLE)
        wording_put_number(out, tongue, v.d, false);
    else if (!spoken || v.kind != VALUE_TIMESTAMP || !wording_put_time(out, tongue, v.i, NULL))
        cel_print(out, v);
    arena_free(arena);
}

static void put_facts(struct buf *out, struct preview *p, struct str language)
{
    bool told = policy_tells_facts(&p->rules.set->policy, p->act->channel);

    for (size_t i = 0; told && i < p->moment->shown_count; i++) {
        const struct shown *shown = &p->moment->shown[i];
        struct value v = load(p, shown->slot);
        struct buf line = {0};

        if (v.kind == VALUE_ABSENT || v.kind == VALUE_ERROR)
            continue;
        buf_put_format(&line, "%.*s: ", STR_ARG(shown_label(p->rules.set, shown, language)));
        put_value(&line, v, language);
        if (shown->unit.len != 0)
            buf_put_format(&line, " %.*s", STR_ARG(shown->unit));
        buf_put_format(out, "%-10s%s\n", i == 0 ? "facts" : "", buf_text(&line));
        buf_free(&line);
    }
}

static void put_appointment(struct buf *out, const struct letter *letter)
{
    struct buf line = {0};

    if (letter->start_ms == 0)
        return;
    when_put_rfc3339(&line, letter->start_ms);
    buf_put_text(&line, " to ");
    when_put_rfc3339(&line, letter->end_ms);
    put(out, "meeting", buf_str(&line));
    put(out, "", letter->meeting);
    put(out, "", letter->place);
    buf_free(&line);
}

static void put_letter(struct buf *out, struct preview *p, const struct letter *letter)
{
    const struct act *act = p->act;

    buf_put_format(out, "%-10s%.*s%s%.*s, action %zu of %zu\n", "channel", STR_ARG(act->channel),
                   act->queue.len != 0 ? ", queue " : "", STR_ARG(act->queue),
                   (size_t)(act - p->moment->acts) + 1, p->moment->act_count);
    put(out, "language", letter->language);
    put(out, "title", letter->title);
    put(out, "reason", letter->reason);
    put_facts(out, p, letter->language);
    put(out, "say", letter->say);
    put(out, "subject", letter->subject);
    put(out, "text", letter->text);
    if (letter->html.len != 0)
        buf_put_format(out, "%-10s%zu bytes; --html FILE writes it\n", "html", letter->html.len);
    put_appointment(out, letter);
    if (letter->sms.parts != 0)
        buf_put_format(out, "%-10s%s, %zu of %zu characters, %zu part%s\n", "sms",
                       letter->sms.ucs2 ? "UCS-2" : "GSM-7", letter->sms.units, letter->sms.room,
                       letter->sms.parts, letter->sms.parts == 1 ? "" : "s");
}

/* --- the verb -------------------------------------------------------------------------------------- */

static enum err_code read_json(const char *path, struct arena *arena, struct value *out,
                               struct err *err)
{
    struct str text;
    enum err_code code = file_read(path, arena, &text, err);

    if (code != ERR_NONE)
        return code;
    if (json_parse(text, arena, out, err) == JSON_FINE && out->kind == VALUE_MAP)
        return ERR_NONE;
    err_set(err, ERR_PARSE, "%s is not a JSON object", path);
    return ERR_PARSE;
}

static enum err_code read_files(struct preview *p, const struct options *options, struct err *err)
{
    const char *event = options_value(options, "event");
    const char *customer = options_value(options, "customer");
    enum err_code code = ERR_NONE;
    struct value data;

    if (event != NULL)
        code = read_json(event, p->arena, &p->event, err);
    if (code == ERR_NONE && customer != NULL)
        code = read_json(customer, p->arena, &p->customer, err);
    data = member(p, p->event, STR("data")); /* a whole CloudEvent, or its data alone */
    if (data.kind == VALUE_MAP)
        p->event = data;
    return code;
}

static enum err_code find_act(struct preview *p, const struct options *options, struct err *err)
{
    const char *channel = options_value(options, "channel");
    struct str name = str_of(options->arguments[0]);
    int moment = ruleset_find_moment(p->rules.set, name);

    if (moment < 0)
        return err_set(err, ERR_USAGE,
                       "there is no moment \"%.*s\"; `attent list moments` lists all",
                       STR_ARG(name));
    p->moment = &p->rules.set->moments[moment];
    for (size_t i = 0; i < p->moment->act_count; i++)
        if (channel == NULL || str_is(p->moment->acts[i].channel, channel)) {
            p->act = &p->moment->acts[i];
            return ERR_NONE;
        }
    return err_set(err, ERR_USAGE, "%.*s has no action by %s", STR_ARG(name), channel);
}

static int show(struct preview *p, const struct options *options)
{
    const char *wanted = options_value(options, "language"), *html = options_value(options, "html");
    const struct ruleset *set = p->rules.set;
    struct cel_input input = {
        .context = p, .load = load, .zone = zone_find(text_fact(p, set->time_zone_fact))};
    struct str error = STR_EMPTY;
    struct letter letter;
    struct buf out = {0};
    struct err err;
    int code = EXIT_FINE;

    if (!letter_fill(&letter, set, p->moment, p->act,
                     wanted != NULL ? str_of(wanted) : text_fact(p, set->language_fact), &input,
                     p->arena, &error)) {
        printf("nothing goes out: %.*s\n", STR_ARG(error));
        return EXIT_FINDINGS;
    }
    put_letter(&out, p, &letter);
    fputs(buf_text(&out), stdout);
    buf_free(&out);
    if (html != NULL && letter.html.len == 0) {
        err_set(&err, ERR_USAGE, "this action has no `html:` to write");
        code = cli_fail(&err);
    } else if (html != NULL && file_write(html, letter.html, &err) != ERR_NONE) {
        code = cli_fail(&err);
    }
    return code;
}

int verb_preview(int argc, char **argv)
{
    struct preview p = {.arena = arena_new(0), .now_ms = clock_wall_ms()};
    struct options options;
    struct err err = {0};
    int code = EXIT_USAGE;

    if (!cli_parse("preview", argc, argv, 1, 2, p.arena, &options))
        goto out;
    code = rules_verb_open(&p.rules, &options, 1);
    if (code == EXIT_FINE)
        code = rules_verb_need_set(&p.rules);
    if (code != EXIT_FINE)
        goto out;
    if (find_act(&p, &options, &err) != ERR_NONE || read_files(&p, &options, &err) != ERR_NONE)
        code = cli_fail(&err);
    else
        code = show(&p, &options);
    rules_verb_close(&p.rules);
out:
    arena_free(p.arena);
    return code;
}
