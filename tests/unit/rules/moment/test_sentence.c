/* Moments and conditions in words.  What `attent explain` says of each shipped moment stands in
 * tests/moments/golden; UPDATE_FIXTURES=1 writes it anew: read it before you commit it. */
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "processors/cli/rules_folder.h"
#include "rules/moment/reason.h"
#include "rules/moment/say.h"
#include "rules/moment/sentence.h"
#include "tests/support/suite.h"

static struct arena *arena;
static struct ruleset *set;
static struct diags diags;

static void close_set(void)
{
    ruleset_free(set);
    diags_free(&diags);
    arena_free(arena);
}

/* --- the shipped moments ------------------------------------------------------------------------ */

static bool is_golden(const struct moment *moment, enum tongue tongue)
{
    struct str language = tongue_language(tongue), expected = STR_EMPTY;
    const char *path = arena_format(arena, "tests/moments/golden/%.*s.%.*s.txt",
                                    STR_ARG(moment->name), STR_ARG(language))
                           .data;
    struct buf out = {0};
    bool same;

    ck_assert_msg(moment_sentence(&out, set, moment, tongue) == 0,
                  "%.*s has something without %.*s words:\n%s", STR_ARG(moment->name),
                  STR_ARG(language), buf_text(&out));
    if (getenv("UPDATE_FIXTURES") != NULL)
        file_write(path, buf_str(&out), NULL);
    file_read(path, arena, &expected, NULL);
    same = str_equal(expected, buf_str(&out));
    if (!same)
        fprintf(stderr, "--- %s has to say (UPDATE_FIXTURES=1 writes it):\n%s", path,
                buf_text(&out));
    buf_free(&out);
    return same;
}

START_TEST(the_shipped_moments_read_as_they_are_signed)
{
    struct bundle bundle;
    size_t wrong = 0;

    arena = arena_new(0);
    ck_assert_int_eq(rules_folder_read("rules", arena, &bundle, NULL), ERR_NONE);
    set = rules_folder_compile("rules", &bundle, &diags);
    ck_assert_ptr_nonnull(set);
    for (size_t i = 0; i < set->moment_count; i++)
        for (int tongue = 0; tongue < TONGUE_COUNT; tongue++)
            wrong += !is_golden(&set->moments[i], (enum tongue)tongue);
    ck_assert_uint_eq(wrong, 0);
    close_set();
}
END_TEST

/* --- one at a time ------------------------------------------------------------------------------ */

static const char facts[] =
    "weight: {last: event.data.kg, of: car.seen, title: {en: Weight on file, nl: Bekend gewicht}}\n"
    "open: {mark: car.seen, for: 1d,\n"
    "  words: {en: \"[a|no] case is open\", nl: \"er [een|geen] zaak openstaat\"}}\n"
    "vague: {mark: car.seen, for: 1d, title: {en: Vague, nl: Vaag}}\n"
    "last_seen: {since: car.seen, words: {en: the last visit, nl: het laatste bezoek}}\n"
    "per_car: {last: event.data.kg, of: car.seen, per: event.data.vin,\n"
    "  words: {en: the known weight, nl: het bekende gewicht}}\n";
static const char car_seen[] =
    "{\"title\":\"Car seen\",\"x-title\":{\"nl\":\"Auto gezien\"},"
    "\"x-words\":{\"en\":\"[a|no] car is seen\",\"nl\":\"[een|geen] auto wordt gezien\"},"
    "\"type\":\"object\",\"properties\":{"
    "\"vin\":{\"type\":\"string\",\"x-words\":{\"en\":\"the car\",\"nl\":\"de auto\"}},"
    "\"kg\":{\"type\":\"number\",\"unit\":\"kg\",\"title\":\"Weight\","
    "\"x-title\":{\"nl\":\"Gewicht\"},"
    "\"x-words\":{\"en\":\"the weight\",\"nl\":\"het gewicht\"}},"
    "\"end\":{\"type\":\"string\",\"format\":\"date-time\","
    "\"x-words\":{\"en\":\"the end\",\"nl\":\"het einde\"}},"
    "\"country\":{\"type\":\"string\",\"x-words\":{\"en\":\"the country\",\"nl\":\"het land\"},"
    "\"x-values\":{\"NL\":{\"en\":\"the Netherlands\",\"nl\":\"Nederland\"}}},"
    "\"axles\":{\"type\":\"array\",\"items\":{\"type\":\"number\"},"
    "\"x-words\":{\"en\":\"the axle loads\",\"nl\":\"de aslasten\"}},"
    "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}}}";
