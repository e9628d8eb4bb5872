#include "rules/moment/explain.h"

#include <stdio.h>

#include "tests/support/suite.h"

static struct bundle_file files[] = {
    {{"facts.yaml", 10}, {NULL, 0}},
    {{"moments/pads.yaml", 17}, {NULL, 0}},
    {{"policy.yaml", 11}, {NULL, 0}},
    {{"schemas/events/car.seen.json", 28}, {NULL, 0}},
    {{"schemas/events/garage.booked.json", 33}, {NULL, 0}},
};

static const char car_seen[] =
    "{\"type\":\"object\",\"properties\":{\"vin\":{\"type\":\"string\",\"title\":\"Car\"},"
    "\"mm\":{\"type\":\"number\",\"unit\":\"mm\"},\"country\":{\"type\":\"string\"}}}";

static const char *const texts[] = {
    "country: {last: event.data.country, of: car.seen, title: Country}\n",
    "moment: pads\n"
    "title: Worn\n"
    "owner: garage\n"
    "tier: care\n"
    "about: event.data.vin\n"
    "when:\n"
    "  - {crosses: below 3.0, value: event.data.mm, of: car.seen, back: 5, as: worn}\n"
    "  - {event: car.seen, if: event.data.mm < 2.0, within: 1d12h}\n"
    "  - {absent: garage.booked, for: 2w}\n"
    "withdraw: [{event: garage.booked, any_about: true}]\n"
    "eligible: >-\n"
    "  customer.country ==\n"
    "  \"NL\"\n"
    "again: 180d\n"
    "value: 90\n"
    "act:\n"
    "  - {channel: phone, queue: garage, say: \"{{worn.data.mm}} mm\", wait: 3d,\n"
    "     outcomes: {booked: end, not_reached: next}}\n"
    "  - {channel: email, subject: Pads}\n",
    "tiers: {care: {consent: opt_out}}\n"
    "channels: {phone: {address: phone}, email: {}}\n"
    "queues: {garage: {hours: {mon-fri: 08-18}, time_zone: UTC}}\n"
    "caps: [{max: 2, channel: phone, over: 3d}, {max: 1, channel: email, tier: care, over: 1d}]\n"
    "quiet: [{hours: 21-08}]\n",
    car_seen,
    "{\"type\":\"object\",\"properties\":{\"vin\":{\"type\":\"string\"}}}",
};

START_TEST(a_moment_is_told_in_plain_words)
{
    struct bundle bundle = {files, sizeof files / sizeof files[0]};
    struct diags diags = {0};
    struct buf out = {0};
    struct ruleset *set;

    for (size_t i = 0; i < bundle.count; i++)
        files[i].text = str_of(texts[i]);
    set = ruleset_compile(&bundle, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%d:%d %s\n", diags.items[i].place.line, diags.items[i].place.column,
                diags.items[i].what);
    ck_assert_ptr_nonnull(set);
    snprintf(set->moments[0].version, sizeof set->moments[0].version, "00000000");
    moment_explain(&out, set, &set->moments[0], false);
    ck_assert_str_eq(
        buf_text(&out),
        "pads: Worn\n"
        "tier care, consent for care (opt_out), owner garage, version 00000000\n"
        "\n"
        "When, for each event.data.vin:\n"
        "  1. event.data.mm of car.seen falls below 3; not again before it was above 5  (worn)\n"
        "  2. car.seen happens, less than 1d12h later, with event.data.mm < 2.0\n"
        "  3. no garage.booked for 2w\n"
        "Over as soon as garage.booked happens, about anything\n"
        "\n"
        "If at that time, and before each further action\n"
        "  the customer may get it:  customer.country == \"NL\"\n"
        "\n"
        "Then, worth 90, to be done within 1w:\n"
        "  1. phone, by garage; the next action after 3d\n"
        "     say: {{worn.data.mm}} mm\n"
        "     outcomes: booked: end, not_reached: next action\n"
        "  2. email; over after 1w\n"
        "     subject: Pads\n"
        "Not again for 180d, for the same one\n"
        "\n"
        "Policy: at most 2 phone in 3d, 1 email care in 1d; not in quiet hours\n"
        "Listens to: car.seen garage.booked\n"
        "Shows: Car, Mm in mm, Country\n");
    buf_clear(&out);
    moment_explain(&out, set, &set->moments[0], true);
    ck_assert(str_contains(buf_str(&out), STR("        | ")));
    buf_free(&out);
    ruleset_free(set);
}
END_TEST

SUITE_MAIN("explain", a_moment_is_told_in_plain_words)