static const char plain_seen[] = "{\"title\":\"Plain seen\",\"type\":\"object\"}";

/* One moment of these steps and keys behind them. */
static void compile(const char *rest)
{
    struct bundle_file files[] = {
        {STR("facts.yaml"), str_of(facts)},
        {STR("moments/m.yaml"), STR_EMPTY},
        {STR("policy.yaml"),
         STR("languages: [en, nl]\nchannels: {phone: {title: {en: call, nl: bellen}}, fax: }\nqueues: {q: {hours: 08-18, time_zone: UTC}}\n"
             "outcomes: {c: {title: {en: see, nl: zie}}}\n"
             "quiet: [{hours: 21-08}]\ncaps: [{max: 1, channel: phone, over: 1d}]\n")},
        {STR("schemas/events/car.seen.json"), str_of(car_seen)},
        {STR("schemas/events/plain.seen.json"), str_of(plain_seen)},
    };
    struct bundle bundle = {files, sizeof files / sizeof files[0]};

    arena = arena_new(0);
    files[1].text = arena_format(arena, "moment: m\ntitle: {en: M, nl: M}\ntier: safety\n%s", rest);
    set = ruleset_compile(&bundle, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%d:%d %s\n", diags.items[i].place.line, diags.items[i].place.column,
                diags.items[i].what);
    ck_assert_ptr_nonnull(set);
}

static const char *condition(const char *text, enum tongue tongue, size_t *unworded)
{
    static char said[512];
    struct teller teller;
    struct buf rest = {0};
    struct str words;

    buf_put_format(&rest, "when: [{event: car.seen, if: '%s'}]\nact: [{channel: phone}]\n", text);
    compile(buf_text(&rest));
    buf_free(&rest);
    teller = (struct teller){.set = set,
                             .moment = set->moments,
                             .arena = arena,
                             .tongue = tongue,
                             .types = set->moments[0].steps[0].types,
                             .type_count = 1};
    words = say_condition(&teller, cel_program_tree(set->moments[0].steps[0].condition), true);
    snprintf(said, sizeof said, "%.*s", STR_ARG(words));
    *unworded = teller.unworded;
    close_set();
    diags = (struct diags){0};
    return said;
}

START_TEST(each_pattern_of_a_condition_has_its_words)
{
    static const struct {
        const char *cel, *en, *nl;
    } cases[] = {
        {"event.data.kg > 1500", "the weight is more than 1,500 kg",
         "het gewicht meer dan 1.500 kg is"},
        {"2.5 >= event.data.kg", "the weight is at most 2.5 kg", "het gewicht hoogstens 2,5 kg is"},
        {"!(event.data.kg < 3)", "the weight is at least 3 kg", "het gewicht minstens 3 kg is"},
        {"event.data.kg > 1.2 * before.per_car[event.data.vin]",
         "the weight is more than 20 % above the known weight until then",
         "het gewicht meer dan 20 % boven het bekende gewicht tot dan toe ligt"},
        {"event.data.kg < 0.8 * customer.weight", "the weight is less than 80 % of the weight",
         "het gewicht minder dan 80 % van het gewicht is"},
        {"event.data.kg > 2 * customer.weight", "the weight is more than 2 times the weight",
         "het gewicht meer dan 2 keer het gewicht is"},
        {"event.data.kg != 3 && customer.open", "the weight is not 3 kg and a case is open",
         "het gewicht niet 3 kg is en er een zaak openstaat"},
        {"!(event.data.kg == 3 && customer.open)", "the weight is not 3 kg or no case is open",
         "het gewicht niet 3 kg is of er geen zaak openstaat"},
        {"customer.open == false", "no case is open", "er geen zaak openstaat"},
        {"event.data.country == \"NL\"", "the country is the Netherlands", "het land Nederland is"},
        {"!(event.data.country in [\"NL\", \"BE\", \"DE\"])",
         "the country is not the Netherlands, BE or DE", "het land niet Nederland, BE of DE is"},
        {"has(event.data.kg)", "the weight is known", "het gewicht bekend is"},
        {"!has(customer.last_seen)", "the last visit is not known",
         "het laatste bezoek niet bekend is"},
        {"event.data.vin in customer.per_car", "the known weight is known for the car",
         "het bekende gewicht bekend is voor de auto"},
        {"event.data.country.startsWith(\"N\")", "the country begins with N",
         "het land met N begint"},
        {"!event.data.country.contains(\"N\")", "the country does not contain N",
         "het land geen N bevat"},
        {"now - customer.last_seen > days(30)", "the last visit was more than 30 days ago",
         "het laatste bezoek meer dan 30 dagen geleden was"},
        {"event.data.end - now < hours(36)", "the end is less than 36 hours away",
         "het einde nog minder dan 36 uur op zich laat wachten"},
        {"event.data.end > customer.last_seen", "the end is after the last visit",
         "het einde na het laatste bezoek ligt"},
        {"event.data.country == \"NL\" ? event.data.kg > 3.0 : customer.open",
         "the country is the Netherlands and the weight is more than 3 kg, or otherwise a case is "
         "open",
         "het land Nederland is en het gewicht meer dan 3 kg is, of anders er een zaak openstaat"},
        {"event.data.kg > (customer.open ? 3.0 : 4.0)",
         "the weight is more than 3 kg if a case is open, otherwise 4 kg",
         "het gewicht meer dan 3 kg als er een zaak openstaat, anders 4 kg is"},
        {"event.data.axles.exists(load, load > 3.0)",
         "at least one of the axle loads is such that it is more than 3",
         "minstens één van de aslasten zo is dat die meer dan 3 is"},
        {"!event.data.axles.exists(load, load > 3.0)",
         "none of the axle loads is such that it is more than 3",
         "geen van de aslasten zo is dat die meer dan 3 is"},
        {"!event.data.axles.all(load, load > 3.0)",
         "not every one of the axle loads is such that it is more than 3",
         "niet elk van de aslasten zo is dat die meer dan 3 is"},
        {"event.data.axles.exists_one(load, load > 3.0)",
         "exactly one of the axle loads is such that it is more than 3",
         "precies één van de aslasten zo is dat die meer dan 3 is"},
        {"event.data.axles.size() > 2", "the number of axle loads is more than 2",
         "het aantal aslasten meer dan 2 is"},
        {"size(event.data.axles.filter(load, load > 3.0)) > 2",
         "the number of axle loads for which it is more than 3 is more than 2",
         "het aantal aslasten waarvoor geldt dat die meer dan 3 is meer dan 2 is"},
        {"size(event.data.country) > 2", "the length of the country is more than 2",
         "de lengte van het land meer dan 2 is"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t unworded;
        ck_assert_str_eq(condition(cases[i].cel, TONGUE_EN, &unworded), cases[i].en);
        ck_assert_msg(unworded == 0, "%s", cases[i].cel);
        ck_assert_str_eq(condition(cases[i].cel, TONGUE_NL, &unworded), cases[i].nl);
        ck_assert_msg(unworded == 0, "%s", cases[i].cel);
    }
}
END_TEST

START_TEST(what_has_no_words_stands_as_cel_or_as_a_title_and_is_counted)
{
    size_t unworded;

    ck_assert_str_eq(condition("event.data.axles.exists(a, event.data.list.exists(x, x > 1))",
                               TONGUE_EN, &unworded),
                     "at least one of the axle loads is such that `event.data.list.exists(x, x > "
                     "1)` is true"); /* two of them would both be "it" */
    ck_assert_uint_eq(unworded, 1);
    ck_assert_str_eq(condition("!customer.vague", TONGUE_NL, &unworded), "“Vaag” niet zo is");
    ck_assert_uint_eq(unworded, 1);
    ck_assert_str_eq(condition("event.data.list.map(x, x + 1)[0] > 1", TONGUE_EN, &unworded),
                     "`event.data.list.map(x, x + 1)[0]` is more than 1");
    ck_assert_uint_eq(unworded, 1);
}
END_TEST

static const char *sentence(const char *rest, enum tongue tongue)
{
    static char said[2048];
    struct buf out = {0};

    compile(rest);
    moment_sentence(&out, set, set->moments, tongue);
    snprintf(said, sizeof said, "%s", buf_text(&out));
    buf_free(&out);
    close_set();
    diags = (struct diags){0};
    return said;
}

#define ABOUT "about: event.data.vin\n"
#define CALL  "act: [{channel: phone}]\n"

START_TEST(each_kind_of_step_has_its_words)
{
    static const struct {
        const char *steps, *en, *nl;
    } cases[] = {
        {"when: [{event: car.seen}, {event: car.seen, within: 90m}]\n",
         "When a car is seen, and then a car is seen within 1 hour and 30 minutes: call.",
         "Als een auto wordt gezien, en daarna binnen 1 uur en 30 minuten een auto wordt gezien: "
         "bellen."},
        {"when: [{event: car.seen}, {absent: car.seen, for: 2w, if: event.data.kg > 3}]\n",
         "When a car is seen, and no car is seen within 14 days, where the weight is more than 3 "
         "kg: call.",
         "Als een auto wordt gezien, en binnen 14 dagen geen auto wordt gezien, waarbij het gewicht "
         "meer dan 3 kg is: bellen."},
        {"when: [{count: 3, of: car.seen, within: 1d12h}]\n",
         "When a car is seen 3 times within 36 hours: call.",
         "Als binnen 36 uur 3 keer een auto wordt gezien: bellen."},
        {"when: [{every: 24h, of: car.seen, grace: 30m}]\n",
         "When no car is seen within 24 hours and 30 minutes after the last time: call.",
         "Als binnen 24 uur en 30 minuten na de vorige keer geen auto wordt gezien: bellen."},
        {"when: [{crosses: above 80, value: event.data.kg, of: car.seen, back: 60}]\n",
         "When the weight rises above 80 kg: call. It counts again once the weight has been below "
         "60 kg.",
         "Als het gewicht boven 80 kg komt: bellen. Het telt weer mee zodra het gewicht onder 60 kg "
         "is geweest."},
        {"when: [{event: car.seen, as: a}, {wait: 3d}, {at: a.data.end - days(30)}]\n",
         "When a car is seen, 3 days later, and it is 30 days before the end: call.",
         "Als een auto wordt gezien, 3 dagen later, en het 30 dagen vóór het einde is: bellen."},
        {"when: [{becomes: customer.open}]\n", "As soon as a case is open: call.",
         "Zodra er een zaak openstaat: bellen."},
        {"when: [{event: car.seen}, {becomes: \"!customer.open\"}]\n",
         "When a car is seen, and then as soon as no case is open: call.",
         "Als een auto wordt gezien, en daarna zodra er geen zaak openstaat: bellen."},
        {"about: event.data.vin\nwhen: [{event: car.seen}, {event: car.seen, any_about: true}]\n",
         "When a car is seen, and then a car is seen (also for another one): call.",
         "Als een auto wordt gezien, en daarna een auto wordt gezien (ook bij een andere): "
         "bellen."},
        {"when: [{event: plain.seen}]\n", "When “Plain seen” happens: call.",
         "Als “Plain seen” gebeurt: bellen."},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf rest = {0};
        for (int tongue = 0; tongue < TONGUE_COUNT; tongue++) {
            char flat[2048];
            const char *wanted = tongue == TONGUE_EN ? cases[i].en : cases[i].nl;
            rest.len = 0;
            buf_put_format(&rest, "%s" CALL, cases[i].steps);
            snprintf(flat, sizeof flat, "%s", sentence(buf_text(&rest), (enum tongue)tongue));
            for (char *c = flat; *c != '\0'; c++)
                *c = *c == '\n' ? ' ' : *c;
            ck_assert_msg(strncmp(flat, wanted, strlen(wanted)) == 0, "%s\n%s", flat, wanted);
        }
        buf_free(&rest);
    }
}
END_TEST

START_TEST(a_paragraph_says_all_that_there_is_and_nothing_else)
{
    ck_assert_str_eq(
        sentence(ABOUT "when: [{event: car.seen}]\nwithdraw: [{event: plain.seen}, "
                       "{event: car.seen, if: event.data.kg > 1}]\nagain: 30d\ndeadline: "
                       "2d\nvalue: 7\n"
                       "act:\n  - {channel: phone, queue: q, wait: 1d, outcomes: {a_b: next, c: "
                       "next, d: end}}\n  - {channel: fax}\n",
                 TONGUE_EN),
        "When a car is seen: call (queue q); after 1 day without an answer, or at once after “a b” "
        "or “see”,\ncontact by fax. Not again for the same car for 30 days. Stops as soon as “Plain "
        "seen” happens or a\ncar is seen and the weight is more than 1 kg. A task that is not done "
        "within 2 days is dropped.\nSafety: for everybody, outside quiet hours, call at most once in 1 "
        "day, priority 7.\n");
}
END_TEST

/* --- reasons ------------------------------------------------------------------------------------- */

/* Numbers are 1900, facts 1100. */
static struct value held(void *context, uint32_t slot)
{
    (void)context;
    return value_double(slot_kind(slot) == SLOT_FACT ? 1100 : 1900);
}

static const char *reason(const char *steps, enum tongue tongue)
{
    const struct cel_input input = {.load = held};
    static char said[512];
    struct buf rest = {0};

    buf_put_format(&rest, "%s" CALL, steps);
    compile(buf_text(&rest));
    buf_free(&rest);
    snprintf(said, sizeof said, "%.*s",
             STR_ARG(moment_reason(set, set->moments, tongue, &input, arena)));
    close_set();
    diags = (struct diags){0};
    return said;
}

START_TEST(a_reason_is_made_of_labels_and_values)
{
    static const char car[] = "when: [{event: car.seen, if: 'event.data.kg > 1.2 * customer.weight'"
                              "}, {absent: car.seen, for: 14d}]\n";
    static const char low[] =
        "when: [{crosses: below 2000.5, value: event.data.kg, of: car.seen}]\n";
    static const char often[] =
        "when: [{count: 3, of: car.seen, within: 7d, if: 'event.data.kg >= 5'}]\n";

    ck_assert_str_eq(reason(car, TONGUE_EN),
                     "Car seen; Weight 1,900 kg (more than 20 % above Weight on file, 1,100 kg); "
                     "Car seen: none in 14 days");
    ck_assert_str_eq(reason(car, TONGUE_NL),
                     "Auto gezien; Gewicht 1.900 kg (meer dan 20 % boven Bekend gewicht, 1.100 "
                     "kg); Auto gezien: geen in 14 dagen");
    ck_assert_str_eq(reason(low, TONGUE_EN), "Weight 1,900 kg (below 2,000.5 kg)");
    ck_assert_str_eq(reason(often, TONGUE_NL),
                     "Auto gezien: 3 in 7 dagen; Gewicht 1.900 kg (minstens 5 kg)");
}
END_TEST

SUITE_MAIN("sentence", a_reason_is_made_of_labels_and_values,
           the_shipped_moments_read_as_they_are_signed, each_pattern_of_a_condition_has_its_words,
           what_has_no_words_stands_as_cel_or_as_a_title_and_is_counted,
           each_kind_of_step_has_its_words, a_paragraph_says_all_that_there_is_and_nothing_else)
